//! The messages of fixed layout: GET_RTDATA, GET_ALLDATA and REALTIME_DATA.

use veschub_wire::number::{F16, Float};

use super::{APP, command, ride::Ride};
use crate::device::service::app::number::half;

/// The loop of the app, turns per second.
pub(super) const LOOP_HZ: f64 = 832.0;

/// What is sent instead of the mode where the motor has a fault.
const FAULT: u8 = 69;
/// What stands for a current of the d axis that is not measured.
const NO_CURRENT: u8 = 222;

/// A message under way.
struct Message(Vec<u8>);

impl Message {
    fn float(&mut self, value: f64) {
        self.0.extend(Float::packed(value).bits().to_be_bytes());
    }

    /// Tenths, as the firmware cuts them off.
    fn tenths(&mut self, value: f64) {
        self.0
            .extend(F16::<10>::truncated(value).raw().to_be_bytes());
    }

    fn byte(&mut self, value: f64) {
        self.0.push(value as u8);
    }
}

/// GET_RTDATA: 72 bytes (`RF src/main.c:1273-1317`).
pub(super) fn rt_data(ride: &Ride<'_>) -> Vec<u8> {
    let settings = ride.settings;
    let mut message = Message(vec![APP, command::GET_RTDATA]);
    message.float(ride.balance_current_a());
    message.float(ride.balance_pitch_deg());
    message.float(settings.roll_deg);
    message.0.push(ride.state_byte());
    message.0.push(ride.switch_byte());
    message.float(ride.adc_left_v());
    message.float(ride.adc_right_v());
    for setpoint in ride.setpoints_deg() {
        message.float(setpoint);
    }
    message.float(settings.pitch_deg);
    message.float(ride.directional_current_a());
    message.float(settings.atr_accel_diff);
    let (first, second) = match settings.charging {
        true => (settings.charge_current_a, settings.charge_voltage_v),
        false => (settings.booster_current_a, ride.directional_current_a()),
    };
    message.float(first);
    message.float(second);
    message.float(settings.remote_input);
    message.0
}

/// GET_ALLDATA: 34, 41, 54 or 58 bytes by its mode, or 4 with a fault (`RF src/main.c:1319-1404`).
pub(super) fn all_data(ride: &Ride<'_>, mode: u8) -> Vec<u8> {
    let (settings, motor) = (ride.settings, ride.motor);
    if motor.fault != 0 {
        return vec![APP, command::GET_ALLDATA, FAULT, motor.fault];
    }
    let mut message = Message(vec![APP, command::GET_ALLDATA, mode]);
    message.tenths(ride.balance_current_a());
    message.tenths(ride.balance_pitch_deg());
    message.tenths(settings.roll_deg);
    message.0.push(ride.state_byte());
    message.0.push(ride.switch_byte());
    message.byte(ride.adc_left_v() * 50.0);
    message.byte(ride.adc_right_v() * 50.0);
    for setpoint in ride.setpoints_deg() {
        message.byte(setpoint * 5.0 + 128.0);
    }
    message.tenths(settings.pitch_deg);
    message.byte(settings.booster_current_a + 128.0);
    message.tenths(motor.input_voltage_v);
    // It wraps.
    message.0.extend((motor.erpm as i32 as i16).to_be_bytes());
    message.tenths(motor.speed_m_s);
    message.tenths(motor.motor_current_a);
    message.tenths(motor.input_current_a);
    message.byte(motor.duty * 100.0 + 128.0);
    message.0.push(match motor.id_current_a {
        id if id.is_finite() => (id.abs() * 3.0) as u8,
        _ => NO_CURRENT,
    });
    if mode >= 2 {
        message.float(motor.distance_m.abs());
        message.byte(motor.fet_temperature_c * 2.0);
        message.byte(motor.motor_temperature_c * 2.0);
        message.0.push(0);
    }
    if mode >= 3 {
        message.0.extend((motor.odometer_m as u32).to_be_bytes());
        message.tenths(motor.drawn_ah);
        message.tenths(motor.charged_ah);
        message.0.extend((motor.drawn_wh as i16).to_be_bytes());
        message.0.extend((motor.charged_wh as i16).to_be_bytes());
        message.byte((motor.battery_level * 200.0).min(250.0));
    }
    if mode >= 4 {
        message.tenths(settings.charge_current_a);
        message.tenths(settings.charge_voltage_v);
    }
    message.0
}

