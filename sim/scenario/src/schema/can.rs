//! Nodes on a CAN bus: what else is there behind a device.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Bms;
use crate::duration::Duration;

/// A node on a CAN bus.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CanNode {
    /// A motor controller.
    Motor(Box<Motor>),
    /// A VESC BMS.
    Bms(Box<BmsNode>),
}

/// A motor controller.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Motor {
    /// Its CAN id: 0 to 254.
    pub can_id: u8,
    /// Firmware version.
    #[serde(default)]
    pub firmware: MotorFirmware,
    /// Hardware name.
    #[serde(default = "motor_hardware")]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
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

/// A VESC BMS on the CAN bus.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BmsNode {
    /// Its CAN id: 0 to 254.
    pub can_id: u8,
    /// Firmware version.
    #[serde(default)]
    pub firmware: BmsFirmware,
    /// Hardware name, up to 16 bytes.
    #[serde(default = "bms_hardware")]
    pub hardware: String,
    /// How long it takes to answer a PING; beyond 10 ms the answer is too late.
    #[serde(default)]
    pub pong_after: Option<Duration>,
    /// When it stops telling its values to the bus, since the start of the run; it still answers.
    #[serde(default)]
    pub silent_after: Option<Duration>,
    /// What it measures.
    #[serde(default)]
    pub pack: Bms,
}

/// Firmware of a VESC BMS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum BmsFirmware {
    /// 6.00.
    #[default]
    #[serde(rename = "6.00")]
    V6_00,
}

fn motor_hardware() -> String {
    "MOTOR".to_owned()
}

fn bms_hardware() -> String {
    "BMS".to_owned()
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
