//! One connection of a capture. Its bytes are kept until it is clear which end is the tool; from then on they become
//! entries as they come.

use std::fmt;
use std::net::SocketAddr;

use super::queue::Queue;
use super::roles::{Roles, Scout, direction, higher_port};
use super::stamp::Stamp;
use super::tcp::EventKind;
use crate::entry::{Entry, Kind};
use crate::listen::{Heard, Listener};
use crate::side::{Close, Side};
use crate::transcript::{Choice, Connection, Options};

/// A connection without a login or a frame in this many bytes is left out.
const MAX_UNDECIDED: usize = 1 << 20;
/// If the user chose a connection and it holds none of our protocol in this many bytes, it is shown as noise.
const MAX_UNDECIDED_CHOSEN: usize = 512 << 10;
/// What a kept piece costs besides its bytes.
const PIECE_COST: usize = 64;

#[derive(Debug)]
pub(super) struct Conversation {
    number: u32,
    initiator: SocketAddr,
    responder: SocketAddr,
    from_start: bool,
    opened: Stamp,
    bytes: u64,
    options: Options,
    state: State,
}

#[derive(Debug)]
enum State {
    Undecided(Undecided),
    Ours(Ours),
}

#[derive(Debug)]
struct Undecided {
    said: Vec<(Stamp, EventKind<'static>)>,
    cost: usize,
    scout: Scout,
}

#[derive(Debug)]
struct Ours {
    number: u32,
    tool: Side,
    listeners: [Listener<Stamp>; 2],
    heard: Vec<Heard<Stamp>>,
}

/// What came of hearing something.
#[derive(Debug)]
pub(super) enum Progress {
    GoesOn,
    /// It is clear now which end is the tool.
    Found(Connection),
    /// It is no VESC session.
    NotOurs,
}

impl Conversation {
    pub(super) fn new(
        number: u32,
        (initiator, responder): (SocketAddr, SocketAddr),
        from_start: bool,
        opened: Stamp,
        options: &Options,
    ) -> Self {
        Self {
            number,
            initiator,
            responder,
            from_start,
            opened,
            bytes: 0,
            options: *options,
            state: State::Undecided(Undecided {
                said: Vec::new(),
                cost: 0,
                scout: Scout::new(from_start, options.to_device.max(options.to_tool)),
            }),
        }
    }

    /// What it keeps because it is not decided on, in bytes.
    pub(super) fn cost(&self) -> usize {
        match &self.state {
            State::Undecided(undecided) => undecided.cost,
            State::Ours(_) => 0,
        }
    }

    /// The record from which on it may still tell something.
    pub(super) fn unsettled_since(&self) -> Option<u64> {
        match &self.state {
            State::Undecided(_) => Some(self.opened.record),
            State::Ours(ours) => {
                let since = ours.listeners.iter().filter_map(Listener::unsettled_since);
                since.map(|stamp| stamp.record).min()
            }
        }
    }

    pub(super) fn hear(
        &mut self,
        stamp: Stamp,
        kind: EventKind<'_>,
        queue: &mut Queue,
    ) -> Progress {
        match &kind {
            EventKind::Data { bytes, .. } => self.bytes += bytes.len() as u64,
            // Its bytes come as data.
            EventKind::Segment { .. } => return Progress::GoesOn,
            _ => {}
        }
        let undecided = match &mut self.state {
            State::Ours(ours) => {
                ours.hear(stamp, kind, queue);
                return Progress::GoesOn;
            }
            State::Undecided(undecided) => undecided,
        };
        undecided.keep(stamp, kind);
        if let Some(roles) = undecided.scout.certain() {
            return Progress::Found(self.settle(roles, queue));
        }
        let limit = match self.options.choice {
            Choice::ByContent => MAX_UNDECIDED,
            Choice::Port(_) | Choice::Connection(_) => MAX_UNDECIDED_CHOSEN,
        };
        match undecided.cost > limit {
            true => self.hurry(queue),
            false => Progress::GoesOn,
        }
    }

    /// Decides with what is known.
    pub(super) fn decide(&mut self, queue: &mut Queue) -> Progress {
        let higher_port = higher_port(self.initiator, self.responder);
        let State::Undecided(undecided) = &mut self.state else {
            return Progress::GoesOn;
        };
        let chosen = match self.options.choice {
            Choice::ByContent => None,
            // A chosen port is that of the hub or device.
            Choice::Port(port) if port == self.initiator.port() => Some(Side::Responder),
            Choice::Port(_) => Some(Side::Initiator),
            Choice::Connection(_) if self.from_start => Some(Side::Initiator),
            Choice::Connection(_) => Some(higher_port),
        };
        let chosen = chosen.map(|tool| Roles { tool, login: None });
        match undecided.scout.last(higher_port).or(chosen) {
            Some(roles) => Progress::Found(self.settle(roles, queue)),
            None => Progress::NotOurs,
        }
    }

