//! Devices: what is at the hub, and what each of them is like.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Bms;
use crate::scenario::duration::Duration;

/// A device.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Device {
    /// A VESC Express.
    Express(Box<Express>),
    /// The device side of a recorded session.
    Replay(Replay),
}

/// A VESC Express.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Express {
    /// The id that tools log in with.
    pub id: String,
    /// The password that tools log in with.
    pub password: String,
    /// Firmware version.
    #[serde(default)]
    pub firmware: ExpressFirmware,
    /// Hardware name.
    #[serde(default = "express_hardware")]
    pub hardware: String,
    /// From a request's arrival at the hub to the reply's departure.
    #[serde(default = "reply_after")]
    pub reply_after: Duration,
    /// The BMS; without one, the device reports that it knows of none.
    #[serde(default)]
    pub bms: Option<Bms>,
    /// The nodes on the CAN bus.
    #[serde(default)]
    pub can: Vec<CanNode>,
}

/// Firmware of an Express.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum ExpressFirmware {
    /// 6.05: BMS replies end after the pressure.
    #[default]
    #[serde(rename = "6.05")]
    V6_05,
    /// 6.06: they end with data version and status.
    #[serde(rename = "6.06")]
    V6_06,
    /// 7.00: likewise.
    #[serde(rename = "7.00")]
    V7_00,
}

/// A node on a CAN bus.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CanNode {
    /// A motor controller.
    Motor(Motor),
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
    /// 6.05.
    #[default]
    #[serde(rename = "6.05")]
    V6_05,
}

/// The device side of a recorded session.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// The capture file; a relative path starts at the scenario's folder.
    pub capture: String,
    /// The id that tools log in with, if not the recorded one.
    #[serde(default)]
    pub id: Option<String>,
    /// The password that tools log in with, if not the recorded one.
    #[serde(default)]
    pub password: Option<String>,
    /// When replies are sent.
    #[serde(default)]
    pub pace: Pace,
}

/// When something recorded is played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Pace {
    /// With the recorded times.
    #[default]
    Recorded,
    /// As fast as possible.
    Immediate,
}

fn express_hardware() -> String {
    "VESC Express T".to_owned()
}

fn motor_hardware() -> String {
    "MOTOR".to_owned()
}

/// What was measured between a hub and its device, without the way from the hub to the tool: 50 to 60 ms.
fn reply_after() -> Duration {
    Duration(55_000_000)
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
