//! How much a motor controller lets through: its limits, and what they leave at a moment.
//!
//! ```text
//!  share of the current                 share of the supply's current
//!  1 ─────────┐                         1            ┌─────────
//!             └─┐                                  ┌─┘
//!  0            └─────                  0 ─────────┘
//!    start      end   °C, or ERPM         cut end  cut start   V
//! ```
//!
//! (`bldc motor/mc_interface.c:2245-2543`.) The defaults are those of the firmware, but for the highest voltage of the supply.

use serde::Deserialize;
use veschub_wire::{
    command::{LimitsInForce, TemporaryLimits, TemporarySpeedLimits},
    number::Float,
};

use super::machine::Machine;
use crate::mistake::Mistakes;

/// What a motor controller lets through.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct MotorLimits {
    /// Highest current of the motor, A.
    pub current_max_a: f64,
    /// Highest braking current of the motor, A; below 0.
    pub current_min_a: f64,
    /// Highest current of the supply, A.
    pub input_current_max_a: f64,
    /// Highest current back into the supply, A; below 0.
    pub input_current_min_a: f64,
    /// Above this current of the motor there is a fault, A.
    pub absolute_current_a: f64,
    /// Highest electrical speed, revolutions per minute; from 80 % of it on the current falls.
    pub erpm_max: f64,
    /// Highest electrical speed backwards, revolutions per minute; below 0.
    pub erpm_min: f64,
    /// Highest duty cycle.
    pub duty_max: f64,
    /// Lowest duty cycle.
    pub duty_min: f64,
    /// Highest power, W.
    pub power_max_w: f64,
    /// Highest power back into the supply, W; below 0.
    pub power_min_w: f64,
    /// Share of the highest current, 0 to 1.
    pub current_scale_max: f64,
    /// Share of the highest braking current, 0 to 1.
    pub current_scale_min: f64,
    /// Below this voltage of the supply its current falls, V.
    pub battery_cut_start_v: f64,
    /// Below this voltage of the supply it gives nothing, V.
    pub battery_cut_end_v: f64,
    /// Below this voltage of the supply there is a fault, V; without it, 8 V, or half of what there is at the start.
    pub input_voltage_min_v: Option<f64>,
    /// Above this voltage of the supply there is a fault, V; without it, a quarter more than at the start.
    pub input_voltage_max_v: Option<f64>,
    /// From this temperature of the transistors on the current falls, °C.
    pub fet_start_c: f64,
    /// From this temperature of the transistors on there is none, and a fault, °C.
    pub fet_end_c: f64,
    /// From this temperature of the motor on the current falls, °C.
    pub motor_start_c: f64,
    /// From this temperature of the motor on there is none, and a fault, °C.
    pub motor_end_c: f64,
}

impl Default for MotorLimits {
    fn default() -> Self {
        Self {
            current_max_a: 60.0,
            current_min_a: -60.0,
            input_current_max_a: 99.0,
            input_current_min_a: -60.0,
            absolute_current_a: 130.0,
            erpm_max: 100_000.0,
            erpm_min: -100_000.0,
            duty_max: 0.95,
            duty_min: 0.005,
            power_max_w: 1_500_000.0,
            power_min_w: -1_500_000.0,
            current_scale_max: 1.0,
            current_scale_min: 1.0,
            battery_cut_start_v: 10.0,
            battery_cut_end_v: 8.0,
            input_voltage_min_v: None,
            input_voltage_max_v: None,
            fet_start_c: 85.0,
            fet_end_c: 100.0,
            motor_start_c: 85.0,
            motor_end_c: 100.0,
        }
    }
}

/// Below this voltage of the supply the firmware has a fault, V.
const LEAST_V: f64 = 8.0;
/// From this share of the highest speed on, the current falls.
const ERPM_START: f64 = 0.8;

/// What the limits depend on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Conditions {
    pub(super) erpm: f64,
    pub(super) fet_c: f64,
    pub(super) motor_c: f64,
    /// Voltage of the supply, V, as the cut-off sees it.
    pub(super) supply_v: f64,
}

/// What the limits leave at a moment; all are amounts of 0 or more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bounds {
    /// Current that drives forwards, A.
    pub(super) forwards_a: f64,
    /// Current that drives backwards, A.
    pub(super) backwards_a: f64,
    /// Current that brakes, A.
    pub(super) brake_a: f64,
    /// Power from the supply, W.
    pub(super) power_w: f64,
    /// Power back into the supply, W.
    pub(super) returned_w: f64,
    /// Duty cycle.
    pub(super) duty: f64,
}

