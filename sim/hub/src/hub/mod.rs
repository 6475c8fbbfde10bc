//! The hub: connections come in, log in, and are piped to devices.
//!
//! A state machine without sockets: [`Hub::handle`] and [`Hub::handle_timeout`] take events with their time,
//! [`Hub::poll_output`] says what to send, [`Hub::poll_timeout`] when to call again, [`Hub::poll_journal`] what
//! happened. A connection is first in the `lobby` and then, as a tool or as a device, in the `room` of one device
//! id. Devices of our own and devices from outside live in one registry.
//!
//! The behaviour is that of VESC Tool's hub (`VT tcphub.cpp`): success is silence, failure is a close. Where it is
//! odd, [`HubConfig`] has a switch.

mod lobby;
mod profile;
mod relay;
mod resident;
mod room;

use std::collections::{BTreeMap, VecDeque};

use veschub_wire::{LoginKind, LoginLine, login::normalise_id};

pub use crate::conn::ConnId;
use crate::{
    device::Device,
    fault::{FaultPlan, Link, LinkOutput},
    journal::{Closed, JournalEntry, JournalEvent},
    quirk::Quirk,
    rng::Seed,
    time::Time,
};
use lobby::{Lobby, Verdict};
pub use profile::{HubConfig, HubKeys, HubProfile, SWITCHES};
use relay::Relay;
use room::{Parting, Room, RoomOutput};

/// What a connection can do to the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// Somebody connected.
    Opened,
    /// One read's worth of bytes came in; what was read together is handed over together.
    Bytes(&'a [u8]),
    /// This many bytes of earlier output left for the network.
    Flushed(usize),
    /// The peer will send nothing more.
    Eof,
    /// The connection is gone.
    Reset,
}

/// What the hub can do to a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send these bytes.
    Write(Vec<u8>),
    /// Send what is still unsent, then say that nothing more will come; what the peer says is still heard.
    Shutdown,
    /// Send what is still unsent, then end the connection in an orderly way.
    Close,
    /// Drop the connection and what is unsent; the peer sees it broken off.
    Abort,
}

/// A device of our own at the hub, and what it takes to talk to it.
pub struct Resident {
    /// The id that tools log in with; normalised when the hub takes it in.
    pub id: String,
    /// Who may talk to it.
    pub access: Access,
    /// The device itself.
    pub device: Box<dyn Device>,
    /// Odd behaviour between the hub and the device, applied in this order.
    pub quirks: Vec<Box<dyn Quirk>>,
}

/// Who may talk to a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Whoever knows the password.
    Password(String),
    /// Whoever knows the id: for a recording that does not say what the password was.
    Anyone,
}

impl Access {
    fn allows(&self, password: &str) -> bool {
        match self {
            Self::Password(wanted) => wanted == password,
            Self::Anyone => true,
        }
    }
}

/// What a connection is, once it is logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Tool,
    Device,
}

/// A device that listens itself, without a hub before it.
struct Direct {
    id: String,
    /// Connections that nobody reads, because the device serves one at a time.
    waiting: Vec<ConnId>,
}

/// What holds for every room.
struct Rules {
    config: HubConfig,
    /// Harm to the links between tools and devices.
    faults: FaultPlan,
    /// Decides what is random about it.
    seed: Seed,
}

/// A fake VESCHub with its devices.
pub struct Hub {
    rules: Rules,
    lobby: Lobby,
    rooms: BTreeMap<String, Room>,
    /// What each logged-in connection is, and at which device id.
    members: BTreeMap<ConnId, (Role, String)>,
    /// Connections that are open on our side, with the bytes that have not left yet.
    unsent: BTreeMap<ConnId, usize>,
    /// Connections of replaced devices that end with bytes unsent: when they have ended, they take the id with them.
    ending: BTreeMap<ConnId, (String, usize)>,
    /// Tools that have to go, while something holds up what was sent to them last, or the end itself.
    parting: BTreeMap<ConnId, (Link, Closed)>,
    /// Without a login: every connection is for the device with this id.
    direct: Option<Direct>,
    outputs: VecDeque<(ConnId, Output)>,
    journal: VecDeque<JournalEntry>,
}

impl Hub {
    /// A hub with these devices; of two with one id, the later one stays. Without any it relays what comes.
    #[must_use]
    pub fn new(config: HubConfig, residents: Vec<Resident>) -> Self {
        let rooms = residents
            .into_iter()
            .map(|resident| {
                let id = normalise_id(&resident.id);
                (id.clone(), Room::of_resident(id, resident))
            })
            .collect();
        Self {
            lobby: Lobby::new(config.clone()),
            rules: Rules {
                config,
                faults: FaultPlan::default(),
                seed: Seed(0),
            },
            rooms,
            members: BTreeMap::new(),
            unsent: BTreeMap::new(),
            ending: BTreeMap::new(),
            parting: BTreeMap::new(),
            direct: None,
            outputs: VecDeque::new(),
            journal: VecDeque::new(),
        }
    }

