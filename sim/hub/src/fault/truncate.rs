//! `truncate`: only the first bytes of a frame arrive.
//!
//! A reference parser waits for the rest, and swallows the frames behind it until it has as many bytes as the length
//! field promised; then it delivers them all.

use super::{Chunk, Fault};
use crate::{rng::Rng, time::Time};

/// The fault `truncate`.
#[derive(Clone, Debug)]
pub struct Truncate {
    keep: usize,
}

impl Truncate {
    /// Keeps this many bytes of a frame, the header counted.
    #[must_use]
    pub fn new(keep: usize) -> Self {
        Self { keep }
    }
}

impl Fault for Truncate {
    fn name(&self) -> &'static str {
        "truncate"
    }

    fn needs_frames(&self) -> bool {
        true
    }

    fn suits(&self, chunk: &Chunk) -> bool {
        chunk.bytes.len() > self.keep
    }

    fn apply(&mut self, _now: Time, mut chunk: Chunk, _rng: &mut Rng) -> Vec<Chunk> {
        chunk.bytes.truncate(self.keep);
        if chunk.bytes.is_empty() {
            return Vec::new();
        }
        vec![Chunk::bytes(chunk.at, chunk.bytes)]
    }
}
