//! The hub: connections come in, log in, and are piped to devices.
//!
//! A state machine without sockets: [`Hub::handle`] and [`Hub::handle_timeout`] take events with their time,
//! [`Hub::poll_output`] says what to send, [`Hub::poll_timeout`] when to call again, [`Hub::poll_journal`] what
//! happened. A connection is first in the [`lobby`] and then, as a tool, in the [`room`] of one device.
//!
//! The behaviour is that of VESC Tool's hub (`VT tcphub.cpp`): success is silence, failure is a close, and the
//! bytes that arrive in the same read as the login line are thrown away.

mod lobby;
mod room;

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use veschub_wire::{LoginKind, LoginLine, login::normalise_id};

use crate::{
    device::Device,
    journal::{Closed, Happening, JournalEntry},
    quirk::Quirk,
    time::Time,
};
use lobby::{Lobby, Verdict};
use room::Room;

/// A connection to the hub, numbered in the order of arrival from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u32);

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
    /// Send what is still unsent, then end the connection in an orderly way.
    Close,
    /// Drop the connection and what is unsent.
    Abort,
}

/// How a hub behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubConfig {
    /// How long a connection may take to send its login line (`VT tcphub.cpp:88-95`: 5 s).
    pub login_timeout: Duration,
    /// The longest login line in bytes; the reference hub has no limit, a simulator must have one.
    pub max_login_line: usize,
    /// The most bytes that may wait for a peer that does not read; beyond it the connection is dropped.
    pub max_unsent: usize,
}

impl Default for HubConfig {
    fn default() -> Self {
        Self {
            login_timeout: Duration::from_secs(5),
            max_login_line: 256 * 1024,
            max_unsent: 1024 * 1024,
        }
    }
}

/// A device at the hub, and what it takes to talk to it.
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

/// A fake VESCHub with its devices.
pub struct Hub {
    config: HubConfig,
    lobby: Lobby,
    rooms: BTreeMap<String, Room>,
    /// Where each logged-in connection is.
    tools: BTreeMap<ConnId, String>,
    unsent: BTreeMap<ConnId, usize>,
    outputs: VecDeque<(ConnId, Output)>,
    journal: VecDeque<JournalEntry>,
}

impl Hub {
    /// A hub with these devices; of two with one id, the later one stays.
    #[must_use]
    pub fn new(config: HubConfig, residents: Vec<Resident>) -> Self {
        let rooms = residents
            .into_iter()
            .map(|resident| {
                let id = normalise_id(&resident.id);
                (id.clone(), Room::new(id, resident))
            })
            .collect();
        Self {
            lobby: Lobby::new(config.login_timeout, config.max_login_line),
            config,
            rooms,
            tools: BTreeMap::new(),
            unsent: BTreeMap::new(),
            outputs: VecDeque::new(),
            journal: VecDeque::new(),
        }
    }

    /// Takes in what a connection did, after what was due by then.
    pub fn handle(&mut self, now: Time, conn: ConnId, event: Event<'_>) {
        if let Event::Flushed(count) = event {
            if let Some(unsent) = self.unsent.get_mut(&conn) {
                *unsent = unsent.saturating_sub(count);
            }
            return;
        }
        self.handle_timeout(now);
        match event {
            Event::Opened => {
                self.note(now, conn, Happening::Opened);
                self.lobby.open(now, conn);
                self.unsent.insert(conn, 0);
            }
            Event::Flushed(_) => {}
            Event::Bytes(bytes) => match self.tools.get(&conn) {
                Some(id) => {
                    if let Some(room) = self.rooms.get_mut(id) {
                        room.tool_bytes(now, conn, bytes);
                    }
                }
                None => {
                    let verdict = self.lobby.bytes(conn, bytes);
                    self.judge(now, conn, verdict);
                }
            },
            Event::Eof => self.leave(now, conn, Closed::Peer),
            Event::Reset => self.leave(now, conn, Closed::PeerReset),
        }
        self.collect(now);
    }

