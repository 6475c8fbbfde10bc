//! Requests as people type them: a command and its arguments as words.
//!
//! ```text
//! BMS_GET_VALUES
//! GET_VALUES_SELECTIVE 0x00ff
//! FORWARD_CAN 84 BMS_SET_BALANCE_OVERRIDE 3 1
//! ```
//!
//! Whole numbers are decimal or, after `0x`, hexadecimal; quantities are decimal, in the unit of their field. A command without known arguments takes its bytes in hex.

use alloc::{borrow::ToOwned, format, string::String, vec, vec::Vec};
use core::{fmt, iter::Peekable, slice::Iter};

use super::{
    CommandId, Opaque, Request,
    parts::request_parts,
    table::{Field, Kind, Part, Rest, Shown},
};
use crate::{
    number::{Double, Float, Raw},
    reader::Wire as _,
};

/// Why words do not make a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArgsError {
    /// The words end before an argument that the command must have.
    #[error("{command}: `{argument}` is missing, wanted {wanted}; {}", Usage(*.command))]
    Missing {
        /// The command that was to be made.
        command: CommandId,
        /// The argument's name.
        argument: &'static str,
        /// What it can be.
        wanted: Wanted,
    },
    /// A word that is not what the argument can be.
    #[error("{command}: `{argument}` is `{got}`, wanted {wanted}; {}", Usage(*.command))]
    Invalid {
        /// The command that was to be made.
        command: CommandId,
        /// The argument's name.
        argument: &'static str,
        /// What it can be.
        wanted: Wanted,
        /// The word that was there.
        got: String,
    },
    /// A word behind the last argument.
    #[error("{command}: `{got}` is one argument too many; {}", Usage(*.command))]
    TooMany {
        /// The command that was to be made.
        command: CommandId,
        /// The first word that is too many.
        got: String,
    },
}

/// What an argument can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wanted {
    /// A whole number.
    Number {
        /// The smallest one.
        least: i64,
        /// The largest one.
        most: i64,
    },
    /// A number with or without a fraction.
    Decimal {
        /// No number may be below this whole one.
        least: i64,
        /// No number may be above this whole one.
        most: i64,
    },
    /// Bytes.
    Hex,
    /// A word of text.
    Text,
    /// The name or the number of a command.
    Command,
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number { least, most } => write!(f, "a whole number from {least} to {most}"),
            Self::Decimal { least, most } => write!(f, "a number from {least} to {most}"),
            Self::Hex => f.write_str("bytes as pairs of hex digits"),
            Self::Text => f.write_str("a text in one word; in quotes it may have blanks"),
            Self::Command => f.write_str("the name or number of a command"),
        }
    }
}

/// The arguments that a command takes, `[` and `]` around those that may be left out; empty for none.
///
/// ```
/// use veschub_wire::{CommandId, command::usage};
///
/// assert_eq!(usage(CommandId::BMS_SET_BALANCE_OVERRIDE), "CELL MODE");
/// ```
#[must_use]
pub fn usage(command: CommandId) -> String {
    let usages: Vec<String> = arguments(command).map(|(usage, _)| usage).collect();
    usages.join(" ")
}

/// How each argument of a command stands in a usage line, and what its numbers mean.
fn arguments(command: CommandId) -> impl Iterator<Item = (String, Option<String>)> {
    parts(command).into_iter().map(|part| match part {
        Part::Field(field) => {
            let name = field.name.to_uppercase();
            match field.shown {
                Shown::Index => (format!("[{name}]"), None),
                Shown::Named(names) | Shown::Coded { names, .. } => {
                    let names = names.iter().enumerate();
                    let names: Vec<String> =
                        names.map(|(at, name)| format!("{at}: {name}")).collect();
                    let meaning = format!("{} {}", field.name, names.join(", "));
                    (name, Some(meaning))
                }
                _ => (name, None),
            }
        }
        Part::Since { parts, .. } => {
            let names = parts.iter().filter_map(|part| match part {
                Part::Field(field) => Some(field.name.to_uppercase()),
                _ => None,
            });
            let names: Vec<String> = names.collect();
            (format!("[{}]", names.join(" ")), None)
        }
        Part::Repeated { fields } => {
            let names: Vec<String> = fields.iter().map(|one| one.name.to_uppercase()).collect();
            (format!("[{}...]", names.join(" ")), None)
        }
        Part::Rest {
            rest: Rest::Text | Rest::Line | Rest::Secret,
            ..
        } => ("[TEXT...]".to_owned(), None),
        Part::Rest {
            rest: Rest::Request,
            ..
        } => ("COMMAND [ARGS...]".to_owned(), None),
        _ => ("[HEX...]".to_owned(), None),
    })
}

