//! The journal that the control API keeps: a bounded number of entries, numbered, for whoever asks.
//!
//! The hub's thread puts entries in and does nothing else with them: what they read like is worked out when somebody
//! asks. Whoever reads holds the lock for a bounded number of entries only.

use std::{
    collections::VecDeque,
    mem::size_of,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::{Notify, futures::Notified};
use veschub_hub::journal::{EventKind, JournalEntry, JournalEvent};
use veschub_wire::Reply;

/// The most entries that are kept.
pub(crate) const MOST_ENTRIES: usize = 100_000;
/// The most memory that they take, about.
pub(crate) const MOST_BYTES: usize = 64 << 20;
/// The most entries that are read under one lock.
pub(crate) const BATCH: usize = 512;

/// An entry with its number: numbers go up by one, from 1, and are never used again.
#[derive(Debug)]
pub struct Record {
    /// Its number.
    pub seq: u64,
    /// The entry, masked.
    pub entry: JournalEntry,
    size: usize,
}

/// The entries that are kept, shared by the hub's thread and those who read.
#[derive(Debug)]
pub(crate) struct Store {
    kept: Mutex<Kept>,
    most_entries: usize,
    most_bytes: usize,
    news: Notify,
    /// How many wait for news: without any, the hub wakes nobody.
    waiting: AtomicUsize,
}

#[derive(Debug)]
struct Kept {
    records: VecDeque<Arc<Record>>,
    /// The number of the next entry.
    next: u64,
    bytes: usize,
    /// How many were dropped since the journal was last forgotten, as there were too many.
    dropped: u64,
    /// The number of the last entry that was forgotten on purpose.
    forgotten: u64,
    totals: Vec<(EventKind, u64)>,
}

/// Entries in their order.
#[derive(Debug, Default)]
pub struct Batch {
    /// The entries.
    pub records: Vec<Arc<Record>>,
    /// How many of those asked for are not there any more, as there were too many.
    pub lost: u64,
    /// The number of the last entry that was looked at: to go on behind it.
    pub last: u64,
    /// Whether there are no more for now.
    pub is_end: bool,
    /// The number of the first entry that is kept.
    pub first: u64,
}

impl Record {
    /// An entry with its number, which was masked before.
    #[must_use]
    pub fn new(seq: u64, entry: JournalEntry) -> Self {
        let size = size_of::<Self>() + heap_size(&entry);
        Self { seq, entry, size }
    }
}

/// What a store holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extent {
    pub(crate) entries: usize,
    pub(crate) bytes: usize,
    /// The number of the last entry; 0 before the first.
    pub(crate) last: u64,
    pub(crate) dropped: u64,
    /// How many entries of each kind there were since the start.
    pub(crate) totals: Vec<(EventKind, u64)>,
}

/// Somebody who waits for news.
pub(crate) struct Waiting<'a> {
    counted: Counted<'a>,
    news: Notified<'a>,
}

/// One of those who wait.
struct Counted<'a>(&'a Store);

