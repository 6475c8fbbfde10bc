//! What the frames of a VESC's CAN bus say: the number of the packet and its fields.
//!
//! Numbers are big endian. Layouts: `bldc comm/comm_can.c:1216-1275` (status), `:1605-1836` (demands and limits),
//! `vesc_express main/bms.c:59-287` (BMS), `main/comm_can.c:124-307` (fragments, PING and PONG).

use std::fmt;

use veschub_wire::{
    number::Float,
    view::{Fields, Value},
};

/// The number of a packet: bits 8 to 15 of a frame's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Packet(pub u8);

/// Whose id is in the frame's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// That of who sends it, to whoever listens.
    From,
    /// That of who is meant.
    To,
}

/// How a number of a layout is written, and what one count is worth: so many counts make a unit.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    U8,
    I8,
    /// A flag in a byte that others have too.
    Bit(u8),
    /// The four highest bits of that byte, which is the last field of it.
    High,
    /// A whole number.
    I16,
    I32,
    /// A number with a fraction.
    F16(f64),
    F32(f64),
    /// Counts of a byte.
    Per(f64),
    /// The firmware's packed single.
    Float,
    /// Up to the end, at least one: numbers of 16 bits.
    List(f64),
    /// Up to the end: flags, the lowest bit of the last byte first, as many as the field before says.
    Flags,
    /// Up to the end: text.
    Text,
    /// Up to the end: bytes.
    Bytes,
}

type Field = (&'static str, Shape);

/// What is known of a packet.
#[derive(Debug)]
struct Layout {
    name: &'static str,
    way: Way,
    /// How many of the fields must be there; the others may be left out.
    least: usize,
    fields: &'static [Field],
}

macro_rules! packets {
    ($( $number:literal $NAME:ident $way:ident $least:literal [$( $field:ident: $shape:expr ),* $(,)?] )+) => {
        impl Packet {
            $(
                #[doc = concat!("Packet ", stringify!($number), ".")]
                pub const $NAME: Self = Self($number);
            )+

            fn layout(self) -> Option<&'static Layout> {
                use Shape::{Bit, Bytes, F16, F32, Flags, Float, High, I8, I16, I32, List, Per, Text, U8};
                match self.0 {
                    $( $number => {
                        static LAYOUT: Layout = Layout {
                            name: stringify!($NAME),
                            way: Way::$way,
                            least: $least,
                            fields: &[$( (stringify!($field), $shape) ),*],
                        };
                        Some(&LAYOUT)
                    } )+
                    _ => None,
                }
            }
        }
    };
}

