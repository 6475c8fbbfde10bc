//! What holds for every room of a hub.

use super::{faults::Faults, profile::HubConfig};
use crate::rng::Seed;

/// What holds for every room.
pub(super) struct Rules {
    pub(super) config: HubConfig,
    /// Harm to the links between tools and devices.
    pub(super) faults: Faults,
    /// Decides what is random about it.
    pub(super) seed: Seed,
}
