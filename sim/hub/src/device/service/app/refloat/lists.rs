//! The messages that go by lists: REALTIME_DATA_INTERNAL with its ids, and the alerts.

use veschub_wire::command::fault_name;

use super::{
    APP, command,
    data::LOOP_HZ,
    ride::{FIRMWARE_FAULT, Ride, ticks},
    settings::RefloatVersion,
};
use crate::device::service::app::number::half;

/// An item: its id, and its value.
type Item = (&'static str, fn(&Ride<'_>) -> f64);

/// What is always sent (`RF src/rt_data.h`).
const ALWAYS: &[Item] = &[
    ("control.dt", |_| 1.0 / LOOP_HZ),
    ("control.freq", |_| LOOP_HZ),
    ("speed", |ride| ride.motor.speed_m_s * 3.6),
    ("erpm", |ride| ride.motor.erpm),
    ("current", |ride| ride.motor.motor_current_a),
    ("dir_current", |ride| ride.directional_current_a()),
    ("filt_current", |ride| ride.directional_current_a()),
    ("duty_cycle", |ride| ride.motor.duty),
    ("batt_voltage", |ride| ride.motor.input_voltage_v),
    ("batt_current", |ride| ride.motor.input_current_a),
    ("mosfet_temp", |ride| ride.motor.fet_temperature_c),
    ("motor_temp", |ride| ride.motor.motor_temperature_c),
    ("pitch", |ride| ride.settings.pitch_deg),
    ("balance_pitch", |ride| ride.balance_pitch_deg()),
    ("roll", |ride| ride.settings.roll_deg),
    ("adc_left", |ride| ride.adc_left_v()),
    ("adc_right", |ride| ride.adc_right_v()),
    ("remote.input", |ride| ride.settings.remote_input),
];

/// What is sent while the board runs.
const RUNNING: &[Item] = &[
    ("setpoint", |ride| ride.settings.setpoint_deg),
    ("atr.setpoint", |ride| ride.settings.atr_deg),
    ("brake_tilt.setpoint", |ride| ride.settings.brake_tilt_deg),
    ("torque_tilt.setpoint", |ride| ride.settings.torque_tilt_deg),
    ("turn_tilt.setpoint", |ride| ride.settings.turn_tilt_deg),
    ("remote.setpoint", |ride| ride.settings.remote_deg),
    ("balance_current", |ride| ride.balance_current_a()),
    ("atr.accel_diff", |ride| ride.settings.atr_accel_diff),
    ("atr.speed_boost", |ride| ride.settings.atr_speed_boost),
    ("atr.transition_boost", |_| 0.0),
    ("booster.torque", |ride| ride.settings.booster_current_a),
];

/// What the mask of REALTIME_DATA_INTERNAL tells.
const IS_RUNNING: u8 = 1;
const IS_CHARGING: u8 = 2;
const HAS_ALERTS: u8 = 4;

fn push_text(out: &mut Vec<u8>, text: &str) {
    out.push(text.len() as u8);
    out.extend(text.bytes());
}

/// REALTIME_DATA_IDS: what the numbers of REALTIME_DATA_INTERNAL are.
pub(super) fn ids(_: &Ride<'_>) -> Vec<u8> {
    let mut out = vec![APP, command::REALTIME_DATA_IDS];
    for list in [ALWAYS, RUNNING] {
        out.push(list.len() as u8);
        for (id, _) in list {
            push_text(&mut out, id);
        }
    }
    out
}

/// REALTIME_DATA_INTERNAL: half floats in the order of their ids. 1.1 sends no alerts.
pub(super) fn internal(ride: &Ride<'_>) -> Vec<u8> {
    let settings = ride.settings;
    let has_alerts = ride.is(RefloatVersion::V1_2) && ride.active_alerts() != 0;
    let mut mask = 0;
    for (bit, is_there) in [
        (IS_RUNNING, ride.is_running()),
        (IS_CHARGING, settings.charging),
        (HAS_ALERTS, has_alerts),
    ] {
        mask |= if is_there { bit } else { 0 };
    }
    let mut out = vec![
        APP,
        command::REALTIME_DATA_INTERNAL,
        mask,
        ride.extra_flags(),
    ];
    out.extend(ride.ticks().to_be_bytes());
    out.extend(ride.state_flags().to_be_bytes());
    let lists = [ALWAYS, if ride.is_running() { RUNNING } else { &[] }];
    for (_, value) in lists.into_iter().flatten() {
        out.extend(half(value(ride)).to_be_bytes());
    }
    if settings.charging {
        out.extend(half(settings.charge_current_a).to_be_bytes());
        out.extend(half(settings.charge_voltage_v).to_be_bytes());
    }
    if has_alerts {
        push_active(&mut out, ride);
    }
    out
}

/// Which alerts are active, room for more, and the fault of the motor.
fn push_active(out: &mut Vec<u8>, ride: &Ride<'_>) {
    out.extend(ride.active_alerts().to_be_bytes());
    out.extend(0_u32.to_be_bytes());
    out.push(ride.motor.fault);
}

fn push_fault_name(out: &mut Vec<u8>, code: u8) {
    let name = fault_name(code).unwrap_or("UNKNOWN");
    push_text(out, &format!("FAULT_CODE_{name}"));
}

/// ALERTS_LIST: those that are active, and those that came since a time.
pub(super) fn alerts(ride: &Ride<'_>, arguments: &[u8]) -> Vec<u8> {
    let since = arguments.first_chunk::<4>().copied().unwrap_or_default();
    let since = u32::from_be_bytes(since);
    let mut out = vec![APP, command::ALERTS_LIST];
    push_active(&mut out, ride);
    if ride.motor.fault != 0 {
        push_fault_name(&mut out, ride.motor.fault);
    }
    let told: Vec<_> = ride
        .settings
        .alerts
        .iter()
        .map(|alert| (ticks(alert.at.get()), alert))
        .filter(|(at, _)| (since..=ride.ticks()).contains(at))
        .collect();
    out.push(told.len().min(255) as u8);
    for (at, alert) in told.into_iter().take(255) {
        out.extend(at.to_be_bytes());
        out.extend([alert.alert, alert.active.into(), alert.code]);
        if alert.alert == FIRMWARE_FAULT {
            push_fault_name(&mut out, alert.code);
        }
    }
    out
}
