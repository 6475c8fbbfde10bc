//! What a scenario file can say: the words of the language, with their defaults.
//!
//! Names of things are kebab-case (`session-reset`), keys are snake_case with their unit (`cell_voltage_v`), durations
//! are written `250ms`. Every list entry with a kind is a map with one key, the kind. What the words *mean* is in
//! [`build`](super::build); ranges and contradictions are checked there too.

use serde::Deserialize;
use veschub_wire::CommandId;

use super::duration::Duration;

/// A whole scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The version of the language: 1.
    pub version: u32,
    /// What the scenario shows, in a sentence.
    #[serde(default)]
    pub about: String,
    /// The hub, if it is to be unlike the default.
    #[serde(default)]
    pub hub: Hub,
    /// The devices at the hub.
    pub devices: Vec<Device>,
    /// Odd behaviour between the hub and every device, in this order.
    #[serde(default)]
    pub quirks: Vec<Quirk>,
    /// What the client is to do.
    #[serde(default)]
    pub client: Client,
    /// What must be seen, besides that every decoded value is the true one.
    #[serde(default)]
    pub expect: Vec<Expectation>,
}

/// The hub.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Hub {
    /// How long a connection may take to send its login line.
    pub login_timeout: Option<Duration>,
}

/// A device.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Device {
    /// A VESC Express.
    Express(Box<Express>),
    /// The device side of a recorded session.
    Replay(Replay),
}

/// A VESC Express.
#[derive(Clone, Debug, Deserialize)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
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

/// A BMS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bms {
    /// How many cells are in series: 0 to 50.
    pub cells: Option<usize>,
    /// Mean cell voltage at the start, V.
    pub cell_voltage_v: Option<f64>,
    /// Distance between the lowest and the highest cell, mV.
    pub spread_mv: Option<f64>,
    /// Each cell's voltage at the start, V, instead of the three above.
    pub cell_voltages_v: Option<Vec<f64>>,
    /// Random part of a cell measurement, ± mV.
    pub noise_mv: Option<f64>,
    /// Current, A; positive discharges, negative charges.
    pub current_a: Option<f64>,
    /// Charge between empty and full, Ah.
    pub capacity_ah: Option<f64>,
    /// Reported state of charge at the start, 0 to 1; without it, 0 is reported all the time.
    pub state_of_charge: Option<f64>,
    /// Reported state of health, 0 to 1.
    pub state_of_health: Option<f64>,
    /// Voltage at the charge input, V.
    pub charge_voltage_v: Option<f64>,
    /// Which cells are being balanced.
    pub balancing: Balancing,
    /// The temperature sensors, °C: up to 50.
    pub temperatures_c: Option<Vec<f64>>,
    /// Temperature of the BMS chip, °C.
    pub chip_temperature_c: Option<f64>,
    /// Temperature of the humidity sensor, °C.
    pub humidity_temperature_c: Option<f64>,
    /// Humidity, %.
    pub humidity_percent: Option<f64>,
    /// Air pressure, Pa.
    pub pressure_pa: Option<f64>,
    /// CAN id of the BMS; 255, the default, is none.
    pub can_id: Option<u8>,
    /// Version of the data's meaning, from firmware 6.06 on.
    pub data_version: Option<u8>,
    /// What the BMS says of itself, up to 40 bytes, from firmware 6.06 on.
    pub status: Option<String>,
    /// Where replies end, if not where the device's firmware ends them.
    pub reply_ends_after: Option<ReplyEnd>,
}

/// Which cells are being balanced.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Balancing {
    /// None.
    Off,
    /// All of them.
    All,
    /// Those above the lowest, which slowly come down.
    #[default]
    Automatic,
}

/// Where a BMS reply ends.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyEnd {
    /// Before 5.02.
    HighestCellTemperature,
    /// 5.02.
    StateOfHealth,
    /// 5.03 test 6.
    CanId,
    /// 5.03 test 18.
    Totals,
    /// 6.05.
    Pressure,
    /// 6.06 test 3.
    DataVersion,
    /// 6.06.
    Status,
}

/// A node on a CAN bus.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CanNode {
    /// A motor controller.
    Motor(Motor),
}

/// A motor controller.
#[derive(Clone, Debug, Deserialize)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum MotorFirmware {
    /// 6.05.
    #[default]
    #[serde(rename = "6.05")]
    V6_05,
}

/// The device side of a recorded session.
#[derive(Clone, Debug, Deserialize)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pace {
    /// With the recorded times.
    #[default]
    Recorded,
    /// As fast as possible.
    Immediate,
}

/// An odd behaviour of the real hub or firmware, or what is believed to be one.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quirk {
    /// A session that is too slow between two requests is forgotten.
    SessionReset(SessionReset),
}

/// The parameters of `session-reset`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionReset {
    /// The longest gap between two requests that the session survives.
    #[serde(default = "max_gap")]
    pub max_gap: Duration,
}

/// What the client does.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Client {
    /// Reads the BMS once: FW_VERSION, GET_CUSTOM_CONFIG, PING_CAN, BMS_GET_VALUES.
    ReadBms(ReadBms),
    /// Reads the BMS again and again.
    PollBms(PollBms),
    /// Reads a motor controller on the CAN bus.
    ReadMotor(ReadMotor),
    /// Looks who is on the CAN bus.
    ScanCan(ScanCan),
    /// Sends the requests of the recording that the first device replays.
    PlayRecording(PlayRecording),
}

