//! What holds for every room of a hub.

use super::profile::HubConfig;
use crate::{fault::FaultPlan, rng::Seed};

/// What holds for every room.
pub(super) struct Rules {
    pub(super) config: HubConfig,
    /// Harm to the links between tools and devices.
    pub(super) faults: FaultPlan,
    /// Decides what is random about it.
    pub(super) seed: Seed,
}
