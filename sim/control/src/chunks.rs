//! Many small things in their order, each with some bytes, in chunks of memory that is used again and again.
//!
//! The hub's thread adds to them all the time, and needs no new memory for them once as much is kept as may be.

use std::{collections::VecDeque, mem};

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
    things: Vec<Thing<T>>,
    /// The bytes of all of them, one behind the other; two that follow each other may share them.
    bytes: Vec<u8>,
    size: usize,
}

/// One of them, and where its bytes are. There is one for each message, so it is small.
#[derive(Debug)]
struct Thing<T> {
    what: T,
    end: u32,
    len: u32,
}

/// Bytes to keep.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bytes<'a> {
    New(&'a [u8]),
    /// A relay sends on what it has just received: if the last bytes are the same, they are kept once.
    Again(&'a [u8]),
}

impl<T> Chunk<T> {
    /// As much room as another one has used.
    fn like(other: Option<&Self>) -> Self {
        let (things, bytes) = other.map_or((0, 0), |other| (other.things.len(), other.bytes.len()));
        Self {
            things: Vec::with_capacity(things),
            bytes: Vec::with_capacity(bytes),
            size: 0,
        }
    }

    fn add(&mut self, what: T, bytes: Bytes<'_>, size: usize) {
        let bytes = match bytes {
            Bytes::Again(bytes) if self.bytes.ends_with(bytes) => bytes,
            Bytes::New(bytes) | Bytes::Again(bytes) => {
                self.bytes.extend_from_slice(bytes);
                bytes
            }
        };
        // A chunk is full long before it has 4 GiB.
        let small = |length| u32::try_from(length).unwrap_or(u32::MAX);
        self.things.push(Thing {
            what,
            end: small(self.bytes.len()),
            len: small(bytes.len()),
        });
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
        things.iter().map(|thing| {
            let end = thing.end as usize;
            let bytes = self.bytes.get(end.saturating_sub(thing.len as usize)..end);
            (&thing.what, bytes.unwrap_or_default())
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
    pub(crate) fn add(&mut self, thing: T, bytes: Bytes<'_>, size: usize) {
        let (most_size, most_count) = self.full;
        match self.chunks.back_mut() {
            Some(last) if last.size < most_size && last.things.len() < most_count => {
                last.add(thing, bytes, size);
            }
            last => {
                let spare = self.spare.take();
                let mut next = spare.unwrap_or_else(|| Chunk::like(last.as_deref()));
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
            chunks.add(number, Bytes::New(&bytes(number)), 3);
            chunks.add(number, Bytes::Again(&bytes(number)), 3);
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
