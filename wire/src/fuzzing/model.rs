//! `decoder_model`: the decoder finds what a slow and plain reading of the protocol sheet finds, and as early.
//!
//! ```text
//!  limit u32 | count u8 | count × piece u16 | parts of the stream
//!  part: 0 size u8, bytes      as they are
//!        1 size u16, fill u8   a frame with a payload of so many equal bytes, in the shortest form
//!        2 size u8, payload    a frame with this payload
//!        3 size u8, payload    the same in the long form
//!        4 size u8, payload, at u16, flip u8   the same in the shortest form, with some bits of one byte flipped
//!        5 start u8, size u24  the head of a frame, and nothing behind it
//! ```
//!
//! The kind of a part is taken modulo 6. The pieces repeat; each is one byte longer than it says.

use alloc::vec::Vec;
use core::ops::Range;

use arbitrary::{Arbitrary, Result, Unstructured};

use crate::frame::{Decoder, Item, Leftover, MAX_PAYLOAD, NOISE_PIECE, encode, encode_as};

/// The longest stream: the model's work grows with the square of it.
const MAX_STREAM: usize = 4096;
/// The longest payload that a part of kind 1 has: long enough for start byte 4.
const MAX_FILLED: usize = 66_000;
/// After how many pieces the decoder's state is compared as well; the model begins anew each time.
const COMPARED: usize = 24;

struct Input {
    limit: usize,
    pieces: Vec<u16>,
    stream: Vec<u8>,
}

impl<'a> Arbitrary<'a> for Input {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let limit = u32::arbitrary(u)? as usize;
        let pieces = (0..u8::arbitrary(u)?).map(|_| u16::arbitrary(u));
        let pieces = pieces.collect::<Result<Vec<_>>>()?;
        let mut stream = Vec::new();
        while !u.is_empty() && stream.len() < MAX_STREAM {
            add_part(u, &mut stream)?;
        }
        Ok(Self {
            limit,
            pieces,
            stream,
        })
    }
}

fn add_part(u: &mut Unstructured<'_>, stream: &mut Vec<u8>) -> Result<()> {
    let kind = u8::arbitrary(u)? % 6;
    match kind {
        1 => {
            let size = usize::from(u16::arbitrary(u)?) + 1;
            // No start byte and no stop byte: the model would look at all of it from each of them.
            let payload = [u8::arbitrary(u)? | 0x80].repeat(size.min(MAX_FILLED));
            stream.extend(encode(&payload).unwrap_or_default());
        }
        5 => {
            let start = u8::arbitrary(u)? % 3 + 2;
            let [_, size @ ..] = u32::arbitrary(u)?.to_be_bytes();
            stream.push(start);
            stream.extend(&size[4 - usize::from(start)..]);
        }
        _ => {
            let size = usize::from(u8::arbitrary(u)?).min(u.len());
            let bytes = u.bytes(size)?;
            let frame = match kind {
                0 => bytes.to_vec(),
                3 => encode_as(3, &[bytes, &[0; 255]].concat()).unwrap_or_default(),
                _ => encode(bytes).unwrap_or_default(),
            };
            let from = stream.len();
            stream.extend(frame);
            let len = stream.len() - from;
            if kind == 4 && len > 0 {
                let at = usize::from(u16::arbitrary(u)?) % len;
                stream[from + at] ^= u8::arbitrary(u)?;
            }
        }
    }
    Ok(())
}

/// A stretch of the stream, as the decoder or the model tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Said {
    Frame {
        bytes: Range<usize>,
        payload: Range<usize>,
    },
    Noise(Range<usize>),
}

/// What the protocol sheet (docs/protocol.md, sections 1.1 to 1.4) says of a stream of which so much has arrived.
#[derive(Debug, PartialEq, Eq)]
struct Model {
    said: Vec<Said>,
    /// Noise that is not told yet, because more may follow it.
    noise: Range<usize>,
    /// What may be the start of a frame.
    waiting: Range<usize>,
    /// How many bytes are missing before that is decided; 0 if nothing waits.
    missing: usize,
}

enum Front {
    /// So many bytes are missing.
    Wait(usize),
    /// This byte starts no frame.
    Drop,
    Frame {
        payload: Range<usize>,
        end: usize,
    },
}

impl Model {
    fn of(stream: &[u8], limit: usize) -> Self {
        let mut said = Vec::new();
        let (mut noise_from, mut at) = (0, 0);
        loop {
            match front(&stream[at..], limit) {
                Front::Wait(missing) => {
                    let waiting = at..stream.len();
                    let missing = if waiting.is_empty() { 0 } else { missing };
                    return Self {
                        said,
                        noise: noise_from..at,
                        waiting,
                        missing,
                    };
                }
                Front::Drop => {
                    at += 1;
                    if at - noise_from == NOISE_PIECE {
                        said.push(Said::Noise(noise_from..at));
                        noise_from = at;
                    }
                }
                Front::Frame { payload, end } => {
                    if noise_from < at {
                        said.push(Said::Noise(noise_from..at));
                    }
                    said.push(Said::Frame {
                        bytes: at..at + end,
                        payload: at + payload.start..at + payload.end,
                    });
                    at += end;
                    noise_from = at;
                }
            }
        }
    }
}

