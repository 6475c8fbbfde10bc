//! Mistakes in reading a field's own bytes.

use serde_json::Value as Json;
use veschub_wire::view::Value;

use super::{super::FieldUnderstood, Mistake};
use crate::judge::{
    layout::{Form, Slot},
    reading::NOT_NUMBERS,
};

/// Powers of ten that a scale can be off by.
const POWERS: i32 = 6;

/// A field that holds numbers, and the values that the client gave for it.
pub(super) struct Case<'a> {
    pub(super) slots: Vec<Slot>,
    pub(super) payload: &'a [u8],
    pub(super) values: &'a [f64],
}

impl Case<'_> {
    /// The most common ones: sign, scale, kind of number.
    pub(super) fn bytes(&self, found: &mut Vec<Mistake>) {
        if self.comes_out(|slot| Some(-slot.read(self.payload)?)) {
            found.push(Mistake::TurnedSign);
        }
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
    }

    /// Those that are less common.
    pub(super) fn rare_bytes(&self, found: &mut Vec<Mistake>) {
        if [1.0, 1e3, 1e6]
            .iter()
            .any(|per_unit| self.comes_out(|slot| integer(slot.form, self.raw(slot)?, *per_unit)))
        {
            found.push(Mistake::IntegerForFloat);
        }
        if self.comes_out(|slot| Some(little_endian(slot.form, self.raw(slot)?))) {
            found.push(Mistake::LittleEndian);
        }
        // A client that takes one byte a field finds the next field a byte too early.
        if [0, 1, -1].iter().any(|by| {
            self.rounds_to(|slot| {
                let at = slot.offset.checked_add_signed(*by)?;
                let byte = *self.payload.get(at)?;
                matches!(slot.form, Form::I16(_)).then(|| f64::from(byte) / 255.0)
            })
        }) {
            found.push(Mistake::ByteOf255);
        }
    }

    pub(super) fn rounded(&self, found: &mut Vec<Mistake>) {
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

    /// A word that stands for no number can be the bits of a scaled integer, read as an IEEE float.
    pub(super) fn float_that_is_none(&self, given: &Json, found: &mut Vec<Mistake>) {
        let bits = |slot: &Slot| match slot.form {
            Form::I32(_) | Form::U32 => Some(f32::from_bits(self.raw(slot)?)),
            _ => None,
        };
        let is_word = |word: &str| NOT_NUMBERS.contains(&word);
        let [slot] = &self.slots[..] else {
            return;
        };
        if given.as_str().is_some_and(is_word) && bits(slot).is_some_and(|bits| !bits.is_finite()) {
            found.push(Mistake::FloatForInteger);
        }
    }

    fn raw(&self, slot: &Slot) -> Option<u32> {
        slot.form.raw(self.payload, slot.offset)
    }

    /// Whether this way of reading gives the client's values.
    pub(super) fn comes_out(&self, read: impl Fn(&Slot) -> Option<f64>) -> bool {
        self.fits(read, |_, wanted| 1e-6 * wanted.abs())
    }

    /// Whether this way of reading gives the client's values, which may be rounded.
    pub(super) fn rounds_to(&self, read: impl Fn(&Slot) -> Option<f64>) -> bool {
        self.fits(read, |given, wanted| {
            half_a_place(given).max(1e-6 * wanted.abs())
        })
    }

    fn fits(&self, read: impl Fn(&Slot) -> Option<f64>, within: impl Fn(f64, f64) -> f64) -> bool {
        let read: Option<Vec<f64>> = self.slots.iter().map(read).collect();
        read.is_some_and(|read| {
            let close = |(given, read): (&f64, &f64)| (given - read).abs() <= within(*given, *read);
            !read.is_empty()
                && read.len() == self.values.len()
                && self.values.iter().zip(&read).all(close)
        })
    }
}

/// Half a unit of the last decimal place that is printed.
fn half_a_place(given: f64) -> f64 {
    let text = format!("{given}");
    let decimals = text
        .split_once('.')
        .map_or(0, |(_, decimals)| decimals.len());
    // A little more, as a half is no exact binary fraction here.
    0.501 * 10_f64.powi(-i32::try_from(decimals.min(20)).unwrap_or(20))
}

/// The client's value as numbers, flags as 0 and 1; `None` if it is something else.
pub(super) fn numbers(given: &Json) -> Option<Vec<f64>> {
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

/// A value that is no number, or has another type than it must have. Nothing more can be found out about it.
pub(super) fn wrong_type(truth: &Value, given: &Json, found: &mut Vec<Mistake>) {
    let not_a_number = not_a_number(truth, given).map(Mistake::NotANumber);
    let wrong_type = || wanted_type(truth, given).map(Mistake::Type);
    found.extend(not_a_number.or_else(wrong_type));
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

/// A version number whose second part lost its 0.
pub(super) fn minor_version(field: &FieldUnderstood, found: &mut Vec<Mistake>) {
    if let (Some(Value::Text(truth)), Some(Json::String(given))) = (&field.truth, &field.decoded)
        && field.field == "firmware"
        && truth.replacen(".0", ".", 1) == *given
    {
        found.push(Mistake::MinorVersion);
    }
}
