//! Changes of what a device says: of the values in a payload, of the frame around it, and of when and how often it comes.

use std::time::Duration;

use rand::{RngExt as _, seq::IndexedRandom as _};
use veschub_hub::rng::Rng;
use veschub_wire::{CommandId, DEVICE_MAX_PAYLOAD, frame::encode_as};

use super::case::{Answer, Case, Said};
use crate::judge::layout::layout;

/// The most changes of one try.
const MOST: u32 = 4;
/// Bytes that programs have trouble with: counts, signs, lengths, start and stop bytes.
const BYTES: [u8; 12] = [0, 1, 2, 3, 4, 0x10, 0x7F, 0x80, 0x81, 0xC8, 0xFE, 0xFF];

/// Changes a session; `others` are sessions whose replies may take the place of its own.
pub(super) fn mutate(base: &Case, others: &[&Case], rng: &mut Rng) -> Case {
    let mut case = base.clone();
    for _ in 0..rng.random_range(1..=MOST) {
        change(&mut case, others, rng);
    }
    if rng.random_ratio(1, 4) {
        case.gap = Duration::from_millis(rng.random_range(1..8));
    }
    // Most clients have what they want by then; for the others, waiting for their time-outs would take most of the time.
    let end = match rng.random_range(0..6) {
        0 => None,
        1 | 2 => case
            .answers
            .iter()
            .rposition(|answer| !answer.said.is_empty()),
        _ => (0..case.answers.len())
            .rfind(|&index| base.answers.get(index) != case.answers.get(index)),
    };
    if let Some(last) = end.and_then(|index| case.answers.get_mut(index)) {
        last.restart = true;
    }
    case
}

fn change(case: &mut Case, others: &[&Case], rng: &mut Rng) {
    let count = case.answers.len();
    if count == 0 {
        return;
    }
    let index = rng.random_range(0..count);
    if rng.random_ratio(1, 16) {
        let other = rng.random_range(0..count);
        let said = case.answers[other].said.clone();
        case.answers[index].said = said;
        return;
    }
    if rng.random_ratio(1, 8)
        && let Some(said) = of_another(&case.answers[index], others, rng)
    {
        case.answers[index].said = said;
        return;
    }
    let answer = &mut case.answers[index];
    if answer.said.is_empty() {
        answer.said.push(Said::Bytes(noise(rng)));
        return;
    }
    let place = rng.random_range(0..answer.said.len());
    match rng.random_range(0..12) {
        0 => {
            let again = answer.said[place].clone();
            answer.said.insert(place, again);
        }
        1 => {
            answer.said.remove(place);
        }
        2 => answer.said.insert(place, Said::Payload(print(rng))),
        3 => answer.said.insert(place, Said::Bytes(noise(rng))),
        // Half of all changes are made to values, within a frame that is right.
        4..=7 => {
            if let Said::Payload(payload) = &mut answer.said[place] {
                change_payload(payload, rng);
            }
        }
        _ => {
            let bytes = answer.said[place].on_link();
            answer.said[place] = Said::Bytes(change_frame(bytes, rng));
            cut(answer, place, rng);
        }
    }
}

/// What another device says to the same request.
fn of_another(answer: &Answer, others: &[&Case], rng: &mut Rng) -> Option<Vec<Said>> {
    let other = others.choose(rng)?;
    let same = |one: &&Answer| one.request == answer.request && !one.said.is_empty();
    Some(other.answers.iter().find(same)?.said.clone())
}

/// A text that nobody asked for.
fn print(rng: &mut Rng) -> Vec<u8> {
    let mut text = vec![CommandId::PRINT.0];
    for _ in 0..rng.random_range(0..40) {
        text.push(rng.random());
    }
    text
}

/// What is no frame, or the start of one that never ends.
fn noise(rng: &mut Rng) -> Vec<u8> {
    match rng.random_range(0..6) {
        0 => vec![2, 0xFF],
        1 => vec![3, 0xFF, 0xFF],
        2 => vec![3, 0x7F, 0xFF, 0x60],
        3 => vec![4, 0xFF, 0xFF, 0xFF],
        4 => vec![2, 0, 0, 0, 3],
        _ => (0..rng.random_range(1..30))
            .map(|_| *BYTES.choose(rng).unwrap_or(&0))
            .collect(),
    }
}

/// Changes what a frame holds.
fn change_payload(payload: &mut Vec<u8>, rng: &mut Rng) {
    let Some(&id) = payload.first() else {
        return;
    };
    // Offset 0 is the command, which says what all others are.
    let any = |rng: &mut Rng, payload: &[u8]| {
        rng.random_range(usize::from(payload.len() > 1)..payload.len())
    };
    match rng.random_range(0..9) {
        0 => {
            let place = any(rng, payload);
            payload[place] ^= 1 << rng.random_range(0..8);
        }
        1 => {
            let place = any(rng, payload);
            payload[place] = *BYTES.choose(rng).unwrap_or(&0);
        }
        2 | 3 => change_field(CommandId(id), payload, rng),
        4 => change_count(CommandId(id), payload, rng),
        5 => payload.truncate(rng.random_range(1..=payload.len())),
        6 => {
            // Each node that a scan finds is asked, and waited for.
            let most = if id == CommandId::PING_CAN.0 { 8 } else { 300 };
            let room = DEVICE_MAX_PAYLOAD.saturating_sub(payload.len());
            let more = rng.random_range(0..=room.min(most));
            payload.extend((0..more).map(|index| BYTES[index % BYTES.len()]));
        }
        7 if id != CommandId::PING_CAN.0 => payload.resize(DEVICE_MAX_PAYLOAD, 0),
        _ => payload[0] = rng.random(),
    }
}

