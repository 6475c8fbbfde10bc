//! What a battery is like at the start of a run, and what is to happen to it: the keys of `bms`, with their defaults
//! and checks. Whoever adds a setting adds it here and uses it in the pack.

use std::{fmt, iter};

use serde::{
    Deserialize, Deserializer,
    de::{self, value::SeqAccessDeserializer},
};
use veschub_wire::command::{MAX_ELEMENTS, MAX_STATUS};

use super::{balance::Balancing, curve::Chemistry, field::Field, reply_end::ReplyEnd};
use crate::{device::course, duration::Duration, mistake::Mistakes};

/// The most segments of a current's profile.
const MAX_SEGMENTS: usize = 1000;
/// The most currents, A, that the wire can carry, either way.
const MAX_CURRENT_A: f64 = 2147.0;
/// What a broken sensor reads, °C.
const BROKEN_C: f64 = -281.0;
/// What a filler in the list of sensors reads, °C.
const FILLER_C: f64 = 99.0;

/// A BMS.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct BmsSettings {
    /// What the cells are made of.
    pub chemistry: Chemistry,
    /// How many cells are in series: 0 to 50; without it, 20.
    pub cells: Option<usize>,
    /// Mean open-circuit cell voltage at the start, V; without it, what the chemistry has at the state of charge.
    pub cell_voltage_v: Option<f64>,
    /// Distance between the lowest and the highest cell, mV; without it, 8.
    pub spread_mv: Option<f64>,
    /// Each cell's open-circuit voltage at the start, V, instead of the three above.
    pub cell_voltages_v: Option<Vec<f64>>,
    /// Random part of a cell measurement, ± mV.
    pub noise_mv: f64,
    /// Internal resistance of each cell, mΩ: a load lowers its voltage and warms it.
    pub resistance_mohm: f64,
    /// A cell that is worse than the others.
    pub weak_cell: Option<WeakCell>,
    /// Current, A; positive discharges, negative charges. A number, or a list of `{ at, current_a }`. None flows into
    /// a full pack or out of an empty one.
    pub current_a: Current,
    /// Error of the BMS chip's own measurement of the current, A, until somebody zeroes it.
    pub chip_offset_a: f64,
    /// Charge between empty and full, Ah.
    pub capacity_ah: f64,
    /// Reported state of charge at the start, 0 to 1; without it, 0 is reported all the time.
    pub state_of_charge: Option<f64>,
    /// Reported state of health, 0 to 1; without it, 1.
    pub state_of_health: Option<f64>,
    /// Voltage at the charge input, V.
    pub charge_voltage_v: f64,
    /// Which cells are being balanced.
    pub balancing: Balancing,
    /// What the temperature sensors show at the start, °C: up to 50. 99 is a filler, 0 an absent sensor and -280 or
    /// less a broken one; these never change.
    pub temperatures_c: Vec<f64>,
    /// The sensor that is broken and reads -281 °C; the first is 1.
    pub broken_sensor: Option<usize>,
    /// How many more sensors there are that measure nothing and read 99 °C.
    pub filler_sensors: usize,
    /// What the sensors settle at without a load, °C; without it, each at what it shows at the start.
    pub ambient_c: Option<f64>,
    /// How much warmer the sensors get for each watt of heat in a cell, °C.
    pub thermal_rise_c_per_w: f64,
    /// How late the sensors are: after this time, 63 % of a change are done.
    pub thermal_time_constant: Duration,
    /// Temperature of the BMS chip, °C.
    pub chip_temperature_c: f64,
    /// Temperature of the humidity sensor, °C.
    pub humidity_temperature_c: f64,
    /// Humidity, %.
    pub humidity_percent: f64,
    /// Air pressure, Pa.
    pub pressure_pa: Option<f64>,
    /// CAN id of the BMS; 255, the default, is none.
    pub can_id: Option<u8>,
    /// Version of the data's meaning, from firmware 6.06 on.
    pub data_version: Option<u8>,
    /// What the BMS says of itself, up to 40 bytes, from firmware 6.06 on.
    pub status: Option<String>,
    /// Where replies end, if not where the device's firmware ends them.
    pub reply_ends_after: Option<ReplyEnd>,
    /// Values that are reported whatever the pack does; the last one that began wins.
    pub set: Vec<SetValue>,
}

