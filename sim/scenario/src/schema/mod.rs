//! What a scenario file can say: the words of the language, with their defaults.
//!
//! Names of things are kebab-case (`session-reset`), keys are snake_case with their unit (`cell_voltage_v`), durations
//! are written `250ms`. Every list entry with a kind is a map with one key, the kind. What the words *mean* is in
//! [`compile`](super::compile); ranges and contradictions are checked there too. Faults, quirks and the hub's switches
//! define their own words, in the crate of the hub.

mod alone;
mod client;
mod device;
mod driving;
mod expect;
mod login;
mod script;
mod words;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use veschub_hub::device::NodeSettings;
use veschub_wire::{CommandId, command::ConfigKind, description::ConfigDescription};

pub use alone::{Alone, LinkKeys};
pub use client::*;
pub use device::*;
pub use driving::*;
pub use expect::*;
pub use login::*;
pub use script::*;
pub use veschub_hub::{
    CommandName,
    carrier::LinkKeys as Carriage,
    device::{
        FileSettings, LispSettings, QmlSettings, bms::BmsSettings, can::CanNode,
        profile::ExpressFirmware,
    },
    fault::{ClientDid, FaultDirection, FaultEntry, Trigger},
    hub::{HubKeys, HubProfile},
    quirk::QuirkEntry,
};
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
    pub hub: HubKeys,
    /// The devices at the hub.
    pub devices: Vec<Device>,
    /// Odd behaviour between the hub and every device, in this order.
    #[serde(default)]
    pub quirks: Vec<QuirkEntry>,
    /// Harm to the links between tools and the hub, in this order.
    #[serde(default)]
    pub faults: Vec<FaultEntry>,
    /// What the client is to do.
    #[serde(default)]
    pub client: Client,
    /// What must be seen, besides that every decoded value is the true one.
    #[serde(default)]
    pub expect: Vec<Expectation>,
}

impl Scenario {
    /// What names the fields of the configurations of its devices, each description once; none before the scenario was
    /// built, as the descriptions are in files.
    #[must_use]
    pub fn descriptions(&self) -> Vec<Arc<ConfigDescription>> {
        let mut found: Vec<Arc<ConfigDescription>> = Vec::new();
        let mut add = |node: &dyn NodeSettings| {
            for (_, _, config) in node.configs() {
                let new = config.described().filter(|one| !found.contains(one));
                found.extend(new.cloned());
            }
        };
        for device in &self.devices {
            if let Device::Motor(motor) = device {
                add(&motor.node);
            }
            let can = device.outfit().map_or(&[][..], |outfit| outfit.can);
            can.iter().for_each(|node| add(node.settings()));
        }
        found
    }

    /// Whether a description gives this name to a field of the configuration in the replies to a command; false before
    /// the scenario was built.
    #[must_use]
    pub fn describes(&self, of: CommandId, field: &str) -> bool {
        ConfigKind::of_command(of).is_some()
            && self
                .descriptions()
                .iter()
                .any(|one| one.field(field).is_some())
    }

    /// Whether there is no hub: the only device has neither id nor password, and a client is connected to it without a
    /// login.
    #[must_use]
    pub fn is_direct(&self) -> bool {
        let [device] = &self.devices[..] else {
            return false;
        };
        device.outfit().is_some_and(|outfit| outfit.is_direct())
    }
}
