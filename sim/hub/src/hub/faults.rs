//! The faults of a hub, each with its number: those of the scenario, and those that came while it ran.

use veschub_transcript::Direction;

use crate::{
    device::Origin,
    fault::{Armed, FaultEntry, FaultId, FaultPlan},
};

/// A fault, and whose links it harms.
pub(super) struct Planned {
    pub(super) id: FaultId,
    /// Only the sessions of this device.
    pub(super) device: Option<String>,
    pub(super) entry: FaultEntry,
    pub(super) by: Origin,
    /// How often the journal told of it.
    pub(super) fired: u64,
}

impl Planned {
    pub(super) fn is_for(&self, device: &str) -> bool {
        self.device.as_deref().is_none_or(|own| own == device)
    }

    /// The fault for one direction of one session.
    pub(super) fn arm(&self) -> Armed {
        Armed {
            id: Some(self.id),
            ..self.entry.arm()
        }
    }
}

/// The faults of a hub in the order in which bytes meet them.
#[derive(Default)]
pub(super) struct Faults {
    all: Vec<Planned>,
    last: u32,
}

impl From<FaultPlan> for Faults {
    fn from(plan: FaultPlan) -> Self {
        let mut faults = Self::default();
        for entry in plan.entries() {
            faults.add(None, entry.clone(), Origin::Scenario);
        }
        faults
    }
}

impl Faults {
    pub(super) fn add(
        &mut self,
        device: Option<String>,
        entry: FaultEntry,
        by: Origin,
    ) -> &Planned {
        self.last += 1;
        let id = FaultId(self.last);
        let index = self.all.len();
        self.all.push(Planned {
            id,
            device,
            entry,
            by,
            fired: 0,
        });
        &self.all[index]
    }

    pub(super) fn remove(&mut self, id: FaultId) -> Option<Planned> {
        let index = self.all.iter().position(|planned| planned.id == id)?;
        Some(self.all.remove(index))
    }

    /// Forgets what a scenario brought.
    pub(super) fn forget_scenario(&mut self) {
        self.all.retain(|planned| planned.by != Origin::Scenario);
    }

    /// Forgets the faults of one device.
    pub(super) fn forget(&mut self, device: &str) {
        self.all
            .retain(|planned| planned.device.as_deref() != Some(device));
    }

    pub(super) fn all(&self) -> &[Planned] {
        &self.all
    }

    /// Fresh faults for one direction of a session with this device, in their order.
    pub(super) fn arm(&self, device: &str, direction: Direction) -> Vec<Armed> {
        let planned = self.all.iter();
        planned
            .filter(|planned| Direction::from(planned.entry.direction()) == direction)
            .filter(|planned| planned.is_for(device))
            .map(Planned::arm)
            .collect()
    }

    /// The journal tells of a fault that was done.
    pub(super) fn count(&mut self, id: FaultId) {
        let planned = self.all.iter_mut().find(|planned| planned.id == id);
        if let Some(planned) = planned {
            planned.fired += 1;
        }
    }
}
