//! A request or a reply as named fields, for people, for JSON and for comparison.
//!
//! Names are snake_case and end in their unit (`total_voltage_v`, `temperatures_c`). What was not reported is
//! not listed. Secrets are listed as [`Value::Masked`]: a view can be printed anywhere.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use crate::number::{Double, F64, Float, Raw, Scaled, Text};

/// The value of a field.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A flag.
    Bool(bool),
    /// A whole number without a scale: an id, a count, a mask.
    Int(i64),
    /// A physical value, in the unit that the field's name ends in.
    Number(f64),
    /// Text.
    Text(String),
    /// Bytes without a known meaning, shown in hex.
    Bytes(Vec<u8>),
    /// Several values of one kind.
    List(Vec<Self>),
    /// Fields within a field.
    Fields(Fields),
    /// Fields within a field, under names that are not this crate's.
    Named(Vec<(String, Self)>),
    /// Something secret that was there.
    Masked,
}

/// Named values, in the order of the wire.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields(Vec<(&'static str, Value)>);

impl Fields {
    /// No fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field.
    pub fn push(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.push((name, value.into()));
    }

    /// Adds a field that may be absent.
    pub fn push_some<T: Into<Value>>(&mut self, name: &'static str, value: Option<T>) {
        if let Some(value) = value {
            self.push(name, value);
        }
    }

    /// The value of a field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.iter()
            .find_map(|(field, value)| (field == name).then_some(value))
    }

    /// The fields in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    /// Whether there are no fields.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Things that can be told as named fields.
pub trait View {
    /// The fields in the order of the wire.
    fn fields(&self) -> Fields;

    /// Whether bytes of unknown meaning next to these fields may hold something secret.
    fn is_about_secrets(&self) -> bool {
        false
    }
}

macro_rules! int_values {
    ($($int:ty),*) => {$(
        impl From<$int> for Value {
            fn from(value: $int) -> Self {
                Self::Int(value.into())
            }
        }
    )*};
}
int_values!(u8, i8, u16, i16, u32, i32, i64);

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<Text> for Value {
    fn from(value: Text) -> Self {
        Self::Text(value.to_string())
    }
}

impl From<Fields> for Value {
    fn from(value: Fields) -> Self {
        Self::Fields(value)
    }
}

impl<R: Raw, const PER_UNIT: u32, const UNITS: u32> From<Scaled<R, PER_UNIT, UNITS>> for Value {
    fn from(value: Scaled<R, PER_UNIT, UNITS>) -> Self {
        Self::Number(value.value())
    }
}

impl<const PER_UNIT: u64> From<F64<PER_UNIT>> for Value {
    fn from(value: F64<PER_UNIT>) -> Self {
        Self::Number(value.value())
    }
}

impl From<Float> for Value {
    fn from(value: Float) -> Self {
        // The shortest decimal that names the single: 83.774, not 83.77400207519531.
        let shortest = value.to_string();
        Self::Number(shortest.parse().unwrap_or_else(|_| value.value()))
    }
}

impl From<Double> for Value {
    fn from(value: Double) -> Self {
        Self::Number(value.value())
    }
}

impl<T: Into<Self>> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Self>, const N: usize> From<[T; N]> for Value {
    fn from(values: [T; N]) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Number(value) => value.fmt(f),
            Self::Text(value) => write!(f, "{value:?}"),
            Self::Bytes(bytes) => f.write_str(&hex(bytes)),
            Self::List(values) => {
                f.write_str("[")?;
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        f.write_str(" ")?;
                    }
                    value.fmt(f)?;
                }
                f.write_str("]")
            }
            Self::Fields(fields) => write!(f, "{{{fields}}}"),
            Self::Named(named) => {
                f.write_str("{")?;
                for (index, (name, value)) in named.iter().enumerate() {
                    let blank = if index > 0 { " " } else { "" };
                    write!(f, "{blank}{name}={value}")?;
                }
                f.write_str("}")
            }
            Self::Masked => f.write_str("***"),
        }
    }
}

impl fmt::Display for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{name}={value}")?;
        }
        Ok(())
    }
}

/// Bytes as lower-case hex without separators.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS[usize::from(nibble & 0xF)];
    let mut digits = Vec::with_capacity(2 * bytes.len());
    for &byte in bytes {
        digits.extend_from_slice(&[digit(byte >> 4), digit(byte)]);
    }
    // Digits are text.
    String::from_utf8(digits).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inside_of_a_value_is_told_one_by_one() {
        let list = Value::List(vec![Value::Int(1), Value::Int(2), Value::Int(3)]);
        assert_eq!(list.to_string(), "[1 2 3]");
        let named = [("a", 1), ("b", 2)].map(|(name, value)| (name.into(), Value::Int(value)));
        assert_eq!(Value::Named(named.into()).to_string(), "{a=1 b=2}");
    }
}
