//! Bytes that are written as numbers: in hex, in one piece or byte by byte, or as a list of decimal numbers.
//!
//! `a4e57c112233`, `A4:E5:7C:11:22:33`, `0xa4, 0xe5, 0x7c, 0x11, 0x22, 0x33`, `164 229 124 17 34 51`

use std::ops::Range;

use crate::pattern::{Found, Hit, Patterns, Sort, Text};
use crate::words::MIN_SEARCHED;

/// How the numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    Hex,
    Decimal,
}

/// So much may stand between two numbers of a list.
const MAX_BETWEEN: usize = 4;

/// The digits of a byte.
#[derive(Clone, Copy, Debug)]
struct Number {
    at: usize,
    len: usize,
}

impl Number {
    fn end(self) -> usize {
        self.at + self.len
    }
}

/// Bytes and where their digits stand.
#[derive(Debug, Default)]
struct List {
    bytes: Vec<u8>,
    numbers: Vec<Number>,
}

/// Replaces what is written in this way.
pub(crate) fn replace(patterns: &Patterns, text: &mut Text<'_>, base: Base, found: Found<'_>) {
    let mut list = List::default();
    let mut at = 0;
    while let Some((start, end)) = token(text.bytes, at, base) {
        let between = text.bytes.get(at..start).unwrap_or_default();
        if !joins(between, base) {
            list.replace(patterns, text, base, found);
            list = List::default();
        }
        let len = end - start;
        match base {
            Base::Decimal => {
                if !list.take(text.bytes, start..end, len, 10) {
                    list.replace(patterns, text, base, found);
                    list = List::default();
                }
            }
            Base::Hex if len > 2 && !len.is_multiple_of(2) => {
                // One of the digits belongs to something else: the last one, or the first one.
                list.take(text.bytes, start..end, 2, 16);
                list.replace(patterns, text, base, found);
                list = List::default();
                list.take(text.bytes, start + 1..end, 2, 16);
            }
            Base::Hex => {
                if len > 2 * MIN_SEARCHED {
                    // Both of them.
                    let mut inner = List::default();
                    inner.take(text.bytes, start + 1..end, 2, 16);
                    inner.replace(patterns, text, base, found);
                }
                list.take(text.bytes, start..end, len.min(2), 16);
            }
        }
        at = end;
    }
    list.replace(patterns, text, base, found);
}

/// The next run of digits from here on.
fn token(bytes: &[u8], from: usize, base: Base) -> Option<(usize, usize)> {
    let is_digit = |byte: &u8| match base {
        Base::Hex => byte.is_ascii_hexdigit(),
        Base::Decimal => byte.is_ascii_digit(),
    };
    let mut start = from + bytes.get(from..)?.iter().position(is_digit)?;
    let is_prefix = |at: usize| {
        base == Base::Hex
            && bytes.get(at) == Some(&b'0')
            && matches!(bytes.get(at + 1), Some(b'x' | b'X'))
            && bytes.get(at + 2).is_some_and(is_digit)
    };
    if is_prefix(start) {
        start += 2;
    }
    let len = bytes[start..]
        .iter()
        .take_while(|byte| is_digit(byte))
        .count();
    let mut end = start + len;
    // The prefix of the next number, without anything before it.
    if len > 1 && is_prefix(end - 1) {
        end -= 1;
    }
    Some((start, end))
}

/// Whether the numbers on both sides of this are of one list.
fn joins(between: &[u8], base: Base) -> bool {
    let prefixes: [&[u8]; 5] = [b"0x", b"0X", b"\\x", b"#x", b"x"];
    let prefix = prefixes.iter().find(|prefix| between.ends_with(prefix));
    let between = match (base, prefix) {
        (Base::Hex, Some(prefix)) => &between[..between.len() - prefix.len()],
        _ => between,
    };
    between.len() <= MAX_BETWEEN
        && between
            .iter()
            .all(|byte| b" ,:;.-_/|\t\r\n\0()[]{}<>\"'".contains(byte))
}

impl List {
    /// Takes a run of digits, so many for each byte; false if it is none of a list of bytes.
    fn take(&mut self, bytes: &[u8], run: Range<usize>, size: usize, radix: u32) -> bool {
        let mut at = run.start;
        while at + size <= run.end {
            let digits = std::str::from_utf8(&bytes[at..at + size]).unwrap_or_default();
            let Ok(byte) = u8::from_str_radix(digits, radix) else {
                return false;
            };
            self.bytes.push(byte);
            self.numbers.push(Number { at, len: size });
            at += size;
        }
        true
    }

    fn replace(&self, patterns: &Patterns, text: &mut Text<'_>, base: Base, found: Found<'_>) {
        if self.bytes.len() < MIN_SEARCHED {
            return;
        }
        let mut from = 0;
        while from < self.bytes.len() {
            let place = |end: usize| self.numbers[from].at..self.numbers[end - 1].end();
            let hit = patterns.at(&self.bytes, from, |pattern, end| {
                // Four small numbers are an address only if they stand alone.
                let is_alone = from == 0 && end == self.bytes.len();
                let is_chance =
                    base == Base::Decimal && matches!(pattern.sort, Sort::Coded) && !is_alone;
                !is_chance && !text.done[place(end)].contains(&true)
            });
            let Some(Hit { pattern, end }) = hit else {
                from += 1;
                continue;
            };
            let new = pattern.spread(&self.bytes[from..end]);
            write(text.bytes, &self.numbers[from..end], &new, base);
            text.done[place(end)].fill(true);
            found(pattern);
            from = end;
        }
    }
}

/// Writes these bytes in place of the numbers; zeros if they do not fit.
fn write(bytes: &mut [u8], numbers: &[Number], new: &[u8], base: Base) {
    let (Some(first), Some(last)) = (numbers.first(), numbers.last()) else {
        return;
    };
    let old = bytes[first.at..last.end()].to_vec();
    let is_upper = base == Base::Hex && old.iter().any(u8::is_ascii_uppercase);
    let digits = |byte: u8, width: usize| match (base, is_upper) {
        (Base::Decimal, _) => format!("{byte:0width$}"),
        (Base::Hex, true) => format!("{byte:0width$X}"),
        (Base::Hex, false) => format!("{byte:0width$x}"),
    };
    let fits = |(number, byte): (&Number, &u8)| digits(*byte, 1).len() <= number.len;
    if numbers.iter().zip(new).all(fits) {
        for (number, &byte) in numbers.iter().zip(new) {
            bytes[number.at..number.end()].copy_from_slice(digits(byte, number.len).as_bytes());
        }
        return;
    }
    // What stands between them moves.
    let mut told = Vec::new();
    for (index, &byte) in new.iter().enumerate() {
        told.extend(digits(byte, 1).bytes());
        if let [one, next, ..] = &numbers[index..] {
            told.extend_from_slice(&old[one.end() - first.at..next.at - first.at]);
        }
    }
    match old.len().checked_sub(told.len()) {
        Some(more) => {
            let last = new.last().map_or(0, |&byte| digits(byte, 1).len());
            let at = told.len() - last;
            told.splice(at..at, std::iter::repeat_n(b'0', more));
            bytes[first.at..last_end(numbers)].copy_from_slice(&told);
        }
        None => {
            for number in numbers {
                bytes[number.at..number.end()].fill(b'0');
            }
        }
    }
}

fn last_end(numbers: &[Number]) -> usize {
    numbers.last().map_or(0, |last| last.end())
}
