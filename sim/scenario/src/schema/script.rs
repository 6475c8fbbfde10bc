//! Replies that a scenario writes byte by byte, and texts that a device prints.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, de};

use crate::duration::Duration;

/// Replies to a request, byte by byte.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScriptedReply {
    /// The request's payload in hex, command id first, e.g. `"24 01"`; a `*` at the end stands for any bytes.
    pub request: HexPattern,
    /// The payloads that the device sends back, each in hex: one, several, or none.
    pub reply: Vec<Hex>,
    /// The time from the request's arrival to the replies' departure, e.g. `20ms`; the device's `reply_after` unless
    /// given.
    #[serde(default)]
    pub after: Option<Duration>,
    /// What the device sends behind the replies as it is, in hex, whether it is a frame or not: one piece, or several.
    #[serde(default)]
    pub bytes: Vec<Hex>,
    /// The time from one piece of `bytes` to the next, e.g. `5ms`; none unless given.
    #[serde(default)]
    pub gap: Option<Duration>,
    /// Whether the device restarts behind all this, so that the hub closes the client's connection.
    #[serde(default)]
    pub restart: bool,
}

/// What a command of the terminal prints.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TerminalAnswer {
    /// The whole line that the tool sends, e.g. `help`.
    pub command: String,
    /// The texts that the device prints after it has repeated the line, one message for each.
    #[serde(default)]
    pub prints: Vec<String>,
    /// How long the command runs, e.g. `2s`; meanwhile the device starts no other long command.
    #[serde(default)]
    pub after: Option<Duration>,
}

/// A text that the device prints without being asked.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrintAt {
    /// When the device prints it, counted from the start of the run, e.g. `1.5s`.
    pub at: Duration,
    /// The text.
    pub text: String,
}

/// A payload in hex, blanks between its bytes or not: `24 01 ff`.
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

/// Why a text is no payload in hex.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum HexError {
    #[error("a payload has at least one byte, its command id")]
    Empty,
    #[error("`{0}` is not a hex digit\nhelp: write bytes as pairs of hex digits, e.g. `\"24 01\"`")]
    NoDigit(char),
    #[error(
        "`{0}` ends in the middle of a byte\nhelp: write bytes as pairs of hex digits, e.g. `\"24 01\"`"
    )]
    HalfByte(String),
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = bytes(&String::deserialize(deserializer)?).map_err(de::Error::custom)?;
        if bytes.is_empty() {
            return Err(de::Error::custom(HexError::Empty));
        }
        Ok(Self(bytes))
    }
}

impl<'de> Deserialize<'de> for HexPattern {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let start = text.trim_end().strip_suffix('*');
        let bytes = bytes(start.unwrap_or(&text)).map_err(de::Error::custom)?;
        if bytes.is_empty() && start.is_none() {
            return Err(de::Error::custom(HexError::Empty));
        }
        Ok(Self {
            bytes,
            open_ended: start.is_some(),
        })
    }
}

fn bytes(text: &str) -> Result<Vec<u8>, HexError> {
    let digit = |c: char| Ok(c.to_digit(16).ok_or(HexError::NoDigit(c))? as u8);
    let digits = text.chars().filter(|c| !c.is_whitespace()).map(digit);
    let digits = digits.collect::<Result<Vec<u8>, HexError>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    match rest {
        [] => Ok(pairs.iter().map(|[high, low]| high << 4 | low).collect()),
        _ => Err(HexError::HalfByte(text.to_owned())),
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_with_blanks_or_without() {
        for text in ["24 01 fF", "2401FF", " 2401  ff "] {
            assert_eq!(bytes(text).unwrap(), [0x24, 1, 0xFF], "{text}");
        }
    }

    #[test]
    fn what_is_no_hex_is_refused_with_the_reason() {
        let refused = |text| bytes(text).unwrap_err().to_string();
        assert!(refused("24 0g").starts_with("`g` is not a hex digit"));
        assert!(refused("24 0").starts_with("`24 0` ends in the middle of a byte"));
    }
}
