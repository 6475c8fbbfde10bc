//! Many small things in their order, each with some bytes, in chunks of memory that is used again and again.
//!
//! The hub's thread adds to them all the time, and needs no new memory for them once as much is kept as may be.

use std::{collections::VecDeque, mem, ops::Range};

/// Things in their order.
#[derive(Debug)]
pub(crate) struct Chunks<T> {
    chunks: VecDeque<Chunk<T>>,
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
}

impl<T> Chunks<T> {
    /// None yet; a chunk is full when it counts so much, or has so many.
    pub(crate) fn new(size: usize, count: usize) -> Self {
        Self {
            chunks: VecDeque::new(),
            spare: None,
            full: (size, count),
        }
    }

    /// Adds one that counts so much.
    pub(crate) fn add(&mut self, thing: T, bytes: &[u8], size: usize) {
        let (most_size, most_count) = self.full;
        match self.chunks.back_mut() {
            Some(last) if last.size < most_size && last.things.len() < most_count => {
                last.add(thing, bytes, size);
            }
            _ => {
                let mut next = self.spare.take().unwrap_or_default();
                next.add(thing, bytes, size);
                self.chunks.push_back(next);
            }
        }
    }

    /// How many chunks there are.
    pub(crate) fn len(&self) -> usize {
        self.chunks.len()
    }

    /// All chunks, the oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Chunk<T>> {
        self.chunks.iter()
    }

    /// All chunks, which are not there any more.
    pub(crate) fn take_all(&mut self) -> VecDeque<Chunk<T>> {
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
        assert_eq!(oldest.len(), 100);
        let once: usize = (0..50).map(|number| number % 7).sum();
        assert_eq!(oldest.bytes.len(), once);
        assert_eq!(oldest.size(), 3 * oldest.len());
        assert_eq!(all(&chunks), wanted[oldest.len()..]);
        let left: usize = chunks.take_all().iter().map(Chunk::len).sum();
        assert_eq!((left, all(&chunks)), (2000 - oldest.len(), vec![]));
    }
}
