//! What somebody sees of a hub.

use serde_json::{Map, Value};
use veschub_transcript::render::FieldsJson;
use veschub_wire::{Reply, view::View as _};

use crate::{
    device::Told,
    hub::{
        core::{Hub, Role},
        room::Room,
        steer_error::SteerError,
        views::{DeviceView, DeviceWithValues, SessionRole, SessionView, ValuesView},
    },
    time::Time,
};

impl Room {
    fn view(&self) -> DeviceView {
        DeviceView {
            id: self.id().to_owned(),
            about: self.about(),
            plugged: !self.is_unplugged(),
            reachable: self.is_here(),
            tool: self.tool().map(|tool| tool.0),
        }
    }
}

impl Hub {
    /// All connections, by their numbers.
    #[must_use]
    pub fn sessions(&self) -> Vec<SessionView> {
        let connections = self.unsent.keys();
        connections
            .map(|&conn| {
                let (role, device) = match self.members.get(&conn) {
                    Some((Role::Tool, id)) => (SessionRole::Tool, Some(id.clone())),
                    Some((Role::Device, id)) => (SessionRole::Device, Some(id.clone())),
                    None => (SessionRole::None, None),
                };
                let room = device.as_deref().and_then(|id| self.rooms.get(id));
                let seen = room.and_then(Room::seen);
                let seen = seen.filter(|seen| seen.tool == conn);
                let outside = room
                    .filter(|room| room.device() == Some(conn))
                    .and_then(Room::outside_since);
                let since = seen.as_ref().map(|seen| seen.since).or(outside);
                SessionView {
                    connection: conn.0,
                    role,
                    device,
                    since: since.map(Time::as_secs_f64),
                    requests: seen.as_ref().map_or(0, |seen| seen.requests),
                    replies: seen.as_ref().map_or(0, |seen| seen.replies),
                    held_bytes: seen.as_ref().map_or(0, |seen| seen.held),
                }
            })
            .collect()
    }

    /// All devices, by their ids.
    #[must_use]
    pub fn devices(&self) -> Vec<DeviceView> {
        self.rooms.all().map(Room::view).collect()
    }

    /// A device with what it would tell now, or what a node on its CAN bus would. Looking changes nothing: what a client
    /// reads later is what it would have read.
    ///
    /// # Errors
    /// If there is no such device or node.
    pub fn device(
        &mut self,
        now: Time,
        id: &str,
        can_id: Option<u8>,
    ) -> Result<DeviceWithValues, SteerError> {
        let room = self.room(id)?;
        let told = match room.own() {
            Some(device) => device.told(now, can_id)?,
            None => Told::default(),
        };
        let view = DeviceWithValues {
            device: room.view(),
            values: ValuesView {
                bms: told.bms.as_ref().map(|reply| fields([reply])),
                motor: match told.motor.is_empty() {
                    true => None,
                    false => Some(fields(&told.motor)),
                },
            },
            pinned: told.pinned,
        };
        self.rooms.settle();
        Ok(view)
    }
}

/// The fields of replies; of two with one name that of the first.
fn fields<'a>(replies: impl IntoIterator<Item = &'a Reply>) -> Value {
    let mut all = Map::new();
    for reply in replies {
        let fields = serde_json::to_value(FieldsJson(&reply.fields()));
        if let Ok(Value::Object(fields)) = fields {
            for (name, value) in fields {
                all.entry(name).or_insert(value);
            }
        }
    }
    Value::Object(all)
}