impl Default for Client {
    fn default() -> Self {
        Self::ReadBms(ReadBms::default())
    }
}

/// How a client logs in; without it, as the first device wants it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Login {
    /// Another id.
    pub id: Option<String>,
    /// Another password.
    pub password: Option<String>,
}

/// How a client asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// All requests at once, then all replies.
    #[default]
    RapidFire,
    /// Each request after the reply to the one before.
    OneAtATime,
}

/// The task `read-bms`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReadBms {
    /// How to ask.
    pub ask: Ask,
    /// How to log in.
    pub login: Login,
    /// How long to wait for a reply.
    pub give_up_after: Option<Duration>,
}

/// The task `poll-bms`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PollBms {
    /// The time from one request to the next.
    pub every: Duration,
    /// How long to go on.
    #[serde(rename = "for")]
    pub lasts: Duration,
    /// How to log in.
    #[serde(default)]
    pub login: Login,
}

/// The task `read-motor`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadMotor {
    /// The CAN id of the motor controller.
    pub can_id: u8,
    /// How to log in.
    #[serde(default)]
    pub login: Login,
    /// How long to wait for a reply.
    #[serde(default)]
    pub give_up_after: Option<Duration>,
}

/// The task `scan-can`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScanCan {
    /// How to log in.
    pub login: Login,
    /// How long to wait for a reply.
    pub give_up_after: Option<Duration>,
}

/// The task `play-recording`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PlayRecording {
    /// When requests are sent: at the recorded times, or each as soon as the one before is answered.
    pub pace: Pace,
    /// How to log in.
    pub login: Login,
    /// How long to wait for a reply.
    pub give_up_after: Option<Duration>,
}

/// Something that must be seen.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expectation {
    /// The last reading of a command has this value.
    Value(Value),
    /// A value falls or rises from the first reading to the last.
    Trend(Trend),
    /// The client sent exactly these requests in this order.
    Requests(Vec<CommandName>),
    /// A request was sent this often.
    RequestCount(RequestCount),
    /// These replies came in this order, others between them or not.
    ReplyOrder(Vec<CommandName>),
    /// The replies to a request have this payload length.
    ReplyLength(ReplyLength),
    /// A request was answered.
    ReplyTo(CommandName),
    /// A request was sent and not answered.
    NoReplyTo(CommandName),
    /// The client was done within this time.
    Within(Duration),
    /// A quirk fired.
    Fired(Fired),
    /// The hub closed the connection instead of accepting the login.
    LoginRefused,
    /// Every recorded reply came again, byte for byte.
    SameAsRecording,
}

/// The expectation `value`: one of `is` and `length`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Value {
    /// The reply that it stands in.
    #[serde(default = "bms_get_values")]
    pub of: CommandName,
    /// The field.
    pub field: String,
    /// Which element, for a list; the first is 0.
    #[serde(default)]
    pub item: Option<usize>,
    /// What it is.
    #[serde(default)]
    pub is: Option<Expected>,
    /// How far a number may be away.
    #[serde(default)]
    pub within: f64,
    /// How many elements it has.
    #[serde(default)]
    pub length: Option<usize>,
}

/// The expectation `trend`: one of `falls_by` and `rises_by`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trend {
    /// The reply that it stands in.
    #[serde(default = "bms_get_values")]
    pub of: CommandName,
    /// The field.
    pub field: String,
    /// How much it falls at least.
    #[serde(default)]
    pub falls_by: Option<f64>,
    /// How much it rises at least.
    #[serde(default)]
    pub rises_by: Option<f64>,
}

/// The expectation `request-count`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestCount {
    /// The request.
    pub of: CommandName,
    /// How often at least.
    #[serde(default)]
    pub at_least: Option<usize>,
    /// How often at most.
    #[serde(default)]
    pub at_most: Option<usize>,
}

/// The expectation `reply-length`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplyLength {
    /// The reply.
    pub of: CommandName,
    /// Its payload's length in bytes.
    pub is: usize,
}

/// The expectation `fired`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fired {
    /// The quirk.
    pub quirk: String,
}

/// A value that is compared with a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// A flag.
    Bool(bool),
    /// A number, whole or not.
    Number(f64),
    /// A text.
    Text(String),
}

/// A command, by name or number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandName(pub CommandId);

impl<'de> Deserialize<'de> for CommandName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let command = name.parse().map_err(|error| {
            let names = CommandId::named().filter_map(CommandId::name);
            match super::suggest::closest(&name, names) {
                Some(close) => {
                    format!("no command is called `{name}`\nhelp: did you mean `{close}`?")
                }
                None => format!("{error}"),
            }
        });
        command.map(Self).map_err(serde::de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Expected {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Expected;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number, a text, true or false")
            }

            fn visit_bool<E>(self, value: bool) -> Result<Expected, E> {
                Ok(Expected::Bool(value))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Expected, E> {
                Ok(Expected::Number(value as f64))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Expected, E> {
                Ok(Expected::Number(value as f64))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Expected, E> {
                Ok(Expected::Number(value))
            }

            fn visit_str<E>(self, value: &str) -> Result<Expected, E> {
                Ok(Expected::Text(value.to_owned()))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
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

fn max_gap() -> Duration {
    Duration(250_000_000)
}

fn bms_get_values() -> CommandName {
    CommandName(CommandId::BMS_GET_VALUES)
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
