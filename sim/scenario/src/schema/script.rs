//! Replies that a scenario writes byte by byte, and texts that a device prints.

use schemars::JsonSchema;
use serde::Deserialize;
use veschub_hub::hex::{Hex, HexPattern};

use crate::duration::Duration;

/// Replies to a request, byte by byte. Several entries for the same request are used in turn, the last one again and
/// again.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScriptedReply {
    /// The request's payload in hex, command id first, e.g. `"24 01"`; a `*` at the end stands for any bytes.
    pub request: HexPattern,
    /// The payloads that the device sends back, each in hex: one, several, or none.
    pub reply: Vec<Hex>,
    /// The time from the request's arrival to the replies' departure, e.g. `20ms`; the device's `reply_after` unless
    /// given.
    #[serde(default)]
    pub after: Option<Duration>,
    /// What the device sends behind the replies as it is, in hex, whether it is a frame or not: one piece, or several.
    #[serde(default)]
    pub bytes: Vec<Hex>,
    /// The time from one piece of `bytes` to the next, e.g. `5ms`; none unless given.
    #[serde(default)]
    pub gap: Option<Duration>,
    /// Whether the device restarts behind all this, so that the hub closes the client's connection.
    #[serde(default)]
    pub restart: bool,
}

/// What a command of the terminal prints.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TerminalAnswer {
    /// The whole line that the tool sends, e.g. `help`.
    pub command: String,
    /// The texts that the device prints after it has repeated the line, one message for each.
    #[serde(default)]
    pub prints: Vec<String>,
    /// How long the command runs, e.g. `2s`; meanwhile the device starts no other long command.
    #[serde(default)]
    pub after: Option<Duration>,
}

/// A text that the device prints without being asked.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrintAt {
    /// When the device prints it, counted from the start of the run, e.g. `1.5s`.
    pub at: Duration,
    /// The text.
    pub text: String,
}
