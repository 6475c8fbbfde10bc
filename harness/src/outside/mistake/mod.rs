//! The mistakes that clients often make, and which of them explains a wrong value.
//!
//! The harness tries each mistake: it reads the payload with this mistake, and compares the result with the client's
//! value. Many values can match by chance, above all 0. So the harness looks at all wrong fields of a reading together,
//! and prefers the mistake that explains most of them. A mistake that reads bytes of other fields must explain at least
//! one value other than 0.

use std::fmt;

use serde_json::Value as Json;
use veschub_wire::{CommandId, view::Value};

use super::{
    compare::{Delivered, FieldUnderstood, Judgement, near, same},
    layout::{Form, Slot, layout},
    reading::NOT_NUMBERS,
};

/// How far from its place a field is looked for, in bytes.
const SHIFTS: i32 = 8;
/// Powers of ten that a scale can be off by.
const POWERS: i32 = 6;

/// How many replies to other commands are tried.
const OTHERS: usize = 32;

/// A mistake that clients often make.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Mistake {
    /// A signed number read without its sign.
    Unsigned,
    /// An unsigned number read with a sign.
    Signed,
    /// The scale is off by a power of ten: the value is 10 to this power times the true one.
    Scale(i32),
    /// A scaled integer read as an IEEE float.
    FloatForInteger,
    /// A packed float read as an integer, with a scale of 1, 1000 or 1,000,000.
    IntegerForFloat,
    /// Bytes in the wrong order.
    LittleEndian,
    /// The list ends after this many elements, but the device sent more.
    Capped(usize),
    /// The list has this many elements, but the device sent fewer.
    Padded(usize),
    /// The flags are kept in a mask of 32 bits, but the device sent more flags.
    MaskOf32,
    /// The value is that of an earlier reply, which has this number.
    Stale(usize),
    /// The reply to this command was read as this one.
    AnotherReply(CommandId),
    /// Rounded, or cut off, to this many decimal places.
    Rounded(u32),
    /// Read this many bytes after the right place; before it, if negative.
    Shifted(i32),
    /// The minor version without its leading 0: 6.5 for 6.05.
    MinorVersion,
    /// The value is no number: `NaN`, `Infinity` or `-Infinity`.
    NotANumber(&'static str),
    /// The value has the wrong type; this is the right one.
    Type(&'static str),
}

impl Mistake {
    /// The name of the mistake in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unsigned => "unsigned",
            Self::Signed => "signed",
            Self::Scale(_) => "scale",
            Self::FloatForInteger => "float-for-integer",
            Self::IntegerForFloat => "integer-for-float",
            Self::LittleEndian => "little-endian",
            Self::Capped(_) => "capped",
            Self::Padded(_) => "padded",
            Self::MaskOf32 => "mask-of-32",
            Self::Stale(_) => "stale",
            Self::AnotherReply(_) => "another-reply",
            Self::Rounded(_) => "rounded",
            Self::Shifted(_) => "shifted",
            Self::MinorVersion => "minor-version",
            Self::NotANumber(_) => "not-a-number",
            Self::Type(_) => "type",
        }
    }

    /// Whether the mistake reads bytes that are not the field's own.
    fn looks_elsewhere(self) -> bool {
        matches!(
            self,
            Self::Shifted(_) | Self::Stale(_) | Self::AnotherReply(_)
        )
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Unsigned => f.write_str("read without its sign: the field is signed"),
            Self::Signed => f.write_str("read with a sign: the field is unsigned"),
            Self::Scale(power) => {
                let factor = 10_u32.pow(power.unsigned_abs());
                let (way, operation) = if power > 0 {
                    ("large", "divide")
                } else {
                    ("small", "multiply")
                };
                write!(f, "{factor} times too {way}: {operation} it by {factor}")
            }
            Self::FloatForInteger => {
                f.write_str("read as an IEEE float: the field is a scaled integer")
            }
            Self::IntegerForFloat => f.write_str("read as an integer: the field is a packed float"),
            Self::LittleEndian => {
                f.write_str("read with its bytes in the wrong order: the field is big endian")
            }
            Self::Capped(count) => write!(f, "the list ends too early, at {count}"),
            Self::Padded(count) => write!(f, "the list is too long: it was filled up to {count}"),
            Self::MaskOf32 => f.write_str("only 32 flags are kept, but the device sent more"),
            Self::Stale(number) => {
                write!(f, "stale: this is the value of the earlier reply {number}")
            }
            Self::AnotherReply(command) => write!(f, "read from the reply to {command}"),
            Self::Rounded(decimals) => {
                let places = if decimals == 1 { "place" } else { "places" };
                write!(f, "rounded to {decimals} decimal {places}")
            }
            Self::Shifted(by) => {
                let way = if by > 0 { "after" } else { "before" };
                let count = by.unsigned_abs();
                let bytes = if count == 1 { "byte" } else { "bytes" };
                write!(f, "read {count} {bytes} {way} the right place")
            }
            Self::MinorVersion => f.write_str("the minor version has two digits: 6.05 is not 6.5"),
            Self::NotANumber(word) => {
                write!(f, "the client printed {word}, which is not a number")
            }
            Self::Type(wanted) => write!(f, "wrong type: this must be {wanted}"),
        }
    }
}

