//! What somebody sees of a room, and does to it, while the hub runs.

use veschub_transcript::Direction;

use super::{Draining, Occupant, Outbox, Room, Session, Virtual};
use crate::{
    conn::ConnId,
    device::{About, Device, DeviceEvent},
    fault::{Armed, FaultId, Link},
    journal::JournalEvent,
    time::Time,
};

/// A tool's session, for who looks at it.
pub(in crate::hub) struct SessionSeen {
    pub(in crate::hub) tool: ConnId,
    pub(in crate::hub) since: Time,
    pub(in crate::hub) requests: u64,
    pub(in crate::hub) replies: u64,
    pub(in crate::hub) held: usize,
}

impl Session {
    fn link(&mut self, direction: Direction) -> &mut Link {
        match direction {
            Direction::ToDevice => &mut self.to_device,
            Direction::ToTool => &mut self.to_tool,
        }
    }
}

impl Room {
    pub(in crate::hub) fn id(&self) -> &str {
        &self.id
    }

    pub(in crate::hub) fn is_unplugged(&self) -> bool {
        self.unplugged
    }

    pub(in crate::hub) fn about(&self) -> About {
        match &self.occupant {
            Occupant::Virtual(resident) => resident.device.about(),
            Occupant::Relayed(_) => About::of_kind("outside"),
        }
    }

    /// The session that is open.
    pub(in crate::hub) fn seen(&self) -> Option<SessionSeen> {
        let session = self.session.as_ref()?;
        Some(SessionSeen {
            tool: session.tool,
            since: session.since,
            requests: session.requests,
            replies: session.replies,
            held: session.to_device.held() + session.to_tool.held(),
        })
    }

    /// When the device from outside logged in.
    pub(in crate::hub) fn outside_since(&self) -> Option<Time> {
        match &self.occupant {
            Occupant::Virtual(_) => None,
            Occupant::Relayed(relay) => Some(relay.since),
        }
    }

    /// The device of our own.
    pub(in crate::hub) fn own(&mut self) -> Option<&mut dyn Device> {
        Some(&mut *self.resident()?.device)
    }

    /// The device of our own, with its parser and quirks.
    pub(in crate::hub) fn resident(&mut self) -> Option<&mut Virtual> {
        match &mut self.occupant {
            Occupant::Virtual(resident) => Some(resident),
            Occupant::Relayed(_) => None,
        }
    }

    pub(super) fn count_request(&mut self, event: &JournalEvent) {
        if let (JournalEvent::Request(_), Some(session)) = (event, &mut self.session) {
            session.requests += 1;
        }
    }

    /// No tool can reach the device from now on; the one that is attached is to be disconnected.
    pub(in crate::hub) fn unplug(&mut self) -> Option<Draining> {
        self.unplugged = true;
        if let Occupant::Virtual(resident) = &mut self.occupant {
            // It comes back with an empty parser.
            resident.flush_parser();
        }
        self.part()
    }

    pub(in crate::hub) fn plug(&mut self) {
        self.unplugged = false;
    }

    /// Restarts the device; false, if it cannot.
    pub(in crate::hub) fn reboot(&mut self, now: Time, outbox: &mut Outbox) -> bool {
        let Some(resident) = self.resident() else {
            return false;
        };
        let reboots = resident.device.reboot(now, &mut resident.out);
        self.drain_device(self.tool(), outbox);
        reboots
    }

    /// A request that was held goes on to the quirks and the device.
    pub(in crate::hub) fn go_on(
        &mut self,
        now: Time,
        conn: Option<ConnId>,
        payload: &[u8],
        outbox: &mut Outbox,
    ) {
        if let Some(resident) = self.resident() {
            resident.go_on(now, payload);
            self.drain_device(conn, outbox);
        }
    }

    /// Somebody else answers in the device's place, or nobody does.
    pub(in crate::hub) fn happen(&mut self, now: Time, event: DeviceEvent, outbox: &mut Outbox) {
        if let Some(resident) = self.resident() {
            resident.out.push(now, event);
            self.drain_device(self.tool(), outbox);
        }
    }

    /// Harms the link of the session that is open.
    pub(in crate::hub) fn add_fault(
        &mut self,
        now: Time,
        direction: Direction,
        fault: Armed,
        outbox: &mut Outbox,
    ) {
        if let Some(session) = &mut self.session {
            session.link(direction).add(now, fault);
        }
        self.pump(now, outbox);
    }

    /// Harms the link of the session that is open no longer.
    pub(in crate::hub) fn remove_fault(
        &mut self,
        now: Time,
        direction: Direction,
        id: FaultId,
        outbox: &mut Outbox,
    ) {
        if let Some(session) = &mut self.session {
            session.link(direction).remove(now, id);
        }
        self.pump(now, outbox);
    }
}