packets! {
    0 SET_DUTY To 1 [duty: F32(1e5)]
    1 SET_CURRENT To 1 [current_a: F32(1e3), off_delay_s: F16(1e3)]
    2 SET_CURRENT_BRAKE To 1 [current_a: F32(1e3)]
    3 SET_RPM To 1 [erpm: I32]
    4 SET_POS To 1 [position_deg: F32(1e6)]
    5 FILL_RX_BUFFER To 1 [data: Bytes]
    6 FILL_RX_BUFFER_LONG To 1 [data: Bytes]
    7 PROCESS_RX_BUFFER To 1 [data: Bytes]
    8 PROCESS_SHORT_BUFFER To 1 [data: Bytes]
    9 STATUS From 3 [erpm: I32, motor_current_a: F16(1e1), duty: F16(1e3)]
    10 SET_CURRENT_REL To 1 [current: F32(1e5), off_delay_s: F16(1e3)]
    11 SET_CURRENT_BRAKE_REL To 1 [current: F32(1e5)]
    12 SET_CURRENT_HANDBRAKE To 1 [current_a: F32(1e3)]
    13 SET_CURRENT_HANDBRAKE_REL To 1 [current: F32(1e5)]
    14 STATUS_2 From 2 [drawn_ah: F32(1e4), charged_ah: F32(1e4)]
    15 STATUS_3 From 2 [drawn_wh: F32(1e4), charged_wh: F32(1e4)]
    16 STATUS_4 From 4 [fet_temperature_c: F16(1e1), motor_temperature_c: F16(1e1), input_current_a: F16(1e1),
        pid_position_deg: F16(5e1)]
    17 PING To 1 [sender: U8]
    18 PONG To 1 [node: U8, hw_type: U8]
    21 CONF_CURRENT_LIMITS To 2 [min_a: F32(1e3), max_a: F32(1e3)]
    22 CONF_STORE_CURRENT_LIMITS To 2 [min_a: F32(1e3), max_a: F32(1e3)]
    23 CONF_CURRENT_LIMITS_IN To 2 [min_a: F32(1e3), max_a: F32(1e3)]
    24 CONF_STORE_CURRENT_LIMITS_IN To 2 [min_a: F32(1e3), max_a: F32(1e3)]
    25 CONF_FOC_ERPMS To 2 [openloop_erpm: F32(1e3), sensorless_erpm: F32(1e3)]
    26 CONF_STORE_FOC_ERPMS To 2 [openloop_erpm: F32(1e3), sensorless_erpm: F32(1e3)]
    27 STATUS_5 From 2 [tachometer: I32, input_voltage_v: F16(1e1), reserved: I16]
    29 CONF_BATTERY_CUT To 2 [start_v: F32(1e3), end_v: F32(1e3)]
    30 CONF_STORE_BATTERY_CUT To 2 [start_v: F32(1e3), end_v: F32(1e3)]
    31 SHUTDOWN To 0 []
    38 BMS_V_TOT From 2 [total_voltage_v: Float, charge_voltage_v: Float]
    39 BMS_I From 2 [current_a: Float, chip_current_a: Float]
    40 BMS_AH_WH From 2 [counter_ah: Float, counter_wh: Float]
    41 BMS_V_CELL From 3 [first: U8, cells: U8, cell_voltages_v: List(1e3)]
    42 BMS_BAL From 2 [cells: U8, balancing: Flags]
    43 BMS_TEMPS From 3 [first: U8, sensors: U8, temperatures_c: List(1e2)]
    44 BMS_HUM From 3 [humidity_temperature_c: F16(1e2), humidity_percent: F16(1e2), chip_temperature_c: F16(1e2),
        pressure_pa: F16(1e-1)]
    45 BMS_SOC_SOH_TEMP_STAT From 9 [lowest_cell_v: F16(1e3), highest_cell_v: F16(1e3), state_of_charge: Per(255.0),
        state_of_health: Per(255.0), highest_cell_temperature_c: I8, is_charging: Bit(0), is_balancing: Bit(1),
        is_charge_allowed: Bit(2), data_version: High]
    46 PSW_STAT From 4 [input_voltage_v: F16(1e1), output_voltage_v: F16(1e1), temperature_c: F16(1e1), bits: U8]
    53 BMS_AH_WH_CHG_TOTAL From 2 [charged_ah: Float, charged_wh: Float]
    54 BMS_AH_WH_DIS_TOTAL From 2 [discharged_ah: Float, discharged_wh: Float]
    58 STATUS_6 From 4 [adc_1_v: F16(1e3), adc_2_v: F16(1e3), adc_3_v: F16(1e3), ppm: F16(1e3)]
    63 UPDATE_BAUD To 2 [kbit_s: I16, delay_ms: I16]
    64 BMS_STATUS_1 From 0 [status: Text]
    65 BMS_STATUS_2 From 0 [status: Text]
    66 BMS_STATUS_3 From 0 [status: Text]
    67 BMS_STATUS_4 From 0 [status: Text]
    68 BMS_STATUS_5 From 0 [status: Text]
}

impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.layout() {
            Some(layout) => f.write_str(layout.name),
            None => write!(f, "CAN_PACKET_{}", self.0),
        }
    }
}

impl Packet {
    /// Whose id is in the frame's. Of a packet that is not known, it is taken for the receiver's.
    #[must_use]
    pub fn way(self) -> Way {
        self.layout().map_or(Way::To, |layout| layout.way)
    }

    /// The data as named fields. What is too short for them is `undecoded`, what is too long has `trailing` bytes.
    #[must_use]
    pub fn fields(self, data: &[u8]) -> Fields {
        let mut told = Fields::new();
        let Some(layout) = self.layout() else {
            if !data.is_empty() {
                told.push("data", Value::Bytes(data.to_vec()));
            }
            return told;
        };
        let mut rest = data;
        let mut last = None;
        for &(name, shape) in layout.fields {
            let Some(value) = shape.read(&mut rest, last.as_ref()) else {
                break;
            };
            told.push(name, value.clone());
            last = Some(value);
        }
        let count = told.iter().count();
        if count < layout.least {
            let wanted = layout.fields.get(count).map_or("", |field| field.0);
            told.push(
                "undecoded",
                Value::Text(format!("{} bytes end before {wanted}", data.len())),
            );
        }
        if !rest.is_empty() {
            told.push("trailing", Value::Bytes(rest.to_vec()));
        }
        told
    }

