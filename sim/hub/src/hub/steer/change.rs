//! Connections that are ended, and devices that come, go, and are out of reach for a while.

use veschub_wire::login::normalise_id;

use crate::{
    conn::ConnId,
    device::Origin,
    fault::FaultEntry,
    hub::{core::Hub, resident::Resident, room::Room, steer_error::SteerError},
    journal::{Closed, JournalEntry, JournalEvent},
    suggest,
    time::Time,
};

impl Hub {
    /// The room of a device that is steered.
    pub(super) fn room(&mut self, id: &str) -> Result<&mut Room, SteerError> {
        let id = normalise_id(id);
        if self.rooms.get(&id).is_none() {
            let closest = suggest::closest(&id, self.rooms.ids()).map(str::to_owned);
            return Err(SteerError::NoSuchDevice { id, closest });
        }
        let missing = SteerError::NoSuchDevice {
            id: id.clone(),
            closest: None,
        };
        self.rooms.get_mut(&id).ok_or(missing)
    }

    /// The id of a device that is steered, as the hub spells it.
    pub(super) fn known_id(&mut self, id: &str) -> Result<String, SteerError> {
        Ok(self.room(id)?.id().to_owned())
    }

    /// Tells the journal what was done, then does what follows from it.
    pub(super) fn steered(&mut self, now: Time, device: Option<&str>, text: String) {
        self.outbox.journal.push_back(JournalEntry {
            at: now,
            conn: None,
            device: device.map(Into::into),
            event: JournalEvent::Steered { text },
        });
    }

    /// Does what was due by now, at its own time, before something is changed.
    pub(super) fn catch_up(&mut self, now: Time) {
        self.handle_timeout(now);
    }

    /// Does what the rooms want done after something was changed.
    pub(super) fn follow(&mut self, now: Time) {
        self.collect(now);
        self.rooms.settle();
    }

    /// Tells the journal what was done outside of the hub, such as that it does not listen any more.
    pub fn tell(&mut self, now: Time, text: impl Into<String>) {
        self.catch_up(now);
        self.steered(now, None, text.into());
    }

    /// Ends a connection in an orderly way.
    ///
    /// # Errors
    /// If there is no such connection.
    pub fn kick(&mut self, now: Time, conn: ConnId) -> Result<(), SteerError> {
        self.catch_up(now);
        if !self.unsent.contains_key(&conn) {
            return Err(SteerError::NoSuchSession { connection: conn.0 });
        }
        let text = "ended the connection".to_owned();
        self.note(now, conn, JournalEvent::Steered { text });
        self.leave(now, conn, Closed::Kicked);
        self.poll_lobby(now);
        self.follow(now);
        Ok(())
    }

    /// Puts a device out of reach: its tool is disconnected as if the device had dropped its link, and logins are refused
    /// as for an unknown device. The device itself goes on. Nothing happens to one that is out of reach already.
    ///
    /// # Errors
    /// If there is no such device.
    pub fn unplug(&mut self, now: Time, id: &str) -> Result<(), SteerError> {
        self.catch_up(now);
        let room = self.room(id)?;
        if room.is_unplugged() {
            return Ok(());
        }
        let tool = room.unplug();
        let id = room.id().to_owned();
        self.steered(now, Some(&id), "unplugged".to_owned());
        self.outbox.draining.extend(tool);
        self.follow(now);
        Ok(())
    }

    /// Puts a device into reach again.
    ///
    /// # Errors
    /// If there is no such device.
    pub fn plug(&mut self, now: Time, id: &str) -> Result<(), SteerError> {
        self.catch_up(now);
        let room = self.room(id)?;
        if room.is_unplugged() {
            room.plug();
            let id = room.id().to_owned();
            self.steered(now, Some(&id), "plugged in".to_owned());
        }
        self.follow(now);
        Ok(())
    }

    /// Restarts a device as REBOOT does: an Express drops its link, the others only fall silent for a while.
    ///
    /// # Errors
    /// If there is no such device, or it cannot restart.
    pub fn reboot(&mut self, now: Time, id: &str) -> Result<(), SteerError> {
        self.catch_up(now);
        let id = self.known_id(id)?;
        let entry = self.outbox.journal.len();
        let Some(room) = self.rooms.get_mut(&id) else {
            return Ok(());
        };
        let is_outside = room.own().is_none();
        if !room.reboot(now, &mut self.outbox) {
            self.follow(now);
            return Err(match is_outside {
                true => SteerError::Outside { id },
                false => SteerError::CannotReboot { id },
            });
        }
        // What was done comes before what follows from it.
        self.outbox.journal.insert(
            entry,
            JournalEntry {
                at: now,
                conn: None,
                device: Some(id.into()),
                event: JournalEvent::Steered {
                    text: "restarted".to_owned(),
                },
            },
        );
        self.follow(now);
        Ok(())
    }

    /// Removes a device, with its faults and breakpoints; its tool is disconnected. A device from outside is disconnected
    /// as well.
    ///
    /// # Errors
    /// If there is no such device, or it serves directly.
    pub fn remove(&mut self, now: Time, id: &str) -> Result<(), SteerError> {
        self.catch_up(now);
        let id = self.known_id(id)?;
        if self.direct.is_some() {
            return Err(SteerError::ServesDirectly);
        }
        self.steered(now, Some(&id), "removed".to_owned());
        self.forget(&id);
        if let Some(room) = self.rooms.remove(&id) {
            if let Some(device) = room.device() {
                self.close(now, device, Closed::Kicked);
            }
            self.evict_tool(now, room);
        }
        self.follow(now);
        Ok(())
    }

    /// Adds a device, and faults that harm only the links to it; its id as the hub spells it.
    ///
    /// # Errors
    /// If there is a device with this id, the device of this hub serves directly, or there are too many faults.
    pub fn insert(
        &mut self,
        now: Time,
        resident: Resident,
        faults: Vec<FaultEntry>,
    ) -> Result<String, SteerError> {
        self.catch_up(now);
        let id = normalise_id(&resident.id);
        if self.direct.is_some() {
            return Err(SteerError::ServesDirectly);
        }
        if self.rooms.get(&id).is_some() {
            return Err(SteerError::DeviceExists { id });
        }
        self.has_room_for(faults.len())?;
        for fault in faults {
            self.rules
                .faults
                .add(Some(id.clone()), fault, Origin::Control);
        }
        self.rooms
            .insert(&id, Room::of_resident(id.clone(), resident));
        self.steered(now, Some(&id), "added".to_owned());
        self.follow(now);
        Ok(id)
    }

    /// Forgets what is about a device that goes.
    pub(super) fn forget(&mut self, id: &str) {
        self.rules.faults.forget(id);
        self.outbox.stops.forget(id);
    }
}
