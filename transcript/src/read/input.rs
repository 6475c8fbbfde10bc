//! A reader with a look-ahead that grows to what is asked for.
//!
//! It knows the file offset of what it shows, which is all that the capture reader needs for
//! messages that name a place. Who asks is responsible for asking within limits.

use std::io::{self, Read};

use super::unpack::Unpacked;
use crate::error::CaptureError;

/// How much is asked of the reader at least.
const PIECE: usize = 64 << 10;

/// Bytes read from `reader` and not yet consumed.
#[derive(Debug)]
pub(super) struct Input<R> {
    reader: Unpacked<R>,
    buffer: Vec<u8>,
    /// Where in `buffer` the unconsumed bytes begin.
    head: usize,
    offset: u64,
    ended: bool,
    /// Why it ended, if compressed data are cut off or damaged.
    damage: Option<&'static str>,
}

impl<R: Read> Input<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader: Unpacked::new(reader),
            buffer: Vec::new(),
            head: 0,
            offset: 0,
            ended: false,
            damage: None,
        }
    }

    /// The unconsumed bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.head..]
    }

    /// Position of the first unconsumed byte in the file, or in what it unpacks to.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether offsets are those of the unpacked file.
    pub(super) fn is_compressed(&self) -> bool {
        self.reader.is_compressed()
    }

    /// What is wrong with compressed data, known once everything before it was consumed.
    pub(super) fn damage(&self) -> Option<&'static str> {
        self.damage
    }

    /// Reads until `wanted` bytes are there or the input ends; returns how many are there.
    pub(super) fn fill(&mut self, wanted: usize) -> Result<usize, CaptureError> {
        let have = self.buffer.len() - self.head;
        if have >= wanted || self.ended {
            return Ok(have);
        }
        self.buffer.drain(..self.head);
        self.head = 0;
        // Grows with what comes, so that a length that lies costs no more memory than the file has bytes.
        let missing = PIECE.max(wanted - have) as u64;
        let mut piece = self.reader.by_ref().take(missing);
        match piece.read_to_end(&mut self.buffer) {
            Ok(got) => self.ended = (got as u64) < missing,
            Err(error) => self.fail(error)?,
        }
        Ok(self.buffer.len())
    }

    pub(super) fn consume(&mut self, count: usize) {
        let count = count.min(self.buffer.len() - self.head);
        self.head += count;
        self.offset += count as u64;
    }

    /// Goes past `count` bytes without keeping them; whether they were all there.
    pub(super) fn skip(&mut self, count: u64) -> Result<bool, CaptureError> {
        let mut left = count;
        loop {
            let step = left.min(PIECE as u64) as usize;
            let have = self.fill(step)?.min(step);
            self.consume(have);
            left -= have as u64;
            if have < step || left == 0 {
                return Ok(left == 0);
            }
        }
    }

    /// The number at `at` bytes behind the first unconsumed one, if it is there.
    pub(super) fn u32_at(&self, at: usize, big_endian: bool) -> Option<u32> {
        u32_at(self.bytes(), at, big_endian)
    }

    /// What was unpacked before the damage is as good as any; what the system cannot read is an error.
    fn fail(&mut self, source: io::Error) -> Result<(), CaptureError> {
        self.ended = true;
        self.damage = match source.kind() {
            io::ErrorKind::UnexpectedEof if self.is_compressed() => {
                Some("the compressed data are cut off")
            }
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput if self.is_compressed() => {
                Some("the compressed data are damaged")
            }
            _ => {
                return Err(CaptureError::Io {
                    offset: self.offset + (self.buffer.len() - self.head) as u64,
                    source,
                });
            }
        };
        Ok(())
    }
}

/// The number at this place, if it is there.
pub(super) fn u32_at(bytes: &[u8], at: usize, big_endian: bool) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?;
    let bytes = <[u8; 4]>::try_from(bytes).ok()?;
    Some(match big_endian {
        true => u32::from_be_bytes(bytes),
        false => u32::from_le_bytes(bytes),
    })
}
