//! `garbage`: bytes that no frame holds, before or behind a frame.

use rand::Rng as _;
use serde::{Deserialize, Serialize};

use super::{Chunk, Definition, Fault, Harm, definition::fault};
use crate::{
    check::{not_both, range},
    mistake::Mistakes,
    rng::Rng,
    time::Time,
};

/// The most bytes of garbage at one place.
const MAX_GARBAGE: usize = 65_536;

/// What makes a parser with a limit of 512 bytes wait for 258 more: the start and the length of a frame that never
/// comes.
const FALSE_START: [u8; 2] = [0x02, 0xFF];

/// How much garbage there is where nobody says.
const GARBAGE_BYTES: usize = 8;

fault! {
    /// Bytes that belong to no frame come before or behind a frame; give one of `kind` and `hex`.
    Garbage {
        /// What the garbage is: random, nuls or false-start (02 ff).
        kind: Option<GarbageKind>,
        /// The bytes themselves, in hex, with or without blanks.
        hex: Option<String>,
        /// How many bytes, for `random` and `nuls`: 8 unless given.
        bytes: Option<usize>,
        /// Where it is put: before the frame unless given.
        #[serde(default)]
        position: Position,
    }
}

/// What garbage is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum GarbageKind {
    /// Bytes that are drawn.
    Random,
    /// NULs.
    Nuls,
    /// `02 ff`: the start of a frame that never comes.
    FalseStart,
}

/// Where garbage is put.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Position {
    /// Before the frame.
    #[default]
    Before,
    /// Behind the frame.
    After,
}

impl Definition for Garbage {
    const NAME: &'static str = "garbage";
    const EXAMPLE: &'static str = "- garbage: { kind: false-start, when: { nth: 2 } }";
    const HARM: Harm = Harm::Disorder;

    fn check(&self, mistakes: &mut Mistakes) {
        mistakes.note(not_both([
            ("kind", self.kind.is_some()),
            ("hex", self.hex.is_some()),
        ]));
        mistakes.note(range("bytes", self.bytes, 1, MAX_GARBAGE));
        let counted = matches!(self.kind, Some(GarbageKind::Random | GarbageKind::Nuls));
        if self.bytes.is_some() && !counted {
            let message = "`bytes` counts what is `random` or `nuls`, and this is neither";
            mistakes.add("bytes", message).help("leave it out");
        }
        let Some(hex) = &self.hex else {
            if self.kind.is_none() {
                mistakes
                    .add_here("`garbage` wants one of `kind` and `hex`")
                    .help("e.g. `kind: random`, or `hex: \"02 ff\"`");
            }
            return;
        };
        match read_hex(hex) {
            Some(bytes) if bytes.is_empty() => {
                mistakes.add("hex", "there is no garbage in it");
            }
            Some(bytes) if bytes.len() > MAX_GARBAGE => {
                let message = format!("{} bytes are too many: {MAX_GARBAGE} at most", bytes.len());
                mistakes.add("hex", message);
            }
            Some(_) => {}
            None => {
                mistakes
                    .add("hex", format!("`{hex}` is not hex"))
                    .help("write two digits a byte, e.g. `\"02 ff\"`");
            }
        }
    }

    fn draw(parameter: u8) -> Self {
        let position = if parameter.is_multiple_of(2) {
            Position::Before
        } else {
            Position::After
        };
        let count = Some(usize::from(parameter));
        let (kind, hex) = match parameter / 2 % 4 {
            0 => (Some(GarbageKind::Random), None),
            1 => (Some(GarbageKind::Nuls), None),
            2 => (Some(GarbageKind::FalseStart), None),
            _ => (None, Some(format!("{parameter:02x}").repeat(3))),
        };
        Self::with(kind, hex, count, position)
    }
}

impl Garbage {
    fn bytes(&self, rng: &mut Rng) -> Vec<u8> {
        let count = self.bytes.unwrap_or(GARBAGE_BYTES).min(MAX_GARBAGE);
        match (self.kind, &self.hex) {
            (Some(GarbageKind::Random), _) => {
                let mut bytes = vec![0; count];
                rng.fill_bytes(&mut bytes);
                bytes
            }
            (Some(GarbageKind::Nuls), _) => vec![0; count],
            (Some(GarbageKind::FalseStart), _) => FALSE_START.to_vec(),
            (None, Some(hex)) => read_hex(hex).unwrap_or_default(),
            (None, None) => Vec::new(),
        }
    }
}

/// Bytes written as pairs of hex digits, with or without blanks between the pairs.
fn read_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| Some(c.to_digit(16)? as u8))
        .collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    Some(
        digits
            .chunks(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect(),
    )
}

impl Fault for Garbage {
    fn needs_frames(&self) -> bool {
        true
    }

    fn apply(&mut self, _now: Time, chunk: Chunk, rng: &mut Rng) -> Vec<Chunk> {
        let garbage = Chunk::bytes(chunk.at, self.bytes(rng));
        match self.position {
            Position::Before => vec![garbage, chunk],
            Position::After => vec![chunk, garbage],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::read_hex;

    #[test]
    fn hex_is_read_with_and_without_blanks() {
        for text in ["02ffA0", "02 ff a0", " 02 FFa0\t"] {
            assert_eq!(read_hex(text), Some(vec![0x02, 0xFF, 0xA0]), "{text}");
        }
        for text in ["2", "0x02", "g0", "02-ff"] {
            assert_eq!(read_hex(text), None, "{text}");
        }
    }
}
