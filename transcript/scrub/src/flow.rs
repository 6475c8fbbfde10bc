//! TCP connections, and which byte of a stream each byte of a packet is.
//!
//! The reader's reassembly knows both: the bytes of each stream, and the position at which each segment begins.

use std::net::SocketAddr;
use std::ops::Range;

use veschub_transcript::listen::{Heard, Listener};
use veschub_transcript::read::Stamp;
use veschub_transcript::read::roles::{Roles, Scout, higher_port};
use veschub_transcript::read::segment::Segment;
use veschub_transcript::read::tcp::{Event, EventKind, Reassembler};
use veschub_transcript::{Options, Side};

/// All connections of a capture.
#[derive(Debug)]
pub(crate) struct Flows {
    tcp: Reassembler,
    connections: Connections,
    carriers: Vec<Carrier>,
}

#[derive(Debug)]
struct Connections {
    /// The largest payload.
    limit: usize,
    flows: Vec<Flow>,
    /// Which flow the reassembly remembers in which slot.
    slots: Vec<usize>,
    /// Who sent the segment that is being taken, and where it begins.
    segment: Option<(Side, u64)>,
}

/// One connection.
#[derive(Debug)]
struct Flow {
    ends: (SocketAddr, SocketAddr),
    from_start: bool,
    scout: Scout,
    halves: [Half; 2],
    roles: Option<Roles>,
}

/// One direction of a connection.
#[derive(Debug, Default)]
struct Half {
    /// The position of its first byte.
    origin: Option<u64>,
    stream: Stream,
}

/// A VESC session: which end is the tool, whether that is only guessed, and what both sides sent.
pub(crate) struct Session<'a> {
    pub(crate) roles: Roles,
    pub(crate) is_guessed: bool,
    pub(crate) streams: [&'a mut Stream; 2],
}

/// The bytes of one direction, in stretches between gaps.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    pub(crate) stretches: Vec<Stretch>,
}

/// Bytes without a gap.
#[derive(Debug, Default)]
pub(crate) struct Stretch {
    pub(crate) offset: u64,
    pub(crate) bytes: Vec<u8>,
    /// Which bytes have been dealt with.
    pub(crate) done: Vec<bool>,
}

/// A packet of a connection.
#[derive(Debug)]
struct Carrier {
    record: usize,
    flow: usize,
    payload: Range<usize>,
    /// Who sent it, and where in the stream its bytes begin; nothing, if they are not part of it.
    segment: Option<(Side, u64)>,
}

impl Flows {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            tcp: Reassembler::new(),
            connections: Connections {
                limit: options.to_device.max(options.to_tool),
                flows: Vec::new(),
                slots: Vec::new(),
                segment: None,
            },
            carriers: Vec::new(),
        }
    }

    /// Takes the next segment, and where in its record the payload is.
    pub(crate) fn push(
        &mut self,
        record: usize,
        at_ns: u64,
        segment: &Segment<'_>,
        payload: Range<usize>,
    ) {
        let stamp = Stamp {
            // Counted from 1, as the reader does.
            record: record as u64 + 1,
            at_ns,
        };
        let connections = &mut self.connections;
        let slot = self
            .tcp
            .push(stamp, segment, &mut |event| connections.hear(event));
        if let Some(slot) = slot {
            self.carriers.push(Carrier {
                record,
                flow: connections.slots[slot],
                payload,
                segment: connections.segment.take(),
            });
        }
    }

    pub(crate) fn finish(&mut self) {
        let connections = &mut self.connections;
        self.tcp.finish(&mut |event| connections.hear(event));
        for flow in &mut connections.flows {
            let higher_port = higher_port(flow.ends.0, flow.ends.1);
            flow.roles = flow.roles.or_else(|| flow.scout.last(higher_port));
        }
    }

    /// The connections that are VESC sessions.
    pub(crate) fn sessions(&mut self) -> impl Iterator<Item = Session<'_>> {
        self.connections.flows.iter_mut().filter_map(|flow| {
            let roles = flow.roles?;
            let [initiator, responder] = &mut flow.halves;
            Some(Session {
                roles,
                is_guessed: roles.login.is_none() && !flow.from_start,
                streams: [&mut initiator.stream, &mut responder.stream],
            })
        })
    }

    /// The packets of VESC sessions, each with the pieces of its payload: where in the record, and what is there.
    ///
    /// What is `None` belongs to no stream. The packets are in the order of the file.
    pub(crate) fn packets(&self) -> impl Iterator<Item = (usize, Vec<Piece<'_>>)> {
        self.carriers.iter().filter_map(|carrier| {
            let flow = &self.connections.flows[carrier.flow];
            flow.roles?;
            Some((carrier.record, flow.pieces(carrier)))
        })
    }
}

