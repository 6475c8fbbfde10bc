//! The battery behind a device: what its BMS reports.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, value::SeqAccessDeserializer},
};

use crate::{duration::Duration, suggest};
use veschub_hub::device::bms::Field;

/// A BMS.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Bms {
    /// What the cells are made of.
    pub chemistry: Chemistry,
    /// How many cells are in series: 0 to 50.
    pub cells: Option<usize>,
    /// Mean open-circuit cell voltage at the start, V; without it, what the chemistry has at the state of charge.
    pub cell_voltage_v: Option<f64>,
    /// Distance between the lowest and the highest cell, mV.
    pub spread_mv: Option<f64>,
    /// Each cell's open-circuit voltage at the start, V, instead of the three above.
    pub cell_voltages_v: Option<Vec<f64>>,
    /// Random part of a cell measurement, ± mV.
    pub noise_mv: Option<f64>,
    /// Internal resistance of each cell, mΩ: a load lowers its voltage and warms it.
    pub resistance_mohm: Option<f64>,
    /// A cell that is worse than the others.
    pub weak_cell: Option<WeakCell>,
    /// Current, A; positive discharges, negative charges. A number, or a list of `{ at, current_a }`. None flows into
    /// a full pack or out of an empty one.
    pub current_a: Option<BmsCurrent>,
    /// Error of the BMS chip's own measurement of the current, A, until somebody zeroes it.
    pub chip_offset_a: Option<f64>,
    /// Charge between empty and full, Ah.
    pub capacity_ah: Option<f64>,
    /// Reported state of charge at the start, 0 to 1; without it, 0 is reported all the time.
    pub state_of_charge: Option<f64>,
    /// Reported state of health, 0 to 1.
    pub state_of_health: Option<f64>,
    /// Voltage at the charge input, V.
    pub charge_voltage_v: Option<f64>,
    /// Which cells are being balanced.
    pub balancing: Balancing,
    /// What the temperature sensors show at the start, °C: up to 50. 99 is a filler, 0 an absent sensor and -280 or
    /// less a broken one; these never change.
    pub temperatures_c: Option<Vec<f64>>,
    /// The sensor that is broken and reads -281 °C; the first is 1.
    pub broken_sensor: Option<usize>,
    /// How many more sensors there are that measure nothing and read 99 °C.
    pub filler_sensors: Option<usize>,
    /// What the sensors settle at without a load, °C; without it, each at what it shows at the start.
    pub ambient_c: Option<f64>,
    /// How much warmer the sensors get for each watt of heat in a cell, °C.
    pub thermal_rise_c_per_w: Option<f64>,
    /// How late the sensors are: after this time, 63 % of a change are done.
    pub thermal_time_constant: Option<Duration>,
    /// Temperature of the BMS chip, °C.
    pub chip_temperature_c: Option<f64>,
    /// Temperature of the humidity sensor, °C.
    pub humidity_temperature_c: Option<f64>,
    /// Humidity, %.
    pub humidity_percent: Option<f64>,
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

/// What cells are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Chemistry {
    /// Lithium-ion: 3.0 V empty, 4.2 V full.
    #[default]
    LiIon,
    /// Lithium iron phosphate: 2.5 V empty, 3.6 V full, almost level between.
    Lifepo4,
}

/// A cell that is worse than the others.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
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

/// The current over time.
#[derive(Clone, Debug, PartialEq, JsonSchema)]
#[schemars(untagged)]
pub enum BmsCurrent {
    /// The same all the time, A.
    Constant(f64),
    /// One after the other; none before the first.
    Profile(Vec<CurrentSegment>),
}

/// A current from a moment on.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CurrentSegment {
    /// When it begins, from the start of the run.
    pub at: Duration,
    /// The current, A; positive discharges, negative charges.
    pub current_a: f64,
}

/// A value that is reported whatever the pack does: `to` pins it, `from`, `to` and `over` ramp it, `series` reads it
/// from a file. Others do not know of it, but the total voltage follows the cells, and the highest temperature the
/// sensors.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetValue {
    /// The field, by its name in readings.
    pub field: FieldName,
    /// Which element, for a list; the first is 0, as in `expect`. Without it, all of them.
    #[serde(default)]
    pub item: Option<usize>,
    /// From when on, from the start of the run.
    #[serde(default)]
    pub at: Duration,
    /// The value, or a ramp's last one.
    #[serde(default)]
    pub to: Option<f64>,
    /// A ramp's first value.
    #[serde(default)]
    pub from: Option<f64>,
    /// How long a ramp takes.
    #[serde(default)]
    pub over: Option<Duration>,
    /// A CSV file with the columns `time_s` and `value`, times from `at` on; a relative path starts at the scenario's
    /// folder. Between two rows the value goes straight, after the last row it stays.
    #[serde(default)]
    pub series: Option<String>,
}

/// Which cells are being balanced.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Balancing {
    /// None.
    Off,
    /// All of them.
    All,
    /// Those above the lowest, which slowly come down.
    #[default]
    Automatic,
}

/// Where a BMS reply ends.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReplyEnd {
    /// Before 5.02.
    HighestCellTemperature,
    /// 5.02.
    StateOfHealth,
    /// 5.03 test 6.
    CanId,
    /// 5.03 test 18.
    Totals,
    /// 6.05.
    Pressure,
    /// 6.06 test 3.
    DataVersion,
    /// 6.06.
    Status,
}

/// A field of the reply that holds numbers, by its name in readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldName(pub Field);

impl<'de> Deserialize<'de> for FieldName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        if let Some(field) = Field::named(&name) {
            return Ok(Self(field));
        }
        let names = Field::ALL.map(|(name, _)| name);
        let help = match (name.as_str(), suggest::closest(&name, names)) {
            ("status", _) => "the status is a text: give it as `status` of the BMS".to_owned(),
            (_, Some(meant)) => format!("did you mean `{meant}`?"),
            (_, None) => format!("known are `{}`", names.join("`, `")),
        };
        let message = format!("no value of a BMS is called `{name}`\nhelp: {help}");
        Err(de::Error::custom(message))
    }
}

impl JsonSchema for FieldName {
    fn schema_name() -> Cow<'static, str> {
        "FieldName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A value of a BMS by its name in readings.",
            "enum": Field::ALL.map(|(name, _)| name),
        })
    }
}

impl<'de> Deserialize<'de> for BmsCurrent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = BmsCurrent;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or a list of `{ at, current_a }`")
            }

            fn visit_u64<E>(self, value: u64) -> Result<BmsCurrent, E> {
                Ok(BmsCurrent::Constant(value as f64))
            }

            fn visit_i64<E>(self, value: i64) -> Result<BmsCurrent, E> {
                Ok(BmsCurrent::Constant(value as f64))
            }

            fn visit_f64<E>(self, value: f64) -> Result<BmsCurrent, E> {
                Ok(BmsCurrent::Constant(value))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, seq: A) -> Result<BmsCurrent, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(BmsCurrent::Profile)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

fn weak_capacity() -> f64 {
    0.7
}

fn weak_resistance_mohm() -> f64 {
    12.0
}
