//! `half-close`: nothing more is sent, and the other side is told so, while it may go on sending.

use super::{Chunk, End, Fault};
use crate::{rng::Rng, time::Time};

/// The fault `half-close`.
#[derive(Clone, Debug)]
pub struct HalfClose {
    keep: Option<usize>,
    done: bool,
}

impl HalfClose {
    /// A FIN behind the first `keep` bytes of what set it off, or behind all of it.
    #[must_use]
    pub fn new(keep: Option<usize>) -> Self {
        Self { keep, done: false }
    }
}

impl Fault for HalfClose {
    fn name(&self) -> &'static str {
        "half-close"
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
        let end = Chunk::end(chunk.at, End::Fin);
        let keep = self.keep.unwrap_or(usize::MAX);
        if keep < chunk.bytes.len() {
            chunk.bytes.truncate(keep);
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