/// A field of REALTIME_DATA.
enum Field {
    Byte(u8),
    Long(u32),
    /// As a half float, or as a whole one if the client asks for it.
    Number(f64),
    /// A whole double.
    Double(f64),
}

/// REALTIME_DATA: the fields that two masks choose (`RF src/main.c:2067-2210`). Less than the flags and the first mask
/// is not answered.
pub(super) fn realtime(ride: &Ride<'_>, arguments: &[u8]) -> Option<Vec<u8>> {
    let (&flags, rest) = arguments.split_first()?;
    let (&first, rest) = rest.split_first_chunk::<4>()?;
    let second = rest.first_chunk::<4>().copied().unwrap_or_default();
    let mut out = vec![APP, command::REALTIME_DATA, flags];
    out.extend(first);
    out.extend(second);
    out.extend(ride.ticks().to_be_bytes());
    let masks = [u32::from_be_bytes(first), u32::from_be_bytes(second)];
    for (word, mask) in masks.into_iter().enumerate() {
        for bit in (0..32).filter(|bit| mask >> bit & 1 == 1) {
            match field(ride, word, bit) {
                None => {}
                Some(Field::Byte(byte)) => out.push(byte),
                Some(Field::Long(long)) => out.extend(long.to_be_bytes()),
                Some(Field::Double(value)) => out.extend(value.to_bits().to_be_bytes()),
                Some(Field::Number(value)) if flags & 1 == 1 => {
                    out.extend(Float::packed(value).bits().to_be_bytes());
                }
                Some(Field::Number(value)) => out.extend(half(value).to_be_bytes()),
            }
        }
    }
    Some(out)
}

/// What a bit stands for; none where nothing is sent for it.
fn field(ride: &Ride<'_>, word: usize, bit: u32) -> Option<Field> {
    let (settings, motor) = (ride.settings, ride.motor);
    let setpoint = |at: u32| ride.setpoints_deg().get(at as usize).copied();
    let km_h = motor.speed_m_s * 3.6;
    let number = match (word, bit) {
        (0, 0) => return Some(Field::Byte(ride.extra_flags())),
        (0, 1) => return Some(Field::Long(ride.state_flags())),
        (0, 6) => km_h,
        (0, 7) => motor.erpm,
        (0, 8) => motor.motor_current_a,
        (0, 9 | 10) => ride.directional_current_a(),
        (0, 11) => motor.duty,
        (0, 12) => motor.input_voltage_v,
        (0, 13) => motor.input_current_a,
        (0, 14) => motor.battery_level,
        (0, 15) => motor.fet_temperature_c,
        (0, 16) => motor.motor_temperature_c,
        (0, 17) => settings.pitch_deg,
        (0, 18) => ride.balance_pitch_deg(),
        (0, 19) => settings.roll_deg,
        (0, 20) => ride.adc_left_v(),
        (0, 21) => ride.adc_right_v(),
        (0, 22) => settings.remote_input,
        (0, 23..=28) => setpoint(bit - 23)?,
        (0, 29) => ride.balance_current_a(),
        (0, 30) => LOOP_HZ,
        (1, 0) => return Some(Field::Long(motor.odometer_m as u32)),
        (1, 1) => motor.distance_m,
        (1, 2) => settings.charge_voltage_v,
        (1, 3) => settings.charge_current_a,
        (1, 4) => motor.drawn_ah,
        (1, 5) => motor.charged_ah,
        (1, 6) => motor.drawn_wh,
        (1, 7) => motor.charged_wh,
        (1, 8) => motor.id_current_a,
        // No place was ever heard of.
        (1, 9 | 10) => return Some(Field::Double(0.0)),
        (1, 11..=13) => 0.0,
        (1, 14) => return Some(Field::Long(0)),
        _ => return None,
    };
    Some(Field::Number(number))
}
