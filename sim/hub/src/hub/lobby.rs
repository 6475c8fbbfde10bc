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
    /// The line is complete. What was read with it is lost, or comes after it, as the hub is; beyond a limit it is lost.
    Line {
        login: LoginLine,
        swallowed: usize,
        rest: Vec<u8>,
    },
    /// The line cannot be acted on.
    Refused(LoginRefusal),
    /// There is no end to the line.
    TooLong,
    /// The lines of others leave no room for it.
    NoRoom,
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
    /// How many bytes came behind the line, where they are lost.
    swallowed: usize,
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
    NoRoom,
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
            swallowed: 0,
            read: None,
            held_up_by: None,
            gone: false,
        });
    }

    /// One read's worth of bytes of a connection that is in the lobby.
    pub(super) fn bytes(&mut self, conn: ConnId, bytes: &[u8]) {
        let HubConfig {
            max_login_line: max_line,
            max_login_bytes,
            max_kept,
            login_swallows,
            ..
        } = self.config;
        let held: usize = self.waiting.iter().map(|one| one.line.len()).sum();
        let Some(one) = self.waiting.iter_mut().find(|one| one.conn == conn) else {
            return;
        };
        if one.read.is_some() {
            // The line is read, and the reader has not returned: this is read and kept with it.
            return one.keep(bytes, login_swallows, max_kept);
        }
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let part = &bytes[..end.unwrap_or(bytes.len())];
        let refusal = if one.line.len() + part.len() > max_line {
            Some(Read::TooLong)
        } else if held + part.len() > max_login_bytes {
            Some(Read::NoRoom)
        } else {
            None
        };
        if refusal.is_some() {
            one.read = refusal;
            one.line = Vec::new();
            return;
        }
        one.line.extend_from_slice(part);
        if let Some(end) = end {
            let line = std::mem::take(&mut one.line);
            one.read = Some(LoginLine::parse(&line).map_or_else(Read::Refused, Read::Line));
            one.keep(&bytes[end + 1..], login_swallows, max_kept);
        }
    }

    /// The peer left. The reference hub's reader waits out its time; without nesting nobody notices.
    pub(super) fn leave(&mut self, conn: ConnId) {
        if !self.config.silent_connection_stalls {
            return self.forget(conn);
        }
        let is_it = |one: &Waiting| one.conn == conn && one.read.is_none();
        let Some(index) = self.waiting.iter().position(is_it) else {
            return self.forget(conn);
        };
        // Of readers that wait for nobody only the last counts: it was opened later than the others, and so waits at
        // least as long. Without the others, connections that come and go cost no memory.
        if self.waiting[index..].iter().any(|one| one.gone) {
            self.waiting.remove(index);
            return;
        }
        let one = &mut self.waiting[index];
        one.gone = true;
        one.line = Vec::new();
        self.waiting.retain(|one| !one.gone || one.conn == conn);
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
                return Some((one.conn, one.verdict(now)));
            }
        }
    }

    pub(super) fn count(&self, load: &mut super::Load) {
        load.lobby = self.waiting.len();
        load.login_bytes = self.waiting.iter().map(|one| one.line.len()).sum();
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
    /// Takes in what comes behind the line: to be lost, or to be read after the login.
    fn keep(&mut self, bytes: &[u8], swallows: bool, max: usize) {
        let room = match swallows {
            true => 0,
            false => max.saturating_sub(self.line.len()),
        };
        let (kept, lost) = bytes.split_at(bytes.len().min(room));
        self.line.extend_from_slice(kept);
        self.swallowed += lost.len();
    }

    fn verdict(self, now: Time) -> Verdict {
        match (self.read, self.held_up_by) {
            (None, _) => Verdict::TimedOut,
            (Some(_), Some(by)) if self.until <= now => Verdict::HeldUp { by },
            (Some(Read::TooLong), _) => Verdict::TooLong,
            (Some(Read::NoRoom), _) => Verdict::NoRoom,
            (Some(Read::Refused(refusal)), _) => Verdict::Refused(refusal),
            (Some(Read::Line(login)), _) => Verdict::Line {
                login,
                swallowed: self.swallowed,
                rest: self.line,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn half_logins_that_leave_keep_no_memory_and_hold_up_as_long_as_before() {
        let mut lobby = Lobby::new(HubConfig::reference());
        let at = |ms| Time::ZERO + Duration::from_millis(ms);
        lobby.open(at(0), ConnId(1));
        for index in 2..=1000 {
            lobby.open(at(index.into()), ConnId(index));
            lobby.bytes(ConnId(index), &[b'A'; 10_000]);
            lobby.leave(ConnId(index));
        }
        lobby.bytes(ConnId(1), b"VESCTOOL:demo-0001:x\n");
        let kept: usize = lobby.waiting.iter().map(|one| one.line.capacity()).sum();
        assert_eq!((lobby.waiting.len(), kept), (2, 0));
        // The last of them holds up the first for its whole time.
        assert_eq!(lobby.poll(at(5999)), None);
        assert_eq!(lobby.poll_timeout(), Some(at(6000)));
        let verdict = Verdict::HeldUp { by: ConnId(1000) };
        assert_eq!(lobby.poll(at(6000)), Some((ConnId(1), verdict)));
        assert!(lobby.waiting.is_empty());
    }

    #[test]
    fn unfinished_lines_share_what_memory_there_is() {
        let mut lobby = Lobby::new(HubConfig {
            max_login_bytes: 100,
            ..HubConfig::ideal()
        });
        for index in 1..=3 {
            lobby.open(Time::ZERO, ConnId(index));
            lobby.bytes(ConnId(index), &[b'A'; 40]);
        }
        assert_eq!(lobby.poll(Time::ZERO), Some((ConnId(3), Verdict::NoRoom)));
        assert_eq!(lobby.poll(Time::ZERO), None);
    }

    #[test]
    fn a_crowd_of_unfinished_lines_has_a_limit_unless_another_is_set() {
        for config in [HubConfig::reference(), HubConfig::ideal()] {
            let mut lobby = Lobby::new(config);
            for index in 1..=100 {
                lobby.open(Time::ZERO, ConnId(index));
                lobby.bytes(ConnId(index), &[b'A'; 255 << 10]);
            }
            let kept: usize = lobby.waiting.iter().map(|one| one.line.capacity()).sum();
            assert!(kept <= 4 << 20, "{kept} bytes");
        }
    }

    #[test]
    fn what_comes_with_a_login_is_counted_where_it_is_lost_and_kept_where_it_is_read() {
        for (config, swallowed, rest) in [
            (HubConfig::reference(), 3, &b""[..]),
            (HubConfig::ideal(), 0, b"abc"),
        ] {
            let mut lobby = Lobby::new(config);
            lobby.open(Time::ZERO, ConnId(1));
            lobby.bytes(ConnId(1), b"VESCTOOL:demo-0001:x\nabc");
            let Some((
                _,
                Verdict::Line {
                    swallowed: lost,
                    rest: kept,
                    ..
                },
            )) = lobby.poll(Time::ZERO)
            else {
                panic!("no line");
            };
            assert_eq!((lost, &*kept), (swallowed, rest));
        }
    }
}
