//! Signals that end a client, and how long what it started is watched.

use std::time::Duration;

/// A signal that ends a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
pub enum Blow {
    /// It ends the client's own process at once, and no process that it started.
    #[serde(rename = "SIGKILL")]
    Kill,
    /// It tells the client to end.
    #[serde(rename = "SIGTERM")]
    Term,
}

impl Blow {
    /// The signal's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kill => "SIGKILL",
            Self::Term => "SIGTERM",
        }
    }
}

/// How long what a killed client started is watched before it is ended, too.
pub(crate) const WAKE: Duration = Duration::from_millis(1500);
