//! One device id: its device, of our own or from outside, and the tool that is attached.
//!
//! ```text
//!  tool bytes -> link -> parser, quirks, device -> encode -> link -> tool bytes      a device of our own
//!  tool bytes -> link -----------> device's connection ----> link -> tool bytes      a device from outside
//!                        \---------------\------------> journal
//! ```

use veschub_transcript::Direction;
use veschub_wire::{DEVICE_MAX_PAYLOAD, Reply, TOOL_MAX_PAYLOAD, encode};

use super::{
    Access, ConnId, Resident, Rules,
    relay::Relay,
    resident::{Said, Virtual},
};
use crate::{
    device::DeviceOutput,
    fault::{Behaviour, Link, LinkOutput, Watch},
    journal::{JournalEntry, JournalEvent},
    time::Time,
};

pub(super) struct Room {
    id: String,
    access: Access,
    occupant: Occupant,
    session: Option<Session>,
    /// How many sessions there were.
    sessions: u32,
    output: Vec<(ConnId, RoomOutput)>,
    journal: Vec<JournalEntry>,
    /// The device has dropped its link, and nobody reaches it until it is back.
    away: bool,
    /// The tool that has to go for that.
    parted: Option<Parting>,
}

/// A tool that is attached, and what harms the link to it.
struct Session {
    tool: ConnId,
    to_device: Link,
    to_tool: Link,
    watch: Watch,
}

/// A tool that has to go, and the link that what was sent to it last is still on.
pub(super) struct Parting {
    pub(super) tool: ConnId,
    pub(super) link: Link,
}

/// What a room does to a connection.
#[derive(Debug)]
pub(super) enum RoomOutput {
    Bytes(Vec<u8>),
    Shutdown,
    Abort,
}

enum Occupant {
    Virtual(Virtual),
    Relayed(Relay),
}

impl Room {
    /// The room of a device of our own.
    pub(super) fn of_resident(id: String, resident: Resident) -> Self {
        let access = resident.access.clone();
        Self::new(id, access, Occupant::Virtual(Virtual::new(resident)))
    }

    /// The room of a device from outside.
    pub(super) fn of_relay(id: String, relay: Relay) -> Self {
        Self::new(id, Access::Anyone, Occupant::Relayed(relay))
    }

    fn new(id: String, access: Access, occupant: Occupant) -> Self {
        Self {
            id,
            access,
            occupant,
            session: None,
            sessions: 0,
            output: Vec::new(),
            journal: Vec::new(),
            away: false,
            parted: None,
        }
    }

