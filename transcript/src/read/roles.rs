//! Who is the tool and who is the device in a recorded connection.
//!
//! A login shows it. Without a login, the side that opened the connection is the tool. If the opening was not recorded,
//! the frames decide: some can only be requests, others only replies. If they leave it open, the port numbers decide.
//! Whether a connection is a VESC session at all, its contents decide and never its port.

use std::net::SocketAddr;

use veschub_wire::login::LoginKind;
use veschub_wire::{Reply, Request};

use crate::entry::{Direction, Kind};
use crate::listen::{Heard, Listener};
use crate::side::Side;

/// So many more requests than replies, or the other way round, leave no doubt.
const DECISIVE: i64 = 8;

/// Who is who in a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roles {
    /// The end that sends requests.
    pub tool: Side,
    /// Which side began with a login line.
    pub login: Option<Side>,
}

/// Listens to a connection until it is clear which end is the tool.
#[derive(Debug)]
pub struct Scout {
    from_start: bool,
    listeners: [Listener<()>; 2],
    /// Who logged in, and as what.
    login: Option<Roles>,
    /// Whether something was heard from this side.
    heard: [bool; 2],
    frames: bool,
    /// Frames of the initiator that can only be requests, less those that can only be replies, and the reverse for
    /// the responder.
    score: i64,
    buffer: Vec<Heard<()>>,
}

impl Scout {
    /// For a connection whose opening was recorded, or not, with payloads of up to `limit` bytes.
    #[must_use]
    pub fn new(from_start: bool, limit: usize) -> Self {
        let responder = match from_start {
            // Who is called never logs in.
            true => Listener::new(limit),
            false => Listener::with_login(limit),
        };
        Self {
            from_start,
            listeners: [Listener::with_login(limit), responder],
            login: None,
            heard: [false; 2],
            frames: false,
            score: 0,
            buffer: Vec::new(),
        }
    }

    /// Takes the next bytes of one side.
    pub fn bytes(&mut self, side: Side, bytes: &[u8]) {
        self.listeners[side as usize].bytes((), bytes, &mut self.buffer);
        self.weigh(side);
    }

    /// Skips bytes of one side that were not recorded.
    pub fn gap(&mut self, side: Side, len: u64) {
        self.listeners[side as usize].gap((), len, &mut self.buffer);
        self.weigh(side);
    }

    /// The roles, if nothing that may still come can change them.
    #[must_use]
    pub fn certain(&self) -> Option<Roles> {
        if self.login.is_some() {
            return self.login;
        }
        let logins_are_out = !self.may_be_login();
        let decided = match self.from_start {
            true => self.frames,
            false => self.score.abs() >= DECISIVE,
        };
        (logins_are_out && decided).then(|| self.by_frames(Side::Initiator))
    }

    /// Whether a login line may have begun and has not ended.
    #[must_use]
    pub(crate) fn may_be_login(&self) -> bool {
        self.listeners.iter().any(Listener::may_be_login)
    }

    /// Whether a part of what may be a login line came, which may be a password.
    #[must_use]
    pub(crate) fn has_part_of_login(&self) -> bool {
        self.listeners.iter().any(Listener::has_part_of_login)
    }

    /// The most likely roles at the end of the recording; `None` if there was neither a login nor a frame.
    ///
    /// Without frames that tell, the side with the higher port is the tool.
    pub fn last(&mut self, higher_port: Side) -> Option<Roles> {
        for side in [Side::Initiator, Side::Responder] {
            self.listeners[side as usize].finish(&mut self.buffer);
            self.weigh(side);
        }
        self.login
            .or_else(|| self.frames.then(|| self.by_frames(higher_port)))
    }

    fn by_frames(&self, higher_port: Side) -> Roles {
        let tool = match self.score {
            _ if self.from_start => Side::Initiator,
            1.. => Side::Initiator,
            ..0 => Side::Responder,
            0 => higher_port,
        };
        Roles { tool, login: None }
    }

    fn weigh(&mut self, side: Side) {
        for heard in self.buffer.drain(..) {
            let first = !std::mem::replace(&mut self.heard[side as usize], true);
            match &heard.kind {
                Kind::Login(login) if first && self.login.is_none() => {
                    let is_device =
                        matches!(&login.line, Ok(line) if line.kind == LoginKind::Device);
                    self.login = Some(Roles {
                        tool: if is_device { side.other() } else { side },
                        login: Some(side),
                    });
                }
                Kind::Frame(frame) => {
                    self.frames = true;
                    let score = requests_minus_replies(&frame.payload);
                    self.score += match side {
                        Side::Initiator => score,
                        Side::Responder => -score,
                    };
                }
                _ => {}
            }
        }
    }
}

/// Which side has the higher port: mostly the tool, because hubs and devices listen at fixed ports.
#[must_use]
pub fn higher_port(initiator: SocketAddr, responder: SocketAddr) -> Side {
    match initiator.port() >= responder.port() {
        true => Side::Initiator,
        false => Side::Responder,
    }
}

/// Which way the bytes of a side go.
#[must_use]
pub fn direction(side: Side, tool: Side) -> Direction {
    match side == tool {
        true => Direction::ToDevice,
        false => Direction::ToTool,
    }
}

fn requests_minus_replies(payload: &[u8]) -> i64 {
    i64::from(is_request(payload)) - i64::from(is_reply(payload))
}

fn is_request(payload: &[u8]) -> bool {
    match Request::decode(payload) {
        // Most requests are a bare id, and hardly any reply is.
        Ok(told) => {
            told.trailing.is_empty() && !matches!(told.body, Request::Other(_))
                || payload.len() == 1
        }
        Err(_) => false,
    }
}

fn is_reply(payload: &[u8]) -> bool {
    match Reply::decode(payload) {
        Ok(told) => told.trailing.is_empty() && !matches!(told.body, Reply::Other(_)),
        Err(_) => false,
    }
}
