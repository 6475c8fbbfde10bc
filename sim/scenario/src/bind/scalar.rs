//! What a scalar without quotes stands for: YAML's core schema, decided once.
//!
//! | written | stands for |
//! | --- | --- |
//! | nothing at all, `~`, `null`, `Null`, `NULL` | nothing |
//! | `true`, `True`, `TRUE`, and `false` likewise | a flag |
//! | `12`, `-12`, `+12`, `0x1f`, `0o17`, `0b101` | a whole number |
//! | `1.5`, `.5`, `1e3`, `.inf`, `-.inf`, `.nan` | a number |
//! | anything else, also `020`, `yes`, `1_000` | text |
//!
//! With quotes, everything is text.

/// What a scalar stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scalar<'a> {
    Nothing,
    Flag(bool),
    Whole(i128),
    Number(f64),
    Text(&'a str),
}

impl<'a> Scalar<'a> {
    pub(super) fn of(text: &'a str, plain: bool) -> Self {
        match text {
            _ if !plain => Self::Text(text),
            "" => Self::Nothing,
            _ if is_null(text) => Self::Nothing,
            "true" | "True" | "TRUE" => Self::Flag(true),
            "false" | "False" | "FALSE" => Self::Flag(false),
            _ if has_leading_zero(text) => Self::Text(text),
            _ => match (whole(text), number(text)) {
                (Some(whole), _) => Self::Whole(whole),
                (None, Some(number)) => Self::Number(number),
                (None, None) => Self::Text(text),
            },
        }
    }
}

/// The words for nothing.
pub(super) fn is_null(text: &str) -> bool {
    matches!(text, "~" | "null" | "Null" | "NULL")
}

fn whole(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (digits, radix) = [("0x", 16), ("0o", 8), ("0b", 2)]
        .iter()
        .find_map(|&(prefix, radix)| Some((digits.strip_prefix(prefix)?, radix)))
        .unwrap_or((digits, 10));
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let value = i128::from_str_radix(digits, radix).ok()?;
    Some(if negative { -value } else { value })
}

/// A number where one is wanted; there, `020` is 20.
pub(super) fn number(text: &str) -> Option<f64> {
    match text.strip_prefix('+').unwrap_or(text) {
        ".inf" | ".Inf" | ".INF" => Some(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Some(f64::NEG_INFINITY),
        ".nan" | ".NaN" | ".NAN" => Some(f64::NAN),
        unsigned if unsigned.len() < text.len() && unsigned.starts_with(['+', '-']) => None,
        unsigned => unsigned
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite()),
    }
}

/// YAML 1.2 calls digits behind a 0 a text.
fn has_leading_zero(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{Scalar, number};

    /// serde_yaml reads the other YAML of this project, so both have to agree.
    #[test]
    fn scalars_stand_for_the_same_as_in_serde_yaml() {
        for text in [
            "~", "null", "Null", "NULL", "nULL", "true", "True", "TRUE", "tRUE", "yes", "on", "0",
            "-0", "12", "+12", "-12", "+-1", "-+1", "++1", "0x1f", "-0x1f", "+0x1F", "0x", "0x+1",
            "0o17", "0b101", "0b2", "020", "-020", "00", "0.5", "00.5", ".5", "5.", "-.5", "1e3",
            "1E-3", "1e999", ".inf", "-.inf", "+.inf", ".nan", "nan", "inf", "1_000", "6.05", "a",
            "é", "0x1g",
        ] {
            let seen: serde_yaml::Value = serde_yaml::from_str(text).unwrap();
            let here = match Scalar::of(text, true) {
                Scalar::Nothing => serde_yaml::Value::Null,
                Scalar::Flag(flag) => flag.into(),
                Scalar::Whole(whole) => match (u64::try_from(whole), i64::try_from(whole)) {
                    (Ok(whole), _) => whole.into(),
                    (_, Ok(whole)) => whole.into(),
                    _ => panic!("{whole} fits no value of serde_yaml"),
                },
                Scalar::Number(number) => number.into(),
                Scalar::Text(text) => text.into(),
            };
            assert_eq!(format!("{here:?}"), format!("{seen:?}"), "{text}");
        }
        assert_eq!(Scalar::of("12", false), Scalar::Text("12"));
        assert_eq!(number("020"), Some(20.0));
    }
}
