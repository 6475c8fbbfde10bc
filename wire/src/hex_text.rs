//! Bytes as pairs of hex digits, the form that they have in reports.

use alloc::{string::String, vec::Vec};

/// Something else than pairs of hex digits in a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: `{word}` is not made of pairs of hex digits")]
pub struct NoHex {
    /// The line, from 1.
    pub line: usize,
    /// What stands there.
    pub word: String,
}

/// Reads bytes that are written as pairs of hex digits, as people put them into reports.
///
/// Blanks, line feeds, commas and colons may stand between them, `0x` before them, and a comment behind `#`.
///
/// ```
/// assert_eq!(veschub_wire::from_hex_text("02 01 04\n0x40,0x84 # CRC\n03").unwrap(), b"\x02\x01\x04\x40\x84\x03");
/// ```
///
/// # Errors
/// The first word that is something else.
pub fn from_hex_text(text: &str) -> Result<Vec<u8>, NoHex> {
    let mut bytes = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        let words = line.split(|c: char| c.is_whitespace() || matches!(c, ',' | ':'));
        for word in words.filter(|word| !word.is_empty()) {
            let digits = word
                .strip_prefix("0x")
                .or_else(|| word.strip_prefix("0X"))
                .unwrap_or(word);
            let pairs = digits.as_bytes().chunks(2).map(|pair| match pair {
                &[high, low] => Some(16 * digit(high)? + digit(low)?),
                _ => None,
            });
            match pairs.collect::<Option<Vec<u8>>>() {
                Some(pairs) if !pairs.is_empty() => bytes.extend(pairs),
                _ => {
                    return Err(NoHex {
                        line: index + 1,
                        word: word.chars().take(40).collect(),
                    });
                }
            }
        }
    }
    Ok(bytes)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}
