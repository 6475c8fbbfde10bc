//! What a recording holds of a device: each request with what came back, and what came unasked.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use veschub_transcript::{
    Direction, Entry, Kind, Transcript,
    exchange::{Exchanges, Policy},
};
use veschub_wire::{CommandId, LoginKind, LoginLine};

use crate::time::Time;

/// What a recording holds of one device.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// The login of the recorded tool, if it was recorded.
    pub login: Option<LoginLine>,
    /// Each request with its time since the first login or request, in order.
    pub requests: Vec<(Duration, Vec<u8>)>,
    /// All that the device said, in order.
    pub replies: Vec<Vec<u8>>,
    /// How many of them came before the first request.
    pub dropped: usize,
    /// What nobody had asked for, with its time since the login.
    pub(super) unasked: Vec<(Duration, Vec<u8>)>,
    answers: BTreeMap<Vec<u8>, Vec<Answer>>,
}

/// What came back the k-th time that a request was asked, or nothing.
pub(super) type Answer = Vec<Said>;

/// One thing that came after a request.
#[derive(Clone, Debug)]
pub(super) struct Said {
    /// How long after it.
    pub(super) delay: Duration,
    pub(super) payload: Vec<u8>,
    /// It only came after it: nobody had asked for it.
    pub(super) unasked: bool,
}

/// A request of the recording, while replies are looked for.
#[derive(Clone)]
struct Asking {
    key: Vec<u8>,
    /// Which asking of this key it is, from 0.
    turn: usize,
    at: Time,
}

/// A recording is complete, so no request is given up; a terminal answers with prints.
fn policy() -> Policy {
    Policy::patient().with_terminal()
}

impl Recording {
    /// The first device of a transcript that was asked for something.
    #[must_use]
    pub fn from_transcript(transcript: &Transcript) -> Self {
        Self::devices(transcript)
            .into_iter()
            .next()
            .unwrap_or_default()
    }

    /// The devices of a transcript that were asked for something, in the order of their first request.
    ///
    /// A tool that came back logged in at the same device. Where nobody logged in although the opening was recorded, a
    /// device is alone at its address; where the recording begins later, each connection is a device.
    #[must_use]
    pub fn devices(transcript: &Transcript) -> Vec<Self> {
        let mut devices: Vec<Listening> = Vec::new();
        let mut of_connection: BTreeMap<u32, usize> = BTreeMap::new();
        let mut alone: BTreeMap<SocketAddr, usize> = BTreeMap::new();
        let opened = transcript.connections.iter().filter(|one| one.from_start);
        let addresses: BTreeMap<u32, SocketAddr> =
            opened.map(|one| (one.number, one.device)).collect();
        for entry in &transcript.entries {
            if entry.direction.is_none() {
                continue;
            }
            let same = of_connection.get(&entry.connection).copied();
            let index = match (same, tool(entry)) {
                (None, None) => match addresses.get(&entry.connection) {
                    Some(address) => *alone
                        .entry(*address)
                        .or_insert_with(|| new_device(&mut devices)),
                    None => new_device(&mut devices),
                },
                (None, Some(login)) => {
                    let known = devices.iter().position(|one| one.is(login));
                    known.unwrap_or_else(|| new_device(&mut devices))
                }
                (Some(index), _) => index,
            };
            of_connection.insert(entry.connection, index);
            devices[index].hear(entry);
        }
        let mut found: Vec<Listening> = devices
            .into_iter()
            .filter(|device| !device.told.requests.is_empty())
            .collect();
        found.sort_by_key(|device| device.first_request);
        found.into_iter().map(|device| device.told).collect()
    }

    /// What comes back when a request is asked for the `turn`-th time, counted from 0.
    pub(super) fn answers(&self, key: &[u8]) -> Option<&[Answer]> {
        self.answers.get(key).map(Vec::as_slice)
    }
}

fn new_device(devices: &mut Vec<Listening>) -> usize {
    devices.push(Listening {
        told: Recording::default(),
        start: None,
        asked: Vec::new(),
        open: Exchanges::new(policy()),
        first_request: (None, 0),
        place: devices.len(),
    });
    devices.len() - 1
}

/// The login of a tool, if this is one.
fn tool(entry: &Entry) -> Option<&LoginLine> {
    match &entry.kind {
        Kind::Login(login) => login
            .line
            .as_ref()
            .ok()
            .filter(|line| line.kind == LoginKind::Tool),
        _ => None,
    }
}

/// A device while its recording is read.
struct Listening {
    told: Recording,
    start: Option<Time>,
    asked: Vec<Asking>,
    /// Those that are unanswered, by their places in `asked`.
    open: Exchanges<usize>,
    first_request: (Option<u64>, usize),
    place: usize,
}

impl Listening {
    fn is(&self, login: &LoginLine) -> bool {
        let mine = self.told.login.as_ref();
        mine.is_some_and(|mine| mine.id == login.id)
    }

    fn hear(&mut self, entry: &Entry) {
        let at = Time::from_nanos(entry.at_ns.unwrap_or_default());
        match (&entry.kind, entry.direction) {
            (Kind::Login(_), _) => {
                self.start.get_or_insert(at);
                if let Some(login) = tool(entry) {
                    self.told.login.get_or_insert_with(|| login.clone());
                }
            }
            (Kind::Frame(frame), Some(Direction::ToDevice)) => {
                if self.told.requests.is_empty() {
                    self.first_request = (entry.at_ns, self.place);
                }
                self.ask(at, frame.payload.clone());
            }
            (Kind::Frame(frame), Some(Direction::ToTool)) => {
                self.answer(at, frame.command(), &frame.payload);
            }
            _ => {}
        }
    }

    fn ask(&mut self, at: Time, key: Vec<u8>) {
        let since = at - *self.start.get_or_insert(at);
        self.told.requests.push((since, key.clone()));
        let turns = self.told.answers.entry(key.clone()).or_default();
        turns.push(Answer::new());
        self.open.ask(at.since_start(), &key, self.asked.len());
        self.asked.push(Asking {
            turn: turns.len() - 1,
            key,
            at,
        });
    }

    /// A reply belongs to the oldest unanswered request that it can answer; one more to the last that it could.
    fn answer(&mut self, at: Time, id: CommandId, payload: &[u8]) {
        self.told.replies.push(payload.to_vec());
        if self.asked.is_empty() {
            self.told.dropped += 1;
        }
        let open = self.open.answer(at.since_start(), payload);
        let could = |asking: &Asking| policy().answers(&asking.key, id);
        let found = open
            .map(|open| open.attached)
            .or_else(|| self.asked.iter().rposition(could));
        if let Some(asking) = found.map(|index| self.asked[index].clone()) {
            return self.say(&asking, at, payload, false);
        }
        if let Some(start) = self.start {
            self.told.unasked.push((at - start, payload.to_vec()));
        }
        if let Some(last) = self.asked.last().cloned() {
            self.say(&last, at, payload, true);
        }
    }

    fn say(&mut self, asking: &Asking, at: Time, payload: &[u8], unasked: bool) {
        if let Some(turns) = self.told.answers.get_mut(&asking.key) {
            turns[asking.turn].push(Said {
                delay: at - asking.at,
                payload: payload.to_vec(),
                unasked,
            });
        }
    }
}
