//! Devices: what answers behind a hub.
//!
//! A device outlives the sessions of its tools and may speak at any time: a reply that a tool asked for can
//! come out when another tool is attached. Like everything here it is told the time and never waits.

pub mod bms;
mod bms_node;
mod can_bus;
pub mod config_xml;
mod custom_config;
mod express;
pub mod fate;
mod motor;
pub mod profile;
mod queue;
pub mod replay;
mod scan;
pub mod script;
mod worker;

pub use bms_node::{BmsNode, BmsNodeSettings};
pub use can_bus::{CanBus, Node, NodeKind};
pub use custom_config::Configs;
pub use express::{Express, ExpressIdentity, Pack};
pub use motor::{Motor, MotorSettings};
pub use replay::Replay;

use veschub_wire::{CommandId, Reply, command::Opaque};

use crate::time::Time;
use profile::Profile;

/// Something that answers requests.
pub trait Device: Send {
    /// A tool was attached. Real devices are not told; a recording begins anew.
    fn session_begins(&mut self, _now: Time) {}

    /// What was asked so far need not be answered any more. Real devices answer all the same; a hub that is better
    /// than real ones asks for this when a tool has left.
    fn drop_pending(&mut self) {}

    /// Takes in a request; empty payloads cannot occur.
    fn handle(&mut self, now: Time, payload: &[u8]);

    /// The next thing the device has to say.
    fn poll_output(&mut self) -> Option<DeviceOutput>;

    /// When to call [`handle_timeout`](Self::handle_timeout) next.
    fn poll_timeout(&self) -> Option<Time>;

    /// Does what was due by `now`; what is due then lies later.
    fn handle_timeout(&mut self, now: Time);
}

/// What a device has to say.
#[derive(Clone, Debug, PartialEq)]
pub enum DeviceOutput {
    /// A payload for the tool.
    Reply {
        /// When it was due.
        at: Time,
        /// The payload.
        payload: Vec<u8>,
        /// What the device held, before it was encoded; none where the bytes are all that is known.
        truth: Option<Box<Reply>>,
    },
    /// A request will not be answered: real devices stay silent, and the journal says why.
    Ignored {
        /// When that was clear.
        at: Time,
        /// The request's command.
        command: CommandId,
        /// Why, in a few words.
        why: String,
    },
    /// The device closes its connection to the hub, which closes its tool's.
    LinkDown {
        /// When.
        at: Time,
    },
    /// The device logs in to the hub again.
    LinkUp {
        /// When.
        at: Time,
    },
}

impl DeviceOutput {
    /// When it was due.
    #[must_use]
    pub fn at(&self) -> Time {
        match self {
            Self::Reply { at, .. }
            | Self::Ignored { at, .. }
            | Self::LinkDown { at }
            | Self::LinkUp { at } => *at,
        }
    }

    /// A reply together with what it was made from.
    #[must_use]
    pub fn reply(at: Time, reply: Reply) -> Self {
        Self::Reply {
            at,
            payload: reply.encode(),
            truth: Some(Box::new(reply)),
        }
    }
}

/// A payload for the tool and, where that is known, what it was made from.
#[derive(Clone, Debug, PartialEq)]
struct Answer {
    payload: Vec<u8>,
    truth: Option<Box<Reply>>,
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        Self {
            payload: reply.encode(),
            truth: Some(Box::new(reply)),
        }
    }
}

impl Answer {
    /// A payload that somebody wrote byte by byte; what it says is its truth, if it says something.
    fn raw(payload: &[u8]) -> Self {
        let decoded = Reply::decode(payload).ok();
        let truth = decoded.filter(|reply| reply.trailing.is_empty());
        Self {
            payload: payload.to_vec(),
            truth: truth.map(|reply| Box::new(reply.body)),
        }
    }

    fn at(self, at: Time) -> DeviceOutput {
        let Self { payload, truth } = self;
        DeviceOutput::Reply { at, payload, truth }
    }
}

/// FW_INFO: version and test number, then the hash of the firmware and that of the user's code
/// (`EX main/commands.c:1050-1086`).
fn fw_info(profile: &Profile) -> Reply {
    let mut arguments = vec![profile.major as u8, profile.minor as u8, 0];
    arguments.extend(b"simulated\0\0");
    Reply::Other(Opaque {
        id: CommandId::FW_INFO,
        arguments,
    })
}

/// GET_QML_UI_APP with nothing stored: no bytes of none, from none (`EX main/commands.c`).
fn no_qml_app() -> Reply {
    Reply::Other(Opaque {
        id: CommandId::GET_QML_UI_APP,
        arguments: vec![0; 8],
    })
}
