//! The mistakes that clients often make, and which of them explains a wrong value.
//!
//! The harness tries each mistake: it reads the payload with this mistake, and compares the result with the client's
//! value. Many values can match by chance, above all 0 and small numbers. So each match counts as much as it tells: the
//! more digits match, the more. The harness adds up what a mistake explains in all wrong fields of a reading, and
//! prefers the mistake that explains most. It names none on too little evidence. If two explain as much, the more
//! common one comes first.
//!
//! * `evidence`: how much a match tells; `own`: mistakes in reading the right bytes, and `elsewhere` in reading other
//!   ones; `layouts`: a whole reply read with another layout than its own; `list`: what is missing in lists; `unit`: values in another unit; `advice`: what to do.

mod advice;
mod elsewhere;
mod evidence;
mod layouts;
mod list;
mod own;
mod unit;

use std::fmt;

use veschub_wire::{CommandId, Firmware, view};

use self::evidence::Hypothesis;
pub use self::list::Rule;
use super::{Delivered, FieldUnderstood, Judgement};
use crate::judge::config_layout;

/// A mistake that clients often make.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Mistake {
    /// The value is no number: `NaN`, `Infinity` or `-Infinity`.
    NotANumber(&'static str),
    /// The value has the wrong type; this is the right one.
    Type(&'static str),
    /// Plus and minus are mixed up, or the minus is lost.
    TurnedSign,
    /// A signed number read without its sign.
    Unsigned,
    /// An unsigned number read with a sign.
    Signed,
    /// The scale is off by a power of ten: the value is 10 to this power times the true one.
    Scale(i32),
    /// The scale is off by a power of ten, because the raw number was divided by another number than the right one.
    Divisor {
        /// What the client divided by.
        used: u32,
        /// What is right.
        right: u32,
    },
    /// The value is in another unit than the name of its field says.
    Unit {
        /// The unit of the client's value.
        shown: &'static str,
        /// The unit of the field.
        right: &'static str,
    },
    /// The electrical speed was divided by this many pole pairs.
    PolePairs(u32),
    /// A scaled integer read as an IEEE float.
    FloatForInteger,
    /// A packed float read as an integer, with a scale of 1, 1000 or 1,000,000.
    IntegerForFloat,
    /// Bytes in the wrong order.
    LittleEndian,
    /// One byte, taken for a part of 255, instead of a scaled integer.
    ByteOf255,
    /// The list is empty, but the device sent elements.
    EmptyList,
    /// Elements of the list are left out, by this rule.
    Dropped {
        /// Which are left out.
        rule: Rule,
        /// How many.
        count: usize,
        /// The place of the first one, from 0.
        first: usize,
    },
    /// The list ends after this many elements, but the device sent more.
    Capped(usize),
    /// The list has this many elements, but the device sent fewer.
    Padded(usize),
    /// The flags are kept in a mask of 32 bits, but the device sent more flags.
    MaskOf32,
    /// Rounded, or cut off, to this many decimal places.
    Rounded(u32),
    /// The minor version without its leading 0: 6.5 for 6.05.
    MinorVersion,
    /// This is the value of another field of the same reply.
    OtherField(&'static str),
    /// The value is that of an earlier reply, which has this number.
    Stale(usize),
    /// The value is that of another device: the one with this CAN id, or the one that is not asked over CAN.
    OtherDevice(Option<u8>),
    /// The reply to this command was read as this one.
    AnotherReply(CommandId),
    /// The whole reply was read with the layout of this firmware, which is not that of the device.
    OtherLayout(Firmware),
    /// A configuration was read with the layout of this signature, but the device has that of another one.
    OtherConfig {
        /// The signature of the layout that the client used.
        used: u32,
        /// The signature that the device sent.
        right: u32,
    },
    /// The reply to a selective request was read as if its mask chose all fields.
    IgnoredMask,
    /// Read this many bytes after the right place; before it, if negative.
    Shifted(i32),
}

impl Mistake {
    /// The name of the mistake in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotANumber(_) => "not-a-number",
            Self::Type(_) => "type",
            Self::TurnedSign => "turned-sign",
            Self::Unsigned => "unsigned",
            Self::Signed => "signed",
            Self::Scale(_) | Self::Divisor { .. } => "scale",
            Self::Unit { .. } => "unit",
            Self::PolePairs(_) => "pole-pairs",
            Self::FloatForInteger => "float-for-integer",
            Self::IntegerForFloat => "integer-for-float",
            Self::LittleEndian => "little-endian",
            Self::ByteOf255 => "byte-of-255",
            Self::EmptyList => "empty-list",
            Self::Dropped { .. } => "dropped",
            Self::Capped(_) => "capped",
            Self::Padded(_) => "padded",
            Self::MaskOf32 => "mask-of-32",
            Self::Rounded(_) => "rounded",
            Self::MinorVersion => "minor-version",
            Self::OtherField(_) => "other-field",
            Self::Stale(_) => "stale",
            Self::OtherDevice(_) => "other-device",
            Self::AnotherReply(_) => "another-reply",
            Self::OtherLayout(_) => "other-layout",
            Self::OtherConfig { .. } => "another-firmwares-layout",
            Self::IgnoredMask => "ignored-mask",
            Self::Shifted(_) => "shifted",
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NotANumber(word) => {
                write!(f, "the client printed {word}, which is not a number")
            }
            Self::Type(wanted) => write!(f, "wrong type: this must be {wanted}"),
            Self::TurnedSign => f.write_str("the sign is turned: plus stands for minus"),
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
            Self::Divisor { used, right } => {
                let (way, factor) = if used < right {
                    ("large", right / used.max(1))
                } else {
                    ("small", used / right.max(1))
                };
                write!(
                    f,
                    "{factor} times too {way}: divide the raw number by {right}"
                )?;
                match used {
                    1 => Ok(()),
                    _ => write!(f, ", not by {used}"),
                }
            }
            Self::Unit { shown, right } => write!(f, "given in {shown}: the field is in {right}"),
            Self::PolePairs(pairs) => write!(
                f,
                "given in mechanical revolutions: divided by {pairs} pole pairs, but the field is the electrical speed"
            ),
            Self::FloatForInteger => {
                f.write_str("read as an IEEE float: the field is a scaled integer")
            }
            Self::IntegerForFloat => f.write_str("read as an integer: the field is a packed float"),
            Self::LittleEndian => {
                f.write_str("read with its bytes in the wrong order: the field is big endian")
            }
            Self::ByteOf255 => f.write_str("one byte of 255 read for a scaled integer"),
            Self::EmptyList => f.write_str("the list is empty, but the device sent elements"),
            Self::Dropped { rule, count, first } => {
                let elements = if count == 1 {
                    "element is"
                } else {
                    "elements are"
                };
                write!(
                    f,
                    "{count} {elements} missing, the first is [{first}]: {rule}"
                )
            }
            Self::Capped(count) => write!(f, "the list ends too early, at {count}"),
            Self::Padded(count) => write!(f, "the list is too long: it was filled up to {count}"),
            Self::MaskOf32 => f.write_str("only 32 flags are kept, but the device sent more"),
            Self::Rounded(decimals) => {
                let places = if decimals == 1 { "place" } else { "places" };
                write!(f, "rounded to {decimals} decimal {places}")
            }
            Self::MinorVersion => f.write_str("the minor version has two digits: 6.05 is not 6.5"),
            Self::OtherField(field) => write!(f, "this is the value of {field}"),
            Self::Stale(number) => {
                write!(f, "stale: this is the value of the earlier reply {number}")
            }
            Self::OtherDevice(Some(can_id)) => {
                write!(f, "this is the value of another device: CAN id {can_id}")
            }
            Self::OtherDevice(None) => f.write_str(
                "this is the value of another device: the one that is asked without FORWARD_CAN",
            ),
            Self::AnotherReply(command) => write!(f, "read from the reply to {command}"),
            Self::OtherLayout(firmware) => {
                write!(f, "read with the layout of firmware {firmware}")
            }
            Self::OtherConfig { used, right } => write!(
                f,
                "read with the layout of {}, but the device has that of {}",
                config_layout::called(used),
                config_layout::called(right)
            ),
            Self::IgnoredMask => f.write_str("read as if the mask chose all fields"),
            Self::Shifted(by) => {
                let way = if by > 0 { "after" } else { "before" };
                let count = by.unsigned_abs();
                let bytes = if count == 1 { "byte" } else { "bytes" };
                write!(f, "read {count} {bytes} {way} the right place")
            }
        }
    }
}

