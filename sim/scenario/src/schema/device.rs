//! Devices: what is at the hub, and what each of them is like.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{BmsSettings, CanNode, PrintAt, ScriptedReply, TerminalAnswer};
use crate::duration::Duration;

/// A device.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Device {
    /// A VESC Express.
    Express(Box<Express>),
    /// The device side of a recorded session.
    Replay(Replay),
}

/// A VESC Express, or many of one kind.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Express {
    /// The id that tools log in with; with `count`, one with `{n}` in it, or `{n:03}` for 001, 002 and so on.
    pub id: String,
    /// The password that tools log in with.
    pub password: String,
    /// How many of them there are, numbered from 1.
    #[serde(default)]
    pub count: Option<usize>,
    /// Firmware version.
    #[serde(default)]
    pub firmware: ExpressFirmware,
    /// Hardware name.
    #[serde(default = "express_hardware")]
    pub hardware: String,
    /// Its own CAN id: 0 to 254.
    #[serde(default = "express_can_id")]
    pub can_id: u8,
    /// How many custom configs it has: 1, or 0 to have it silent about them.
    #[serde(default = "custom_configs")]
    pub custom_configs: u8,
    /// The time from a request's arrival at the hub to the reply's departure.
    #[serde(default = "reply_after")]
    pub reply_after: Duration,
    /// The BMS; without one, the device reports one on the CAN bus, or that it knows of none.
    #[serde(default)]
    pub bms: Option<BmsSettings>,
    /// Whether the CAN bus works at all.
    #[serde(default)]
    pub bus: Bus,
    /// The nodes on the CAN bus.
    #[serde(default)]
    pub can: Vec<CanNode>,
    /// Replies that are sent instead of the built-in ones, chosen by the bytes of the request.
    #[serde(default)]
    pub replies: Vec<ScriptedReply>,
    /// What the device prints when a tool sends a terminal command.
    #[serde(default)]
    pub terminal: Vec<TerminalAnswer>,
    /// Texts that the device prints without being asked.
    #[serde(default)]
    pub prints: Vec<PrintAt>,
}

/// Whether a CAN bus works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Bus {
    /// The bus works.
    #[default]
    On,
    /// The driver is not started: a scan ends at once and finds no node.
    Off,
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

/// The device side of a recorded session.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// The capture file; a relative path starts at the scenario's folder.
    pub capture: String,
    /// The id that tools log in with; the recorded one unless given.
    #[serde(default)]
    pub id: Option<String>,
    /// The password that tools log in with; the recorded one unless given.
    #[serde(default)]
    pub password: Option<String>,
    /// When replies are sent.
    #[serde(default)]
    pub pace: Pace,
    /// How much faster than recorded replies come, e.g. `2` for twice as fast; only with `pace: recorded`.
    #[serde(default)]
    pub speed: Option<f64>,
    /// Which requests are answered.
    #[serde(default)]
    pub order: ReplayOrder,
    /// What the device answers when a request comes more often than in the recording.
    #[serde(default)]
    pub at_end: AtEnd,
    /// What the device does with a request that was not recorded.
    #[serde(default)]
    pub unknown: Unknown,
}

/// What a replayed device does with a request that is not in its recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unknown {
    /// It does not answer.
    #[default]
    Silent,
    /// A synthetic device of the same kind and firmware answers it, with the values recorded last.
    Synthetic,
}

/// Which requests a replayed device answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReplayOrder {
    /// Every request that was recorded, in any order; the k-th time it is asked, its k-th answer comes.
    #[default]
    ByRequest,
    /// Only the request that came next in the recording.
    Strict,
}

/// What a replayed device answers when a request comes more often than in the recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AtEnd {
    /// The last answer again.
    #[default]
    Hold,
    /// The first answer again, and so on.
    Wrap,
    /// Nothing.
    Silent,
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

fn express_can_id() -> u8 {
    2
}

fn custom_configs() -> u8 {
    1
}

/// What was measured between a hub and its device, without the way from the hub to the tool: 50 to 60 ms.
fn reply_after() -> Duration {
    Duration(55_000_000)
}
