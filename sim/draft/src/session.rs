//! A transcript as sessions with devices: who was asked what, when, and what came back.
//!
//! [`veschub_transcript::exchange`] decides which request a reply answers, with the patience of a tool.

use std::time::Duration;

use veschub_transcript::{
    Direction, Entry, Kind, Transcript,
    exchange::{Exchanges, Policy, patience},
};
use veschub_wire::{CommandId, LoginKind, Request};

/// A device as its sessions show it.
#[derive(Debug)]
pub(super) struct Recorded {
    /// The id that tools logged in with, if a login was recorded.
    pub(super) id: Option<String>,
    /// Its sessions in the order of time.
    pub(super) sessions: Vec<Session>,
}

/// One connection to a device.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// When the login line was there.
    pub(super) login_at: Option<Duration>,
    /// What was asked, in order.
    pub(super) exchanges: Vec<Exchange>,
    /// Frames that answer nothing: when, and their payloads.
    pub(super) unasked: Vec<(Duration, Vec<u8>)>,
    /// When anything at all was said, in order.
    pub(super) said_at: Vec<Duration>,
    /// Bytes that were not recorded, in either direction.
    pub(super) missing_bytes: u64,
}

/// A request and what came of it.
#[derive(Debug)]
pub(super) struct Exchange {
    /// When it was asked, since the start of the transcript.
    pub(super) at: Duration,
    /// The payload.
    pub(super) request: Vec<u8>,
    /// When the reply came, and its payload.
    pub(super) reply: Option<(Duration, Vec<u8>)>,
    /// Whether a tool that still waits would have given up by the end of the recording.
    pub(super) given_up: bool,
}

impl Exchange {
    /// The command, FORWARD_CAN itself where it is one.
    pub(super) fn command(&self) -> CommandId {
        command(&self.request)
    }

    /// The command that a reply would have.
    pub(super) fn reply_id(&self) -> Option<CommandId> {
        Request::decode(&self.request).ok()?.body.reply_id()
    }

    /// From the request to the reply.
    pub(super) fn latency(&self) -> Option<Duration> {
        self.reply
            .as_ref()
            .map(|(at, _)| at.saturating_sub(self.at))
    }

    /// The reply's payload.
    pub(super) fn payload(&self) -> Option<&[u8]> {
        self.reply.as_ref().map(|(_, payload)| payload.as_slice())
    }
}

/// The command that a payload begins with.
pub(super) fn command(payload: &[u8]) -> CommandId {
    CommandId(payload.first().copied().unwrap_or_default())
}

impl Recorded {
    /// All that was asked, in the order of the sessions.
    pub(super) fn exchanges(&self) -> impl Iterator<Item = &Exchange> + Clone {
        self.sessions.iter().flat_map(|session| &session.exchanges)
    }

    /// The same, of one request.
    pub(super) fn of<'a>(
        &'a self,
        request: &'a [u8],
    ) -> impl Iterator<Item = &'a Exchange> + Clone {
        self.exchanges().filter(move |one| one.request == request)
    }

    /// Every request once, in the order of its first asking.
    pub(super) fn requests(&self) -> Vec<&[u8]> {
        let mut requests: Vec<&[u8]> = Vec::new();
        let mut known = std::collections::BTreeSet::new();
        for exchange in self.exchanges() {
            if known.insert(exchange.request.as_slice()) {
                requests.push(&exchange.request);
            }
        }
        requests
    }
}

/// The devices of a transcript that were asked something, in the order of their first sessions: connections with one
/// id are one device, connections without a login are told apart by their address.
pub(super) fn devices(transcript: &Transcript) -> Vec<Recorded> {
    let mut numbers: Vec<u32> = Vec::new();
    for entry in &transcript.entries {
        if entry.connection != 0 && !numbers.contains(&entry.connection) {
            numbers.push(entry.connection);
        }
    }
    let mut devices: Vec<(Key, Recorded)> = Vec::new();
    for number in numbers {
        let entries = || {
            transcript
                .entries
                .iter()
                .filter(|one| one.connection == number)
        };
        let session = session(entries());
        if session.exchanges.is_empty() {
            continue;
        }
        let id = entries().find_map(login_id);
        let address = transcript
            .connections
            .iter()
            .find(|one| one.number == number);
        let key = match &id {
            Some(id) => Key::Id(id.clone()),
            None => Key::Address(address.map(|connection| connection.device)),
        };
        match devices.iter_mut().find(|(known, _)| *known == key) {
            Some((_, device)) => device.sessions.push(session),
            None => devices.push((
                key,
                Recorded {
                    id,
                    sessions: vec![session],
                },
            )),
        }
    }
    devices.into_iter().map(|(_, device)| device).collect()
}

#[derive(PartialEq)]
enum Key {
    Id(String),
    Address(Option<std::net::SocketAddr>),
}

fn login_id(entry: &Entry) -> Option<String> {
    match &entry.kind {
        Kind::Login(login) => {
            let line = login.line.as_ref().ok()?;
            (line.kind != LoginKind::Ping).then(|| line.id.clone())
        }
        _ => None,
    }
}

fn session<'a>(entries: impl Iterator<Item = &'a Entry>) -> Session {
    let mut this = Session::default();
    let mut open = Exchanges::new(Policy::as_a_tool());
    let mut now = Duration::ZERO;
    for entry in entries {
        now = entry.at_ns.map_or(now, Duration::from_nanos);
        match (&entry.kind, entry.direction) {
            (Kind::Login(_), _) => {
                this.login_at.get_or_insert(now);
                this.said_at.push(now);
            }
            (Kind::Gap { len }, _) => this.missing_bytes += len,
            (Kind::Frame(frame), Some(Direction::ToDevice)) => {
                this.said_at.push(now);
                this.ask(now, &frame.payload, &mut open);
            }
            (Kind::Frame(frame), Some(Direction::ToTool)) => {
                this.said_at.push(now);
                this.answer(now, &frame.payload, &mut open);
            }
            _ => {}
        }
    }
    for exchange in &mut this.exchanges {
        let patience = exchange.reply_id().map(patience).unwrap_or_default();
        exchange.given_up = exchange.reply.is_none() && exchange.at + patience <= now;
    }
    this
}

impl Session {
    fn ask(&mut self, now: Duration, payload: &[u8], open: &mut Exchanges<usize>) {
        open.ask(now, payload, self.exchanges.len());
        self.exchanges.push(Exchange {
            at: now,
            request: payload.to_vec(),
            reply: None,
            given_up: false,
        });
    }

    fn answer(&mut self, now: Duration, payload: &[u8], open: &mut Exchanges<usize>) {
        match open.answer(now, payload) {
            Some(open) => self.exchanges[open.attached].reply = Some((now, payload.to_vec())),
            None => self.unasked.push((now, payload.to_vec())),
        }
    }

    /// The longest time between two moments in which nothing was said.
    pub(super) fn silence(&self, from: Duration, to: Duration) -> Duration {
        let within = self.said_at.iter().filter(|&&at| (from..=to).contains(&at));
        let after = within.clone().skip(1);
        let gaps = within
            .zip(after)
            .map(|(one, next)| next.saturating_sub(*one));
        gaps.max().unwrap_or_default()
    }
}
