//! The work of reading a capture: from a packet record to entries, and what to say about the packets that could not be
//! used.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;

use super::conversation::{Conversation, Progress};
use super::link::{self, Inner, LinkType};
use super::pcap::RecordRef;
use super::queue::Queue;
use super::segment::{self, Packet};
use super::stamp::Stamp;
use super::summary::Summary;
use super::tcp::{Event, EventKind, MAX_CONNECTIONS, Reassembler};
use crate::can::{Assembler, Frame};
use crate::discovery::Discovery;
use crate::entry::{Entry, Kind};
use crate::firmwares::Firmwares;
use crate::transcript::{Choice, Connection, EntrySink, Options};

/// What all connections that are not decided on may keep together, in bytes; beyond it, the largest is left out.
const MAX_UNDECIDED_TOTAL: usize = 4 << 20;
/// How many of the connections that are left out are named.
const NAMED_LEFT_OUT: usize = 3;

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

/// A capture while it is read.
pub(super) struct Capture<'a, S> {
    options: Options,
    tcp: Reassembler,
    conversations: Conversations,
    /// What is under way on a CAN bus, and when its last frame was.
    bus: Assembler,
    last: Option<Stamp>,
    unused: Unused,
    /// Of the connections that go on, by their number.
    firmwares: BTreeMap<u32, Firmwares>,
    summary: Summary,
    sink: &'a mut S,
}

/// The connections by their slots, and what they say on its way to the sink.
struct Conversations {
    options: Options,
    slots: Vec<Option<Conversation>>,
    /// What those that are not decided on keep, in bytes.
    undecided: usize,
    queue: Queue,
    /// Decided on, and not announced yet.
    found: Vec<Connection>,
    left_out: u64,
    named_left_out: Vec<String>,
    /// Slots of connections that are not VESC sessions.
    uninteresting: Vec<usize>,
}

impl<'a, S: EntrySink> Capture<'a, S> {
    pub(super) fn new(options: Options, sink: &'a mut S) -> Self {
        Self {
            options,
            tcp: Reassembler::new(),
            conversations: Conversations {
                options,
                slots: Vec::new(),
                undecided: 0,
                queue: Queue::new(),
                found: Vec::new(),
                left_out: 0,
                named_left_out: Vec::new(),
                uninteresting: Vec::new(),
            },
            bus: Assembler::new(),
            last: None,
            unused: Unused::new(),
            firmwares: BTreeMap::new(),
            summary: Summary::default(),
            sink,
        }
    }

