//! How a field of a table is read, written, shown and described.

use alloc::{borrow::ToOwned, format, vec, vec::Vec};

use super::{
    body::{Body, Masked},
    table::{Field, Part, Rest, Shown},
};
use crate::{
    error::DecodeError,
    reader::{Reader, Wire},
    view::{Fields, Value},
};

/// What stands behind the `=` of a field, for the field's type.
pub(crate) trait Form<T> {
    fn read(&self, reader: &mut Reader<'_>, name: &'static str) -> Result<T, DecodeError>;
    fn write(&self, value: &T, out: &mut Vec<u8>);
    fn show(&self, name: &'static str, value: &T, fields: &mut Fields);
    fn parts(&self, name: &'static str) -> Vec<Part>;
}

impl Shown {
    /// The field of a table that is shown like this.
    pub(super) fn field<T: Wire + Into<Value>>(self, name: &'static str) -> Field {
        Field {
            name,
            kind: T::KIND,
            count: T::COUNT,
            shown: self,
        }
    }

    /// Shows the values of a list.
    pub(super) fn show_list<T: Wire + Into<Value>>(
        self,
        name: &'static str,
        values: &[T],
        fields: &mut Fields,
    ) {
        let values = values.iter().cloned().map(Into::into);
        let list = match self {
            Self::Flag => values.map(|value| is_set(&value).into()).collect(),
            _ => values.collect(),
        };
        fields.push(name, Value::List(list));
    }
}

fn number(value: &Value) -> i64 {
    match value {
        Value::Int(number) => *number,
        _ => 0,
    }
}

fn is_set(value: &Value) -> bool {
    number(value) != 0
}

impl<T: Wire + Into<Value>> Form<T> for Shown {
    fn read(&self, reader: &mut Reader<'_>, name: &'static str) -> Result<T, DecodeError> {
        reader.get(name)
    }

    fn write(&self, value: &T, out: &mut Vec<u8>) {
        value.write(out);
    }

    fn show(&self, field: &'static str, value: &T, fields: &mut Fields) {
        let value: Value = value.clone().into();
        let at = number(&value);
        let named = |names: &[&'static str]| {
            usize::try_from(at)
                .ok()
                .and_then(|at| names.get(at).copied())
        };
        match *self {
            Self::Plain | Self::Index => fields.push(field, value),
            Self::Flag => fields.push(field, is_set(&value)),
            Self::Hex => {
                let Value::List(bytes) = &value else { return };
                let bytes = bytes.iter().map(|byte| number(byte) as u8);
                fields.push(field, Value::Bytes(bytes.collect()));
            }
            Self::Hidden => {}
            Self::Secret => fields.push(field, Value::Masked),
            Self::Called(name) => fields.push(name, value),
            Self::Named(names) => fields.push(field, text(named(names).unwrap_or("unknown"))),
            Self::Coded { name, names } => {
                fields.push(field, value);
                fields.push_some(name, named(names).map(text));
            }
            Self::Listed { name, names } => {
                fields.push(field, value);
                let listed = names.iter().find(|(number, _)| i64::from(*number) == at);
                fields.push_some(name, listed.map(|(_, name)| text(name)));
            }
            Self::Bits(names) => {
                for (bit, name) in names.iter().enumerate() {
                    fields.push(name, at >> bit & 1 == 1);
                }
            }
            Self::Version { name, major } => {
                fields.push(name, Value::Text(format!("{major}.{at:02}")));
            }
        }
    }

    fn parts(&self, name: &'static str) -> Vec<Part> {
        vec![Part::Field(self.field::<T>(name))]
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn latin1(bytes: &[u8]) -> Value {
    Value::Text(bytes.iter().copied().map(char::from).collect())
}

impl Form<Vec<u8>> for Rest {
    fn read(&self, reader: &mut Reader<'_>, _: &'static str) -> Result<Vec<u8>, DecodeError> {
        Ok(reader.rest().to_vec())
    }

    fn write(&self, value: &Vec<u8>, out: &mut Vec<u8>) {
        out.extend_from_slice(value);
    }

    fn show(&self, name: &'static str, bytes: &Vec<u8>, fields: &mut Fields) {
        match self {
            Self::Bytes => fields.push(name, Value::Bytes(bytes.clone())),
            Self::Numbers => fields.push(name, bytes.clone()),
            Self::Text => fields.push(name, latin1(bytes)),
            Self::Line => fields.push(name, latin1(bytes.strip_suffix(&[0]).unwrap_or(bytes))),
            Self::Config => super::show_config(name, bytes, fields),
            Self::Request => super::show_request(name, bytes, fields),
            Self::Secret => fields.push(name, Value::Masked),
        }
    }

    fn parts(&self, name: &'static str) -> Vec<Part> {
        vec![Part::Rest { name, rest: *self }]
    }
}

/// A body of its own in this place, whose fields stand among the others.
pub(super) struct Inside;

impl<T: Body> Form<T> for Inside {
    fn read(&self, reader: &mut Reader<'_>, _: &'static str) -> Result<T, DecodeError> {
        T::read(reader)
    }

    fn write(&self, value: &T, out: &mut Vec<u8>) {
        value.write(out);
    }

    fn show(&self, _: &'static str, value: &T, fields: &mut Fields) {
        value.show(fields);
    }

    fn parts(&self, _: &'static str) -> Vec<Part> {
        T::parts()
    }
}

/// The fields that the mask before them chooses.
pub(super) struct By(u32);

/// The fields that this mask chooses.
pub(super) fn by(mask: impl Mask) -> By {
    By(mask.bits())
}

/// A mask, or a reference to one.
pub(super) trait Mask {
    fn bits(self) -> u32;
}

macro_rules! masks {
    ($($int:ty),*) => {$(
        impl Mask for $int {
            fn bits(self) -> u32 {
                self.into()
            }
        }
        impl Mask for &$int {
            fn bits(self) -> u32 {
                (*self).into()
            }
        }
    )*};
}
masks!(u16, u32);

impl<T: Masked> Form<T> for By {
    fn read(&self, reader: &mut Reader<'_>, _: &'static str) -> Result<T, DecodeError> {
        T::read_masked(self.0, reader)
    }

    fn write(&self, value: &T, out: &mut Vec<u8>) {
        value.write_masked(self.0, out);
    }

    fn show(&self, _: &'static str, value: &T, fields: &mut Fields) {
        value.show(fields);
        let missing = self.0 & !value.present();
        let chosen = T::chosen().into_iter().enumerate();
        let names: Vec<Value> = chosen
            .filter(|(bit, _)| missing >> bit & 1 == 1)
            .map(|(_, field)| text(field.name))
            .collect();
        if !names.is_empty() {
            fields.push("not_there", Value::List(names));
        }
    }

    fn parts(&self, _: &'static str) -> Vec<Part> {
        vec![Part::Chosen {
            always: T::always(),
            fields: T::chosen(),
        }]
    }
}

/// A field at the end, sent since this firmware.
pub(super) struct Since(pub(super) &'static str);

impl<T: Wire + Into<Value>> Form<Option<T>> for Since {
    fn read(&self, reader: &mut Reader<'_>, name: &'static str) -> Result<Option<T>, DecodeError> {
        Ok(reader.group(|reader| reader.get(name)))
    }

    fn write(&self, value: &Option<T>, out: &mut Vec<u8>) {
        if let Some(value) = value {
            value.write(out);
        }
    }

    fn show(&self, name: &'static str, value: &Option<T>, fields: &mut Fields) {
        fields.push_some(name, value.clone());
    }

    fn parts(&self, name: &'static str) -> Vec<Part> {
        let parts = vec![Part::Field(Shown::Plain.field::<T>(name))];
        let firmware = self.0;
        vec![Part::Since { firmware, parts }]
    }
}

/// A body of its own behind this byte, if the byte is next.
pub(super) struct Tagged(pub(super) u8);

impl<T: Body> Form<Option<T>> for Tagged {
    fn read(&self, reader: &mut Reader<'_>, _: &'static str) -> Result<Option<T>, DecodeError> {
        match reader.is_next(self.0) {
            true => T::read(reader).map(Some),
            false => Ok(None),
        }
    }

    fn write(&self, value: &Option<T>, out: &mut Vec<u8>) {
        if let Some(value) = value {
            out.push(self.0);
            value.write(out);
        }
    }

    fn show(&self, _: &'static str, value: &Option<T>, fields: &mut Fields) {
        if let Some(value) = value {
            value.show(fields);
        }
    }

    fn parts(&self, _: &'static str) -> Vec<Part> {
        let (tag, parts) = (self.0, T::parts());
        vec![Part::Tagged { tag, parts }]
    }
}

/// A field that is there if at least so many bytes are left: one that newer firmware put in the middle.
pub(super) struct IfLeft(pub(super) usize);

impl<T: Wire + Into<Value>> Form<Option<T>> for IfLeft {
    fn read(&self, reader: &mut Reader<'_>, name: &'static str) -> Result<Option<T>, DecodeError> {
        match reader.left() >= self.0 {
            true => reader.get(name).map(Some),
            false => Ok(None),
        }
    }

    fn write(&self, value: &Option<T>, out: &mut Vec<u8>) {
        if let Some(value) = value {
            value.write(out);
        }
    }

    fn show(&self, name: &'static str, value: &Option<T>, fields: &mut Fields) {
        fields.push_some(name, value.clone());
    }

    fn parts(&self, name: &'static str) -> Vec<Part> {
        vec![Part::IfLeft {
            least: self.0,
            field: Shown::Plain.field::<T>(name),
        }]
    }
}

/// The version that a major number and the minor number behind it make.
pub(super) fn version(major: impl core::borrow::Borrow<i8>) -> Shown {
    Shown::Version {
        name: "firmware",
        major: *major.borrow(),
    }
}
