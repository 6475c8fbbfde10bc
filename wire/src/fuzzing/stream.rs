//! `stream_decoder`: what holds for any stream. Nothing is lost, and neither the pieces nor the limit matter to that.
//!
//! An input is the stream itself and, behind it, eight bytes that say how to run it:
//!
//! ```text
//!  stream | limit u8 | 7 × piece u8
//! ```
//!
//! `limit` chooses one of eight payload limits, modulo 8; a piece of `n` is `n + 1` bytes long, and the seven
//! pieces repeat to the end of the stream. So eight zeros give a limit of 1 and one byte at a time.
//!
//! That the right frames are found is for `decoder_model` to check.

use alloc::{string::ToString, vec::Vec};

use arbitrary::{Arbitrary, Unstructured};

use crate::{
    Ear, Nearly,
    ear::Heard,
    frame::{Decoder, Item, encode_as},
};

const LIMITS: [usize; 8] = [1, 254, 255, 256, 512, 10_000, 65_535, 70_000];
const PLAN_LEN: usize = 8;
/// The longest head of a frame, and what stands behind its payload.
const AROUND_PAYLOAD: usize = 4 + 3;

#[derive(Debug, Default, Arbitrary)]
struct Plan {
    limit: u8,
    pieces: [u8; PLAN_LEN - 1],
}

/// A stretch of the stream; its bytes were compared with the stream's when it came.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Frame { start: u8, end: usize },
    Noise { end: usize },
    Tail { unfinished: usize, missing: usize },
}

/// What an ear tells: where it ends, whether it is a frame, and what it nearly was.
#[derive(Debug, PartialEq)]
struct Told {
    end: usize,
    is_frame: bool,
    nearly: Option<Nearly>,
}

/// Runs a decoder and an ear over a stream, whole and in pieces.
///
/// # Panics
/// If something does not hold.
pub fn stream_decoder(data: &[u8]) {
    let (stream, plan) = data.split_at(data.len().saturating_sub(PLAN_LEN));
    let plan = Plan::arbitrary(&mut Unstructured::new(plan)).unwrap_or_default();
    let limit = LIMITS[usize::from(plan.limit) % LIMITS.len()];
    let pieces = || pieces(stream, &plan.pieces);

    let whole = listen(limit, stream, [stream]);
    let cut = listen(limit, stream, pieces());
    assert_eq!(cut, whole, "the pieces {plan:?} matter");
    let told = tell(Ear::new(limit), stream, [stream]);
    let cut = tell(Ear::new(limit), stream, pieces());
    assert_eq!(cut, told, "the pieces {plan:?} matter to an ear");
    tell(Ear::eager(limit), stream, pieces());
}

/// The stream in pieces of these sizes, each one more than it says, again and again.
fn pieces<'a>(stream: &'a [u8], sizes: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = stream;
    sizes.iter().cycle().map_while(move |&size| {
        let (piece, behind) = rest.split_at((usize::from(size) + 1).min(rest.len()));
        rest = behind;
        (!piece.is_empty()).then_some(piece)
    })
}

fn listen<'a>(
    limit: usize,
    stream: &[u8],
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<Said> {
    let mut decoder = Decoder::new(limit);
    let (mut said, mut at) = (Vec::new(), 0);
    for mut piece in pieces {
        while let Some(item) = decoder.next(&mut piece) {
            match item {
                Item::Frame(frame) => {
                    at = comes_next(stream, at, frame.offset, frame.bytes);
                    assert!(!frame.payload.is_empty() && frame.payload.len() <= limit);
                    let again = encode_as(frame.start, frame.payload);
                    assert_eq!(
                        again.as_deref(),
                        Some(frame.bytes),
                        "a frame came back otherwise"
                    );
                    let start = frame.start;
                    said.push(Said::Frame { start, end: at });
                }
                Item::Noise(noise) => {
                    at = comes_next(stream, at, noise.offset, noise.bytes);
                    said.push(Said::Noise { end: at });
                }
            }
        }
        assert!(piece.is_empty(), "input is left over");
        let waiting = decoder.waiting();
        assert!(waiting < limit + AROUND_PAYLOAD, "{waiting} bytes wait");
    }
    if let Some(tail) = decoder.finish() {
        at = comes_next(stream, at, tail.offset, &tail.bytes);
        let (unfinished, missing) = (tail.unfinished, tail.missing);
        assert!(unfinished <= tail.bytes.len());
        assert_eq!(unfinished > 0, missing > 0);
        said.push(Said::Tail {
            unfinished,
            missing,
        });
    }
    assert_eq!(at, stream.len(), "bytes are missing at the end");
    said
}

fn tell<'a>(mut ear: Ear, stream: &[u8], pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Told> {
    let (mut told, mut at) = (Vec::new(), 0);
    let mut hear = |heard: Heard<'_>| match heard {
        Heard::Frame { frame, .. } => {
            at = comes_next(stream, at, frame.offset, frame.bytes);
            told.push(Told {
                end: at,
                is_frame: true,
                nearly: None,
            });
        }
        Heard::Noise {
            offset,
            bytes,
            nearly,
            unfinished,
        } => {
            at = comes_next(stream, at, offset, bytes);
            assert!(unfinished <= bytes.len() && !bytes.is_empty());
            let _ = nearly.as_ref().map(ToString::to_string);
            told.push(Told {
                end: at,
                is_frame: false,
                nearly,
            });
        }
    };
    for piece in pieces {
        ear.bytes(piece, &mut hear);
    }
    ear.finish(&mut hear);
    assert!(ear.waiting().is_empty());
    assert_eq!(at, stream.len(), "bytes are missing at the end");
    told
}

/// Checks that these bytes are the next ones of the stream; returns where they end.
fn comes_next(stream: &[u8], at: usize, offset: u64, bytes: &[u8]) -> usize {
    assert_eq!(offset, at as u64, "something is told twice or left out");
    let end = at + bytes.len();
    assert_eq!(stream.get(at..end), Some(bytes));
    end
}
