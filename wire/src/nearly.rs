//! What noise nearly was: a frame with a wrong checksum, a login line at the wrong time, hex written as text.
//!
//! A device says nothing about a frame that it skips, so a wrong checksum looks like a device that is switched off.
//! [`diagnose`] looks at bytes that are no frame and says what is wrong with them:
//!
//! ```
//! use veschub_wire::{DEVICE_MAX_PAYLOAD, diagnose};
//!
//! let told = diagnose(b"\x02\x01\x04\xF7\x29\x03", DEVICE_MAX_PAYLOAD);
//! assert_eq!(told.to_string(), "length 1, checksum f729, should be 4084");
//! ```
//!
//! It is careful: of bytes that only happen to begin like a frame it says nothing. Something is named if
//!
//! * all of it is there, and its stop byte stands at its place or its checksum is right; or
//! * the noise begins with it and ends before it, or where it does.
//!
//! The checks are made in the order of the parser, so what is told is why a parser skips it.

use alloc::{borrow::ToOwned, vec::Vec};
use core::fmt;

use crc::{CRC_16_IBM_3740, Crc, Table};

use crate::{
    Decoder, Item, LoginLine, TOOL_MAX_PAYLOAD, crc16,
    frame::{Leftover, STOP, TRAILER, is_start, lengths},
    hex_text::from_hex_text,
    view::{Fields, Value},
};

/// Named as CRC-16/CCITT-FALSE by most who take it for the right one.
static CCITT_FALSE: Crc<u16, Table<16>> = Crc::<u16, Table<16>>::new(&CRC_16_IBM_3740);

/// So many findings of a run of noise are named; the others are counted.
const NAMED: usize = 3;

/// What noise nearly was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Nearly {
    /// A frame whose checksum is not that of its payload.
    WrongChecksum {
        /// The length of the payload.
        length: usize,
        /// The checksum that was sent.
        sent: u16,
        /// The checksum of the payload.
        right: u16,
        /// What was computed instead, if it is known.
        instead: Option<OtherChecksum>,
        /// What stands at the place of the stop byte, if that is wrong as well.
        stop: Option<u8>,
    },
    /// A frame with a good checksum and something else at the place of the stop byte.
    WrongStop {
        /// The length of the payload.
        length: usize,
        /// What stands there.
        stop: u8,
    },
    /// A frame whose payload is longer than the receiver takes.
    TooLong {
        /// The length of the payload.
        length: usize,
        /// The most that the receiver takes.
        limit: usize,
    },
    /// A frame without any payload.
    Empty,
    /// A long form that stands for a length which only a shorter form may have.
    LongForm {
        /// The length of the payload.
        length: usize,
        /// The least length of that form.
        least: usize,
    },
    /// The beginning of a frame.
    NeverEnded {
        /// How many bytes of it are there.
        have: usize,
        /// How many it promises.
        want: usize,
    },
    /// The digits of bytes instead of the bytes.
    HexText {
        /// How many bytes they stand for.
        bytes: usize,
    },
    /// A login line, which only a hub reads, and only as the first line of a connection.
    Login,
}

/// A known way to compute a checksum that VESC does not use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OtherChecksum {
    /// The right one with its low byte first.
    Swapped,
    /// Over start byte, length and payload.
    WithHeader,
    /// CRC-16 with the initial value ffff.
    CcittFalse,
}

impl Nearly {
    /// A name for programs, and for counting.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::WrongChecksum { .. } => "wrong-checksum",
            Self::WrongStop { .. } => "wrong-stop-byte",
            Self::TooLong { .. } => "too-long",
            Self::Empty => "empty",
            Self::LongForm { .. } => "long-form",
            Self::NeverEnded { .. } => "never-ended",
            Self::HexText { .. } => "hex-text",
            Self::Login => "login",
        }
    }

    /// The kind as `nearly`, and the words as `why`.
    #[must_use]
    pub fn fields(&self) -> Fields {
        let mut fields = Fields::new();
        fields.push("nearly", Value::Text(self.kind().to_owned()));
        fields.push("why", Value::Text(alloc::format!("{self}")));
        fields
    }
}

