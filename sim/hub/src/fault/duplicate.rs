//! `duplicate`: a frame arrives more than once.

use super::{Chunk, Definition, Fault, Harm, definition::fault};
use crate::{check::range, mistake::Mistakes, rng::Rng, time::Time};

/// The most copies that one frame can get.
pub(super) const MAX_TIMES: usize = 16;

fault! {
    /// A frame arrives more than once.
    Duplicate {
        /// How many copies come behind the frame: 1 unless given.
        #[serde(default = "one")]
        times: usize,
    }
}

fn one() -> usize {
    1
}

impl Definition for Duplicate {
    const NAME: &'static str = "duplicate";
    const EXAMPLE: &'static str = "- duplicate: { when: { every: 5 } }";
    const HARM: Harm = Harm::Disorder;

    fn check(&self, mistakes: &mut Mistakes) {
        mistakes.note(range("times", self.times, 1, MAX_TIMES));
    }

    fn draw(parameter: u8) -> Self {
        Self::with(parameter.into())
    }
}

impl Fault for Duplicate {
    fn needs_frames(&self) -> bool {
        true
    }

    fn apply(&mut self, _now: Time, chunk: Chunk, _rng: &mut Rng) -> Vec<Chunk> {
        vec![chunk; self.times.min(MAX_TIMES) + 1]
    }
}