    /// Takes the next packet.
    pub(super) fn record(&mut self, record: &RecordRef<'_>) -> io::Result<()> {
        let stamp = Stamp {
            record: record.number,
            at_ns: record.at_ns,
        };
        if !record.timed {
            self.note(stamp, Reason::Untimed, String::new);
        }
        let ip = match link::strip(record.link, record.data) {
            Inner::Ip(ip) => ip,
            Inner::Can(bytes) => {
                self.can(stamp, bytes);
                return self.release();
            }
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
                let conversations = &mut self.conversations;
                let slot = self
                    .tcp
                    .push(stamp, &segment, &mut |event| conversations.hear(event));
                self.settle(slot);
            }
            Packet::Udp(datagram) if self.options.choice == Choice::ByContent => {
                let (from, to) = (datagram.source, datagram.destination);
                if let Some(discovery) = Discovery::parse(from, to, datagram.payload) {
                    self.conversations
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

    /// Takes the next frame of a CAN bus. Connections have nothing to do with it.
    fn can(&mut self, stamp: Stamp, bytes: &[u8]) {
        self.last = Some(stamp);
        let Some(frame) = Frame::from_socketcan(bytes) else {
            return self.note(stamp, Reason::Cut, String::new);
        };
        if self.options.choice == Choice::ByContent
            && let Some(heard) = self.bus.push(&frame)
        {
            let entry = plain(Kind::Can(Box::new(heard)));
            self.conversations.queue.push(stamp, entry);
        }
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
        self.conversations.keep_within_limits();
        for slot in self.conversations.uninteresting.drain(..) {
            self.tcp.ignore(slot);
            self.conversations.queue.hold(slot, None);
        }
        if let Some(slot) = slot {
            let conversation = self.conversations.slots.get(slot).and_then(Option::as_ref);
            let since = conversation.and_then(|conversation| {
                let bytes = self.tcp.unsettled_since(slot);
                bytes
                    .into_iter()
                    .chain(conversation.unsettled_since())
                    .min()
            });
            self.conversations.queue.hold(slot, since);
        }
    }

    fn release(&mut self) -> io::Result<()> {
        for connection in self.conversations.found.drain(..) {
            self.summary.connections += 1;
            self.sink.connection(&connection)?;
        }
        while let Some((stamp, mut entry)) = self.conversations.queue.pop() {
            let start = *self.summary.start_ns.get_or_insert(stamp.at_ns);
            entry.at_ns = Some(stamp.at_ns.saturating_sub(start));
            if let Some(firmwares) = self.firmwares_of(&entry) {
                firmwares.hear(&mut entry);
            }
            self.sink.entry(entry)?;
        }
        Ok(())
    }

    /// What is known of the devices of an entry's connection. Of many connections that never end, the oldest are forgotten.
    fn firmwares_of(&mut self, entry: &Entry) -> Option<&mut Firmwares> {
        match entry.kind {
            Kind::Frame(_) => {
                if self.firmwares.len() >= MAX_CONNECTIONS
                    && !self.firmwares.contains_key(&entry.connection)
                {
                    self.firmwares.pop_first();
                }
                Some(self.firmwares.entry(entry.connection).or_default())
            }
            _ => None,
        }
    }

    /// Hands out the entries that are left.
    pub(super) fn finish(mut self) -> io::Result<Summary> {
        let conversations = &mut self.conversations;
        self.tcp.finish(&mut |event| conversations.hear(event));
        if let Some(last) = self.last {
            for heard in self.bus.finish() {
                let entry = plain(Kind::Can(Box::new(heard)));
                self.conversations.queue.push(last, entry);
            }
        }
        self.release()?;
        for (reason, unusable) in &self.unused {
            self.sink.entry(unused_notice(*reason, unusable))?;
        }
        if let Some(entry) = self.conversations.left_out_notice() {
            self.sink.entry(entry)?;
        }
        Ok(self.summary)
    }
}

impl Conversations {
    fn hear(&mut self, event: Event<'_>) {
        let (slot, stamp) = (event.slot, event.stamp);
        if let EventKind::Opened {
            initiator,
            responder,
            from_start,
        } = event.kind
        {
            if self.slots.len() <= slot {
                self.slots.resize_with(slot + 1, || None);
            }
            let connection = event.connection;
            let ends = (initiator, responder);
            match self.is_wanted(connection, ends) {
                true => {
                    let conversation =
                        Conversation::new(connection, ends, from_start, stamp, &self.options);
                    self.slots[slot] = Some(conversation);
                }
                false => self.uninteresting.push(slot),
            }
            return;
        }
        let Some(conversation) = self.slots.get_mut(slot).and_then(Option::as_mut) else {
            return;
        };
        let ended = event.kind == EventKind::Forgotten;
        let before = conversation.cost();
        let progress = match ended {
            true => conversation.end(&mut self.queue),
            false => conversation.hear(stamp, event.kind, &mut self.queue),
        };
        self.undecided = self.undecided - before + conversation.cost();
        self.take(slot, progress);
        if ended {
            // From now on the slot may be another connection's.
            self.slots[slot] = None;
            self.uninteresting.retain(|&other| other != slot);
            self.queue.hold(slot, None);
        }
    }

    fn take(&mut self, slot: usize, progress: Progress) {
        match progress {
            Progress::Found(connection) => self.found.push(connection),
            Progress::NotOurs => self.leave_out(slot),
            Progress::GoesOn => {}
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
                .map(|conversation| conversation.as_ref().map_or(0, Conversation::cost));
            let Some((slot, _)) = costs.enumerate().max_by_key(|&(_, cost)| cost) else {
                return;
            };
            let Some(conversation) = self.slots[slot].as_mut() else {
                return;
            };
            let before = conversation.cost();
            let progress = conversation.hurry(&mut self.queue);
            self.undecided = self.undecided - before + conversation.cost();
            self.take(slot, progress);
        }
    }

    fn leave_out(&mut self, slot: usize) {
        let Some(conversation) = self.slots[slot].take() else {
            return;
        };
        self.undecided -= conversation.cost();
        self.left_out += 1;
        if self.named_left_out.len() < NAMED_LEFT_OUT {
            self.named_left_out.push(conversation.to_string());
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

/// Something that a reader should know about the recording.
pub(super) fn notice(text: String) -> Entry {
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
