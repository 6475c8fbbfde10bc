//! What somebody who steers a hub sees of it, and says to it.

use serde::Serialize;
use serde_json::Value;
use veschub_wire::{DEVICE_MAX_PAYLOAD, TOOL_MAX_PAYLOAD};

use super::{
    steer_error::SteerError,
    stops::{BreakpointId, HeldId},
};
use crate::{
    device::{About, Origin, Pinned},
    fault::{FaultDirection, FaultId},
};

/// What a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionRole {
    /// A tool.
    Tool,
    /// A device from outside.
    Device,
    /// Neither: it has not logged in, waits for a device that serves somebody else, or is about to end.
    None,
}

/// A connection.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SessionView {
    /// Its number.
    pub connection: u32,
    /// What it is.
    pub role: SessionRole,
    /// The id of the device that it reaches or is.
    pub device: Option<String>,
    /// Since when, in seconds of the hub; none for what has not logged in.
    pub since: Option<f64>,
    /// How many requests of it reached the device.
    pub requests: u64,
    /// How many replies it was sent.
    pub replies: u64,
    /// How many bytes its links hold back, in both directions.
    pub held_bytes: usize,
}

/// A device.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeviceView {
    /// Its id.
    pub id: String,
    /// What it is.
    #[serde(flatten)]
    pub about: About,
    /// Whether it is plugged in; else nobody can reach it.
    pub plugged: bool,
    /// Whether tools can reach it: it is plugged in and does not restart.
    pub reachable: bool,
    /// The connection of its tool.
    pub tool: Option<u32>,
}

/// What a device would tell now: the fields of its replies, as in a journal.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ValuesView {
    /// Those of BMS_GET_VALUES, where it has a pack or has heard of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bms: Option<Value>,
    /// Those of GET_VALUES, and what GET_VALUES_SETUP adds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub motor: Option<Value>,
}

/// A device with its values.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeviceWithValues {
    /// The device.
    #[serde(flatten)]
    pub device: DeviceView,
    /// Its values, or those of the node that was asked for.
    pub values: ValuesView,
    /// Which of them are set, by whom.
    pub pinned: Vec<Pinned>,
}

/// A fault that harms links.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FaultView {
    /// Its number.
    pub id: FaultId,
    /// Whose sessions it harms; without an id those of all devices.
    pub device: Option<String>,
    /// Which way it harms: `to-tool` or `to-device`.
    pub direction: FaultDirection,
    /// Its name.
    pub name: &'static str,
    /// What a scenario writes of it, `direction` and `when` included.
    pub parameters: Value,
    /// Who brought it.
    pub by: Origin,
    /// How often the journal told of it.
    pub fired: u64,
}

/// A quirk of a device, which is on or off.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QuirkView {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    /// How well it is known to be real: `source`, `measured` or `inferred`.
    pub provenance: String,
    /// Whether it is on.
    pub on: bool,
    /// What a scenario writes of it; none, if it is off.
    pub parameters: Option<Value>,
    /// Who switched it on.
    pub by: Option<Origin>,
    /// How often it did something.
    pub fired: u64,
}

/// A breakpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BreakpointView {
    /// Its number.
    pub id: BreakpointId,
    /// Whose requests it holds; without an id those to all devices.
    pub device: Option<String>,
    /// Which command it holds; without one all of them.
    pub command: Option<String>,
    /// Whether it goes after its first request.
    pub once: bool,
    /// How many requests it has held.
    pub hits: u64,
}

/// A request that is held.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HeldView {
    /// Its number.
    pub id: HeldId,
    /// The breakpoint that holds it.
    pub breakpoint: BreakpointId,
    /// The device that it is for.
    pub device: String,
    /// The connection that it came on.
    pub connection: Option<u32>,
    /// When it came, in seconds of the hub.
    pub at: f64,
    /// Its command.
    pub command: String,
    /// Its payload, in hex.
    pub payload: String,
}

/// What becomes of a held request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on to the device.
    Pass,
    /// This payload goes on in its place.
    Change(Vec<u8>),
    /// The tool is sent these payloads, and the device never sees the request.
    Answer(Vec<Vec<u8>>),
    /// The device never sees it, and nothing comes back.
    Drop,
}

impl Verdict {
    pub(super) fn done(&self) -> String {
        match self {
            Self::Pass => "passed".to_owned(),
            Self::Change(_) => "changed".to_owned(),
            Self::Answer(replies) => format!("answered with {} replies", replies.len()),
            Self::Drop => "dropped".to_owned(),
        }
    }

    pub(super) fn check(&self) -> Result<(), SteerError> {
        let (payloads, most): (&[Vec<u8>], usize) = match self {
            Self::Pass | Self::Drop => return Ok(()),
            Self::Change(payload) => (std::slice::from_ref(payload), DEVICE_MAX_PAYLOAD),
            Self::Answer(payloads) => (payloads, TOOL_MAX_PAYLOAD),
        };
        let wrong = payloads
            .iter()
            .map(Vec::len)
            .find(|bytes| !(1..=most).contains(bytes));
        match wrong {
            Some(bytes) => Err(SteerError::Payload { bytes, most }),
            None => Ok(()),
        }
    }
}
