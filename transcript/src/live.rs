//! Sessions written into one pcapng file while they go on.
//!
//! A file that ends anywhere, because the program was ended, holds all that was said before. Addresses are made up:
//! whoever opens a connection is 127.0.0.1 with a port of its own. The password in a login line is masked unless it is
//! to be kept, and only then.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    net::{Ipv4Addr, SocketAddrV4},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    listen::MAX_LOGIN_LINE,
    tcp::Side,
    write::{Endpoints, SessionWriter, begin},
};

/// The first of the ports that connections are given.
const FIRST_PORT: u16 = 49_152;
/// How many ports there are to give.
const PORTS: u32 = 16_384;
/// What each byte of a password becomes.
const MASK: u8 = b'*';

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
}

#[derive(Debug)]
struct Session<W> {
    writer: SessionWriter<Shared<W>>,
    login: Login,
    /// Which sides have ended.
    ended: [bool; 2],
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
        })
    }

    /// Writes passwords as they were said.
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
        if event == Event::Opened {
            let mut session = self.session(connection);
            session.writer.open(at_ns)?;
            self.sessions.insert(connection, session);
            return Ok(());
        }
        let Some(session) = self.sessions.get_mut(&connection) else {
            return Ok(());
        };
        session.event(at_ns, event)?;
        if session.ended == [true; 2] || matches!(event, Event::BrokenOff(_)) {
            self.sessions.remove(&connection);
        }
        Ok(())
    }

    fn session(&self, connection: u32) -> Session<W> {
        let port = FIRST_PORT + (connection.wrapping_sub(1) % PORTS) as u16;
        let ends = Endpoints::new(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port), self.server);
        let out = Shared(Arc::clone(&self.out));
        Session {
            writer: SessionWriter::within(out, ends, self.start_ns),
            login: if self.keep_credentials {
                Login::Over
            } else {
                Login::Open(Vec::new())
            },
            ended: [false; 2],
        }
    }

    /// Flushes the output and gives it back.
    ///
    /// # Errors
    /// When the output refuses bytes.
    pub fn finish(mut self) -> io::Result<W> {
        self.sessions.clear();
        let Some(out) = Arc::into_inner(self.out) else {
            return Err(io::Error::other("a session still writes to the file"));
        };
        let mut out = out.into_inner().unwrap_or_else(PoisonError::into_inner);
        out.flush()?;
        Ok(out)
    }
}

impl<W: Write> Session<W> {
    fn event(&mut self, at_ns: u64, event: Event<'_>) -> io::Result<()> {
        let (Event::Said(side, _) | Event::Ended(side) | Event::BrokenOff(side)) = event else {
            return Ok(());
        };
        if self.ended[side as usize] && !matches!(event, Event::BrokenOff(_)) {
            return Ok(());
        }
        match event {
            Event::Opened => Ok(()),
            Event::Said(Side::Initiator, bytes) => match self.login.pass(bytes) {
                Some(bytes) => self.writer.data(at_ns, Side::Initiator, &bytes),
                None => self.writer.data(at_ns, Side::Initiator, bytes),
            },
            Event::Said(Side::Responder, bytes) => self.writer.data(at_ns, Side::Responder, bytes),
            Event::Ended(side) => {
                self.rest(at_ns, side)?;
                self.ended[side as usize] = true;
                self.writer.close(at_ns, side)?;
                self.writer.ack(at_ns, side.other())
            }
            Event::BrokenOff(side) => {
                self.rest(at_ns, side)?;
                self.writer.reset(at_ns, side)
            }
        }
    }

    /// A login line that never ended.
    fn rest(&mut self, at_ns: u64, side: Side) -> io::Result<()> {
        let rest = self.login.end();
        match side {
            Side::Initiator => self.writer.data(at_ns, side, &rest),
            Side::Responder => Ok(()),
        }
    }
}

/// The beginning of what the initiator says, as long as it may be a login line.
#[derive(Debug)]
enum Login {
    Open(Vec<u8>),
    Over,
}

impl Login {
    /// What may be written by now, if it is not the same; a login line is held back until it is whole.
    fn pass(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let Self::Open(held) = self else {
            return None;
        };
        held.extend_from_slice(bytes);
        let is_frame = held.first().is_some_and(|&byte| (2..=4).contains(&byte));
        if is_frame || held.contains(&b'\n') || held.len() > MAX_LOGIN_LINE {
            return Some(self.end());
        }
        Some(Vec::new())
    }

    /// What was held back, masked.
    fn end(&mut self) -> Vec<u8> {
        match std::mem::replace(self, Self::Over) {
            Self::Open(mut line) => {
                mask(&mut line);
                line
            }
            Self::Over => Vec::new(),
        }
    }
}

/// Masks what is behind the second colon of the first line.
fn mask(bytes: &mut [u8]) {
    let mut colons = 0;
    for byte in bytes {
        match byte {
            b'\n' => return,
            b':' if colons < 2 => colons += 1,
            // Another colon in it makes it no password, but does not make it public.
            b'\r' => {}
            _ if colons == 2 => *byte = MASK,
            _ => {}
        }
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
    use super::*;
    use crate::{Kind, Options, Transcript};

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
            assert!(file.windows(12).any(|part| part == b"************"));
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
}