    /// The same hub with harm done to the links of every session; the seed decides what is random about it.
    #[must_use]
    pub fn with_faults(mut self, faults: FaultPlan, seed: Seed) -> Self {
        self.rules.faults = faults;
        self.rules.seed = seed;
        self
    }

    /// One device as its own TCP server: no login, and one connection at a time (`EX main/comm_wifi.c:241-272`).
    ///
    /// A further connection is accepted by the operating system, not read, and dropped when the first one ends.
    #[must_use]
    pub fn direct(config: HubConfig, resident: Resident) -> Self {
        let id = normalise_id(&resident.id);
        let mut hub = Self::new(config, vec![resident]);
        hub.direct = Some(Direct {
            id,
            waiting: Vec::new(),
        });
        hub
    }

    /// Takes in what a connection did, after what was due by then.
    pub fn handle(&mut self, now: Time, conn: ConnId, event: Event<'_>) {
        if let Event::Flushed(count) = event {
            self.flushed(now, conn, count);
            return;
        }
        self.handle_timeout(now);
        match event {
            Event::Opened => {
                self.note(now, conn, JournalEvent::Opened);
                self.unsent.insert(conn, 0);
                if self.direct.is_some() {
                    self.attach_directly(now, conn);
                } else {
                    self.lobby.open(now, conn);
                }
            }
            Event::Flushed(_) => {}
            Event::Bytes(bytes) => self.bytes(now, conn, bytes),
            Event::Eof => self.gone(now, conn, Closed::Peer),
            Event::Reset => self.gone(now, conn, Closed::PeerReset),
        }
        self.collect(now);
    }

    /// Does what was due by `now`, each at its own time: who calls late gets the same journal as who calls in time.
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some(due) = self.poll_timeout().filter(|&due| due <= now) {
            self.poll_lobby(due);
            self.poll_parting(due);
            for room in self.rooms.values_mut() {
                if room.poll_timeout().is_some_and(|first| first <= due) {
                    room.handle_timeout(due);
                }
            }
            self.collect(due);
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        let rooms = self.rooms.values().filter_map(Room::poll_timeout);
        let parting = self
            .parting
            .values()
            .filter_map(|(link, _)| link.poll_timeout());
        rooms.chain(parting).chain(self.lobby.poll_timeout()).min()
    }

    /// The next thing to do to a connection.
    pub fn poll_output(&mut self) -> Option<(ConnId, Output)> {
        self.outputs.pop_front()
    }

    /// The next thing that happened. Unless somebody takes the entries, they pile up.
    pub fn poll_journal(&mut self) -> Option<JournalEntry> {
        self.journal.pop_front()
    }

    /// The ids that tools can log in with, in alphabetical order.
    pub fn device_ids(&self) -> impl Iterator<Item = &str> {
        self.rooms.keys().map(String::as_str)
    }

    /// Whether the device that serves directly has a link: without one, nobody can connect to it.
    #[must_use]
    pub fn device_is_here(&self) -> bool {
        let device = self.direct.as_ref().map(|direct| &direct.id);
        let room = device.and_then(|id| self.rooms.get(id));
        room.is_some_and(Room::is_here)
    }

    fn attach_directly(&mut self, now: Time, conn: ConnId) {
        let Some(direct) = &mut self.direct else {
            return;
        };
        let Some(room) = self.rooms.get_mut(&direct.id) else {
            return;
        };
        if !room.is_here() {
            return self.close(now, conn, Closed::DeviceLeft);
        }
        if room.tool().is_some() {
            direct.waiting.push(conn);
            return self.note(now, conn, JournalEvent::NotServed);
        }
        room.attach(now, conn, &self.rules, false);
        self.members.insert(conn, (Role::Tool, direct.id.clone()));
        self.note(now, conn, JournalEvent::Attached);
    }

    fn bytes(&mut self, now: Time, conn: ConnId, bytes: &[u8]) {
        let Some((role, id)) = self.members.get(&conn) else {
            // In the lobby, or waiting unread for a device that serves somebody else.
            self.lobby.bytes(conn, bytes);
            return self.poll_lobby(now);
        };
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        match role {
            Role::Tool if room.tool() == Some(conn) => room.tool_bytes(now, bytes),
            // A device whose entry was deleted is connected and reaches nobody.
            Role::Device if room.device() == Some(conn) => {
                room.device_bytes(now, bytes, &self.rules);
            }
            Role::Tool | Role::Device => {}
        }
    }

