//! What the fields of MCCONF and APPCONF change in the model of a motor, where a scenario describes them by name.
//!
//! A client may write any number into a configuration, and firmware takes it. The model takes it as far as its own
//! ranges go.

use std::{ops::RangeInclusive, time::Duration};

use veschub_wire::command::ConfigKind;

use super::model::Parameters;
use crate::device::service::config::{Configs, Configured};

/// A field that is a number, what of it the model takes, the keys of a motor in a scenario that say the same, and where the
/// model has it.
type Field = (
    &'static str,
    RangeInclusive<f64>,
    &'static [&'static str],
    fn(&mut Parameters) -> Slot<'_>,
);

/// Where the model has a number.
enum Slot<'a> {
    Number(&'a mut f64),
    /// None is what the model finds by itself.
    IfGiven(&'a mut Option<f64>),
    /// An amount that is always even.
    Even(&'a mut u8),
    Milliseconds(&'a mut Duration),
}

impl Slot<'_> {
    fn get(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(**number),
            Self::IfGiven(number) => **number,
            Self::Even(amount) => Some(f64::from(**amount)),
            Self::Milliseconds(time) => Some(time.as_millis() as f64),
        }
    }

    fn set(self, value: f64) {
        match self {
            Self::Number(number) => *number = value,
            Self::IfGiven(number) => *number = Some(value),
            Self::Even(amount) => *amount = value as u8 & !1,
            Self::Milliseconds(time) => *time = Duration::from_millis(value as u64),
        }
    }
}

impl<'a> From<&'a mut f64> for Slot<'a> {
    fn from(number: &'a mut f64) -> Self {
        Self::Number(number)
    }
}

impl<'a> From<&'a mut Option<f64>> for Slot<'a> {
    fn from(number: &'a mut Option<f64>) -> Self {
        Self::IfGiven(number)
    }
}

impl<'a> From<&'a mut u8> for Slot<'a> {
    fn from(amount: &'a mut u8) -> Self {
        Self::Even(amount)
    }
}

impl<'a> From<&'a mut Duration> for Slot<'a> {
    fn from(time: &'a mut Duration) -> Self {
        Self::Milliseconds(time)
    }
}

/// A field, by what it is called in a configuration and in a scenario.
macro_rules! field {
    ($name:literal, $range:expr, $part:ident.$key:ident) => {
        (
            $name,
            $range,
            &[stringify!($part), stringify!($key)],
            |given| (&mut given.$part.$key).into(),
        )
    };
}

/// Currents, A, and the share of them, in MCCONF.
const MOST_A: RangeInclusive<f64> = 0.0..=10_000.0;
const LEAST_A: RangeInclusive<f64> = -10_000.0..=0.0;
const SHARE: RangeInclusive<f64> = 0.0..=1.0;
const VOLTS: RangeInclusive<f64> = 0.0..=3276.0;
const CELSIUS: RangeInclusive<f64> = -327.0..=3276.0;

/// What MCCONF changes.
#[rustfmt::skip]
const MOTOR: &[Field] = &[
    field!("l_current_max", MOST_A, limits.current_max_a),
    field!("l_current_min", LEAST_A, limits.current_min_a),
    field!("l_in_current_max", MOST_A, limits.input_current_max_a),
    field!("l_in_current_min", LEAST_A, limits.input_current_min_a),
    field!("l_abs_current_max", MOST_A, limits.absolute_current_a),
    field!("l_max_erpm", 0.0..=1e6, limits.erpm_max),
    field!("l_min_erpm", -1e6..=0.0, limits.erpm_min),
    field!("l_max_duty", SHARE, limits.duty_max),
    field!("l_min_duty", SHARE, limits.duty_min),
    field!("l_watt_max", 0.0..=1e7, limits.power_max_w),
    field!("l_watt_min", -1e7..=0.0, limits.power_min_w),
    field!("l_current_max_scale", SHARE, limits.current_scale_max),
    field!("l_current_min_scale", SHARE, limits.current_scale_min),
    field!("l_battery_cut_start", VOLTS, limits.battery_cut_start_v),
    field!("l_battery_cut_end", VOLTS, limits.battery_cut_end_v),
    field!("l_min_vin", VOLTS, limits.input_voltage_min_v),
    field!("l_max_vin", VOLTS, limits.input_voltage_max_v),
    field!("l_temp_fet_start", CELSIUS, limits.fet_start_c),
    field!("l_temp_fet_end", CELSIUS, limits.fet_end_c),
    field!("l_temp_motor_start", CELSIUS, limits.motor_start_c),
    field!("l_temp_motor_end", CELSIUS, limits.motor_end_c),
    field!("foc_motor_flux_linkage", 1e-5..=10.0, machine.flux_linkage_wb),
    field!("foc_motor_r", 1e-4..=100.0, machine.resistance_ohm),
    field!("si_gear_ratio", 0.001..=1000.0, machine.gear_ratio),
    field!("si_wheel_diameter", 0.001..=100.0, machine.wheel_diameter_m),
    field!("si_motor_poles", 2.0..=254.0, machine.poles),
];

/// What APPCONF changes; a time-out of a day stands for any longer one.
#[rustfmt::skip]
const APPLICATION: &[Field] = &[
    ("timeout_msec", 0.0..=86_400_000.0, &["timeout"], |given| (&mut given.timeout).into()),
    ("timeout_brake_current", MOST_A, &["timeout_brake_current_a"], |given| (&mut given.timeout_brake_a).into()),
];

fn fields(kind: ConfigKind) -> &'static [Field] {
    match kind {
        ConfigKind::Motor => MOTOR,
        ConfigKind::Application => APPLICATION,
    }
}

impl Parameters {
    /// Takes what the configurations say now.
    pub(super) fn configure(&mut self, configs: &Configs) {
        for kind in [ConfigKind::Motor, ConfigKind::Application] {
            for (name, range, _, slot) in fields(kind) {
                let number = configs.number(kind, name);
                if let Some(number) = number.filter(|number| number.is_finite()) {
                    slot(self).set(number.clamp(*range.start(), *range.end()));
                }
            }
        }
    }

    /// What it is like, as fields of a configuration, each with the keys of a scenario that say the same.
    pub(super) fn configured(mut self, kind: ConfigKind) -> Vec<Configured> {
        let told = fields(kind).iter().filter_map(|(name, _, keys, slot)| {
            let number = slot(&mut self).get()?;
            Some(Configured { name, keys, number })
        });
        told.collect()
    }
}
