//! Sessions written into one pcapng file while they go on.
//!
//! If the program ends at any moment, the file holds everything that was sent before. Addresses are made up: the end
//! that opens a connection is 127.0.0.1 with a port of its own. Credentials are masked unless the caller keeps them:
//! the passwords of login lines, and passwords, keys and pins in the configs of devices. The mask is `***` however long
//! the credential was, and a frame with a config gets another length with it. Bytes that may still turn out to hold a
//! credential are held back, with all that came after them, until that is certain. Where that takes too long, or a frame
//! is broken, all of its bytes are masked, each with a `*`: its length is kept, as its header tells it anyway, and it is
//! not that of one credential.

mod mask;

use std::{
    collections::{BTreeMap, VecDeque},
    io::{self, Write},
    mem,
    net::{Ipv4Addr, SocketAddrV4},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub use crate::masking::is_masked;
use crate::{
    entry::Direction,
    masking::Edit,
    side::Side,
    write::{Endpoints, SessionWriter, begin},
};
use mask::{Mask, Plain};

/// The first of the ports that connections are given.
const FIRST_PORT: u16 = 49_152;
/// How many ports there are to give.
const PORTS: u32 = 16_384;
/// How many bytes are held back at most, and for how long: what is still uncertain then is masked as if it held a
/// credential.
const MAX_HELD: usize = 1 << 20;
const MAX_HELD_NS: u64 = 5_000_000_000;
/// Of how many connections that the responder closed for good the end of the other side is waited for.
const MOST_GONE: usize = 1024;

/// What happened to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// It was opened.
    Opened,
    /// One side sent bytes.
    Data(Side, &'a [u8]),
    /// One side will send nothing more.
    Closed(Side),
    /// One side reset it.
    Reset(Side),
    /// The responder closed it for good: it may not hear of the initiator any more.
    Gone,
}

/// A capture file that is being written.
///
/// ```
/// use veschub_transcript::{Options, Side, Transcript, live::{Event, LiveCapture}};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut capture = LiveCapture::new(Vec::new(), 65101, 0)?;
/// capture.event(0, 1, Event::Opened)?;
/// capture.event(5_000_000, 1, Event::Data(Side::Initiator, b"VESCTOOL:demo-0001:not-a-secret\n"))?;
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
    leaves_out_data: bool,
    /// How many packets were left out.
    left_out: u64,
    connections: BTreeMap<u32, Connection<W>>,
    plain: Plain,
    /// Connections that the responder closed for good and whose initiator may still be heard of, the oldest first.
    gone: VecDeque<u32>,
    /// What is not written yet, in the order of time.
    held: VecDeque<Held>,
    held_bytes: usize,
}

#[derive(Debug)]
struct Connection<W> {
    writer: SessionWriter<Shared<W>>,
    sides: [Sender; 2],
}

impl<W: Write> Connection<W> {
    /// Writes what one side said, masked; or leaves it out, and says how many packets that were.
    fn write(&mut self, at_ns: u64, side: Side, bytes: &[u8], leaves_out: bool) -> io::Result<u64> {
        match leaves_out {
            true => Ok(self.writer.leave_out(side, bytes.len()) as u64),
            // Without bytes there is no packet.
            false => self.writer.data(at_ns, side, bytes).map(|()| 0),
        }
    }
}

/// One side of a connection.
#[derive(Debug, Default)]
struct Sender {
    /// What reads along; nothing, where credentials are kept.
    mask: Option<Mask>,
    /// How much it has sent.
    sent: u64,
    ended: bool,
    /// What is masked of the bytes that are not written yet, in order.
    edits: Vec<Edit>,
}

impl Sender {
    /// What to mask in the next bytes.
    fn read(&mut self, bytes: &[u8], plain: &mut Plain) -> Vec<Edit> {
        let mask = self.mask.as_mut();
        mask.map_or_else(Vec::new, |mask| mask.read(bytes, plain))
    }

    /// Whether it is certain that nothing has to be masked of what is not written yet.
    fn is_plain(&self) -> bool {
        let is_certain = |mask: &Mask| mask.settled() >= self.sent;
        self.edits.is_empty() && self.mask.as_ref().is_none_or(is_certain)
    }

