//! Devices: what answers behind a hub.
//!
//! A device outlives the sessions of its tools and may speak at any time: a reply that a tool asked for can
//! come out when another tool is attached. Like everything here it is told the time and never waits.

pub mod bms;
mod can_bus;
mod express;
mod motor;
mod queue;
pub mod replay;

pub use can_bus::CanBus;
pub use express::{Express, ExpressIdentity};
pub use motor::{Motor, MotorSettings};
pub use replay::Replay;

use veschub_wire::{CommandId, Reply};

use crate::time::Time;

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
}

impl DeviceOutput {
    /// When it was due.
    #[must_use]
    pub fn at(&self) -> Time {
        match self {
            Self::Reply { at, .. } | Self::Ignored { at, .. } => *at,
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
