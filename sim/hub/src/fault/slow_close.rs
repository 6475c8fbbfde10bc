//! `slow-close`: the end of the stream comes late.

use super::{Chunk, Definition, End, Fault, Harm, definition::fault};
use crate::{check::lasting, duration::Duration, mistake::Mistakes, rng::Rng, time::Time};

fault! {
    /// The end of the stream (FIN) comes late.
    SlowClose {
        /// How much later the end comes.
        by: Duration,
    }
}

impl Definition for SlowClose {
    const NAME: &'static str = "slow-close";
    const EXAMPLE: &'static str = "- slow-close: { by: 5s }";
    const HARM: Harm = Harm::Late;

    fn check(&self, mistakes: &mut Mistakes) {
        mistakes.note(lasting("by", self.by, "does no harm"));
        let counts = [
            ("command", self.when.command.is_some()),
            ("nth", self.when.nth.is_some()),
            ("every", self.when.every.is_some()),
        ];
        mistakes.inside("when", |mistakes| {
            for (key, _) in counts.into_iter().filter(|(_, given)| *given) {
                let message = "the end of a stream is no frame, so this can never be met";
                mistakes.add(key, message);
            }
        });
    }

    fn draw(parameter: u8) -> Self {
        Self::with(Duration::from_millis(parameter.into()))
    }
}

impl Fault for SlowClose {
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
            at: chunk.at + self.by.get(),
            ..chunk
        }]
    }
}
