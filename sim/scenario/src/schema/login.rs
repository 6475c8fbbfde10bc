//! How a client logs in.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::duration::Duration;

/// How a client logs in: with id and password of the first device, unless given.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Login {
    /// The id to log in with, instead of the first device's.
    pub id: Option<String>,
    /// The password to log in with, instead of the first device's.
    pub password: Option<String>,
    /// How long the client waits after its login line: `50ms` unless given, as VESC Tool does. With `0ms` the hub reads
    /// the first request together with the login line.
    pub pause_after: Option<Duration>,
}
