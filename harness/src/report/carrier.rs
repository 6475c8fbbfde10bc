//! What a case carries that is not about values.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use veschub_wire::CommandId;

use super::name::Id;

/// What is carried.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Carrier {
    /// BMS_GET_VALUES, through the tasks `poll-bms` and `read-bms`.
    #[default]
    Bms,
    /// GET_VALUES inside of FORWARD_CAN, through the task `read-motor`.
    Motor,
    /// FW_VERSION, through the task `read`.
    Firmware,
}

impl fmt::Display for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bms => "BMS values",
            Self::Motor => "motor values",
            Self::Firmware => "the firmware version",
        })
    }
}

impl Carrier {
    /// All of them, in the order in which a client is asked for them.
    pub const ALL: [Self; 3] = [Self::Bms, Self::Motor, Self::Firmware];

    /// The command of its reply.
    #[must_use]
    pub fn reply(self) -> CommandId {
        match self {
            Self::Bms => CommandId::BMS_GET_VALUES,
            Self::Motor => CommandId::GET_VALUES,
            Self::Firmware => CommandId::FW_VERSION,
        }
    }

    /// The one with this reply.
    #[must_use]
    pub fn of(reply: CommandId) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.reply() == reply)
    }

    /// The case about its values: one that a client must pass to show by its readings that a reply arrived.
    #[must_use]
    pub fn values(self) -> Id {
        let (section, number) = match self {
            Self::Bms => (5, 40),
            Self::Motor => (9, 1),
            Self::Firmware => (10, 1),
        };
        Id { section, number }
    }
}