    /// Decides now, because there is no room to keep more. A chosen connection is shown as it is, unless its bytes may
    /// be a password.
    pub(super) fn hurry(&mut self, queue: &mut Queue) -> Progress {
        match &self.state {
            State::Undecided(undecided) if undecided.scout.has_part_of_login() => Progress::NotOurs,
            _ => self.decide(queue),
        }
    }

    /// The end of the recording, as far as this connection is concerned.
    pub(super) fn end(&mut self, queue: &mut Queue) -> Progress {
        let progress = self.decide(queue);
        if let State::Ours(ours) = &mut self.state {
            for side in [Side::Initiator, Side::Responder] {
                ours.finish(side, queue);
            }
        }
        progress
    }

    /// Makes entries of the bytes that were kept; later bytes become entries at once.
    fn settle(&mut self, roles: Roles, queue: &mut Queue) -> Connection {
        let mut ours = Ours::new(self.number, roles, &self.options);
        queue.push(self.opened, self.opening());
        let old = std::mem::replace(
            &mut self.state,
            State::Ours(Ours::new(self.number, roles, &self.options)),
        );
        if let State::Undecided(undecided) = old {
            for (stamp, kind) in undecided.said {
                ours.hear(stamp, kind, queue);
            }
        }
        self.state = State::Ours(ours);
        let (tool, device) = match roles.tool {
            Side::Initiator => (self.initiator, self.responder),
            Side::Responder => (self.responder, self.initiator),
        };
        Connection {
            number: self.number,
            tool,
            device,
            from_start: self.from_start,
            by_login: roles.login.is_some(),
        }
    }

    fn opening(&self) -> Entry {
        let kind = match self.from_start {
            true => Kind::Opened {
                initiator: self.initiator,
                responder: self.responder,
            },
            false => Kind::Notice(format!(
                "the recording starts in the middle of the connection {} - {}",
                self.initiator, self.responder
            )),
        };
        Entry {
            at_ns: None,
            connection: self.number,
            direction: None,
            offset: 0,
            kind,
        }
    }
}

impl fmt::Display for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "#{} {} - {} ({} bytes)",
            self.number, self.initiator, self.responder, self.bytes
        )
    }
}

impl Undecided {
    fn keep(&mut self, stamp: Stamp, kind: EventKind<'_>) {
        match &kind {
            EventKind::Data { side, bytes, .. } => {
                self.scout.bytes(*side, bytes);
                self.cost += bytes.len();
            }
            EventKind::Gap { side, len, .. } => self.scout.gap(*side, *len),
            _ => {}
        }
        self.cost += PIECE_COST;
        self.said.push((stamp, kind.into_owned()));
    }
}

impl Ours {
    fn new(number: u32, roles: Roles, options: &Options) -> Self {
        let listeners = [Side::Initiator, Side::Responder].map(|side| {
            let limit = options.limit(direction(side, roles.tool));
            match roles.login == Some(side) {
                true => Listener::with_login(limit),
                false => Listener::new(limit),
            }
        });
        Self {
            number,
            tool: roles.tool,
            listeners,
            heard: Vec::new(),
        }
    }

    fn hear(&mut self, stamp: Stamp, kind: EventKind<'_>, queue: &mut Queue) {
        match kind {
            EventKind::Data { side, bytes, .. } => {
                self.listeners[side as usize].bytes(stamp, &bytes, &mut self.heard);
                self.tell(side, queue);
            }
            EventKind::Gap { side, len, .. } => {
                self.listeners[side as usize].gap(stamp, len, &mut self.heard);
                self.tell(side, queue);
            }
            EventKind::Repeated {
                side,
                offset,
                len,
                differing,
            } => {
                let kind = Kind::Repeated { len, differing };
                self.say(side, stamp, offset, kind, queue);
            }
            EventKind::Closed { side, how, .. } => {
                self.finish(side, queue);
                if how == Close::Reset {
                    self.finish(side.other(), queue);
                }
                let offset = self.listeners[side as usize].len();
                self.say(side, stamp, offset, Kind::Closed { how }, queue);
            }
            EventKind::Opened { .. } | EventKind::Segment { .. } | EventKind::Forgotten => {}
        }
    }

    fn finish(&mut self, side: Side, queue: &mut Queue) {
        self.listeners[side as usize].finish(&mut self.heard);
        self.tell(side, queue);
    }

    fn tell(&mut self, side: Side, queue: &mut Queue) {
        let mut heard = std::mem::take(&mut self.heard);
        for heard in heard.drain(..) {
            self.say(side, heard.at, heard.offset, heard.kind, queue);
        }
        self.heard = heard;
    }

    fn say(&self, side: Side, stamp: Stamp, offset: u64, kind: Kind, queue: &mut Queue) {
        let entry = Entry {
            at_ns: None,
            connection: self.number,
            direction: Some(direction(side, self.tool)),
            offset,
            kind,
        };
        queue.push(stamp, entry);
    }
}
