//! Finding frames in a stream of 1 MB, which comes in pieces of 64 KiB.

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, Throughput};
use veschub_bench::byte_machine::ByteMachine;
use veschub_wire::{Decoder, Item, TOOL_MAX_PAYLOAD, crc16, encode};

/// About as many bytes as a stream has.
const LENGTH: usize = 1_000_000;
const PIECE: usize = 64 << 10;

/// Frames with payloads of this length, which start with this command.
fn frames(command: u8, length: usize) -> Vec<u8> {
    let mut random = 1u32;
    let mut stream = Vec::new();
    while stream.len() < LENGTH {
        let mut payload = noise(&mut random, length);
        payload[0] = command;
        stream.extend(encode(&payload).unwrap_or_default());
    }
    stream
}

fn noise(random: &mut u32, length: usize) -> Vec<u8> {
    let next = |_| {
        *random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (*random >> 24) as u8
    };
    (0..length).map(next).collect()
}

fn decode(stream: &[u8]) -> usize {
    let mut decoder = Decoder::new(TOOL_MAX_PAYLOAD);
    let mut bytes = 0;
    for mut piece in stream.chunks(PIECE) {
        while let Some(item) = decoder.next(&mut piece) {
            if let Item::Frame(frame) = item {
                bytes += frame.payload.len();
            }
        }
    }
    bytes
}

fn byte_machine(stream: &[u8]) -> usize {
    let mut machine = ByteMachine::new(TOOL_MAX_PAYLOAD);
    let mut bytes = 0;
    for piece in stream.chunks(PIECE) {
        for &byte in piece {
            bytes += machine.take(byte).map_or(0, <[u8]>::len);
        }
    }
    bytes
}

fn crate_vesc(stream: &[u8]) -> usize {
    let mut decoder = vesc::Decoder::<512>::new();
    let mut replies = 0;
    for mut rest in stream.chunks(PIECE) {
        while !rest.is_empty() {
            let Ok(taken) = decoder.feed(rest) else {
                break;
            };
            rest = &rest[taken..];
            replies += decoder.by_ref().count();
        }
    }
    replies
}

/// The CRCs of all payloads and nothing else: what no parser can leave out.
fn crc_alone(stream: &[u8], length: usize, crc: fn(&[u8]) -> u16) -> u16 {
    let header = if length > 255 { 3 } else { 2 };
    let frames = stream.chunks_exact(header + length + 3);
    frames.fold(0, |sum, frame| sum ^ crc(&frame[header..header + length]))
}

/// The crate `crc-fast`, which needs the standard library and a newer processor.
fn crc_fast(payload: &[u8]) -> u16 {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc16Xmodem, payload) as u16
}

pub(crate) fn measure(criterion: &mut Criterion) {
    let streams = [
        ("bms", frames(0x60, 166), Some(166)),
        ("motor", frames(0x04, 74), Some(74)),
        ("noise", noise(&mut 7, LENGTH), None),
        ("worst", vec![3; LENGTH], None),
        ("worst-far", b"\x03\x27\x10".repeat(LENGTH / 3), None),
    ];
    for (name, stream, payload) in &streams {
        let mut group = criterion.benchmark_group(format!("decode/{name}"));
        group
            .throughput(Throughput::Bytes(stream.len() as u64))
            .sample_size(20)
            .warm_up_time(Duration::from_millis(300))
            .measurement_time(Duration::from_secs(1));
        group.bench_function("ours", |bench| bench.iter(|| decode(black_box(stream))));
        group.bench_function("byte machine", |bench| {
            bench.iter(|| byte_machine(black_box(stream)));
        });
        group.bench_function("crate vesc", |bench| {
            bench.iter(|| crate_vesc(black_box(stream)));
        });
        if let &Some(payload) = payload {
            group.bench_function("crc alone", |bench| {
                bench.iter(|| crc_alone(black_box(stream), payload, crc16));
            });
            group.bench_function("crc-fast alone", |bench| {
                bench.iter(|| crc_alone(black_box(stream), payload, crc_fast));
            });
        }
        group.finish();
    }
}
