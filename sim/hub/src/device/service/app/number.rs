//! How an app writes a number: as an integer that counts parts of a unit, or as a float.

use std::{fmt, str::FromStr};

use serde::{
    Deserialize,
    de::{self, Deserializer},
};
use veschub_wire::number::Float;

/// The largest value of a half float, which has neither infinities nor NaN.
const MAX_HALF: f64 = 131_008.0;

/// How a number is written, big endian: `u8`, `i16`, `f16x10`, `f32a`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NumberForm {
    base: Base,
    /// How many counts make a unit.
    counts: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Base {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    Float,
    Half,
}

/// Names of integers, which may count units, or parts of them behind an `x`.
const INTEGERS: [(&str, Base); 6] = [
    ("u8", Base::U8),
    ("i8", Base::I8),
    ("u16", Base::U16),
    ("i16", Base::I16),
    ("u32", Base::U32),
    ("i32", Base::I32),
];
/// The firmware's names of integers that count parts of a unit, which must say how many.
const SCALED: [(&str, Base); 2] = [("f16", Base::I16), ("f32", Base::I32)];
/// The firmware's packed floats.
const FLOATS: [(&str, Base); 2] = [("f32a", Base::Float), ("f16a", Base::Half)];

/// No way to write a number is called so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}\nhelp: write u8, i8, u16, i16, u32 or i32, with the counts of a unit behind an x if it is not 1, e.g. \
         `f16x10` or `u8x50`; or a float: f32a, or f16a for a half one", self.why())]
pub struct NoNumberForm {
    text: String,
    lacks_counts: bool,
}

impl NoNumberForm {
    fn why(&self) -> String {
        let text = &self.text;
        match self.lacks_counts {
            true => format!("`{text}` does not say how many counts make a unit, e.g. `{text}x10`"),
            false => format!("`{text}` is no way to write a number"),
        }
    }
}

impl FromStr for NumberForm {
    type Err = NoNumberForm;

    fn from_str(text: &str) -> Result<Self, NoNumberForm> {
        let refused = |lacks_counts| NoNumberForm {
            text: text.to_owned(),
            lacks_counts,
        };
        let find = |list: &[(&str, Base)], name: &str| {
            let found = list.iter().find(|(known, _)| *known == name);
            found.map(|(_, base)| *base)
        };
        let (name, counts) = match text.split_once('x') {
            None => (text, None),
            Some((name, counts)) => {
                let counts: f64 = counts.parse().map_err(|_| refused(false))?;
                if !counts.is_finite() || counts <= 0.0 {
                    return Err(refused(false));
                }
                (name, Some(counts))
            }
        };
        let form = |base, counts| Ok(Self { base, counts });
        match (find(&INTEGERS, name), find(&SCALED, name), counts) {
            (Some(base), ..) => form(base, counts.unwrap_or(1.0)),
            (None, Some(base), Some(counts)) => form(base, counts),
            (None, Some(_), None) => Err(refused(true)),
            (None, None, None) => match find(&FLOATS, name) {
                Some(base) => form(base, 1.0),
                None => Err(refused(false)),
            },
            (None, None, Some(_)) => Err(refused(false)),
        }
    }
}

impl NumberForm {
    /// Writes a number as firmware does: multiplied in single precision, the fraction cut off. What does not fit stops at
    /// the end of the range.
    pub(super) fn write(self, value: f64, out: &mut Vec<u8>) {
        let counts = f64::from(value as f32 * self.counts as f32);
        match self.base {
            Base::U8 => out.push(counts as u8),
            Base::I8 => out.push((counts as i8).cast_unsigned()),
            Base::U16 => out.extend((counts as u16).to_be_bytes()),
            Base::I16 => out.extend((counts as i16).to_be_bytes()),
            Base::U32 => out.extend((counts as u32).to_be_bytes()),
            Base::I32 => out.extend((counts as i32).to_be_bytes()),
            Base::Float => out.extend(Float::packed(value).bits().to_be_bytes()),
            Base::Half => out.extend(half(value).to_be_bytes()),
        }
    }
}

