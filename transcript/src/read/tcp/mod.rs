//! TCP connections put together again: segments in, two streams of bytes each out.
//!
//! ```text
//!  segment -> which connection? -> which half? -> in order: Data
//!                (ports, SYN)                     early:    kept until the hole before it fills
//!                                                 late:     its new bytes, if any (first bytes win)
//! ```
//!
//! A recording may start in the middle, lose packets, repeat them or have them out of order. What
//! cannot be put together becomes a [`EventKind::Gap`], never a guess. There is no clock: a hole is
//! given up when the other side acknowledges what lies behind it, when too much waits for it, or
//! when the connection ends.
//!
//! Memory has limits that no recording can move: 1,024 connections are remembered at a time, and the one that was silent
//! for the longest time is forgotten first; at most 8 MiB wait behind holes, all connections together.

mod event;
mod half;

use std::collections::HashMap;
use std::net::SocketAddr;

pub use event::{Event, EventKind};
use half::{Half, Urge};

use super::segment::Segment;
use super::stamp::Stamp;
use crate::side::{Close, Side};

/// How many connections are remembered at a time.
pub(crate) const MAX_CONNECTIONS: usize = 1 << 10;
/// What waits behind holes in all connections together, in bytes.
pub(crate) const MAX_WAITING_TOTAL: usize = 8 << 20;

/// Puts all connections of a capture together.
#[derive(Debug, Default)]
pub struct Reassembler {
    slots: Vec<Option<Connection>>,
    free: Vec<usize>,
    /// The latest connection between two ends, whichever of them is named first.
    latest: HashMap<Ends, usize>,
    /// What the last segment belonged to: the next one mostly does too.
    last: Option<(Ends, usize)>,
    /// Connections seen so far.
    count: u32,
    /// What waits in all of them.
    waiting: usize,
}

type Ends = (SocketAddr, SocketAddr);

#[derive(Debug)]
struct Connection {
    number: u32,
    ends: Ends,
    initiator: SocketAddr,
    halves: [Half; 2],
    reset: bool,
    from_start: bool,
    /// Its events are not wanted.
    ignored: bool,
    /// The last record that belongs to it.
    last: Stamp,
}

