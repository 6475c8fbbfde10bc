//! Requests as people type them: a command and its arguments as words.
//!
//! ```text
//! BMS_GET_VALUES
//! GET_VALUES_SELECTIVE 0x00ff
//! FORWARD_CAN 84 BMS_SET_BALANCE_OVERRIDE 3 1
//! ```
//!
//! Numbers are decimal or, after `0x`, hexadecimal. A command without known arguments takes its bytes in hex.

use std::{fmt, iter::Peekable, slice::Iter};

use super::{BmsCommand, CommandId, ConfigXmlRequest, CustomConfig, Opaque, Request};

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
        wanted: String,
    },
    /// A word that is not what the argument can be.
    #[error("{command}: `{argument}` is `{got}`, wanted {wanted}; {}", Usage(*.command))]
    Invalid {
        /// The command that was to be made.
        command: CommandId,
        /// The argument's name.
        argument: &'static str,
        /// What it can be.
        wanted: String,
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

/// The arguments that a command takes, `[` and `]` around those that may be left out; empty for none.
#[must_use]
pub fn usage(command: CommandId) -> &'static str {
    match command {
        CommandId::FW_VERSION
        | CommandId::GET_VALUES
        | CommandId::REBOOT
        | CommandId::ALIVE
        | CommandId::GET_VALUES_SETUP
        | CommandId::PING_CAN
        | CommandId::BMS_GET_VALUES
        | CommandId::BMS_ZERO_CURRENT_OFFSET => "",
        CommandId::TERMINAL_CMD => "[TEXT...]",
        CommandId::FORWARD_CAN => "CAN_ID COMMAND [ARGS...]",
        CommandId::GET_VALUES_SELECTIVE
        | CommandId::GET_VALUES_SETUP_SELECTIVE
        | CommandId::GET_IMU_DATA
        | CommandId::GET_STATS => "MASK",
        CommandId::GET_CUSTOM_CONFIG_XML => "INDEX LENGTH OFFSET",
        CommandId::GET_CUSTOM_CONFIG | CommandId::GET_CUSTOM_CONFIG_DEFAULT => "[INDEX]",
        CommandId::SET_CUSTOM_CONFIG => "INDEX SIGNATURE [HEX...]",
        CommandId::BMS_SET_CHARGE_ALLOWED => "ALLOWED",
        CommandId::BMS_SET_BALANCE_OVERRIDE => "CELL MODE",
        CommandId::BMS_RESET_COUNTERS => "AH WH",
        CommandId::BMS_FORCE_BALANCE => "ENABLED",
        _ => "[HEX...]",
    }
}

struct Usage(CommandId);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arguments = usage(self.0);
        if arguments.is_empty() {
            return f.write_str("it takes none");
        }
        write!(f, "usage: {} {arguments}", self.0)?;
        match self.0 {
            CommandId::BMS_SET_BALANCE_OVERRIDE => {
                f.write_str(" (mode 0: automatic, 1: off, 2: on)")
            }
            _ => Ok(()),
        }
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
        // The heads of nested FORWARD_CANs, outermost first; a loop, because there may be any number.
        let mut nest = Vec::new();
        while words.command == CommandId::FORWARD_CAN {
            nest.push(words.command.0);
            nest.push(words.number("can_id")?);
            let wanted = "the name or number of a command";
            words.command = words.parse("command", wanted, |word| word.parse().ok())?;
        }
        let innermost = words.request()?;
        let [_, can_id, inner @ ..] = &nest[..] else {
            return Ok(innermost);
        };
        let mut payload = inner.to_vec();
        payload.extend(innermost.encode());
        Ok(Self::ForwardCan {
            can_id: *can_id,
            payload,
        })
    }
}

struct Words<'a> {
    command: CommandId,
    rest: Peekable<Iter<'a, &'a str>>,
}

