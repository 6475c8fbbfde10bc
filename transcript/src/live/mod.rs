//! Sessions written into one pcapng file while they go on.
//!
//! A file that ends anywhere, because the program was ended, holds all that was said before. Addresses are made up:
//! whoever opens a connection is 127.0.0.1 with a port of its own. Credentials are masked unless they are to be kept:
//! the passwords of login lines, and passwords, keys and pins in the configs of devices. What may still turn out to
//! hold one is held back, with all that came after it, until that is certain.

mod mask;

use std::{
    collections::{BTreeMap, VecDeque},
    io::{self, Write},
    net::{Ipv4Addr, SocketAddrV4},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    entry::Direction,
    tcp::Side,
    write::{Endpoints, SessionWriter, begin},
};
use mask::{Edit, Mask};

/// The first of the ports that connections are given.
const FIRST_PORT: u16 = 49_152;
/// How many ports there are to give.
const PORTS: u32 = 16_384;
/// How many bytes are held back at most, and for how long: what is still uncertain then is masked as if it held a
/// credential.
const MAX_HELD: usize = 1 << 20;
const MAX_HELD_NS: u64 = 5_000_000_000;

/// What happened to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// It was opened.
    Opened,
    /// One side said something.
    Said(Side, &'a [u8]),
    /// One side will say nothing more.
    Ended(Side),
    /// One side broke it off.
    BrokenOff(Side),
}

/// A capture file that is being written.
///
/// ```
/// use veschub_transcript::{Options, Transcript, live::{Event, LiveCapture}, tcp::Side};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut capture = LiveCapture::new(Vec::new(), 65101, 0)?;
/// capture.event(0, 1, Event::Opened)?;
/// capture.event(5_000_000, 1, Event::Said(Side::Initiator, b"VESCTOOL:demo-0001:not-a-secret\n"))?;
/// let file = capture.finish()?;
/// assert!(!file.windows(12).any(|bytes| bytes == b"not-a-secret"));
/// let transcript = Transcript::from_capture(&file[..], &Options::default())?;
/// assert_eq!(transcript.connections.len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct LiveCapture<W> {
    out: Arc<Mutex<W>>,
    server: SocketAddrV4,
    start_ns: u64,
    keep_credentials: bool,
    sessions: BTreeMap<u32, Session<W>>,
    /// What is not written yet, in the order of time.
    held: VecDeque<Held>,
    held_bytes: usize,
}

#[derive(Debug)]
struct Session<W> {
    writer: SessionWriter<Shared<W>>,
    sides: [Speaker; 2],
}

/// One side of a connection.
#[derive(Debug, Default)]
struct Speaker {
    /// What reads along; nothing, where credentials are kept.
    mask: Option<Mask>,
    /// How much it has said.
    said: u64,
    ended: bool,
}

/// Something that happened and is not written yet.
#[derive(Debug)]
struct Held {
    at_ns: u64,
    connection: u32,
    what: What,
}

#[derive(Debug)]
enum What {
    Opened,
    /// Bytes, and their place among all that the side says.
    Said(Side, u64, Vec<u8>),
    Ended(Side),
    BrokenOff(Side),
}

/// The file, which all sessions write to in turns.
#[derive(Debug)]
struct Shared<W>(Arc<Mutex<W>>);

impl<W: Write> LiveCapture<W> {
    /// Writes the file's headers. Whoever is called listens at `port`; times will count from `start_ns`, which is
    /// nanoseconds since the epoch.
    ///
    /// # Errors
    /// When the output refuses bytes; the same holds for every other function here.
    pub fn new(mut out: W, port: u16, start_ns: u64) -> io::Result<Self> {
        begin(&mut out)?;
        Ok(Self {
            out: Arc::new(Mutex::new(out)),
            server: SocketAddrV4::new(Ipv4Addr::LOCALHOST, port),
            start_ns,
            keep_credentials: false,
            sessions: BTreeMap::new(),
            held: VecDeque::new(),
            held_bytes: 0,
        })
    }

