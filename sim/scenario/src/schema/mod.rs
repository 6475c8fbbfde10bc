//! What a scenario file can say: the words of the language, with their defaults.
//!
//! Names of things are kebab-case (`session-reset`), keys are snake_case with their unit (`cell_voltage_v`), durations
//! are written `250ms`. Every list entry with a kind is a map with one key, the kind. What the words *mean* is in
//! [`compile`](super::compile); ranges and contradictions are checked there too.

mod client;
mod device;
mod expect;
mod fault;
mod quirk;
mod script;
mod words;

use schemars::JsonSchema;
use serde::Deserialize;

use super::duration::Duration;
pub use client::*;
pub use device::*;
pub use expect::*;
pub use fault::*;
pub use quirk::*;
pub use script::*;
pub use veschub_hub::device::{bms::BmsSettings, can::CanNode};
pub use words::*;

/// A whole scenario.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The version of the language: 1.
    pub version: u32,
    /// Files whose keys are taken over where this one does not have them; relative paths start at this file's folder.
    #[serde(default)]
    pub include: Vec<String>,
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
    /// Harm to the links between tools and the hub, in this order.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// What the client is to do.
    #[serde(default)]
    pub client: Client,
    /// What must be seen, besides that every decoded value is the true one.
    #[serde(default)]
    pub expect: Vec<Expectation>,
}

/// The hub: a profile, and switches for single behaviours.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Hub {
    /// Which hub it is like.
    pub profile: HubProfile,
    /// How long a connection may take to send its login line.
    pub login_timeout: Option<Duration>,
    /// Whether bytes that are read together with the login line are lost.
    pub login_swallows: Option<bool>,
    /// Whether a silent connection that was opened later holds up an earlier one's login.
    pub silent_connection_stalls: Option<bool>,
    /// Whether the late end of a replaced device's connection deletes its successor's entry.
    pub replacement_deletes: Option<bool>,
    /// Whether an outside device's bytes are kept until its first tool comes.
    pub keeps_early_bytes: Option<bool>,
    /// Whether a reply to one tool's request reaches the tool that has taken its place.
    pub late_replies: Option<bool>,
    /// Whether half a frame that a tool leaves in a device's parser is still there for the next tool.
    pub half_frames_stay: Option<bool>,
}

/// Which hub a hub is like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HubProfile {
    /// VESC Tool's hub, its races included.
    #[default]
    Reference,
    /// None of them.
    Ideal,
}