impl Words<'_> {
    fn request(&mut self) -> Result<Request, ArgsError> {
        let request = match self.command {
            CommandId::FW_VERSION => Request::FwVersion,
            CommandId::GET_VALUES => Request::GetValues,
            CommandId::TERMINAL_CMD => Request::TerminalCmd(self.text()),
            CommandId::REBOOT => Request::Reboot,
            CommandId::ALIVE => Request::Alive,
            CommandId::GET_VALUES_SETUP => Request::GetValuesSetup,
            CommandId::GET_VALUES_SELECTIVE => Request::GetValuesSelective {
                mask: self.number("mask")?,
            },
            CommandId::GET_VALUES_SETUP_SELECTIVE => Request::GetValuesSetupSelective {
                mask: self.number("mask")?,
            },
            CommandId::PING_CAN => Request::PingCan,
            CommandId::GET_IMU_DATA => Request::GetImuData {
                mask: self.number("mask")?,
            },
            CommandId::GET_CUSTOM_CONFIG_XML => Request::GetCustomConfigXml(ConfigXmlRequest {
                index: self.number("index")?,
                length: self.number("length")?,
                offset: self.number("offset")?,
            }),
            CommandId::GET_CUSTOM_CONFIG => Request::GetCustomConfig {
                index: self.index()?,
            },
            CommandId::GET_CUSTOM_CONFIG_DEFAULT => Request::GetCustomConfigDefault {
                index: self.index()?,
            },
            CommandId::SET_CUSTOM_CONFIG => Request::SetCustomConfig(CustomConfig {
                index: self.number("index")?,
                signature: self.number("signature")?,
                data: self.hex()?,
            }),
            CommandId::BMS_GET_VALUES => Request::BmsGetValues,
            CommandId::BMS_SET_CHARGE_ALLOWED => Request::Bms(BmsCommand::SetChargeAllowed {
                allowed: self.number("allowed")?,
            }),
            CommandId::BMS_SET_BALANCE_OVERRIDE => Request::Bms(BmsCommand::SetBalanceOverride {
                cell: self.number("cell")?,
                mode: self.number("mode")?,
            }),
            CommandId::BMS_RESET_COUNTERS => Request::Bms(BmsCommand::ResetCounters {
                ah: self.number("ah")?,
                wh: self.number("wh")?,
            }),
            CommandId::BMS_FORCE_BALANCE => Request::Bms(BmsCommand::ForceBalance {
                enabled: self.number("enabled")?,
            }),
            CommandId::BMS_ZERO_CURRENT_OFFSET => Request::Bms(BmsCommand::ZeroCurrentOffset),
            CommandId::GET_STATS => Request::GetStats {
                mask: self.number("mask")?,
            },
            id => Request::Other(Opaque {
                id,
                arguments: self.hex()?,
            }),
        };
        match self.rest.next() {
            None => Ok(request),
            Some(&got) => Err(ArgsError::TooMany {
                command: self.command,
                got: got.to_owned(),
            }),
        }
    }

    fn parse<T>(
        &mut self,
        argument: &'static str,
        wanted: impl Into<String>,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, ArgsError> {
        let command = self.command;
        match self.rest.next() {
            None => Err(ArgsError::Missing {
                command,
                argument,
                wanted: wanted.into(),
            }),
            Some(&word) => parse(word).ok_or_else(|| ArgsError::Invalid {
                command,
                argument,
                wanted: wanted.into(),
                got: word.to_owned(),
            }),
        }
    }

    fn number<T: Number>(&mut self, argument: &'static str) -> Result<T, ArgsError> {
        let wanted = format!("a whole number from {} to {}", T::LEAST, T::MOST);
        self.parse(argument, wanted, |word| {
            let number = match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
                // The parser would take a sign behind the prefix.
                Some(digits) if digits.starts_with(['+', '-']) => None,
                Some(digits) => i64::from_str_radix(digits, 16).ok(),
                None => word.parse().ok(),
            };
            T::try_from(number?).ok()
        })
    }

    fn index(&mut self) -> Result<i8, ArgsError> {
        match self.rest.peek() {
            None => Ok(0),
            Some(_) => self.number("index"),
        }
    }

    fn text(&mut self) -> Vec<u8> {
        let words: Vec<&str> = self.rest.by_ref().copied().collect();
        words.join(" ").into_bytes()
    }

    /// All other words: pairs of hex digits, cut into words as one likes.
    fn hex(&mut self) -> Result<Vec<u8>, ArgsError> {
        let mut bytes = Vec::new();
        while self.rest.peek().is_some() {
            let wanted = "bytes as pairs of hex digits";
            bytes.extend(self.parse("hex", wanted, hex_pairs)?);
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

trait Number: TryFrom<i64> {
    const LEAST: i64;
    const MOST: i64;
}

macro_rules! numbers {
    ($($int:ty),*) => {$(
        impl Number for $int {
            const LEAST: i64 = Self::MIN as i64;
            const MOST: i64 = Self::MAX as i64;
        }
    )*};
}
numbers!(u8, i8, u16, u32, i32);

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
            ("200 01 0203", b"\xC8\x01\x02\x03"),
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
                "SET_DUTY 0x123",
                "SET_DUTY: `hex` is `0x123`, wanted bytes as pairs of hex digits; usage: SET_DUTY [HEX...]",
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
