//! Where each field of a reply is in its payload, and how it is written there.
//!
//! This table is written from the protocol facts alone, without the decoder of the wire crate, as a second opinion. A
//! test compares the two on every sample. The harness uses it to find mistakes and to mark fields in a hex dump.

use veschub_wire::CommandId;

/// How a number is written in a payload, always big endian.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Form {
    /// One byte.
    U8,
    /// One signed byte.
    I8,
    /// One byte, a flag: every value except 0 means yes.
    Flag,
    /// 16 bits, signed; this many counts are one unit.
    I16(f64),
    /// 32 bits, signed; this many counts are one unit.
    I32(f64),
    /// 32 bits.
    U32,
    /// The firmware's packed float, which has the bits of an IEEE single.
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

    /// How many counts are one unit.
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

/// A number of a reply, with its place.
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
    /// Its value in this payload, even if the payload is that of another command.
    #[must_use]
    pub fn read(&self, payload: &[u8]) -> Option<f64> {
        Some(self.form.value(self.form.raw(payload, self.offset)?))
    }
}

/// The fields of the reply to a command, and their descriptions in the schema of readings.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// The command.
    pub command: CommandId,
    /// The name of its fields in the schema.
    pub name: &'static str,
    /// The description of them in the schema.
    pub about: &'static str,
    /// The contents of the payload, from offset 1. A group is there as a whole or not at all.
    pub groups: &'static [Group],
}

/// Items that came together with a firmware.
pub type Group = &'static [Item];

/// A piece of a reply.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    /// The name of its field.
    pub name: &'static str,
    /// How it is written.
    pub written: Written,
    /// What it means.
    pub about: &'static str,
}

/// How a piece of a reply is written.
#[derive(Clone, Copy, Debug)]
pub enum Written {
    /// A number.
    Number(Form),
    /// A whole number of 32 bits with a sign.
    Whole,
    /// This many numbers.
    Fixed(usize, Form),
    /// A signed count of the lists that follow; below 0, the count is a field and nothing follows it.
    Count,
    /// As many numbers as the last count says.
    List(Form),
    /// Numbers up to the end of the payload.
    Rest(Form),
    /// Text up to a NUL.
    Text,
    /// This many bytes, which a reading gives as text.
    Skip(usize),
    /// A byte of flags, of which this is the lowest.
    Flags,
    /// The same bytes as the item before it, read in another way.
    Also(Type),
}

use Written::{Also, Count, Fixed, Flags, List, Number, Rest, Skip, Text, Whole};

/// The type of a value in a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Text.
    Text,
    /// Yes or no.
    Flag,
    /// Fields within a field.
    Object,
}

/// The numbers of a reply to a command, in order, without texts and unknown parts.
#[must_use]
pub fn layout(command: CommandId, payload: &[u8]) -> Vec<Slot> {
    Page::read(command, payload).slots
}

/// The texts of a reply to a command, as far as they are closed by a NUL.
#[must_use]
pub fn texts(command: CommandId, payload: &[u8]) -> Vec<(&'static str, &[u8])> {
    Page::read(command, payload).texts
}

/// Where the counts of its lists are in a reply to a command.
#[must_use]
pub fn counts(command: CommandId, payload: &[u8]) -> Vec<usize> {
    Page::read(command, payload).counts
}

/// The name of a field of the reply to a command, if the tables have it.
#[must_use]
pub fn known_name(command: CommandId, field: &str) -> Option<&'static str> {
    let table = TABLES.iter().find(|table| table.command == command)?;
    let mut items = table.groups.iter().copied().flatten();
    items.find(|item| item.name == field).map(|item| item.name)
}

/// The field that says the same as this one in another way: a code and its name.
#[must_use]
pub fn twin(command: CommandId, field: &str) -> Option<&'static str> {
    let table = TABLES.iter().find(|table| table.command == command)?;
    let pairs = table.groups.iter().flat_map(|group| group.windows(2));
    pairs
        .filter_map(|pair| match pair {
            [code, text] => match (code.written, text.written) {
                (Number(_), Also(Type::Text)) => Some((code.name, text.name)),
                _ => None,
            },
            _ => None,
        })
        .find_map(|(code, text)| match field {
            _ if field == code => Some(text),
            _ if field == text => Some(code),
            _ => None,
        })
}