/// Finds the mistake behind each wrong field of a reading, if a known mistake explains it. `before` holds all replies
/// that were delivered before the reading.
pub(super) fn name(
    fields: &mut [FieldUnderstood],
    reply: &Delivered<'_>,
    before: &[Delivered<'_>],
) {
    let layout = layouts::other_layout(fields, reply);
    let by_layout = |index: usize| {
        let explained = layout.as_ref()?;
        let (_, weight) = explained.fields.iter().find(|(at, _)| *at == index)?;
        Some(Hypothesis {
            mistake: explained.mistake,
            weight: *weight,
        })
    };
    let wrong: Vec<usize> = (0..fields.len())
        .filter(|&index| matches!(fields[index].judgement, Judgement::Wrong(_)))
        .collect();
    let explained: Vec<Vec<Hypothesis>> = wrong
        .iter()
        .map(|&index| {
            let mut all = hypotheses(&fields[index], reply, before);
            all.extend(by_layout(index));
            all
        })
        .collect();
    let evidence = |mistake: Mistake| -> u32 {
        let all = explained.iter().flatten();
        let same = all.filter(|one| one.mistake == mistake);
        same.map(|one| one.weight).sum()
    };
    for (&index, candidates) in wrong.iter().zip(&explained) {
        let mut best: Option<(u32, Mistake)> = None;
        for one in candidates {
            let total = evidence(one.mistake);
            let holds = total >= evidence::needed(one.mistake);
            // If several explain as much, the first: the most common mistakes come first.
            if holds && best.is_none_or(|(most, _)| total > most) {
                best = Some((total, one.mistake));
            }
        }
        let field = &mut fields[index];
        let mistake = best.map(|(_, mistake)| unit::precise(mistake, &field.field, reply));
        field.judgement = Judgement::Wrong(mistake);
    }
    for (index, field) in fields.iter_mut().enumerate() {
        if matches!(field.judgement, Judgement::Invented(_)) {
            field.judgement = Judgement::Invented(by_layout(index).map(|one| one.mistake));
        }
    }
}

/// All mistakes that explain a field's value, the most common first.
fn hypotheses(
    field: &FieldUnderstood,
    reply: &Delivered<'_>,
    before: &[Delivered<'_>],
) -> Vec<Hypothesis> {
    let (Some(truth), Some(given)) = (&field.truth, &field.decoded) else {
        return Vec::new();
    };
    let mut found: Vec<Mistake> = Vec::new();
    own::wrong_type(truth, given, &mut found);
    let values = own::numbers(given).filter(|_| found.is_empty());
    let case = own::Case {
        slots: reply.slots(&field.field),
        payload: reply.payload,
        values: values.as_deref().unwrap_or_default(),
    };
    if values.is_some() {
        case.bytes(&mut found);
        unit::converted(&field.field, &case, &mut found);
        case.rare_bytes(&mut found);
        if matches!(truth, view::Value::List(_)) {
            list::lengths(&case, &mut found);
        }
        case.rounded(&mut found);
    } else {
        case.float_that_is_none(given, &mut found);
    }
    own::minor_version(field, &mut found);
    elsewhere::other_field(field, given, reply, &mut found);
    elsewhere::other_reply(field, given, reply, before, &mut found);
    if values.is_some() {
        elsewhere::another_reply(&field.field, &case, reply.command, before, &mut found);
        elsewhere::shifted(&case, &mut found);
    }
    let weigh = |mistake| Hypothesis {
        weight: evidence::weight(mistake, truth, given),
        mistake,
    };
    found.into_iter().map(weigh).collect()
}

#[cfg(test)]
mod tests;
