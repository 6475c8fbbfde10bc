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
use serde::{Deserialize, Serialize};

use super::{Chunk, Definition, Fault, Harm, definition::fault};
use crate::{rng::Rng, time::Time};

/// CRC and stop byte.
const TRAILER: usize = 3;

fault! {
    /// One bit of a frame is flipped, so that no parser accepts it.
    Corrupt {
        /// In which part of the frame a bit is flipped: payload, crc, length or stop; which bit is drawn.
        part: Part,
    }
}

/// A part of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
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

impl Definition for Corrupt {
    const NAME: &'static str = "corrupt";
    const EXAMPLE: &'static str =
        "- corrupt: { part: crc, when: { command: BMS_GET_VALUES, nth: 3 } }";
    const HARM: Harm = Harm::Broken;

    fn draw(parameter: u8) -> Self {
        const PARTS: [Part; 4] = [Part::Payload, Part::Crc, Part::Length, Part::Stop];
        Self::with(PARTS[usize::from(parameter) % PARTS.len()])
    }
}

impl Corrupt {
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
