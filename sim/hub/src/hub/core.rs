//! The hub as its driver sees it: events and timers go in, outputs and journal entries come out.

use std::{
    collections::{BTreeMap, VecDeque},
    mem,
};

use veschub_transcript::can::Frame;
use veschub_wire::login::normalise_id;

use super::{
    faults::Faults,
    io::{Event, Output},
    lobby::Lobby,
    outbox::Outbox,
    profile::HubConfig,
    resident::Resident,
    room::Room,
    rooms::Rooms,
    rules::Rules,
};
use crate::{
    conn::ConnId,
    fault::{FaultPlan, Link},
    journal::{Closed, JournalEntry, JournalEvent},
    rng::Seed,
    time::Time,
};

/// What a connection is, once it is logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Tool,
    Device,
}

/// A device that listens itself, without a hub before it.
pub(super) struct Direct {
    pub(super) id: String,
    /// Connections that nobody reads, because the device serves one at a time.
    pub(super) waiting: Vec<ConnId>,
}

/// A fake VESCHub with its devices.
pub struct Hub {
    pub(super) rules: Rules,
    pub(super) lobby: Lobby,
    pub(super) rooms: Rooms,
    /// What each logged-in connection is, and at which device id.
    pub(super) members: BTreeMap<ConnId, (Role, String)>,
    /// Connections that are open on our side, with the bytes that have not left yet.
    pub(super) unsent: BTreeMap<ConnId, usize>,
    /// Connections of replaced devices that end with bytes unsent: when such a connection ends, the hub deletes the
    /// entry of its id, which is the successor's by then.
    pub(super) ending: BTreeMap<ConnId, (String, usize)>,
    /// Tools that the hub disconnects as soon as a fault lets go of what was sent to them last.
    pub(super) draining: BTreeMap<ConnId, (Link, Closed)>,
    /// Without a login: every connection is for the device with this id.
    pub(super) direct: Option<Direct>,
    pub(super) outputs: VecDeque<(ConnId, Output)>,
    pub(super) outbox: Outbox,
}

impl Hub {
    /// A hub with these devices; of two with one id, the later one stays. Without any it relays what comes.
    #[must_use]
    pub fn new(config: HubConfig, residents: Vec<Resident>) -> Self {
        let mut rooms = Rooms::default();
        for resident in residents {
            let id = normalise_id(&resident.id);
            rooms.insert(&id, Room::of_resident(id.clone(), resident));
        }
        rooms.settle();
        Self {
            lobby: Lobby::new(config.clone()),
            rules: Rules {
                config,
                faults: Faults::default(),
                seed: Seed(0),
            },
            rooms,
            members: BTreeMap::new(),
            unsent: BTreeMap::new(),
            ending: BTreeMap::new(),
            draining: BTreeMap::new(),
            direct: None,
            outputs: VecDeque::new(),
            outbox: Outbox::default(),
        }
    }

    /// The same hub with harm done to the links of every session; the seed decides what is random about it.
    #[must_use]
    pub fn with_faults(mut self, faults: FaultPlan, seed: Seed) -> Self {
        self.rules.faults = faults.into();
        self.rules.seed = seed;
        self
    }

    /// The same hub, which tells what goes over the CAN bus of this device: see [`poll_can`](Self::poll_can).
    #[must_use]
    pub fn listening_to_can(mut self, id: &str) -> Self {
        if let Some(room) = self.rooms.get_mut(&normalise_id(id)) {
            room.listen_to_can();
        }
        self.rooms.settle();
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
            return self.rooms.settle();
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
        self.rooms.settle();
    }

    /// Does what was due by `now`, each at its own time: who calls late gets the same journal as who calls in time.
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some(due) = self.poll_timeout().filter(|&due| due <= now) {
            self.poll_lobby(due);
            self.poll_draining(due);
            self.rooms.settle();
            for id in self.rooms.due_by(due) {
                if let Some(room) = self.rooms.get_mut(&id) {
                    room.handle_timeout(due, &mut self.outbox);
                }
            }
            self.collect(due);
            self.rooms.settle();
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        let draining = self
            .draining
            .values()
            .filter_map(|(link, _)| link.poll_timeout());
        let rooms = self.rooms.poll_timeout().into_iter();
        rooms.chain(draining).chain(self.lobby.poll_timeout()).min()
    }

