//! What a motor controller is like, as a scenario describes it.

use serde::Deserialize;

use crate::{
    device::{
        identity::{MAX_HARDWARE, check_can_id, check_hardware},
        node::NodeSettings,
        profile::Profile,
    },
    duration::Duration,
    mistake::Mistakes,
};

/// A motor controller.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MotorSettings {
    /// Its CAN id: 0 to 254.
    pub can_id: u8,
    /// Firmware version.
    #[serde(default)]
    pub firmware: MotorFirmware,
    /// Hardware name.
    #[serde(default = "hardware")]
    pub hardware: String,
    /// How long it takes to answer a PING; beyond 10 ms the answer is too late.
    #[serde(default)]
    pub pong_after: Option<Duration>,
    /// Temperature of the power transistors, °C.
    #[serde(default = "fet_temperature_c")]
    pub fet_temperature_c: f64,
    /// Temperature of the motor, °C.
    #[serde(default = "motor_temperature_c")]
    pub motor_temperature_c: f64,
    /// Current of the motor, A.
    #[serde(default)]
    pub motor_current_a: f64,
    /// Current of the supply, A.
    #[serde(default)]
    pub input_current_a: f64,
    /// Duty cycle, -1 to 1.
    #[serde(default)]
    pub duty: f64,
    /// Electrical speed, revolutions per minute.
    #[serde(default)]
    pub erpm: f64,
    /// Speed of the vehicle, m/s.
    #[serde(default)]
    pub speed_m_s: f64,
    /// Voltage of the supply, V.
    #[serde(default = "input_voltage_v")]
    pub input_voltage_v: f64,
    /// Charge left in the battery, 0 to 1.
    #[serde(default = "battery_level")]
    pub battery_level: f64,
    /// Fault code.
    #[serde(default)]
    pub fault: u8,
}

/// Firmware of a motor controller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum MotorFirmware {
    /// 5.02: no time-out flags, no uptime, no CAN id of the BMS.
    #[serde(rename = "5.02")]
    V5_02,
    /// 5.03: with these, and with the lifetime totals of the BMS.
    #[serde(rename = "5.03")]
    V5_03,
    /// 6.00: with the firmware's name.
    #[serde(rename = "6.00")]
    V6_00,
    /// 6.05: with a CRC of the config, and with the pressure at the BMS.
    #[default]
    #[serde(rename = "6.05")]
    V6_05,
    /// 7.01: with data version and status of the BMS.
    #[serde(rename = "7.01")]
    V7_01,
}

impl MotorFirmware {
    /// What it sends, and which commands it knows.
    pub(in crate::device) fn profile(self) -> Profile {
        match self {
            Self::V5_02 => Profile::MOTOR_5_02,
            Self::V5_03 => Profile::MOTOR_5_03,
            Self::V6_00 => Profile::MOTOR_6_00,
            Self::V6_05 => Profile::MOTOR_6_05,
            Self::V7_01 => Profile::MOTOR_7_01,
        }
    }
}

fn hardware() -> String {
    "MOTOR".to_owned()
}

fn fet_temperature_c() -> f64 {
    30.0
}

fn motor_temperature_c() -> f64 {
    35.0
}

fn input_voltage_v() -> f64 {
    80.0
}

fn battery_level() -> f64 {
    0.8
}

impl NodeSettings for MotorSettings {
    fn can_id(&self) -> u8 {
        self.can_id
    }

    fn pong_after(&self) -> Option<Duration> {
        self.pong_after
    }

    fn hardware(&self) -> &str {
        &self.hardware
    }

    fn check(&self, mistakes: &mut Mistakes) {
        check_hardware(&self.hardware, MAX_HARDWARE, mistakes);
        check_can_id(self.can_id, mistakes);
        for (value, key, limit) in [
            (self.fet_temperature_c, "fet_temperature_c", 3276.0),
            (self.motor_temperature_c, "motor_temperature_c", 3276.0),
            (self.motor_current_a, "motor_current_a", 10_000.0),
            (self.input_current_a, "input_current_a", 10_000.0),
            (self.duty, "duty", 1.0),
            (self.erpm, "erpm", 1_000_000.0),
            (self.speed_m_s, "speed_m_s", 1000.0),
            (self.input_voltage_v, "input_voltage_v", 3276.0),
            (self.battery_level, "battery_level", 1.0),
        ] {
            mistakes.range(key, value, -limit..=limit);
        }
    }
}
