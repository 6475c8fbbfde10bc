//! One direction of a TCP connection: sequence numbers in, stream offsets out.
//!
//! Positions are 64 bits wide and equal to the sequence number modulo 2^32, so that a wrap is no
//! special case. Until the start of the stream is known (its SYN was seen, or an acknowledgement
//! shows that nothing earlier is missing) bytes wait.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::event::EventKind;
use crate::read::stamp::Stamp;
use crate::side::{Close, Side};

/// Bytes behind a hole beyond this many give the hole up.
pub(super) const MAX_WAITING_BYTES: usize = 1 << 20;
/// Pieces behind a hole beyond this many give the hole up.
pub(super) const MAX_WAITING_PIECES: usize = 1 << 12;
/// A recording that starts in the middle waits for an acknowledgement with at most this many bytes.
const MAX_UNANCHORED_BYTES: usize = 64 << 10;
/// An acknowledgement this far ahead is not believed.
const MAX_AHEAD: u64 = 1 << 30;
/// How many of the last bytes are kept, to tell whether what is sent again is the same.
const HISTORY: usize = 4 << 10;
/// What a waiting piece costs besides its bytes.
const PIECE_COST: usize = 96;
/// Where positions begin, so that earlier ones exist.
const BASE: u64 = 1 << 32;

/// How much a hole is wanted to be given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urge {
    /// Only if nothing can fill it any more.
    Certain,
    /// There is no room for what waits behind it.
    Full,
    /// Nothing more will come.
    Last,
}

/// What a segment's bytes came to at once; more may follow from [`Half::next`].
#[derive(Debug, Default)]
pub(super) struct Inserted<'a> {
    /// What was there already.
    pub(super) repeated: Option<EventKind<'static>>,
    pub(super) in_order: Option<(Stamp, EventKind<'a>)>,
}

#[derive(Debug)]
pub(super) struct Half {
    side: Side,
    /// A position to which sequence numbers are near.
    near: Option<u64>,
    /// Where the stream starts, once that is known.
    origin: Option<u64>,
    /// How far it is put together; from `origin` on.
    next: u64,
    /// Pieces that do not overlap, by position.
    waiting: BTreeMap<u64, Piece>,
    waiting_bytes: usize,
    /// How far the other side says it has everything.
    acknowledged: Option<u64>,
    /// Where the stream ends.
    end: Option<u64>,
    end_given: bool,
    /// The latest record that something given out depends on.
    latest: Stamp,
    end_stamp: Stamp,
    acknowledged_stamp: Stamp,
    /// The last record that carried bytes.
    carried: Stamp,
    /// The last bytes that were given out, up to `next`; at most twice [`HISTORY`].
    history: Vec<u8>,
}

#[derive(Debug)]
struct Piece {
    bytes: Vec<u8>,
    stamp: Stamp,
}

impl Half {
    /// Nothing is known of the direction yet.
    pub(super) fn new(side: Side) -> Self {
        Self {
            side,
            near: None,
            origin: None,
            next: 0,
            waiting: BTreeMap::new(),
            waiting_bytes: 0,
            acknowledged: None,
            end: None,
            end_given: false,
            latest: Stamp::default(),
            end_stamp: Stamp::default(),
            acknowledged_stamp: Stamp::default(),
            carried: Stamp::default(),
            history: Vec::new(),
        }
    }

    /// Whether its end was seen.
    pub(super) fn is_closed(&self) -> bool {
        self.end.is_some()
    }

    /// Bytes put together so far, gaps included.
    pub(super) fn len(&self) -> u64 {
        self.origin.map_or(0, |origin| self.next - origin)
    }

    /// Whether this sequence number is the known start of the stream.
    pub(super) fn starts_at(&self, seq: u32) -> bool {
        self.origin.is_some_and(|origin| origin as u32 == seq)
    }

    /// The stream starts with this sequence number, unless its start is known already.
    pub(super) fn anchor(&mut self, seq: u32) {
        if self.origin.is_none() {
            let position = self.position(seq);
            self.set_origin(position);
        }
    }

    /// The other side has everything before this sequence number.
    pub(super) fn acknowledge(&mut self, seq: u32, stamp: Stamp) {
        let position = self.position(seq);
        let known = match self.origin {
            Some(_) => self.next,
            None => self.waiting.keys().next().copied().unwrap_or(position),
        };
        let believable = position <= known.saturating_add(MAX_AHEAD);
        if believable && self.acknowledged.is_none_or(|old| position > old) {
            self.acknowledged = Some(position);
            self.acknowledged_stamp = stamp;
        }
    }