    /// Writes credentials as they were said.
    #[must_use]
    pub fn keeping_credentials(mut self) -> Self {
        self.keep_credentials = true;
        self
    }

    /// Writes what happened to a connection, `at_ns` nanoseconds after the start. Connections are told apart by their
    /// number, which may be used again once both sides have ended.
    ///
    /// # Errors
    /// When the output refuses bytes.
    pub fn event(&mut self, at_ns: u64, connection: u32, event: Event<'_>) -> io::Result<()> {
        let what = match event {
            Event::Opened => {
                let session = self.session(connection);
                self.sessions.insert(connection, session);
                What::Opened
            }
            Event::Said(side, bytes) => {
                let Some(speaker) = self.speaker(connection, side) else {
                    return Ok(());
                };
                let offset = speaker.said;
                speaker.said += bytes.len() as u64;
                let edits = speaker.mask.as_mut().map(|mask| mask.read(bytes));
                self.held_bytes += bytes.len();
                self.hold(at_ns, connection, What::Said(side, offset, bytes.to_vec()));
                self.edit(connection, side, &edits.unwrap_or_default());
                return self.write_settled(at_ns);
            }
            Event::Ended(side) => {
                let Some(speaker) = self.speaker(connection, side) else {
                    return Ok(());
                };
                speaker.ended = true;
                self.settle(connection, side);
                What::Ended(side)
            }
            Event::BrokenOff(side) => {
                self.settle(connection, side);
                self.settle(connection, side.other());
                What::BrokenOff(side)
            }
        };
        self.hold(at_ns, connection, what);
        self.write_settled(at_ns)
    }

    fn session(&self, connection: u32) -> Session<W> {
        let port = FIRST_PORT + (connection.wrapping_sub(1) % PORTS) as u16;
        let ends = Endpoints::new(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port), self.server);
        let out = Shared(Arc::clone(&self.out));
        let speaker = |direction| Speaker {
            mask: (!self.keep_credentials).then(|| Mask::new(direction)),
            ..Speaker::default()
        };
        Session {
            writer: SessionWriter::within(out, ends, self.start_ns),
            sides: [Direction::ToDevice, Direction::ToTool].map(speaker),
        }
    }

    /// Who speaks, unless that side has ended.
    fn speaker(&mut self, connection: u32, side: Side) -> Option<&mut Speaker> {
        let session = self.sessions.get_mut(&connection)?;
        let speaker = &mut session.sides[side as usize];
        (!speaker.ended).then_some(speaker)
    }

    fn hold(&mut self, at_ns: u64, connection: u32, what: What) {
        self.held.push_back(Held {
            at_ns,
            connection,
            what,
        });
    }

    /// Makes certain what one side has said so far.
    fn settle(&mut self, connection: u32, side: Side) {
        let session = self.sessions.get_mut(&connection);
        let mask = session.and_then(|session| session.sides[side as usize].mask.as_mut());
        if let Some(edits) = mask.map(Mask::settle) {
            self.edit(connection, side, &edits);
        }
    }

    /// Puts other bytes into what is held back.
    fn edit(&mut self, connection: u32, side: Side, edits: &[Edit]) {
        for held in self
            .held
            .iter_mut()
            .filter(|held| held.connection == connection)
        {
            if let What::Said(of, offset, bytes) = &mut held.what
                && *of == side
            {
                for edit in edits {
                    edit.apply(*offset, bytes);
                }
            }
        }
    }

    /// Writes what is certain by now.
    fn write_settled(&mut self, now_ns: u64) -> io::Result<()> {
        while let Some(first) = self.held.front() {
            if let What::Said(side, offset, bytes) = &first.what {
                let (connection, side) = (first.connection, *side);
                let end = offset + bytes.len() as u64;
                let session = self.sessions.get(&connection);
                let mask = session.and_then(|session| session.sides[side as usize].mask.as_ref());
                if mask.is_some_and(|mask| mask.settled() < end) {
                    let is_late = now_ns.saturating_sub(first.at_ns) > MAX_HELD_NS;
                    if !is_late && self.held_bytes <= MAX_HELD {
                        return Ok(());
                    }
                    self.settle(connection, side);
                    continue;
                }
            }
            let Some(held) = self.held.pop_front() else {
                return Ok(());
            };
            self.write(held)?;
        }
        Ok(())
    }

    fn write(&mut self, held: Held) -> io::Result<()> {
        let Held {
            at_ns, connection, ..
        } = held;
        let Some(session) = self.sessions.get_mut(&connection) else {
            return Ok(());
        };
        let writer = &mut session.writer;
        match held.what {
            What::Opened => writer.open(at_ns),
            What::Said(side, _, bytes) => {
                self.held_bytes -= bytes.len();
                writer.data(at_ns, side, &bytes)
            }
            What::Ended(side) => {
                writer.close(at_ns, side)?;
                writer.ack(at_ns, side.other())?;
                if session.sides.iter().all(|speaker| speaker.ended) {
                    self.sessions.remove(&connection);
                }
                Ok(())
            }
            What::BrokenOff(side) => {
                writer.reset(at_ns, side)?;
                self.sessions.remove(&connection);
                Ok(())
            }
        }
    }

    /// Writes what is still held back, flushes the output and gives it back.
    ///
    /// # Errors
    /// When the output refuses bytes.
    pub fn finish(mut self) -> io::Result<W> {
        let connections: Vec<u32> = self.sessions.keys().copied().collect();
        for connection in connections {
            self.settle(connection, Side::Initiator);
            self.settle(connection, Side::Responder);
        }
        self.write_settled(u64::MAX)?;
        self.sessions.clear();
        let Some(out) = Arc::into_inner(self.out) else {
            return Err(io::Error::other("a session still writes to the file"));
        };
        let mut out = out.into_inner().unwrap_or_else(PoisonError::into_inner);
        out.flush()?;
        Ok(out)
    }
}

