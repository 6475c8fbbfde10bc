//! What a device is made to say: replies written byte by byte, and texts.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, de};

use crate::duration::Duration;

/// Replies to a request, byte by byte.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScriptedReply {
    /// The request's payload in hex, command id first; `*` at its end stands for any bytes.
    pub request: HexPattern,
    /// The payloads that come back; one, several, or none.
    pub reply: Vec<Hex>,
    /// From the request's arrival to the replies' departure; if not given, as for other replies.
    #[serde(default)]
    pub after: Option<Duration>,
}

/// What a command of the terminal prints.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TerminalAnswer {
    /// The whole line.
    pub command: String,
    /// What is printed behind the echo, a message for each.
    #[serde(default)]
    pub prints: Vec<String>,
    /// How long the command runs and keeps the device from other long commands.
    #[serde(default)]
    pub after: Option<Duration>,
}

/// A text that nobody asks for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrintAt {
    /// When, since the start of the run.
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

const EMPTY: &str = "a payload has at least one byte, its command id";

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = bytes(&String::deserialize(deserializer)?).map_err(de::Error::custom)?;
        if bytes.is_empty() {
            return Err(de::Error::custom(EMPTY));
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
            return Err(de::Error::custom(EMPTY));
        }
        Ok(Self {
            bytes,
            open_ended: start.is_some(),
        })
    }
}

fn bytes(text: &str) -> Result<Vec<u8>, String> {
    let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    let wrong = digits.iter().find(|c| !c.is_ascii_hexdigit());
    let problem = match wrong {
        Some(wrong) => format!("`{wrong}` is not a hex digit"),
        None if !digits.len().is_multiple_of(2) => format!("`{text}` ends in the middle of a byte"),
        None => {
            let value = |c: &char| c.to_digit(16).unwrap_or_default() as u8;
            let pairs = digits.chunks(2);
            return Ok(pairs
                .map(|pair| pair.iter().fold(0, |byte, c| byte << 4 | value(c)))
                .collect());
        }
    };
    Err(format!(
        "{problem}\nhelp: write bytes as pairs of hex digits, e.g. `\"24 01\"`"
    ))
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
        let refused = |text| bytes(text).unwrap_err();
        assert!(refused("24 0g").starts_with("`g` is not a hex digit"));
        assert!(refused("24 0").starts_with("`24 0` ends in the middle of a byte"));
    }
}