/// The parts of a request; of an unknown one, just bytes.
fn parts(command: CommandId) -> Vec<Part> {
    request_parts(command).unwrap_or_else(|| {
        vec![Part::Rest {
            name: "hex",
            rest: Rest::Bytes,
        }]
    })
}

struct Usage(CommandId);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arguments = usage(self.0);
        if arguments.is_empty() {
            return f.write_str("it takes none");
        }
        write!(f, "usage: {} {arguments}", self.0)?;
        for meaning in self::arguments(self.0).filter_map(|(_, meaning)| meaning) {
            write!(f, " ({meaning})")?;
        }
        Ok(())
    }
}

impl Request {
    /// Makes a request of a command and its arguments as words, see [`usage`].
    ///
    /// # Errors
    /// Which argument is missing, not what it can be, or too many.
    ///
    /// ```
    /// use veschub_wire::{CommandId, Request};
    ///
    /// let request = Request::from_args(CommandId::FORWARD_CAN, &["84", "BMS_GET_VALUES"])?;
    /// assert_eq!(request, Request::forward(84, &Request::BmsGetValues));
    /// # Ok::<(), veschub_wire::command::ArgsError>(())
    /// ```
    pub fn from_args(command: CommandId, args: &[&str]) -> Result<Self, ArgsError> {
        let mut words = Words {
            command,
            rest: args.iter().peekable(),
        };
        let payload = words.payload()?;
        if let Some(&got) = words.rest.next() {
            return Err(ArgsError::TooMany {
                command: words.command,
                got: got.to_owned(),
            });
        }
        Ok(match Self::decode(&payload) {
            Ok(decoded) => decoded.body,
            // There is nothing that a payload made of the table could lack.
            Err(_) => Self::Other(Opaque {
                id: command,
                arguments: payload.get(1..).unwrap_or_default().to_vec(),
            }),
        })
    }
}

/// The words that are left, and the command that they are for.
struct Words<'a> {
    command: CommandId,
    rest: Peekable<Iter<'a, &'a str>>,
}