const C: Form = Form::I16(10.0);
const A: Form = Form::I32(100.0);
const AH: Form = Form::I32(10_000.0);
const MILLI: Form = Form::I32(1e3);
const MICRO: Form = Form::I32(1e6);

macro_rules! tables {
    ($($command:ident $title:ident $says:literal {
        $([ $($name:ident: $written:expr, $about:literal;)* ])*
    })*) => {
        /// The replies whose layout is known here.
        pub const TABLES: &[Table] = &[$(Table {
            command: CommandId::$command,
            name: stringify!($title),
            about: $says,
            groups: &[$(&[$(Item {
                name: stringify!($name),
                written: $written,
                about: $about,
            }),*]),*],
        }),*];
    };
}

// One group in each pair of brackets; a field is its name, how it is written, and what it means.
tables! {
    BMS_GET_VALUES BmsFields "The fields of the reply to BMS_GET_VALUES." {
        [total_voltage_v: Number(MICRO), "Voltage of the whole pack, V.";]
        [charge_voltage_v: Number(MICRO), "Voltage at the charge input, V.";]
        [current_a: Number(MICRO), "Current of the pack, A; signed.";]
        [chip_current_a: Number(MICRO), "Current as the BMS chip measures it, A; signed.";]
        [counter_ah: Number(MILLI), "Charge counter, Ah.";]
        [counter_wh: Number(MILLI), "Energy counter, Wh.";]
        [negative_cell_count: Count, "A cell count below 0, as it was sent.";]
        [cell_voltages_v: List(Form::I16(1e3)), "Voltage of each cell, V, all of them in the order of the reply.";]
        [balancing: List(Form::Flag), "Whether each cell is being balanced.";]
        [negative_temperature_count: Count, "A sensor count below 0, as it was sent.";]
        [temperatures_c: List(Form::I16(100.0)), "The temperature sensors, °C; -281 and below is a broken one.";]
        [
            chip_temperature_c: Number(Form::I16(100.0)), "Temperature of the BMS chip, °C.";
            humidity_temperature_c: Number(Form::I16(100.0)), "Temperature of the humidity sensor, °C.";
            humidity_percent: Number(Form::I16(100.0)), "Humidity, %.";
            highest_cell_temperature_c: Number(Form::I16(100.0)), "Highest cell temperature, °C.";
        ]
        [
            state_of_charge: Number(Form::I16(1e3)),
                "State of charge, 0 to 1, as it was sent, even if 0 may mean that nobody computes it.";
            state_of_health: Number(Form::I16(1e3)), "State of health, 0 to 1.";
        ]
        [can_id: Number(Form::U8), "CAN id of the BMS, 255 for none.";]
        [
            total_charged_ah: Number(Form::Float), "Charge taken in ever, Ah.";
            total_charged_wh: Number(Form::Float), "Energy taken in ever, Wh.";
            total_discharged_ah: Number(Form::Float), "Charge given ever, Ah.";
            total_discharged_wh: Number(Form::Float), "Energy given ever, Wh.";
        ]
        [pressure_pa: Number(Form::I16(0.1)), "Air pressure, Pa.";]
        [data_version: Number(Form::U8), "Version of the data's meaning.";]
        [status: Text, "What the BMS says of itself.";]
    }
    FW_VERSION FirmwareFields "The fields of the reply to FW_VERSION." {
        [firmware: Skip(2), "The version with two digits behind the point: \"6.05\".";]
        [hardware: Text, "Hardware name.";]
        [uuid: Skip(12), "Unique id of the chip, 12 bytes in hex.";]
        [paired: Number(Form::Flag), "Whether the device talks to paired apps only.";]
        [test_version: Number(Form::U8), "Number of the test firmware, 0 for a release.";]
        [hardware_type: Number(Form::U8), "What the device is: 0 VESC, 1 VESC BMS, 2 custom module.";]
        [custom_configs: Number(Form::U8), "How many custom configs it has.";]
        [phase_filters: Number(Form::Flag), "Whether it has phase filters.";]
        [
            qml_hardware: Number(Form::U8), "QML user interface of the hardware: 0 none, 1 yes, 2 full screen.";
            qml_app: Number(Form::U8), "QML user interface of the app, the same way.";
        ]
        [nrf_flags: Number(Form::U8), "Bit 0: the radio's name, bit 1: its pin can be set.";]
        [firmware_name: Text, "Firmware name, usually empty.";]
        [config_crc: Number(Form::U32), "CRC of the hardware config.";]
    }
    PING_CAN CanFields "The fields of the reply to PING_CAN." {
        [can_ids: Rest(Form::U8), "The ids that answered on the CAN bus, ascending.";]
    }
    GET_VALUES MotorFields "The fields of the reply to GET_VALUES." {
        [
            fet_temperature_c: Number(C), "Temperature of the power transistors, °C.";
            motor_temperature_c: Number(C), "Temperature of the motor, °C.";
            motor_current_a: Number(A), "Current of the motor, A.";
            input_current_a: Number(A), "Current of the supply, A.";
            id_current_a: Number(A), "Current along the rotor's field, A.";
            iq_current_a: Number(A), "Current across the rotor's field, A.";
            duty: Number(Form::I16(1e3)), "Duty cycle, -1 to 1.";
            erpm: Number(Form::I32(1.0)), "Electrical speed, revolutions per minute.";
            input_voltage_v: Number(C), "Voltage of the supply, V.";
            drawn_ah: Number(AH), "Charge drawn, Ah.";
            charged_ah: Number(AH), "Charge given back, Ah.";
            drawn_wh: Number(AH), "Energy drawn, Wh.";
            charged_wh: Number(AH), "Energy given back, Wh.";
            tachometer: Whole, "Position counter, steps; backwards counts down.";
            tachometer_absolute: Whole, "Distance counter, steps; backwards counts up as well.";
            fault: Number(Form::U8), "Fault code.";
            fault_name: Also(Type::Text), "The fault code's name, without a prefix: \"OVER_VOLTAGE\".";
        ]
        [pid_position_deg: Number(MICRO), "Position that the position controller sees, degrees.";]
        [can_id: Number(Form::U8), "CAN id of the controller.";]
        [fet_temperatures_c: Fixed(3, C), "Temperatures of the transistors of each phase, °C.";]
        [
            vd_v: Number(MILLI), "Voltage along the rotor's field, V.";
            vq_v: Number(MILLI), "Voltage across the rotor's field, V.";
        ]
        [
            timeout_active: Flags, "Whether the time-out stopped the motor.";
            kill_switch_active: Also(Type::Flag), "Whether the kill switch stopped the motor.";
        ]
    }
    GET_VALUES_SETUP SetupFields "The fields of the reply to GET_VALUES_SETUP." {
        [
            fet_temperature_c: Number(C), "Temperature of the power transistors, °C.";
            motor_temperature_c: Number(C), "Temperature of the motor, °C.";
            total_motor_current_a: Number(A), "Currents of all motors together, A.";
            total_input_current_a: Number(A), "Currents of all supplies together, A.";
            duty: Number(Form::I16(1e3)), "Duty cycle, -1 to 1.";
            erpm: Number(Form::I32(1.0)), "Electrical speed, revolutions per minute.";
            speed_m_s: Number(MILLI), "Speed of the vehicle, m/s.";
            input_voltage_v: Number(C), "Voltage of the supply, V.";
            battery_level: Number(Form::I16(1e3)), "Charge left in the battery, 0 to 1.";
            total_ah: Number(AH), "Charge drawn by all controllers, Ah.";
            total_charged_ah: Number(AH), "Charge given back by all controllers, Ah.";
            total_wh: Number(AH), "Energy drawn by all controllers, Wh.";
            total_charged_wh: Number(AH), "Energy given back by all controllers, Wh.";
            distance_m: Number(MILLI), "Distance since the start, m; backwards counts down.";
            distance_absolute_m: Number(MILLI), "Distance since the start, m; backwards counts up as well.";
            pid_position_deg: Number(MICRO), "Position that the position controller sees, degrees.";
            fault: Number(Form::U8), "Fault code.";
            fault_name: Also(Type::Text), "The fault code's name, without a prefix: \"OVER_VOLTAGE\".";
            can_id: Number(Form::U8), "CAN id of the controller.";
            vesc_count: Number(Form::U8), "How many controllers the sums include.";
            battery_left_wh: Number(MILLI), "Energy left in the battery, Wh.";
        ]
        [odometer_m: Number(Form::U32), "Distance ever, m.";]
        [uptime_ms: Number(Form::U32), "Time since the start, ms.";]
    }
    GET_CUSTOM_CONFIG ConfigFields "The fields of the reply to GET_CUSTOM_CONFIG; what is in the config is not judged." {
        [
            index: Number(Form::U8), "Which config; 0 is the only one there is.";
            signature: Number(Form::U32), "Stands for names, types and order of the config's fields.";
            config: Also(Type::Object), "The config's fields; not judged.";
            data: Also(Type::Text), "The config's bytes; not judged.";
        ]
    }
}

