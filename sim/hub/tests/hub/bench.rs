//! A hub with a device that says everything again, and what its connections were told.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use veschub_hub::{
    device::{Device, Out, Silence},
    hub::{Access, ConnId, Event, Hub, HubConfig, Output, Resident},
    journal::{JournalEntry, JournalEvent},
    rng::Seed,
    time::Time,
};
use veschub_scenario::Loaded;
use veschub_wire::{CommandId, Decoder, Item, TOOL_MAX_PAYLOAD, encode};

pub(crate) const LOGIN: &[u8] = b"VESCTOOL:demo-0001:not-a-secret\n";
/// What the device answers after.
pub(crate) const DELAY: Duration = Duration::from_millis(50);

pub(crate) fn ms(ms: u64) -> Time {
    Time::from_nanos(ms * 1_000_000)
}

pub(crate) fn frame(payload: &[u8]) -> Vec<u8> {
    encode(payload).unwrap()
}

/// Says every payload again after a while, but for those that start with ALIVE.
#[derive(Default)]
pub(crate) struct Parrot {
    jobs: VecDeque<(Time, Vec<u8>)>,
}

impl Device for Parrot {
    fn handle(&mut self, now: Time, payload: &[u8], out: &mut Out) {
        if payload[0] == CommandId::ALIVE.0 {
            out.silent(now, CommandId::ALIVE, Silence::NeverAnswered("a parrot"));
        } else {
            self.jobs.push_back((now + DELAY, payload.to_vec()));
        }
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.jobs.front().map(|&(due, _)| due)
    }

    fn handle_timeout(&mut self, now: Time, out: &mut Out) {
        while let Some((at, payload)) = self.jobs.pop_front() {
            if at > now {
                self.jobs.push_front((at, payload));
                break;
            }
            out.reply(at, payload, None);
        }
    }
}

pub(crate) fn resident(id: &str, password: &str) -> Resident {
    Resident {
        id: id.to_owned(),
        access: Access::Password(password.to_owned()),
        device: Box::new(Parrot::default()),
        link: None,
        quirks: Vec::new(),
    }
}

/// A hub with its connections: what they were sent and how they ended.
pub(crate) struct Bench {
    pub(crate) hub: Hub,
    pub(crate) now: Time,
    pub(crate) last: u32,
    pub(crate) flushing: bool,
    pub(crate) heard: BTreeMap<ConnId, Vec<u8>>,
    pub(crate) ended: BTreeMap<ConnId, Output>,
    pub(crate) journal: Vec<JournalEntry>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(
            HubConfig::default(),
            vec![resident("demo-0001", "not-a-secret")],
        )
    }

    pub(crate) fn with(config: HubConfig, residents: Vec<Resident>) -> Self {
        Self::of(Hub::new(config, residents))
    }

    /// A hub as a scenario has it.
    pub(crate) fn of_scenario(text: &str) -> Self {
        let loaded = Loaded::parse("test.yaml", text)
            .unwrap_or_else(|error| unreachable!("{}", error.render(false)));
        Self::of(loaded.build(Seed(1)).unwrap().into_server())
    }

    pub(crate) fn of(hub: Hub) -> Self {
        Self {
            hub,
            now: Time::ZERO,
            last: 0,
            flushing: true,
            heard: BTreeMap::new(),
            ended: BTreeMap::new(),
            journal: Vec::new(),
        }
    }

    pub(crate) fn event(&mut self, conn: ConnId, event: Event<'_>) {
        self.hub.handle(self.now, conn, event);
        self.settle();
    }

    pub(crate) fn settle(&mut self) {
        while let Some((conn, output)) = self.hub.poll_output() {
            assert!(
                !self.ended.contains_key(&conn),
                "{conn:?} was ended, then {output:?}"
            );
            match output {
                Output::Write(bytes) => {
                    self.heard.entry(conn).or_default().extend(&bytes);
                    if self.flushing {
                        self.hub.handle(self.now, conn, Event::Flushed(bytes.len()));
                    }
                }
                end => {
                    self.ended.insert(conn, end);
                }
            }
        }
        while let Some(entry) = self.hub.poll_journal() {
            self.journal.push(entry);
        }
    }

    /// Lets time pass, and everything that is due happen when it is.
    pub(crate) fn until(&mut self, then: Time) {
        while let Some(due) = self.hub.poll_timeout().filter(|&due| due <= then) {
            self.now = due;
            self.hub.handle_timeout(due);
            self.settle();
        }
        self.now = then;
    }

    pub(crate) fn open(&mut self) -> ConnId {
        self.last += 1;
        let conn = ConnId(self.last);
        self.event(conn, Event::Opened);
        conn
    }

    pub(crate) fn send(&mut self, conn: ConnId, bytes: &[u8]) {
        self.event(conn, Event::Bytes(bytes));
    }

    /// A new connection that says this in one read.
    pub(crate) fn say(&mut self, line: &[u8]) -> ConnId {
        let conn = self.open();
        self.send(conn, line);
        conn
    }

    pub(crate) fn login(&mut self) -> ConnId {
        let conn = self.say(LOGIN);
        assert_eq!(self.ended.get(&conn), None);
        conn
    }

    /// The payloads of the frames that a connection was sent, which are its stream without a rest.
    pub(crate) fn replies(&self, conn: ConnId) -> Vec<Vec<u8>> {
        let mut decoder = Decoder::new(TOOL_MAX_PAYLOAD);
        let mut input = self.heard.get(&conn).map_or(&[][..], Vec::as_slice);
        let mut payloads = Vec::new();
        while let Some(item) = decoder.next(&mut input) {
            match item {
                Item::Frame(frame) => payloads.push(frame.payload.to_vec()),
                Item::Noise(noise) => unreachable!("noise: {noise:?}"),
            }
        }
        assert_eq!(decoder.finish(), None);
        payloads
    }

    pub(crate) fn is_open_and_was_told_nothing(&self, conn: ConnId) -> bool {
        !self.ended.contains_key(&conn) && !self.heard.contains_key(&conn)
    }

    pub(crate) fn was_refused_without_a_byte(&self, conn: ConnId) -> bool {
        self.ended.get(&conn) == Some(&Output::Close) && !self.heard.contains_key(&conn)
    }

    pub(crate) fn told(&self) -> Vec<String> {
        self.journal
            .iter()
            .map(|entry| entry.to_string().trim().to_owned())
            .collect()
    }

    pub(crate) fn happened(&self, conn: ConnId, what: &JournalEvent) -> bool {
        let mut entries = self.journal.iter();
        entries.any(|entry| entry.conn == Some(conn) && entry.event == *what)
    }

    pub(crate) fn count(&self, what: impl Fn(&JournalEvent) -> bool) -> usize {
        self.journal
            .iter()
            .filter(|entry| what(&entry.event))
            .count()
    }
}