impl<W> Shared<W> {
    fn lock(&self) -> MutexGuard<'_, W> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Write> Write for Shared<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.lock().flush()
    }
}

#[cfg(test)]
mod tests {
    use veschub_wire::{
        Reply,
        command::{CustomConfig, ExpressConfig},
        encode,
    };

    use super::*;
    use crate::{Entry, Kind, Options, Transcript};

    const LOGIN: &[u8] = b"VESCTOOL:demo-0001:not-a-secret\n";
    const FRAME: &[u8] = b"\x02\x01\x00\x00\x00\x03";

    fn capture() -> LiveCapture<Vec<u8>> {
        LiveCapture::new(Vec::new(), 65101, 1_000_000_000).unwrap()
    }

    fn said(events: &[(u64, u32, Event<'_>)]) -> Transcript {
        let mut capture = capture();
        for &(at, connection, event) in events {
            capture.event(at, connection, event).unwrap();
        }
        read(&capture.finish().unwrap())
    }

    fn read(file: &[u8]) -> Transcript {
        Transcript::from_capture(file, &Options::default()).unwrap()
    }

    fn stream(connection: u32, transcript: &Transcript) -> Vec<String> {
        let of_it = transcript
            .entries
            .iter()
            .filter(|entry| entry.connection == connection);
        of_it
            .map(|entry| format!("{} {}", entry.kind_name(), entry.fields()))
            .collect()
    }

    #[test]
    fn sessions_that_go_on_at_once_are_told_apart() {
        use Side::{Initiator, Responder};
        let transcript = said(&[
            (0, 1, Event::Opened),
            (1, 2, Event::Opened),
            (2, 1, Event::Said(Initiator, LOGIN)),
            (3, 2, Event::Said(Initiator, LOGIN)),
            (4, 2, Event::Said(Initiator, FRAME)),
            (5, 1, Event::Said(Initiator, FRAME)),
            (6, 2, Event::Ended(Initiator)),
            (7, 2, Event::Ended(Responder)),
            (8, 1, Event::BrokenOff(Responder)),
        ]);
        assert_eq!(transcript.connections.len(), 2);
        let logins = transcript
            .entries
            .iter()
            .filter(|entry| matches!(entry.kind, Kind::Login(_)));
        assert_eq!(logins.count(), 2);
        for connection in [1, 2] {
            let said = stream(connection, &transcript);
            assert!(
                said.iter().any(|entry| entry.starts_with("frame")),
                "{said:?}"
            );
        }
    }

    #[test]
    fn a_password_is_masked_however_its_line_is_cut_and_what_follows_is_untouched() {
        for cut in 0..LOGIN.len() {
            let mut capture = capture();
            capture.event(0, 1, Event::Opened).unwrap();
            let stream = [LOGIN, FRAME].concat();
            for part in [&stream[..cut], &stream[cut..]] {
                capture
                    .event(1, 1, Event::Said(Side::Initiator, part))
                    .unwrap();
            }
            let file = capture.finish().unwrap();
            assert!(
                !file.windows(3).any(|part| part == b"not" || part == b"ret"),
                "{cut}"
            );
            let masked = file.iter().filter(|&&byte| byte == b'*').count();
            assert!(masked >= 12, "{cut}");
            assert!(file.windows(FRAME.len()).any(|part| part == FRAME));
        }
    }

    #[test]
    fn a_password_without_an_end_is_masked_too() {
        for ending in [
            Event::Ended(Side::Initiator),
            Event::BrokenOff(Side::Initiator),
        ] {
            let mut capture = capture();
            capture.event(0, 1, Event::Opened).unwrap();
            let line = Event::Said(Side::Initiator, b"VESC:demo-0001:hunter2");
            capture.event(1, 1, line).unwrap();
            capture.event(2, 1, ending).unwrap();
            let file = capture.finish().unwrap();
            assert!(!file.windows(6).any(|part| part == b"hunter"));
            assert!(file.windows(12).any(|part| part == b"0001:*******"));
        }
    }

    #[test]
    fn a_password_is_kept_where_that_is_wanted() {
        let mut capture = capture().keeping_credentials();
        capture.event(0, 1, Event::Opened).unwrap();
        capture
            .event(1, 1, Event::Said(Side::Initiator, LOGIN))
            .unwrap();
        let file = capture.finish().unwrap();
        assert!(file.windows(LOGIN.len()).any(|part| part == LOGIN));
    }

    #[test]
    fn frames_without_a_login_are_written_at_once() {
        let mut capture = capture();
        capture.event(0, 1, Event::Opened).unwrap();
        capture
            .event(1, 1, Event::Said(Side::Initiator, &FRAME[..1]))
            .unwrap();
        let so_far = capture.out.lock().unwrap().len();
        capture
            .event(2, 1, Event::Said(Side::Initiator, &FRAME[1..]))
            .unwrap();
        assert!(capture.out.lock().unwrap().len() > so_far);
        let transcript = read(&capture.finish().unwrap());
        let said = stream(1, &transcript);
        assert!(
            said.iter().any(|entry| entry.starts_with("frame")),
            "{said:?}"
        );
    }

    #[test]
    fn a_file_that_stops_anywhere_holds_what_came_before() {
        let mut capture = capture();
        capture.event(0, 1, Event::Opened).unwrap();
        capture
            .event(1, 1, Event::Said(Side::Initiator, LOGIN))
            .unwrap();
        capture
            .event(2, 1, Event::Said(Side::Initiator, FRAME))
            .unwrap();
        let whole = capture.out.lock().unwrap().clone();
        capture
            .event(3, 1, Event::Said(Side::Responder, FRAME))
            .unwrap();
        let longer = capture.finish().unwrap();
        for end in whole.len()..longer.len() {
            let transcript = read(&longer[..end]);
            let frames = transcript
                .entries
                .iter()
                .filter(|entry| matches!(entry.kind, Kind::Frame(_)));
            assert_eq!(frames.count(), 1, "{end}");
        }
    }

    const SECRETS: [&[u8]; 2] = [b"hub-pass-1", b"wifi-key-1"];

    /// An Express' config with credentials, as the device tells it.
    fn config() -> Vec<u8> {
        let config = ExpressConfig {
            station_key: "wifi-key-1".into(),
            station_ssid: "a network".into(),
            hub_password: "hub-pass-1".into(),
            ..ExpressConfig::default()
        };
        let reply = Reply::CustomConfig(CustomConfig {
            index: 0,
            signature: 1,
            data: config.pack(),
        });
        encode(&reply.encode()).unwrap()
    }

    fn holds(file: &[u8], text: &[u8]) -> bool {
        file.windows(text.len()).any(|part| part == text)
    }

    #[test]
    fn credentials_in_a_config_are_masked_however_its_frame_is_cut_and_it_stays_a_frame() {
        let stream = [b"\x02\x00noise".as_slice(), &config(), FRAME].concat();
        for cut in 0..stream.len() {
            let mut capture = capture();
            capture.event(0, 1, Event::Opened).unwrap();
            for (at, part) in [(1, &stream[..cut]), (2, &stream[cut..])] {
                let said = Event::Said(Side::Responder, part);
                capture.event(at, 1, said).unwrap();
            }
            let file = capture.finish().unwrap();
            assert!(!SECRETS.iter().any(|secret| holds(&file, secret)), "{cut}");
            let transcript = read(&file);
            let mut frames = transcript.entries.iter().filter_map(Entry::frame);
            let told = Reply::decode(&frames.next().unwrap().payload).unwrap().body;
            let Reply::CustomConfig(config) = told else {
                unreachable!("{told:?}");
            };
            let config = config.express().unwrap();
            assert_eq!(config.hub_password.as_bytes(), b"**********");
            assert_eq!(config.station_ssid.as_bytes(), b"a network");
            assert_eq!(frames.count(), 1, "{cut}");
        }
    }

    #[test]
    fn what_is_held_back_is_written_in_the_order_of_time() {
        let mut capture = capture();
        let config = config();
        capture.event(0, 1, Event::Opened).unwrap();
        let so_far = capture.out.lock().unwrap().len();
        let said = |side, bytes| Event::Said(side, bytes);
        capture
            .event(1, 1, said(Side::Responder, &config[..9]))
            .unwrap();
        capture.event(2, 1, said(Side::Initiator, FRAME)).unwrap();
        assert_eq!(capture.out.lock().unwrap().len(), so_far);
        capture
            .event(3, 1, said(Side::Responder, &config[9..]))
            .unwrap();
        let transcript = read(&capture.finish().unwrap());
        let times: Vec<u64> = transcript
            .entries
            .iter()
            .filter_map(|entry| entry.at_ns)
            .collect();
        assert!(times.is_sorted(), "{times:?}");
    }

    #[test]
    fn what_never_becomes_certain_is_masked_in_the_end_and_holds_nothing_up() {
        let whole = config();
        let secret_is_in = |end: usize| holds(&whole[..end], SECRETS[1]);
        let end = (0..whole.len()).find(|&end| secret_is_in(end)).unwrap();
        let begun = Event::Said(Side::Responder, &whole[..end]);
        for late in [false, true] {
            let mut capture = capture();
            capture.event(0, 1, Event::Opened).unwrap();
            capture.event(1, 1, begun).unwrap();
            if late {
                let later = MAX_HELD_NS + 2;
                capture
                    .event(later, 1, Event::Said(Side::Initiator, FRAME))
                    .unwrap();
                assert!(holds(&capture.out.lock().unwrap(), FRAME));
            }
            let file = capture.finish().unwrap();
            assert!(!holds(&file, SECRETS[1]));
            assert!(holds(&file, b"**********"));
        }
    }

    #[test]
    fn a_config_is_kept_where_that_is_wanted() {
        let mut capture = capture().keeping_credentials();
        capture.event(0, 1, Event::Opened).unwrap();
        capture
            .event(1, 1, Event::Said(Side::Responder, &config()))
            .unwrap();
        assert!(holds(&capture.finish().unwrap(), SECRETS[0]));
    }
}
