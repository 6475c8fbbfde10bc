//! Power switches.

use serde::Deserialize;
use veschub_wire::{command::PowerSwitch, number::Float};

use crate::{device::motor_state::MotorState, mistake::Mistakes};

/// A power switch on the CAN bus.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PowerSwitchSettings {
    /// Its id.
    pub id: i16,
    /// Whether it is on at the start.
    #[serde(default)]
    pub on: bool,
    /// Voltage before it, V; without it, that of the motor's supply.
    #[serde(default)]
    pub input_voltage_v: Option<f64>,
    /// Voltage behind it, V; without it, the same while it is on, and 0 while it is off.
    #[serde(default)]
    pub output_voltage_v: Option<f64>,
    /// Its temperature, °C.
    #[serde(default = "temperature_c")]
    pub temperature_c: f64,
    /// Whether it charges what is behind it slowly before it switches on.
    #[serde(default)]
    pub precharge: bool,
    /// Whether it discharges what is behind it.
    #[serde(default)]
    pub discharge: bool,
    /// How long ago it was heard, s.
    #[serde(default = "age_s")]
    pub age_s: f64,
}

fn temperature_c() -> f64 {
    25.0
}

fn age_s() -> f64 {
    0.05
}

impl PowerSwitchSettings {
    /// Looks for mistakes.
    pub(in crate::device) fn check(&self, mistakes: &mut Mistakes) {
        for (key, value) in [
            ("input_voltage_v", self.input_voltage_v),
            ("output_voltage_v", self.output_voltage_v),
        ] {
            mistakes.range(key, value.unwrap_or_default(), 0.0..=3276.0);
        }
        mistakes.range("temperature_c", self.temperature_c, -300.0..=3276.0);
        mistakes.range("age_s", self.age_s, 0.0..=1e6);
    }

    /// What a device that knows so many switches tells of it.
    pub(super) fn status(&self, known: i16, is_on: bool, motor: &MotorState) -> PowerSwitch {
        let input_voltage_v = self.input_voltage_v.unwrap_or(motor.input_voltage_v);
        let behind = if is_on { input_voltage_v } else { 0.0 };
        PowerSwitch {
            id: self.id,
            known,
            age_s: Float::packed(self.age_s),
            input_voltage_v: Float::packed(input_voltage_v),
            output_voltage_v: Float::packed(self.output_voltage_v.unwrap_or(behind)),
            temperature_c: Float::packed(self.temperature_c),
            output: is_on.into(),
            precharge: self.precharge.into(),
            discharge: self.discharge.into(),
        }
    }
}
