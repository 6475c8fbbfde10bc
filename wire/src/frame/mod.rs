//! Frames: how a payload is put on the wire and found again in a stream.
//!
//! ```text
//!  02 | len:8  | payload, 1..=255 bytes      | crc:16 | 03
//!  03 | len:16 | payload, 255..=65535 bytes  | crc:16 | 03
//!  04 | len:24 | payload, 65536 bytes and up | crc:16 | 03
//! ```
//!
//! The decoder accepts exactly what the reference parser accepts (`vesc_express main/packet.c:75-246`, the same
//! algorithm in `vesc_tool packet.cpp:121-266`): 255 bytes are allowed in both forms, the stop byte is looked at
//! before the CRC, and after any error the next candidate is the byte right behind the failed start byte.
//! What the reference drops comes out here as [`Noise`], so that the items cover every input byte once.

use alloc::vec::Vec;
use core::ops::RangeInclusive;

use crate::crc::crc16;

mod decoder;
mod sums;
mod tail;

pub use decoder::Decoder;
pub use tail::{Leftover, Leftovers, Tail};

/// The largest payload that firmware accepts (`vesc_express main/packet.h:27-31`), in bytes.
pub const DEVICE_MAX_PAYLOAD: usize = 512;
/// The largest payload that VESC Tool accepts (`vesc_tool packet.cpp:59-63`), in bytes.
pub const TOOL_MAX_PAYLOAD: usize = 10_000;
/// The largest payload that a frame can express: its length has 24 bits.
pub const MAX_PAYLOAD: usize = 0xFF_FFFF;

pub(crate) const STOP: u8 = 3;
/// CRC and stop byte.
pub(crate) const TRAILER: usize = 3;
/// Noise comes out in pieces of at most this many bytes, so that a flood of it needs no memory.
pub const NOISE_PIECE: usize = 512;

/// Puts a payload into a frame, in the form that the reference encoder chooses
/// (`vesc_express main/packet.c:48-60`): short up to 255 bytes, long up to 65535.
///
/// `None` for what no encoder sends: an empty payload, or one beyond [`MAX_PAYLOAD`].
///
/// ```
/// assert_eq!(veschub_wire::encode(&[0x60]), Some(vec![0x02, 0x01, 0x60, 0x6C, 0xA6, 0x03]));
/// ```
#[must_use]
pub fn encode(payload: &[u8]) -> Option<Vec<u8>> {
    encode_as(shortest_form(payload), payload)
}

/// The start byte that the reference encoder chooses for a payload.
#[must_use]
pub fn shortest_form(payload: &[u8]) -> u8 {
    match payload.len() {
        0..=0xFF => 2,
        0x100..=0xFFFF => 3,
        _ => 4,
    }
}

/// Puts a payload into a frame with this start byte. Two lengths have two forms: 255 and 65535 bytes.
///
/// `None` for a payload whose length no decoder accepts in this form, and for what is no start byte.
#[must_use]
pub fn encode_as(start: u8, payload: &[u8]) -> Option<Vec<u8>> {
    if !lengths(start).contains(&payload.len()) {
        return None;
    }
    let header = usize::from(start);
    let mut out = Vec::with_capacity(header + payload.len() + TRAILER);
    out.push(start);
    out.extend(
        (1..header)
            .rev()
            .map(|place| (payload.len() >> (8 * (place - 1))) as u8),
    );
    out.extend_from_slice(payload);
    out.extend_from_slice(&crc16(payload).to_be_bytes());
    out.push(STOP);
    Some(out)
}

/// The lengths of payloads that a start byte can stand for.
pub(crate) fn lengths(start: u8) -> RangeInclusive<usize> {
    match start {
        2 => 1..=0xFF,
        3 => 0xFF..=0xFFFF,
        4 => 0xFFFF..=MAX_PAYLOAD,
        _ => RangeInclusive::new(1, 0),
    }
}

/// What a stream consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// A frame that passed every check.
    Frame(Frame<'a>),
    /// Bytes that belong to no frame.
    Noise(Noise<'a>),
}

/// A frame found in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Offset of the start byte in the stream.
    pub offset: u64,
    /// The start byte: 2, 3 or 4, the number of header bytes.
    pub start: u8,
    /// The payload: the command id, then its arguments.
    pub payload: &'a [u8],
    /// The whole frame as it came, from its start byte to its stop byte.
    pub bytes: &'a [u8],
}

/// Bytes in a stream that belong to no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noise<'a> {
    /// Offset of the first byte in the stream.
    pub offset: u64,
    /// The bytes themselves, at most [`NOISE_PIECE`] in one item.
    pub bytes: &'a [u8],
}

/// What the bytes at the front of the stream are.
enum Look {
    /// Undecided until this many bytes are there.
    Need(usize),
    /// This many bytes that no frame starts with.
    Junk(usize),
    /// A start byte that did not begin a frame.
    False,
    /// A frame with this many header and payload bytes, if its CRC fits.
    Whole { header: usize, len: usize },
}

/// Judges the front of a stream, but for the CRC; the order of the checks is the reference parser's.
fn look(bytes: &[u8], limit: usize) -> Look {
    let Some(&start) = bytes.first() else {
        return Look::Need(1);
    };
    if !is_start(start, limit) {
        // No further than what is taken at once: a long stretch of noise would be looked through again for each piece.
        let piece = &bytes[..bytes.len().min(NOISE_PIECE)];
        let junk = piece.iter().position(|&byte| is_start(byte, limit));
        return Look::Junk(junk.unwrap_or(piece.len()));
    }
    let header = usize::from(start);
    let len = match *bytes {
        [2, len, ..] => usize::from(len),
        [3, high, low, ..] => usize::from(u16::from_be_bytes([high, low])),
        [4, high, middle, low, ..] => u32::from_be_bytes([0, high, middle, low]) as usize,
        _ => return Look::Need(header),
    };
    if !lengths(start).contains(&len) || len > limit {
        return Look::False;
    }
    let total = header + len + TRAILER;
    if bytes.len() < total {
        return Look::Need(total);
    }
    if bytes[total - 1] != STOP {
        return Look::False;
    }
    Look::Whole { header, len }
}

/// Start byte 4 is compiled out where the limit fits 16 bits (`vesc_express main/packet.c:167-177`).
pub(crate) fn is_start(byte: u8, limit: usize) -> bool {
    matches!(byte, 2 | 3) || byte == 4 && limit > 0xFFFF
}
