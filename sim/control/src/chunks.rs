//! Many small things in their order, each with some bytes, in chunks of memory that is used again and again.
//!
//! The hub's thread adds to them all the time, and asks the system for no memory once as much is kept as may be. What is
//! new stands in a little memory that is used again at once, and moves on in batches to where it is kept.

use std::{collections::VecDeque, iter, mem, ops::Range};

/// The most things that wait for the next batch.
const BATCH: usize = 64;
/// The most that they count together.
const BATCH_SIZE: usize = 8192;

/// Things in their order.
#[derive(Debug)]
pub(crate) struct Chunks<T> {
    chunks: VecDeque<Chunk<T>>,
    /// What came last.
    fresh: Chunk<T>,
    /// Empty, to be filled again without asking the system for memory.
    spare: Option<Chunk<T>>,
    /// A chunk is full when it counts so much, or has so many.
    full: (usize, usize),
}

/// Some of them.
#[derive(Debug)]
pub(crate) struct Chunk<T> {
    things: Vec<(T, Range<usize>)>,
    /// The bytes of all of them, one behind the other; two that follow each other may share them.
    bytes: Vec<u8>,
    size: usize,
}

impl<T> Default for Chunk<T> {
    fn default() -> Self {
        Self {
            things: Vec::new(),
            bytes: Vec::new(),
            size: 0,
        }
    }
}

impl<T> Chunk<T> {
    fn add(&mut self, thing: T, bytes: &[u8], size: usize) {
        // A relay sends on what it has just received.
        if !self.bytes.ends_with(bytes) {
            self.bytes.extend_from_slice(bytes);
        }
        let end = self.bytes.len();
        self.things.push((thing, end - bytes.len()..end));
        self.size += size;
    }

    fn append(&mut self, other: &mut Self) {
        let base = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        let things = other.things.drain(..);
        self.things
            .extend(things.map(|(thing, at)| (thing, base + at.start..base + at.end)));
        self.size += other.size;
        other.clear();
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.things.len()
    }

    /// What they count together.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// All of them but the first few, each with its bytes.
    pub(crate) fn iter_from(&self, first: usize) -> impl Iterator<Item = (&T, &[u8])> {
        let things = self.things.get(first..).unwrap_or_default();
        things.iter().map(|(thing, at)| {
            let bytes = self.bytes.get(at.clone());
            (thing, bytes.unwrap_or_default())
        })
    }

    /// Forgets all of them.
    pub(crate) fn clear(&mut self) {
        self.things.clear();
        self.bytes.clear();
        self.size = 0;
    }

    fn is_full(&self, (size, count): (usize, usize)) -> bool {
        self.size >= size || self.things.len() >= count
    }
}

impl<T> Chunks<T> {
    /// None yet; a chunk is full when it counts so much, or has so many.
    pub(crate) fn new(size: usize, count: usize) -> Self {
        Self {
            chunks: VecDeque::new(),
            fresh: Chunk::default(),
            spare: None,
            full: (size, count),
        }
    }

    /// Adds one that counts so much.
    pub(crate) fn add(&mut self, thing: T, bytes: &[u8], size: usize) {
        self.fresh.add(thing, bytes, size);
        let (size, count) = self.full;
        if self.fresh.is_full((size.min(BATCH_SIZE), count.min(BATCH))) {
            self.settle();
        }
    }

    /// Moves what is new to where it is kept.
    pub(crate) fn settle(&mut self) {
        if self.fresh.things.is_empty() {
            return;
        }
        if self
            .chunks
            .back()
            .is_none_or(|last| last.is_full(self.full))
        {
            let next = self.spare.take().unwrap_or_default();
            self.chunks.push_back(next);
        }
        if let Some(last) = self.chunks.back_mut() {
            last.append(&mut self.fresh);
        }
    }

    /// How many chunks there are, without what is new.
    pub(crate) fn len(&self) -> usize {
        self.chunks.len()
    }

    /// All chunks, the oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Chunk<T>> {
        self.chunks.iter().chain(iter::once(&self.fresh))
    }

    /// All chunks, which are not there any more.
    pub(crate) fn take_all(&mut self) -> VecDeque<Chunk<T>> {
        self.settle();
        mem::take(&mut self.chunks)
    }

    /// The oldest chunk, which is not there any more.
    pub(crate) fn take_oldest(&mut self) -> Option<Chunk<T>> {
        self.chunks.pop_front()
    }

    /// Keeps the memory of a chunk that nobody needs any more, and that was [cleared](Chunk::clear).
    pub(crate) fn reuse(&mut self, cleared: Chunk<T>) {
        self.spare = Some(cleared);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_keep_their_order_and_their_bytes() {
        let mut chunks = Chunks::new(1000, 100);
        let bytes = |number: usize| vec![number as u8; number % 7];
        for number in 0..1000 {
            // Each twice: the second one shares the bytes of the first.
            chunks.add(number, &bytes(number), 3);
            chunks.add(number, &bytes(number), 3);
        }
        let all = |chunks: &Chunks<usize>| {
            let things = chunks.iter().flat_map(|chunk| chunk.iter_from(0));
            things
                .map(|(&thing, bytes)| (thing, bytes.to_vec()))
                .collect::<Vec<_>>()
        };
        let wanted: Vec<_> = (0..2000)
            .map(|index| (index / 2, bytes(index / 2)))
            .collect();
        assert_eq!(all(&chunks), wanted);
        let oldest = chunks.take_oldest().unwrap();
        assert!(
            (100..=100 + BATCH).contains(&oldest.len()),
            "{}",
            oldest.len()
        );
        assert_eq!(oldest.size(), 3 * oldest.len());
        assert_eq!(all(&chunks), wanted[oldest.len()..]);
        let left: usize = chunks.take_all().iter().map(Chunk::len).sum();
        assert_eq!((left, all(&chunks)), (2000 - oldest.len(), vec![]));
    }
}
