//! Values of devices that are pinned, ramped and released.

use crate::{
    device::{Device, Release, SetCommand, SetError},
    hub::{core::Hub, steer_error::SteerError},
    time::Time,
};

impl Hub {
    /// Sets a value of a device from now on, or of a node on its CAN bus; it wins over what the scenario sets.
    ///
    /// # Errors
    /// If there is no such device, node or field, or it cannot have this value.
    pub fn set(
        &mut self,
        now: Time,
        id: &str,
        can_id: Option<u8>,
        command: &SetCommand,
    ) -> Result<(), SteerError> {
        self.change(now, id, can_id, command.done(), |device| {
            device.set(now, can_id, command)
        })
    }

    /// Releases what was set: without a field all, without an item the whole field. What the scenario sets comes back.
    ///
    /// # Errors
    /// If there is no such device, node or field, or control has not set that field.
    pub fn release(
        &mut self,
        now: Time,
        id: &str,
        can_id: Option<u8>,
        release: &Release,
    ) -> Result<(), SteerError> {
        self.change(now, id, can_id, release.done(), |device| {
            device.release(now, can_id, release)
        })
    }

    fn change(
        &mut self,
        now: Time,
        id: &str,
        can_id: Option<u8>,
        mut text: String,
        change: impl FnOnce(&mut dyn Device) -> Result<(), SetError>,
    ) -> Result<(), SteerError> {
        self.catch_up(now);
        let id = self.known_id(id)?;
        let room = self.room(&id)?;
        let done = match room.own() {
            Some(device) => change(device).map_err(SteerError::from),
            None => Err(SteerError::Outside { id: id.clone() }),
        };
        if done.is_ok() {
            if let Some(can_id) = can_id {
                text.push_str(&format!(" of CAN id {can_id}"));
            }
            self.steered(now, Some(&id), text);
        }
        self.follow(now);
        done
    }
}
