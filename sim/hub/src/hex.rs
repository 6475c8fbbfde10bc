//! Bytes as a scenario writes them: in hex, `24 01 ff`, and patterns of bytes, `24 01 *`.

use serde::{
    Deserialize,
    de::{self, Deserializer},
};

/// Bytes in hex, blanks between them or not: `24 01 ff`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hex(pub Vec<u8>);

/// Bytes in hex, and whether more may follow: `24 01 *`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HexPattern {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Whether more may follow.
    pub open_ended: bool,
}

impl HexPattern {
    /// Whether these bytes are meant.
    #[must_use]
    pub fn fits(&self, bytes: &[u8]) -> bool {
        if self.open_ended {
            bytes.starts_with(&self.bytes)
        } else {
            bytes == self.bytes
        }
    }
}

/// Why a text is no bytes in hex.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HexError {
    /// There is none.
    #[error("a payload has at least one byte, its command id")]
    Empty,
    /// Something else stands between the digits.
    #[error("`{0}` is not a hex digit\nhelp: write bytes as pairs of hex digits, e.g. `\"24 01\"`")]
    NoDigit(char),
    /// The last byte has one digit.
    #[error(
        "`{0}` ends in the middle of a byte\nhelp: write bytes as pairs of hex digits, e.g. `\"24 01\"`"
    )]
    HalfByte(String),
}

/// The bytes of a text in hex.
///
/// # Errors
/// If it has something else in it, or half a byte.
pub fn parse_hex(text: &str) -> Result<Vec<u8>, HexError> {
    let digit = |c: char| Ok(c.to_digit(16).ok_or(HexError::NoDigit(c))? as u8);
    let digits = text.chars().filter(|c| !c.is_whitespace()).map(digit);
    let digits = digits.collect::<Result<Vec<u8>, HexError>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    match rest {
        [] => Ok(pairs.iter().map(|[high, low]| high << 4 | low).collect()),
        _ => Err(HexError::HalfByte(text.to_owned())),
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = parse_hex(&String::deserialize(deserializer)?).map_err(de::Error::custom)?;
        if bytes.is_empty() {
            return Err(de::Error::custom(HexError::Empty));
        }
        Ok(Self(bytes))
    }
}

impl<'de> Deserialize<'de> for HexPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let start = text.trim_end().strip_suffix('*');
        let bytes = parse_hex(start.unwrap_or(&text)).map_err(de::Error::custom)?;
        if bytes.is_empty() && start.is_none() {
            return Err(de::Error::custom(HexError::Empty));
        }
        Ok(Self {
            bytes,
            open_ended: start.is_some(),
        })
    }
}

#[cfg(feature = "schema")]
mod schema {
    use std::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    use super::{Hex, HexPattern};

    fn hex_schema(description: &str, pattern: &str) -> Schema {
        json_schema!({ "description": description, "type": "string", "pattern": pattern })
    }

    impl JsonSchema for Hex {
        fn schema_name() -> Cow<'static, str> {
            "Hex".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            hex_schema(
                "A payload in hex: command id, then arguments.",
                r"^\s*([0-9a-fA-F]\s*[0-9a-fA-F]\s*)+$",
            )
        }
    }

    impl JsonSchema for HexPattern {
        fn schema_name() -> Cow<'static, str> {
            "HexPattern".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            hex_schema(
                "A payload in hex: command id, then arguments; `*` at the end stands for any bytes.",
                r"^\s*([0-9a-fA-F]\s*[0-9a-fA-F]\s*)*\*?\s*$",
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_with_blanks_or_without() {
        for text in ["24 01 fF", "2401FF", " 2401  ff "] {
            assert_eq!(parse_hex(text).unwrap(), [0x24, 1, 0xFF], "{text}");
        }
    }

    #[test]
    fn what_is_no_hex_is_refused_with_the_reason() {
        let refused = |text| parse_hex(text).unwrap_err().to_string();
        assert!(refused("24 0g").starts_with("`g` is not a hex digit"));
        assert!(refused("24 0").starts_with("`24 0` ends in the middle of a byte"));
    }
}
