//! `delay`: everything comes later by the same time.

use std::time::Duration;

use super::{Chunk, Fault};
use crate::{rng::Rng, time::Time};

/// The fault `delay`.
#[derive(Clone, Debug)]
pub struct Delay {
    by: Duration,
}

impl Delay {
    /// A delay by this time.
    #[must_use]
    pub fn new(by: Duration) -> Self {
        Self { by }
    }
}

impl Fault for Delay {
    fn name(&self) -> &'static str {
        "delay"
    }

    fn needs_frames(&self) -> bool {
        false
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
