//! Bodies of the fuzz targets, and of the test that replays what they once found.
//!
//! An input is the stream itself and, behind it, eight bytes that say how to run it:
//!
//! ```text
//!  stream | limit u8 | 7 × piece u8
//! ```
//!
//! `limit` chooses one of eight payload limits, modulo 8; a piece of `n` is `n + 1` bytes long, and the seven
//! pieces repeat to the end of the stream. So eight zeros give a limit of 1 and one byte at a time.

use alloc::{string::ToString, vec::Vec};

use arbitrary::{Arbitrary, Unstructured};

use crate::{
    Ear, Nearly,
    command::{Decoded, Reply, Request},
    ear::Heard as Told,
    frame::{Decoder, Item, Tail, encode},
    view::View,
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

#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Frame {
        offset: u64,
        start: u8,
        payload: Vec<u8>,
    },
    Noise {
        offset: u64,
        bytes: Vec<u8>,
    },
    Tail(Tail),
}

/// Runs a decoder over a stream in pieces and checks everything that must hold for any bytes.
///
/// # Panics
/// If something does not hold.
pub fn stream_decoder(data: &[u8]) {
    let (stream, plan) = data.split_at(data.len().saturating_sub(PLAN_LEN));
    let plan = Plan::arbitrary(&mut Unstructured::new(plan)).unwrap_or_default();
    let limit = LIMITS[usize::from(plan.limit) % LIMITS.len()];

    let whole = listen(limit, [stream]);
    let sizes = plan.pieces.iter().map(|&size| usize::from(size) + 1);
    let mut rest = stream;
    let pieces = sizes.cycle().map_while(move |size| {
        let (piece, behind) = rest.split_at(size.min(rest.len()));
        rest = behind;
        (!piece.is_empty()).then_some(piece)
    });
    assert_eq!(
        listen(limit, pieces.clone()),
        whole,
        "the pieces {plan:?} matter"
    );
    let told = tell(Ear::new(limit), [stream]);
    assert_eq!(
        tell(Ear::new(limit), pieces.clone()),
        told,
        "the pieces {plan:?} matter to an ear"
    );
    assert_told(&told, stream);
    assert_told(&tell(Ear::eager(limit), pieces), stream);

    assert_covers(&whole, stream);
    for heard in whole {
        if let Heard::Frame { payload, .. } = heard {
            assert_frame_survives(limit, &payload);
            assert_survives(&payload, Request::decode, Request::encode);
            assert_survives(&payload, Reply::decode, Reply::encode);
        }
    }
}

/// What an ear hears: bytes, whether they are a frame, and what else they nearly are.
fn tell<'a>(
    mut ear: Ear,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<(u64, Vec<u8>, Option<Nearly>)> {
    let mut heard = Vec::new();
    let mut hear = |told: Told<'_>| match told {
        Told::Frame { frame, .. } => heard.push((frame.offset, frame.bytes.to_vec(), None)),
        Told::Noise {
            offset,
            bytes,
            nearly,
            unfinished,
        } => {
            assert!(unfinished <= bytes.len());
            heard.push((offset, bytes.to_vec(), nearly));
        }
    };
    for piece in pieces {
        ear.bytes(piece, &mut hear);
    }
    ear.finish(&mut hear);
    assert!(ear.waiting().is_empty());
    heard
}

fn assert_told(told: &[(u64, Vec<u8>, Option<Nearly>)], stream: &[u8]) {
    let mut at = 0;
    for (offset, bytes, nearly) in told {
        assert_eq!(*offset, at as u64);
        assert_eq!(&stream[at..][..bytes.len()], bytes);
        assert!(!bytes.is_empty());
        at += bytes.len();
        let _ = nearly.as_ref().map(ToString::to_string);
    }
    assert_eq!(at, stream.len(), "bytes are missing at the end");
}

fn listen<'a>(limit: usize, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Heard> {
    let mut decoder = Decoder::new(limit);
    let mut heard = Vec::new();
    for mut piece in pieces {
        while let Some(item) = decoder.next(&mut piece) {
            heard.push(match item {
                Item::Frame(frame) => Heard::Frame {
                    offset: frame.offset,
                    start: frame.start,
                    payload: frame.payload.to_vec(),
                },
                Item::Noise(noise) => Heard::Noise {
                    offset: noise.offset,
                    bytes: noise.bytes.to_vec(),
                },
            });
        }
        assert!(piece.is_empty(), "input is left over");
        let waiting = decoder.waiting();
        assert!(waiting < limit + AROUND_PAYLOAD, "{waiting} bytes wait");
    }
    heard.extend(decoder.finish().map(Heard::Tail));
    heard
}

fn assert_covers(heard: &[Heard], stream: &[u8]) {
    let mut at = 0;
    for heard in heard {
        let (offset, len) = match heard {
            Heard::Frame {
                offset,
                start,
                payload,
            } => {
                let header = usize::from(*start);
                assert_eq!(stream[at], *start);
                assert_eq!(&stream[at + header..][..payload.len()], payload);
                (*offset, header + payload.len() + 3)
            }
            Heard::Noise { offset, bytes } => {
                assert_eq!(&stream[at..][..bytes.len()], bytes);
                (*offset, bytes.len())
            }
            Heard::Tail(tail) => {
                assert_eq!(&stream[at..], tail.bytes);
                assert!(tail.unfinished <= tail.bytes.len());
                (tail.offset, tail.bytes.len())
            }
        };
        assert_eq!(offset, at as u64);
        at += len;
    }
    assert_eq!(at, stream.len(), "bytes are missing at the end");
}

fn assert_frame_survives(limit: usize, payload: &[u8]) {
    let frame = encode(payload).unwrap_or_default();
    let heard = listen(limit, [&frame[..]]);
    let same = matches!(&heard[..], [Heard::Frame { payload: again, .. }] if again == payload);
    assert!(same, "a frame came back as {heard:?}");
}

fn assert_survives<T: View, E>(
    payload: &[u8],
    decode: fn(&[u8]) -> Result<Decoded<T>, E>,
    encode: fn(&T) -> Vec<u8>,
) {
    if let Ok(decoded) = decode(payload) {
        let _ = decoded.fields().to_string();
        let again = [encode(&decoded.body), decoded.trailing].concat();
        assert_eq!(again, payload);
    }
}
