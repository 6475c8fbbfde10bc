//! From a capture file to entries, handed out as soon as they are certain: all steps in their order.
//!
//! ```text
//!  records -> connections -> who is who -> each direction listened to -> queue -> audience
//! ```
//!
//! Who is who shows with the first login or frame. Until then what a connection says is kept; one that
//! says a lot and nothing of it in our protocol is none of ours, and forgotten. Memory does not grow with the file:
//! whatever waits, waits within a limit ([`MAX_UNDECIDED`], [`MAX_UNDECIDED_TOTAL`], and those of [`crate::tcp`]).

mod talk;

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::net::SocketAddr;

use talk::{Hearing, Talk};
use thiserror::Error;

use crate::discovery::Discovery;
use crate::entry::{Direction, Entry, Kind};
use crate::error::{CaptureError, Truncated};
use crate::link::{self, Inner, LinkType};
use crate::listen::Listener;
use crate::pcap::{RecordRef, Records};
use crate::queue::Queue;
use crate::segment::{self, Packet};
use crate::tcp::{Event, Reassembler, Stamp, What};
use crate::transcript::{Choice, Connection, Options, Transcript};

/// A connection without a login or a frame in this many bytes is none of ours.
pub const MAX_UNDECIDED: usize = 1 << 20;
/// What all connections that are not decided on may keep together, in bytes; beyond it, the largest is none of ours.
pub const MAX_UNDECIDED_TOTAL: usize = 4 << 20;
/// How many of the connections that are left out are named.
const NAMED_LEFT_OUT: usize = 3;
/// How much of a bare stream is read at a time.
const PIECE: usize = 64 << 10;

/// Who is told what was said.
///
/// Entries come in the order of time, unless one became clear so late that those behind it could not wait.
pub trait Audience {
    /// A connection, before the first of its entries.
    ///
    /// # Errors
    /// When no more can be told; reading then ends.
    fn connection(&mut self, connection: &Connection) -> io::Result<()>;

    /// The next entry.
    ///
    /// # Errors
    /// When no more can be told; reading then ends.
    fn entry(&mut self, entry: Entry) -> io::Result<()>;
}

/// What is known of a capture once it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// When the first entry was, in nanoseconds since the epoch, if that is known.
    pub start_ns: Option<u64>,
    /// Where the capture ended before its time, if it did.
    pub truncated: Option<Truncated>,
    /// Packets in it.
    pub records: u64,
    /// Connections that were told.
    pub connections: u64,
    /// Bytes of a bare stream; 0 for a capture.
    pub bytes: u64,
}

/// Why a capture could not be told.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TellError {
    /// It could not be read.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// The audience could not go on.
    #[error("cannot write on: {0}")]
    Audience(#[from] io::Error),
}

/// Reads a pcap or pcapng file, compressed with gzip or not, and tells what was said in it.
///
/// A file that is readable only up to some place is told up to there, with a notice at the end and
/// [`Told::truncated`].
///
/// # Errors
/// When nothing at all can be read, when the system cannot read on, or when the audience cannot.
pub fn tell(
    input: impl Read,
    options: &Options,
    audience: &mut impl Audience,
) -> Result<Told, TellError> {
    let mut capture = Capture::new(*options, audience);
    let mut records = Records::new(input)?;
    let mut truncated = None;
    loop {
        match records.next_record() {
            Ok(Some(record)) => capture.record(&record)?,
            Ok(None) => break,
            Err(error) => {
                truncated = error.truncated();
                if truncated.is_none() {
                    return Err(error.into());
                }
            }
        }
    }
    let told = Told {
        truncated: truncated.or_else(|| records.truncated().cloned()),
        records: records.given(),
        ..capture.finish()?
    };
    if let Some(truncated) = &told.truncated {
        audience.entry(notice(truncated.to_string()))?;
    }
    Ok(told)
}

