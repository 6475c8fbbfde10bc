//! A reply of an app, as a scenario writes it: bytes, and values of the motor's state.
//!
//! ```yaml
//! reply: ["65 01", { erpm: i16 }, { input_voltage_v: f16x10 }]
//! ```

use std::fmt;

use serde::{
    Deserialize,
    de::{self, Deserializer, IgnoredAny, Visitor},
};

use super::{field::MotorField, number::NumberForm};
use crate::{device::motor_state::MotorState, hex::parse_hex};

/// The pieces of a reply, which follow each other.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Template(Vec<Piece>);

/// A piece of a reply.
#[derive(Clone, Debug, PartialEq)]
enum Piece {
    /// Bytes as they are.
    Bytes(Vec<u8>),
    /// A value of the motor's state.
    Value(MotorField, NumberForm),
}

impl Template {
    /// The bytes at a moment.
    pub(super) fn bytes(&self, motor: &MotorState) -> Vec<u8> {
        let mut out = Vec::new();
        for piece in &self.0 {
            match piece {
                Piece::Bytes(bytes) => out.extend_from_slice(bytes),
                Piece::Value(field, form) => form.write(field.value(motor), &mut out),
            }
        }
        out
    }
}

impl<'de> Deserialize<'de> for Piece {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PieceVisitor)
    }
}

struct PieceVisitor;

impl<'de> Visitor<'de> for PieceVisitor {
    type Value = Piece;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "bytes in hex and in quotes, or a value and how it is written, e.g. `{ erpm: i16 }`",
        )
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Piece, E> {
        parse_hex(text).map(Piece::Bytes).map_err(E::custom)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Piece, A::Error> {
        // Where the only entry has a mistake, that is told already.
        let Some(name) = map.next_key::<String>()? else {
            return Ok(Piece::Bytes(Vec::new()));
        };
        let field = MotorField::named(&name);
        let field = field.ok_or_else(|| de::Error::unknown_variant(&name, MotorField::NAMES))?;
        let form = map.next_value()?;
        if map.next_key::<IgnoredAny>()?.is_some() {
            let message = "one value a piece, e.g. `{ erpm: i16 }`";
            return Err(de::Error::custom(message));
        }
        Ok(Piece::Value(field, form))
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Piece {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Piece".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let field = generator.subschema_for::<MotorField>();
        let form = generator.subschema_for::<NumberForm>();
        schemars::json_schema!({
            "description": "A piece of a reply: bytes in hex, or a value of the motor's state and how it is written.",
            "anyOf": [
                { "type": "string", "pattern": r"^\s*([0-9a-fA-F]\s*[0-9a-fA-F]\s*)+$" },
                {
                    "type": "object",
                    "propertyNames": field,
                    "additionalProperties": form,
                    "minProperties": 1,
                    "maxProperties": 1,
                },
            ],
        })
    }
}