/// A pack of 20 lithium-ion cells at rest, with sensors that stay where they start without a load and get 22 °C
/// warmer under 30 A.
impl Default for BmsSettings {
    fn default() -> Self {
        Self {
            chemistry: Chemistry::LiIon,
            cells: None,
            cell_voltage_v: None,
            spread_mv: None,
            cell_voltages_v: None,
            noise_mv: 0.5,
            // Several cylindrical cells beside one another, as 20 Ah take.
            resistance_mohm: 3.0,
            weak_cell: None,
            current_a: Current::Constant(0.0),
            chip_offset_a: 0.0,
            capacity_ah: 20.0,
            state_of_charge: None,
            state_of_health: None,
            charge_voltage_v: 0.0,
            balancing: Balancing::Automatic,
            temperatures_c: vec![25.0, 24.5],
            broken_sensor: None,
            filler_sensors: 0,
            ambient_c: None,
            thermal_rise_c_per_w: 8.0,
            thermal_time_constant: Duration(20 * 60 * 1_000_000_000),
            chip_temperature_c: 32.0,
            humidity_temperature_c: 0.0,
            humidity_percent: 0.0,
            pressure_pa: None,
            can_id: None,
            data_version: None,
            status: None,
            reply_ends_after: None,
            set: Vec::new(),
        }
    }
}

/// A cell that is worse than the others.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct WeakCell {
    /// Which one; the first is 1.
    pub cell: usize,
    /// Its share of the others' capacity: above 0, up to 1.
    #[serde(default = "weak_capacity")]
    pub capacity: f64,
    /// Its internal resistance, mΩ.
    #[serde(default = "weak_resistance_mohm")]
    pub resistance_mohm: f64,
}

fn weak_capacity() -> f64 {
    0.7
}

fn weak_resistance_mohm() -> f64 {
    12.0
}

/// The current over time.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(untagged))]
pub enum Current {
    /// The same all the time, A.
    Constant(f64),
    /// One after the other; none before the first.
    Profile(Vec<CurrentSegment>),
}

/// A current from a moment on.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CurrentSegment {
    /// When it begins, from the start of the run.
    pub at: Duration,
    /// The current, A; positive discharges, negative charges.
    pub current_a: f64,
}

/// A value that is reported whatever the pack does. Others do not know of it, but the total voltage follows the cells,
/// and the highest temperature the sensors.
pub type SetValue = course::SetValue<Field>;

impl BmsSettings {
    /// How many cells there are.
    #[must_use]
    pub fn cells(&self) -> usize {
        let given = self.cell_voltages_v.as_ref().map(Vec::len);
        given.or(self.cells).unwrap_or(20)
    }

    /// Mean open-circuit cell voltage at the start, V.
    #[must_use]
    pub fn mean_voltage_v(&self) -> f64 {
        self.cell_voltage_v
            .unwrap_or_else(|| match (self.state_of_charge, self.chemistry) {
                (Some(charge), chemistry) => chemistry.open_circuit_v(charge),
                (None, Chemistry::LiIon) => 3.9,
                (None, Chemistry::LiFePo4) => 3.3,
            })
    }

    /// Distance between the lowest and the highest cell, V.
    pub(super) fn spread_v(&self) -> f64 {
        self.spread_mv.unwrap_or(8.0) / 1000.0
    }

    /// The CSV files that it names under `set`, each with the place of its value in the list.
    #[must_use]
    pub fn files(&self) -> Vec<(usize, &str)> {
        course::files(&self.set)
    }

    /// What the sensors show at the start, °C, broken ones and fillers too.
    #[must_use]
    pub fn sensors_c(&self) -> Vec<f64> {
        let mut sensors = self.temperatures_c.clone();
        let broken = self.broken_sensor.and_then(|number| number.checked_sub(1));
        if let Some(sensor) = broken.and_then(|index| sensors.get_mut(index)) {
            *sensor = BROKEN_C;
        }
        sensors.extend(iter::repeat_n(FILLER_C, self.filler_sensors));
        sensors
    }

    /// Looks for mistakes; `firmware_end` is where the device's firmware ends its replies.
    pub fn check(&self, firmware_end: ReplyEnd, mistakes: &mut Mistakes) {
        self.check_numbers(mistakes);
        self.check_lists(mistakes);
        self.check_current(mistakes);
        if let Some(weak) = &self.weak_cell {
            mistakes.inside("weak_cell", |mistakes| {
                check_number(weak.cell, self.cells(), "cell", "cell", mistakes);
                mistakes.range("capacity", weak.capacity, 0.001..=1.0);
                mistakes.range("resistance_mohm", weak.resistance_mohm, 0.0..=10_000.0);
            });
        }
        self.check_sensors(mistakes);
        mistakes.inside("set", |mistakes| {
            for (index, value) in self.set.iter().enumerate() {
                mistakes.inside(index, |mistakes| check_value(value, self, mistakes));
            }
        });
        self.check_tail(firmware_end, mistakes);
    }

