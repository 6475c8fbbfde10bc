//! TCP connections, and which byte of a stream each byte of a packet is.
//!
//! The reader's own reassembly says what the streams are. Which packet carried which part of them follows from
//! the sequence numbers, once the one is known with which a stream begins; that is worked out beside it, and
//! checked: every byte of a stream must have come in some packet.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Range;

use crate::entry::Direction;
use crate::listen::{Heard, Listener};
use crate::roles::{Roles, Scout};
use crate::segment::Segment;
use crate::tcp::{Event, Reassembler, Side, Stamp, What};
use crate::transcript::Options;

/// All connections of a capture.
#[derive(Debug)]
pub(super) struct Flows {
    /// The largest payload.
    limit: usize,
    tcp: Reassembler,
    latest: BTreeMap<(SocketAddr, SocketAddr), usize>,
    flows: Vec<Flow>,
    carriers: Vec<Carrier>,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Flow {
    initiator: SocketAddr,
    responder: SocketAddr,
    from_start: bool,
    scout: Scout,
    halves: [Half; 2],
    roles: Option<Roles>,
}

/// One direction of a connection.
#[derive(Debug, Default)]
struct Half {
    /// The sequence number of its first byte.
    origin: Option<u32>,
    stream: Stream,
    /// The highest offset that was seen, from which sequence numbers are counted.
    near: u64,
}

/// The bytes of one direction, in stretches between gaps.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pub(super) stretches: Vec<Stretch>,
}

/// Bytes without a gap.
#[derive(Debug, Default)]
pub(super) struct Stretch {
    pub(super) offset: u64,
    pub(super) bytes: Vec<u8>,
    /// Which bytes have been dealt with.
    pub(super) done: Vec<bool>,
    /// Which bytes were found in a packet.
    carried: Vec<bool>,
}

/// The bytes of a packet, to be found in a stream.
#[derive(Debug)]
struct Carrier {
    record: usize,
    flow: usize,
    side: Side,
    first: u32,
    payload: Range<usize>,
    /// Bytes with a reset, which are not part of the stream.
    outside: bool,
}

impl Flows {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            limit: options.to_device.max(options.to_tool),
            tcp: Reassembler::new(),
            latest: BTreeMap::new(),
            flows: Vec::new(),
            carriers: Vec::new(),
        }
    }

    pub(super) fn push(
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
        let mut events = Vec::new();
        self.tcp
            .push(stamp, segment, &mut |event| events.push(event.into_owned()));
        let key = (
            segment.source.min(segment.destination),
            segment.source.max(segment.destination),
        );
        let opened = events.iter().find_map(|event| match event.what {
            What::Opened { .. } => Some(event.connection as usize - 1),
            _ => None,
        });
        if let Some(index) = opened {
            self.latest.insert(key, index);
        }
        // What opens a connection comes before what its first packet brings.
        let split = events
            .iter()
            .position(|event| matches!(event.what, What::Opened { .. }))
            .map_or(0, |at| at + 1);
        let rest = events.split_off(split);
        self.sort_events(events);
        if let Some(&flow) = self.latest.get(&key) {
            let side = self.flows[flow].anchor(segment);
            self.carriers.push(Carrier {
                record,
                flow,
                side,
                first: segment.seq.wrapping_add(u32::from(segment.syn)),
                payload,
                outside: segment.rst,
            });
        }
        self.sort_events(rest);
    }

    pub(super) fn finish(&mut self) {
        let mut events = Vec::new();
        self.tcp
            .finish(&mut |event| events.push(event.into_owned()));
        self.sort_events(events);
        for flow in &mut self.flows {
            flow.find_roles();
        }
    }

    fn sort_events(&mut self, events: Vec<Event<'_>>) {
        for event in events {
            let index = event.connection as usize - 1;
            if let What::Opened {
                initiator,
                responder,
                from_start,
            } = event.what
            {
                self.flows.push(Flow {
                    initiator,
                    responder,
                    from_start,
                    scout: Scout::new(from_start, self.limit),
                    halves: Default::default(),
                    roles: None,
                });
                continue;
            }
            let Some(flow) = self.flows.get_mut(index) else {
                continue;
            };
            match event.what {
                What::Data {
                    side,
                    offset,
                    bytes,
                } => {
                    let half = &mut flow.halves[side as usize];
                    if half.origin.is_none() {
                        half.origin = first_of(&self.carriers, event.stamp.record);
                    }
                    half.stream.append(offset, &bytes);
                    flow.scout.bytes(side, &bytes);
                }
                What::Gap { side, len, .. } => flow.scout.gap(side, len),
                _ => {}
            }
            // As the reader does: what was certain once stays so.
            flow.roles = flow.roles.or_else(|| flow.scout.certain());
        }
    }

    /// The connections that are VESC sessions: who is who, whether that is only guessed, and what they said.
    pub(super) fn sessions(&mut self) -> impl Iterator<Item = (Roles, bool, [&mut Stream; 2])> {
        self.flows.iter_mut().filter_map(|flow| {
            let [initiator, responder] = &mut flow.halves;
            let roles = flow.roles?;
            let is_guessed = roles.login.is_none() && !flow.from_start;
            Some((
                roles,
                is_guessed,
                [&mut initiator.stream, &mut responder.stream],
            ))
        })
    }

    /// Which records hold packets of VESC sessions.
    pub(super) fn records(&self) -> impl Iterator<Item = usize> {
        let ours = |carrier: &&Carrier| self.flows[carrier.flow].roles.is_some();
        let ours = self.carriers.iter().filter(ours);
        ours.map(|carrier| carrier.record)
    }

    /// The packets of VESC sessions, each with the pieces of its payload: where in the record, and what is there.
    ///
    /// What is `None` belongs to no stream. `write` gets each packet in the order of the file.
    pub(super) fn packets(&mut self, mut write: impl FnMut(usize, Vec<Piece<'_>>)) {
        for carrier in &self.carriers {
            let flow = &mut self.flows[carrier.flow];
            if flow.roles.is_none() {
                continue;
            }
            let half = &mut flow.halves[carrier.side as usize];
            write(carrier.record, half.pieces(carrier));
        }
    }

    /// Marks which bytes of the streams are in packets as they are; false if some are in none.
    pub(super) fn check(&mut self, payload: impl Fn(usize, Range<usize>) -> Vec<u8>) -> bool {
        for carrier in &self.carriers {
            let half = &mut self.flows[carrier.flow].halves[carrier.side as usize];
            if carrier.outside {
                continue;
            }
            let bytes = payload(carrier.record, carrier.payload.clone());
            let at = half.place(carrier);
            half.stream.mark(at, &bytes);
        }
        for half in self.flows.iter_mut().flat_map(|flow| &mut flow.halves) {
            half.near = 0;
        }
        let mut halves = self.flows.iter().flat_map(|flow| &flow.halves);
        halves.all(|half| {
            let mut stretches = half.stream.stretches.iter();
            stretches.all(|stretch| stretch.carried.iter().all(|carried| *carried))
        })
    }
}