    /// The stream ends before this sequence number.
    pub(super) fn end(&mut self, seq: u32, stamp: Stamp) {
        let position = self.position(seq);
        if self.end.is_none() && position >= self.next {
            self.end = Some(position);
            self.end_stamp = stamp;
        }
    }

    /// Takes bytes that begin at this sequence number; of those that are there already, the first stay.
    pub(super) fn insert<'a>(&mut self, seq: u32, bytes: &'a [u8], stamp: Stamp) -> Inserted<'a> {
        if bytes.is_empty() {
            return Inserted::default();
        }
        let start = self.position(seq);
        if self.is_keep_alive(start, bytes) {
            return Inserted::default();
        }
        self.carried = stamp;
        let mut end = start + bytes.len() as u64;
        if let Some(last) = self.end {
            end = end.min(last);
        }
        if let Some(origin) = self.origin
            && start == self.next
            && start < end
            && self.waiting.is_empty()
        {
            let bytes = &bytes[..(end - start) as usize];
            self.near = Some(self.near.map_or(end, |near| near.max(end)));
            self.remember(bytes);
            self.next = end;
            self.latest = self.latest.max(stamp);
            let data = EventKind::Data {
                side: self.side,
                offset: start - origin,
                position: start,
                bytes: Cow::Borrowed(bytes),
            };
            return Inserted {
                repeated: None,
                in_order: Some((self.latest, data)),
            };
        }
        let inserted = Inserted {
            repeated: self.overlap(start, end, bytes),
            in_order: None,
        };
        let mut at = match self.origin {
            Some(_) => start.max(self.next),
            None => start,
        };
        while at < end {
            if let Some((&from, piece)) = self.waiting.range(..=at).next_back() {
                let to = from + piece.bytes.len() as u64;
                if to > at {
                    at = to;
                    continue;
                }
            }
            let until = self
                .waiting
                .range(at..)
                .next()
                .map_or(end, |(&from, _)| from.min(end));
            let new = &bytes[(at - start) as usize..(until - start) as usize];
            self.waiting_bytes += new.len();
            self.waiting.insert(
                at,
                Piece {
                    bytes: new.to_vec(),
                    stamp,
                },
            );
            at = until;
        }
        self.near = Some(self.near.map_or(end, |near| near.max(end)));
        inserted
    }

    /// What of these bytes was there before; nothing while it is not known where the stream starts.
    fn overlap(&self, start: u64, end: u64, bytes: &[u8]) -> Option<EventKind<'static>> {
        let origin = self.origin.filter(|_| start < end)?;
        // Where it begins, how many bytes, how many of them differ.
        let mut overlap: Option<(u64, u64, u64)> = None;
        let mut found = |from: u64, to: u64, known: &[u8]| {
            let again = &bytes[(from - start) as usize..(to - start) as usize];
            let differing = again.iter().zip(known).filter(|(a, b)| a != b).count() as u64;
            let whole = overlap.get_or_insert((from - origin, 0, 0));
            whole.1 += to - from;
            whole.2 += differing;
        };
        let (from, to) = (start.max(origin), end.min(self.next));
        if from < to {
            // Bytes that were given out long ago are no longer known.
            let kept_from = (self.next - self.history.len() as u64).max(from).min(to);
            if from < kept_from {
                found(from, kept_from, &[]);
            }
            if kept_from < to {
                let behind = (self.next - kept_from) as usize;
                found(kept_from, to, &self.history[self.history.len() - behind..]);
            }
        }
        // Pieces do not overlap, so that the one before `start` is the only one that may reach into it.
        let first = self.waiting.range(..=start).next_back();
        let first = first.map_or(start, |(&position, _)| position);
        for (&position, piece) in self.waiting.range(first..end) {
            let (from, to) = (
                start.max(position),
                end.min(position + piece.bytes.len() as u64),
            );
            if from < to {
                found(from, to, &piece.bytes[(from - position) as usize..]);
            }
        }
        overlap.map(|(offset, len, differing)| EventKind::Repeated {
            side: self.side,
            offset,
            len,
            differing,
        })
    }

    fn remember(&mut self, bytes: &[u8]) {
        let bytes = &bytes[bytes.len().saturating_sub(HISTORY)..];
        if self.history.len() + bytes.len() > 2 * HISTORY {
            self.history.drain(..self.history.len() - HISTORY);
        }
        self.history.extend_from_slice(bytes);
    }

    /// Keeps nothing of what was or is to come.
    pub(super) fn clear(&mut self) {
        self.waiting = BTreeMap::new();
        self.waiting_bytes = 0;
        self.history = Vec::new();
    }

    /// What waits behind a hole, in bytes of memory.
    pub(super) fn waiting(&self) -> usize {
        self.waiting_bytes + self.waiting.len() * PIECE_COST
    }

    /// The record from which on something may still come out with an earlier time than now.
    pub(super) fn unsettled_since(&self) -> Option<u64> {
        if let Some(piece) = self.waiting.values().next() {
            return Some(piece.stamp.record);
        }
        if self.end.is_some() {
            return (!self.end_given).then_some(self.end_stamp.record);
        }
        let lost = self.origin.is_some() && self.acknowledged.is_some_and(|to| to > self.next + 1);
        lost.then_some(self.acknowledged_stamp.record)
    }

    /// The next output that is certain, or that is wanted.
    pub(super) fn next(&mut self, urge: Urge) -> Option<(Stamp, EventKind<'static>)> {
        let last = urge == Urge::Last;
        let origin = match self.origin {
            Some(origin) => origin,
            None => self.find_origin(urge != Urge::Certain)?,
        };
        let (side, offset) = (self.side, self.next - origin);
        if let Some(entry) = self.waiting.first_entry() {
            if *entry.key() == self.next {
                let piece = entry.remove();
                let (position, len) = (self.next, piece.bytes.len());
                self.waiting_bytes -= len;
                self.next += len as u64;
                self.latest = self.latest.max(piece.stamp);
                self.remember(&piece.bytes);
                let bytes = Cow::Owned(piece.bytes);
                let data = EventKind::Data {
                    side,
                    offset,
                    position,
                    bytes,
                };
                return Some((self.latest, data));
            }
            let behind = *entry.key();
            let stamp = entry.get().stamp;
            // A recorder may see an acknowledgement before what it is for: one more segment must have come.
            let passed = self.acknowledged.is_some_and(|to| to >= behind)
                && self.carried.record > self.acknowledged_stamp.record;
            let full =
                self.waiting_bytes > MAX_WAITING_BYTES || self.waiting.len() > MAX_WAITING_PIECES;
            let wanted = urge != Urge::Certain;
            return (wanted || passed || full).then(|| self.skip_to(behind, stamp));
        }
        match self.end {
            Some(end) if self.next == end && !self.end_given => {
                self.end_given = true;
                self.history = Vec::new();
                self.latest = self.latest.max(self.end_stamp);
                let how = Close::Fin;
                Some((self.latest, EventKind::Closed { side, offset, how }))
            }
            Some(end) if self.next < end && last => Some(self.skip_to(end, self.end_stamp)),
            None if last => self.lost_tail(),
            _ => None,
        }
    }

    /// Bytes that the other side acknowledged and that were not recorded. One missing number is a lost FIN.
    fn lost_tail(&mut self) -> Option<(Stamp, EventKind<'static>)> {
        let to = self.acknowledged?;
        (to > self.next + 1).then(|| self.skip_to(to, self.acknowledged_stamp))
    }

    fn skip_to(&mut self, position: u64, stamp: Stamp) -> (Stamp, EventKind<'static>) {
        let (side, offset) = (self.side, self.len());
        let len = position - self.next;
        self.next = position;
        self.history.clear();
        self.latest = self.latest.max(stamp);
        (self.latest, EventKind::Gap { side, offset, len })
    }

    fn find_origin(&mut self, last: bool) -> Option<u64> {
        let first = match self.waiting.keys().next() {
            Some(&first) => first,
            None => self.end?,
        };
        let confirmed = self.acknowledged.is_some_and(|to| to > first);
        if last || confirmed || self.end == Some(first) || self.waiting_bytes > MAX_UNANCHORED_BYTES
        {
            self.set_origin(first);
        }
        self.origin
    }

    fn set_origin(&mut self, position: u64) {
        self.origin = Some(position);
        self.next = position;
        // What came before the start belongs to nothing.
        let later = self.waiting.split_off(&position);
        self.waiting = later;
        self.waiting_bytes = self.waiting.values().map(|piece| piece.bytes.len()).sum();
        self.near = Some(self.near.map_or(position, |near| near.max(position)));
    }

    /// A keep-alive repeats the last byte, or puts anything in its place, although it was confirmed.
    fn is_keep_alive(&self, start: u64, bytes: &[u8]) -> bool {
        let confirmed = self.acknowledged.is_some_and(|to| start < to);
        // Before the start is known, only the acknowledgement shows it.
        bytes.len() == 1 && confirmed && (self.origin.is_none() || start + 1 == self.next)
    }

    /// The position of a sequence number.
    pub(super) fn position(&mut self, seq: u32) -> u64 {
        let near = *self.near.get_or_insert_with(|| BASE + u64::from(seq));
        let distance = seq.wrapping_sub(near as u32) as i32;
        near.saturating_add_signed(i64::from(distance))
    }
}
