//! The journal that the control API keeps: a bounded number of entries, numbered, for whoever asks.
//!
//! The hub's thread puts entries in and does nothing else with them: what they read like is worked out when somebody
//! asks. Whoever reads holds the lock for a bounded number of entries only. Requests and replies are most of a journal:
//! their bytes stand in [chunks](crate::chunks).

use std::{
    mem::{self, size_of},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::{Notify, futures::Notified};
use veschub_hub::{
    hub::ConnId,
    journal::{EventKind, JournalEntry, JournalEvent},
    time::Time,
};
use veschub_wire::Reply;

use crate::chunks::{Bytes, Chunk, Chunks};

/// The most entries that are kept.
pub(crate) const MOST_ENTRIES: usize = 100_000;
/// The most memory that they take, about.
pub(crate) const MOST_BYTES: usize = 64 << 20;
/// The most entries that are read under one lock.
pub(crate) const BATCH: usize = 512;
/// What is kept comes in so many chunks: the oldest is dropped as a whole.
const CHUNKS: usize = 64;

/// An entry with its number: numbers go up by one, from 1, and are never used again.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its number.
    pub seq: u64,
    /// The entry, masked.
    pub entry: Arc<JournalEntry>,
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
    entries: Chunks<Slot>,
    /// How many there are.
    count: usize,
    /// The number of the next entry.
    next: u64,
    bytes: usize,
    /// How many were dropped since the journal was last forgotten, as there were too many.
    dropped: u64,
    /// The number of the last entry that was forgotten on purpose.
    forgotten: u64,
    totals: Vec<(EventKind, u64)>,
}

/// An entry.
#[derive(Debug)]
enum Slot {
    /// Its payload is its bytes.
    Short {
        at: Time,
        conn: Option<ConnId>,
        device: Option<Arc<str>>,
        kind: Short,
    },
    /// It is as it was, and has no bytes.
    Whole(Arc<JournalEntry>),
}

/// An event that is a payload and no more.
#[derive(Clone, Copy, Debug)]
enum Short {
    Request,
    /// One of which nobody knows what the device held.
    Reply,
    ReplyDiscarded,
}

/// Entries in their order.
#[derive(Debug, Default)]
pub struct Batch {
    /// The entries.
    pub records: Vec<Record>,
    /// How many of those asked for are not there any more, as there were too many.
    pub lost: u64,
    /// The number of the last entry that was looked at: to go on behind it.
    pub last: u64,
    /// Whether there are no more for now.
    pub is_end: bool,
    /// The number of the first entry that is kept.
    pub first: u64,
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
        let chunks = Chunks::new(most_bytes / CHUNKS, (most_entries / CHUNKS).max(1));
        Self {
            kept: Mutex::new(Kept {
                entries: chunks,
                count: 0,
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
        let is_too_much = {
            let mut kept = self.lock();
            kept.take(entry);
            kept.count > self.most_entries || kept.bytes > self.most_bytes
        };
        if is_too_much {
            self.drop_oldest();
        }
        self.wake();
    }

    fn drop_oldest(&self) {
        let is_too_much =
            |kept: &Kept| kept.count > self.most_entries || kept.bytes > self.most_bytes;
        loop {
            let oldest = {
                let mut kept = self.lock();
                match is_too_much(&kept) {
                    true => kept.drop_oldest(),
                    false => None,
                }
            };
            let Some(mut oldest) = oldest else {
                return;
            };
            // Freed behind the lock.
            oldest.clear();
            self.lock().entries.reuse(oldest);
        }
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
        let first = kept.next - kept.count as u64;
        let start = seq.saturating_add(1).max(first).min(kept.next);
        let skip = usize::try_from(start - first).unwrap_or(usize::MAX);
        let entries = kept.entries_behind(skip).take(BATCH);
        let records: Vec<_> = (start..)
            .zip(entries)
            .map(|(seq, entry)| Record { seq, entry })
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
            entries: kept.count,
            bytes: kept.bytes,
            last: kept.next - 1,
            dropped: kept.dropped,
            totals: kept.totals.clone(),
        }
    }

    /// Forgets all entries; numbers go on.
    pub(crate) fn forget(&self) -> usize {
        let (_freed_behind_the_lock, count) = {
            let mut kept = self.lock();
            (kept.bytes, kept.dropped) = (0, 0);
            kept.forgotten = kept.next - 1;
            (kept.entries.take_all(), mem::take(&mut kept.count))
        };
        count
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

impl Kept {
    fn take(&mut self, entry: JournalEntry) {
        let kind = EventKind::from(&entry.event);
        match self.totals.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, total)) => *total += 1,
            None => self.totals.push((kind, 1)),
        }
        let (slot, payload) = Slot::of(entry);
        let size = size_of::<Slot>() + payload.len() + slot.heap_size();
        self.entries.add(slot, Bytes::New(&payload), size);
        self.next += 1;
        self.count += 1;
        self.bytes += size;
    }