impl Waiting<'_> {
    /// Ready when an entry came after this was made.
    pub(crate) async fn news(self) {
        let Self { counted, news } = self;
        news.await;
        drop(counted);
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Default for Store {
    fn default() -> Self {
        Self::bounded(MOST_ENTRIES, MOST_BYTES)
    }
}

impl Store {
    /// Keeps at most so many entries, in about so many bytes.
    pub(crate) fn bounded(most_entries: usize, most_bytes: usize) -> Self {
        Self {
            kept: Mutex::new(Kept {
                records: VecDeque::new(),
                next: 1,
                bytes: 0,
                dropped: 0,
                forgotten: 0,
                totals: Vec::new(),
            }),
            most_entries,
            most_bytes,
            news: Notify::new(),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Takes in an entry, which was masked before.
    pub(crate) fn push(&self, entry: JournalEntry) {
        let kind = EventKind::from(&entry.event);
        let mut dropped = None;
        {
            let mut kept = self.lock();
            let seq = kept.next;
            kept.next += 1;
            match kept.totals.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, total)) => *total += 1,
                None => kept.totals.push((kind, 1)),
            }
            let record = Record::new(seq, entry);
            kept.bytes += record.size;
            kept.records.push_back(Arc::new(record));
            while kept.records.len() > self.most_entries || kept.bytes > self.most_bytes {
                let Some(oldest) = kept.records.pop_front() else {
                    break;
                };
                kept.bytes -= oldest.size;
                kept.dropped += 1;
                // Freed behind the lock.
                dropped = Some(oldest);
            }
        }
        drop(dropped);
        self.wake();
    }

    /// Wakes those who wait for news.
    pub(crate) fn wake(&self) {
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.news.notify_waiters();
        }
    }

    /// The entries behind a number, at most [`BATCH`] of them.
    pub(crate) fn after(&self, seq: u64) -> Batch {
        let kept = self.lock();
        let first = kept.next - kept.records.len() as u64;
        let start = seq.saturating_add(1).max(first).min(kept.next);
        let skip = usize::try_from(start - first).unwrap_or(usize::MAX);
        let records: Vec<_> = kept
            .records
            .iter()
            .skip(skip)
            .take(BATCH)
            .cloned()
            .collect();
        let last = records.last().map_or(start - 1, |record| record.seq);
        Batch {
            lost: first.saturating_sub(seq.max(kept.forgotten).saturating_add(1)),
            is_end: last + 1 == kept.next,
            records,
            last,
            first,
        }
    }

    /// The number of the last entry; 0 before the first.
    pub(crate) fn last(&self) -> u64 {
        self.lock().next - 1
    }

    /// What it holds.
    pub(crate) fn extent(&self) -> Extent {
        let kept = self.lock();
        Extent {
            entries: kept.records.len(),
            bytes: kept.bytes,
            last: kept.next - 1,
            dropped: kept.dropped,
            totals: kept.totals.clone(),
        }
    }

    /// Forgets all entries; numbers go on.
    pub(crate) fn forget(&self) -> usize {
        let records = {
            let mut kept = self.lock();
            (kept.bytes, kept.dropped) = (0, 0);
            kept.forgotten = kept.next - 1;
            std::mem::take(&mut kept.records)
        };
        records.len()
    }

    /// Waits for news from now on. Look at the entries after this and before waiting, so that none is missed.
    pub(crate) fn waiting(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        Waiting {
            counted: Counted(self),
            news: self.news.notified(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an entry holds outside of itself, about.
fn heap_size(entry: &JournalEntry) -> usize {
    match &entry.event {
        JournalEvent::Request(payload) | JournalEvent::ReplyDiscarded(payload) => payload.len(),
        // A decoded reply takes about so much of lists and texts.
        JournalEvent::Reply { payload, truth } => {
            let truth = truth.as_ref().map_or(0, |_| size_of::<Reply>());
            truth + 3 * payload.len()
        }
        JournalEvent::Noise { bytes, .. } | JournalEvent::DeviceNoise { bytes, .. } => bytes.len(),
        JournalEvent::Login(line) => line.id.len() + 64,
        _ => 128,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use veschub_hub::{hub::ConnId, time::Time};

    use super::*;

    fn entry(number: u32, bytes: usize) -> JournalEntry {
        JournalEntry {
            at: Time::ZERO + Duration::from_millis(number.into()),
            conn: Some(ConnId(number)),
            device: None,
            event: JournalEvent::Request(vec![0; bytes]),
        }
    }

    fn numbers(batch: &Batch) -> Vec<u64> {
        batch.records.iter().map(|record| record.seq).collect()
    }

    #[test]
    fn the_oldest_entries_are_dropped_and_counted_and_numbers_go_on() {
        let store = Store::bounded(3, usize::MAX);
        for number in 1..=5 {
            store.push(entry(number, 1));
        }
        let batch = store.after(0);
        assert_eq!((numbers(&batch), batch.lost), (vec![3, 4, 5], 2));
        assert_eq!((batch.last, batch.is_end), (5, true));
        assert_eq!(numbers(&store.after(4)), [5]);
        assert_eq!((store.extent().dropped, store.extent().entries), (2, 3));
        assert_eq!(store.forget(), 3);
        assert_eq!(store.extent().dropped, 0);
        let empty = store.after(0);
        assert_eq!((numbers(&empty), empty.last), (vec![], 5));
        store.push(entry(6, 1));
        assert_eq!(numbers(&store.after(5)), [6]);
        assert_eq!(store.extent().totals, [(EventKind::Frame, 6)]);
    }

    #[test]
    fn memory_is_bounded_by_bytes_too() {
        let store = Store::bounded(usize::MAX, 1 << 20);
        for number in 0..1000 {
            store.push(entry(number, 100 << 10));
        }
        let extent = store.extent();
        assert!(extent.bytes <= 1 << 20, "{}", extent.bytes);
        assert_eq!(extent.entries, 10);
    }

    #[test]
    fn a_number_that_is_yet_to_come_gives_nothing_now() {
        let store = Store::default();
        store.push(entry(1, 1));
        let batch = store.after(u64::MAX - 1);
        assert!(batch.records.is_empty() && batch.is_end);
        assert_eq!((batch.last, batch.lost), (1, 0));
    }

    #[test]
    fn a_long_journal_is_read_in_batches() {
        let store = Store::default();
        for number in 0..BATCH as u32 + 1 {
            store.push(entry(number, 1));
        }
        let batch = store.after(0);
        assert_eq!((batch.records.len(), batch.is_end), (BATCH, false));
        let rest = store.after(batch.last);
        assert_eq!((rest.records.len(), rest.is_end), (1, true));
    }

    #[tokio::test]
    async fn who_waits_is_woken_by_what_came_after_it_began_to_wait() {
        let store = Store::default();
        let waiting = store.waiting();
        store.push(entry(1, 1));
        waiting.news().await;
        assert_eq!(store.waiting.load(Ordering::SeqCst), 0);
    }
}
