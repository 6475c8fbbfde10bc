//! A scenario that was run: what was seen, and the verdict.

use std::time::Duration;

use super::{Outcome, Played, Verdict};

/// A scenario that was run with a client.
#[derive(Debug)]
pub struct Run {
    /// The scenario: its file's name without its ending.
    pub name: String,
    /// What the scenario is about.
    pub about: String,
    /// The client: its command, or the name of a built-in client.
    pub client: String,
    /// The seed of everything random.
    pub seed: u64,
    /// The name of the client's task; `None` if no outside client can do it.
    pub task: Option<&'static str>,
    /// What was seen; `None` if the client was not started.
    pub played: Option<Played>,
    /// The verdict.
    pub verdict: Verdict,
    /// How long the run took by the real clock.
    pub wall: Duration,
}

impl Run {
    /// The verdict in a word.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.verdict.outcome()
    }

    /// The traffic as a pcapng file; empty if the client was not started.
    #[must_use]
    pub fn capture(&self) -> &[u8] {
        self.played.as_ref().map_or(&[], |played| &played.capture)
    }

    /// How long the session took, by the clock of the run.
    #[must_use]
    pub fn took(&self) -> Duration {
        self.played.as_ref().map(Played::took).unwrap_or_default()
    }
}
