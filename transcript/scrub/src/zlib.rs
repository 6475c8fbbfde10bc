//! Text as Qt's `qCompress` packs it: its size as a u32, then a zlib stream (RFC 1950). Packed to a length that is given.

use std::io::Read as _;

use flate2::read::ZlibDecoder;
use flate2::{Compress, Compression, FlushCompress, Status};

const SIZE: usize = 4;
/// A window of 32 KiB, and the best compression.
const HEAD: [u8; 2] = [0x78, 0xDA];
const CHECKSUM: usize = 4;
/// An empty block of bytes that are not compressed, at the start of a byte; more blocks follow.
const EMPTY: [u8; 5] = [0, 0, 0, 0xFF, 0xFF];

/// The text; `None` if it is none, has another size, more than `limit` bytes, or something behind it.
pub(crate) fn unpack(packed: &[u8], limit: usize) -> Option<Vec<u8>> {
    let (size, data) = packed.split_first_chunk::<SIZE>()?;
    let size = usize::try_from(u32::from_be_bytes(*size)).ok()?;
    if size > limit {
        return None;
    }
    let mut decoder = ZlibDecoder::new(data);
    let mut text = Vec::new();
    decoder
        .by_ref()
        .take(size as u64 + 1)
        .read_to_end(&mut text)
        .ok()?;
    let is_whole = text.len() == size && decoder.total_in() == data.len() as u64;
    is_whole.then_some(text)
}

/// The text in exactly so many bytes; `None` if it does not fit.
pub(crate) fn pack_to(text: &[u8], len: usize) -> Option<Vec<u8>> {
    let room = len.checked_sub(SIZE + HEAD.len() + CHECKSUM)?;
    let body = (6..=10).rev().find_map(|level| {
        let level = Compression::new(level);
        finished_to(text, level, room).or_else(|| flushed_to(text, level, room))
    })?;
    let mut packed = u32::try_from(text.len()).ok()?.to_be_bytes().to_vec();
    packed.extend(HEAD);
    packed.extend(body);
    packed.extend(checksum(text).to_be_bytes());
    (packed.len() == len && unpack(&packed, text.len()).as_deref() == Some(text)).then_some(packed)
}

/// With empty blocks before the text.
fn finished_to(text: &[u8], level: Compression, room: usize) -> Option<Vec<u8>> {
    let data = deflate(text, level, FlushCompress::Finish)?;
    let more = room.checked_sub(data.len())?;
    if !more.is_multiple_of(EMPTY.len()) {
        return None;
    }
    let mut body = EMPTY.repeat(more / EMPTY.len());
    body.extend(data);
    Some(body)
}

/// With empty blocks behind the text.
fn flushed_to(text: &[u8], level: Compression, room: usize) -> Option<Vec<u8>> {
    let mut body = deflate(text, level, FlushCompress::Sync)?;
    let mut more = room.checked_sub(body.len()).filter(|&more| more >= 2)?;
    while more > 10 {
        body.extend(EMPTY);
        more -= EMPTY.len();
    }
    // Blocks with a fixed code, each of which has nothing but its end: 10 bits each. The last one says so.
    let last: &[u8] = match more {
        2 => &[0x03, 0x00],
        3 => &[0x02, 0x0C, 0x00],
        4 => &[0x02, 0x08, 0x30, 0x00],
        5 => &[0x02, 0x08, 0x20, 0xC0, 0x00],
        6 => &[0x02, 0x04, 0x00, 0x00, 0xFF, 0xFF],
        7 => &[0x02, 0x08, 0x20, 0x80, 0x00, 0x03, 0x00],
        8 => &[0x02, 0x08, 0x20, 0x80, 0x00, 0x02, 0x0C, 0x00],
        9 => &[0x02, 0x08, 0x20, 0x80, 0x00, 0x02, 0x08, 0x30, 0x00],
        _ => &[0x02, 0x08, 0x20, 0x80, 0x00, 0x02, 0x08, 0x20, 0xC0, 0x00],
    };
    body.extend_from_slice(last);
    Some(body)
}

fn deflate(text: &[u8], level: Compression, flush: FlushCompress) -> Option<Vec<u8>> {
    let mut deflate = Compress::new(level, false);
    let mut out = Vec::with_capacity(text.len() / 2 + 64);
    loop {
        let given = usize::try_from(deflate.total_in()).ok()?;
        let status = deflate
            .compress_vec(text.get(given..)?, &mut out, flush)
            .ok()?;
        let has_room = out.len() < out.capacity();
        let is_done = match flush {
            FlushCompress::Finish => status == Status::StreamEnd,
            _ => has_room && deflate.total_in() == text.len() as u64,
        };
        if is_done {
            return Some(out);
        }
        if has_room && status != Status::Ok {
            return None;
        }
        out.reserve(out.capacity().max(64));
    }
}

/// Adler-32.
fn checksum(text: &[u8]) -> u32 {
    const BASE: u32 = 65_521;
    let (low, high) = text.iter().fold((1, 0), |(low, high), &byte| {
        let low = (low + u32::from(byte)) % BASE;
        (low, (high + low) % BASE)
    });
    high << 16 | low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_can_be_packed_to_any_length_that_has_room() {
        let text = b"<valString>not-a-0001</valString> ".repeat(40);
        let shortest = deflate(&text, Compression::best(), FlushCompress::Finish)
            .unwrap()
            .len()
            + SIZE
            + HEAD.len()
            + CHECKSUM;
        let mut fits = 0;
        for len in shortest..shortest + 300 {
            let Some(packed) = pack_to(&text, len) else {
                assert!(len < shortest + 8, "{len} after {shortest}");
                continue;
            };
            fits += 1;
            assert_eq!(packed.len(), len);
            assert_eq!(unpack(&packed, 10_000).unwrap(), text);
        }
        assert!(fits > 290);
        assert_eq!(pack_to(&text, 20), None);
    }

    #[test]
    fn what_is_no_text_or_has_something_behind_it_is_not_unpacked() {
        let packed = pack_to(b"some text", 60).unwrap();
        assert!(unpack(&packed, 9).is_some());
        assert!(unpack(&packed, 8).is_none());
        assert!(unpack(&[&packed[..], b"more"].concat(), 9).is_none());
        assert!(unpack(&packed[..50], 9).is_none());
        let mut other = packed.clone();
        other[3] = 4;
        assert!(unpack(&other, 9).is_none());
        assert!(unpack(&[0; 30], 9).is_none());
    }
}