/// 1 up to `start`, 0 from `end` on, straight between them.
fn falling(value: f64, start: f64, end: f64) -> f64 {
    if value >= end {
        0.0
    } else if value <= start {
        1.0
    } else {
        (end - value) / (end - start)
    }
}

impl MotorLimits {
    pub(super) fn check(&self, mistakes: &mut Mistakes) {
        let amounts = 0.0..=10_000.0;
        let below = -10_000.0..=0.0;
        for (key, value, range) in [
            ("current_max_a", self.current_max_a, amounts.clone()),
            ("current_min_a", self.current_min_a, below.clone()),
            (
                "input_current_max_a",
                self.input_current_max_a,
                amounts.clone(),
            ),
            ("input_current_min_a", self.input_current_min_a, below),
            (
                "absolute_current_a",
                self.absolute_current_a,
                amounts.clone(),
            ),
            ("erpm_max", self.erpm_max, 0.0..=1_000_000.0),
            ("erpm_min", self.erpm_min, -1_000_000.0..=0.0),
            ("duty_max", self.duty_max, 0.0..=1.0),
            ("duty_min", self.duty_min, 0.0..=1.0),
            ("power_max_w", self.power_max_w, 0.0..=1e7),
            ("power_min_w", self.power_min_w, -1e7..=0.0),
            ("current_scale_max", self.current_scale_max, 0.0..=1.0),
            ("current_scale_min", self.current_scale_min, 0.0..=1.0),
            (
                "battery_cut_start_v",
                self.battery_cut_start_v,
                0.0..=3276.0,
            ),
            ("battery_cut_end_v", self.battery_cut_end_v, 0.0..=3276.0),
            ("fet_start_c", self.fet_start_c, -327.0..=3276.0),
            ("fet_end_c", self.fet_end_c, -327.0..=3276.0),
            ("motor_start_c", self.motor_start_c, -327.0..=3276.0),
            ("motor_end_c", self.motor_end_c, -327.0..=3276.0),
        ] {
            mistakes.range(key, value, range);
        }
        for (key, value) in [
            ("input_voltage_min_v", self.input_voltage_min_v),
            ("input_voltage_max_v", self.input_voltage_max_v),
        ] {
            if let Some(value) = value {
                mistakes.range(key, value, 0.0..=4100.0);
            }
        }
    }

    /// Fits what is not given to the voltage at the start.
    pub(super) fn fit_to(&mut self, start_v: f64) {
        self.input_voltage_min_v
            .get_or_insert_with(|| LEAST_V.min(0.5 * start_v));
        self.input_voltage_max_v.get_or_insert(1.25 * start_v);
    }

    /// Whether a voltage of the supply is a fault.
    pub(super) fn is_over(&self, supply_v: f64) -> bool {
        self.input_voltage_max_v.is_some_and(|most| supply_v > most)
    }

    /// Whether a voltage of the supply is a fault.
    pub(super) fn is_under(&self, supply_v: f64) -> bool {
        self.input_voltage_min_v
            .is_some_and(|least| supply_v < least)
    }

    /// What is left at a moment.
    pub(super) fn bounds(&self, now: Conditions) -> Bounds {
        let warm = falling(now.fet_c, self.fet_start_c, self.fet_end_c).min(falling(
            now.motor_c,
            self.motor_start_c,
            self.motor_end_c,
        ));
        let drive_a = self.current_max_a * self.current_scale_max * warm;
        let fast = |erpm: f64, most: f64| falling(erpm, ERPM_START * most, most);
        // The cut-off falls with the voltage where the others fall with what they measure.
        let cut = 1.0
            - falling(
                now.supply_v,
                self.battery_cut_end_v,
                self.battery_cut_start_v,
            );
        let input_a = self.input_current_max_a * cut;
        Bounds {
            forwards_a: drive_a * fast(now.erpm, self.erpm_max),
            backwards_a: drive_a * fast(-now.erpm, -self.erpm_min),
            brake_a: -self.current_min_a * self.current_scale_min * warm,
            power_w: (input_a * now.supply_v).min(self.power_max_w),
            returned_w: (-self.input_current_min_a * now.supply_v).min(-self.power_min_w),
            duty: self.duty_max,
        }
    }

    /// Takes in SET_MCCONF_TEMP: scales from 0 to 1 (`bldc comm/commands.c:898-960`).
    pub(super) fn set(&mut self, wanted: &TemporaryLimits) {
        self.current_scale_min = unit(wanted.current_scale_min);
        self.current_scale_max = unit(wanted.current_scale_max);
        self.erpm_min = wanted.erpm_min.value().min(0.0);
        self.erpm_max = wanted.erpm_max.value().max(0.0);
        self.set_rest(
            (wanted.duty_min, wanted.duty_max),
            (wanted.power_min_w, wanted.power_max_w),
            (wanted.input_current_min_a, wanted.input_current_max_a),
        );
    }

