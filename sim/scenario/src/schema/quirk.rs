//! Quirks: which odd behaviour is switched on, with which parameters.

use schemars::JsonSchema;
use serde::Deserialize;

use veschub_wire::CommandId;

use super::CommandName;
use crate::duration::Duration;

/// An odd behaviour of the real hub or firmware, or what is believed to be one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Quirk {
    /// A session that is too slow between two requests is forgotten.
    SessionReset(SessionReset),
    /// The BMS answers only after GET_CUSTOM_CONFIG and PING_CAN were sent.
    NeedsSetup(NeedsSetup),
    /// A reply to an earlier tool's request comes in the new tool's session.
    StaleReply(StaleReply),
    /// Replies to GET_CUSTOM_CONFIG go to another interface.
    ConfigGoesElsewhere(ConfigGoesElsewhere),
}

impl Quirk {
    /// Its name in scenarios and reports.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::SessionReset(_) => "session-reset",
            Self::NeedsSetup(_) => "needs-setup",
            Self::StaleReply(_) => "stale-reply",
            Self::ConfigGoesElsewhere(_) => "config-goes-elsewhere",
        }
    }
}

/// The parameters of `session-reset`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionReset {
    /// The longest gap between two requests that the session survives.
    #[serde(default = "max_gap")]
    pub max_gap: Duration,
}

fn max_gap() -> Duration {
    Duration(250_000_000)
}

/// The parameters of `needs-setup`: none.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NeedsSetup {}

/// The parameters of `stale-reply`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StaleReply {
    /// What the earlier tool asked.
    #[serde(default = "bms_get_values")]
    pub command: CommandName,
}

/// The parameters of `config-goes-elsewhere`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigGoesElsewhere {
    /// Of so many configs one goes elsewhere, the first one first.
    #[serde(default = "each")]
    pub every: u32,
}

fn bms_get_values() -> CommandName {
    CommandName(CommandId::BMS_GET_VALUES)
}

fn each() -> u32 {
    1
}
