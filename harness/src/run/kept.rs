//! What a run may take: how long it lasts, and how much of its journal is kept.

use std::{ops::Deref, time::Duration};

use veschub_hub::journal::{JournalEntry, JournalEvent};

/// How long a run may last by its own clock.
pub(super) const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// The most entries that are kept of a run, so that a client that floods the hub does not fill the memory.
pub(super) const MAX_ENTRIES: usize = 200_000;
/// The most bytes that these may hold.
pub(super) const MAX_BYTES: usize = 64 << 20;

/// What a run may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// How long it may last by its own clock.
    pub(crate) longest: Duration,
    /// The most entries that are kept of it.
    pub(crate) entries: usize,
    /// The most bytes that these may hold.
    pub(crate) bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            longest: LONGEST,
            entries: MAX_ENTRIES,
            bytes: MAX_BYTES,
        }
    }
}

/// What happened in a run, from its start on.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    bounds: Bounds,
    entries: Vec<JournalEntry>,
    bytes: usize,
    left_out: usize,
}

impl Kept {
    /// Keeps no more than this.
    pub(crate) fn within(bounds: Bounds) -> Self {
        Self {
            bounds,
            ..Self::default()
        }
    }

    /// Notes an entry; beyond the limits it is only counted.
    pub(crate) fn push(&mut self, entry: JournalEntry) {
        let bytes = match &entry.event {
            JournalEvent::Request(bytes)
            | JournalEvent::ReplyDiscarded(bytes)
            | JournalEvent::Reply { payload: bytes, .. }
            | JournalEvent::Noise { bytes, .. } => bytes.len(),
            _ => 0,
        };
        // Once something is missing, what comes later would stand in the wrong place.
        let Bounds {
            entries: most,
            bytes: room,
            ..
        } = self.bounds;
        if self.left_out > 0 || self.entries.len() >= most || self.bytes + bytes > room {
            self.left_out += 1;
        } else {
            self.bytes += bytes;
            self.entries.push(entry);
        }
    }

    /// How many entries were not kept.
    pub(crate) fn left_out(&self) -> usize {
        self.left_out
    }

    pub(crate) fn into_entries(self) -> Vec<JournalEntry> {
        self.entries
    }
}

impl Deref for Kept {
    type Target = [JournalEntry];

    fn deref(&self) -> &[JournalEntry] {
        &self.entries
    }
}

#[cfg(test)]
mod tests {
    use veschub_hub::time::Time;

    use super::*;

    #[test]
    fn what_floods_is_kept_up_to_a_limit_and_then_counted() {
        let entry = |length| JournalEntry {
            at: Time::ZERO,
            conn: None,
            device: None,
            event: JournalEvent::Request(vec![0; length]),
        };
        let mut kept = Kept::default();
        for _ in 0..MAX_ENTRIES + 5 {
            kept.push(entry(1));
        }
        assert_eq!((kept.len(), kept.left_out()), (MAX_ENTRIES, 5));
        let mut kept = Kept::default();
        for length in [MAX_BYTES, 1, 0] {
            kept.push(entry(length));
        }
        assert_eq!((kept.len(), kept.left_out()), (1, 2));
    }
}