    fn drop_oldest(&mut self) -> Option<Chunk<Slot>> {
        let oldest = self.entries.take_oldest()?;
        self.count -= oldest.len();
        self.dropped += oldest.len() as u64;
        self.bytes -= oldest.size();
        Some(oldest)
    }

    /// The entries behind the oldest ones.
    fn entries_behind(&self, mut skip: usize) -> impl Iterator<Item = Arc<JournalEntry>> {
        self.entries.iter().flat_map(move |chunk| {
            let slots = chunk.iter_from(skip);
            skip = skip.saturating_sub(chunk.len());
            slots.map(|(slot, bytes)| slot.entry(bytes))
        })
    }
}

impl Slot {
    /// An entry, and its bytes.
    fn of(entry: JournalEntry) -> (Self, Vec<u8>) {
        let (kind, payload) = match entry.event {
            JournalEvent::Request(payload) => (Short::Request, payload),
            JournalEvent::ReplyDiscarded(payload) => (Short::ReplyDiscarded, payload),
            JournalEvent::Reply {
                payload,
                truth: None,
            } => (Short::Reply, payload),
            _ => return (Self::Whole(Arc::new(entry)), Vec::new()),
        };
        let JournalEntry {
            at, conn, device, ..
        } = entry;
        let slot = Self::Short {
            at,
            conn,
            device,
            kind,
        };
        (slot, payload)
    }

    /// The entry as it was.
    fn entry(&self, bytes: &[u8]) -> Arc<JournalEntry> {
        match self {
            Self::Whole(entry) => Arc::clone(entry),
            Self::Short {
                at,
                conn,
                device,
                kind,
            } => Arc::new(JournalEntry {
                at: *at,
                conn: *conn,
                device: device.clone(),
                event: kind.event(bytes.to_vec()),
            }),
        }
    }

    /// What it holds outside of itself and its bytes, about.
    fn heap_size(&self) -> usize {
        let Self::Whole(entry) = self else {
            return 0;
        };
        let inside = match &entry.event {
            // A decoded reply takes about so much of lists and texts.
            JournalEvent::Reply { payload, .. } => size_of::<Reply>() + 4 * payload.len(),
            JournalEvent::Noise { bytes, .. } | JournalEvent::DeviceNoise { bytes, .. } => {
                bytes.len()
            }
            JournalEvent::Login(line) => line.id.len() + 64,
            _ => 128,
        };
        size_of::<JournalEntry>() + inside
    }
}

impl Short {
    fn event(self, payload: Vec<u8>) -> JournalEvent {
        match self {
            Self::Request => JournalEvent::Request(payload),
            Self::Reply => JournalEvent::Reply {
                payload,
                truth: None,
            },
            Self::ReplyDiscarded => JournalEvent::ReplyDiscarded(payload),
        }
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