impl Reassembler {
    /// Ready for the first segment.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next segment in capture order and hands out the events that it brings about. Returns the slot of the
    /// connection, if it is remembered.
    pub fn push(
        &mut self,
        stamp: Stamp,
        segment: &Segment<'_>,
        tell: &mut impl FnMut(Event<'_>),
    ) -> Option<usize> {
        let ends = match segment.source <= segment.destination {
            true => (segment.source, segment.destination),
            false => (segment.destination, segment.source),
        };
        let known = match self.last {
            Some((last, slot)) if last == ends => Some(slot),
            _ => self.latest.get(&ends).copied(),
        };
        let slot = match known {
            Some(slot) if !self.is_over_before(slot, segment) => slot,
            _ => {
                // It has nothing to put together, and does not show which end opened the connection.
                if segment.rst && known.is_none() {
                    return None;
                }
                if let Some(old) = known {
                    self.forget(old, tell);
                }
                self.open(ends, stamp, segment, tell)
            }
        };
        self.last = Some((ends, slot));
        if let Some(connection) = &mut self.slots[slot] {
            connection.last = stamp;
            if !connection.ignored {
                let before = connection.waiting();
                connection.push(slot, stamp, segment, tell);
                let others = self.waiting - before;
                if others + connection.waiting() > MAX_WAITING_TOTAL {
                    connection.give_up(slot, Urge::Full, tell);
                }
                self.waiting = others + connection.waiting();
            }
        }
        Some(slot)
    }

    /// Ends the capture, and hands out everything that still waited.
    pub fn finish(&mut self, tell: &mut impl FnMut(Event<'_>)) {
        let mut slots: Vec<usize> = (0..self.slots.len()).collect();
        slots.sort_by_key(|&slot| self.slots[slot].as_ref().map(|found| found.number));
        for slot in slots {
            self.forget(slot, tell);
        }
    }

    /// Hands out no more events of this connection, and keeps nothing for it.
    pub(crate) fn ignore(&mut self, slot: usize) {
        if let Some(Some(connection)) = self.slots.get_mut(slot) {
            self.waiting -= connection.waiting();
            connection.ignored = true;
            connection.halves.iter_mut().for_each(Half::clear);
        }
    }

    /// The record from which on this connection may still have events.
    #[must_use]
    pub(crate) fn unsettled_since(&self, slot: usize) -> Option<u64> {
        let connection = self.slots.get(slot)?.as_ref()?;
        let halves = connection.halves.iter();
        halves.filter_map(Half::unsettled_since).min()
    }

    fn is_over_before(&self, slot: usize, segment: &Segment<'_>) -> bool {
        let connection = self.slots[slot].as_ref();
        connection.is_none_or(|found| found.is_over_before(segment))
    }

    fn open(
        &mut self,
        ends: Ends,
        stamp: Stamp,
        segment: &Segment<'_>,
        tell: &mut impl FnMut(Event<'_>),
    ) -> usize {
        if self.free.is_empty() && self.slots.len() == MAX_CONNECTIONS {
            self.forget_some(tell);
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        self.count += 1;
        let connection = Connection::opened_by(self.count, ends, segment);
        tell(connection.opened(slot, stamp, segment));
        self.slots[slot] = Some(connection);
        self.latest.insert(ends, slot);
        slot
    }

    /// Makes room: connections that ended go first, then those that were silent longest.
    fn forget_some(&mut self, tell: &mut impl FnMut(Event<'_>)) {
        let mut slots: Vec<usize> = (0..self.slots.len()).collect();
        slots.sort_by_key(|&slot| {
            let found = self.slots[slot].as_ref();
            found.map(|found| (!found.is_closed(), found.last.record))
        });
        for slot in slots.into_iter().take(MAX_CONNECTIONS / 8) {
            self.forget(slot, tell);
        }
    }

    fn forget(&mut self, slot: usize, tell: &mut impl FnMut(Event<'_>)) {
        let Some(mut connection) = self.slots[slot].take() else {
            return;
        };
        self.waiting -= connection.waiting();
        if !connection.ignored {
            connection.give_up(slot, Urge::Last, tell);
        }
        tell(connection.event(slot, connection.last, EventKind::Forgotten));
        self.latest.remove(&connection.ends);
        self.last = None;
        self.free.push(slot);
    }
}

impl Connection {
    fn opened_by(number: u32, ends: Ends, segment: &Segment<'_>) -> Self {
        let answer = segment.syn && segment.ack.is_some();
        Self {
            number,
            ends,
            initiator: match answer {
                true => segment.destination,
                false => segment.source,
            },
            halves: [Side::Initiator, Side::Responder].map(Half::new),
            reset: false,
            from_start: segment.syn,
            ignored: false,
            last: Stamp::default(),
        }
    }

    fn opened(&self, slot: usize, stamp: Stamp, segment: &Segment<'_>) -> Event<'static> {
        let responder = match self.initiator == segment.source {
            true => segment.destination,
            false => segment.source,
        };
        let kind = EventKind::Opened {
            initiator: self.initiator,
            responder,
            from_start: self.from_start,
        };
        self.event(slot, stamp, kind)
    }

    fn event<'a>(&self, slot: usize, stamp: Stamp, kind: EventKind<'a>) -> Event<'a> {
        Event {
            connection: self.number,
            slot,
            stamp,
            kind,
        }
    }

    fn side_of(&self, source: SocketAddr) -> Side {
        match source == self.initiator {
            true => Side::Initiator,
            false => Side::Responder,
        }
    }

    fn is_closed(&self) -> bool {
        self.reset || self.halves.iter().all(Half::is_closed)
    }

    /// What waits in both directions, in bytes.
    fn waiting(&self) -> usize {
        self.halves.iter().map(Half::waiting).sum()
    }

    /// Whether this segment opens a new connection between the same two ends.
    fn is_over_before(&self, segment: &Segment<'_>) -> bool {
        if !segment.syn || segment.ack.is_some() {
            return false;
        }
        let half = &self.halves[self.side_of(segment.source) as usize];
        // The same SYN again, or one that was overtaken by its answer, opens nothing new.
        self.is_closed() || !half.starts_at(segment.seq.wrapping_add(1))
    }

    fn push(
        &mut self,
        slot: usize,
        stamp: Stamp,
        segment: &Segment<'_>,
        tell: &mut impl FnMut(Event<'_>),
    ) {
        let side = self.side_of(segment.source);
        let mut first = segment.seq;
        if segment.syn {
            first = first.wrapping_add(1);
            self.halves[side as usize].anchor(first);
        }
        if let Some(ack) = segment.ack.filter(|_| !segment.rst) {
            let other = &mut self.halves[side.other() as usize];
            if segment.syn {
                other.anchor(ack);
            }
            other.acknowledge(ack, stamp);
            self.drain(slot, side.other(), Urge::Certain, tell);
        }
        if segment.rst {
            if !self.reset {
                self.give_up(slot, Urge::Last, tell);
                self.reset = true;
                let kind = EventKind::Closed {
                    side,
                    offset: self.halves[side as usize].len(),
                    how: Close::Reset,
                };
                tell(self.event(slot, stamp, kind));
            }
            return;
        }
        if !segment.payload.is_empty() {
            let position = self.halves[side as usize].position(first);
            tell(self.event(slot, stamp, EventKind::Segment { side, position }));
        }
        let half = &mut self.halves[side as usize];
        let inserted = half.insert(first, segment.payload, stamp);
        if segment.fin {
            let len = segment.payload.len() as u32;
            half.end(first.wrapping_add(len).wrapping_add(segment.cut), stamp);
        }
        if let Some(repeated) = inserted.repeated {
            tell(self.event(slot, stamp, repeated));
        }
        if let Some((stamp, data)) = inserted.in_order {
            tell(self.event(slot, stamp, data));
        }
        self.drain(slot, side, Urge::Certain, tell);
    }

    fn drain(&mut self, slot: usize, side: Side, urge: Urge, tell: &mut impl FnMut(Event<'_>)) {
        while let Some((stamp, kind)) = self.halves[side as usize].next(urge) {
            tell(self.event(slot, stamp, kind));
        }
    }

    fn give_up(&mut self, slot: usize, urge: Urge, tell: &mut impl FnMut(Event<'_>)) {
        for side in [Side::Initiator, Side::Responder] {
            self.drain(slot, side, urge, tell);
        }
    }
}

#[cfg(test)]
mod tests;
