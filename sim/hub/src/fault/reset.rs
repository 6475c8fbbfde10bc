//! `reset`: the connection is broken off.

use super::{Chunk, Definition, End, Fault, Harm, definition::fault};
use crate::{rng::Rng, time::Time};

fault! {
    /// The connection is broken off (RST).
    Reset {
        /// How many bytes of what set it off still come: none unless given. A real network may lose those too.
        #[serde(default)]
        keep: usize,
    }
    state {
        done: bool,
    }
}

impl Definition for Reset {
    const NAME: &'static str = "reset";
    const EXAMPLE: &'static str = "- reset: { when: { client: { too_slow: 500ms } } }";
    const HARM: Harm = Harm::Lost;

    fn draw(parameter: u8) -> Self {
        Self::with(parameter.into())
    }
}

impl Fault for Reset {
    fn needs_frames(&self) -> bool {
        false
    }

    fn suits(&self, _chunk: &Chunk) -> bool {
        !self.done
    }

    fn acts_alone(&self) -> bool {
        true
    }

    fn apply(&mut self, _now: Time, mut chunk: Chunk, _rng: &mut Rng) -> Vec<Chunk> {
        self.done = true;
        let end = Chunk::end(chunk.at, End::Reset);
        if self.keep < chunk.bytes.len() {
            chunk.bytes.truncate(self.keep);
            chunk.frame = None;
        }
        if chunk.bytes.is_empty() {
            return vec![end];
        }
        vec![chunk, end]
    }

    fn pass(&mut self, _now: Time, chunk: Chunk) -> Vec<Chunk> {
        if self.done { Vec::new() } else { vec![chunk] }
    }
}