    fn check_numbers(&self, mistakes: &mut Mistakes) {
        let current = -MAX_CURRENT_A..=MAX_CURRENT_A;
        for (key, value, range) in [
            ("noise_mv", self.noise_mv, 0.0..=1000.0),
            ("capacity_ah", self.capacity_ah, 0.001..=100_000.0),
            ("charge_voltage_v", self.charge_voltage_v, 0.0..=2147.0),
            (
                "chip_temperature_c",
                self.chip_temperature_c,
                -327.0..=327.0,
            ),
            (
                "humidity_temperature_c",
                self.humidity_temperature_c,
                -327.0..=327.0,
            ),
            ("humidity_percent", self.humidity_percent, 0.0..=100.0),
            ("resistance_mohm", self.resistance_mohm, 0.0..=10_000.0),
            ("chip_offset_a", self.chip_offset_a, current),
            (
                "thermal_rise_c_per_w",
                self.thermal_rise_c_per_w,
                0.0..=10_000.0,
            ),
        ] {
            mistakes.range(key, value, range);
        }
        for (key, value, range) in [
            ("cell_voltage_v", self.cell_voltage_v, 0.0..=32.7),
            ("spread_mv", self.spread_mv, 0.0..=5000.0),
            ("state_of_charge", self.state_of_charge, 0.0..=1.0),
            ("state_of_health", self.state_of_health, 0.0..=1.0),
            ("pressure_pa", self.pressure_pa, 0.0..=327_670.0),
            ("ambient_c", self.ambient_c, -273.0..=327.0),
        ] {
            if let Some(value) = value {
                mistakes.range(key, value, range);
            }
        }
        if let Some(status) = &self.status
            && (status.len() > MAX_STATUS || status.contains('\0'))
        {
            let message = format!("the status has {} bytes", status.len());
            mistakes.add("status", message).help(format!(
                "firmware holds up to {MAX_STATUS} bytes, and no NUL"
            ));
        }
    }

    fn check_lists(&self, mistakes: &mut Mistakes) {
        let cells = self.cell_voltages_v.as_deref().unwrap_or_default();
        for (key, what, list, range) in [
            ("cell_voltages_v", "cells", cells, 0.0..=32.7),
            (
                "temperatures_c",
                "sensors",
                &self.temperatures_c[..],
                -327.0..=327.0,
            ),
        ] {
            mistakes.inside(key, |mistakes| {
                for (index, &value) in list.iter().enumerate() {
                    mistakes.range(index, value, range.clone());
                }
            });
            check_count(list.len(), what, key, mistakes);
        }
        check_count(self.cells.unwrap_or_default(), "cells", "cells", mistakes);
        for (key, given) in [
            ("cells", self.cells.is_some()),
            ("cell_voltage_v", self.cell_voltage_v.is_some()),
            ("spread_mv", self.spread_mv.is_some()),
        ] {
            if given && self.cell_voltages_v.is_some() {
                let message = format!("`{key}` and `cell_voltages_v` contradict each other");
                let list = mistakes.way_to("cell_voltages_v");
                mistakes
                    .add(key, message)
                    .at_key()
                    .label("says what the list says already")
                    .help("keep one of them")
                    .also = Some((list, true, "the list of all cells"));
            }
        }
    }

    fn check_current(&self, mistakes: &mut Mistakes) {
        let range = -MAX_CURRENT_A..=MAX_CURRENT_A;
        let segments = match &self.current_a {
            Current::Constant(current_a) => return mistakes.range("current_a", *current_a, range),
            Current::Profile(segments) => segments,
        };
        if segments.is_empty() || segments.len() > MAX_SEGMENTS {
            let count = segments.len();
            let message = format!("a profile of {count} currents: wanted 1 to {MAX_SEGMENTS}");
            mistakes.add("current_a", message);
            return;
        }
        mistakes.inside("current_a", |mistakes| {
            let mut before = None;
            for (index, segment) in segments.iter().enumerate() {
                mistakes.inside(index, |mistakes| {
                    mistakes.range("current_a", segment.current_a, range.clone());
                    if let Some(before) = before.filter(|&before| before >= segment.at) {
                        let message = format!("{} does not lie after {before}", segment.at);
                        mistakes
                            .add("at", message)
                            .help("order the currents by their beginning");
                    }
                });
                before = Some(segment.at);
            }
        });
    }

