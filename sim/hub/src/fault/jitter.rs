//! `jitter`: everything comes later, each by a time of its own.

use std::time::Duration;

use rand::RngExt;

use super::{Chunk, Fault};
use crate::{rng::Rng, time::Time};

/// The fault `jitter`.
#[derive(Clone, Debug)]
pub struct Jitter {
    up_to: Duration,
}

impl Jitter {
    /// Delays drawn evenly from nothing to `up_to`.
    #[must_use]
    pub fn new(up_to: Duration) -> Self {
        Self { up_to }
    }
}

impl Fault for Jitter {
    fn name(&self) -> &'static str {
        "jitter"
    }

    fn needs_frames(&self) -> bool {
        false
    }

    fn takes_ends(&self) -> bool {
        true
    }

    fn apply(&mut self, _now: Time, chunk: Chunk, rng: &mut Rng) -> Vec<Chunk> {
        let most = u64::try_from(self.up_to.as_nanos()).unwrap_or(u64::MAX);
        let by = Duration::from_nanos(rng.random_range(0..=most));
        vec![Chunk {
            at: chunk.at + by,
            ..chunk
        }]
    }
}
