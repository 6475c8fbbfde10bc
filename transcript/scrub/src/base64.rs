//! Bytes that are written as base64, in either alphabet, wherever they begin in it.

use crate::pattern::{Found, Hit, Patterns, Text};

/// Shorter runs hold no secret that is long enough.
const SHORTEST: usize = 6;
const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn value(letter: u8) -> Option<u8> {
    Some(match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

/// A line may end within it.
fn is_break(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n' | 0)
}

/// Replaces what is written in this way.
pub(crate) fn replace(patterns: &Patterns, text: &mut Text<'_>, found: Found<'_>) {
    let mut letters: Vec<usize> = Vec::new();
    for at in 0..=text.bytes.len() {
        match text.bytes.get(at) {
            Some(&byte) if value(byte).is_some() => letters.push(at),
            Some(&byte) if is_break(byte) => {}
            _ => {
                if letters.len() >= SHORTEST {
                    replace_run(patterns, text, &letters, found);
                }
                letters.clear();
            }
        }
    }
}

fn replace_run(patterns: &Patterns, text: &mut Text<'_>, letters: &[usize], found: Found<'_>) {
    let is_for_urls = letters
        .iter()
        .any(|&at| matches!(text.bytes[at], b'-' | b'_'));
    // What stands before it may be letters as well.
    for start in 0..4 {
        let letters = letters.get(start..).unwrap_or_default();
        let mut sextets: Vec<u8> = letters
            .iter()
            .filter_map(|&at| value(text.bytes[at]))
            .collect();
        let bytes: Vec<u8> = (0..sextets.len() * 6 / 8)
            .map(|index| byte_at(&sextets, index))
            .collect();
        let mut from = 0;
        while from < bytes.len() {
            let touched = |end: usize| from * 8 / 6..(end * 8).div_ceil(6);
            let hit = patterns.at(&bytes, from, |_, end| {
                !letters[touched(end)].iter().any(|&at| text.done[at])
            });
            let Some(Hit { pattern, end }) = hit else {
                from += 1;
                continue;
            };
            for (index, byte) in (from..end).zip(pattern.spread(&bytes[from..end])) {
                put_byte(&mut sextets, index, byte);
            }
            for index in touched(end) {
                let at = letters[index];
                text.bytes[at] = match (sextets[index], is_for_urls) {
                    (62, true) => b'-',
                    (63, true) => b'_',
                    (sextet, _) => STANDARD[usize::from(sextet)],
                };
                text.done[at] = true;
            }
            found(pattern);
            from = end;
        }
    }
}

fn byte_at(sextets: &[u8], index: usize) -> u8 {
    (0..8).fold(0, |byte, bit| {
        let bit = index * 8 + bit;
        byte << 1 | sextets[bit / 6] >> (5 - bit % 6) & 1
    })
}

fn put_byte(sextets: &mut [u8], index: usize, byte: u8) {
    for bit in 0..8 {
        let at = index * 8 + bit;
        let mask = 1 << (5 - at % 6);
        match byte >> (7 - bit) & 1 {
            1 => sextets[at / 6] |= mask,
            _ => sextets[at / 6] &= !mask,
        }
    }
}
