//! Frames, as the author of a client would write them from the protocol: a buffer whose start is checked.
//!
//! It does not use the `wire` crate, on purpose; the CRC is computed bit by bit.

use super::{Defect, Defects};

/// The largest payload that devices send.
const MAX_PAYLOAD: usize = 512;

/// CRC-16/XMODEM.
#[must_use]
pub fn crc(bytes: &[u8]) -> u16 {
    let mut crc: u16 = 0;
    for &byte in bytes {
        crc ^= u16::from(byte) << 8;
        for _ in 0..8 {
            let carry = crc & 0x8000 != 0;
            crc <<= 1;
            if carry {
                crc ^= 0x1021;
            }
        }
    }
    crc
}

/// A request in its frame: of more than 255 bytes in the long form.
#[must_use]
pub fn frame(payload: &[u8], defects: Defects) -> Vec<u8> {
    let payload = match defects.has(Defect::SendsOnly127) {
        true => &payload[..payload.len().min(127)],
        false => payload,
    };
    let length = (payload.len() as u16).to_be_bytes();
    let mut bytes = match payload.len() {
        256.. if !defects.has(Defect::SendsShortForms) => vec![3, length[0], length[1]],
        _ => vec![2, length[1]],
    };
    bytes.extend_from_slice(payload);
    bytes.extend(crc(payload).to_be_bytes());
    bytes.push(3);
    bytes
}

/// What is at the start of the buffer.
enum Start {
    /// A whole frame: its payload, and how many bytes it takes.
    Frame(Vec<u8>, usize),
    /// No frame; this many bytes are dropped.
    Junk(usize),
    /// Not known yet, as more bytes are needed.
    TooShort,
}

/// Finds frames in what was received.
#[derive(Clone, Debug, Default)]
pub struct Framer {
    buffer: Vec<u8>,
    is_lost: bool,
    defects: Defects,
}

impl Framer {
    /// Before anything came.
    #[must_use]
    pub fn new(defects: Defects) -> Self {
        Self {
            defects,
            ..Self::default()
        }
    }

    fn has(&self, defect: Defect) -> bool {
        self.defects.has(defect)
    }

    /// Discards half a frame.
    pub fn forget(&mut self) {
        self.buffer.clear();
    }

