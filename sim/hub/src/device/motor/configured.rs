//! What the fields of MCCONF and APPCONF change in the model of a motor, where a scenario describes them by name.
//!
//! A client may write any number into a configuration, and firmware takes it. The model takes it as far as its own
//! ranges go.

use std::{ops::RangeInclusive, time::Duration};

use veschub_wire::command::ConfigKind;

use super::model::Parameters;
use crate::device::service::config::Configs;

/// A field that is a number, and what it changes.
type Field = (&'static str, RangeInclusive<f64>, fn(&mut Parameters, f64));

/// Currents, A, and the share of them, in MCCONF.
const MOST_A: RangeInclusive<f64> = 0.0..=10_000.0;
const LEAST_A: RangeInclusive<f64> = -10_000.0..=0.0;
const SHARE: RangeInclusive<f64> = 0.0..=1.0;
const VOLTS: RangeInclusive<f64> = 0.0..=3276.0;
const CELSIUS: RangeInclusive<f64> = -327.0..=3276.0;

/// What MCCONF changes.
#[rustfmt::skip]
const MOTOR: &[Field] = &[
    ("l_current_max", MOST_A, |given, value| given.limits.current_max_a = value),
    ("l_current_min", LEAST_A, |given, value| given.limits.current_min_a = value),
    ("l_in_current_max", MOST_A, |given, value| given.limits.input_current_max_a = value),
    ("l_in_current_min", LEAST_A, |given, value| given.limits.input_current_min_a = value),
    ("l_abs_current_max", MOST_A, |given, value| given.limits.absolute_current_a = value),
    ("l_max_erpm", 0.0..=1e6, |given, value| given.limits.erpm_max = value),
    ("l_min_erpm", -1e6..=0.0, |given, value| given.limits.erpm_min = value),
    ("l_max_duty", SHARE, |given, value| given.limits.duty_max = value),
    ("l_min_duty", SHARE, |given, value| given.limits.duty_min = value),
    ("l_watt_max", 0.0..=1e7, |given, value| given.limits.power_max_w = value),
    ("l_watt_min", -1e7..=0.0, |given, value| given.limits.power_min_w = value),
    ("l_current_max_scale", SHARE, |given, value| given.limits.current_scale_max = value),
    ("l_current_min_scale", SHARE, |given, value| given.limits.current_scale_min = value),
    ("l_battery_cut_start", VOLTS, |given, value| given.limits.battery_cut_start_v = value),
    ("l_battery_cut_end", VOLTS, |given, value| given.limits.battery_cut_end_v = value),
    ("l_min_vin", VOLTS, |given, value| given.limits.input_voltage_min_v = Some(value)),
    ("l_max_vin", VOLTS, |given, value| given.limits.input_voltage_max_v = Some(value)),
    ("l_temp_fet_start", CELSIUS, |given, value| given.limits.fet_start_c = value),
    ("l_temp_fet_end", CELSIUS, |given, value| given.limits.fet_end_c = value),
    ("l_temp_motor_start", CELSIUS, |given, value| given.limits.motor_start_c = value),
    ("l_temp_motor_end", CELSIUS, |given, value| given.limits.motor_end_c = value),
    ("foc_motor_flux_linkage", 1e-5..=10.0, |given, value| given.machine.flux_linkage_wb = value),
    ("foc_motor_r", 1e-4..=100.0, |given, value| given.machine.resistance_ohm = value),
    ("si_gear_ratio", 0.001..=1000.0, |given, value| given.machine.gear_ratio = value),
    ("si_wheel_diameter", 0.001..=100.0, |given, value| given.machine.wheel_diameter_m = value),
    // The model knows even numbers only.
    ("si_motor_poles", 2.0..=254.0, |given, value| given.machine.poles = value as u8 & !1),
];

/// What APPCONF changes; a time-out of a day stands for any longer one.
const APPLICATION: &[Field] = &[
    ("timeout_msec", 0.0..=86_400_000.0, |given, value| {
        given.timeout = Duration::from_millis(value as u64);
    }),
    ("timeout_brake_current", MOST_A, |given, value| {
        given.timeout_brake_a = value;
    }),
];

impl Parameters {
    /// Takes what the configurations say now.
    pub(super) fn configure(&mut self, configs: &Configs) {
        for (kind, fields) in [
            (ConfigKind::Motor, MOTOR),
            (ConfigKind::Application, APPLICATION),
        ] {
            for (name, range, set) in fields {
                let number = configs.number(kind, name);
                if let Some(number) = number.filter(|number| number.is_finite()) {
                    set(self, number.clamp(*range.start(), *range.end()));
                }
            }
        }
    }
}
