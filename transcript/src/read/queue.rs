//! Entries that are known, kept until no earlier entry can come any more.
//!
//! Entries of one connection may become clear later than those of another: bytes behind a hole, half a frame, or a
//! connection that may turn out to be no VESC session. Such a connection holds back all entries from a record on. When
//! more than 8 MiB wait, nothing is held back any longer; an entry that becomes clear after that comes late, with its
//! right time.

use std::{
    cmp::Ordering,
    collections::{BTreeSet, BinaryHeap, VecDeque},
};

use super::stamp::Stamp;
use super::tcp::MAX_CONNECTIONS;
use crate::entry::{Entry, Kind};

/// How much waits for something earlier, in bytes of memory.
const MAX_HELD: usize = 8 << 20;
/// For how many entries there is room when none wait.
const FEW: usize = 1024;

#[derive(Debug)]
pub(super) struct Queue {
    /// Most entries: each came in the order of their records.
    entries: VecDeque<(Stamp, Entry)>,
    /// Those that came behind an entry of a later record. To put each of them into its place among all others would move
    /// most of these every time.
    late: BinaryHeap<Late>,
    late_count: u64,
    cost: usize,
    /// From which record on each slot holds entries back.
    holds: Vec<Option<u64>>,
    earliest: BTreeSet<(u64, usize)>,
}

/// An entry that came behind one of a later record. The one that leaves first is the greatest.
#[derive(Debug)]
struct Late {
    stamp: Stamp,
    /// How many came before.
    number: u64,
    entry: Entry,
}

impl Late {
    fn place(&self) -> (u64, u64) {
        (self.stamp.record, self.number)
    }
}

impl Ord for Late {
    fn cmp(&self, other: &Self) -> Ordering {
        other.place().cmp(&self.place())
    }
}

impl PartialOrd for Late {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Late {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl Eq for Late {}

impl Queue {
    pub(super) fn new() -> Self {
        Self {
            entries: VecDeque::new(),
            late: BinaryHeap::new(),
            late_count: 0,
            cost: 0,
            holds: vec![None; MAX_CONNECTIONS],
            earliest: BTreeSet::new(),
        }
    }

    /// Takes an entry. Entries of one record stay in the order in which they came.
    pub(super) fn push(&mut self, stamp: Stamp, entry: Entry) {
        self.cost += cost(&entry);
        match self.entries.back() {
            Some((last, _)) if last.record > stamp.record => {
                self.late_count += 1;
                self.late.push(Late {
                    stamp,
                    number: self.late_count,
                    entry,
                });
            }
            _ => self.entries.push_back((stamp, entry)),
        }
    }

    /// From this record on, the connection in this slot may still have entries.
    pub(super) fn hold(&mut self, slot: usize, since: Option<u64>) {
        let Some(hold) = self.holds.get_mut(slot) else {
            return;
        };
        if *hold == since {
            return;
        }
        if let Some(old) = *hold {
            self.earliest.remove(&(old, slot));
        }
        if let Some(new) = since {
            self.earliest.insert((new, slot));
        }
        *hold = since;
    }

    /// The next entry that nothing earlier can come before any more.
    pub(super) fn pop(&mut self) -> Option<(Stamp, Entry)> {
        let (first, _) = self.entries.front()?;
        // One that is late came behind all others of its record, and one of a later record waits here as long as it does.
        let late = self.late.peek().map(|late| late.stamp.record);
        let late = late.filter(|record| *record < first.record);
        let record = late.unwrap_or(first.record);
        let free = match self.earliest.first() {
            Some((since, _)) => record < *since || self.cost > MAX_HELD,
            None => true,
        };
        if !free {
            return None;
        }
        let popped = match late {
            Some(_) => self.late.pop().map(|late| (late.stamp, late.entry)),
            None => self.entries.pop_front(),
        }?;
        self.cost -= cost(&popped.1);
        // Those that waited may have been many.
        if self.late.is_empty() {
            self.late.shrink_to(FEW);
        }
        if self.entries.is_empty() {
            self.entries.shrink_to(FEW);
        }
        Some(popped)
    }
}

/// What an entry takes of memory, roughly.
fn cost(entry: &Entry) -> usize {
    const BASE: usize = size_of::<(Stamp, Entry)>();
    BASE + match &entry.kind {
        Kind::Frame(frame) => frame.payload.len(),
        Kind::Noise(noise) => noise.bytes.len(),
        Kind::Login(login) => 2 * login.raw.reveal().len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_leave_in_the_order_of_their_records_and_then_in_the_one_in_which_they_came() {
        let mut queue = Queue::new();
        queue.hold(0, Some(0));
        let records = [5, 7, 7, 3, 5, 9, 3, 8, 7, 9, 1, 5];
        for (number, record) in (0..).zip(records) {
            let entry = Entry {
                at_ns: None,
                connection: number,
                direction: None,
                offset: 0,
                kind: Kind::Notice(String::new()),
            };
            queue.push(Stamp { record, at_ns: 0 }, entry);
        }
        assert!(queue.pop().is_none());
        queue.hold(0, None);
        let left = std::iter::from_fn(|| queue.pop());
        let left: Vec<_> = left
            .map(|(stamp, entry)| (stamp.record, entry.connection))
            .collect();
        let mut wanted: Vec<_> = records.into_iter().zip(0..).collect();
        wanted.sort_unstable();
        assert_eq!(left, wanted);
        assert_eq!(queue.cost, 0);
    }
}