/// Reads a bare stream of bytes that went one way, payloads of up to `max_payload` bytes.
///
/// A login line is looked for only in what goes to a device. Returns how many bytes there were.
///
/// # Errors
/// When the system cannot read on, or the audience cannot.
pub fn tell_raw(
    mut input: impl Read,
    direction: Direction,
    max_payload: usize,
    audience: &mut impl Audience,
) -> Result<u64, TellError> {
    let mut listener = match direction {
        Direction::ToDevice => Listener::with_login(max_payload),
        Direction::ToTool => Listener::new(max_payload),
    };
    let mut heard = Vec::new();
    let mut piece = vec![0; PIECE];
    loop {
        let len = match input.read(&mut piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read.map_err(|source| CaptureError::Io {
                offset: listener.len(),
                source,
            })?,
        };
        match len {
            0 => listener.finish(&mut heard),
            _ => listener.bytes((), &piece[..len], &mut heard),
        }
        for heard in heard.drain(..) {
            audience.entry(Entry {
                at_ns: None,
                connection: 1,
                direction: Some(direction),
                offset: heard.offset,
                kind: heard.kind,
            })?;
        }
        if len == 0 {
            return Ok(listener.len());
        }
    }
}

impl Transcript {
    /// Reads a pcap or pcapng file, compressed with gzip or not, and keeps all of what was said.
    ///
    /// A file that is readable only up to some place gives what was readable, a notice at the end
    /// and [`Transcript::truncated`].
    ///
    /// # Errors
    /// When nothing at all can be read.
    pub fn from_capture(input: impl Read, options: &Options) -> Result<Self, CaptureError> {
        let mut transcript = Self::new();
        match tell(input, options, &mut transcript) {
            Ok(told) => {
                transcript.start_ns = told.start_ns;
                transcript.truncated = told.truncated;
                transcript.connections.sort_by_key(|found| found.number);
                Ok(transcript)
            }
            Err(TellError::Capture(error)) => Err(error),
            // Memory takes all.
            Err(TellError::Audience(source)) => Err(CaptureError::Io { offset: 0, source }),
        }
    }
}

impl Audience for Transcript {
    fn connection(&mut self, connection: &Connection) -> io::Result<()> {
        self.connections.push(*connection);
        Ok(())
    }

    fn entry(&mut self, entry: Entry) -> io::Result<()> {
        self.entries.push(entry);
        Ok(())
    }
}

/// Packets that could not be used, by reason.
type Unused = BTreeMap<Reason, Unusable>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    Link(LinkType),
    Fragment,
    Cut,
    Untimed,
}

#[derive(Clone, Debug)]
struct Unusable {
    count: u64,
    /// The first of them: its number and, where that helps, who sent it to whom.
    first: u64,
    between: String,
}

struct Capture<'a, A> {
    options: Options,
    tcp: Reassembler,
    talks: Talks,
    unused: Unused,
    told: Told,
    audience: &'a mut A,
}

/// The connections by their slots, and what they say on its way to the audience.
struct Talks {
    options: Options,
    slots: Vec<Option<Talk>>,
    /// What those that are not decided on keep, in bytes.
    undecided: usize,
    queue: Queue,
    /// Decided on, and not announced yet.
    found: Vec<Connection>,
    left_out: u64,
    named_left_out: Vec<String>,
    /// Slots that turned out to be none of ours.
    uninteresting: Vec<usize>,
}

impl<'a, A: Audience> Capture<'a, A> {
    fn new(options: Options, audience: &'a mut A) -> Self {
        Self {
            options,
            tcp: Reassembler::new(),
            talks: Talks {
                options,
                slots: Vec::new(),
                undecided: 0,
                queue: Queue::new(),
                found: Vec::new(),
                left_out: 0,
                named_left_out: Vec::new(),
                uninteresting: Vec::new(),
            },
            unused: Unused::new(),
            told: Told::default(),
            audience,
        }
    }

