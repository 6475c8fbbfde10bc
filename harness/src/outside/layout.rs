//! Where each field of a reply stands in its payload, and how it is written there.
//!
//! Written from the tables at the head of the wire's command files and apart from its decoder, so that the two can
//! disagree: a test compares them on every sample. It is what tells mistakes by, and what marks fields in a hex dump.

use veschub_wire::CommandId;

/// How a number stands in a payload; big endian all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Form {
    /// One byte.
    U8,
    /// One signed byte.
    I8,
    /// One byte, a flag: not 0 is yes.
    Flag,
    /// 16 bits signed; so many counts a unit.
    I16(f64),
    /// 32 bits signed; so many counts a unit.
    I32(f64),
    /// 32 bits.
    U32,
    /// The firmware's packed float, whose bits are those of an IEEE single.
    Float,
}

impl Form {
    /// How many bytes it takes.
    #[must_use]
    pub fn size(self) -> usize {
        match self {
            Self::U8 | Self::I8 | Self::Flag => 1,
            Self::I16(_) => 2,
            Self::I32(_) | Self::U32 | Self::Float => 4,
        }
    }

    /// Counts a unit.
    #[must_use]
    pub fn per_unit(self) -> f64 {
        match self {
            Self::I16(per_unit) | Self::I32(per_unit) => per_unit,
            _ => 1.0,
        }
    }

    /// The bytes at an offset, as a number without a sign.
    #[must_use]
    pub fn raw(self, payload: &[u8], offset: usize) -> Option<u32> {
        let bytes = payload.get(offset..offset.checked_add(self.size())?)?;
        Some(
            bytes
                .iter()
                .fold(0, |raw, &byte| raw << 8 | u32::from(byte)),
        )
    }

    /// The value that a raw number stands for.
    #[must_use]
    pub fn value(self, raw: u32) -> f64 {
        match self {
            Self::U8 => f64::from(raw as u8),
            Self::I8 => f64::from(raw as u8 as i8),
            Self::Flag => f64::from(u8::from(raw != 0)),
            Self::I16(per_unit) => f64::from(raw as u16 as i16) / per_unit,
            Self::I32(per_unit) => f64::from(raw.cast_signed()) / per_unit,
            Self::U32 => f64::from(raw),
            Self::Float => f64::from(f32::from_bits(raw)),
        }
    }

    /// What one count is worth; 0 where a value is exact.
    #[must_use]
    pub fn step(self) -> f64 {
        match self {
            Self::I16(per_unit) | Self::I32(per_unit) => 1.0 / per_unit,
            _ => 0.0,
        }
    }
}

/// A number of a reply at its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slot {
    /// The field that it belongs to.
    pub field: &'static str,
    /// Where it starts in the payload.
    pub offset: usize,
    /// How it is written.
    pub form: Form,
}

impl Slot {
    /// Its value in this payload, or in another one as if that were of the same kind.
    #[must_use]
    pub fn read(&self, payload: &[u8]) -> Option<f64> {
        Some(self.form.value(self.form.raw(payload, self.offset)?))
    }
}

/// The numbers of a reply to a command, in order; texts and what is not known are left out.
#[must_use]
pub fn layout(command: CommandId, payload: &[u8]) -> Vec<Slot> {
    let mut page = Page {
        payload,
        at: 1,
        slots: Vec::new(),
    };
    // Where the payload ends, so does the layout.
    let _ = match command {
        CommandId::BMS_GET_VALUES => page.bms(),
        CommandId::FW_VERSION => page.firmware(),
        CommandId::PING_CAN => page.rest("can_ids"),
        CommandId::GET_VALUES => page.table(MOTOR),
        CommandId::GET_VALUES_SETUP => page.table(SETUP),
        CommandId::GET_CUSTOM_CONFIG => page.table(CONFIG),
        _ => None,
    };
    page.slots
}

/// Fields that came together with a firmware: all of them or none.
type Group = &'static [(&'static str, Form)];

const C: Form = Form::I16(10.0);
const A: Form = Form::I32(100.0);
const AH: Form = Form::I32(10_000.0);
const MILLI: Form = Form::I32(1e3);
const MICRO: Form = Form::I32(1e6);

