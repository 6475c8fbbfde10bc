//! `half-close`: nothing more is sent, and the other side is told so, while it may go on sending.

use super::{Chunk, Definition, End, Fault, Harm, definition::fault};
use crate::{rng::Rng, time::Time};

fault! {
    /// Nothing more is sent and the other side is told so (FIN), while it may go on sending.
    HalfClose {
        /// How many bytes of what set it off still come: all unless given.
        keep: Option<usize>,
    }
    state {
        done: bool,
    }
}

impl Definition for HalfClose {
    const NAME: &'static str = "half-close";
    const EXAMPLE: &'static str = "- half-close: { when: { after: 2s } }";
    const HARM: Harm = Harm::Silence;

    fn draw(parameter: u8) -> Self {
        Self::with(Some(parameter.into()))
    }
}

impl Fault for HalfClose {
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
        let end = Chunk::end(chunk.at, End::Fin);
        let keep = self.keep.unwrap_or(usize::MAX);
        if keep < chunk.bytes.len() {
            chunk.bytes.truncate(keep);
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
