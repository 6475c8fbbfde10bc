//! Durations as a scenario writes them: `150ms`, `2.6s`. Exact to the nanosecond, never through a float.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

/// A span of time in nanoseconds, written as a number and a unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(pub u64);

impl Duration {
    /// So many milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// The same span in the standard library's type.
    #[must_use]
    pub const fn get(self) -> std::time::Duration {
        std::time::Duration::from_nanos(self.0)
    }
}

/// From the smallest to the largest, so that a reader of the list sees an order.
const UNITS: [(&str, u64); 6] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Why a text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoDuration {
    /// It is below 0.
    #[error("a duration cannot be negative, and `{0}` is")]
    Negative(String),
    /// It does not begin with a number.
    #[error("`{0}` is not a duration, write a number and a unit, e.g. 150ms or 2.6s")]
    NoNumber(String),
    /// It is only a number.
    #[error("a duration needs a unit, e.g. 150ms or 2.6s")]
    NoUnit,
    /// There is a blank before the unit.
    #[error("`{text}` has a space in it, write `{right}`")]
    Space {
        /// What was written.
        text: String,
        /// The same without the blank.
        right: String,
    },
    /// The unit is none.
    #[error("unknown unit `{unit}` in `{text}`, expected ns, us, ms, s, m or h")]
    UnknownUnit {
        /// What was written.
        text: String,
        /// What stands in the unit's place.
        unit: String,
    },
    /// It does not fit 64 bits of nanoseconds.
    #[error("`{0}` is too long, the longest is {longest}", longest = Duration(u64::MAX))]
    TooLong(String),
    /// It has more decimals than a nanosecond.
    #[error("`{0}` is finer than a nanosecond")]
    TooFine(String),
}

/// More decimals than this cannot come out at whole nanoseconds, whatever the unit.
const MAX_DECIMALS: usize = 18;

/// Reads a duration such as `150ms`, `2.6s` or `1m` into nanoseconds.
///
/// # Errors
/// If it is not a duration.
pub fn parse_duration(text: &str) -> Result<u64, NoDuration> {
    if let Some(rest) = text.strip_prefix('-')
        && rest.starts_with(|c: char| c.is_ascii_digit() || c == '.')
    {
        return Err(NoDuration::Negative(text.to_owned()));
    }
    let split = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || decimals.is_empty() || decimals.contains('.') {
        return Err(NoDuration::NoNumber(text.to_owned()));
    }
    if unit.is_empty() {
        return Err(NoDuration::NoUnit);
    }
    if unit.starts_with(' ') && UNITS.iter().any(|(name, _)| *name == unit.trim()) {
        return Err(NoDuration::Space {
            text: text.to_owned(),
            right: format!("{number}{}", unit.trim()),
        });
    }
    let Some((_, scale)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        return Err(NoDuration::UnknownUnit {
            text: text.to_owned(),
            unit: unit.to_owned(),
        });
    };
    let too_long = || NoDuration::TooLong(text.to_owned());
    let whole: u64 = whole.parse().map_err(|_| too_long())?;
    let whole = whole.checked_mul(*scale).ok_or_else(too_long)?;
    let part = fraction(decimals, *scale).ok_or_else(|| NoDuration::TooFine(text.to_owned()))?;
    whole.checked_add(part).ok_or_else(too_long)
}

/// The decimals of a number as a count of nanoseconds, if that is a whole number.
fn fraction(decimals: &str, scale: u64) -> Option<u64> {
    let decimals = decimals.trim_end_matches('0');
    if decimals.is_empty() {
        return Some(0);
    }
    if decimals.len() > MAX_DECIMALS {
        return None;
    }
    let digits: u128 = decimals.parse().ok()?;
    let parts = 10_u128.pow(u32::try_from(decimals.len()).ok()?);
    let scaled = digits * u128::from(scale);
    if !scaled.is_multiple_of(parts) {
        return None;
    }
    u64::try_from(scaled / parts).ok()
}

/// Whole hours and minutes, else seconds, ms, us or ns with as many decimals as are needed.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(unit, scale): &&(&str, u64)| match *unit {
            "h" | "m" => self.0.is_multiple_of(*scale),
            _ => self.0 >= *scale,
        };
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let (unit, scale) = UNITS.iter().rev().find(fits).unwrap_or(&UNITS[0]);
        write!(f, "{}", self.0 / scale)?;
        let rest = self.0 % scale;
        if rest != 0 {
            let width = scale.ilog10() as usize;
            let decimals = format!("{rest:0width$}");
            write!(f, ".{}", decimals.trim_end_matches('0'))?;
        }
        f.write_str(unit)
    }
}

impl From<Duration> for std::time::Duration {
    fn from(duration: Duration) -> Self {
        Self::from_nanos(duration.0)
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DurationVisitor)
    }
}

struct DurationVisitor;