/// A half float as Refloat writes it: 1 bit for the sign, 5 for the exponent and 10 for the fraction. The highest
/// exponent stands for numbers too, so that there are neither infinities nor NaN.
pub(super) fn half(value: f64) -> u16 {
    let single = value as f32;
    if single.is_nan() {
        return 0;
    }
    let sign = u16::from(single.is_sign_negative()) << 15;
    let magnitude = f64::from(single.abs()).min(MAX_HALF);
    // Below the lowest exponent, the distance from one number to the next stays the same.
    let exponent = ((single.abs().to_bits() >> 23) as i32 - 127).clamp(-14, 16);
    let counts = (magnitude / 2_f64.powi(exponent - 10) + 0.5).floor() as i32;
    // A fraction that was rounded up to the next exponent carries into it.
    sign | (((exponent + 14) << 10) + counts).min(0x7FFF) as u16
}

impl<'de> Deserialize<'de> for NumberForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

impl fmt::Display for NumberForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = INTEGERS.iter().chain(&FLOATS);
        let name = all
            .filter(|(_, base)| *base == self.base)
            .map(|(name, _)| *name)
            .next();
        f.write_str(name.unwrap_or_default())?;
        if self.counts != 1.0 {
            write!(f, "x{}", self.counts)?;
        }
        Ok(())
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for NumberForm {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "NumberForm".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "How a number is written: an integer, with the counts of a unit behind an x, or a float.",
            "type": "string",
            "pattern": r"^(([ui](8|16|32)(x[0-9.e]+)?)|(f(16|32)x[0-9.e]+)|f32a|f16a)$",
            "examples": ["i16", "f16x10", "u8x50", "f32a"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(form: &str, value: f64) -> Vec<u8> {
        let mut out = Vec::new();
        form.parse::<NumberForm>().unwrap().write(value, &mut out);
        out
    }

    #[test]
    fn each_form_writes_its_bytes_cut_off_and_within_its_range() {
        for (form, value, bytes) in [
            ("u8", 3.9, &[3][..]),
            ("u8x50", 1.65, &[82]),
            ("u8", -1.0, &[0]),
            ("i8", -2.0, &[0xFE]),
            ("u16", 70_000.0, &[0xFF, 0xFF]),
            ("i16", -1200.0, &[0xFB, 0x50]),
            ("f16x10", 50.49, &[1, 0xF8]),
            ("f32x1000", -1.5, &[0xFF, 0xFF, 0xFA, 0x24]),
            ("f32x1e2", 1.5, &[0, 0, 0, 150]),
            ("u32", 4_294_967_040.0, &[0xFF, 0xFF, 0xFF, 0]),
            ("f32a", 1.5, &[0x3F, 0xC0, 0, 0]),
            ("f16a", 1.5, &[0x3E, 0]),
        ] {
            assert_eq!(written(form, value), bytes, "{form} {value}");
        }
    }

    #[test]
    fn half_floats_round_go_below_the_lowest_exponent_and_stop_at_the_largest() {
        for (value, bits) in [
            (0.0, 0),
            (-0.5, 0xB800),
            (1.0, 0x3C00),
            (2047.4 / 1024.0, 0x3FFF),
            (2047.5 / 1024.0, 0x4000),
            (6.103_515_625e-5, 0x0400),
            (5.960_464_477_539_063e-8, 1),
            (1e-9, 0),
            (65_536.0, 0x7C00),
            (131_008.0, 0x7FFF),
            (1e9, 0x7FFF),
            (f64::NEG_INFINITY, 0xFFFF),
            (f64::NAN, 0),
        ] {
            assert_eq!(half(value), bits, "{value}");
        }
    }

    #[test]
    fn what_is_no_form_is_refused_with_the_reason() {
        let refused = |text: &str| text.parse::<NumberForm>().unwrap_err().to_string();
        for text in [
            "u64", "f16ax10", "u8x", "u8x0", "u8x-1", "i16xten", "", "f32ax2",
        ] {
            assert!(
                refused(text).contains("is no way to write a number"),
                "{text}"
            );
        }
        assert!(refused("f16").starts_with("`f16` does not say how many counts"));
        for text in ["i16x10", "u8", "f32a"] {
            assert_eq!(text.parse::<NumberForm>().unwrap().to_string(), text);
        }
    }
}
