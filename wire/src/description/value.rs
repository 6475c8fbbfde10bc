//! The values of a configuration: between packed bytes and names.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use super::{ConfigDescription, ConfigField, FieldForm};
use crate::{
    kind::Kind,
    number::{Float, Text},
    view::Value,
};

/// The value of a field, as it stands on the wire.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum FieldValue {
    /// A whole number, a choice, a flag or bits.
    Int(i64),
    /// The counts of a physical value.
    Counts(i32),
    /// A packed float.
    Float(Float),
    /// A text.
    Text(Text),
    /// What is not on the wire.
    Nothing,
}

/// How a physical value becomes counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// The fraction is cut off, in single precision: as firmware does.
    CutOff,
    /// To the nearest count: as VESC Tool does.
    Nearest,
}

/// Why bytes are no values, or a value does not fit its field.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// The bytes end before a field.
    #[error("`{field}` (field {number}) at offset {offset} needs {wanted} bytes, {have} are there")]
    Short {
        /// The field.
        field: String,
        /// Which field it is, counted from 1.
        number: usize,
        /// Where it starts, behind the signature.
        offset: usize,
        /// The bytes that it needs.
        wanted: usize,
        /// The bytes that are left.
        have: usize,
    },
    /// A text without its closing NUL.
    #[error("`{field}` at offset {offset} of the fields is not closed by a NUL")]
    Unterminated {
        /// The field.
        field: String,
        /// Where it starts, behind the signature.
        offset: usize,
    },
    /// No field has this name.
    #[error("the description has no field `{0}`")]
    Unknown(String),
    /// The field cannot be this.
    #[error("`{field}` is {got}, wanted {wanted}")]
    Wanted {
        /// The field.
        field: String,
        /// What was given.
        got: String,
        /// What it can be.
        wanted: String,
    },
}

/// Values of all fields of a description.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigValues<'d> {
    description: &'d ConfigDescription,
    values: Vec<FieldValue>,
    /// Bytes behind the last field.
    pub trailing: Vec<u8>,
}

impl<'d> ConfigValues<'d> {
    pub(super) fn defaults(description: &'d ConfigDescription) -> Self {
        let fields = description.fields.iter();
        Self {
            description,
            values: fields.map(|field| field.default.clone()).collect(),
            trailing: Vec::new(),
        }
    }

    pub(super) fn read(
        description: &'d ConfigDescription,
        data: &[u8],
    ) -> Result<Self, ValueError> {
        let mut rest = data;
        let mut values = Vec::with_capacity(description.fields.len());
        for (index, field) in description.fields.iter().enumerate() {
            let offset = data.len() - rest.len();
            let Some(size) = field.form.size() else {
                let mut parts = rest.splitn(2, |&byte| byte == 0);
                let (Some(text), Some(behind)) = (parts.next(), parts.next()) else {
                    let field = field.name.clone();
                    return Err(ValueError::Unterminated { field, offset });
                };
                values.push(FieldValue::Text(Text::from_bytes(text)));
                rest = behind;
                continue;
            };
            let Some((bytes, behind)) = rest.split_at_checked(size) else {
                return Err(ValueError::Short {
                    field: field.name.clone(),
                    number: index + 1,
                    offset,
                    wanted: size,
                    have: rest.len(),
                });
            };
            values.push(field.form.value(bytes));
            rest = behind;
        }
        Ok(Self {
            description,
            values,
            trailing: rest.to_vec(),
        })
    }

