//! What a device is to the hub: something that takes requests and says replies, each with its time.

use veschub_wire::{CommandId, Reply};

use super::silence::Silence;
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
        /// Why.
        why: Silence,
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
}
