//! `drop`: a frame never arrives.

use super::{Chunk, Fault};
use crate::{rng::Rng, time::Time};

/// The fault `drop`.
#[derive(Clone, Copy, Debug, Default)]
pub struct DropFrame;

impl Fault for DropFrame {
    fn name(&self) -> &'static str {
        "drop"
    }

    fn needs_frames(&self) -> bool {
        true
    }

    fn apply(&mut self, _now: Time, _chunk: Chunk, _rng: &mut Rng) -> Vec<Chunk> {
        Vec::new()
    }
}