    /// Bytes from `offset` on as they are saved. What is masked ends when the last byte of it came.
    fn masked(&mut self, offset: u64, bytes: Vec<u8>) -> Vec<u8> {
        let end = offset + bytes.len() as u64;
        if self.edits.first().is_none_or(|first| first.at.start >= end) {
            return bytes;
        }
        let (mut out, mut from) = (Vec::new(), offset);
        let place = |at: u64| (at - offset) as usize;
        for edit in &self.edits {
            let (start, stop) = (edit.at.start.clamp(from, end), edit.at.end.clamp(from, end));
            out.extend_from_slice(&bytes[place(from)..place(start)]);
            out.extend_from_slice(&edit.bytes[edit.told_before(start)..edit.told_before(stop)]);
            from = stop;
        }
        out.extend_from_slice(&bytes[place(from)..]);
        self.edits.retain(|edit| edit.at.end > end);
        out
    }
}

/// Something that happened and is not written yet.
#[derive(Debug)]
struct Held {
    at_ns: u64,
    connection: u32,
    event: HeldEvent,
}

/// An [`Event`] with bytes of its own.
#[derive(Debug)]
enum HeldEvent {
    Opened,
    /// Bytes, and their offset in the stream of the side.
    Data(Side, u64, Vec<u8>),
    Closed(Side),
    Reset(Side),
    Gone {
        /// Whether the responder had not ended before.
        was_open: bool,
    },
}

/// The file, which all connections write to in turns.
#[derive(Debug)]
struct Shared<W>(Arc<Mutex<W>>);

