//! The two macros that make types of field tables: `body!` for what follows a command id, `commands!` for the
//! commands of one direction.
//!
//! ```text
//! body! {
//!     /// The reply to FW_VERSION.
//!     pub struct FwVersion {
//!         always { major: i8 = Hidden, minor: i8 = version(major), }
//!         since "2.18" { hardware: Text, }
//!     }
//! }
//! ```
//!
//! A field is its name, its type and, behind `=`, its form
//! (see `form.rs`) if that is not `Shown::Plain`. A form may use the fields before it. Sections follow each other on the wire:
//!
//! | section | holds | a field `x: T` of the struct |
//! |---|---|---|
//! | `always` | fields that are always there | `x: T` |
//! | `since "VERSION"` | fields that newer firmware sends, all or none | `x: Option<T>` |
//! | `counted "NAME" or negative` | lists behind their signed count; `negative` holds a count below 0 | `x: Vec<T>` |
//! | `repeated` | rows of one value of each field, as many as there are up to the end of the payload | `x: Vec<T>` |
//! | `chosen` | in `masked!` only, the fields that all firmware sends; a mask's bits count from here | `x: Option<T>` |

use alloc::vec::Vec;

use super::{
    CommandId,
    table::{Field, Part},
};
use crate::{error::DecodeError, reader::Reader, view::Fields};

/// What follows a command id.
pub(crate) trait Body: Sized {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;
    fn write(&self, out: &mut Vec<u8>);
    fn show(&self, fields: &mut Fields);
    fn parts() -> Vec<Part>;
}

