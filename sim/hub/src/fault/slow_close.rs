//! `slow-close`: the end of the stream comes late.

use std::time::Duration;

use super::{Chunk, End, Fault};
use crate::{rng::Rng, time::Time};

/// The fault `slow-close`.
#[derive(Clone, Debug)]
pub struct SlowClose {
    by: Duration,
}

impl SlowClose {
    /// A FIN that comes this much later than it was due.
    #[must_use]
    pub fn new(by: Duration) -> Self {
        Self { by }
    }
}

impl Fault for SlowClose {
    fn name(&self) -> &'static str {
        "slow-close"
    }

    fn needs_frames(&self) -> bool {
        false
    }

    fn suits(&self, chunk: &Chunk) -> bool {
        chunk.end == Some(End::Fin)
    }

    fn takes_ends(&self) -> bool {
        true
    }

    fn apply(&mut self, _now: Time, chunk: Chunk, _rng: &mut Rng) -> Vec<Chunk> {
        vec![Chunk {
            at: chunk.at + self.by,
            ..chunk
        }]
    }
}