    fn flushed(&mut self, now: Time, conn: ConnId, count: usize) {
        if let Some(unsent) = self.unsent.get_mut(&conn) {
            *unsent = unsent.saturating_sub(count);
        }
        if let Some((_, unsent)) = self.ending.get_mut(&conn) {
            *unsent = unsent.saturating_sub(count);
            if *unsent == 0 {
                self.ended(now, conn);
            }
        }
    }

    /// The connection of a replaced device has ended, late, and takes the entry of its successor with it.
    fn ended(&mut self, now: Time, conn: ConnId) {
        if let Some((id, _)) = self.ending.remove(&conn)
            && let Some(room) = self.rooms.remove(&id)
        {
            self.note(now, conn, JournalEvent::EntryDeleted { id });
            self.evict_tool(now, room);
        }
    }

    fn poll_lobby(&mut self, now: Time) {
        while let Some((conn, verdict)) = self.lobby.poll(now) {
            self.judge(now, conn, verdict);
        }
    }

    fn judge(&mut self, now: Time, conn: ConnId, verdict: Verdict) {
        match verdict {
            Verdict::Refused(reason) => self.refuse(now, conn, reason.to_string()),
            Verdict::TooLong => {
                let limit = self.rules.config.max_login_line;
                let reason = format!("no line feed within the first {limit} bytes");
                self.refuse(now, conn, reason);
            }
            Verdict::TimedOut => {
                let limit = self.rules.config.login_timeout.as_secs_f64();
                self.refuse(now, conn, format!("no login line within {limit} s"));
            }
            Verdict::HeldUp { by } => {
                let reason = format!(
                    "connection #{} was opened later, stayed silent and held it up for too long",
                    by.0
                );
                self.refuse(now, conn, reason);
            }
            Verdict::Line {
                login,
                swallowed,
                rest,
            } => {
                self.note(now, conn, JournalEvent::Login(login.clone()));
                if swallowed > 0 {
                    self.note(now, conn, JournalEvent::Swallowed { bytes: swallowed });
                }
                let with_login = swallowed > 0 || !rest.is_empty();
                self.admit(now, conn, &login, with_login);
                if !rest.is_empty() && self.members.contains_key(&conn) {
                    self.bytes(now, conn, &rest);
                }
            }
        }
    }

    fn admit(&mut self, now: Time, conn: ConnId, login: &LoginLine, with_login: bool) {
        let room = self.rooms.get_mut(&login.id).filter(|room| room.is_here());
        match (login.kind, room) {
            (LoginKind::Ping, room) => {
                let answer: &[u8] = if room.is_some() { b"PONG\n" } else { b"NULL\n" };
                self.send(now, conn, answer.to_vec());
                self.close(now, conn, Closed::Answered);
            }
            (LoginKind::Tool, Some(room)) if room.allows(login.password.reveal()) => {
                let parting = room.attach(now, conn, &self.rules, with_login);
                self.collect(now);
                self.members.insert(conn, (Role::Tool, login.id.clone()));
                self.note(now, conn, JournalEvent::Attached);
                if let Some(old) = parting {
                    self.part(now, old, Closed::Replaced { by: conn });
                }
            }
            (LoginKind::Tool, Some(_)) => self.refuse(now, conn, "wrong password".to_owned()),
            (LoginKind::Tool, None) => {
                self.refuse(now, conn, format!("no device with the id {}", login.id));
            }
            (LoginKind::Device, _) => self.register(now, conn, login),
        }
    }

    /// Takes in a device from outside, in the place of one with the same id.
    fn register(&mut self, now: Time, conn: ConnId, login: &LoginLine) {
        if let Some(old) = self.rooms.remove(&login.id) {
            self.evict(now, conn, &login.id, old);
        }
        let password = login.password.reveal().to_owned();
        let relay = Relay::new(conn, password, self.rules.config.keeps_early_bytes);
        let room = Room::of_relay(login.id.clone(), relay);
        self.rooms.insert(login.id.clone(), room);
        self.members.insert(conn, (Role::Device, login.id.clone()));
        self.note(now, conn, JournalEvent::Registered);
    }

    fn evict(&mut self, now: Time, by: ConnId, id: &str, old: Room) {
        if let Some(device) = old.device() {
            let unsent = self.unsent.get(&device).copied().unwrap_or_default();
            if unsent > 0 && self.rules.config.replacement_deletes {
                self.ending.insert(device, (id.to_owned(), unsent));
            }
            self.close(now, device, Closed::Replaced { by });
        }
        self.evict_tool(now, old);
    }

    fn evict_tool(&mut self, now: Time, mut room: Room) {
        if let Some(parting) = room.part() {
            self.part(now, parting, Closed::DeviceLeft);
        }
    }