impl<W: Write> LiveCapture<W> {
    /// Writes the file's headers. The end that is called listens at `port`; times will count from `start_ns`, which is
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
            leaves_out_data: false,
            left_out: 0,
            connections: BTreeMap::new(),
            plain: Plain::default(),
            gone: VecDeque::new(),
            held: VecDeque::new(),
            held_bytes: 0,
        })
    }

    /// Writes credentials as they were sent.
    #[must_use]
    pub fn keeping_credentials(mut self) -> Self {
        self.keep_credentials = true;
        self
    }

    /// From now on writes no bytes of connections, or writes them again. What is left out is read all the same, as a
    /// password may begin in it.
    pub fn leave_out_data(&mut self, leave_out: bool) {
        self.leaves_out_data = leave_out;
    }

    /// How many packets were left out since this was last asked.
    pub fn take_left_out(&mut self) -> u64 {
        mem::take(&mut self.left_out)
    }

    /// Writes what happened to a connection, `at_ns` nanoseconds after the start. Connections are told apart by their
    /// number, which may be used again once both sides have ended.
    ///
    /// # Errors
    /// When the output refuses bytes.
    pub fn event(&mut self, at_ns: u64, connection: u32, event: Event<'_>) -> io::Result<()> {
        let held = match event {
            Event::Opened => {
                let open = self.open(connection);
                self.connections.insert(connection, open);
                self.gone.retain(|gone| *gone != connection);
                HeldEvent::Opened
            }
            Event::Data(side, bytes) => {
                let Some(open) = self.connections.get_mut(&connection) else {
                    return Ok(());
                };
                let [initiator, responder] = &mut open.sides;
                let (sender, other) = match side {
                    Side::Initiator => (initiator, responder),
                    Side::Responder => (responder, initiator),
                };
                if sender.ended {
                    return Ok(());
                }
                let offset = sender.sent;
                sender.sent += bytes.len() as u64;
                let edits = sender.read(bytes, &mut self.plain);
                if sender.mask.as_ref().is_some_and(Mask::is_of_device)
                    && let Some(mask) = &mut other.mask
                {
                    mask.expect_words();
                }
                if edits.is_empty() && sender.is_plain() && self.held.is_empty() {
                    self.left_out += open.write(at_ns, side, bytes, self.leaves_out_data)?;
                    return Ok(());
                }
                self.held_bytes += bytes.len();
                self.hold(
                    at_ns,
                    connection,
                    HeldEvent::Data(side, offset, bytes.to_vec()),
                );
                self.edit(connection, side, edits);
                return self.write_settled(at_ns);
            }
            Event::Closed(side) => {
                let Some(sender) = self.sender(connection, side) else {
                    return Ok(());
                };
                sender.ended = true;
                self.settle(connection, side);
                HeldEvent::Closed(side)
            }
            Event::Reset(side) => {
                self.settle(connection, side);
                self.settle(connection, side.other());
                HeldEvent::Reset(side)
            }
            Event::Gone => {
                let sender = self.sender(connection, Side::Responder);
                let was_open = sender.is_some_and(|sender| !mem::replace(&mut sender.ended, true));
                self.settle(connection, Side::Responder);
                HeldEvent::Gone { was_open }
            }
        };
        self.hold(at_ns, connection, held);
        self.write_settled(at_ns)
    }

    fn open(&self, connection: u32) -> Connection<W> {
        let port = FIRST_PORT + (connection.wrapping_sub(1) % PORTS) as u16;
        let ends = Endpoints::new(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port), self.server);
        let out = Shared(Arc::clone(&self.out));
        let sender = |direction| Sender {
            mask: (!self.keep_credentials).then(|| Mask::new(direction)),
            ..Sender::default()
        };
        Connection {
            writer: SessionWriter::within(out, ends, self.start_ns),
            sides: [Direction::ToDevice, Direction::ToTool].map(sender),
        }
    }

    /// The sender, unless that side has ended.
    fn sender(&mut self, connection: u32, side: Side) -> Option<&mut Sender> {
        let open = self.connections.get_mut(&connection)?;
        let sender = &mut open.sides[side as usize];
        (!sender.ended).then_some(sender)
    }

    fn hold(&mut self, at_ns: u64, connection: u32, event: HeldEvent) {
        self.held.push_back(Held {
            at_ns,
            connection,
            event,
        });
    }

    /// Makes certain what one side has sent so far.
    fn settle(&mut self, connection: u32, side: Side) {
        let open = self.connections.get_mut(&connection);
        let mask = open.and_then(|open| open.sides[side as usize].mask.as_mut());
        if let Some(edits) = mask.map(Mask::settle) {
            self.edit(connection, side, edits);
        }
    }

    /// Has other bytes put into what is held back.
    fn edit(&mut self, connection: u32, side: Side, edits: Vec<Edit>) {
        if let Some(open) = self.connections.get_mut(&connection) {
            let known = &mut open.sides[side as usize].edits;
            known.extend(edits);
            known.sort_by_key(|edit| edit.at.start);
        }
    }

    /// Writes what is certain by now.
    fn write_settled(&mut self, now_ns: u64) -> io::Result<()> {
        while let Some(first) = self.held.front() {
            if let HeldEvent::Data(side, offset, bytes) = &first.event {
                let (connection, side) = (first.connection, *side);
                let end = offset + bytes.len() as u64;
                let open = self.connections.get(&connection);
                let mask = open.and_then(|open| open.sides[side as usize].mask.as_ref());
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
        let Some(open) = self.connections.get_mut(&connection) else {
            return Ok(());
        };
        let writer = &mut open.writer;
        match held.event {
            HeldEvent::Opened => writer.open(at_ns),
            HeldEvent::Data(side, offset, bytes) => {
                self.held_bytes -= bytes.len();
                let bytes = open.sides[side as usize].masked(offset, bytes);
                self.left_out += open.write(at_ns, side, &bytes, self.leaves_out_data)?;
                Ok(())
            }
            HeldEvent::Closed(side) => {
                writer.close(at_ns, side)?;
                writer.ack(at_ns, side.other())?;
                if open.sides.iter().all(|sender| sender.ended) {
                    self.connections.remove(&connection);
                }
                Ok(())
            }
            HeldEvent::Reset(side) => {
                writer.reset(at_ns, side)?;
                self.connections.remove(&connection);
                Ok(())
            }
            HeldEvent::Gone { was_open } => {
                if was_open {
                    writer.close(at_ns, Side::Responder)?;
                    writer.ack(at_ns, Side::Initiator)?;
                }
                match open.sides.iter().all(|sender| sender.ended) {
                    true => drop(self.connections.remove(&connection)),
                    false => self.gone.push_back(connection),
                }
                if self.gone.len() > MOST_GONE
                    && let Some(oldest) = self.gone.pop_front()
                {
                    self.connections.remove(&oldest);
                }
                Ok(())
            }
        }
    }

    /// Writes what was held back long enough by now, although nothing happened since.
    ///
    /// # Errors
    /// When the output refuses bytes.
    pub fn pass(&mut self, now_ns: u64) -> io::Result<()> {
        self.write_settled(now_ns)
    }

    /// Writes what is still held back, flushes the output and gives it back.
    ///
    /// # Errors
    /// When the output refuses bytes.
    pub fn finish(mut self) -> io::Result<W> {
        let connections: Vec<u32> = self.connections.keys().copied().collect();
        for connection in connections {
            self.settle(connection, Side::Initiator);
            self.settle(connection, Side::Responder);
        }
        self.write_settled(u64::MAX)?;
        self.connections.clear();
        let Some(out) = Arc::into_inner(self.out) else {
            return Err(io::Error::other("a connection still writes to the file"));
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
mod tests;
