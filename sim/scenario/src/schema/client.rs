//! The client: what it does, and how it logs in.

use schemars::JsonSchema;
use serde::Deserialize;

use veschub_wire::Request;

use super::{Drive, KeepAlive, Login, Pace, ReadApp, ReadConfig, Words};
use crate::duration::Duration;

/// What the client does.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Client {
    /// Reads the BMS once: FW_VERSION, GET_CUSTOM_CONFIG, PING_CAN, BMS_GET_VALUES.
    ReadBms(ReadBms),
    /// Reads the BMS again and again.
    PollBms(PollBms),
    /// Reads a motor controller: FW_VERSION, GET_VALUES, and GET_VALUES_SETUP from firmware 3.48 on.
    ReadMotor(ReadMotor),
    /// Sets a current, a duty cycle or a speed again and again, reads back, then stops the motor.
    Drive(Drive),
    /// Keeps a motor running for a while, then stops it.
    KeepAlive(KeepAlive),
    /// Reads the configuration of the motor or of its inputs: GET_MCCONF or GET_APPCONF.
    ReadConfig(ReadConfig),
    /// Asks the application that runs on the controller: CUSTOM_APP_DATA.
    ReadApp(ReadApp),
    /// Asks which nodes are on the CAN bus: PING_CAN.
    ScanCan(ScanCan),
    /// Sends one request, once or again and again, and reads its reply.
    Read(ReadRequest),
    /// Sends the requests of the recording that the first device replays.
    PlayRecording(PlayRecording),
    /// Sends these requests.
    Send(SendRequests),
}

impl Client {
    /// How it logs in.
    #[must_use]
    pub fn login(&self) -> &Login {
        match self {
            Self::ReadBms(task) => &task.login,
            Self::PollBms(task) => &task.login,
            Self::ReadMotor(task) => &task.login,
            Self::Drive(task) => &task.login,
            Self::KeepAlive(task) => &task.login,
            Self::ReadConfig(task) => &task.login,
            Self::ReadApp(task) => &task.login,
            Self::ScanCan(task) => &task.login,
            Self::Read(task) => &task.login,
            Self::PlayRecording(task) => &task.login,
            Self::Send(task) => &task.login,
        }
    }

    /// How long it waits for a reply before it gives up, if the scenario says so.
    #[must_use]
    pub fn give_up_after(&self) -> Option<Duration> {
        match self {
            Self::ReadBms(task) => task.give_up_after,
            Self::PollBms(_) => None,
            Self::ReadMotor(task) => task.give_up_after,
            Self::Drive(task) => task.give_up_after,
            Self::KeepAlive(task) => task.give_up_after,
            Self::ReadConfig(task) => task.give_up_after,
            Self::ReadApp(task) => task.give_up_after,
            Self::ScanCan(task) => task.give_up_after,
            Self::Read(task) => task.give_up_after,
            Self::PlayRecording(task) => task.give_up_after,
            Self::Send(task) => task.give_up_after,
        }
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::ReadBms(ReadBms::default())
    }
}

/// How a client asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// All requests at once, then all replies.
    #[default]
    RapidFire,
    /// Each request after the reply to the one before.
    OneAtATime,
}

/// The task `read-bms`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReadBms {
    /// Whether the client sends all requests at once or waits for each reply.
    pub ask: Ask,
    /// How the client logs in.
    pub login: Login,
    /// How long the client waits for a reply before it gives up, e.g. `5s`.
    pub give_up_after: Option<Duration>,
}

/// The task `poll-bms`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PollBms {
    /// The time from one request to the next, e.g. `100ms`.
    pub every: Duration,
    /// How long the client goes on asking, e.g. `10s`.
    #[serde(rename = "for")]
    pub lasts: Duration,
    /// How the client logs in.
    #[serde(default)]
    pub login: Login,
}

/// The task `read-motor`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadMotor {
    /// The CAN id of the motor controller; without it, the device itself is asked.
    #[serde(default)]
    pub can_id: Option<u8>,
    /// The time from one request for GET_VALUES to the next, e.g. `100ms`; without it, the client asks once.
    #[serde(default)]
    pub every: Option<Duration>,
    /// How long the client goes on asking, e.g. `10s`; without it, the client asks once.
    #[serde(default, rename = "for")]
    pub lasts: Option<Duration>,
    /// How the client logs in.
    #[serde(default)]
    pub login: Login,
    /// How long the client waits for a reply before it gives up, e.g. `5s`.
    #[serde(default)]
    pub give_up_after: Option<Duration>,
}

/// The task `scan-can`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ScanCan {
    /// How the client logs in.
    pub login: Login,
    /// How long the client waits for a reply before it gives up, e.g. `5s`.
    pub give_up_after: Option<Duration>,
}

/// The task `read`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadRequest {
    /// The request, as `veschub-sim encode` takes it: `FW_VERSION`, `GET_VALUES_SELECTIVE 0x100`.
    pub request: Words,
    /// The CAN id of the node that is asked, through FORWARD_CAN; without it, the device itself is asked.
    #[serde(default)]
    pub can_id: Option<u8>,
    /// The time from one request to the next, e.g. `100ms`; without it, the client asks once.
    #[serde(default)]
    pub every: Option<Duration>,
    /// How long the client goes on asking, e.g. `10s`; without it, the client asks once.
    #[serde(default, rename = "for")]
    pub lasts: Option<Duration>,
    /// How the client logs in.
    #[serde(default)]
    pub login: Login,
    /// How long the client waits for a reply before it gives up, e.g. `5s`.
    #[serde(default)]
    pub give_up_after: Option<Duration>,
}

impl ReadRequest {
    /// The request as it is sent: inside of FORWARD_CAN, where a node is asked.
    #[must_use]
    pub fn sent(&self) -> Request {
        match self.can_id {
            Some(can_id) => Request::forward(can_id, &self.request.0),
            None => self.request.0.clone(),
        }
    }
}

/// The task `play-recording`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PlayRecording {
    /// Whether requests are sent at their recorded times, or each as soon as the one before is answered.
    pub pace: Pace,
    /// How the client logs in.
    pub login: Login,
    /// How long the client waits for a reply before it gives up, e.g. `5s`.
    pub give_up_after: Option<Duration>,
}

/// The task `send`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendRequests {
    /// The requests in their order, each as `veschub-sim encode` takes it: `FORWARD_CAN 84 GET_VALUES`.
    pub requests: Vec<Words>,
    /// The time from one request to the next, e.g. `250ms`; without it, the client waits for each reply.
    #[serde(default)]
    pub every: Option<Duration>,
    /// How long the client goes on listening after the last reply, e.g. `1s`.
    #[serde(default)]
    pub stay_for: Option<Duration>,
    /// How the client logs in.
    #[serde(default)]
    pub login: Login,
    /// How long the client waits for a reply before it gives up, e.g. `5s`.
    #[serde(default)]
    pub give_up_after: Option<Duration>,
}