    fn record(&mut self, record: &RecordRef<'_>) -> io::Result<()> {
        let stamp = Stamp {
            record: record.number,
            at_ns: record.at_ns,
        };
        if !record.timed {
            self.note(stamp, Reason::Untimed, String::new);
        }
        let ip = match link::strip(record.link, record.data) {
            Inner::Ip(ip) => ip,
            Inner::Other => return Ok(()),
            Inner::Short => {
                self.note(stamp, Reason::Cut, String::new);
                return Ok(());
            }
            Inner::Unsupported => {
                self.note(stamp, Reason::Link(record.link), String::new);
                return Ok(());
            }
        };
        match segment::parse(ip) {
            Packet::Tcp(segment) => {
                if segment.cut > 0 {
                    self.note(stamp, Reason::Cut, String::new);
                }
                let talks = &mut self.talks;
                let slot = self
                    .tcp
                    .push(stamp, &segment, &mut |event| talks.hear(event));
                self.settle(slot);
            }
            Packet::Udp(datagram) if self.options.choice == Choice::ByContent => {
                let (from, to) = (datagram.source, datagram.destination);
                if let Some(discovery) = Discovery::parse(from, to, datagram.payload) {
                    self.talks
                        .queue
                        .push(stamp, plain(Kind::Discovery(Box::new(discovery))));
                }
            }
            Packet::Udp(_) | Packet::Other => {}
            Packet::Fragment {
                source,
                destination,
            } => self.note(stamp, Reason::Fragment, || {
                format!(", {source} -> {destination}")
            }),
            Packet::Short => self.note(stamp, Reason::Cut, String::new),
        }
        self.release()
    }

    fn note(&mut self, stamp: Stamp, reason: Reason, between: impl FnOnce() -> String) {
        let found = self.unused.entry(reason).or_insert_with(|| Unusable {
            count: 0,
            first: stamp.record,
            between: between(),
        });
        found.count += 1;
    }

    /// Brings the limits and the holds up to date after something was said.
    fn settle(&mut self, slot: Option<usize>) {
        self.talks.keep_within_limits();
        for slot in self.talks.uninteresting.drain(..) {
            self.tcp.ignore(slot);
            self.talks.queue.hold(slot, None);
        }
        if let Some(slot) = slot {
            let talk = self.talks.slots.get(slot).and_then(Option::as_ref);
            let since = talk.and_then(|talk| {
                let bytes = self.tcp.unsettled_since(slot);
                bytes.into_iter().chain(talk.unsettled_since()).min()
            });
            self.talks.queue.hold(slot, since);
        }
    }

    fn release(&mut self) -> io::Result<()> {
        for connection in self.talks.found.drain(..) {
            self.told.connections += 1;
            self.audience.connection(&connection)?;
        }
        while let Some((stamp, mut entry)) = self.talks.queue.pop() {
            let start = *self.told.start_ns.get_or_insert(stamp.at_ns);
            entry.at_ns = Some(stamp.at_ns.saturating_sub(start));
            self.audience.entry(entry)?;
        }
        Ok(())
    }

    /// Tells what is left.
    fn finish(mut self) -> io::Result<Told> {
        let talks = &mut self.talks;
        self.tcp.finish(&mut |event| talks.hear(event));
        self.release()?;
        for (reason, unusable) in &self.unused {
            self.audience.entry(unused_notice(*reason, unusable))?;
        }
        if let Some(entry) = self.talks.left_out_notice() {
            self.audience.entry(entry)?;
        }
        Ok(self.told)
    }
}

