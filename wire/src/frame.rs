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

/// What a stream held when it ended: noise, and perhaps a frame that never came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tail {
    /// Offset of the first byte in the stream.
    pub offset: u64,
    /// The bytes themselves.
    pub bytes: Vec<u8>,
    /// How many of the last bytes a parser would still be waiting on, because a frame may have begun there.
    pub unfinished: usize,
    /// How many more bytes that parser wants before it decides on them; 0 if it waits for nothing.
    pub missing: usize,
    limit: usize,
}

/// What the bytes at the end of a stream are, when somebody knows that it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leftover<'a> {
    /// A frame behind one that never ended: no parser has seen it yet, because it waits for [`Tail::missing`] more
    /// bytes of the other one.
    Frame(Frame<'a>),
    /// Bytes that belong to no frame.
    Noise {
        /// The bytes, however many they are.
        noise: Noise<'a>,
        /// How many of the last of them may be the start of a frame.
        unfinished: usize,
    },
}

impl Tail {
    /// Looks at the bytes again, one byte on after each start that did not come to its end.
    ///
    /// This is for readers of recordings, who know that nothing follows. A parser cannot do it: it does not know that
    /// the stream ended, and waits. Every byte comes out once.
    #[must_use]
    pub fn look_again(&self) -> Leftovers<'_> {
        Leftovers {
            tail: self,
            from: 0,
            at: self.bytes.len() - self.unfinished.min(self.bytes.len()),
            waits_at: None,
            frame: None,
        }
    }
}

/// See [`Tail::look_again`].
#[derive(Clone, Debug)]
pub struct Leftovers<'a> {
    tail: &'a Tail,
    /// What was not handed out yet starts here.
    from: usize,
    /// Where to look next.
    at: usize,
    /// Where something began, behind `from`, that may still be a frame.
    waits_at: Option<usize>,
    /// The frame at `at`, once the noise before it was handed out.
    frame: Option<(usize, usize)>,
}

impl<'a> Iterator for Leftovers<'a> {
    type Item = Leftover<'a>;

    fn next(&mut self) -> Option<Leftover<'a>> {
        let bytes = &self.tail.bytes[..];
        while self.frame.is_none() && self.at < bytes.len() {
            match look(&bytes[self.at..], self.tail.limit) {
                Look::Need(_) => {
                    self.waits_at.get_or_insert(self.at);
                    self.at += 1;
                }
                Look::Junk(count) => self.at += count,
                Look::False => self.at += 1,
                Look::Good { header, len } => self.frame = Some((header, len)),
            }
        }
        let offset = self.tail.offset.saturating_add(self.from as u64);
        if self.from < self.at {
            let noise = &bytes[self.from..self.at];
            // What is followed by a frame is the start of none.
            let waits_at = self.waits_at.take().filter(|_| self.frame.is_none());
            self.from = self.at;
            return Some(Leftover::Noise {
                noise: Noise {
                    offset,
                    bytes: noise,
                },
                unfinished: waits_at.map_or(0, |at| bytes.len() - at),
            });
        }
        let (header, len) = self.frame.take()?;
        let bytes = &bytes[self.at..self.at + header + len + TRAILER];
        self.at += bytes.len();
        self.from = self.at;
        Some(Leftover::Frame(Frame {
            offset,
            start: bytes[0],
            payload: &bytes[header..header + len],
            bytes,
        }))
    }
}

/// Finds frames in a stream that arrives in pieces.
///
/// The input is lent, not taken: a frame that lies wholly in one piece is handed out where it lies, and only
/// what must wait for more bytes is kept: never more than one frame of the largest size, in a buffer of at most
/// twice that, and [`NOISE_PIECE`] bytes of noise.
/// How the stream is cut into pieces makes no difference to the items.
///
/// ```
/// use veschub_wire::{DEVICE_MAX_PAYLOAD, Decoder, Item};
///
/// let mut decoder = Decoder::new(DEVICE_MAX_PAYLOAD);
/// let mut input: &[u8] = b"\r\n\x02\x01\x60\x6C\xA6\x03";
/// let mut payloads = Vec::new();
/// while let Some(item) = decoder.next(&mut input) {
///     if let Item::Frame(frame) = item {
///         payloads.push(frame.payload.to_vec());
///     }
/// }
/// assert_eq!(payloads, [[0x60]]);
/// ```
#[derive(Debug)]
pub struct Decoder {
    limit: usize,
    /// Unread bytes that earlier pieces left behind; the unread part starts at `head`.
    carry: Vec<u8>,
    head: usize,
    /// Noise that ends right before the next unread byte, not yet handed out.
    noise: Vec<u8>,
    /// Whether `noise` was handed out by the last call and is to be forgotten.
    noise_given: bool,
    /// Stream offset of the next unread byte.
    offset: u64,
}

