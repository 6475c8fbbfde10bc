//! Which faults a link is to have, before there is one.

use std::fmt;

use veschub_transcript::Direction;

use super::{Armed, FaultEntry};

/// The most faults in one plan.
pub const MAX_FAULTS: usize = 32;

/// Faults for both directions of any number of sessions, in their order.
#[derive(Clone, Default)]
pub struct FaultPlan {
    faults: Vec<FaultEntry>,
}

impl FaultPlan {
    /// Fresh faults for one direction of one session, in their order.
    #[must_use]
    pub fn arm(&self, direction: Direction) -> Vec<Armed> {
        let planned = self.faults.iter();
        planned
            .filter(|planned| Direction::from(planned.direction()) == direction)
            .map(FaultEntry::arm)
            .collect()
    }

    /// The faults, in their order.
    pub fn entries(&self) -> impl Iterator<Item = &FaultEntry> {
        self.faults.iter()
    }

    /// Whether there is no fault in either direction.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }

    /// The faults with their directions, in their order.
    pub fn names(&self) -> impl Iterator<Item = (Direction, &'static str)> {
        self.faults
            .iter()
            .map(|planned| (planned.direction().into(), planned.info().name))
    }
}

impl From<Vec<FaultEntry>> for FaultPlan {
    fn from(faults: Vec<FaultEntry>) -> Self {
        Self { faults }
    }
}

impl fmt::Debug for FaultPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}
