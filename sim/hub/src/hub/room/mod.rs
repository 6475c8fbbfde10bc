//! One device id: its device, of our own or from outside, and the tool that is attached.
//!
//! ```text
//!  tool bytes -> link -> parser, quirks, device -> encode -> link -> tool bytes      a device of our own
//!  tool bytes -> link -----------> device's connection ----> link -> tool bytes      a device from outside
//!                        \---------------\------------> journal
//! ```

mod steer;

use std::sync::Arc;

use veschub_transcript::Direction;
use veschub_wire::{DEVICE_MAX_PAYLOAD, Reply, TOOL_MAX_PAYLOAD, encode};

use super::{
    io::Output,
    outbox::{Draining, Outbox},
    relay::Relay,
    resident::{Access, Gate, Resident, Virtual},
    rules::Rules,
};
use crate::{
    carrier::LinkKeys,
    conn::ConnId,
    device::DeviceEvent,
    fault::{Behaviour, Link, LinkOutput, Watch},
    journal::{JournalEntry, JournalEvent},
    time::Time,
};

#[cfg(test)]
thread_local! {
    /// How often a room was asked when it wants to be called: the cost of a hub with many devices.
    pub(super) static ASKED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

pub(super) struct Room {
    id: Arc<str>,
    access: Access,
    occupant: Occupant,
    /// What carries the bytes of its device.
    link: Option<LinkKeys>,
    /// The last frame that a tool was sent, where the link asks for it.
    last_frame: Option<Vec<u8>>,
    session: Option<Session>,
    /// How many sessions there were.
    sessions: u32,
    /// The device has dropped its link, and no tool can reach it until it is back.
    away: bool,
    /// Somebody unplugged the device: no tool can reach it until it is plugged in.
    unplugged: bool,
}

/// A tool that is attached, and what harms the link to it.
struct Session {
    tool: ConnId,
    to_device: Link,
    to_tool: Link,
    watch: Watch,
    since: Time,
    requests: u64,
    replies: u64,
}

enum Occupant {
    Virtual(Virtual),
    Relayed(Relay),
}

impl Room {
    /// The room of a device of our own.
    pub(super) fn of_resident(id: String, resident: Resident) -> Self {
        let access = resident.access.clone();
        let link = resident.link.clone();
        Self {
            link,
            ..Self::new(id, access, Occupant::Virtual(Virtual::new(resident)))
        }
    }

    /// The room of a device from outside.
    pub(super) fn of_relay(id: String, relay: Relay) -> Self {
        Self::new(id, Access::Anyone, Occupant::Relayed(relay))
    }

    fn new(id: String, access: Access, occupant: Occupant) -> Self {
        Self {
            id: id.into(),
            access,
            occupant,
            link: None,
            last_frame: None,
            session: None,
            sessions: 0,
            away: false,
            unplugged: false,
        }
    }

    /// Its id, as the journal has it.
    pub(super) fn shared_id(&self) -> Arc<str> {
        Arc::clone(&self.id)
    }

    /// Whether the device has a link, so that tools can reach it.
    pub(super) fn is_here(&self) -> bool {
        !self.away && !self.unplugged
    }

    pub(super) fn allows(&self, password: &str) -> bool {
        match &self.occupant {
            Occupant::Virtual(_) => self.access.allows(password),
            Occupant::Relayed(relay) => relay.allows(password),
        }
    }

    pub(super) fn tool(&self) -> Option<ConnId> {
        self.session.as_ref().map(|session| session.tool)
    }

    /// The connection of the device, if it is from outside.
    pub(super) fn device(&self) -> Option<ConnId> {
        match &self.occupant {
            Occupant::Virtual(_) => None,
            Occupant::Relayed(relay) => Some(relay.conn),
        }
    }

    /// Makes a connection the tool of this device; the tool that this login disconnects.
    ///
    /// `with_login`: bytes came in one read with the login line.
    pub(super) fn attach(
        &mut self,
        now: Time,
        conn: ConnId,
        rules: &Rules,
        with_login: bool,
        outbox: &mut Outbox,
    ) -> Option<Draining> {
        let replaced = self.part();
        if let Some(old) = &replaced {
            self.note_left(now, old.tool, outbox);
        }
        self.sessions += 1;
        let mut did = Behaviour::attached(self.sessions, replaced.is_some());
        if with_login {
            did.note_wrote_with_login();
        }
        let link = |direction: Direction, max_payload| {
            let name = format!("{} session {} {direction}", self.id, self.sessions);
            let faults = rules.faults.arm(&self.id, direction);
            let carrier = self.link.as_ref().map(|link| link.carrier(direction));
            Link::new(faults, max_payload, now, rules.seed.derive(&name)).carried_by(carrier)
        };
        self.session = Some(Session {
            tool: conn,
            to_device: link(Direction::ToDevice, DEVICE_MAX_PAYLOAD),
            to_tool: link(Direction::ToTool, TOOL_MAX_PAYLOAD),
            watch: Watch::new(did, DEVICE_MAX_PAYLOAD),
            since: now,
            requests: 0,
            replies: 0,
        });
        match &mut self.occupant {
            Occupant::Virtual(device) => {
                if !rules.config.half_frames_stay {
                    device.flush_parser();
                }
                if !rules.config.late_replies {
                    device.drop_pending();
                    outbox.stops.let_fall(&self.id);
                }
                device.session_begins(now);
            }
            Occupant::Relayed(relay) => relay.tool_came(),
        }
        if let Some(link) = &self.link {
            let tail = link.tail_of(self.last_frame.as_deref());
            if !tail.is_empty() {
                self.raw(now, &tail, outbox);
            }
        }
        replaced
    }

    /// Ends the session, if there is one, from this side.
    pub(super) fn part(&mut self) -> Option<Draining> {
        let session = self.session.take()?;
        Some(Draining {
            tool: session.tool,
            link: session.to_tool,
        })
    }

    pub(super) fn count(&self, load: &mut super::Load) {
        load.rooms += 1;
        if let Some(session) = &self.session {
            load.sessions += 1;
            load.held += session.to_device.held() + session.to_tool.held();
        }
        match &self.occupant {
            Occupant::Virtual(device) => load.unparsed += device.waiting(),
            Occupant::Relayed(relay) => relay.count(load),
        }
    }

    /// Somebody listens to the CAN bus of its device from now on.
    pub(super) fn listen_to_can(&mut self) {
        if let Occupant::Virtual(device) = &mut self.occupant {
            device.listen_to_can();
        }
    }

    /// Whether whoever sends a datagram gets the answers from then on.
    pub(super) fn answers_the_last(&self) -> bool {
        self.link.as_ref().is_some_and(LinkKeys::is_udp)
    }

    /// Sends what follows to another tool. The device does not notice; without a session there is nothing to turn.
    pub(super) fn turn_to(&mut self, conn: ConnId) -> bool {
        match &mut self.session {
            Some(session) => session.tool = conn,
            None => return false,
        }
        true
    }

    /// Why the device breaks off a connection that comes, or that waited for the tool to leave.
    pub(super) fn turns_away(&mut self, now: Time, waited: bool) -> Option<JournalEvent> {
        match &mut self.occupant {
            Occupant::Virtual(device) => device.turns_away(now, waited),
            Occupant::Relayed(_) => None,
        }
    }

    pub(super) fn detach(&mut self, now: Time, conn: ConnId, outbox: &mut Outbox) {
        if self.tool() == Some(conn) {
            self.session = None;
            if let Occupant::Virtual(device) = &mut self.occupant {
                device.session_ends(now);
            }
        } else if self.answers_the_last() {
            return;
        }
        self.note_left(now, conn, outbox);
    }

    /// Notes what a tool that leaves has left in a parser.
    fn note_left(&mut self, now: Time, left_by: ConnId, outbox: &mut Outbox) {
        let events = match &mut self.occupant {
            Occupant::Virtual(device) => device.tool_left(),
            Occupant::Relayed(relay) => relay.tool_left(),
        };
        for event in events {
            self.note(now, Some(left_by), event, outbox);
        }
    }

    /// What the tool sends: onto its link.
    pub(super) fn tool_bytes(&mut self, now: Time, bytes: &[u8], outbox: &mut Outbox) {
        let mut rest = bytes;
        while let Some(session) = &mut self.session
            && !rest.is_empty()
        {
            let (request, later) = rest.split_at(session.watch.next(now, rest));
            session.to_device.push(now, request, &session.watch.did);
            rest = later;
        }
        self.pump(now, outbox);
    }

    /// What comes off the tool's link: to the device.
    fn hand_to_device(&mut self, now: Time, bytes: &[u8], outbox: &mut Outbox) {
        let tool = self.tool();
        match &mut self.occupant {
            Occupant::Virtual(device) => {
                let mut gate = Gate {
                    device: &self.id,
                    conn: tool,
                    stops: &mut outbox.stops,
                };
                device.bytes(now, bytes, &mut gate);
                self.drain_device(tool, outbox);
            }
            Occupant::Relayed(relay) => {
                let heard = relay.hear_tool(bytes);
                let bytes = Output::Write(bytes.to_vec());
                outbox.outputs.push((relay.conn, bytes));
                for event in heard {
                    self.count_request(&event);
                    self.note(now, tool, event, outbox);
                }
            }
        }
    }

    /// What a device from outside says.
    pub(super) fn device_bytes(
        &mut self,
        now: Time,
        bytes: &[u8],
        rules: &Rules,
        outbox: &mut Outbox,
    ) {
        let tool = self.tool();
        let Occupant::Relayed(relay) = &mut self.occupant else {
            return;
        };
        if tool.is_none() {
            let lost = relay.keep(bytes, rules.config.max_kept);
            if lost > 0 {
                let event = JournalEvent::DeviceBytesDiscarded { bytes: lost };
                self.note(now, None, event, outbox);
            }
            return;
        }
        let mut all = relay.take_early();
        all.extend_from_slice(bytes);
        for event in relay.hear_device(&all) {
            if let (JournalEvent::Reply { payload, .. }, Some(session)) =
                (&event, &mut self.session)
            {
                session.watch.did.note_reply(payload);
                session.replies += 1;
            }
            self.note(now, tool, event, outbox);
        }
        self.send_to_tool(now, &all, outbox);
    }

    /// Puts bytes onto the link to the tool.
    fn send_to_tool(&mut self, now: Time, bytes: &[u8], outbox: &mut Outbox) {
        if let Some(session) = &mut self.session {
            session.to_tool.push(now, bytes, &session.watch.did);
        }
        self.pump(now, outbox);
    }

    /// Takes off the links what is due.
    fn pump(&mut self, now: Time, outbox: &mut Outbox) {
        while let Some(session) = &mut self.session {
            let tool = session.tool;
            let fired = session
                .to_device
                .poll_fired()
                .or_else(|| session.to_tool.poll_fired());
            if let Some(fired) = fired {
                let at = fired.at;
                outbox.fired.extend(fired.id);
                self.note(at, Some(tool), JournalEvent::FaultFired(fired), outbox);
            } else if let Some(output) = session.to_device.poll_output(now) {
                match output {
                    LinkOutput::Bytes(at, bytes) => self.hand_to_device(at, &bytes, outbox),
                    LinkOutput::Fin(_) => {
                        if let Some(device) = self.device() {
                            outbox.outputs.push((device, Output::Shutdown));
                        }
                    }
                    LinkOutput::Reset(_) => outbox.outputs.push((tool, Output::Abort)),
                }
            } else if let Some(output) = session.to_tool.poll_output(now) {
                let output = match output {
                    LinkOutput::Bytes(_, bytes) => Output::Write(bytes),
                    LinkOutput::Fin(_) => Output::Shutdown,
                    LinkOutput::Reset(_) => Output::Abort,
                };
                outbox.outputs.push((tool, output));
            } else {
                return;
            }
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        #[cfg(test)]
        ASKED.set(ASKED.get() + 1);
        let device = match &self.occupant {
            Occupant::Virtual(device) => device.poll_timeout(),
            Occupant::Relayed(_) => None,
        };
        let links = self.session.iter().flat_map(|session| {
            let links = [&session.to_device, &session.to_tool];
            links.into_iter().filter_map(Link::poll_timeout)
        });
        links.chain(device).min()
    }

    pub(super) fn handle_timeout(&mut self, now: Time, outbox: &mut Outbox) {
        if let Some(session) = &mut self.session {
            session.to_device.handle_timeout(now);
            session.to_tool.handle_timeout(now);
        }
        self.pump(now, outbox);
        if let Occupant::Virtual(device) = &mut self.occupant {
            device.handle_timeout(now);
        }
        self.drain_device(self.tool(), outbox);
    }

    fn drain_device(&mut self, conn: Option<ConnId>, outbox: &mut Outbox) {
        while let Occupant::Virtual(device) = &mut self.occupant
            && let Some((at, event)) = device.poll_event()
        {
            match event {
                DeviceEvent::OnCan(frame) => outbox.on_can.push_back((at, frame)),
                DeviceEvent::Note(event) => {
                    self.count_request(&event);
                    self.note(at, conn, event, outbox);
                }
                DeviceEvent::Reply { payload, truth } => self.reply(at, payload, truth, outbox),
                DeviceEvent::Raw(bytes) => self.raw(at, &bytes, outbox),
                DeviceEvent::NotAnswered { command, why } => {
                    let event = JournalEvent::NotAnswered { command, why };
                    self.note(at, self.tool(), event, outbox);
                }
                DeviceEvent::LinkDown => {
                    // It comes back with an empty parser.
                    device.flush_parser();
                    self.away = true;
                    self.note(at, None, JournalEvent::LinkDown, outbox);
                    outbox.draining.extend(self.part());
                }
                DeviceEvent::LinkUp => {
                    self.away = false;
                    self.note(at, None, JournalEvent::LinkUp, outbox);
                }
            }
        }
    }

    /// Sends bytes as they are to whoever is the tool by now.
    fn raw(&mut self, at: Time, bytes: &[u8], outbox: &mut Outbox) {
        let tool = self.tool();
        let Occupant::Virtual(device) = &mut self.occupant else {
            return;
        };
        if tool.is_none() {
            let event = JournalEvent::DeviceBytesDiscarded { bytes: bytes.len() };
            return self.note(at, None, event, outbox);
        }
        for event in device.hear(bytes) {
            if let (JournalEvent::Reply { payload, .. }, Some(session)) =
                (&event, &mut self.session)
            {
                session.watch.did.note_reply(payload);
                session.replies += 1;
            }
            self.note(at, tool, event, outbox);
        }
        self.send_to_tool(at, bytes, outbox);
    }

    /// Sends a reply to whoever is the tool by now: a reply belongs to no tool.
    fn reply(
        &mut self,
        at: Time,
        payload: Vec<u8>,
        truth: Option<Box<Reply>>,
        outbox: &mut Outbox,
    ) {
        let Some(session) = &mut self.session else {
            return self.note(at, None, JournalEvent::ReplyDiscarded(payload), outbox);
        };
        let tool = session.tool;
        if let Some(frame) = encode(&payload) {
            if self.link.as_ref().is_some_and(LinkKeys::keeps_the_last) {
                self.last_frame = Some(frame.clone());
            }
            session.watch.did.note_reply(&payload);
            session.replies += 1;
            let event = JournalEvent::Reply { payload, truth };
            self.note(at, Some(tool), event, outbox);
            self.send_to_tool(at, &frame, outbox);
        }
    }

    fn note(&self, at: Time, conn: Option<ConnId>, event: JournalEvent, outbox: &mut Outbox) {
        outbox.journal.push_back(JournalEntry {
            at,
            conn,
            device: Some(Arc::clone(&self.id)),
            event,
        });
    }
}