/// A part of a packet's payload, and the bytes that belong there if it is part of a stream.
pub(super) type Piece<'a> = (Range<usize>, Option<&'a [u8]>);

fn first_of(carriers: &[Carrier], record: u64) -> Option<u32> {
    let found = carriers.binary_search_by_key(&record, |carrier| carrier.record as u64 + 1);
    found.ok().map(|index| carriers[index].first)
}

impl Flow {
    /// Notes with which numbers the streams begin, as the reassembly does; says who sent the segment.
    fn anchor(&mut self, segment: &Segment<'_>) -> Side {
        let side = match segment.source == self.initiator {
            true => Side::Initiator,
            false => Side::Responder,
        };
        if segment.syn {
            let own = &mut self.halves[side as usize].origin;
            own.get_or_insert(segment.seq.wrapping_add(1));
            if let Some(ack) = segment.ack.filter(|_| !segment.rst) {
                self.halves[side.other() as usize].origin.get_or_insert(ack);
            }
        }
        side
    }

    fn find_roles(&mut self) {
        let higher_port = match self.initiator.port() >= self.responder.port() {
            true => Side::Initiator,
            false => Side::Responder,
        };
        self.roles = self.roles.or_else(|| self.scout.last(higher_port));
    }
}

impl Half {
    /// Where in the stream a packet's first byte lies; below 0 for what came before its start.
    fn place(&mut self, carrier: &Carrier) -> i64 {
        let origin = self.origin.unwrap_or(carrier.first);
        let near = origin.wrapping_add(self.near as u32);
        let distance = carrier.first.wrapping_sub(near) as i32;
        let at = self.near as i64 + i64::from(distance);
        let end = at + carrier.payload.len() as i64;
        self.near = self.near.max(u64::try_from(end).unwrap_or(0));
        at
    }

    fn pieces(&mut self, carrier: &Carrier) -> Vec<Piece<'_>> {
        let payload = carrier.payload.clone();
        if carrier.outside {
            return vec![(payload, None)];
        }
        let at = self.place(carrier);
        let end = at + payload.len() as i64;
        let mut pieces = Vec::new();
        let mut told = at;
        let place = |offset: i64| payload.start + (offset - at) as usize;
        for stretch in self.stream.overlapping(at, end) {
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

    fn mark(&mut self, at: i64, bytes: &[u8]) {
        let end = at + bytes.len() as i64;
        let first = self
            .stretches
            .partition_point(|stretch| stretch.end() as i64 <= at);
        for stretch in &mut self.stretches[first..] {
            let start = stretch.offset as i64;
            if start >= end {
                break;
            }
            for offset in at.max(start)..end.min(stretch.end() as i64) {
                let index = (offset - start) as usize;
                stretch.carried[index] |= stretch.bytes[index] == bytes[(offset - at) as usize];
            }
        }
    }

    /// What is said in it, each thing with its offset.
    pub(super) fn listen(&self, has_login: bool, limit: usize) -> Vec<Heard<()>> {
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
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        let mut stretch = Self::default();
        stretch.append(&bytes);
        stretch
    }

    fn append(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.done.resize(self.bytes.len(), false);
        self.carried.resize(self.bytes.len(), false);
    }

    pub(super) fn end(&self) -> u64 {
        self.offset + self.bytes.len() as u64
    }
}

/// Which way the bytes of a side go.
pub(super) fn direction(side: Side, roles: Roles) -> Direction {
    match side == roles.tool {
        true => Direction::ToDevice,
        false => Direction::ToTool,
    }
}
