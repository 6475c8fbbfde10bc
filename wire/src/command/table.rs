//! The field tables of all commands as data: what the decoder does, for tools that are not written in Rust.
//!
//! ```
//! use veschub_wire::{CommandId, command::{reply_parts, table::Part}};
//!
//! let bms = reply_parts(CommandId::BMS_GET_VALUES).unwrap_or_default();
//! let Some(Part::Field(first)) = bms.first() else { unreachable!() };
//! assert_eq!(first.name, "total_voltage_v");
//! ```

use alloc::vec::Vec;

pub use crate::kind::Kind;

/// A piece of a payload. The pieces follow each other from offset 1, behind the command id.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Part {
    /// One field that is always there.
    Field(Field),
    /// A signed count byte, then as many values of each field, all values of one field together.
    Counted {
        /// The name of the count in errors; the lists show how many there are.
        count: &'static str,
        /// The name under which a count below 0 is shown. Then there are no values.
        negative: &'static str,
        /// The lists.
        fields: Vec<Field>,
    },
    /// Parts that a payload has in full or not at all. Where they are missing, the payload ends.
    Since {
        /// The first firmware that sends them, as far as is known.
        firmware: &'static str,
        /// What it sends.
        parts: Vec<Self>,
    },
    /// One value of each field after the other, over and over until the payload ends.
    Repeated {
        /// The fields; each is shown as a list.
        fields: Vec<Field>,
    },
    /// Fields of which those are there whose bit is set in the field `mask` before them, lowest bit first.
    Chosen {
        /// How many of the first of them all firmware sends. Before each later one, a payload may end.
        always: usize,
        /// The fields.
        fields: Vec<Field>,
    },
    /// Parts that are there if the next byte is this one, which belongs to them.
    Tagged {
        /// The byte.
        tag: u8,
        /// What follows it.
        parts: Vec<Self>,
    },
    /// One field that is there if at least so many bytes are left.
    IfLeft {
        /// How many, with its own.
        least: usize,
        /// The field.
        field: Field,
    },
    /// All bytes that are left.
    Rest {
        /// The name of the field.
        name: &'static str,
        /// What the bytes are.
        rest: Rest,
    },
}

/// A field: its name, how it is written, and how it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The name, which ends in the unit: the key in views and in JSON.
    pub name: &'static str,
    /// How one value is written.
    pub kind: Kind,
    /// How many values follow each other: 1, but for fixed lists.
    pub count: usize,
    /// How it is shown.
    pub shown: Shown,
}

/// How a field is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shown {
    /// As the number or the text that it is.
    Plain,
    /// As the number or the text that it is: people may leave it out at the end of what they type, if it is 0 or empty.
    Index,
    /// As true, unless it is 0.
    Flag,
    /// As bytes in hex.
    Hex,
    /// Not at all.
    Hidden,
    /// As something secret that was there.
    Secret,
    /// Under another name.
    Called(&'static str),
    /// As the name at its index, or as `unknown`.
    Named(&'static [&'static str]),
    /// As the number that it is, and as the name at its index under a second name.
    Coded {
        /// The second name.
        name: &'static str,
        /// The names.
        names: &'static [&'static str],
    },
    /// As the number that it is, and as the name that stands beside it in a list under a second name.
    Listed {
        /// The second name.
        name: &'static str,
        /// Numbers and their names.
        names: &'static [(u32, &'static str)],
    },
    /// As flags with these names, from the lowest bit.
    Bits(&'static [&'static str]),
    /// As the text of a version, together with the major version before it.
    Version {
        /// The name under which it is shown.
        name: &'static str,
        /// The major version; 0 in a table.
        major: i8,
    },
}

/// What the bytes at the end of a payload are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rest {
    /// Bytes of unknown meaning.
    Bytes,
    /// One number a byte.
    Numbers,
    /// Text in Latin-1 (`vesc_express main/commands.c:1148-1156`).
    Text,
    /// The same, with or without a NUL at its end, which is not shown.
    Line,
    /// The fields of an Express' config under `config`, if the bytes are exactly those; else something secret.
    Config,
    /// A request for another device.
    Request,
    /// Something secret, whatever it is.
    Secret,
}
