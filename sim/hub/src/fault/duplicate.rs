//! `duplicate`: a frame arrives more than once.

use super::{Chunk, Fault};
use crate::{rng::Rng, time::Time};

/// The most copies that one frame can get.
pub const MAX_TIMES: usize = 16;

/// The fault `duplicate`.
#[derive(Clone, Debug)]
pub struct Duplicate {
    times: usize,
}

impl Duplicate {
    /// This many copies behind the frame itself, up to [`MAX_TIMES`].
    #[must_use]
    pub fn new(times: usize) -> Self {
        Self {
            times: times.min(MAX_TIMES),
        }
    }
}

impl Fault for Duplicate {
    fn name(&self) -> &'static str {
        "duplicate"
    }

    fn needs_frames(&self) -> bool {
        true
    }

    fn apply(&mut self, _now: Time, chunk: Chunk, _rng: &mut Rng) -> Vec<Chunk> {
        vec![chunk; self.times + 1]
    }
}
