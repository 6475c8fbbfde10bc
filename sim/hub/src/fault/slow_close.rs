//! `slow-close`: the end of the stream comes late.

use super::{Chunk, Definition, End, Fault, Harm, definition::fault};
use crate::{
    check::{Checked, Wrong, lasting},
    duration::Duration,
    rng::Rng,
    time::Time,
};

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

    fn check(&self) -> Checked {
        lasting("by", self.by, "does no harm")?;
        let counts = [
            ("command", self.when.command.is_some()),
            ("nth", self.when.nth.is_some()),
            ("every", self.when.every.is_some()),
        ];
        match counts.into_iter().find(|(_, given)| *given) {
            Some((key, _)) => {
                let message = "the end of a stream is no frame, so this can never be met";
                Err(Wrong::at(key, message).inside("when"))
            }
            None => Ok(()),
        }
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
