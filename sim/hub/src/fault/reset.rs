//! `reset`: the connection is broken off.

use super::{Chunk, End, Fault};
use crate::{rng::Rng, time::Time};

/// The fault `reset`.
#[derive(Clone, Debug)]
pub struct Reset {
    keep: usize,
    done: bool,
}

impl Reset {
    /// A reset behind the first `keep` bytes of what set it off; a real network may lose those too.
    #[must_use]
    pub fn new(keep: usize) -> Self {
        Self { keep, done: false }
    }
}

impl Fault for Reset {
    fn name(&self) -> &'static str {
        "reset"
    }

    fn needs_frames(&self) -> bool {
        false
    }

    fn suits(&self, _chunk: &Chunk) -> bool {
        !self.done
    }

    fn acts_alone(&self) -> bool {
        true
    }

    fn apply(&mut self, _now: Time, mut chunk: Chunk, _rng: &mut Rng) -> Vec<Chunk> {
        self.done = true;
        let end = Chunk::end(chunk.at, End::Reset);
        if self.keep < chunk.bytes.len() {
            chunk.bytes.truncate(self.keep);
            chunk.frame = None;
        }
        if chunk.bytes.is_empty() {
            return vec![end];
        }
        vec![chunk, end]
    }

    fn pass(&mut self, _now: Time, chunk: Chunk) -> Vec<Chunk> {
        if self.done { Vec::new() } else { vec![chunk] }
    }
}