/// Walks through a payload from its start; `None` means that it has ended.
struct Page<'a> {
    payload: &'a [u8],
    at: usize,
    /// The last count.
    count: usize,
    slots: Vec<Slot>,
    counts: Vec<usize>,
    texts: Vec<(&'static str, &'a [u8])>,
}

impl<'a> Page<'a> {
    fn read(command: CommandId, payload: &'a [u8]) -> Self {
        let mut page = Self {
            payload,
            at: 1,
            count: 0,
            slots: Vec::new(),
            counts: Vec::new(),
            texts: Vec::new(),
        };
        let table = TABLES.iter().find(|table| table.command == command);
        let mut groups = table.map_or(&[][..], |table| table.groups).iter();
        // The layout ends where the payload ends.
        let _ = groups.try_for_each(|group| page.group(group));
        page
    }

    fn group(&mut self, group: Group) -> Option<()> {
        let size: usize = group.iter().map(|item| item.size()).sum();
        if self.payload.len() < self.at + size {
            return None;
        }
        group.iter().try_for_each(|item| self.item(*item))
    }

    fn item(&mut self, item: Item) -> Option<()> {
        let field = item.name;
        match item.written {
            Number(form) => self.list(1, field, form),
            Whole => self.list(1, field, Form::I32(1.0)),
            Fixed(count, form) => self.list(count, field, form),
            List(form) => self.list(self.count, field, form),
            Rest(form) => {
                let left = self.payload.len().saturating_sub(self.at);
                self.list(left / form.size(), field, form)
            }
            Count => {
                let count = Form::I8.raw(self.payload, self.at)? as u8 as i8;
                self.count = usize::try_from(count).unwrap_or(0);
                self.counts.push(self.at);
                if count < 0 {
                    return self.list(1, field, Form::I8);
                }
                self.at += 1;
                Some(())
            }
            Text => {
                let rest = self.payload.get(self.at..)?;
                let end = rest.iter().position(|&byte| byte == 0)?;
                self.texts.push((field, &rest[..end]));
                self.at += end + 1;
                Some(())
            }
            Skip(_) | Flags | Also(_) => {
                self.at += item.size();
                Some(())
            }
        }
    }

