//! A scenario that is taken anew: other devices and faults in the place of those that it brought.

use std::mem;

use veschub_wire::login::normalise_id;

use crate::{
    device::Origin,
    fault::FaultEntry,
    hub::{core::Hub, resident::Resident, room::Room, steer_error::SteerError},
    journal::Closed,
    time::Time,
};

impl Hub {
    /// Puts devices, and faults for the links to all of them, in the place of those that the hub has: of its own devices
    /// all, of the faults those of a scenario. Their tools are disconnected, as when a device is replaced. Devices from
    /// outside stay, and so does what was steered for all devices. A hub whose device serves directly takes the first one.
    ///
    /// # Errors
    /// If there are too many faults, in which case nothing is changed, or a device from outside has one of the ids: that
    /// one stays, and all others are exchanged.
    pub fn renew(
        &mut self,
        now: Time,
        mut residents: Vec<Resident>,
        faults: Vec<FaultEntry>,
    ) -> Result<(), SteerError> {
        self.catch_up(now);
        let planned = self.rules.faults.all().iter();
        let going = planned.filter(|planned| planned.by == Origin::Scenario);
        let going = going.count();
        self.has_room_for(faults.len().saturating_sub(going))?;
        self.rules.faults.forget_scenario();
        for fault in faults {
            self.rules.faults.add(None, fault, Origin::Scenario);
        }
        self.steered(now, None, "took the scenario anew".to_owned());
        let own = self.rooms.all().filter(|room| room.device().is_none());
        let own: Vec<String> = own.map(|room| room.id().to_owned()).collect();
        for id in own {
            self.forget(&id);
            if let Some(room) = self.rooms.remove(&id) {
                self.evict_tool(now, room);
            }
        }
        if let Some(direct) = &mut self.direct {
            residents.truncate(1);
            for resident in &residents {
                direct.id = normalise_id(&resident.id);
            }
            for waiting in mem::take(&mut direct.waiting) {
                self.close(now, waiting, Closed::DeviceLeft);
            }
        }
        let mut taken = None;
        for resident in residents {
            let id = normalise_id(&resident.id);
            match self.rooms.get(&id) {
                Some(_) => taken = Some(SteerError::DeviceExists { id }),
                None => self
                    .rooms
                    .insert(&id, Room::of_resident(id.clone(), resident)),
            }
        }
        self.follow(now);
        taken.map_or(Ok(()), Err)
    }
}
