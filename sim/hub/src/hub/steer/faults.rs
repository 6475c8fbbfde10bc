//! Faults that come and go while a hub runs.

use veschub_transcript::Direction;

use crate::{
    device::Origin,
    fault::{FaultEntry, FaultId, MAX_FAULTS},
    hub::{core::Hub, faults::Planned, steer_error::SteerError, views::FaultView},
    time::Time,
};

impl Planned {
    fn view(&self) -> FaultView {
        FaultView {
            id: self.id,
            device: self.device.clone(),
            direction: self.entry.direction(),
            name: self.entry.info().name,
            parameters: self.entry.parameters(),
            by: self.by,
            fired: self.fired,
        }
    }
}

impl Hub {
    /// All faults, in the order in which bytes meet them.
    #[must_use]
    pub fn faults(&self) -> Vec<FaultView> {
        self.rules.faults.all().iter().map(Planned::view).collect()
    }

    pub(super) fn has_room_for(&self, more: usize) -> Result<(), SteerError> {
        let there = self.rules.faults.all().len();
        match there + more > MAX_FAULTS.max(there) {
            true => Err(SteerError::TooManyFaults(there)),
            false => Ok(()),
        }
    }

    /// Harms the links of one device, or of all, from now on: of sessions that are open at once, behind the faults that
    /// they have, and of later ones. In an open session `after` and `for` count from now.
    ///
    /// The entry is taken as it is: whoever read it has checked it ([`FaultEntry::check`]).
    ///
    /// # Errors
    /// If there is no such device, or there are too many faults.
    pub fn add_fault(
        &mut self,
        now: Time,
        device: Option<&str>,
        entry: FaultEntry,
    ) -> Result<FaultId, SteerError> {
        self.catch_up(now);
        let device = device.map(|id| self.known_id(id)).transpose()?;
        self.has_room_for(1)?;
        let name = entry.info().name;
        let direction = Direction::from(entry.direction());
        let planned = self
            .rules
            .faults
            .add(device.clone(), entry, Origin::Control);
        let id = planned.id;
        let mut armed = Vec::new();
        for room in self.rooms.all() {
            if planned.is_for(room.id()) && room.tool().is_some() {
                armed.push((room.id().to_owned(), planned.arm()));
            }
        }
        let text = format!("fault {id} on: {name}");
        self.steered(now, device.as_deref(), text);
        for (room, fault) in armed {
            if let Some(room) = self.rooms.get_mut(&room) {
                room.add_fault(now, direction, fault, &mut self.outbox);
            }
        }
        self.follow(now);
        Ok(id)
    }

    /// Ends a fault, of the scenario too; what it holds back comes out now.
    ///
    /// # Errors
    /// If there is no such fault.
    pub fn remove_fault(&mut self, now: Time, id: FaultId) -> Result<(), SteerError> {
        self.catch_up(now);
        let planned = self.rules.faults.remove(id);
        let planned = planned.ok_or(SteerError::NoSuchFault(id))?;
        let direction = Direction::from(planned.entry.direction());
        let text = format!("fault {id} off: {}", planned.entry.info().name);
        self.steered(now, planned.device.as_deref(), text);
        let in_use: Vec<String> = self
            .rooms
            .all()
            .filter(|room| planned.is_for(room.id()) && room.tool().is_some())
            .map(|room| room.id().to_owned())
            .collect();
        for room in in_use {
            if let Some(room) = self.rooms.get_mut(&room) {
                room.remove_fault(now, direction, id, &mut self.outbox);
            }
        }
        for (link, _) in self.draining.values_mut() {
            link.remove(now, id);
        }
        self.poll_draining(now);
        self.follow(now);
        Ok(())
    }
}
