//! Entries that are known, kept until no earlier entry can come any more.
//!
//! Entries of one connection may become clear later than those of another: bytes behind a hole, half a frame, or a
//! connection that may turn out to be no VESC session. Such a connection holds back all entries from a record on. When
//! more than 8 MiB wait, nothing is held back any longer; an entry that becomes clear after that comes late, with its
//! right time.

use std::collections::{BTreeSet, VecDeque};

use super::stamp::Stamp;
use super::tcp::MAX_CONNECTIONS;
use crate::entry::{Entry, Kind};

/// How much waits for something earlier, in bytes of memory.
const MAX_HELD: usize = 8 << 20;

#[derive(Debug)]
pub(super) struct Queue {
    /// In the order of their records.
    entries: VecDeque<(Stamp, Entry)>,
    cost: usize,
    /// From which record on each slot holds entries back.
    holds: Vec<Option<u64>>,
    earliest: BTreeSet<(u64, usize)>,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self {
            entries: VecDeque::new(),
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
                let at = self
                    .entries
                    .partition_point(|(other, _)| other.record <= stamp.record);
                self.entries.insert(at, (stamp, entry));
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
        let (stamp, _) = self.entries.front()?;
        let free = match self.earliest.first() {
            Some((since, _)) => stamp.record < *since || self.cost > MAX_HELD,
            None => true,
        };
        if !free {
            return None;
        }
        let popped = self.entries.pop_front()?;
        self.cost -= cost(&popped.1);
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
