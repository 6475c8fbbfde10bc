//! Command ids: the first byte of every payload.

use alloc::{borrow::ToOwned, format, string::String};
use core::{fmt, str::FromStr};

/// The first byte of a payload, COMM_PACKET_ID upstream.
///
/// A number with names, not an enumeration: ids that nobody has named yet survive.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub u8);

/// Gives ids, which count from 0, their names.
macro_rules! ids {
    ($($id:literal $name:ident)*) => {
        #[expect(missing_docs, reason = "the names are upstream's; what they do is in the protocol's sources")]
        impl CommandId {
            $(pub const $name: Self = Self($id);)*
        }
        const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

pub(super) use ids;

impl CommandId {
    /// The name, for the ids that have one.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        super::NAMES.get(usize::from(self.0)).copied()
    }

    /// Every id that has a name, in order.
    pub fn named() -> impl Iterator<Item = Self> {
        (0..super::NAMES.len() as u8).map(Self)
    }
}

/// The name, or the number in hex: `BMS_GET_VALUES`, `0xc8`.
impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => f.pad(&format!("{:#04x}", self.0)),
        }
    }
}

impl fmt::Debug for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// No command has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no command is called `{0}`; wanted a name such as BMS_GET_VALUES or a number from 0 to 255"
)]
pub struct UnknownCommand(pub String);

/// Reads a name in any case, with `-` for `_` if you like, or a number, decimal or after `0x`.
impl FromStr for CommandId {
    type Err = UnknownCommand;

    fn from_str(text: &str) -> Result<Self, UnknownCommand> {
        let name = text.to_ascii_uppercase().replace('-', "_");
        if let Some(id) = Self::named().find(|id| id.name() == Some(&name)) {
            return Ok(id);
        }
        let number = match name.strip_prefix("0X") {
            Some(digits) => u8::from_str_radix(digits, 16),
            None => name.parse(),
        };
        number
            .map(Self)
            .map_err(|_| UnknownCommand(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stand_at_the_index_of_their_name() {
        assert_eq!(CommandId::FW_VERSION.0, 0);
        assert_eq!(CommandId::BMS_GET_VALUES.name(), Some("BMS_GET_VALUES"));
        assert_eq!(CommandId::MOTOR_ESTOP, CommandId(159));
        assert_eq!(CommandId::named().count(), 160);
        for (index, id) in CommandId::named().enumerate() {
            assert_eq!(usize::from(id.0), index);
            assert_eq!(id.to_string().parse(), Ok(id));
        }
    }

    #[test]
    fn an_unknown_id_shows_its_number_and_reads_back() {
        assert_eq!(CommandId(200).to_string(), "0xc8");
        assert_eq!("0xc8".parse(), Ok(CommandId(200)));
        assert_eq!("ping-can".parse(), Ok(CommandId::PING_CAN));
        assert!("BMS_GET_VALUE".parse::<CommandId>().is_err());
    }
}