const BMS: &[Group] = &[
    &[
        ("chip_temperature_c", Form::I16(100.0)),
        ("humidity_temperature_c", Form::I16(100.0)),
        ("humidity_percent", Form::I16(100.0)),
        ("highest_cell_temperature_c", Form::I16(100.0)),
    ],
    &[
        ("state_of_charge", Form::I16(1e3)),
        ("state_of_health", Form::I16(1e3)),
    ],
    &[("can_id", Form::U8)],
    &[
        ("total_charged_ah", Form::Float),
        ("total_charged_wh", Form::Float),
        ("total_discharged_ah", Form::Float),
        ("total_discharged_wh", Form::Float),
    ],
    &[("pressure_pa", Form::I16(0.1))],
    &[("data_version", Form::U8)],
];

const MOTOR: &[Group] = &[
    &[
        ("fet_temperature_c", C),
        ("motor_temperature_c", C),
        ("motor_current_a", A),
        ("input_current_a", A),
        ("id_current_a", A),
        ("iq_current_a", A),
        ("duty", Form::I16(1e3)),
        ("erpm", Form::I32(1.0)),
        ("input_voltage_v", C),
        ("drawn_ah", AH),
        ("charged_ah", AH),
        ("drawn_wh", AH),
        ("charged_wh", AH),
        ("tachometer", Form::I32(1.0)),
        ("tachometer_absolute", Form::I32(1.0)),
        ("fault", Form::U8),
    ],
    &[("pid_position_deg", MICRO)],
    &[("can_id", Form::U8)],
    &[
        ("fet_temperatures_c", C),
        ("fet_temperatures_c", C),
        ("fet_temperatures_c", C),
    ],
    &[("vd_v", MILLI), ("vq_v", MILLI)],
];

const SETUP: &[Group] = &[
    &[
        ("fet_temperature_c", C),
        ("motor_temperature_c", C),
        ("total_motor_current_a", A),
        ("total_input_current_a", A),
        ("duty", Form::I16(1e3)),
        ("erpm", Form::I32(1.0)),
        ("speed_m_s", MILLI),
        ("input_voltage_v", C),
        ("battery_level", Form::I16(1e3)),
        ("total_ah", AH),
        ("total_charged_ah", AH),
        ("total_wh", AH),
        ("total_charged_wh", AH),
        ("distance_m", MILLI),
        ("distance_absolute_m", MILLI),
        ("pid_position_deg", MICRO),
        ("fault", Form::U8),
        ("can_id", Form::U8),
        ("vesc_count", Form::U8),
        ("battery_left_wh", MILLI),
    ],
    &[("odometer_m", Form::U32)],
    &[("uptime_ms", Form::U32)],
];

const CONFIG: &[Group] = &[&[("index", Form::U8), ("signature", Form::U32)]];

/// A payload that is gone through from its start; `None` is its end.
struct Page<'a> {
    payload: &'a [u8],
    at: usize,
    slots: Vec<Slot>,
}

