//! What a hub holds at a moment, for whoever watches that it does not grow.

use super::core::Hub;

/// How much a hub holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Connections that are open on our side.
    pub connections: usize,
    /// Connections that are logged in, as tools or as devices.
    pub members: usize,
    /// Connections that are about to end, and wait for what was sent to them last.
    pub leaving: usize,
    /// Bytes that were handed on and have not left for the network.
    pub unsent_bytes: usize,
    /// Outputs and journal entries that nobody has taken yet.
    pub waiting: usize,
}

impl Hub {
    /// How much the hub holds now.
    #[must_use]
    pub fn census(&self) -> Census {
        Census {
            connections: self.unsent.len(),
            members: self.members.len(),
            leaving: self.ending.len() + self.draining.len(),
            unsent_bytes: self.unsent.values().sum(),
            waiting: self.outputs.len() + self.outbox.journal.len(),
        }
    }
}
