//! Claims about links and faults, seen from behind the link.

mod each;
mod link;

use veschub_wire::{CommandId, Decoder, Item, encode};

use super::{
    Armed, Behaviour, Definition, FaultFired, Harm, Link, LinkOutput, Trigger,
    bandwidth::Bandwidth,
    corrupt::{Corrupt, Part},
    delay::Delay,
    drop::DropFrame,
    duplicate::{Duplicate, MAX_TIMES},
    garbage::{Garbage, GarbageKind, Position},
    half_close::HalfClose,
    jitter::Jitter,
    merge::Merge,
    reorder::Reorder,
    reset::Reset,
    slow_close::SlowClose,
    split::Split,
    stall::Stall,
    truncate::Truncate,
};
use crate::{command_name::CommandName, duration::Duration, rng::Seed, time::Time};

const BMS: CommandId = CommandId::BMS_GET_VALUES;
const MAX_PAYLOAD: usize = 512;

fn ms(ms: u64) -> Time {
    Time::from_nanos(ms * 1_000_000)
}

fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A frame whose payload is a command and a number that tells it from others.
fn frame(command: CommandId, number: u8) -> Vec<u8> {
    encode(&[command.0, number]).unwrap()
}

fn bms(number: u8) -> Vec<u8> {
    frame(BMS, number)
}

fn always(fault: impl Definition) -> Armed {
    Armed::new(fault, Trigger::default())
}

/// Only for one of the frames, counted from 1.
fn nth(fault: impl Definition, nth: u64) -> Armed {
    let trigger = Trigger {
        nth: Some(nth),
        ..Trigger::default()
    };
    Armed::new(fault, trigger)
}

fn link(faults: Vec<Armed>) -> Link {
    Link::new(faults, MAX_PAYLOAD, Time::ZERO, Seed(1))
}

fn push(link: &mut Link, at: u64, bytes: &[u8]) {
    link.push(ms(at), bytes, &Behaviour::default());
}

fn cut_at(offsets: &[usize], gap: Duration) -> Split {
    Split::with(Some(offsets.to_vec()), false, None, gap)
}

fn single_bytes(gap: Duration) -> Split {
    Split::with(None, true, None, gap)
}

fn pieces(count: usize) -> Split {
    Split::with(None, false, Some(count), millis(1))
}

/// Everything that is due by a time, fetched when it is due.
fn outputs(link: &mut Link, until: u64) -> Vec<LinkOutput> {
    let mut outputs = Vec::new();
    while let Some(due) = link.poll_timeout().filter(|&due| due <= ms(until)) {
        link.handle_timeout(due);
        outputs.extend(std::iter::from_fn(|| link.poll_output(due)));
    }
    outputs
}

/// What comes out when pieces are pushed at their times, in milliseconds, and the end follows the last one at once.
fn play(faults: Vec<Armed>, pieces: &[(u64, Vec<u8>)]) -> Vec<LinkOutput> {
    let mut link = link(faults);
    let mut all = Vec::new();
    for (at, bytes) in pieces {
        push(&mut link, *at, bytes);
        all.extend(outputs(&mut link, *at));
    }
    link.eof(ms(pieces.last().map_or(0, |(at, _)| *at)));
    all.extend(outputs(&mut link, 1_000_000));
    all
}

/// Frames with the numbers 0, 1, 2..., one every 100 ms.
fn numbered(count: u8) -> Vec<(u64, Vec<u8>)> {
    (0..count)
        .map(|number| (u64::from(number) * 100, bms(number)))
        .collect()
}

fn wrote(at: u64, bytes: impl AsRef<[u8]>) -> LinkOutput {
    LinkOutput::Bytes(ms(at), bytes.as_ref().to_vec())
}

fn fin(at: u64) -> LinkOutput {
    LinkOutput::Fin(ms(at))
}

fn reset(at: u64) -> LinkOutput {
    LinkOutput::Reset(ms(at))
}

fn stream(outputs: &[LinkOutput]) -> Vec<u8> {
    let written = outputs.iter().filter_map(|output| match output {
        LinkOutput::Bytes(_, bytes) => Some(bytes.clone()),
        _ => None,
    });
    written.collect::<Vec<_>>().concat()
}

/// The stream and behind it so many NULs that no parser waits for more: whoever was promised bytes looks again.
fn flushed(outputs: &[LinkOutput]) -> Vec<u8> {
    let mut stream = stream(outputs);
    stream.extend([0; MAX_PAYLOAD + 8]);
    stream
}

/// The numbers of the frames that a parser finds.
fn heard(mut stream: &[u8]) -> Vec<u8> {
    let mut decoder = Decoder::new(MAX_PAYLOAD);
    let mut numbers = Vec::new();
    while let Some(item) = decoder.next(&mut stream) {
        if let Item::Frame(frame) = item {
            numbers.push(frame.payload[1]);
        }
    }
    numbers
}

fn reports(link: &mut Link) -> Vec<FaultFired> {
    std::iter::from_fn(|| link.poll_fired()).collect()
}