/// What the bytes at the front of the stream are.
enum Look {
    /// Undecided until this many bytes are there.
    Need(usize),
    /// This many bytes that no frame starts with.
    Junk(usize),
    /// A start byte that did not begin a frame.
    False,
    /// A frame with this many header and payload bytes.
    Good { header: usize, len: usize },
}

impl Decoder {
    /// A decoder that accepts payloads of up to `max_payload` bytes (values beyond [`MAX_PAYLOAD`] mean that).
    #[must_use]
    pub fn new(max_payload: usize) -> Self {
        Self {
            limit: max_payload.min(MAX_PAYLOAD),
            carry: Vec::new(),
            head: 0,
            noise: Vec::new(),
            noise_given: false,
            offset: 0,
        }
    }

    /// The next item, as soon as it is certain; `None` when more input is needed.
    ///
    /// Takes what it reads off the front of `input`. Call it until it returns `None`, which is when
    /// `input` is empty.
    pub fn next<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Option<Item<'a>> {
        if core::mem::take(&mut self.noise_given) {
            self.noise.clear();
        }
        loop {
            let kept = self.carry.len() - self.head;
            let view = if kept > 0 {
                &self.carry[self.head..]
            } else {
                *input
            };
            match look(view, self.limit) {
                Look::Need(need) if kept > 0 => {
                    if input.is_empty() {
                        return None;
                    }
                    self.top_up(need - kept, input);
                }
                Look::Need(_) => {
                    self.carry.clear();
                    self.head = 0;
                    self.carry.extend_from_slice(input);
                    *input = &[];
                    return None;
                }
                Look::Junk(count) => {
                    if self.waste(count, input) {
                        return Some(self.hand_out_noise());
                    }
                }
                Look::False => {
                    if self.waste(1, input) {
                        return Some(self.hand_out_noise());
                    }
                }
                Look::Good { .. } if !self.noise.is_empty() => return Some(self.hand_out_noise()),
                Look::Good { header, len } => {
                    let total = header + len + TRAILER;
                    let offset = self.offset;
                    self.offset = self.offset.saturating_add(total as u64);
                    let bytes: &'a [u8] = if kept > 0 {
                        self.head += total;
                        &self.carry[self.head - total..self.head]
                    } else {
                        let (frame, rest) = input.split_at(total);
                        *input = rest;
                        frame
                    };
                    return Some(Item::Frame(Frame {
                        offset,
                        start: bytes[0],
                        payload: &bytes[header..header + len],
                        bytes,
                    }));
                }
            }
        }
    }

    /// Ends the stream: hands out what is left, the noise found so far and a frame that never ended.
    ///
    /// The decoder then stands at the same offset, ready for a stream that goes on after a gap.
    pub fn finish(&mut self) -> Option<Tail> {
        let tail = self.left();
        self.offset = self.offset.saturating_add(self.waiting() as u64);
        self.take_noise();
        self.carry.clear();
        self.head = 0;
        tail
    }

    /// What [`finish`](Self::finish) would hand out now.
    #[must_use]
    pub fn left(&self) -> Option<Tail> {
        let waiting = self.waiting_bytes();
        let bytes = [self.noise(), waiting].concat();
        (!bytes.is_empty()).then_some(Tail {
            offset: self.noise_offset(),
            bytes,
            unfinished: waiting.len(),
            missing: self.missing(),
            limit: self.limit,
        })
    }

    /// Goes on at a later place of the stream, after bytes that were never seen.
    ///
    /// Call [`finish`](Self::finish) first, or what waits is lost.
    pub fn skip(&mut self, missing: u64) {
        self.finish();
        self.offset = self.offset.saturating_add(missing);
    }

    /// Bytes that wait for the rest of their frame; a parser that waits answers nothing.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.carry.len() - self.head
    }

    /// The bytes that wait.
    #[must_use]
    pub fn waiting_bytes(&self) -> &[u8] {
        &self.carry[self.head..]
    }

    /// How many more bytes are needed before something is decided about those that wait; 0 if none do.
    #[must_use]
    pub fn missing(&self) -> usize {
        let waiting = self.waiting_bytes();
        match look(waiting, self.limit) {
            Look::Need(need) if !waiting.is_empty() => need - waiting.len(),
            _ => 0,
        }
    }

    /// The noise right before what waits, which was not handed out yet, because more may follow it.
    #[must_use]
    pub fn noise(&self) -> &[u8] {
        match self.noise_given {
            true => &[],
            false => &self.noise,
        }
    }

    /// Where in the stream that noise begins.
    pub(crate) fn noise_offset(&self) -> u64 {
        self.offset.saturating_sub(self.noise().len() as u64)
    }

    /// Hands out that noise now. What follows it is noise of its own then.
    pub fn take_noise(&mut self) -> Vec<u8> {
        if core::mem::take(&mut self.noise_given) {
            self.noise.clear();
        }
        core::mem::take(&mut self.noise)
    }

    /// Moves up to `count` bytes of input behind the kept ones.
    fn top_up(&mut self, count: usize, input: &mut &[u8]) {
        // Moving only when at least as much is thrown away keeps the work per byte constant.
        if self.head >= self.carry.len() - self.head {
            self.carry.drain(..self.head);
            self.head = 0;
        }
        let (taken, rest) = input.split_at(count.min(input.len()));
        self.carry.extend_from_slice(taken);
        *input = rest;
    }

    /// Moves up to `count` bytes from the front of the stream to the noise; true when a piece is full.
    fn waste(&mut self, count: usize, input: &mut &[u8]) -> bool {
        let count = count.min(NOISE_PIECE - self.noise.len());
        if self.head < self.carry.len() {
            self.noise
                .extend_from_slice(&self.carry[self.head..self.head + count]);
            self.head += count;
        } else {
            let (junk, rest) = input.split_at(count);
            self.noise.extend_from_slice(junk);
            *input = rest;
        }
        self.offset = self.offset.saturating_add(count as u64);
        self.noise.len() == NOISE_PIECE
    }

    fn hand_out_noise(&mut self) -> Item<'_> {
        self.noise_given = true;
        Item::Noise(Noise {
            offset: self.offset.saturating_sub(self.noise.len() as u64),
            bytes: &self.noise,
        })
    }
}

