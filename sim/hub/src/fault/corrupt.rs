//! `corrupt`: one bit of a frame is flipped, so that no parser accepts it.
//!
//! ```text
//!  02 | len | payload ... | crc crc | 03
//!       ^length  ^payload   ^crc      ^stop
//! ```
//!
//! The frames behind it are not lost, but a reference parser may deliver them late: it looks for the next frame from
//! the byte behind the failed start byte on, and what looks like a start there makes it wait for more bytes.

use rand::RngExt;

use super::{Chunk, Fault};
use crate::{rng::Rng, time::Time};

/// CRC and stop byte.
const TRAILER: usize = 3;

/// The fault `corrupt`.
#[derive(Clone, Debug)]
pub struct Corrupt {
    part: Part,
}

/// A part of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The payload, command id included.
    Payload,
    /// The CRC.
    Crc,
    /// The length field.
    Length,
    /// The stop byte.
    Stop,
}

impl Corrupt {
    /// Harm to this part; which byte and which bit of it is drawn.
    #[must_use]
    pub fn new(part: Part) -> Self {
        Self { part }
    }

    /// Where the part lies in a frame; empty in what is too short to be one.
    fn range(&self, frame: &[u8]) -> std::ops::Range<usize> {
        let Some(payload_end) = frame.len().checked_sub(TRAILER) else {
            return 0..0;
        };
        let header = usize::from(frame[0]).min(payload_end);
        match self.part {
            Part::Payload => header..payload_end,
            Part::Crc => payload_end..frame.len() - 1,
            Part::Length => 1.min(header)..header,
            Part::Stop => frame.len() - 1..frame.len(),
        }
    }
}

impl Fault for Corrupt {
    fn name(&self) -> &'static str {
        "corrupt"
    }

    fn needs_frames(&self) -> bool {
        true
    }

    fn suits(&self, chunk: &Chunk) -> bool {
        !self.range(&chunk.bytes).is_empty()
    }

    fn apply(&mut self, _now: Time, mut chunk: Chunk, rng: &mut Rng) -> Vec<Chunk> {
        let range = self.range(&chunk.bytes);
        if !range.is_empty() {
            let drawn = rng.random_range(0..range.len() as u64 * 8) as usize;
            chunk.bytes[range.start + drawn / 8] ^= 1 << (drawn % 8);
        }
        vec![chunk]
    }
}
