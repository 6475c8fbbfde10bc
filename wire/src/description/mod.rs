//! What the fields of a configuration are, as a parameter file of VESC Tool describes them.
//!
//! MCCONF, APPCONF and custom configs travel without names: a signature, then packed fields, whose order and types only
//! firmware and VESC Tool know. VESC Tool has an XML file for each firmware. This module reads such a file
//! ([`ConfigDescription::from_xml`]), computes the signature that it stands for, and turns bytes into named values and back.
//!
//! ```
//! use veschub_wire::{description::{ConfigDescription, Rounding}, view::Value};
//!
//! let description = ConfigDescription::from_xml(
//!     "<ConfigParams>
//!        <Params>
//!          <current_max><type>1</type><vTx>7</vTx><vTxDoubleScale>10</vTxDoubleScale><valDouble>60</valDouble></current_max>
//!          <poles><type>2</type><vTx>1</vTx><valInt>14</valInt></poles>
//!        </Params>
//!        <SerOrder><ser>current_max</ser><ser>poles</ser></SerOrder>
//!      </ConfigParams>",
//! )?;
//! let mut values = description.defaults();
//! assert_eq!(values.to_bytes(), [0x02, 0x58, 14]);
//! values.set("current_max", &Value::Number(82.5), Rounding::Nearest)?;
//! assert_eq!(values.to_bytes(), [0x03, 0x39, 14]);
//! assert_eq!(values.number("current_max"), Some(82.5));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! This project has no such file; VESC Tool keeps them in `res/config/<version>/` as `parameters_mcconf.xml` and
//! `parameters_appconf.xml`. What follows here was written from `docs/protocol-motor.md`, section 5.

mod value;
mod xml;

use alloc::{collections::BTreeMap, string::String, vec::Vec};

pub use value::{ConfigValues, FieldValue, Rounding, ValueError};
pub use xml::{DescriptionError, MAX_FIELDS, MAX_XML};

use crate::{
    command::{ConfigSignature, config_of_signature},
    kind::Kind,
};

/// The fields of a configuration in the order of the wire.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigDescription {
    fields: Vec<ConfigField>,
    places: BTreeMap<String, usize>,
    signature: u32,
}

/// A field of a configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigField {
    /// Its name. The elements of a list have names of their own that end in `__0`, `__1` and so on.
    pub name: String,
    /// How it is written.
    pub form: FieldForm,
    /// What the values of a [`FieldForm::Choice`] mean, counted from 0; of [`FieldForm::Bits`], the names of the bits.
    pub choices: Vec<String>,
    /// What it is unless somebody sets it.
    pub default: FieldValue,
    /// The least and the most that VESC Tool lets its user set. Firmware does not check them.
    pub limits: Option<(f64, f64)>,
    /// The line of the file in which it is described; 0 if it is not.
    pub line: u32,
}

/// How a field is written.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum FieldForm {
    /// A whole number.
    Int(Kind),
    /// A physical value in 16 bits: this many counts make one unit.
    Scaled16(f64),
    /// The same in 32 bits.
    Scaled32(f64),
    /// A packed float.
    Float,
    /// One of several, in a byte.
    Choice,
    /// Yes or no, in a byte.
    Flag,
    /// Several of yes or no, in a byte.
    Bits,
    /// Text up to a NUL; in custom configs only.
    Text,
    /// It is named in the order and not written.
    Nothing,
}

impl FieldForm {
    /// How many bytes a value takes; `None` for text.
    #[must_use]
    pub fn size(self) -> Option<usize> {
        match self {
            Self::Int(kind) => kind.size(),
            Self::Scaled16(_) => Some(2),
            Self::Scaled32(_) | Self::Float => Some(4),
            Self::Choice | Self::Flag | Self::Bits => Some(1),
            Self::Text => None,
            Self::Nothing => Some(0),
        }
    }
}

impl ConfigDescription {
    /// The fields in the order of the wire.
    #[must_use]
    pub fn fields(&self) -> &[ConfigField] {
        &self.fields
    }

    /// A field by its name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&ConfigField> {
        self.fields.get(self.place(name)?)
    }

    /// Where a field stands in the order.
    fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// The signature that firmware with these fields sends, a CRC-32C over names, types and choices
    /// (`vesc_tool configparams.cpp:1702-1720`).
    #[must_use]
    pub fn signature(&self) -> u32 {
        self.signature
    }

    /// The release that has this signature, if one has.
    #[must_use]
    pub fn release(&self) -> Option<&'static ConfigSignature> {
        config_of_signature(self.signature)
    }

    /// The bytes of all fields; `None` if there is text among them.
    #[must_use]
    pub fn data_len(&self) -> Option<usize> {
        self.fields.iter().map(|field| field.form.size()).sum()
    }

    /// The values that the description has as defaults.
    #[must_use]
    pub fn defaults(&self) -> ConfigValues<'_> {
        ConfigValues::defaults(self)
    }

    /// Reads packed fields, without the signature before them. Bytes behind the last field survive.
    ///
    /// # Errors
    /// If the bytes end before the last field.
    pub fn read(&self, data: &[u8]) -> Result<ConfigValues<'_>, ValueError> {
        ConfigValues::read(self, data)
    }
}
