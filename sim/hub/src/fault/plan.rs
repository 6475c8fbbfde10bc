//! Which faults a link is to have, before there is one.

use std::{fmt, sync::Arc};

use veschub_transcript::Direction;

use super::{Armed, Fault, Trigger};

/// The most faults in one plan.
pub const MAX_FAULTS: usize = 32;

/// Faults for both directions of any number of sessions, in their order.
#[derive(Clone, Default)]
pub struct FaultPlan {
    faults: Vec<Planned>,
}

#[derive(Clone)]
struct Planned {
    direction: Direction,
    name: &'static str,
    make: Arc<dyn Fn() -> Armed + Send + Sync>,
}

impl FaultPlan {
    /// Adds a fault behind those that are there; each session gets a copy of its own.
    pub fn add(
        &mut self,
        direction: Direction,
        fault: impl Fault + Clone + Sync + 'static,
        trigger: Trigger,
    ) {
        self.faults.push(Planned {
            direction,
            name: fault.name(),
            make: Arc::new(move || Armed::new(fault.clone(), trigger.clone())),
        });
    }

    /// Fresh faults for one direction of one session, in their order.
    #[must_use]
    pub fn arm(&self, direction: Direction) -> Vec<Armed> {
        let planned = self.faults.iter();
        planned
            .filter(|planned| planned.direction == direction)
            .map(|planned| (planned.make)())
            .collect()
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
            .map(|planned| (planned.direction, planned.name))
    }
}

impl fmt::Debug for FaultPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}