    /// The data with these values in the order of the fields, as firmware writes them: multiplied in single precision,
    /// the fraction cut off. Lists, flags, texts and bytes are written elsewhere; without a layout there are no data.
    #[must_use]
    pub fn data(self, values: &[f64]) -> Vec<u8> {
        let mut data = Vec::new();
        let fields = self.layout().map_or(&[][..], |layout| layout.fields);
        for (&(_, shape), &value) in fields.iter().zip(values) {
            shape.write(value, &mut data);
        }
        data
    }
}

impl Shape {
    /// Takes a value off the front; `last` is the one before.
    fn read(self, rest: &mut &[u8], last: Option<&Value>) -> Option<Value> {
        let value = match self {
            Self::U8 => u8::from_be_bytes(take(rest)?).into(),
            Self::I8 => i8::from_be_bytes(take(rest)?).into(),
            Self::Bit(bit) => (rest.first()? >> bit & 1 == 1).into(),
            Self::High => (u8::from_be_bytes(take(rest)?) >> 4).into(),
            Self::I16 => i16::from_be_bytes(take(rest)?).into(),
            Self::I32 => i32::from_be_bytes(take(rest)?).into(),
            Self::F16(scale) => number(i16::from_be_bytes(take(rest)?).into(), scale),
            Self::F32(scale) => number(i32::from_be_bytes(take(rest)?).into(), scale),
            Self::Per(scale) => {
                let share = f64::from(u8::from_be_bytes(take(rest)?)) / scale;
                Value::Number((share * 1000.0).round() / 1000.0)
            }
            Self::Float => Float::from_bits(u32::from_be_bytes(take(rest)?)).into(),
            Self::List(scale) => {
                let mut values = Vec::new();
                while let Some(pair) = take(rest) {
                    values.push(number(i16::from_be_bytes(pair).into(), scale));
                }
                (!values.is_empty()).then_some(Value::List(values))?
            }
            Self::Flags => {
                let count = match last {
                    Some(Value::Int(count)) => usize::try_from(*count).unwrap_or_default(),
                    _ => 0,
                };
                let bytes = std::mem::take(rest);
                let bit = |at: usize| {
                    let byte = bytes
                        .len()
                        .checked_sub(1 + at / 8)
                        .and_then(|at| bytes.get(at));
                    Value::Bool(byte.is_some_and(|byte| byte >> (at % 8) & 1 == 1))
                };
                (!bytes.is_empty()).then(|| Value::List((0..count).map(bit).collect()))?
            }
            Self::Text => {
                let bytes = std::mem::take(rest);
                let end = bytes.iter().position(|&byte| byte == 0);
                let text = &bytes[..end.unwrap_or(bytes.len())];
                Value::Text(String::from_utf8_lossy(text).into_owned())
            }
            Self::Bytes => Value::Bytes(std::mem::take(rest).to_vec()),
        };
        Some(value)
    }

    fn write(self, value: f64, data: &mut Vec<u8>) {
        // Out of range is undefined in firmware; here it stops at the end of the range.
        let counts = |scale: f64| value as f32 * scale as f32;
        match self {
            Self::U8 => data.push(value as u8),
            Self::I8 => data.extend_from_slice(&(value as i8).to_be_bytes()),
            Self::I16 => data.extend_from_slice(&(value as i16).to_be_bytes()),
            Self::I32 => data.extend_from_slice(&(value as i32).to_be_bytes()),
            Self::F16(scale) => data.extend_from_slice(&(counts(scale) as i16).to_be_bytes()),
            Self::F32(scale) => data.extend_from_slice(&(counts(scale) as i32).to_be_bytes()),
            Self::Per(scale) => data.push(counts(scale) as u8),
            Self::Float => data.extend_from_slice(&Float::packed(value).bits().to_be_bytes()),
            Self::Bit(0) => data.push(u8::from(value != 0.0)),
            Self::Bit(bit) => {
                if let Some(byte) = data.last_mut() {
                    *byte |= u8::from(value != 0.0) << bit;
                }
            }
            Self::High => {
                if let Some(byte) = data.last_mut() {
                    *byte |= (value as u8) << 4;
                }
            }
            Self::List(_) | Self::Flags | Self::Text | Self::Bytes => {}
        }
    }
}