    fn list(&mut self, count: usize, field: &'static str, form: Form) -> Option<()> {
        for _ in 0..count {
            form.raw(self.payload, self.at)?;
            let offset = self.at;
            self.slots.push(Slot {
                field,
                offset,
                form,
            });
            self.at += form.size();
        }
        Some(())
    }
}

impl Item {
    /// How many bytes it takes at least.
    fn size(self) -> usize {
        match self.written {
            Number(form) => form.size(),
            Whole => 4,
            Fixed(count, form) => count * form.size(),
            Count | Flags => 1,
            Skip(count) => count,
            List(_) | Rest(_) | Text | Also(_) => 0,
        }
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
        for command in TABLES.iter().map(|table| table.command) {
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
            for command in TABLES.iter().map(|table| table.command) {
                let slots = layout(command, &payload[..length]);
                assert!(
                    slots
                        .iter()
                        .all(|slot| slot.read(&payload[..length]).is_some())
                );
            }
        }
    }

    #[test]
    fn a_code_and_its_name_are_twins_and_two_bits_of_one_byte_are_not() {
        let of = |field| twin(CommandId::GET_VALUES, field);
        assert_eq!(
            (of("fault"), of("fault_name")),
            (Some("fault_name"), Some("fault"))
        );
        assert_eq!((of("timeout_active"), of("erpm")), (None, None));
        assert_eq!(twin(CommandId::GET_CUSTOM_CONFIG, "signature"), None);
    }
}