impl fmt::Display for Nearly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::WrongChecksum {
                length,
                sent,
                right,
                instead,
                stop,
            } => {
                let length = Grouped(length);
                write!(
                    f,
                    "length {length}, checksum {sent:04x}, should be {right:04x}"
                )?;
                if let Some(instead) = instead {
                    write!(f, " ({instead})")?;
                }
                match stop {
                    Some(stop) => write!(f, ", stop byte {stop:02x} instead of 03"),
                    None => Ok(()),
                }
            }
            Self::WrongStop { length, stop } => write!(
                f,
                "length {}, stop byte {stop:02x} instead of 03",
                Grouped(length)
            ),
            Self::TooLong { length, limit } => {
                write!(f, "length {} exceeds {}", Grouped(length), Grouped(limit))
            }
            Self::Empty => f.write_str("length 0: a frame must have a payload"),
            Self::LongForm { length, least } => write!(
                f,
                "length {} in a long form, which begins at {}",
                Grouped(length),
                Grouped(least)
            ),
            Self::NeverEnded { have, want } => write!(
                f,
                "a frame that never ended: {} of {} bytes",
                Grouped(have),
                Grouped(want)
            ),
            Self::HexText { bytes } => {
                write!(
                    f,
                    "looks like hex written as text: {} bytes",
                    Grouped(bytes)
                )
            }
            Self::Login => {
                f.write_str("a login line in the middle of a session, where no hub reads it")
            }
        }
    }
}

impl fmt::Display for OtherChecksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Swapped => "its two bytes are swapped: the high byte comes first",
            Self::WithHeader => "it is that of header and payload: only the payload counts",
            Self::CcittFalse => {
                "it was computed from ffff on, as CCITT-FALSE: right is XMODEM, from 0 on"
            }
        })
    }
}

/// A number with a comma at each thousand.
struct Grouped(usize);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            small @ ..1000 => write!(f, "{small}"),
            large => write!(f, "{},{:03}", Self(large / 1000), large % 1000),
        }
    }
}

/// What is wrong with bytes that are no frame: see [`diagnose`]. Its text is empty where it has nothing to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// The first things found, each with how often it follows itself.
    pub found: Vec<(Nearly, usize)>,
    /// How many more were found.
    pub more: usize,
    /// How many bytes at the end were too many to look at.
    pub unseen: usize,
}

impl Diagnosis {
    /// Whether there is nothing to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    fn add(&mut self, nearly: Nearly) {
        let room = self.found.len() < NAMED;
        match self.found.last_mut() {
            Some((last, times)) if *last == nearly && self.more == 0 => *times += 1,
            _ if room => self.found.push((nearly, 1)),
            _ => self.more += 1,
        }
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (nearly, times)) in self.found.iter().enumerate() {
            if at > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{nearly}")?;
            if *times > 1 {
                write!(f, " ({} times)", Grouped(*times))?;
            }
        }
        if self.more > 0 {
            write!(f, "; {} more", Grouped(self.more))?;
        }
        Ok(())
    }
}

/// Says what is wrong with bytes that a parser would skip; it takes payloads of up to `limit` bytes.
///
/// Good frames among the bytes are left alone. Of more than [`MAX_RUN`] bytes the first are looked at.
#[must_use]
pub fn diagnose(bytes: &[u8], limit: usize) -> Diagnosis {
    let seen = &bytes[..bytes.len().min(MAX_RUN)];
    let mut diagnosis = Diagnosis {
        unseen: bytes.len() - seen.len(),
        ..Diagnosis::default()
    };
    let mut run = Vec::new();
    let mut decoder = Decoder::new(limit);
    let mut input = seen;
    let end_run = |run: &mut Vec<u8>, diagnosis: &mut Diagnosis| {
        for near in nears(run, limit, true) {
            diagnosis.add(near.what);
        }
        run.clear();
    };
    while let Some(item) = decoder.next(&mut input) {
        match item {
            Item::Noise(noise) => run.extend_from_slice(noise.bytes),
            Item::Frame(_) => end_run(&mut run, &mut diagnosis),
        }
    }
    if let Some(tail) = decoder.finish() {
        for leftover in tail.look_again() {
            match leftover {
                Leftover::Noise { noise, .. } => run.extend_from_slice(noise.bytes),
                Leftover::Frame(_) => end_run(&mut run, &mut diagnosis),
            }
        }
    }
    end_run(&mut run, &mut diagnosis);
    diagnosis
}

/// So many bytes of noise are looked at together.
pub const MAX_RUN: usize = 16 << 10;

/// Something that was nearly a frame, and its place in a run of noise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Near {
    pub(crate) at: usize,
    pub(crate) len: usize,
    pub(crate) what: Nearly,
}

impl Near {
    pub(crate) fn end(&self) -> usize {
        self.at + self.len
    }
}

