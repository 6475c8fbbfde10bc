//! `delay`: everything comes later by the same time.

use super::{Chunk, Definition, Fault, Harm, definition::fault};
use crate::{check::lasting, duration::Duration, mistake::Mistakes, rng::Rng, time::Time};

fault! {
    /// Everything comes later by the same time.
    Delay {
        /// How much later everything comes.
        by: Duration,
    }
}

impl Definition for Delay {
    const NAME: &'static str = "delay";
    const EXAMPLE: &'static str = "- delay: { by: 200ms, when: { probability: 0.2 } }";
    const HARM: Harm = Harm::Late;

    fn check(&self, mistakes: &mut Mistakes) {
        mistakes.note(lasting("by", self.by, "does no harm"));
    }

    fn draw(parameter: u8) -> Self {
        Self::with(Duration::from_millis(parameter.into()))
    }
}

impl Fault for Delay {
    fn needs_frames(&self) -> bool {
        false
    }

    fn takes_ends(&self) -> bool {
        true
    }

    fn apply(&mut self, _now: Time, chunk: Chunk, _rng: &mut Rng) -> Vec<Chunk> {
        vec![Chunk {
            at: chunk.at + self.by.get(),
            ..chunk
        }]
    }
}