/// A body whose fields can be chosen by the bits of a mask.
pub(crate) trait Masked: Body {
    /// Reads the fields of the known bits; bits beyond them have none.
    ///
    /// Firmware sends the mask back as it came, and only those of the fields that it knows. So the bytes may end before
    /// a field that only newer firmware sends.
    fn read_masked(mask: u32, reader: &mut Reader<'_>) -> Result<Self, DecodeError>;
    /// Writes the fields of the known bits; one that is not there is written as 0, unless only fields that newer firmware
    /// sends follow it, of which none is there.
    fn write_masked(&self, mask: u32, out: &mut Vec<u8>);
    /// The fields in the order of their bits.
    fn chosen() -> Vec<Field>;
    /// How many of the first of them all firmware sends.
    fn always() -> usize;
    /// The bits of the fields that are there.
    fn present(&self) -> u32;
}

/// The commands of one direction, or some of them. Where an id is none of them, the result is `None`.
pub(crate) trait Commands: Sized {
    fn id(&self) -> CommandId;
    fn read(id: CommandId, reader: &mut Reader<'_>) -> Result<Option<Self>, DecodeError>;
    fn write(&self, out: &mut Vec<u8>);
    fn show(&self, fields: &mut Fields);
    fn parts(id: CommandId) -> Option<Vec<Part>>;
}

/// The bits of a mask, lowest first.
pub(super) fn bits(mask: u32) -> impl Iterator<Item = bool> {
    (0..32).map(move |bit| mask >> bit & 1 == 1)
}

/// Whether a field came later than the first command with a mask, in 3.48 (`bldc comm/commands.c:384-483` and its tags).
pub(super) fn is_newer_than_masks(firmware: &str) -> bool {
    let mut numbers = firmware
        .split('.')
        .map(|number| number.parse().unwrap_or(0));
    let version: (u32, u32) = (
        numbers.next().unwrap_or_default(),
        numbers.next().unwrap_or_default(),
    );
    version > (3, 48)
}

/// Whether to write each section: up to the last one of which something is there.
pub(super) fn up_to_the_last<const N: usize>(present: [bool; N]) -> impl Iterator<Item = bool> {
    let end = present
        .iter()
        .rposition(|&there| there)
        .map_or(0, |last| last + 1);
    (0..N).map(move |at| at < end)
}

/// Writes the count of a list, as much as a signed byte can tell; says how many values may follow.
pub(super) fn write_count(len: usize, negative: Option<i8>, out: &mut Vec<u8>) -> usize {
    let count = negative.unwrap_or_else(|| i8::try_from(len).unwrap_or(i8::MAX));
    out.push(count.cast_unsigned());
    usize::try_from(count).unwrap_or(0)
}

/// The form of a field, `Plain` if none is given.
macro_rules! form {
    () => {
        $crate::command::table::Shown::Plain
    };
    ($form:expr) => {
        $form
    };
}

/// What a section makes of the type of its fields.
macro_rules! wrapped {
    (always $type:ty) => { $type };
    (counted $type:ty) => { Vec<$type> };
    (repeated $type:ty) => { Vec<$type> };
    ($optional:ident $type:ty) => { Option<$type> };
}

/// One section in each of the functions of `Body`.
macro_rules! section {
    (@read $reader:ident always [] { $($field:ident: $type:ty = $form:expr,)* }) => {
        $(let $field = Form::<$type>::read(&$form, $reader, stringify!($field))?;)*
    };
    (@read $reader:ident chosen [] { $($field:ident: $type:ty = $form:expr,)* }) => {
        $(let $field = Some(Form::<$type>::read(&$form, $reader, stringify!($field))?);)*
    };
    (@read $reader:ident since [$firmware:literal] { $($field:ident: $type:ty = $form:expr,)* }) => {
        let group = $reader.group(|reader| {
            $(let $field = Form::<$type>::read(&$form, reader, stringify!($field))?;)*
            Ok(($($field,)*))
        });
        let ($($field,)*) = match group {
            Some(($($field,)*)) => ($(Some($field),)*),
            None => ($(None::<$type>,)*),
        };
    };
    (@read $reader:ident counted [$count:literal $negative:ident] { $($field:ident: $type:ty = $form:expr,)* }) => {
        let (count, $negative) = $reader.count($count)?;
        $(let $field: Vec<$type> = $reader.list(stringify!($field), count)?;)*
    };

    (@read $reader:ident repeated [] { $($field:ident: $type:ty = $form:expr,)* }) => {
        $(let mut $field: Vec<$type> = Vec::new();)*
        while $reader.left() > 0 {
            $($field.push(Form::<$type>::read(&$form, $reader, stringify!($field))?);)*
        }
    };

    (@is_there since { $($field:ident)* }) => { false $(|| $field.is_some())* };
    (@is_there $kind:ident { $($field:ident)* }) => { true };

    (@write $out:ident always [] { $($field:ident: $type:ty = $form:expr,)* }) => {
        $(Form::<$type>::write(&$form, $field, $out);)*
    };
    (@write $out:ident counted [$count:literal $negative:ident] { $($field:ident: $type:ty = $form:expr,)* }) => {
        let len = [$($field.len()),*].into_iter().next();
        let count = write_count(len.unwrap_or(0), *$negative, $out);
        $(for at in 0..count {
            Form::<$type>::write(&$form, $field.get(at).unwrap_or(&Default::default()), $out);
        })*
    };
    (@write $out:ident repeated [] { $($field:ident: $type:ty = $form:expr,)* }) => {
        let rows = [$($field.len()),*].into_iter().max();
        for row in 0..rows.unwrap_or(0) {
            $(Form::<$type>::write(&$form, $field.get(row).unwrap_or(&Default::default()), $out);)*
        }
    };
    (@write $out:ident $kind:ident [$($firmware:literal)?] { $($field:ident: $type:ty = $form:expr,)* }) => {
        $(Form::<$type>::write(&$form, $field.as_ref().unwrap_or(&Default::default()), $out);)*
    };

    (@show $fields:ident always [] { $($field:ident: $type:ty = $form:expr,)* }) => {
        $(Form::<$type>::show(&$form, stringify!($field), $field, $fields);)*
    };
    (@show $fields:ident counted [$count:literal $negative:ident] { $($field:ident: $type:ty = $form:expr,)* }) => {
        $($form.show_list(stringify!($field), $field, $fields);)*
    };
    (@show $fields:ident repeated [] { $($field:ident: $type:ty = $form:expr,)* }) => {
        $($form.show_list(stringify!($field), $field, $fields);)*
    };
    (@show $fields:ident $kind:ident [$($firmware:literal)?] { $($field:ident: $type:ty = $form:expr,)* }) => {
        $(if let Some($field) = $field {
            Form::<$type>::show(&$form, stringify!($field), $field, $fields);
        })*
    };

    (@parts since [$firmware:literal] { $($field:ident: $type:ty = $form:expr,)* }) => {
        vec![Part::Since {
            firmware: $firmware,
            parts: [$(Form::<$type>::parts(&$form, stringify!($field))),*].concat(),
        }]
    };
    (@parts counted [$count:literal $negative:ident] { $($field:ident: $type:ty = $form:expr,)* }) => {
        vec![Part::Counted {
            count: $count,
            negative: stringify!($negative),
            fields: vec![$($form.field::<$type>(stringify!($field))),*],
        }]
    };
    (@parts repeated [] { $($field:ident: $type:ty = $form:expr,)* }) => {
        vec![Part::Repeated {
            fields: vec![$($form.field::<$type>(stringify!($field))),*],
        }]
    };
    (@parts $kind:ident [] { $($field:ident: $type:ty = $form:expr,)* }) => {
        [$(Form::<$type>::parts(&$form, stringify!($field))),*].concat()
    };
}

/// Makes a struct of a field table, with `Body` and `View`.
macro_rules! body {
    (
        $(#[$doc:meta])*
        pub struct $name:ident {$(
            $kind:ident $($label:literal)? $(or $(#[$negative_doc:meta])* $negative:ident)? {
                $($(#[$field_doc:meta])* $field:ident: $type:ty $(= $form:expr)?,)*
            }
        )*}
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct $name {$(
            $($(#[$field_doc])* pub $field: wrapped!($kind $type),)*
            $($(#[$negative_doc])* pub $negative: Option<i8>,)?
        )*}

        impl Body for $name {
            fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                $(section!(@read reader $kind [$($label)? $($negative)?] {
                    $($field: $type = form!($($form)?),)*
                });)*
                Ok(Self { $($($field,)* $($negative,)?)* })
            }

            fn write(&self, out: &mut Vec<u8>) {
                let Self { $($($field,)* $($negative,)?)* } = self;
                let mut sections = up_to_the_last([
                    $(section!(@is_there $kind { $($field)* })),*
                ]);
                $(if sections.next() == Some(true) {
                    section!(@write out $kind [$($label)? $($negative)?] {
                        $($field: $type = form!($($form)?),)*
                    });
                })*
            }

            fn show(&self, fields: &mut Fields) {
                let Self { $($($field,)* $($negative,)?)* } = self;
                $(section!(@show fields $kind [$($label)? $($negative)?] {
                    $($field: $type = form!($($form)?),)*
                });)*
                $($(fields.push_some(stringify!($negative), *$negative);)?)*
            }

            fn parts() -> Vec<Part> {
                // What a form may use of the fields before it.
                $($(let $field = <$type>::default(); let _ = &$field;)*)*
                [$(section!(@parts $kind [$($label)? $($negative)?] {
                    $($field: $type = form!($($form)?),)*
                })),*].concat()
            }
        }

        impl View for $name {
            fn fields(&self) -> Fields {
                let mut fields = Fields::new();
                Body::show(self, &mut fields);
                fields
            }
        }
    };
}

/// The same with `Masked`: a struct of which a mask can choose fields, one bit for each.
macro_rules! masked {
    ($(#[$doc:meta])* pub struct $name:ident {$(
        $kind:ident $($label:literal)? {
            $($(#[$field_doc:meta])* $field:ident: $type:ty $(= $form:expr)?,)*
        }
    )*}) => {
        body! {
            $(#[$doc])*
            #[derive(Copy)]
            pub struct $name {$(
                $kind $($label)? { $($(#[$field_doc])* $field: $type $(= $form)?,)* }
            )*}
        }

        impl $name {
            /// The bits of the fields that are there.
            #[must_use]
            pub fn mask(&self) -> u32 {
                let present = [$($(self.$field.is_some()),*),*];
                (0..).zip(present).map(|(bit, there)| u32::from(there) << bit).sum()
            }

            /// The same values without the fields whose bit is not set.
            #[must_use]
            pub fn select(mut self, mask: u32) -> Self {
                let mut bits = bits(mask);
                $($(
                    let chosen = bits.next() == Some(true);
                    self.$field = self.$field.filter(|_| chosen);
                )*)*
                self
            }
        }

        impl Masked for $name {
            fn read_masked(mask: u32, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                let mut bits = bits(mask).enumerate();
                Ok(Self {$($($field: match bits.next() {
                    Some((bit, true)) if bit >= Self::always() && reader.left() == 0 => None,
                    Some((_, true)) => Some(Form::<$type>::read(&form!($($form)?), reader, stringify!($field))?),
                    _ => None,
                },)*)*})
            }

            fn write_masked(&self, mask: u32, out: &mut Vec<u8>) {
                // Behind the last field that is there, no newer one is written.
                let there = u32::BITS - (self.mask() & mask).leading_zeros();
                let end = Self::always().max(there as usize);
                let mut bits = bits(mask).take(end);
                $($(if bits.next() == Some(true) {
                    Form::<$type>::write(&form!($($form)?), &self.$field.unwrap_or_default(), out);
                })*)*
            }

            fn chosen() -> Vec<Field> {
                vec![$($(form!($($form)?).field::<$type>(stringify!($field))),*),*]
            }

            fn always() -> usize {
                [$((newer!($kind $($label)?), [$(stringify!($field)),*].len())),*]
                    .iter()
                    .map(|&(newer, fields)| if newer { 0 } else { fields })
                    .sum()
            }

            fn present(&self) -> u32 {
                self.mask()
            }
        }
    };
}

/// Whether some firmware that knows masks does not send the fields of a section.
macro_rules! newer {
    (since $firmware:literal) => {
        $crate::command::body::is_newer_than_masks($firmware)
    };
    ($kind:ident) => {
        false
    };
}

/// A pattern that names the body of a variant.
macro_rules! named {
    ($body:ident $type:ty) => {
        $body
    };
}

/// Makes an enum of commands: `ID => Variant`, `ID => Variant(Body)` or `ID => Variant { fields of a table }`, and behind
/// `or` the variants that hold other commands.
macro_rules! commands {
    (
        $(#[$doc:meta])*
        pub enum $name:ident {$(
            $(#[$variant_doc:meta])*
            $id:ident => $variant:ident
                $(($body:ty))?
                $({ $($(#[$field_doc:meta])* $field:ident: $type:ty $(= $form:expr)?,)* })?,
        )*} or {$(
            $(#[$other_doc:meta])* $other:ident($others:ty),
        )*}
    ) => {
        $(#[$doc])*
        pub enum $name {
            $(
                $(#[$variant_doc])*
                $variant $(($body))? $({ $($(#[$field_doc])* $field: $type,)* })?,
            )*
            $($(#[$other_doc])* $other($others),)*
        }

        impl Commands for $name {
            fn id(&self) -> CommandId {
                match self {
                    $(Self::$variant { .. } => CommandId::$id,)*
                    $(Self::$other(others) => Commands::id(others),)*
                }
            }

            fn read(id: CommandId, reader: &mut Reader<'_>) -> Result<Option<Self>, DecodeError> {
                // These may be another layout of a command with an id of its own.
                $(if let Some(others) = <$others as Commands>::read(id, reader)? {
                    return Ok(Some(Self::$other(others)));
                })*
                Ok(Some(match id {
                    $(CommandId::$id => {
                        $($(let $field = Form::<$type>::read(&form!($($form)?), reader, stringify!($field))?;)*)?
                        Self::$variant $((<$body as Body>::read(reader)?))? $({ $($field,)* })?
                    })*
                    _ => return Ok(None),
                }))
            }

            fn write(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$variant $((named!(body $body)))? $({ $($field,)* })? => {
                        $(<$body as Body>::write(body, out);)?
                        $($(Form::<$type>::write(&form!($($form)?), $field, out);)*)?
                    })*
                    $(Self::$other(others) => Commands::write(others, out),)*
                }
            }

            fn show(&self, fields: &mut Fields) {
                match self {
                    $(Self::$variant $((named!(body $body)))? $({ $($field,)* })? => {
                        $(<$body as Body>::show(body, fields);)?
                        $($(Form::<$type>::show(&form!($($form)?), stringify!($field), $field, fields);)*)?
                    })*
                    $(Self::$other(others) => Commands::show(others, fields),)*
                }
            }

            fn parts(id: CommandId) -> Option<Vec<Part>> {
                match id {
                    $(CommandId::$id => {
                        $($(let $field = <$type>::default(); let _ = &$field;)*)?
                        let parts: &[Vec<Part>] = &[
                            $(<$body as Body>::parts(),)?
                            $($(Form::<$type>::parts(&form!($($form)?), stringify!($field)),)*)?
                        ];
                        Some(parts.concat())
                    })*
                    _ => None$(.or_else(|| <$others as Commands>::parts(id)))*,
                }
            }
        }
    };
}

pub(super) use {body, commands, form, masked, named, newer, section, wrapped};