/// A count as the number that it stands for, without the noise of a division: what has so many digits shows no more.
fn number(counts: f64, scale: f64) -> Value {
    Value::Number(match scale < 1.0 {
        true => counts * (1.0 / scale),
        false => counts / scale,
    })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (&bytes, behind) = rest.split_first_chunk::<N>()?;
    *rest = behind;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(packet: Packet, data: &[u8]) -> String {
        let fields = packet.fields(data);
        let told: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        told.join(" ")
    }

    #[test]
    fn what_is_written_is_read_again_in_the_units_of_the_layout() {
        for (packet, values, told) in [
            (
                Packet::STATUS,
                &[-3200.0, 12.34, 0.4567][..],
                "erpm=-3200 motor_current_a=12.3 duty=0.456",
            ),
            (
                Packet::STATUS_2,
                &[1.5, 0.25],
                "drawn_ah=1.5 charged_ah=0.25",
            ),
            (
                Packet::STATUS_4,
                &[31.2, 40.0, -2.5, 90.02],
                "fet_temperature_c=31.2 motor_temperature_c=40 input_current_a=-2.5 pid_position_deg=90.02",
            ),
            (
                Packet::STATUS_5,
                &[-70_000.0, 48.2, 0.0],
                "tachometer=-70000 input_voltage_v=48.2 reserved=0",
            ),
            (
                Packet::STATUS_6,
                &[1.25, 0.0, 3.3, -1.0],
                "adc_1_v=1.25 adc_2_v=0 adc_3_v=3.3 ppm=-1",
            ),
            (Packet::SET_CURRENT, &[-5.5], "current_a=-5.5"),
            (
                Packet::SET_CURRENT,
                &[5.0, 0.5],
                "current_a=5 off_delay_s=0.5",
            ),
            (Packet::SET_POS, &[45.0], "position_deg=45"),
            (
                Packet::BMS_V_TOT,
                &[83.774, 0.0],
                "total_voltage_v=83.774 charge_voltage_v=0",
            ),
            (
                Packet::BMS_HUM,
                &[20.5, 45.0, 30.0, 101_320.0],
                "humidity_temperature_c=20.5 humidity_percent=45 chip_temperature_c=30 pressure_pa=101320",
            ),
            (
                Packet::BMS_SOC_SOH_TEMP_STAT,
                &[4.1, 4.2, 0.82, 1.0, -3.0, 1.0, 0.0, 1.0, 1.0],
                "lowest_cell_v=4.1 highest_cell_v=4.2 state_of_charge=0.82 state_of_health=1 \
                 highest_cell_temperature_c=-3 is_charging=true is_balancing=false is_charge_allowed=true data_version=1",
            ),
        ] {
            assert_eq!(shown(packet, &packet.data(values)), told, "{packet}");
        }
    }

    #[test]
    fn lists_flags_and_texts_go_to_the_end() {
        assert_eq!(
            shown(Packet::BMS_V_CELL, &[3, 20, 16, 86, 16, 87]),
            "first=3 cells=20 cell_voltages_v=[4.182 4.183]"
        );
        assert_eq!(
            shown(Packet::BMS_BAL, &[4, 0, 0, 0, 0, 0, 0, 0b1010]),
            "cells=4 balancing=[false true false true]"
        );
        assert_eq!(
            shown(Packet::BMS_STATUS_1, b"ok\0\0\0\0\0\0"),
            "status=\"ok\""
        );
    }

    #[test]
    fn too_little_and_too_much_are_told() {
        assert_eq!(
            shown(Packet::STATUS, &[0, 0, 0, 1, 0]),
            "erpm=1 undecoded=\"5 bytes end before motor_current_a\" trailing=00"
        );
        assert_eq!(shown(Packet::PING, &[2, 9]), "sender=2 trailing=09");
        assert_eq!(shown(Packet(200), &[1]), "data=01");
        assert_eq!(Packet(200).to_string(), "CAN_PACKET_200");
    }

    #[test]
    fn no_packet_and_no_data_panic() {
        for number in 0..=u8::MAX {
            for len in 0..=8 {
                let _ = Packet(number).fields(&[0xFF; 8][..len]);
                let _ = Packet(number).data(&[f64::NAN; 10][..len]);
            }
        }
    }
}