/// What the first byte of this is, in the order in which the sheet has the checks.
fn front(bytes: &[u8], limit: usize) -> Front {
    let Some(&start) = bytes.first() else {
        return Front::Wait(1);
    };
    // How many bytes the length has, and the shortest payload that may be told with so many.
    let (length_bytes, shortest) = match start {
        2 => (1, 1),
        3 => (2, 255),
        // A parser whose limit fits into 16 bits has no start byte 4.
        4 if limit > 65_535 => (3, 65_535),
        _ => return Front::Drop,
    };
    let head = 1 + length_bytes;
    if bytes.len() < head {
        return Front::Wait(head - bytes.len());
    }
    let mut len = 0;
    for &byte in &bytes[1..head] {
        len = len * 256 + usize::from(byte);
    }
    if len < shortest || len > limit {
        return Front::Drop;
    }
    let end = head + len + 3;
    if bytes.len() < end {
        return Front::Wait(end - bytes.len());
    }
    let is_whole = bytes[end - 1] == 3 && {
        let crc = plain_crc(&bytes[head..head + len]);
        bytes[end - 3] == (crc / 256) as u8 && bytes[end - 2] == (crc % 256) as u8
    };
    if is_whole {
        let payload = head..head + len;
        Front::Frame { payload, end }
    } else {
        Front::Drop
    }
}

/// CRC-16/XMODEM, bit by bit.
fn plain_crc(bytes: &[u8]) -> u16 {
    let mut crc: u16 = 0;
    for &byte in bytes {
        for bit in (0..8).rev() {
            let is_set = (byte >> bit & 1 == 1) != (crc & 0x8000 != 0);
            crc <<= 1;
            if is_set {
                crc ^= 0x1021;
            }
        }
    }
    crc
}

/// Compares a decoder with the model.
///
/// # Panics
/// If they differ.
pub fn decoder_model(data: &[u8]) {
    let Ok(input) = Input::arbitrary(&mut Unstructured::new(data)) else {
        return;
    };
    let stream = &input.stream[..];
    let limit = input.limit.min(MAX_PAYLOAD);
    let mut decoder = Decoder::new(input.limit);
    let (mut said, mut from, mut pieces) = (Vec::new(), 0, 0);
    let mut sizes = input.pieces.iter().cycle();
    while from < stream.len() {
        let size = sizes
            .next()
            .map_or(stream.len(), |&size| usize::from(size) + 1);
        let to = stream.len().min(from + size);
        let mut piece = &stream[from..to];
        while let Some(item) = decoder.next(&mut piece) {
            said.push(told(item, stream));
        }
        from = to;
        pieces += 1;
        if pieces <= COMPARED {
            compare(&decoder, &said, &stream[..to], limit);
        }
    }
    compare(&decoder, &said, stream, limit);
    finish(decoder, stream, limit);
}

/// An item of the decoder by its place, after its bytes were compared.
fn told(item: Item<'_>, stream: &[u8]) -> Said {
    let place = |offset: u64, bytes: &[u8]| {
        let offset = offset as usize;
        let place = offset..offset + bytes.len();
        assert_eq!(&stream[place.clone()], bytes);
        place
    };
    match item {
        Item::Noise(noise) => Said::Noise(place(noise.offset, noise.bytes)),
        Item::Frame(frame) => {
            let bytes = place(frame.offset, frame.bytes);
            assert_eq!(frame.start, stream[bytes.start]);
            let head = frame.offset + u64::from(frame.start);
            Said::Frame {
                bytes,
                payload: place(head, frame.payload),
            }
        }
    }
}

/// Compares all that the decoder has told and what it keeps, now that so much has arrived.
fn compare(decoder: &Decoder, said: &[Said], arrived: &[u8], limit: usize) {
    let model = Model::of(arrived, limit);
    assert_eq!(said, model.said, "limit {limit}, {} bytes", arrived.len());
    assert_eq!(decoder.waiting_bytes(), &arrived[model.waiting]);
    assert_eq!(decoder.missing(), model.missing);
    assert_eq!(decoder.noise(), &arrived[model.noise]);
}

/// Compares what is left when the stream ends, and what a reader finds in it who knows that nothing follows.
fn finish(mut decoder: Decoder, stream: &[u8], limit: usize) {
    let model = Model::of(stream, limit);
    let left = model.noise.start..model.waiting.end;
    let Some(tail) = decoder.finish() else {
        return assert!(left.is_empty());
    };
    assert_eq!(tail.offset, left.start as u64);
    assert_eq!(tail.bytes, &stream[left.clone()]);
    assert_eq!(tail.unfinished, model.waiting.len());
    assert_eq!(tail.missing, model.missing);

    let (mut wanted, mut noise_from, mut at) = (Vec::new(), left.start, model.waiting.start);
    while at < stream.len() {
        match front(&stream[at..], limit) {
            Front::Frame { payload, end } => {
                if noise_from < at {
                    wanted.push(Said::Noise(noise_from..at));
                }
                wanted.push(Said::Frame {
                    bytes: at..at + end,
                    payload: at + payload.start..at + payload.end,
                });
                at += end;
                noise_from = at;
            }
            Front::Wait(_) | Front::Drop => at += 1,
        }
    }
    if noise_from < at {
        wanted.push(Said::Noise(noise_from..at));
    }
    let found = tail.look_again().map(|left| match left {
        Leftover::Frame(frame) => told(Item::Frame(frame), stream),
        Leftover::Noise { noise, .. } => told(Item::Noise(noise), stream),
    });
    assert_eq!(found.collect::<Vec<_>>(), wanted);
}