    /// The next thing to do to a connection.
    pub fn poll_output(&mut self) -> Option<(ConnId, Output)> {
        self.outputs.pop_front()
    }

    /// The next thing that happened. Unless somebody takes the entries, they pile up.
    pub fn poll_journal(&mut self) -> Option<JournalEntry> {
        self.outbox.journal.pop_front()
    }

    /// The next frame on the CAN bus that is listened to. Unless somebody takes the frames, they pile up.
    pub fn poll_can(&mut self) -> Option<(Time, Frame)> {
        self.outbox.on_can.pop_front()
    }

    /// The ids that tools can log in with, in alphabetical order.
    pub fn device_ids(&self) -> impl Iterator<Item = &str> {
        self.rooms.ids()
    }

    /// Whether the device that serves directly has a link: without one, nobody can connect to it.
    #[must_use]
    pub fn device_is_here(&self) -> bool {
        let device = self.direct.as_ref().map(|direct| &direct.id);
        let room = device.and_then(|id| self.rooms.get(id));
        room.is_some_and(Room::is_here)
    }

    /// How much the hub holds.
    #[must_use]
    pub fn load(&self) -> super::Load {
        let mut load = super::Load {
            connections: self.unsent.len(),
            members: self.members.len(),
            waiting: self
                .direct
                .as_ref()
                .map_or(0, |direct| direct.waiting.len()),
            draining: self.draining.len(),
            ending: self.ending.len(),
            unsent: self.unsent.values().sum(),
            outputs: self.outputs.len() + self.outbox.outputs.len() + self.outbox.draining.len(),
            held: self.draining.values().map(|(link, _)| link.held()).sum(),
            ..super::Load::default()
        };
        self.lobby.count(&mut load);
        for room in self.rooms.all() {
            room.count(&mut load);
        }
        load
    }

    pub(super) fn bytes(&mut self, now: Time, conn: ConnId, bytes: &[u8]) {
        let Some((role, id)) = self.members.get(&conn) else {
            // In the lobby, or waiting unread for a device that serves somebody else.
            self.lobby.bytes(conn, bytes);
            return self.poll_lobby(now);
        };
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        if *role == Role::Tool && room.answers_the_last() && room.tool() != Some(conn) {
            if !room.is_here() {
                return;
            }
            if !room.turn_to(conn) {
                room.attach(now, conn, &self.rules, false, &mut self.outbox);
            }
            self.outbox.journal.push_back(JournalEntry {
                at: now,
                conn: Some(conn),
                device: Some(room.shared_id()),
                event: JournalEvent::Attached,
            });
        }
        match role {
            Role::Tool if room.tool() == Some(conn) => {
                room.tool_bytes(now, bytes, &mut self.outbox)
            }
            // A device whose entry was deleted is connected and reaches nobody.
            Role::Device if room.device() == Some(conn) => {
                room.device_bytes(now, bytes, &self.rules, &mut self.outbox);
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

    pub(super) fn send(&mut self, now: Time, conn: ConnId, bytes: Vec<u8>) {
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

    /// Does what the rooms want done.
    pub(super) fn collect(&mut self, now: Time) {
        for id in self.outbox.fired.drain(..) {
            self.rules.faults.count(id);
        }
        for (conn, output) in mem::take(&mut self.outbox.outputs) {
            match output {
                Output::Write(bytes) => self.send(now, conn, bytes),
                Output::Shutdown if self.unsent.contains_key(&conn) => {
                    self.outputs.push_back((conn, Output::Shutdown));
                }
                Output::Shutdown => {}
                Output::Close | Output::Abort => self.leave(now, conn, Closed::BrokenOff),
            }
        }
        for draining in mem::take(&mut self.outbox.draining) {
            self.drop_waiting(now);
            self.drain(now, draining, Closed::DeviceLeft);
        }
    }

    pub(super) fn note(&mut self, at: Time, conn: ConnId, event: JournalEvent) {
        let device = self.members.get(&conn).map(|(_, id)| id.as_str().into());
        self.outbox.journal.push_back(JournalEntry {
            at,
            conn: Some(conn),
            device,
            event,
        });
    }
}
