//! A reader with a look-ahead that grows to what is asked for.
//!
//! It knows the file offset of what it shows, which is all that the capture reader needs for
//! messages that name a place. Who asks is responsible for asking within limits.

use std::io::Read;

use crate::error::CaptureError;

/// How much is asked of the reader at least.
const PIECE: usize = 64 << 10;

/// Bytes read from `reader` and not yet consumed.
#[derive(Debug)]
pub(crate) struct Input<R> {
    reader: R,
    buffer: Vec<u8>,
    /// Where in `buffer` the unconsumed bytes begin.
    head: usize,
    offset: u64,
    ended: bool,
}

impl<R: Read> Input<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self {
            reader,
            buffer: Vec::new(),
            head: 0,
            offset: 0,
            ended: false,
        }
    }

    /// The unconsumed bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer[self.head..]
    }

    /// Position in the file of the first unconsumed byte.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Reads until `wanted` bytes are there or the input ends; returns how many are there.
    pub(crate) fn fill(&mut self, wanted: usize) -> Result<usize, CaptureError> {
        let have = self.bytes().len();
        if have < wanted && !self.ended {
            self.buffer.drain(..self.head);
            self.head = 0;
            // Grows with what comes, so that a length that lies costs no more memory than the file has bytes.
            let missing = PIECE.max(wanted - have) as u64;
            let mut piece = self.reader.by_ref().take(missing);
            match piece.read_to_end(&mut self.buffer) {
                Ok(got) => self.ended = (got as u64) < missing,
                Err(source) => {
                    return Err(CaptureError::Io {
                        offset: self.offset + self.buffer.len() as u64,
                        source,
                    });
                }
            }
        }
        Ok(self.bytes().len())
    }

    pub(crate) fn consume(&mut self, count: usize) {
        let count = count.min(self.bytes().len());
        self.head += count;
        self.offset += count as u64;
    }

    /// The number at `at` bytes behind the first unconsumed one, if it is there.
    pub(crate) fn u32_at(&self, at: usize, big_endian: bool) -> Option<u32> {
        let bytes = self.bytes().get(at..at + 4)?;
        let bytes = <[u8; 4]>::try_from(bytes).ok()?;
        Some(if big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    }
}