impl Words<'_> {
    /// The payload of the command; a loop, because any number of FORWARD_CANs may be nested.
    fn payload(&mut self) -> Result<Vec<u8>, ArgsError> {
        let mut payload = Vec::new();
        loop {
            payload.push(self.command.0);
            let mut is_outer = false;
            for part in parts(self.command) {
                match part {
                    Part::Field(field) => self.field(&field, &mut payload)?,
                    Part::Rest {
                        rest: Rest::Text | Rest::Line | Rest::Secret,
                        ..
                    } => payload.extend(self.text()),
                    Part::Rest {
                        rest: Rest::Request,
                        ..
                    } => is_outer = true,
                    Part::Since { parts, .. } => self.optional(&parts, &mut payload)?,
                    Part::Repeated { fields } => {
                        while self.rest.peek().is_some() {
                            for field in &fields {
                                self.field(field, &mut payload)?;
                            }
                        }
                    }
                    _ => payload.extend(self.hex()?),
                }
            }
            if !is_outer {
                return Ok(payload);
            }
            self.command = self.parse("command", Wanted::Command, |word| word.parse().ok())?;
        }
    }

    /// Parts that are all there or not at all: as people have words for them.
    fn optional(&mut self, parts: &[Part], payload: &mut Vec<u8>) -> Result<(), ArgsError> {
        if self.rest.peek().is_none() {
            return Ok(());
        }
        for part in parts {
            if let Part::Field(field) = part {
                self.field(field, payload)?;
            }
        }
        Ok(())
    }

    fn field(&mut self, field: &Field, payload: &mut Vec<u8>) -> Result<(), ArgsError> {
        let (least, most) = match field.kind {
            Kind::U8 => (0, u8::MAX.into()),
            Kind::I8 => (i8::MIN.into(), i8::MAX.into()),
            Kind::U16 => (0, u16::MAX.into()),
            Kind::I16 => (i16::MIN.into(), i16::MAX.into()),
            Kind::U32 => (0, u32::MAX.into()),
            Kind::I32 => (i32::MIN.into(), i32::MAX.into()),
            Kind::Text if field.shown == Shown::Index && self.rest.peek().is_none() => {
                payload.push(0);
                return Ok(());
            }
            Kind::Text => {
                let word = self.parse(field.name, Wanted::Text, |word| {
                    (!word.contains('\0')).then(|| word.as_bytes().to_vec())
                })?;
                payload.extend(word);
                payload.push(0);
                return Ok(());
            }
            Kind::Scaled16 { counts, units } => {
                let counts = self.counts(field.name, counts, units, i16::MIN, i16::MAX)?;
                payload.extend_from_slice(&counts.to_be_bytes());
                return Ok(());
            }
            Kind::Scaled32 { counts, units } => {
                let counts = self.counts(field.name, counts, units, i32::MIN, i32::MAX)?;
                payload.extend_from_slice(&counts.to_be_bytes());
                return Ok(());
            }
            Kind::Float => {
                let most = 1_000_000_000_000;
                let value = self.decimal(field.name, -most, most)?;
                payload.extend_from_slice(&Float::packed(value).bits().to_be_bytes());
                return Ok(());
            }
            Kind::Double => {
                let most = 1_000_000_000_000;
                let value = self.decimal(field.name, -most, most)?;
                Double::packed(value).write(payload);
                return Ok(());
            }
            // Typed in hex, as no command has needed more yet.
            Kind::Scaled64 { .. } => {
                payload.extend(self.hex()?);
                return Ok(());
            }
        };
        let number = match self.rest.peek() {
            None if field.shown == Shown::Index => 0,
            _ => self.number(field.name, least, most)?,
        };
        let bytes = number.to_be_bytes();
        let size = field.kind.size().unwrap_or_default();
        payload.extend_from_slice(&bytes[bytes.len() - size..]);
        Ok(())
    }

    fn parse<T>(
        &mut self,
        argument: &'static str,
        wanted: Wanted,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, ArgsError> {
        let command = self.command;
        match self.rest.next() {
            None => Err(ArgsError::Missing {
                command,
                argument,
                wanted,
            }),
            Some(&word) => parse(word).ok_or_else(|| ArgsError::Invalid {
                command,
                argument,
                wanted,
                got: word.to_owned(),
            }),
        }
    }

    fn number(&mut self, argument: &'static str, least: i64, most: i64) -> Result<i64, ArgsError> {
        self.parse(argument, Wanted::Number { least, most }, |word| {
            let number = match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
                // The parser would take a sign behind the prefix.
                Some(digits) if digits.starts_with(['+', '-']) => None,
                Some(digits) => i64::from_str_radix(digits, 16).ok(),
                None => word.parse().ok(),
            };
            number.filter(|number| (least..=most).contains(number))
        })
    }

    /// A quantity in its unit.
    fn decimal(&mut self, argument: &'static str, least: i64, most: i64) -> Result<f64, ArgsError> {
        self.parse(argument, Wanted::Decimal { least, most }, |word| {
            let number: f64 = word.parse().ok()?;
            (least as f64..=most as f64)
                .contains(&number)
                .then_some(number)
        })
    }

    /// A quantity as the nearest count, of which `counts` make `units` units.
    fn counts<R: Raw>(
        &mut self,
        argument: &'static str,
        counts: u32,
        units: u32,
        least: R,
        most: R,
    ) -> Result<R, ArgsError> {
        let step = f64::from(units) / f64::from(counts);
        let (least, most): (f64, f64) = (least.into(), most.into());
        let value = self.decimal(argument, (least * step) as i64, (most * step) as i64)?;
        Ok(R::nearest(value / step))
    }

    fn text(&mut self) -> Vec<u8> {
        let words: Vec<&str> = self.rest.by_ref().copied().collect();
        words.join(" ").into_bytes()
    }

    /// All other words: pairs of hex digits, cut into words as one likes.
    fn hex(&mut self) -> Result<Vec<u8>, ArgsError> {
        let mut bytes = Vec::new();
        while self.rest.peek().is_some() {
            bytes.extend(self.parse("hex", Wanted::Hex, hex_pairs)?);
        }
        Ok(bytes)
    }
}

