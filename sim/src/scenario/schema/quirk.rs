//! Quirks: which odd behaviour is switched on, with which parameters.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::scenario::duration::Duration;

/// An odd behaviour of the real hub or firmware, or what is believed to be one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Quirk {
    /// A session that is too slow between two requests is forgotten.
    SessionReset(SessionReset),
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