    /// Closes a tool's connection once everything is off its link.
    fn part(&mut self, now: Time, parting: Parting, how: Closed) {
        let Parting { tool, mut link } = parting;
        if link.is_clear() {
            return self.close(now, tool, how);
        }
        link.eof(now);
        self.members.remove(&tool);
        self.parting.insert(tool, (link, how));
        self.poll_parting(now);
    }

    fn poll_parting(&mut self, now: Time) {
        let mut outputs = Vec::new();
        for (&tool, (link, how)) in &mut self.parting {
            link.handle_timeout(now);
            while let Some(fired) = link.poll_fired() {
                self.journal.push_back(JournalEntry {
                    at: fired.at,
                    conn: Some(tool),
                    device: None,
                    what: JournalEvent::FaultFired(fired),
                });
            }
            while let Some(output) = link.poll_output(now) {
                outputs.push((tool, output, *how));
            }
        }
        for (tool, output, how) in outputs {
            match output {
                LinkOutput::Bytes(_, bytes) => self.send(now, tool, bytes),
                LinkOutput::Fin(_) => self.close(now, tool, how),
                LinkOutput::Reset(_) => self.close(now, tool, Closed::BrokenOff),
            }
        }
    }

    fn refuse(&mut self, now: Time, conn: ConnId, reason: String) {
        self.note(now, conn, JournalEvent::LoginRefused { reason });
        self.close(now, conn, Closed::Refused);
    }

    /// The peer of a connection left.
    fn gone(&mut self, now: Time, conn: ConnId, how: Closed) {
        self.ended(now, conn);
        self.lobby.leave(conn);
        self.leave(now, conn, how);
    }

    /// Takes a connection out of its room, if it is in one, and ends it.
    fn leave(&mut self, now: Time, conn: ConnId, how: Closed) {
        let member = self.members.get(&conn).cloned();
        match member {
            Some((Role::Tool, id)) => {
                if let Some(room) = self.rooms.get_mut(&id) {
                    room.detach(now, conn);
                    self.journal.extend(room.drain_journal());
                }
                self.close(now, conn, how);
                self.drop_waiting(now);
            }
            Some((Role::Device, id)) => {
                self.close(now, conn, how);
                let own = self
                    .rooms
                    .get(&id)
                    .is_some_and(|room| room.device() == Some(conn));
                if own && let Some(room) = self.rooms.remove(&id) {
                    self.evict_tool(now, room);
                }
            }
            None => self.close(now, conn, how),
        }
    }

    /// Drops the connections that waited for a device which serves directly.
    fn drop_waiting(&mut self, now: Time) {
        let direct = self.direct.as_mut();
        let waiting = direct.map(|direct| std::mem::take(&mut direct.waiting));
        for conn in waiting.unwrap_or_default() {
            self.close(now, conn, Closed::Refused);
        }
    }

    fn close(&mut self, now: Time, conn: ConnId, how: Closed) {
        if self.unsent.remove(&conn).is_some() {
            let output = match how {
                Closed::PeerReset | Closed::Flooded | Closed::BrokenOff => Output::Abort,
                _ => Output::Close,
            };
            self.outputs.push_back((conn, output));
            self.note(now, conn, JournalEvent::Closed(how));
        }
        self.members.remove(&conn);
        self.parting.remove(&conn);
        self.lobby.forget(conn);
    }

    fn send(&mut self, now: Time, conn: ConnId, bytes: Vec<u8>) {
        let Some(unsent) = self.unsent.get_mut(&conn) else {
            return;
        };
        *unsent += bytes.len();
        if *unsent > self.rules.config.max_unsent {
            self.leave(now, conn, Closed::Flooded);
        } else {
            self.outputs.push_back((conn, Output::Write(bytes)));
        }
    }

    /// Moves what the rooms have to say to the hub's own queues.
    fn collect(&mut self, now: Time) {
        let mut outputs = Vec::new();
        let mut parted = Vec::new();
        for room in self.rooms.values_mut() {
            outputs.extend(room.drain_output());
            self.journal.extend(room.drain_journal());
            parted.extend(room.take_parted());
        }
        for (conn, output) in outputs {
            match output {
                RoomOutput::Bytes(bytes) => self.send(now, conn, bytes),
                RoomOutput::Shutdown if self.unsent.contains_key(&conn) => {
                    self.outputs.push_back((conn, Output::Shutdown));
                }
                RoomOutput::Shutdown => {}
                RoomOutput::Abort => self.leave(now, conn, Closed::BrokenOff),
            }
        }
        for parting in parted {
            self.drop_waiting(now);
            self.part(now, parting, Closed::DeviceLeft);
        }
    }

    fn note(&mut self, at: Time, conn: ConnId, what: JournalEvent) {
        let device = self.members.get(&conn).map(|(_, id)| id.clone());
        self.journal.push_back(JournalEntry {
            at,
            conn: Some(conn),
            device,
            what,
        });
    }
}
