//! What a scenario file can say: the words of the language, with their defaults.
//!
//! Names of things are kebab-case (`session-reset`), keys are snake_case with their unit (`cell_voltage_v`), durations
//! are written `250ms`. Every list entry with a kind is a map with one key, the kind. What the words *mean* is in
//! [`build`](super::build); ranges and contradictions are checked there too.

mod bms;
mod client;
mod device;
mod expect;
mod quirk;

use serde::Deserialize;

use super::duration::Duration;
pub use bms::*;
pub use client::*;
pub use device::*;
pub use expect::*;
pub use quirk::*;

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