impl Visitor<'_> for DurationVisitor {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration such as `150ms`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
        parse_duration(text).map(Duration).map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Duration, E> {
        Err(E::custom(NoDuration::NoUnit))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Duration, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Duration, E> {
        Err(E::custom(NoDuration::NoUnit))
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Duration {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A span of time: a number and a unit, ns, us, ms, s, m or h.",
            "type": "string",
            "pattern": r"^[0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h)$",
            "examples": ["250ms", "2.6s", "5m"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, parse_duration};

    const NO_UNIT: &str = "a duration needs a unit, e.g. 150ms or 2.6s";

    #[test]
    fn every_unit_counts_nanoseconds() {
        let cases = [
            ("7ns", 7),
            ("250us", 250_000),
            ("150ms", 150_000_000),
            ("2.6s", 2_600_000_000),
            ("0s", 0),
            ("1m", 60_000_000_000),
            ("1.5h", 5_400_000_000_000),
            ("0.1m", 6_000_000_000),
            ("1.000000001s", 1_000_000_001),
            ("1.50000000000000000000000000s", 1_500_000_000),
            ("00.25us", 250),
            ("18446744073709551615ns", u64::MAX),
        ];
        for (text, nanoseconds) in cases {
            assert_eq!(parse_duration(text), Ok(nanoseconds), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_duration_says_why() {
        let cases = [
            ("250", NO_UNIT),
            ("0", NO_UNIT),
            ("2.6", NO_UNIT),
            (
                "",
                "`` is not a duration, write a number and a unit, e.g. 150ms or 2.6s",
            ),
            (
                "soon",
                "`soon` is not a duration, write a number and a unit, e.g. 150ms or 2.6s",
            ),
            (
                ".5s",
                "`.5s` is not a duration, write a number and a unit, e.g. 150ms or 2.6s",
            ),
            (
                "5.s",
                "`5.s` is not a duration, write a number and a unit, e.g. 150ms or 2.6s",
            ),
            (
                "1.2.3s",
                "`1.2.3s` is not a duration, write a number and a unit, e.g. 150ms or 2.6s",
            ),
            (
                "+5s",
                "`+5s` is not a duration, write a number and a unit, e.g. 150ms or 2.6s",
            ),
            ("-5s", "a duration cannot be negative, and `-5s` is"),
            ("5 s", "`5 s` has a space in it, write `5s`"),
            (
                "5sec",
                "unknown unit `sec` in `5sec`, expected ns, us, ms, s, m or h",
            ),
            (
                "1e3s",
                "unknown unit `e3s` in `1e3s`, expected ns, us, ms, s, m or h",
            ),
            (
                "5S",
                "unknown unit `S` in `5S`, expected ns, us, ms, s, m or h",
            ),
            ("0.5ns", "`0.5ns` is finer than a nanosecond"),
            (
                "0.0000000001s",
                "`0.0000000001s` is finer than a nanosecond",
            ),
            (
                "0.0000000000000000000000000000000000000000001h",
                "`0.0000000000000000000000000000000000000000001h` is finer than a nanosecond",
            ),
            (
                "18446744073709551616ns",
                "`18446744073709551616ns` is too long, the longest is 18446744073.709551615s",
            ),
            (
                "5124096h",
                "`5124096h` is too long, the longest is 18446744073.709551615s",
            ),
            (
                "18446744073.709551616s",
                "`18446744073.709551616s` is too long, the longest is 18446744073.709551615s",
            ),
        ];
        for (text, why) in cases {
            let error = parse_duration(text).unwrap_err();
            assert_eq!(error.to_string(), why, "{text}");
        }
    }

    #[test]
    fn a_duration_is_written_the_short_way() {
        let cases = [
            (0, "0s"),
            (1, "1ns"),
            (1_500, "1.5us"),
            (250_000_000, "250ms"),
            (2_600_000_000, "2.6s"),
            (90_000_000_000, "90s"),
            (120_000_000_000, "2m"),
            (3_600_000_000_000, "1h"),
            (1_000_000_001, "1.000000001s"),
            (u64::MAX, "18446744073.709551615s"),
        ];
        for (nanoseconds, text) in cases {
            assert_eq!(Duration(nanoseconds).to_string(), text);
        }
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        let mut nanoseconds: u64 = 1;
        for step in 0..5_000_u64 {
            nanoseconds = nanoseconds
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(step);
            for shift in [0, 20, 40, 60] {
                let duration = Duration(nanoseconds >> shift);
                assert_eq!(parse_duration(&duration.to_string()), Ok(duration.0));
            }
        }
    }

    #[test]
    fn json_numbers_are_refused_like_yaml_ones() {
        let refused = |json: &str| match serde_json::from_str::<Duration>(json) {
            Ok(duration) => panic!("{json} was read as {duration}"),
            Err(error) => error.to_string(),
        };
        assert!(refused("250").starts_with(NO_UNIT));
        assert!(refused("2.5").starts_with(NO_UNIT));
        assert!(refused("-3").starts_with("a duration cannot be negative, and `-3` is"));
        assert_eq!(
            serde_json::to_string(&Duration(1_500_000)).ok().as_deref(),
            Some("\"1.5ms\"")
        );
    }
}