/// Everything in a run of noise that is worth naming, in order. `ends`: nothing of the run follows.
pub(crate) fn nears(run: &[u8], limit: usize, ends: bool) -> Vec<Near> {
    let mut found = Vec::new();
    if let Some(bytes) = looks_like_hex(run, limit) {
        let (at, len) = (0, run.len());
        let what = Nearly::HexText { bytes };
        found.push(Near { at, len, what });
        return found;
    }
    let mut at = 0;
    // Where the run begins, or where what was named ended.
    let mut edge = 0;
    while at < run.len() {
        let rest = &run[at..];
        let line = at == edge || run[at - 1] == b'\n';
        let named = match login(rest).filter(|_| line) {
            Some(len) => Some((len, Nearly::Login)),
            None => frame(rest, limit, at == edge, ends),
        };
        if let Some((len, what)) = named {
            found.push(Near { at, len, what });
            at += len;
            edge = at;
            continue;
        }
        // On to the next byte at which something can begin.
        let next = run[at + 1..]
            .iter()
            .zip(&run[at..])
            .position(|(&byte, &before)| is_start(byte, limit) || before == b'\n');
        at = next.map_or(run.len(), |next| at + 1 + next);
    }
    found
}

/// What the bytes at the front nearly are, if that is a frame. `edge`: the noise begins with them.
fn frame(bytes: &[u8], limit: usize, edge: bool, ends: bool) -> Option<(usize, Nearly)> {
    let &start = bytes.first().filter(|&&byte| is_start(byte, limit))?;
    let header = usize::from(start);
    let length = bytes.get(1..header)?;
    let length = length
        .iter()
        .fold(0, |sum, &byte| 256 * sum + usize::from(byte));
    let total = header + length + TRAILER;
    let least = *lengths(start).start();
    let form = match length {
        0 if start == 2 => Some(Nearly::Empty),
        _ if length < least => Some(Nearly::LongForm { length, least }),
        _ if length > limit => Some(Nearly::TooLong { length, limit }),
        _ => None,
    };
    let Some(whole) = bytes.get(..total) else {
        let have = bytes.len();
        let what = Nearly::NeverEnded { have, want: total };
        return (edge && ends && form.is_none()).then_some((have, what));
    };
    let payload = &whole[header..header + length];
    let sent = u16::from_be_bytes([whole[total - 3], whole[total - 2]]);
    let right = crc16(payload);
    let stop = whole[total - 1];
    let alone = edge && ends && bytes.len() == total;
    let what = match (form, stop == STOP, sent == right) {
        // Its checksum is 0, as many bytes are.
        (Some(Nearly::Empty), true, true) => Nearly::Empty,
        (Some(Nearly::Empty), ..) => return None,
        (Some(form), true, _) | (Some(form), _, true) => form,
        (None, false, true) => Nearly::WrongStop { length, stop },
        (None, well_ended, false) if well_ended || alone => Nearly::WrongChecksum {
            length,
            sent,
            right,
            instead: instead(&whole[..header + length], payload, sent),
            stop: (!well_ended).then_some(stop),
        },
        _ => return None,
    };
    Some((total, what))
}

/// Which other computation gives this checksum.
fn instead(with_header: &[u8], payload: &[u8], sent: u16) -> Option<OtherChecksum> {
    if sent == crc16(payload).swap_bytes() {
        Some(OtherChecksum::Swapped)
    } else if sent == crc16(with_header) {
        Some(OtherChecksum::WithHeader)
    } else if sent == CCITT_FALSE.checksum(payload) {
        Some(OtherChecksum::CcittFalse)
    } else {
        None
    }
}

/// The length of a login line at the front.
fn login(bytes: &[u8]) -> Option<usize> {
    let &first = bytes.first()?;
    if !matches!(first, b'V' | b'v' | b'P' | b'p' | b' ') {
        return None;
    }
    // No login is longer in practice, and each start of a line is looked at.
    let line = &bytes[..bytes.len().min(256)];
    let end = line.iter().position(|&byte| byte == b'\n')?;
    LoginLine::parse(&line[..end]).is_ok().then_some(end + 1)
}

/// How many bytes a text of hex digits stands for, if there are frames in them, good or nearly.
fn looks_like_hex(run: &[u8], limit: usize) -> Option<usize> {
    // The shortest frame has six bytes; most noise ends the test at its first byte.
    const SHORTEST: usize = 12;
    if run.len() < SHORTEST || !is_hex_text(run) {
        return None;
    }
    let text = core::str::from_utf8(run).ok()?;
    let bytes = from_hex_text(text).ok()?;
    let mut decoder = Decoder::new(limit.max(TOOL_MAX_PAYLOAD));
    let mut input = &bytes[..];
    while let Some(item) = decoder.next(&mut input) {
        if let Item::Frame(_) = item {
            return Some(bytes.len());
        }
    }
    let found = frame(&bytes, limit.max(TOOL_MAX_PAYLOAD), true, true);
    found.map(|_| bytes.len())
}

fn is_hex_text(run: &[u8]) -> bool {
    let mut before = 0;
    run.iter().all(|&byte| {
        let prefix = byte == b'x' && before == b'0';
        before = byte;
        prefix
            || byte.is_ascii_hexdigit()
            || byte.is_ascii_whitespace()
            || matches!(byte, b',' | b':')
    })
}