    /// The packed fields, without a signature before them.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (field, value) in self.description.fields.iter().zip(&self.values) {
            field.form.write(value, &mut out);
        }
        out.extend_from_slice(&self.trailing);
        out
    }

    /// What describes them.
    #[must_use]
    pub fn description(&self) -> &'d ConfigDescription {
        self.description
    }

    /// The fields and their values, in the order of the wire.
    pub fn iter(&self) -> impl Iterator<Item = (&'d ConfigField, &FieldValue)> {
        self.description.fields.iter().zip(&self.values)
    }

    /// The number that a field holds: the physical value of a scaled one.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<f64> {
        let place = self.description.place(name)?;
        number(self.description.fields.get(place)?, self.values.get(place)?)
    }

    /// Names and values, for people and for JSON: a choice as its text, where it has one.
    #[must_use]
    pub fn named(&self) -> Vec<(String, Value)> {
        self.iter()
            .filter_map(|(field, value)| Some((field.name.clone(), shown(field, value)?)))
            .collect()
    }

    /// The fields whose values VESC Tool would not let its user set. Firmware does not check that.
    pub fn beyond_limits(&self) -> impl Iterator<Item = &'d ConfigField> {
        self.iter().filter_map(|(field, value)| {
            let (least, most) = field.limits?;
            // A count is what can be told apart.
            let count = match field.form {
                FieldForm::Scaled16(counts) | FieldForm::Scaled32(counts) => 1.0 / counts.abs(),
                _ => least.abs().max(most.abs()) * 1e-6,
            };
            let within = |number: f64| (least - count..=most + count).contains(&number);
            let is_beyond = number(field, value).is_some_and(|number| !within(number));
            is_beyond.then_some(field)
        })
    }

    /// Sets a field. A number may be given to any field but text; a choice also takes its text, and a flag true and false.
    ///
    /// # Errors
    /// If there is no such field, or it cannot hold the value.
    pub fn set(&mut self, name: &str, value: &Value, rounding: Rounding) -> Result<(), ValueError> {
        let unknown = || ValueError::Unknown(name.to_owned());
        let place = self.description.place(name).ok_or_else(unknown)?;
        let field = self.description.fields.get(place).ok_or_else(unknown)?;
        let new = field
            .form
            .parse(field, value, rounding)
            .ok_or_else(|| ValueError::Wanted {
                field: name.to_owned(),
                got: format!("{value}"),
                wanted: wanted(field),
            })?;
        if let Some(old) = self.values.get_mut(place) {
            *old = new;
        }
        Ok(())
    }

    /// What firmware gives back of values that it was sent: it keeps singles, and cuts off the fraction when it writes them,
    /// so that some values come back one count smaller (`docs/protocol-motor.md`, section 5.4).
    pub fn as_firmware_returns(&mut self) {
        for (field, value) in self.description.fields.iter().zip(&mut self.values) {
            if let (
                FieldForm::Scaled16(counts) | FieldForm::Scaled32(counts),
                FieldValue::Counts(raw),
            ) = (field.form, value)
            {
                let kept = *raw as f32 / counts as f32;
                *raw = (kept * counts as f32) as i32;
            }
        }
    }
}

impl FieldForm {
    fn value(self, bytes: &[u8]) -> FieldValue {
        let unsigned = bytes
            .iter()
            .fold(0_u32, |sum, &byte| sum << 8 | u32::from(byte));
        let signed = |bits: u32| (unsigned << (32 - bits)).cast_signed() >> (32 - bits);
        match self {
            Self::Int(Kind::I8) => FieldValue::Int(signed(8).into()),
            Self::Int(Kind::I16) => FieldValue::Int(signed(16).into()),
            Self::Int(Kind::I32) => FieldValue::Int(signed(32).into()),
            Self::Int(_) | Self::Choice | Self::Flag | Self::Bits => {
                FieldValue::Int(unsigned.into())
            }
            Self::Scaled16(_) => FieldValue::Counts(signed(16)),
            Self::Scaled32(_) => FieldValue::Counts(signed(32)),
            Self::Float => FieldValue::Float(Float::from_bits(unsigned)),
            Self::Text | Self::Nothing => FieldValue::Nothing,
        }
    }

    fn write(self, value: &FieldValue, out: &mut Vec<u8>) {
        let raw = match value {
            FieldValue::Int(int) => *int as u32,
            FieldValue::Counts(counts) => counts.cast_unsigned(),
            FieldValue::Float(float) => float.bits(),
            FieldValue::Text(text) => {
                out.extend(
                    text.as_bytes()
                        .split(|&byte| byte == 0)
                        .next()
                        .unwrap_or_default(),
                );
                out.push(0);
                return;
            }
            FieldValue::Nothing => 0,
        };
        let size = self.size().unwrap_or_default().min(4);
        out.extend(&raw.to_be_bytes()[4 - size..]);
    }