/// Sets a number to what is hard to read: the least, the most, just below zero.
fn change_field(command: CommandId, payload: &mut [u8], rng: &mut Rng) {
    let slots = layout(command, payload);
    let Some(slot) = slots.choose(rng) else {
        return;
    };
    let next = slots
        .iter()
        .map(|other| other.offset)
        .filter(|other| *other > slot.offset)
        .min();
    let end = next
        .unwrap_or(payload.len())
        .min(slot.offset + 4)
        .min(payload.len());
    let bytes: &[u8] = [
        &[0x80, 0, 0, 0][..],
        &[0x7F, 0xFF, 0xFF, 0xFF],
        &[0xFF, 0xFF, 0xFF, 0xFF],
        &[0xFF, 0xFE, 0x0C, 0x01],
        &[0, 0, 0, 1],
        &[0, 0, 0, 0],
    ]
    .choose(rng)
    .copied()
    .unwrap_or_default();
    if let Some(place) = payload.get_mut(slot.offset..end) {
        let length = place.len();
        place.copy_from_slice(&bytes[..length]);
    }
}

/// Changes the byte before a list, which counts it, or another one of that kind.
fn change_count(command: CommandId, payload: &mut [u8], rng: &mut Rng) {
    let slots = layout(command, payload);
    let mut starts: Vec<usize> = Vec::new();
    for pair in slots.windows(2) {
        if pair[0].field == pair[1].field && pair[0].offset > 0 {
            let first = slots.iter().find(|slot| slot.field == pair[0].field);
            starts.extend(first.map(|slot| slot.offset - 1));
        }
    }
    let place = starts.choose(rng).copied();
    let place = place.unwrap_or_else(|| rng.random_range(0..payload.len()));
    if let Some(count) = payload.get_mut(place) {
        *count = match rng.random_range(0..3) {
            0 => count.wrapping_add(1),
            1 => count.wrapping_sub(1),
            _ => *BYTES.choose(rng).unwrap_or(&0),
        };
    }
}

/// Changes the frame around a payload, or what stands beside it.
fn change_frame(mut bytes: Vec<u8>, rng: &mut Rng) -> Vec<u8> {
    if bytes.len() < 6 {
        return noise(rng);
    }
    let (end, crc) = (bytes.len() - 1, bytes.len() - 3);
    match rng.random_range(0..10) {
        0 => bytes[crc] ^= 1 << rng.random_range(0..8),
        1 => bytes[end] = rng.random(),
        2 => bytes[0] = *BYTES.choose(rng).unwrap_or(&0),
        3 => bytes[1] = *BYTES.choose(rng).unwrap_or(&0),
        4 => bytes.truncate(rng.random_range(1..end)),
        5 => {
            let place = rng.random_range(0..bytes.len());
            bytes[place] ^= 1 << rng.random_range(0..8);
        }
        6 => {
            let place = rng.random_range(0..bytes.len());
            bytes.insert(place, *BYTES.choose(rng).unwrap_or(&0));
        }
        7 => {
            // A good frame within one that is broken.
            let outer = [&[2, 0xF0][..], &bytes, &[0, 0, 3]].concat();
            bytes = outer;
        }
        8 => {
            // The long form, which firmware uses from 256 bytes on.
            let payload = vec![CommandId::PRINT.0; rng.random_range(1..400)];
            bytes.extend(encode_as(3, &payload).unwrap_or_default());
        }
        _ => bytes = [noise(rng), bytes].concat(),
    }
    bytes
}

/// Cuts what is sent into two pieces, so that two reads bring it.
fn cut(answer: &mut Answer, place: usize, rng: &mut Rng) {
    if rng.random_ratio(1, 3)
        && let Some(Said::Bytes(bytes)) = answer.said.get_mut(place)
        && bytes.len() > 1
    {
        let rest = bytes.split_off(rng.random_range(1..bytes.len()));
        answer.said.insert(place + 1, Said::Bytes(rest));
    }
}

#[cfg(test)]
mod tests {
    use veschub_hub::rng::Seed;
    use veschub_scenario::Loaded;

    use super::{super::base, *};

    #[test]
    fn whatever_is_drawn_makes_a_scenario_and_the_seed_decides_what() {
        let bases = base::plain();
        let others: Vec<&Case> = bases.iter().collect();
        let draw = |seed: u64, index: u64| {
            let base = &bases[usize::try_from(index).unwrap() % bases.len()];
            mutate(base, &others, &mut Seed(seed).stream(index))
        };
        let mut changed = 0;
        for index in 0..400 {
            let case = draw(1, index);
            assert_eq!(case, draw(1, index));
            changed += usize::from(case != draw(2, index));
            let text = case.yaml("drawn");
            assert!(Loaded::parse("drawn", &text).is_ok(), "{text}");
        }
        assert!(changed > 300);
    }
}