impl Talks {
    fn hear(&mut self, event: Event<'_>) {
        let (slot, stamp) = (event.slot, event.stamp);
        if let What::Opened {
            initiator,
            responder,
            from_start,
        } = event.what
        {
            if self.slots.len() <= slot {
                self.slots.resize_with(slot + 1, || None);
            }
            let connection = event.connection;
            let ends = (initiator, responder);
            match self.is_wanted(connection, ends) {
                true => {
                    let talk = Talk::new(connection, ends, from_start, stamp, &self.options);
                    self.slots[slot] = Some(talk);
                }
                false => self.uninteresting.push(slot),
            }
            return;
        }
        let Some(talk) = self.slots.get_mut(slot).and_then(Option::as_mut) else {
            return;
        };
        let ended = event.what == What::Forgotten;
        let before = talk.cost();
        let hearing = match ended {
            true => talk.end(&mut self.queue),
            false => talk.hear(stamp, event.what, &mut self.queue),
        };
        self.undecided = self.undecided - before + talk.cost();
        self.take(slot, hearing);
        if ended {
            // From now on the slot may be another connection's.
            self.slots[slot] = None;
            self.uninteresting.retain(|&other| other != slot);
            self.queue.hold(slot, None);
        }
    }

    fn take(&mut self, slot: usize, hearing: Hearing) {
        match hearing {
            Hearing::Found(connection) => self.found.push(connection),
            Hearing::NotOurs => self.leave_out(slot),
            Hearing::GoesOn => {}
        }
    }

    fn is_wanted(&self, connection: u32, (initiator, responder): (SocketAddr, SocketAddr)) -> bool {
        match self.options.choice {
            Choice::ByContent => true,
            Choice::Port(port) => initiator.port() == port || responder.port() == port,
            Choice::Connection(number) => connection == number,
        }
    }

    fn keep_within_limits(&mut self) {
        while self.undecided > MAX_UNDECIDED_TOTAL {
            let costs = self
                .slots
                .iter()
                .map(|talk| talk.as_ref().map_or(0, Talk::cost));
            let Some((slot, _)) = costs.enumerate().max_by_key(|&(_, cost)| cost) else {
                return;
            };
            let Some(talk) = self.slots[slot].as_mut() else {
                return;
            };
            let before = talk.cost();
            let hearing = talk.hurry(&mut self.queue);
            self.undecided = self.undecided - before + talk.cost();
            self.take(slot, hearing);
        }
    }

    fn leave_out(&mut self, slot: usize) {
        let Some(talk) = self.slots[slot].take() else {
            return;
        };
        self.undecided -= talk.cost();
        self.left_out += 1;
        if self.named_left_out.len() < NAMED_LEFT_OUT {
            self.named_left_out.push(talk.to_string());
        }
        self.uninteresting.push(slot);
    }

    fn left_out_notice(&self) -> Option<Entry> {
        let connections = match self.left_out {
            0 => return None,
            1 => "1 connection".to_owned(),
            count => format!("{count} connections"),
        };
        let more = match self.left_out - self.named_left_out.len() as u64 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Some(notice(format!(
            "{connections} left out, without a login or a frame: {}{more}",
            self.named_left_out.join(", ")
        )))
    }
}

/// An entry that belongs to no connection.
fn plain(kind: Kind) -> Entry {
    Entry {
        at_ns: None,
        connection: 0,
        direction: None,
        offset: 0,
        kind,
    }
}

fn notice(text: String) -> Entry {
    plain(Kind::Notice(text))
}

fn unused_notice(reason: Reason, unusable: &Unusable) -> Entry {
    let Unusable {
        count,
        first,
        between,
    } = unusable;
    let packets = if *count == 1 { "packet" } else { "packets" };
    notice(match reason {
        Reason::Link(link) => format!(
            "{count} {packets} left out: {link} is not supported (first: packet {first}); \
             record on an Ethernet, Wi-Fi or `any` interface"
        ),
        Reason::Fragment => format!(
            "{count} {packets} left out: IP fragments are not put together (first: packet {first}{between})"
        ),
        Reason::Cut => format!(
            "{count} {packets} cut short by the snap length (first: packet {first}); \
             record with `-s 0` to keep all bytes"
        ),
        Reason::Untimed => format!(
            "{count} {packets} without a time (first: packet {first}): simple packet blocks have none, and are \
             told at the time of the packet before them"
        ),
    })
}
