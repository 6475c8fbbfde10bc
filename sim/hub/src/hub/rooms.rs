//! All devices by their ids, and which of them is to be called next.
//!
//! A hub may have thousands of devices, of which few have something to do. What an event costs must not depend on the
//! others, so only rooms that were touched are asked when they want to be called.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    sync::Arc,
};

use super::room::Room;
use crate::time::Time;

/// The rooms of a hub.
#[derive(Default)]
pub(super) struct Rooms {
    rooms: BTreeMap<Arc<str>, Entry>,
    /// The rooms that wait for a moment, the earliest first.
    due: BTreeSet<(Time, Arc<str>)>,
    /// The rooms that may wait for another moment than `due` says.
    touched: Vec<Arc<str>>,
}

struct Entry {
    id: Arc<str>,
    room: Room,
    due: Option<Time>,
    is_touched: bool,
}

impl Rooms {
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.rooms.keys().map(|id| &**id)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Room> {
        self.rooms.values().map(|entry| &entry.room)
    }

    pub(super) fn get(&self, id: &str) -> Option<&Room> {
        self.rooms.get(id).map(|entry| &entry.room)
    }

    /// A room to change; [`settle`](Self::settle) then asks it when it wants to be called.
    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Room> {
        let entry = self.rooms.get_mut(id)?;
        if !mem::replace(&mut entry.is_touched, true) {
            self.touched.push(Arc::clone(&entry.id));
        }
        Some(&mut entry.room)
    }

    /// Adds a room; it takes the place of one with the same id.
    pub(super) fn insert(&mut self, id: &str, room: Room) {
        self.remove(id);
        let id = Arc::from(id);
        self.touched.push(Arc::clone(&id));
        let entry = Entry {
            id: Arc::clone(&id),
            room,
            due: None,
            is_touched: true,
        };
        self.rooms.insert(id, entry);
    }

    pub(super) fn remove(&mut self, id: &str) -> Option<Room> {
        let entry = self.rooms.remove(id)?;
        if let Some(due) = entry.due {
            self.due.remove(&(due, entry.id));
        }
        Some(entry.room)
    }

    /// Asks the touched rooms when they want to be called.
    pub(super) fn settle(&mut self) {
        for id in self.touched.drain(..) {
            let Some(entry) = self.rooms.get_mut(&id) else {
                continue;
            };
            entry.is_touched = false;
            let due = entry.room.poll_timeout();
            if due == entry.due {
                continue;
            }
            if let Some(old) = mem::replace(&mut entry.due, due) {
                self.due.remove(&(old, Arc::clone(&id)));
            }
            self.due.extend(due.map(|due| (due, id)));
        }
    }

    /// The earliest moment for which a room waits, as of the last [`settle`](Self::settle).
    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.due.first().map(|&(due, _)| due)
    }

    /// The rooms that wait for this moment or an earlier one, in the order of their ids.
    pub(super) fn due_by(&self, now: Time) -> Vec<Arc<str>> {
        let due = self.due.iter().take_while(|&&(due, _)| due <= now);
        let mut ids: Vec<Arc<str>> = due.map(|(_, id)| Arc::clone(id)).collect();
        ids.sort_unstable();
        ids
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use veschub_wire::encode;

    use crate::{
        device::{Device, Out},
        hub::{Access, ConnId, Event, Hub, HubConfig, Output, Resident, room::ASKED},
        time::Time,
    };

    /// Answers after 10 ms.
    #[derive(Default)]
    struct Slow {
        due: Option<Time>,
    }

    impl Device for Slow {
        fn handle(&mut self, now: Time, _payload: &[u8], _out: &mut Out) {
            self.due = Some(now + Duration::from_millis(10));
        }

        fn poll_timeout(&self) -> Option<Time> {
            self.due
        }

        fn handle_timeout(&mut self, now: Time, out: &mut Out) {
            if self.due.take_if(|due| *due <= now).is_some() {
                out.reply(now, vec![0], None);
            }
        }
    }

    /// How many rooms are asked while a tool asks its device 100 times, at a hub with this many devices.
    fn rooms_asked(devices: usize) -> usize {
        let resident = |index| Resident {
            id: format!("demo-{index:05}"),
            access: Access::Anyone,
            device: Box::<Slow>::default(),
            link: None,
            quirks: Vec::new(),
        };
        let mut hub = Hub::new(HubConfig::ideal(), (0..devices).map(resident).collect());
        let tool = ConnId(1);
        hub.handle(Time::ZERO, tool, Event::Opened);
        hub.handle(Time::ZERO, tool, Event::Bytes(b"VESCTOOL:demo-00001:x\n"));
        let request = encode(&[0]).unwrap();
        let before = ASKED.get();
        let (mut now, mut replies) = (Time::ZERO, 0);
        for _ in 0..100 {
            hub.handle(now, tool, Event::Bytes(&request));
            now = hub.poll_timeout().unwrap();
            hub.handle_timeout(now);
            while let Some((_, output)) = hub.poll_output() {
                replies += usize::from(matches!(output, Output::Write(_)));
            }
            while hub.poll_journal().is_some() {}
        }
        assert_eq!(replies, 100);
        ASKED.get() - before
    }

    #[test]
    fn what_an_exchange_costs_does_not_depend_on_the_number_of_devices() {
        assert_eq!(rooms_asked(1000), rooms_asked(10));
        assert!(rooms_asked(10) <= 1000, "{}", rooms_asked(10));
    }
}
