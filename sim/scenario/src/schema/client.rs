//! The client: what it does, and how it logs in.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Pace, Words};
use crate::duration::Duration;

/// What the client does.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
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
    /// Sends these requests.
    Send(SendRequests),
}

impl Default for Client {
    fn default() -> Self {
        Self::ReadBms(ReadBms::default())
    }
}

/// How a client logs in; without it, as the first device wants it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Login {
    /// Another id.
    pub id: Option<String>,
    /// Another password.
    pub password: Option<String>,
    /// How long to wait after the login line; VESC Tool takes about 50 ms, and with 0 ms the first request comes
    /// in the same read.
    pub pause_after: Option<Duration>,
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
    /// How to ask.
    pub ask: Ask,
    /// How to log in.
    pub login: Login,
    /// How long to wait for a reply.
    pub give_up_after: Option<Duration>,
}

/// The task `poll-bms`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
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
#[derive(Clone, Debug, Deserialize, JsonSchema)]
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
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ScanCan {
    /// How to log in.
    pub login: Login,
    /// How long to wait for a reply.
    pub give_up_after: Option<Duration>,
}

/// The task `play-recording`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PlayRecording {
    /// When requests are sent: at the recorded times, or each as soon as the one before is answered.
    pub pace: Pace,
    /// How to log in.
    pub login: Login,
    /// How long to wait for a reply.
    pub give_up_after: Option<Duration>,
}

/// The task `send`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendRequests {
    /// The requests in their order, each as `veschub-sim encode` takes it: `FORWARD_CAN 84 GET_VALUES`.
    pub requests: Vec<Words>,
    /// The time from one request to the next; without it, each is sent when the one before was answered.
    #[serde(default)]
    pub every: Option<Duration>,
    /// How long to listen when all is done.
    #[serde(default)]
    pub stay_for: Option<Duration>,
    /// How to log in.
    #[serde(default)]
    pub login: Login,
    /// How long to wait for a reply.
    #[serde(default)]
    pub give_up_after: Option<Duration>,
}