    /// Does what was due by `now`, each at its own time: who calls late gets the same journal as who calls in time.
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some(due) = self.poll_timeout().filter(|&due| due <= now) {
            for conn in self.lobby.expired(due) {
                let limit = self.config.login_timeout.as_secs_f64();
                self.refuse(due, conn, format!("no login line within {limit} s"));
            }
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
        rooms.chain(self.lobby.poll_timeout()).min()
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

    fn judge(&mut self, now: Time, conn: ConnId, verdict: Verdict) {
        match verdict {
            Verdict::Wait => {}
            Verdict::Refused(reason) => self.refuse(now, conn, reason.to_string()),
            Verdict::TooLong => {
                let limit = self.config.max_login_line;
                let reason = format!("no line feed within the first {limit} bytes");
                self.refuse(now, conn, reason);
            }
            Verdict::Line { login, swallowed } => {
                self.note(now, conn, Happening::Login(login.clone()));
                if swallowed > 0 {
                    self.note(now, conn, Happening::Swallowed { bytes: swallowed });
                }
                self.admit(now, conn, &login);
            }
        }
    }

    fn admit(&mut self, now: Time, conn: ConnId, login: &LoginLine) {
        let room = self.rooms.get_mut(&login.id);
        match (login.kind, room) {
            (LoginKind::Ping, room) => {
                let answer: &[u8] = if room.is_some() { b"PONG\n" } else { b"NULL\n" };
                self.send(now, conn, answer.to_vec());
                self.close(now, conn, Closed::Answered);
            }
            (LoginKind::Tool, Some(room)) if room.allows(login.password.reveal()) => {
                let replaced = room.attach(now, conn);
                self.collect(now);
                self.tools.insert(conn, login.id.clone());
                self.note(now, conn, Happening::Attached);
                if let Some(old) = replaced {
                    self.close(now, old, Closed::Replaced { by: conn });
                }
            }
            (LoginKind::Tool, Some(_)) => self.refuse(now, conn, "wrong password".to_owned()),
            (LoginKind::Tool, None) => {
                self.refuse(now, conn, format!("no device with the id {}", login.id));
            }
            (LoginKind::Device, _) => {
                let reason = "this hub takes in no devices besides its own".to_owned();
                self.refuse(now, conn, reason);
            }
        }
    }

    fn refuse(&mut self, now: Time, conn: ConnId, reason: String) {
        self.note(now, conn, Happening::LoginRefused { reason });
        self.close(now, conn, Closed::Refused);
    }

    /// Takes a connection out of its room, if it is in one, and ends it.
    fn leave(&mut self, now: Time, conn: ConnId, how: Closed) {
        let room = self.tools.get(&conn).and_then(|id| self.rooms.get_mut(id));
        if let Some(room) = room {
            room.detach(now, conn);
            self.journal.extend(room.drain_journal());
        }
        self.close(now, conn, how);
    }

    fn close(&mut self, now: Time, conn: ConnId, how: Closed) {
        self.lobby.forget(conn);
        if self.unsent.remove(&conn).is_some() {
            let output = match how {
                Closed::PeerReset | Closed::Flooded => Output::Abort,
                _ => Output::Close,
            };
            self.outputs.push_back((conn, output));
            self.note(now, conn, Happening::Closed(how));
        }
        self.tools.remove(&conn);
    }

    fn send(&mut self, now: Time, conn: ConnId, bytes: Vec<u8>) {
        let Some(unsent) = self.unsent.get_mut(&conn) else {
            return;
        };
        *unsent += bytes.len();
        if *unsent > self.config.max_unsent {
            self.leave(now, conn, Closed::Flooded);
        } else {
            self.outputs.push_back((conn, Output::Write(bytes)));
        }
    }

    /// Moves what the rooms have to say to the hub's own queues.
    fn collect(&mut self, now: Time) {
        let mut writes = Vec::new();
        for room in self.rooms.values_mut() {
            writes.extend(room.drain_output());
            self.journal.extend(room.drain_journal());
        }
        for (conn, bytes) in writes {
            self.send(now, conn, bytes);
        }
    }

    fn note(&mut self, at: Time, conn: ConnId, what: Happening) {
        let device = self.tools.get(&conn).cloned();
        self.journal.push_back(JournalEntry {
            at,
            conn: Some(conn),
            device,
            what,
        });
    }
}