    fn check_sensors(&self, mistakes: &mut Mistakes) {
        let sensors = self.temperatures_c.len();
        if let Some(number) = self.broken_sensor {
            check_number(number, sensors, "sensor", "broken_sensor", mistakes);
        }
        if self.filler_sensors > 0 {
            let all = sensors.saturating_add(self.filler_sensors);
            check_count(all, "sensors", "filler_sensors", mistakes);
        }
    }

    /// Refuses values that stand behind the end of the reply.
    fn check_tail(&self, firmware_end: ReplyEnd, mistakes: &mut Mistakes) {
        let end = self.reply_ends_after.unwrap_or(firmware_end);
        for (key, given, field_needs) in [
            (
                "state_of_charge",
                self.state_of_charge.is_some(),
                ReplyEnd::StateOfHealth,
            ),
            (
                "state_of_health",
                self.state_of_health.is_some(),
                ReplyEnd::StateOfHealth,
            ),
            ("can_id", self.can_id.is_some(), ReplyEnd::CanId),
            (
                "pressure_pa",
                self.pressure_pa.is_some(),
                ReplyEnd::Pressure,
            ),
            (
                "data_version",
                self.data_version.is_some(),
                ReplyEnd::DataVersion,
            ),
            ("status", self.status.is_some(), ReplyEnd::Status),
        ] {
            if given && field_needs > end {
                let message =
                    format!("`{key}` stands behind the end of the reply, so no tool ever sees it");
                let ends = mistakes.way_to("reply_ends_after");
                let mistake = mistakes.add(key, message).at_key();
                if self.reply_ends_after.is_some() {
                    mistake.help("keep one of them").also = Some((ends, false, "ends before it"));
                } else {
                    mistake.help(
                        "replies hold it from firmware 6.06 on: add `firmware: \"6.06\"` to the device",
                    );
                }
            }
        }
        mistakes.inside("set", |mistakes| {
            for (index, value) in self.set.iter().enumerate() {
                mistakes.inside(index, |mistakes| check_end(value.field, end, mistakes));
            }
        });
    }

    /// Refuses a value that is set while it runs and that no scenario could set.
    pub(super) fn check_set(&self, value: &SetValue, end: ReplyEnd, mistakes: &mut Mistakes) {
        check_value(value, self, mistakes);
        check_end(value.field, end, mistakes);
    }
}

/// Refuses a field that firmware whose replies end there never sends.
fn check_end(field: Field, end: ReplyEnd, mistakes: &mut Mistakes) {
    if field.needs() > end {
        let message = format!(
            "`{}` stands behind the end of the reply, so no tool ever sees it",
            field.name()
        );
        mistakes
            .add("field", message)
            .help("let the reply end later with `reply_ends_after`, or take a newer firmware");
    }
}

fn check_value(value: &SetValue, bms: &BmsSettings, mistakes: &mut Mistakes) {
    let (field, name) = (value.field, value.field.name());
    if let Some(item) = value.item {
        let count = match field {
            Field::Temperatures => bms.temperatures_c.len().saturating_add(bms.filler_sensors),
            _ => bms.cells(),
        };
        value.check_item(item, name, field.is_list().then_some(count), mistakes);
    }
    value.check(mistakes);
}

/// Refuses a number that counts from 1 and names nothing.
fn check_number(
    number: usize,
    count: usize,
    what: &str,
    key: &'static str,
    mistakes: &mut Mistakes,
) {
    if !(1..=count).contains(&number) {
        let message = format!("there is no {what} {number} among {count}");
        mistakes
            .add(key, message)
            .help(format!("the first {what} is 1"));
    }
}

fn check_count(count: usize, what: &str, key: &'static str, mistakes: &mut Mistakes) {
    if count > MAX_ELEMENTS {
        let message = format!("{count} {what} are too many: firmware holds up to {MAX_ELEMENTS}");
        mistakes.add(key, message);
    }
}

impl<'de> Deserialize<'de> for Current {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Current;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or a list of `{ at, current_a }`")
            }

            fn visit_u64<E>(self, value: u64) -> Result<Current, E> {
                Ok(Current::Constant(value as f64))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Current, E> {
                Ok(Current::Constant(value as f64))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Current, E> {
                Ok(Current::Constant(value))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, seq: A) -> Result<Current, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(Current::Profile)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
