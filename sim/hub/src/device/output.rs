//! What a device is to the hub: something that takes requests and says replies, each with its time.

use std::collections::VecDeque;

use veschub_transcript::can::Frame;
use veschub_wire::{CommandId, Reply};

use super::{
    answer::Answer,
    steer::{About, Release, SetCommand, SetError, Told},
};
use crate::{Silence, journal::JournalEvent, time::Time};

/// Something that answers requests.
pub trait Device: Send {
    /// A tool was attached. Real devices are not told; a recording begins anew.
    fn session_begins(&mut self, _now: Time) {}

    /// What was asked so far need not be answered any more. Real devices answer all the same; a hub that is better
    /// than real ones asks for this when a tool has left.
    fn drop_pending(&mut self) {}

    /// Somebody listens to its CAN bus from now on.
    fn listen_to_can(&mut self) {}

    /// What it is, for who looks at it.
    fn about(&self) -> About {
        About::of_kind("other")
    }

    /// What it would tell now, or a node on its CAN bus would. Nothing that a client reads later changes by it.
    ///
    /// # Errors
    /// If there is no such node.
    fn told(&mut self, _now: Time, _can_id: Option<u8>) -> Result<Told, SetError> {
        Ok(Told::default())
    }

    /// Sets a value of it, or of a node on its CAN bus, from now on.
    ///
    /// # Errors
    /// If there is no such node or value.
    fn set(
        &mut self,
        _now: Time,
        _can_id: Option<u8>,
        _command: &SetCommand,
    ) -> Result<(), SetError> {
        Err(SetError::nothing("this device"))
    }

    /// Releases values that were set while it ran.
    ///
    /// # Errors
    /// If there is no such node or value, or nobody has set it.
    fn release(
        &mut self,
        _now: Time,
        _can_id: Option<u8>,
        _release: &Release,
    ) -> Result<(), SetError> {
        Err(SetError::nothing("this device"))
    }

    /// Restarts as after REBOOT; false, if it cannot.
    fn reboot(&mut self, _now: Time, _out: &mut Out) -> bool {
        false
    }

    /// Takes in a request; empty payloads cannot occur.
    fn handle(&mut self, now: Time, payload: &[u8], out: &mut Out);

    /// When to call [`handle_timeout`](Self::handle_timeout) next.
    fn poll_timeout(&self) -> Option<Time>;

    /// Does what was due by `now`; what is due then lies later.
    fn handle_timeout(&mut self, now: Time, out: &mut Out);
}

/// What comes out of a device, in order, each with the time at which it was due.
#[derive(Debug, Default)]
pub struct Out(VecDeque<(Time, DeviceEvent)>);

/// What a device does.
#[derive(Clone, Debug, PartialEq)]
pub enum DeviceEvent {
    /// It sends a payload to the tool.
    Reply {
        /// The payload.
        payload: Vec<u8>,
        /// What the device held, before it was encoded; none where the bytes are all that is known.
        truth: Option<Box<Reply>>,
    },
    /// It sends bytes that are no frame, or were not made as one.
    Raw(Vec<u8>),
    /// It will not answer a request: real devices stay silent, and the journal says why.
    NotAnswered {
        /// The request's command.
        command: CommandId,
        /// Why.
        why: Silence,
    },
    /// It closes its connection to the hub, and the hub closes the tool's.
    LinkDown,
    /// It logs in to the hub again.
    LinkUp,
    /// A frame went over its CAN bus; only for who listens.
    OnCan(Frame),
    /// Something happened that only the journal tells.
    Note(JournalEvent),
}

impl Out {
    /// The device sends a payload to the tool; `truth` is what it was made from, if that is known.
    pub fn reply(&mut self, at: Time, payload: Vec<u8>, truth: Option<Box<Reply>>) {
        self.push(at, DeviceEvent::Reply { payload, truth });
    }

    /// The device sends what a part of it made.
    pub(super) fn say(&mut self, at: Time, answer: Answer) {
        self.reply(at, answer.payload, answer.truth);
    }

    /// The device will not answer a request.
    pub fn silent(&mut self, at: Time, command: CommandId, why: Silence) {
        self.push(at, DeviceEvent::NotAnswered { command, why });
    }

    /// Something else happens.
    pub fn push(&mut self, at: Time, event: DeviceEvent) {
        self.0.push_back((at, event));
    }

    /// Takes out what came first.
    pub fn pop(&mut self) -> Option<(Time, DeviceEvent)> {
        self.0.pop_front()
    }
}