fn hex_pairs(word: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = word
        .strip_prefix("0x")
        .unwrap_or(word)
        .chars()
        .map(|digit| digit.to_digit(16).map(|digit| digit as u8))
        .collect();
    let digits = digits?;
    digits.len().is_multiple_of(2).then(|| {
        digits
            .chunks(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::encode;

    fn payload(words: &str) -> Vec<u8> {
        let words: Vec<&str> = words.split(' ').collect();
        let request = Request::from_args(words[0].parse().unwrap(), &words[1..]).unwrap();
        let payload = request.encode();
        assert_eq!(
            Request::decode(&payload).unwrap().body,
            request,
            "{words:?}"
        );
        payload
    }

    fn refusal(words: &str) -> String {
        let words: Vec<&str> = words.split(' ').collect();
        Request::from_args(words[0].parse().unwrap(), &words[1..])
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn every_kind_of_argument_reaches_the_payload() {
        for (words, bytes) in [
            ("FW_VERSION", &b"\x00"[..]),
            ("GET_VALUES_SELECTIVE 0x00ff", b"\x32\0\0\0\xFF"),
            (
                "get-values-setup-selective 4294967295",
                b"\x33\xFF\xFF\xFF\xFF",
            ),
            ("TERMINAL_CMD can_scan now", b"\x14can_scan now"),
            ("TERMINAL_CMD", b"\x14"),
            ("GET_IMU_DATA 0x1FF", b"\x41\x01\xFF"),
            ("GET_STATS 65535", b"\x80\xFF\xFF"),
            ("GET_CUSTOM_CONFIG", b"\x5D\0"),
            ("GET_CUSTOM_CONFIG_DEFAULT -1", b"\x5E\xFF"),
            (
                "GET_CUSTOM_CONFIG_XML 0 10 -2",
                b"\x5C\0\0\0\0\x0A\xFF\xFF\xFF\xFE",
            ),
            (
                "SET_CUSTOM_CONFIG 0 0x01020304 0aFF 10",
                b"\x5F\0\x01\x02\x03\x04\x0A\xFF\x10",
            ),
            ("BMS_SET_BALANCE_OVERRIDE 3 1", b"\x62\x03\x01"),
            ("BMS_RESET_COUNTERS 1 0", b"\x63\x01\0"),
            ("BMS_ZERO_CURRENT_OFFSET", b"\x65"),
            ("GET_GNSS 0xFFFF", b"\x96\xFF\xFF"),
            (
                "FILE_READ logs/a.csv 0x190",
                b"\x8Dlogs/a.csv\0\0\0\x01\x90",
            ),
            ("LISP_REPL_CMD (+ 1 2)", b"\x8A(+ 1 2)"),
            ("LISP_ERASE_CODE 4096", b"\x84\0\0\x10\0"),
            (
                "LOG_DATA_F32 1 10 -1.5",
                b"\x94\0\x01\x41\x20\0\0\xBF\xC0\0\0",
            ),
            ("LOG_DATA_F64 0 50.5", b"\x97\0\0\x42\x4A\0\0\0\0\0\0"),
            ("LISP_ERASE_CODE", b"\x84"),
            ("200 01 0203", b"\xC8\x01\x02\x03"),
            ("SET_DUTY 0.25", b"\x05\0\0\x61\xA8"),
            ("SET_CURRENT -12.3456", b"\x06\xFF\xFF\xCF\xC6"),
            ("SET_RPM -3000", b"\x08\xFF\xFF\xF4\x48"),
            ("SET_SERVO_POS 0.5", b"\x0C\x01\xF4"),
            ("RESET_STATS", b"\x81"),
            ("RESET_STATS 1", b"\x81\x01"),
            (
                "SET_MCCONF_TEMP 0 0 1 0 0.5 1 -1e4 1e4 0 1 -500 500",
                b"\x30\0\0\x01\0\x3F\0\0\0\x3F\x80\0\0\xC6\x1C\x40\0\x46\x1C\x40\0\
                  \0\0\0\0\x3F\x80\0\0\xC3\xFA\0\0\x43\xFA\0\0",
            ),
            ("FORWARD_CAN 84 BMS_GET_VALUES", b"\x22\x54\x60"),
            (
                "FORWARD_CAN 0x54 FORWARD_CAN 85 GET_CUSTOM_CONFIG 0",
                b"\x22\x54\x22\x55\x5D\0",
            ),
        ] {
            assert_eq!(payload(words), bytes, "{words}");
        }
        assert_eq!(
            encode(&payload("FORWARD_CAN 84 BMS_GET_VALUES")).unwrap(),
            [0x02, 0x03, 0x22, 0x54, 0x60, 0x46, 0x7B, 0x03]
        );
    }

    #[test]
    fn a_refusal_names_the_argument_what_was_wanted_what_was_there_and_the_usage() {
        for (words, text) in [
            (
                "GET_CUSTOM_CONFIG two",
                "GET_CUSTOM_CONFIG: `index` is `two`, wanted a whole number from -128 to 127; \
                 usage: GET_CUSTOM_CONFIG [INDEX]",
            ),
            (
                "GET_VALUES_SELECTIVE 0x1_0000",
                "GET_VALUES_SELECTIVE: `mask` is `0x1_0000`, wanted a whole number from 0 to 4294967295; \
                 usage: GET_VALUES_SELECTIVE MASK",
            ),
            (
                "BMS_SET_BALANCE_OVERRIDE 3",
                "BMS_SET_BALANCE_OVERRIDE: `mode` is missing, wanted a whole number from 0 to 255; \
                 usage: BMS_SET_BALANCE_OVERRIDE CELL MODE (mode 0: automatic, 1: off, 2: on)",
            ),
            (
                "FORWARD_CAN 84",
                "FORWARD_CAN: `command` is missing, wanted the name or number of a command; \
                 usage: FORWARD_CAN CAN_ID COMMAND [ARGS...]",
            ),
            (
                "FORWARD_CAN 84 GET_STATS 65536",
                "GET_STATS: `mask` is `65536`, wanted a whole number from 0 to 65535; usage: GET_STATS MASK",
            ),
            (
                "PING_CAN 1",
                "PING_CAN: `1` is one argument too many; it takes none",
            ),
            (
                "DETECT_HALL_FOC 0x123",
                "DETECT_HALL_FOC: `hex` is `0x123`, wanted bytes as pairs of hex digits; usage: DETECT_HALL_FOC [HEX...]",
            ),
            (
                "SET_DUTY 0x12",
                "SET_DUTY: `duty` is `0x12`, wanted a number from -21474 to 21474; usage: SET_DUTY DUTY",
            ),
            (
                "SET_SERVO_POS 33",
                "SET_SERVO_POS: `position` is `33`, wanted a number from -32 to 32; usage: SET_SERVO_POS POSITION",
            ),
        ] {
            assert_eq!(refusal(words), text, "{words}");
        }
    }

    #[test]
    fn signs_behind_the_prefix_and_numbers_out_of_range_are_no_numbers() {
        for word in [
            "0x-1",
            "0x+1",
            "0x",
            "",
            "256",
            "-1",
            "99999999999999999999",
            "1.5",
        ] {
            assert!(
                refusal(&format!("BMS_FORCE_BALANCE {word}")).contains("wanted"),
                "{word}"
            );
        }
    }
}
