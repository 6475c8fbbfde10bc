//! `drop`: a frame never arrives.

use super::{Chunk, Definition, Fault, Harm, Leaves, definition::fault};
use crate::{rng::Rng, time::Time};

fault! {
    /// A frame never arrives.
    DropFrame {}
}

impl Definition for DropFrame {
    const NAME: &'static str = "drop";
    const EXAMPLE: &'static str = "- drop: { when: { command: FW_VERSION, nth: 1 } }";
    const HARM: Harm = Harm::Lost;

    fn draw(_parameter: u8) -> Self {
        Self::with()
    }
}

impl Fault for DropFrame {
    fn needs_frames(&self) -> bool {
        true
    }

    fn leaves(&self) -> Leaves {
        Leaves::Nothing
    }

    fn apply(&mut self, _now: Time, _chunk: Chunk, _rng: &mut Rng) -> Vec<Chunk> {
        Vec::new()
    }
}