    /// Takes in SET_MCCONF_TEMP_SETUP, whose speeds are those of the vehicle.
    pub(super) fn set_speeds(&mut self, wanted: &TemporarySpeedLimits, machine: &Machine) {
        self.current_scale_min = unit(wanted.current_scale_min);
        self.current_scale_max = unit(wanted.current_scale_max);
        self.erpm_min = machine.erpm(wanted.speed_min_m_s.value()).min(0.0);
        self.erpm_max = machine.erpm(wanted.speed_max_m_s.value()).max(0.0);
        self.set_rest(
            (wanted.duty_min, wanted.duty_max),
            (wanted.power_min_w, wanted.power_max_w),
            (wanted.input_current_min_a, wanted.input_current_max_a),
        );
    }

    fn set_rest(
        &mut self,
        duty: (Float, Float),
        power: (Float, Float),
        input: (Option<Float>, Option<Float>),
    ) {
        self.duty_min = unit(duty.0);
        self.duty_max = unit(duty.1);
        self.power_min_w = power.0.value().min(0.0);
        self.power_max_w = power.1.value().max(0.0);
        if let Some(least) = input.0 {
            self.input_current_min_a = least.value().min(0.0);
        }
        if let Some(most) = input.1 {
            self.input_current_max_a = most.value().max(0.0);
        }
    }

    /// What GET_MCCONF_TEMP tells.
    pub(super) fn in_force(&self, machine: &Machine) -> LimitsInForce {
        LimitsInForce {
            current_scale_min: Float::packed(self.current_scale_min),
            current_scale_max: Float::packed(self.current_scale_max),
            erpm_min: Float::packed(self.erpm_min),
            erpm_max: Float::packed(self.erpm_max),
            duty_min: Float::packed(self.duty_min),
            duty_max: Float::packed(self.duty_max),
            power_min_w: Float::packed(self.power_min_w),
            power_max_w: Float::packed(self.power_max_w),
            input_current_min_a: Float::packed(self.input_current_min_a),
            input_current_max_a: Float::packed(self.input_current_max_a),
            poles: machine.poles,
            gear_ratio: Float::packed(machine.gear_ratio),
            wheel_diameter_m: Float::packed(machine.wheel_diameter_m),
        }
    }
}

fn unit(value: Float) -> f64 {
    value.value().clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT_REST: Conditions = Conditions {
        erpm: 0.0,
        fet_c: 30.0,
        motor_c: 35.0,
        supply_v: 80.0,
    };

    fn bounds(change: impl FnOnce(&mut Conditions)) -> Bounds {
        let mut now = AT_REST;
        change(&mut now);
        let limits = MotorLimits {
            battery_cut_start_v: 60.0,
            battery_cut_end_v: 50.0,
            ..MotorLimits::default()
        };
        limits.bounds(now)
    }

    #[test]
    fn heat_takes_driving_and_braking_current_away_between_two_temperatures() {
        assert_eq!(bounds(|_| {}).forwards_a, 60.0);
        assert_eq!(bounds(|now| now.fet_c = 85.0).forwards_a, 60.0);
        assert!((bounds(|now| now.fet_c = 92.5).forwards_a - 30.0).abs() < 1e-9);
        assert!((bounds(|now| now.motor_c = 97.0).brake_a - 12.0).abs() < 1e-9);
        assert_eq!(bounds(|now| now.motor_c = 100.0).brake_a, 0.0);
    }

    #[test]
    fn speed_takes_current_in_its_own_direction_only() {
        let fast = bounds(|now| now.erpm = 90_000.0);
        assert!((fast.forwards_a - 30.0).abs() < 1e-9);
        assert_eq!((fast.backwards_a, fast.brake_a), (60.0, 60.0));
        assert_eq!(bounds(|now| now.erpm = -120_000.0).backwards_a, 0.0);
    }

    #[test]
    fn a_low_battery_gives_less_and_then_nothing() {
        assert!((bounds(|_| {}).power_w - 99.0 * 80.0).abs() < 1e-9);
        assert!((bounds(|now| now.supply_v = 55.0).power_w - 99.0 * 0.5 * 55.0).abs() < 1e-9);
        assert_eq!(bounds(|now| now.supply_v = 50.0).power_w, 0.0);
    }

    #[test]
    fn limits_in_one_place_make_a_step() {
        assert_eq!(falling(9.9, 10.0, 10.0), 1.0);
        assert_eq!(falling(10.0, 10.0, 10.0), 0.0);
        assert!(falling(f64::NAN, 10.0, 10.0).is_nan());
    }
}