    /// The value that a field can hold, if it can.
    pub(super) fn parse(
        self,
        field: &ConfigField,
        value: &Value,
        rounding: Rounding,
    ) -> Option<FieldValue> {
        if let Self::Text = self {
            let Value::Text(text) = value else {
                return None;
            };
            return (!text.contains('\0')).then(|| FieldValue::Text(text.as_str().into()));
        }
        let number = match value {
            Value::Int(int) => *int as f64,
            Value::Number(number) => *number,
            Value::Bool(flag) if self == Self::Flag => f64::from(u8::from(*flag)),
            Value::Text(text) if self == Self::Choice => {
                let at = field.choices.iter().position(|choice| choice == text)?;
                at as f64
            }
            _ => return None,
        };
        if !number.is_finite() {
            return None;
        }
        match self {
            Self::Float => Some(FieldValue::Float(Float::packed(number)))
                .filter(|_| number.abs() <= f64::from(f32::MAX)),
            Self::Scaled16(counts) | Self::Scaled32(counts) => {
                let (least, most) = self.range()?;
                let raw = match rounding {
                    Rounding::CutOff => f64::from(number as f32 * counts as f32) as i64,
                    Rounding::Nearest => {
                        let exact = number * counts;
                        (exact + 0.5_f64.copysign(exact)) as i64
                    }
                };
                let fits = (least..=most).contains(&raw);
                fits.then_some(FieldValue::Counts(i32::try_from(raw).ok()?))
            }
            Self::Nothing => None,
            _ => {
                let (least, most) = self.range()?;
                let whole = number as i64;
                let fits = whole as f64 == number && (least..=most).contains(&whole);
                fits.then_some(FieldValue::Int(whole))
            }
        }
    }

    /// The least and the most that stand on the wire; none where that is no whole number.
    fn range(self) -> Option<(i64, i64)> {
        Some(match self {
            Self::Int(Kind::U8) | Self::Choice | Self::Flag | Self::Bits => (0, u8::MAX.into()),
            Self::Int(Kind::I8) => (i8::MIN.into(), i8::MAX.into()),
            Self::Int(Kind::U16) => (0, u16::MAX.into()),
            Self::Int(Kind::I16) | Self::Scaled16(_) => (i16::MIN.into(), i16::MAX.into()),
            Self::Int(Kind::U32) => (0, u32::MAX.into()),
            Self::Int(Kind::I32) | Self::Scaled32(_) => (i32::MIN.into(), i32::MAX.into()),
            _ => return None,
        })
    }
}

/// What a field can be, in words.
fn wanted(field: &ConfigField) -> String {
    let range = field.form.range();
    match (field.form, range) {
        (FieldForm::Scaled16(counts) | FieldForm::Scaled32(counts), Some((least, most))) => {
            let (one, other) = (least as f64 / counts, most as f64 / counts);
            format!("a number from {} to {}", one.min(other), one.max(other))
        }
        (FieldForm::Choice, _) if !field.choices.is_empty() => {
            format!("a number from 0 to 255 or one of {:?}", field.choices)
        }
        (FieldForm::Flag, _) => "true, false or a number from 0 to 255".to_owned(),
        (_, Some((least, most))) => format!("a whole number from {least} to {most}"),
        (FieldForm::Float, _) => "a number that fits a single".to_owned(),
        (FieldForm::Text, _) => "text without a NUL".to_owned(),
        _ => "nothing: this field is not on the wire".to_owned(),
    }
}

fn number(field: &ConfigField, value: &FieldValue) -> Option<f64> {
    match (value, field.form) {
        (FieldValue::Int(int), _) => Some(*int as f64),
        (FieldValue::Counts(raw), FieldForm::Scaled16(counts) | FieldForm::Scaled32(counts)) => {
            Some(f64::from(*raw) / counts)
        }
        (FieldValue::Float(float), _) => match Value::from(*float) {
            Value::Number(number) => Some(number),
            _ => None,
        },
        _ => None,
    }
}

fn shown(field: &ConfigField, value: &FieldValue) -> Option<Value> {
    let at = number(field, value);
    Some(match (value, field.form) {
        (FieldValue::Int(int), FieldForm::Choice) => {
            let choice = usize::try_from(*int)
                .ok()
                .and_then(|at| field.choices.get(at));
            choice.map_or(Value::Int(*int), |text| Value::Text(text.clone()))
        }
        (FieldValue::Int(int @ (0 | 1)), FieldForm::Flag) => Value::Bool(*int == 1),
        (FieldValue::Int(int), _) => Value::Int(*int),
        (FieldValue::Text(text), _) => text.clone().into(),
        (FieldValue::Nothing, _) => return None,
        _ => Value::Number(at?),
    })
}