impl Page<'_> {
    fn take(&mut self, field: &'static str, form: Form) -> Option<u32> {
        let raw = form.raw(self.payload, self.at)?;
        self.slots.push(Slot {
            field,
            offset: self.at,
            form,
        });
        self.at += form.size();
        Some(raw)
    }

    fn table(&mut self, groups: &[Group]) -> Option<()> {
        for group in groups {
            let size: usize = group.iter().map(|(_, form)| form.size()).sum();
            if self.payload.len() < self.at + size {
                return None;
            }
            for (field, form) in *group {
                self.take(field, *form)?;
            }
        }
        Some(())
    }

    fn bms(&mut self) -> Option<()> {
        for field in [
            "total_voltage_v",
            "charge_voltage_v",
            "current_a",
            "chip_current_a",
        ] {
            self.take(field, MICRO)?;
        }
        self.take("counter_ah", MILLI)?;
        self.take("counter_wh", MILLI)?;
        let cells = self.count("negative_cell_count")?;
        self.list(cells, "cell_voltages_v", Form::I16(1e3))?;
        self.list(cells, "balancing", Form::Flag)?;
        let sensors = self.count("negative_temperature_count")?;
        self.list(sensors, "temperatures_c", Form::I16(100.0))?;
        self.table(BMS)
    }

    /// A signed count; below 0, the count is a field and nothing follows it.
    fn count(&mut self, negative: &'static str) -> Option<usize> {
        let count = Form::I8.raw(self.payload, self.at)? as u8 as i8;
        if count < 0 {
            self.take(negative, Form::I8)?;
            return Some(0);
        }
        self.at += 1;
        usize::try_from(count).ok()
    }

    fn list(&mut self, count: usize, field: &'static str, form: Form) -> Option<()> {
        for _ in 0..count {
            self.take(field, form)?;
        }
        Some(())
    }

    fn rest(&mut self, field: &'static str) -> Option<()> {
        self.list(self.payload.len().saturating_sub(self.at), field, Form::U8)
    }

    fn firmware(&mut self) -> Option<()> {
        self.at += 2;
        self.text()?;
        self.at += 12;
        self.take("paired", Form::Flag)?;
        for field in ["test_version", "hardware_type", "custom_configs"] {
            self.take(field, Form::U8)?;
        }
        self.take("phase_filters", Form::Flag)?;
        self.table(&[&[("qml_hardware", Form::U8), ("qml_app", Form::U8)]])?;
        self.take("nrf_flags", Form::U8)?;
        self.text()?;
        self.take("config_crc", Form::U32)?;
        Some(())
    }

    /// Passes a text and the NUL behind it.
    fn text(&mut self) -> Option<()> {
        let length = self
            .payload
            .get(self.at..)?
            .iter()
            .position(|&byte| byte == 0)?;
        self.at += length + 1;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use veschub_wire::{
        Reply,
        view::{Value, View as _},
    };

    use super::*;

    fn numbers(value: &Value) -> Vec<f64> {
        match value {
            Value::Bool(flag) => vec![f64::from(u8::from(*flag))],
            Value::Int(number) => vec![*number as f64],
            Value::Number(number) => vec![*number],
            Value::List(values) => values.iter().flat_map(numbers).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn the_layout_finds_what_the_decoder_finds_in_every_sample() {
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wire/testdata");
        let mut compared = 0;
        for command in super::super::schema::commands() {
            let folder = samples.join(command.name().unwrap().to_lowercase());
            for file in fs::read_dir(folder).unwrap() {
                let text = fs::read_to_string(file.unwrap().path()).unwrap();
                if !text.contains("# direction: to-tool") {
                    continue;
                }
                let words = text.lines().flat_map(|line| {
                    line.split('#')
                        .next()
                        .unwrap_or_default()
                        .split_whitespace()
                });
                let payload: Vec<u8> = words
                    .map(|word| u8::from_str_radix(word, 16).unwrap())
                    .collect();
                let slots = layout(command, &payload);
                for (name, value) in Reply::decode(&payload).unwrap().fields().iter() {
                    // Bits of one byte.
                    if ["timeout_active", "kill_switch_active"].contains(&name) {
                        continue;
                    }
                    let found = slots.iter().filter(|slot| slot.field == name);
                    let found: Vec<f64> = found.filter_map(|slot| slot.read(&payload)).collect();
                    let truth = numbers(value);
                    let same = found.len() == truth.len()
                        && found
                            .iter()
                            .zip(&truth)
                            .all(|(a, b)| (*a as f32).to_bits() == (*b as f32).to_bits());
                    assert!(same, "{command} {name}: {found:?} {truth:?}");
                    compared += found.len();
                }
            }
        }
        assert!(compared > 300, "{compared}");
    }

    #[test]
    fn a_payload_cut_anywhere_has_a_layout() {
        let payload = [96; 300];
        for length in 0..payload.len() {
            for command in super::super::schema::commands() {
                let slots = layout(command, &payload[..length]);
                assert!(
                    slots
                        .iter()
                        .all(|slot| slot.read(&payload[..length]).is_some())
                );
            }
        }
    }
}
