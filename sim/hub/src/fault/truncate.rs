//! `truncate`: only the first bytes of a frame arrive.
//!
//! A reference parser waits for the rest, and swallows the frames behind it until it has as many bytes as the length
//! field promised; then it delivers them all.

use super::{Chunk, Definition, Fault, Harm, Leaves, definition::fault, split::SHORTEST_FRAME};
use crate::{mistake::Mistakes, rng::Rng, time::Time};

fault! {
    /// Only the first bytes of a frame arrive.
    Truncate {
        /// How many bytes arrive, the frame's header counted.
        keep: usize,
    }
}

impl Definition for Truncate {
    const NAME: &'static str = "truncate";
    const EXAMPLE: &'static str =
        "- truncate: { keep: 40, when: { command: BMS_GET_VALUES, nth: 1 } }";
    const HARM: Harm = Harm::Broken;

    fn check(&self, mistakes: &mut Mistakes) {
        if self.keep == 0 {
            mistakes
                .add("keep", "nothing is left of the frame")
                .help("`drop` says that");
        }
    }

    fn draw(parameter: u8) -> Self {
        Self::with(parameter.into())
    }
}

impl Fault for Truncate {
    fn needs_frames(&self) -> bool {
        true
    }

    fn leaves(&self) -> Leaves {
        if (1..SHORTEST_FRAME).contains(&self.keep) {
            Leaves::Pieces
        } else {
            Leaves::Frames
        }
    }

    fn suits(&self, chunk: &Chunk) -> bool {
        chunk.bytes.len() > self.keep
    }

    fn apply(&mut self, _now: Time, mut chunk: Chunk, _rng: &mut Rng) -> Vec<Chunk> {
        chunk.bytes.truncate(self.keep);
        if chunk.bytes.is_empty() {
            return Vec::new();
        }
        vec![Chunk::bytes(chunk.at, chunk.bytes)]
    }
}
