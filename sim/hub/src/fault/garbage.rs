//! `garbage`: bytes that no frame holds, before or behind a frame.

use rand::Rng as _;

use super::{Chunk, Fault};
use crate::{rng::Rng, time::Time};

/// The most bytes of garbage at one place.
pub const MAX_GARBAGE: usize = 65_536;

/// What makes a parser with a limit of 512 bytes wait for 258 more: the start and the length of a frame that never
/// comes.
const FALSE_START: [u8; 2] = [0x02, 0xFF];

/// The fault `garbage`.
#[derive(Clone, Debug)]
pub struct Garbage {
    junk: Junk,
    position: Position,
}

/// What the garbage is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Junk {
    /// This many bytes, each of them drawn.
    Random(usize),
    /// This many NULs.
    Nuls(usize),
    /// `02 ff`: a frame that seems to begin.
    FalseStart,
    /// These bytes.
    Bytes(Vec<u8>),
}

/// Where the garbage is put.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Position {
    /// Before the frame.
    #[default]
    Before,
    /// Behind the frame.
    After,
}

impl Garbage {
    /// Garbage before or behind a frame.
    #[must_use]
    pub fn new(junk: Junk, position: Position) -> Self {
        Self { junk, position }
    }

    fn bytes(&self, rng: &mut Rng) -> Vec<u8> {
        match &self.junk {
            Junk::Random(count) => {
                let mut bytes = vec![0; (*count).min(MAX_GARBAGE)];
                rng.fill_bytes(&mut bytes);
                bytes
            }
            Junk::Nuls(count) => vec![0; (*count).min(MAX_GARBAGE)],
            Junk::FalseStart => FALSE_START.to_vec(),
            Junk::Bytes(bytes) => bytes[..bytes.len().min(MAX_GARBAGE)].to_vec(),
        }
    }
}

impl Fault for Garbage {
    fn name(&self) -> &'static str {
        "garbage"
    }

    fn needs_frames(&self) -> bool {
        true
    }

    fn apply(&mut self, _now: Time, chunk: Chunk, rng: &mut Rng) -> Vec<Chunk> {
        let garbage = Chunk::bytes(chunk.at, self.bytes(rng));
        match self.position {
            Position::Before => vec![garbage, chunk],
            Position::After => vec![chunk, garbage],
        }
    }
}