/// Finds the mistake behind each wrong field of a reading, if a known mistake explains it. `before` holds all replies
/// that were delivered before the reading.
pub(super) fn name(
    fields: &mut [FieldUnderstood],
    reply: &Delivered<'_>,
    before: &[&Delivered<'_>],
) {
    let wrong: Vec<usize> = (0..fields.len())
        .filter(|&index| matches!(fields[index].judgement, Judgement::Wrong(_)))
        .collect();
    let explained: Vec<Vec<Hypothesis>> = wrong
        .iter()
        .map(|&index| hypotheses(&fields[index], reply, before))
        .collect();
    let support = |mistake: Mistake| {
        let all = explained.iter().flatten();
        let fields = all.filter(|one| one.mistake == mistake);
        fields.fold((0, false), |(count, telling), one| {
            (count + 1, telling || one.is_telling)
        })
    };
    for (&index, candidates) in wrong.iter().zip(&explained) {
        let mut best: Option<(usize, Mistake)> = None;
        for one in candidates {
            let (count, telling) = support(one.mistake);
            let holds = telling || !one.mistake.looks_elsewhere();
            // If several explain as much, the first: the most common mistakes come first.
            if holds && best.is_none_or(|(most, _)| count > most) {
                best = Some((count, one.mistake));
            }
        }
        fields[index].judgement = Judgement::Wrong(best.map(|(_, mistake)| mistake));
    }
}

/// A mistake that explains the wrong value of a field.
struct Hypothesis {
    mistake: Mistake,
    /// Whether the match is evidence: many bytes give 0.
    is_telling: bool,
}

fn hypotheses(
    field: &FieldUnderstood,
    reply: &Delivered<'_>,
    before: &[&Delivered<'_>],
) -> Vec<Hypothesis> {
    let (Some(truth), Some(given)) = (&field.truth, &field.decoded) else {
        return Vec::new();
    };
    let not_a_number = not_a_number(truth, given).map(Mistake::NotANumber);
    let wrong_type = || wanted_type(truth, given).map(Mistake::Type);
    let mut found: Vec<Mistake> = not_a_number.or_else(wrong_type).into_iter().collect();
    // For a value of the wrong type, nothing more can be found out.
    let values = numbers(given).filter(|_| found.is_empty());
    if let Some(values) = &values {
        let case = Case {
            slots: reply.slots(&field.field),
            payload: reply.payload,
            values,
        };
        case.own_bytes(&mut found);
        stale(field, given, reply, before, &mut found);
        case.another_reply(&field.field, reply.command, before, &mut found);
        case.rounded(&mut found);
        case.shifted(&mut found);
    } else {
        stale(field, given, reply, before, &mut found);
    }
    if let (Value::Text(truth), Json::String(given)) = (truth, given)
        && field.field == "firmware"
        && truth.replacen(".0", ".", 1) == *given
    {
        found.push(Mistake::MinorVersion);
    }
    let is_telling = values.is_none_or(|values| values.iter().any(|value| *value != 0.0));
    let hypothesis = |mistake| Hypothesis {
        mistake,
        is_telling,
    };
    found.into_iter().map(hypothesis).collect()
}

fn stale(
    field: &FieldUnderstood,
    given: &Json,
    reply: &Delivered<'_>,
    before: &[&Delivered<'_>],
    found: &mut Vec<Mistake>,
) {
    let earlier = before.iter().rev().find(|earlier| {
        let of_this = earlier.command == reply.command && earlier.entry < reply.entry;
        let within = earlier.step(&field.field);
        of_this
            && earlier
                .fields
                .get(&field.field)
                .is_some_and(|truth| same(truth, given, within))
    });
    found.extend(earlier.map(|earlier| Mistake::Stale(earlier.number)));
}

/// A field that holds numbers, and the values that the client gave for it.
struct Case<'a> {
    slots: Vec<Slot>,
    payload: &'a [u8],
    values: &'a [f64],
}

impl Case<'_> {
    /// Mistakes in reading the field's own bytes.
    fn own_bytes(&self, found: &mut Vec<Mistake>) {
        for (mistake, misread) in [
            (Mistake::Unsigned, unsigned as fn(Form, u32) -> Option<f64>),
            (Mistake::Signed, signed),
        ] {
            if self.comes_out(|slot| misread(slot.form, self.raw(slot)?)) {
                found.push(mistake);
            }
        }
        for power in (1..=POWERS).flat_map(|power| [power, -power]) {
            if self.comes_out(|slot| Some(slot.read(self.payload)? * 10_f64.powi(power))) {
                found.push(Mistake::Scale(power));
            }
        }
        if self.comes_out(|slot| float(slot.form, self.raw(slot)?)) {
            found.push(Mistake::FloatForInteger);
        }
        if [1.0, 1e3, 1e6]
            .iter()
            .any(|per_unit| self.comes_out(|slot| integer(slot.form, self.raw(slot)?, *per_unit)))
        {
            found.push(Mistake::IntegerForFloat);
        }
        if self.comes_out(|slot| Some(little_endian(slot.form, self.raw(slot)?))) {
            found.push(Mistake::LittleEndian);
        }
        self.list(found);
    }

    fn list(&self, found: &mut Vec<Mistake>) {
        let (given, sent) = (self.values.len(), self.slots.len());
        let starts_right = self.slots.iter().zip(self.values).all(|(slot, value)| {
            let truth = slot.read(self.payload);
            truth.is_some_and(|truth| near(truth, *value, slot.form.step()))
        });
        if starts_right && given < sent {
            found.push(Mistake::Capped(given));
        }
        if starts_right && given > sent {
            found.push(Mistake::Padded(given));
        }
        let flag = |index: usize| {
            self.slots
                .get(index)
                .and_then(|slot| slot.read(self.payload))
        };
        let are_flags = self.slots.iter().all(|slot| slot.form == Form::Flag);
        let masked = (0..given).all(|index| {
            let value = self.values.get(index).copied();
            let lost = index >= 32 && (value == Some(0.0) || value == flag(index % 32));
            value == flag(index) || lost
        });
        if are_flags && given == sent && sent > 32 && masked {
            found.push(Mistake::MaskOf32);
        }
    }

    /// Tries whether the reply to another command, read as if it were this one, gives the value.
    fn another_reply(
        &self,
        field: &str,
        command: CommandId,
        before: &[&Delivered<'_>],
        found: &mut Vec<Mistake>,
    ) {
        let others = before
            .iter()
            .rev()
            .filter(|other| other.command != command)
            .take(OTHERS);
        let fits = others.filter(|other| {
            let slots: Vec<Slot> = layout(command, other.payload)
                .into_iter()
                .filter(|slot| slot.field == field)
                .collect();
            let other_values: Option<Vec<f64>> =
                slots.iter().map(|slot| slot.read(other.payload)).collect();
            other_values.is_some_and(|values| !values.is_empty() && self.are(&values))
        });
        for other in fits {
            let mistake = Mistake::AnotherReply(other.command);
            if !found.contains(&mistake) {
                found.push(mistake);
            }
        }
    }

    fn rounded(&self, found: &mut Vec<Mistake>) {
        let fits = (0..4).find(|&decimals| {
            let factor = 10_f64.powi(decimals);
            [f64::round as fn(f64) -> f64, f64::trunc, f64::floor]
                .iter()
                .any(|round| {
                    self.comes_out(|slot| Some(round(slot.read(self.payload)? * factor) / factor))
                })
        });
        found.extend(fits.map(|decimals| Mistake::Rounded(decimals.unsigned_abs())));
    }

    fn shifted(&self, found: &mut Vec<Mistake>) {
        for by in (1..=SHIFTS).flat_map(|by| [by, -by]) {
            let shift = |slot: &Slot| {
                let offset = slot.offset.checked_add_signed(isize::try_from(by).ok()?)?;
                Slot { offset, ..*slot }.read(self.payload)
            };
            if self.comes_out(shift) {
                found.push(Mistake::Shifted(by));
            }
        }
    }

    fn raw(&self, slot: &Slot) -> Option<u32> {
        slot.form.raw(self.payload, slot.offset)
    }

    /// Whether this way of reading gives the client's values.
    fn comes_out(&self, read: impl Fn(&Slot) -> Option<f64>) -> bool {
        let values: Option<Vec<f64>> = self.slots.iter().map(read).collect();
        values.is_some_and(|values| !values.is_empty() && self.are(&values))
    }

    fn are(&self, values: &[f64]) -> bool {
        let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-6 * b.abs().max(1e-6);
        values.len() == self.values.len() && self.values.iter().zip(values).all(close)
    }
}

/// The client's value as numbers, flags as 0 and 1; `None` if it is something else.
fn numbers(given: &Json) -> Option<Vec<f64>> {
    match given {
        Json::Bool(flag) => Some(vec![f64::from(u8::from(*flag))]),
        Json::Number(number) => Some(vec![number.as_f64()?]),
        Json::Array(items) => items.iter().map(|item| numbers(item)?.pop()).collect(),
        _ => None,
    }
}

fn unsigned(form: Form, raw: u32) -> Option<f64> {
    match form {
        Form::I8 => Some(f64::from(raw as u8)),
        Form::I16(per_unit) => Some(f64::from(raw as u16) / per_unit),
        Form::I32(per_unit) => Some(f64::from(raw) / per_unit),
        _ => None,
    }
}

fn signed(form: Form, raw: u32) -> Option<f64> {
    match form {
        Form::U8 => Some(f64::from(raw as u8 as i8)),
        Form::U32 => Some(f64::from(raw.cast_signed())),
        _ => None,
    }
}

fn float(form: Form, raw: u32) -> Option<f64> {
    match form {
        Form::I32(_) | Form::U32 => {
            Some(f64::from(f32::from_bits(raw))).filter(|value| value.is_finite())
        }
        _ => None,
    }
}

fn integer(form: Form, raw: u32, per_unit: f64) -> Option<f64> {
    (form == Form::Float).then(|| f64::from(raw.cast_signed()) / per_unit)
}

fn little_endian(form: Form, raw: u32) -> f64 {
    form.value(match form.size() {
        1 => raw,
        2 => u32::from((raw as u16).swap_bytes()),
        _ => raw.swap_bytes(),
    })
}

/// The client's word where a number belongs, if it is one of those that stand for no number.
fn not_a_number(truth: &Value, given: &Json) -> Option<&'static str> {
    match (truth, given) {
        (Value::Int(_) | Value::Number(_), Json::String(word)) => {
            NOT_NUMBERS.into_iter().find(|known| known == word)
        }
        (Value::List(truth), Json::Array(given)) => truth
            .iter()
            .zip(given)
            .find_map(|(truth, given)| not_a_number(truth, given)),
        _ => None,
    }
}

/// The type that a field must have, if the client's value has another one.
fn wanted_type(truth: &Value, given: &Json) -> Option<&'static str> {
    let fits = match truth {
        Value::Bool(_) => given.is_boolean(),
        Value::Int(_) | Value::Number(_) => given.is_number(),
        Value::Text(_) | Value::Bytes(_) => given.is_string(),
        Value::List(truth) => {
            let Json::Array(given) = given else {
                return Some("a list");
            };
            return truth
                .iter()
                .zip(given)
                .find_map(|(truth, given)| wanted_type(truth, given));
        }
        _ => true,
    };
    let wanted = match truth {
        Value::Bool(_) => "true or false",
        Value::Int(_) | Value::Number(_) => "a number",
        Value::Bytes(_) => "hex as text",
        _ => "text",
    };
    (!fits).then_some(wanted)
}

#[cfg(test)]
mod tests;
