//! `bandwidth`: bytes trickle out at a limited rate.
//!
//! A byte comes when the link has had the time to carry it. What is carried within [`SLICE`] comes together, so that
//! a fast link is not cut into single bytes.

use std::time::Duration;

use super::{Chunk, Definition, Fault, Harm, definition::fault, split::MAX_PIECES};
use crate::{mistake::Mistakes, rng::Rng, time::Time};

/// What is carried within this time comes as one piece.
const SLICE: Duration = Duration::from_millis(10);

const SECOND: u128 = 1_000_000_000;

fault! {
    /// Bytes trickle out at a limited rate.
    Bandwidth {
        /// How many bytes the link carries in a second.
        bytes_per_second: u64,
    }
    state {
        /// When the link has carried what it was given so far.
        free_at: Time,
    }
}

impl Definition for Bandwidth {
    const NAME: &'static str = "bandwidth";
    const EXAMPLE: &'static str = "- bandwidth: { bytes_per_second: 400 }";
    const HARM: Harm = Harm::Late;

    fn check(&self, mistakes: &mut Mistakes) {
        if self.bytes_per_second == 0 {
            mistakes
                .add("bytes_per_second", "a link with 0 bytes per second is dead")
                .help("`stall: {}` says that");
        }
    }

    fn draw(parameter: u8) -> Self {
        Self::with(u64::from(parameter) * 100)
    }
}

impl Bandwidth {
    fn time_for(&self, bytes: usize) -> Duration {
        let nanos = bytes as u128 * SECOND / u128::from(self.bytes_per_second.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    fn slice(&self, bytes: usize) -> usize {
        let in_slice = u128::from(self.bytes_per_second) * SLICE.as_nanos() / SECOND;
        usize::try_from(in_slice)
            .unwrap_or(usize::MAX)
            .max(bytes.div_ceil(MAX_PIECES))
            .max(1)
    }
}

impl Fault for Bandwidth {
    fn needs_frames(&self) -> bool {
        false
    }

    fn apply(&mut self, _now: Time, chunk: Chunk, _rng: &mut Rng) -> Vec<Chunk> {
        let start = self.free_at.max(chunk.at);
        self.free_at = start + self.time_for(chunk.bytes.len());
        let slice = self.slice(chunk.bytes.len());
        if chunk.bytes.len() <= slice {
            return vec![Chunk {
                at: self.free_at,
                ..chunk
            }];
        }
        let mut carried = 0;
        let pieces = chunk.bytes.chunks(slice).map(|piece| {
            carried += piece.len();
            Chunk::bytes(start + self.time_for(carried), piece.to_vec())
        });
        pieces.collect()
    }
}
