//! Connections that have not logged in yet.

use std::{collections::BTreeMap, time::Duration};

use veschub_wire::{LoginLine, LoginRefusal};

use super::ConnId;
use crate::time::Time;

/// What the bytes of a connection amount to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The line is not complete.
    Wait,
    /// The line is complete, and this many bytes that were read with it are gone.
    Line { login: LoginLine, swallowed: usize },
    /// The line cannot be acted on.
    Refused(LoginRefusal),
    /// There is no end to the line.
    TooLong,
}

/// Reads login lines.
#[derive(Debug)]
pub(super) struct Lobby {
    timeout: Duration,
    max_line: usize,
    waiting: BTreeMap<ConnId, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    until: Time,
    line: Vec<u8>,
}

impl Lobby {
    pub(super) fn new(timeout: Duration, max_line: usize) -> Self {
        Self {
            timeout,
            max_line,
            waiting: BTreeMap::new(),
        }
    }

    pub(super) fn open(&mut self, now: Time, conn: ConnId) {
        let waiting = Waiting {
            until: now + self.timeout,
            line: Vec::new(),
        };
        self.waiting.insert(conn, waiting);
    }

    /// One read's worth of bytes. The reference hub reads on after the line feed until its buffer is empty and
    /// throws that away (`VT utility.cpp:2389-2401`), so a request in the same segment never arrives.
    pub(super) fn bytes(&mut self, conn: ConnId, bytes: &[u8]) -> Verdict {
        let Some(waiting) = self.waiting.get_mut(&conn) else {
            return Verdict::Wait;
        };
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let part = &bytes[..end.unwrap_or(bytes.len())];
        if waiting.line.len() + part.len() > self.max_line {
            return Verdict::TooLong;
        }
        waiting.line.extend_from_slice(part);
        let Some(end) = end else {
            return Verdict::Wait;
        };
        let line = std::mem::take(&mut waiting.line);
        self.waiting.remove(&conn);
        match LoginLine::parse(&line) {
            Ok(login) => Verdict::Line {
                login,
                swallowed: bytes.len() - end - 1,
            },
            Err(refusal) => Verdict::Refused(refusal),
        }
    }

    pub(super) fn forget(&mut self, conn: ConnId) {
        self.waiting.remove(&conn);
    }

    pub(super) fn expired(&mut self, now: Time) -> Vec<ConnId> {
        let due = self.waiting.iter().filter(|(_, one)| one.until <= now);
        let due: Vec<ConnId> = due.map(|(&conn, _)| conn).collect();
        for conn in &due {
            self.waiting.remove(conn);
        }
        due
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.waiting.values().map(|waiting| waiting.until).min()
    }
}