    /// Adds the bytes of one read, and returns the payloads that are complete.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut payloads = Vec::new();
        if self.has(Defect::OneReadIsOneReply) {
            self.buffer.clear();
        }
        self.buffer.extend_from_slice(bytes);
        while !self.buffer.is_empty() && !self.is_lost {
            match self.start() {
                Start::TooShort => break,
                Start::Junk(count) => {
                    self.is_lost = self.has(Defect::NoResync);
                    self.buffer.drain(..count.min(self.buffer.len()));
                }
                Start::Frame(payload, count) => {
                    payloads.push(payload);
                    self.buffer.drain(..count);
                    let is_enough = self.has(Defect::EightFramesAtMost) && payloads.len() == 8;
                    if self.has(Defect::OneReadIsOneReply) || is_enough {
                        self.buffer.clear();
                    }
                }
            }
        }
        if self.has(Defect::DropsTheTail) && !payloads.is_empty() {
            self.buffer.clear();
        }
        payloads
    }

    fn start(&self) -> Start {
        if self.has(Defect::SearchesForTheReply)
            && let Some(found) = self.search()
        {
            return found;
        }
        let Some((header, length)) = (match self.header() {
            Some(header) => header,
            None => return Start::TooShort,
        }) else {
            return Start::Junk(1);
        };
        let whole = header + length + 3;
        let Some(bytes) = self.buffer.get(..whole) else {
            return Start::TooShort;
        };
        let payload = &bytes[header..header + length];
        let tail = &bytes[header + length..];
        let good_crc = tail[..2] == crc(payload).to_be_bytes() || self.has(Defect::NoCrcCheck);
        let good_stop = tail[2] == 3 || self.has(Defect::NoStopCheck);
        match good_crc && good_stop {
            true => Start::Frame(payload.to_vec(), whole),
            false if self.has(Defect::SkipsBrokenFrames) => Start::Junk(whole),
            false => Start::Junk(1),
        }
    }

    /// The sizes of header and payload: `None` if there are too few bytes, `Some(None)` if this is not a header.
    fn header(&self) -> Option<Option<(usize, usize)>> {
        let least_of_long = if self.has(Defect::ShortFormTo256) {
            256
        } else {
            255
        };
        let (header, length, least) = match *self.buffer.first()? {
            2 => (2, usize::from(*self.buffer.get(1)?), 1),
            3 if !self.has(Defect::IgnoresLongFrames) => {
                let bytes = [*self.buffer.get(1)?, *self.buffer.get(2)?];
                let length = match self.has(Defect::LittleEndianLength) {
                    true => u16::from_le_bytes(bytes),
                    false => u16::from_be_bytes(bytes),
                };
                (3, usize::from(length), least_of_long)
            }
            _ => return Some(None),
        };
        let most = match header {
            2 if self.has(Defect::LengthThreshold128) => 127,
            _ if self.has(Defect::LengthThreshold300) => 300,
            _ if self.has(Defect::NoLengthLimit) => usize::MAX,
            _ => MAX_PAYLOAD,
        };
        let is_in_range = match length {
            0 => self.has(Defect::DiesOfAnEmptyFrame),
            1 if self.has(Defect::RefusesSingleBytes) => false,
            _ => (least..=most).contains(&length),
        };
        Some(is_in_range.then_some((header, length)))
    }

    /// A common workaround: search for the first bytes of the reply.
    fn search(&self) -> Option<Start> {
        let at = self
            .buffer
            .windows(3)
            .position(|three| three[0] == 2 && three[2] == 96)?;
        let length = usize::from(self.buffer[at + 1]);
        let payload = self.buffer.get(at + 2..at + 2 + length)?.to_vec();
        Some(Start::Frame(payload, at + 2 + length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test vectors of `docs/protocol.md`, section 9.
    #[test]
    fn requests_have_the_frames_of_the_firmware() {
        assert_eq!(crc(b"123456789"), 0x31C3);
        assert_eq!(frame(&[0], Defects::NONE), [2, 1, 0, 0, 0, 3]);
        assert_eq!(frame(&[96], Defects::NONE), [2, 1, 0x60, 0x6C, 0xA6, 3]);
        assert_eq!(
            frame(&[0x22, 84, 96], Defects::NONE),
            [2, 3, 0x22, 0x54, 0x60, 0x46, 0x7B, 3]
        );
    }

    #[test]
    fn a_good_frame_is_found_wherever_it_begins_and_however_it_is_cut() {
        let mut stream = vec![0, 2, 0, 2, 9, 1, 2, 3, 255, 255];
        stream.extend(frame(&[62, 1, 2], Defects::NONE));
        stream.extend(frame(&[21, b'x'], Defects::NONE));
        for cut in 0..=stream.len() {
            let mut framer = Framer::new(Defects::NONE);
            let mut found = framer.push(&stream[..cut]);
            found.extend(framer.push(&stream[cut..]));
            assert_eq!(found, [vec![62, 1, 2], vec![21, b'x']], "{cut}");
        }
    }

    #[test]
    fn each_length_is_taken_in_its_form() {
        for length in [1_usize, 127, 128, 254, 255, 256, 512, 513] {
            let payload = vec![7; length];
            let mut bytes = vec![3, (length >> 8) as u8, length as u8];
            bytes.extend(&payload);
            bytes.extend(crc(&payload).to_be_bytes());
            bytes.push(3);
            let found = Framer::new(Defects::NONE).push(&bytes);
            assert_eq!(
                found.len(),
                usize::from((255..=512).contains(&length)),
                "{length}"
            );
            if length < 256 {
                let framed = frame(&payload, Defects::NONE);
                assert_eq!(Framer::new(Defects::NONE).push(&framed), [payload]);
            }
        }
    }
}
