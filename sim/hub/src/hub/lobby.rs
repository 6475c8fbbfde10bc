//! Connections that have not logged in yet.
//!
//! The reference hub serves each connection in an event loop of its own, nested in the one before. Only the
//! innermost loop can return, so a login is acted on once every connection that was opened later is through, and it
//! fails if its own time is up by then, although its line was in time.

use veschub_wire::{LoginLine, LoginRefusal};

use super::HubConfig;
use crate::{conn::ConnId, time::Time};

/// What became of a connection in the lobby.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The line is complete. What was read with it is lost, or comes after it, as the hub is.
    Line {
        login: LoginLine,
        swallowed: usize,
        rest: Vec<u8>,
    },
    /// The line cannot be acted on.
    Refused(LoginRefusal),
    /// There is no end to the line.
    TooLong,
    /// The line did not come in time.
    TimedOut,
    /// The line was in time, but a silent connection held it up for too long.
    HeldUp {
        /// The connection that did.
        by: ConnId,
    },
}

/// Reads login lines.
#[derive(Debug)]
pub(super) struct Lobby {
    config: HubConfig,
    /// In the order of arrival: the last one is in the innermost loop.
    waiting: Vec<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    conn: ConnId,
    until: Time,
    line: Vec<u8>,
    /// What the line amounts to, once it is complete.
    read: Option<Read>,
    /// The last connection that held this one up.
    held_up_by: Option<ConnId>,
    /// The peer is gone, but the reference hub's reader waits on.
    gone: bool,
}

#[derive(Debug)]
enum Read {
    Line(LoginLine),
    Refused(LoginRefusal),
    TooLong,
}

impl Lobby {
    pub(super) fn new(config: HubConfig) -> Self {
        Self {
            config,
            waiting: Vec::new(),
        }
    }

    pub(super) fn open(&mut self, now: Time, conn: ConnId) {
        self.waiting.push(Waiting {
            conn,
            until: now + self.config.login_timeout,
            line: Vec::new(),
            read: None,
            held_up_by: None,
            gone: false,
        });
    }

    /// One read's worth of bytes of a connection that is in the lobby.
    pub(super) fn bytes(&mut self, conn: ConnId, bytes: &[u8]) {
        let max_line = self.config.max_login_line;
        let Some(one) = self.waiting.iter_mut().find(|one| one.conn == conn) else {
            return;
        };
        if one.read.is_some() {
            // The line is read, and the reader has not returned: this is read and kept with it.
            return one.keep(bytes, max_line);
        }
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let part = &bytes[..end.unwrap_or(bytes.len())];
        if one.line.len() + part.len() > max_line {
            one.read = Some(Read::TooLong);
            return;
        }
        one.line.extend_from_slice(part);
        if let Some(end) = end {
            let line = std::mem::take(&mut one.line);
            one.read = Some(LoginLine::parse(&line).map_or_else(Read::Refused, Read::Line));
            one.keep(&bytes[end + 1..], max_line);
        }
    }

    /// The peer left. The reference hub's reader waits out its time; without nesting nobody notices.
    pub(super) fn leave(&mut self, conn: ConnId) {
        if self.config.silent_connection_stalls {
            let one = self.waiting.iter_mut().find(|one| one.conn == conn);
            if let Some(one) = one.filter(|one| one.read.is_none()) {
                one.gone = true;
                return;
            }
        }
        self.forget(conn);
    }

    pub(super) fn forget(&mut self, conn: ConnId) {
        self.waiting.retain(|one| one.conn != conn || one.gone);
    }

    /// The next connection whose fate is decided by `now`.
    pub(super) fn poll(&mut self, now: Time) -> Option<(ConnId, Verdict)> {
        loop {
            let index = self.decided(now)?;
            let one = self.waiting.remove(index);
            if !one.gone {
                return Some((one.conn, one.verdict(now, self.config.login_swallows)));
            }
        }
    }

    fn decided(&mut self, now: Time) -> Option<usize> {
        let decided = |one: &Waiting| one.read.is_some() || one.until <= now;
        if !self.config.silent_connection_stalls {
            return self.waiting.iter().position(decided);
        }
        let (last, others) = self.waiting.split_last_mut()?;
        if decided(last) {
            return Some(others.len());
        }
        for one in others {
            one.held_up_by = Some(last.conn);
        }
        None
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        if self.config.silent_connection_stalls {
            // Only the innermost loop can end.
            self.waiting.last().map(|one| one.until)
        } else {
            self.waiting.iter().map(|one| one.until).min()
        }
    }
}

impl Waiting {
    fn keep(&mut self, bytes: &[u8], max: usize) {
        let room = max.saturating_sub(self.line.len());
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn verdict(self, now: Time, swallows: bool) -> Verdict {
        match (self.read, self.held_up_by) {
            (None, _) => Verdict::TimedOut,
            (Some(_), Some(by)) if self.until <= now => Verdict::HeldUp { by },
            (Some(Read::TooLong), _) => Verdict::TooLong,
            (Some(Read::Refused(refusal)), _) => Verdict::Refused(refusal),
            (Some(Read::Line(login)), _) if swallows => Verdict::Line {
                login,
                swallowed: self.line.len(),
                rest: Vec::new(),
            },
            (Some(Read::Line(login)), _) => Verdict::Line {
                login,
                swallowed: 0,
                rest: self.line,
            },
        }
    }
}
