//! `jitter`: everything comes later, each by a time of its own.

use rand::RngExt;

use super::{Chunk, Definition, Fault, Harm, definition::fault};
use crate::{check::lasting, duration::Duration, mistake::Mistakes, rng::Rng, time::Time};

fault! {
    /// Everything comes later, each by a time of its own that is drawn.
    Jitter {
        /// The longest delay.
        up_to: Duration,
    }
}

impl Definition for Jitter {
    const NAME: &'static str = "jitter";
    const EXAMPLE: &'static str = "- jitter: { up_to: 80ms }";
    const HARM: Harm = Harm::Late;

    fn check(&self, mistakes: &mut Mistakes) {
        mistakes.note(lasting("up_to", self.up_to, "does no harm"));
    }

    fn draw(parameter: u8) -> Self {
        Self::with(Duration::from_millis(parameter.into()))
    }
}

impl Fault for Jitter {
    fn needs_frames(&self) -> bool {
        false
    }

    fn takes_ends(&self) -> bool {
        true
    }

    fn apply(&mut self, _now: Time, chunk: Chunk, rng: &mut Rng) -> Vec<Chunk> {
        let by = Duration(rng.random_range(0..=self.up_to.0));
        vec![Chunk {
            at: chunk.at + by.get(),
            ..chunk
        }]
    }
}
