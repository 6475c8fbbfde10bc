//! Quirks of devices that are switched on and off while a hub runs.

use crate::{
    device::Origin,
    hub::{core::Hub, resident::Mounted, steer_error::SteerError, views::QuirkView},
    quirk::{QuirkEntry, catalogue},
    suggest,
    time::Time,
};

impl Hub {
    /// All quirks that a device can have, and which of them are on.
    ///
    /// # Errors
    /// If there is no such device, or it is one from outside.
    pub fn quirks(&mut self, id: &str) -> Result<Vec<QuirkView>, SteerError> {
        let mounted = self.mounted(id)?;
        let view = |info: &crate::quirk::QuirkInfo| {
            let on = mounted.iter().find(|one| one.quirk.name() == info.name);
            QuirkView {
                name: info.name,
                about: info.about,
                provenance: info.provenance.to_string(),
                on: on.is_some(),
                parameters: on.map(|on| on.quirk.parameters()),
                by: on.map(|on| on.by),
                fired: on.map_or(0, |on| on.fired),
            }
        };
        let all = catalogue().iter().map(view).collect();
        self.rooms.settle();
        Ok(all)
    }

    /// Switches a quirk on, behind those that are; one with this name is replaced. What it has to do at the beginning of
    /// a session it does in the next one.
    ///
    /// # Errors
    /// If there is no such device, or it is one from outside.
    pub fn set_quirk(&mut self, now: Time, id: &str, entry: &QuirkEntry) -> Result<(), SteerError> {
        self.catch_up(now);
        let name = entry.info().name;
        let mounted = self.mounted(id)?;
        let new = Mounted::new(entry.arm(), Origin::Control);
        match mounted.iter_mut().find(|one| one.quirk.name() == name) {
            Some(old) => *old = new,
            None => mounted.push(new),
        }
        let id = self.known_id(id)?;
        self.steered(now, Some(&id), format!("quirk {name} on"));
        self.follow(now);
        Ok(())
    }

    /// Switches a quirk off, one of the scenario too.
    ///
    /// # Errors
    /// If there is no such device, or the quirk is not on.
    pub fn remove_quirk(&mut self, now: Time, id: &str, name: &str) -> Result<(), SteerError> {
        self.catch_up(now);
        let known = self.known_id(id)?;
        let mounted = self.mounted(id)?;
        let Some(index) = mounted.iter().position(|one| one.quirk.name() == name) else {
            let on = mounted.iter().map(|one| one.quirk.name());
            return Err(SteerError::NoSuchQuirk {
                id: known,
                name: name.to_owned(),
                closest: suggest::closest(name, on),
            });
        };
        let name = mounted.remove(index).quirk.name();
        self.steered(now, Some(&known), format!("quirk {name} off"));
        self.follow(now);
        Ok(())
    }

    fn mounted(&mut self, id: &str) -> Result<&mut Vec<Mounted>, SteerError> {
        let known = self.known_id(id)?;
        let room = self.room(id)?;
        let resident = room.resident();
        let resident = resident.ok_or(SteerError::Outside { id: known })?;
        Ok(&mut resident.quirks)
    }
}