    /// Whether the device has a link, so that tools can reach it.
    pub(super) fn is_here(&self) -> bool {
        !self.away
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

    /// Makes a connection the tool of this device, and says which one has to go for it.
    ///
    /// `with_login`: bytes came in one read with the login line.
    pub(super) fn attach(
        &mut self,
        now: Time,
        conn: ConnId,
        rules: &Rules,
        with_login: bool,
    ) -> Option<Parting> {
        let parting = self.part();
        if let Some(old) = &parting {
            self.note_half_frame(now, old.tool);
        }
        self.sessions += 1;
        let mut did = Behaviour::attached(self.sessions, parting.is_some());
        if with_login {
            did.note_wrote_with_login();
        }
        let link = |direction: Direction, max_payload| {
            let name = format!("{} session {} {direction}", self.id, self.sessions);
            let faults = rules.faults.arm(direction);
            Link::new(faults, max_payload, now, rules.seed.derive(&name))
        };
        self.session = Some(Session {
            tool: conn,
            to_device: link(Direction::ToDevice, DEVICE_MAX_PAYLOAD),
            to_tool: link(Direction::ToTool, TOOL_MAX_PAYLOAD),
            watch: Watch::new(did, DEVICE_MAX_PAYLOAD),
        });
        match &mut self.occupant {
            Occupant::Virtual(device) => {
                if !rules.config.half_frames_stay {
                    device.flush_parser();
                }
                if !rules.config.late_replies {
                    device.drop_pending();
                }
                device.session_begins(now);
            }
            Occupant::Relayed(relay) => relay.tool_came(),
        }
        parting
    }

    /// Ends the session, if there is one, from this side.
    pub(super) fn part(&mut self) -> Option<Parting> {
        let session = self.session.take()?;
        Some(Parting {
            tool: session.tool,
            link: session.to_tool,
        })
    }

    pub(super) fn detach(&mut self, now: Time, conn: ConnId) {
        if self.tool() == Some(conn) {
            self.session = None;
        }
        self.note_half_frame(now, conn);
    }

    fn note_half_frame(&mut self, now: Time, left_by: ConnId) {
        if let Occupant::Virtual(device) = &self.occupant {
            let bytes = device.half_frame();
            if bytes > 0 {
                self.note(now, Some(left_by), JournalEvent::HalfFrameLeft { bytes });
            }
        }
    }

    /// What the tool sends: onto its link.
    pub(super) fn tool_bytes(&mut self, now: Time, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(session) = &mut self.session
            && !rest.is_empty()
        {
            let (request, later) = rest.split_at(session.watch.next(now, rest));
            session.to_device.push(now, request, &session.watch.did);
            rest = later;
        }
        self.pump(now);
    }

    /// What comes off the tool's link: to the device.
    fn hand_to_device(&mut self, now: Time, bytes: &[u8]) {
        let tool = self.tool();
        match &mut self.occupant {
            Occupant::Virtual(device) => {
                device.bytes(now, bytes);
                self.drain_device(tool);
            }
            Occupant::Relayed(relay) => {
                let heard = relay.hear_tool(bytes);
                let bytes = RoomOutput::Bytes(bytes.to_vec());
                self.output.push((relay.conn, bytes));
                for what in heard {
                    self.note(now, tool, what);
                }
            }
        }
    }

    /// What a device from outside says.
    pub(super) fn device_bytes(&mut self, now: Time, bytes: &[u8], rules: &Rules) {
        let tool = self.tool();
        let Occupant::Relayed(relay) = &mut self.occupant else {
            return;
        };
        if tool.is_none() {
            let lost = relay.keep(bytes, rules.config.max_kept);
            if lost > 0 {
                self.note(now, None, JournalEvent::Unheard { bytes: lost });
            }
            return;
        }
        let mut all = relay.take_early();
        all.extend_from_slice(bytes);
        for what in relay.hear_device(&all) {
            if let (JournalEvent::Reply { payload, .. }, Some(session)) = (&what, &mut self.session)
            {
                session.watch.did.note_reply(payload);
            }
            self.note(now, tool, what);
        }
        self.send_to_tool(now, &all);
    }

    /// Puts bytes onto the link to the tool.
    fn send_to_tool(&mut self, now: Time, bytes: &[u8]) {
        if let Some(session) = &mut self.session {
            session.to_tool.push(now, bytes, &session.watch.did);
        }
        self.pump(now);
    }

    /// Takes off the links what is due.
    fn pump(&mut self, now: Time) {
        while let Some(session) = &mut self.session {
            let tool = session.tool;
            let fired = session
                .to_device
                .poll_fired()
                .or_else(|| session.to_tool.poll_fired());
            if let Some(fired) = fired {
                self.note(fired.at, Some(tool), JournalEvent::FaultFired(fired));
            } else if let Some(output) = session.to_device.poll_output(now) {
                match output {
                    LinkOutput::Bytes(at, bytes) => self.hand_to_device(at, &bytes),
                    LinkOutput::Fin(_) => {
                        if let Some(device) = self.device() {
                            self.output.push((device, RoomOutput::Shutdown));
                        }
                    }
                    LinkOutput::Reset(_) => self.output.push((tool, RoomOutput::Abort)),
                }
            } else if let Some(output) = session.to_tool.poll_output(now) {
                let output = match output {
                    LinkOutput::Bytes(_, bytes) => RoomOutput::Bytes(bytes),
                    LinkOutput::Fin(_) => RoomOutput::Shutdown,
                    LinkOutput::Reset(_) => RoomOutput::Abort,
                };
                self.output.push((tool, output));
            } else {
                return;
            }
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
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

    pub(super) fn handle_timeout(&mut self, now: Time) {
        if let Some(session) = &mut self.session {
            session.to_device.handle_timeout(now);
            session.to_tool.handle_timeout(now);
        }
        self.pump(now);
        if let Occupant::Virtual(device) = &mut self.occupant {
            device.handle_timeout(now);
        }
        self.drain_device(self.tool());
    }

    fn drain_device(&mut self, conn: Option<ConnId>) {
        while let Occupant::Virtual(device) = &mut self.occupant
            && let Some((at, said)) = device.poll_said()
        {
            match said {
                Said::Note(what) => self.note(at, conn, what),
                Said::Output(DeviceOutput::Reply { payload, truth, .. }) => {
                    self.reply(at, payload, truth);
                }
                Said::Output(DeviceOutput::Ignored { command, why, .. }) => {
                    self.note(at, self.tool(), JournalEvent::Ignored { command, why });
                }
                Said::Output(DeviceOutput::LinkDown { at }) => {
                    // It comes back with an empty parser.
                    device.flush_parser();
                    self.away = true;
                    self.note(at, None, JournalEvent::LinkDown);
                    if let Some(parting) = self.part() {
                        self.parted = Some(parting);
                    }
                }
                Said::Output(DeviceOutput::LinkUp { at }) => {
                    self.away = false;
                    self.note(at, None, JournalEvent::LinkUp);
                }
            }
        }
    }

    /// Sends a reply to whoever is the tool by now: the pipe has no owners.
    fn reply(&mut self, at: Time, payload: Vec<u8>, truth: Option<Box<Reply>>) {
        let Some(session) = &mut self.session else {
            self.note(at, None, JournalEvent::NobodyThere(payload));
            return;
        };
        let tool = session.tool;
        if let Some(frame) = encode(&payload) {
            session.watch.did.note_reply(&payload);
            self.note(at, Some(tool), JournalEvent::Reply { payload, truth });
            self.send_to_tool(at, &frame);
        }
    }

    /// The tool that has to go because the device dropped its link.
    pub(super) fn take_parted(&mut self) -> Option<Parting> {
        self.parted.take()
    }

    pub(super) fn drain_output(&mut self) -> impl Iterator<Item = (ConnId, RoomOutput)> {
        self.output.drain(..)
    }

    pub(super) fn drain_journal(&mut self) -> impl Iterator<Item = JournalEntry> {
        self.journal.drain(..)
    }

    fn note(&mut self, at: Time, conn: Option<ConnId>, what: JournalEvent) {
        self.journal.push(JournalEntry {
            at,
            conn,
            device: Some(self.id.clone()),
            what,
        });
    }
}
