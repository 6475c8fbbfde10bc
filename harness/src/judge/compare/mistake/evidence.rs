//! How much it tells that a mistake explains a value.

use serde_json::Value as Json;
use veschub_wire::view::Value;

use super::Mistake;

/// The most that one field tells.
const MOST: u32 = 5;

/// A mistake that explains the wrong value of a field.
pub(super) struct Hypothesis {
    pub(super) mistake: Mistake,
    /// How much this match tells; 0 if it may be chance.
    pub(super) weight: u32,
}

/// How much a mistake must explain before it is named.
pub(super) fn needed(mistake: Mistake) -> u32 {
    match mistake {
        Mistake::Type(_) | Mistake::NotANumber(_) => 0,
        // Many bytes and many factors are tried, so one of them may fit a short number by chance.
        Mistake::Shifted(_)
        | Mistake::OtherLayout(_)
        | Mistake::IgnoredMask
        | Mistake::Stale(_)
        | Mistake::OtherDevice(_)
        | Mistake::AnotherReply(_)
        | Mistake::OtherField(_)
        | Mistake::PolePairs(_)
        | Mistake::Unit { .. }
        | Mistake::ByteOf255 => 2,
        _ => 1,
    }
}

/// How much it tells that a mistake turns this truth into this value.
pub(super) fn weight(mistake: Mistake, truth: &Value, given: &Json) -> u32 {
    match mistake {
        // The form of the value says it all.
        Mistake::Type(_)
        | Mistake::NotANumber(_)
        | Mistake::EmptyList
        | Mistake::Dropped { .. }
        | Mistake::Capped(_)
        | Mistake::Padded(_)
        | Mistake::MaskOf32
        | Mistake::MinorVersion => 2,
        // A decimal place that is printed is a digit that fits.
        Mistake::Rounded(decimals) => given_digits(given) + u32::from(decimals > 0),
        // A float that is no number says nothing more than that its bits are many ones.
        Mistake::FloatForInteger if !given.is_number() && !given.is_array() => 1,
        Mistake::TurnedSign
        | Mistake::Unsigned
        | Mistake::Signed
        | Mistake::Scale(_)
        | Mistake::FloatForInteger
        | Mistake::IntegerForFloat
        | Mistake::LittleEndian => match given_digits(given) {
            0 if is_nothing(given) => 0,
            digits => digits.max(true_digits(truth)),
        },
        _ => given_digits(given),
    }
    .min(MOST)
}

/// The digits of the client's value that cannot be chance: all but the first. A flag is worth nothing, a text as much as
/// it is long.
pub(super) fn given_digits(given: &Json) -> u32 {
    match given {
        Json::Number(number) => number.as_f64().map_or(0, digits),
        Json::String(text) => text.chars().skip(1).map(|_| 1).sum(),
        Json::Array(items) if items.iter().all(Json::is_boolean) => flags(items),
        Json::Array(items) => items.iter().map(given_digits).sum(),
        _ => 0,
    }
}

/// Some flags of which a few are set tell something.
fn flags(items: &[Json]) -> u32 {
    let set = items
        .iter()
        .filter(|item| **item == Json::Bool(true))
        .count();
    u32::from(set > 0 && set < items.len() && items.len() >= 8) * 2
}

fn true_digits(truth: &Value) -> u32 {
    match truth {
        Value::Int(number) => digits(*number as f64),
        Value::Number(number) => digits(*number),
        Value::List(values) => values.iter().map(true_digits).sum(),
        _ => 0,
    }
}

/// Whether the value is 0, as so many bytes are.
fn is_nothing(given: &Json) -> bool {
    match given {
        Json::Number(number) => number.as_f64() == Some(0.0),
        Json::Array(items) => items.iter().all(is_nothing),
        _ => false,
    }
}

/// How many significant digits a number has beyond the first.
fn digits(number: f64) -> u32 {
    // The shortest form that reads back as the same number.
    let text = format!("{:e}", number.abs());
    let mantissa = text.split('e').next().unwrap_or_default();
    let digits = mantissa.chars().filter(char::is_ascii_digit).count();
    u32::try_from(digits.saturating_sub(1)).unwrap_or(MOST)
}