impl Connections {
    fn hear(&mut self, event: Event<'_>) {
        if let EventKind::Opened {
            initiator,
            responder,
            from_start,
        } = event.kind
        {
            self.slots.resize(self.slots.len().max(event.slot + 1), 0);
            self.slots[event.slot] = self.flows.len();
            self.flows.push(Flow {
                ends: (initiator, responder),
                from_start,
                scout: Scout::new(from_start, self.limit),
                halves: Default::default(),
                roles: None,
            });
            return;
        }
        let flow = &mut self.flows[self.slots[event.slot]];
        match event.kind {
            EventKind::Segment { side, position } => self.segment = Some((side, position)),
            EventKind::Data {
                side,
                offset,
                position,
                bytes,
            } => {
                let half = &mut flow.halves[side as usize];
                half.origin.get_or_insert(position - offset);
                half.stream.append(offset, &bytes);
                flow.scout.bytes(side, &bytes);
            }
            EventKind::Gap { side, len, .. } => flow.scout.gap(side, len),
            _ => {}
        }
        // As the reader does: what was certain once stays so.
        flow.roles = flow.roles.or_else(|| flow.scout.certain());
    }
}

/// A part of a packet's payload, and the bytes that belong there if it is part of a stream.
pub(crate) type Piece<'a> = (Range<usize>, Option<&'a [u8]>);

impl Flow {
    fn pieces(&self, carrier: &Carrier) -> Vec<Piece<'_>> {
        let payload = carrier.payload.clone();
        let placed = carrier.segment.and_then(|(side, position)| {
            let half = &self.halves[side as usize];
            // Below 0 is what came before the stream's start.
            Some((&half.stream, position as i64 - half.origin? as i64))
        });
        let Some((stream, at)) = placed else {
            return vec![(payload, None)];
        };
        let end = at + payload.len() as i64;
        let mut pieces = Vec::new();
        let mut told = at;
        let place = |offset: i64| payload.start + (offset - at) as usize;
        for stretch in stream.overlapping(at, end) {
            let from = told.max(stretch.offset as i64);
            let to = end.min(stretch.end() as i64);
            if told < from {
                pieces.push((place(told)..place(from), None));
            }
            let start = stretch.offset as i64;
            let bytes = &stretch.bytes[(from - start) as usize..(to - start) as usize];
            pieces.push((place(from)..place(to), Some(bytes)));
            told = to;
        }
        if told < end {
            pieces.push((place(told)..place(end), None));
        }
        pieces
    }
}

impl Stream {
    fn append(&mut self, offset: u64, bytes: &[u8]) {
        match self.stretches.last_mut() {
            Some(last) if last.end() == offset => last.append(bytes),
            _ => {
                let mut new = Stretch {
                    offset,
                    ..Stretch::default()
                };
                new.append(bytes);
                self.stretches.push(new);
            }
        }
    }

    fn overlapping(&self, from: i64, to: i64) -> impl Iterator<Item = &Stretch> {
        let first = self
            .stretches
            .partition_point(|stretch| stretch.end() as i64 <= from);
        self.stretches[first..]
            .iter()
            .take_while(move |stretch| (stretch.offset as i64) < to)
    }

    /// What is said in it, each thing with its offset.
    pub(crate) fn listen(&self, has_login: bool, limit: usize) -> Vec<Heard<()>> {
        let mut listener = match has_login {
            true => Listener::with_login(limit),
            false => Listener::new(limit),
        };
        let mut heard = Vec::new();
        for stretch in &self.stretches {
            let missing = stretch.offset - listener.len();
            if missing > 0 {
                listener.gap((), missing, &mut heard);
            }
            listener.bytes((), &stretch.bytes, &mut heard);
        }
        listener.finish(&mut heard);
        heard
    }
}

impl Stretch {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        let mut stretch = Self::default();
        stretch.append(&bytes);
        stretch
    }

    fn append(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.done.resize(self.bytes.len(), false);
    }

    pub(crate) fn end(&self) -> u64 {
        self.offset + self.bytes.len() as u64
    }
}