/// Judges the front of a stream; the order of the checks is the reference parser's.
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
    let Some(length) = bytes.get(1..header) else {
        return Look::Need(header);
    };
    let len = length
        .iter()
        .fold(0, |sum, &byte| sum << 8 | usize::from(byte));
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
    let crc = u16::from_be_bytes([bytes[total - 3], bytes[total - 2]]);
    if crc != crc16(&bytes[header..header + len]) {
        return Look::False;
    }
    Look::Good { header, len }
}

/// Start byte 4 is compiled out where the limit fits 16 bits (`vesc_express main/packet.c:167-177`).
pub(crate) fn is_start(byte: u8, limit: usize) -> bool {
    matches!(byte, 2 | 3) || byte == 4 && limit > 0xFFFF
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_is_always_about_to_be_a_frame_is_kept_within_bounds() {
        for (limit, stream) in [
            (DEVICE_MAX_PAYLOAD, &b"\x02"[..]),
            (DEVICE_MAX_PAYLOAD, b"\x03\x01\xFF"),
            (TOOL_MAX_PAYLOAD, b"\x03"),
            (TOOL_MAX_PAYLOAD, b"\x03\x27\x10"),
        ] {
            let stream = stream.repeat(20_000);
            let mut decoder = Decoder::new(limit);
            for mut piece in stream.chunks(7) {
                while decoder.next(&mut piece).is_some() {}
                assert!(decoder.carry.len() < 2 * (limit + 7));
                assert!(decoder.noise.len() <= NOISE_PIECE);
            }
        }
    }
}
