//! Leaving: how connections end, and what that does to others.

use super::{
    core::{Hub, Role},
    io::Output,
    outbox::Draining,
    room::Room,
};
use crate::{
    conn::ConnId,
    fault::LinkOutput,
    journal::{Closed, JournalEntry, JournalEvent},
    time::Time,
};

impl Hub {
    /// The connection of a replaced device has ended late: the hub deletes the entry of its id, which is the
    /// successor's by now.
    pub(super) fn ended(&mut self, now: Time, conn: ConnId) {
        if let Some((id, _)) = self.ending.remove(&conn)
            && let Some(room) = self.rooms.remove(&id)
        {
            self.note(now, conn, JournalEvent::EntryDeleted { id });
            self.evict_tool(now, room);
        }
    }

    pub(super) fn evict(&mut self, now: Time, by: ConnId, id: &str, old: Room) {
        if let Some(device) = old.device() {
            let unsent = self.unsent.get(&device).copied().unwrap_or_default();
            if unsent > 0 && self.rules.config.replacement_deletes {
                self.ending.insert(device, (id.to_owned(), unsent));
            }
            self.close(now, device, Closed::Replaced { by });
        }
        self.evict_tool(now, old);
    }

    pub(super) fn evict_tool(&mut self, now: Time, mut room: Room) {
        if let Some(tool) = room.part() {
            self.drain(now, tool, Closed::DeviceLeft);
        }
    }

    /// Closes a tool's connection once everything is off its link.
    pub(super) fn drain(&mut self, now: Time, draining: Draining, how: Closed) {
        let Draining { tool, mut link } = draining;
        if link.is_clear() {
            return self.close(now, tool, how);
        }
        link.eof(now);
        self.members.remove(&tool);
        self.draining.insert(tool, (link, how));
        self.poll_draining(now);
    }

    pub(super) fn poll_draining(&mut self, now: Time) {
        let mut outputs = Vec::new();
        for (&tool, (link, how)) in &mut self.draining {
            link.handle_timeout(now);
            while let Some(fired) = link.poll_fired() {
                self.outbox.fired.extend(fired.id);
                self.outbox.journal.push_back(JournalEntry {
                    at: fired.at,
                    conn: Some(tool),
                    device: None,
                    event: JournalEvent::FaultFired(fired),
                });
            }
            while let Some(output) = link.poll_output(now) {
                outputs.push((tool, output, *how));
            }
        }
        for (tool, output, how) in outputs {
            match output {
                LinkOutput::Bytes(_, bytes) => self.send(now, tool, bytes),
                LinkOutput::Fin(_) => self.close(now, tool, how),
                LinkOutput::Reset(_) => self.close(now, tool, Closed::BrokenOff),
            }
        }
    }

    /// The peer of a connection left.
    pub(super) fn gone(&mut self, now: Time, conn: ConnId, how: Closed) {
        self.ended(now, conn);
        self.lobby.leave(conn);
        self.leave(now, conn, how);
    }

    /// Takes a connection out of its room, if it is in one, and ends it.
    pub(super) fn leave(&mut self, now: Time, conn: ConnId, how: Closed) {
        let member = self.members.get(&conn).cloned();
        match member {
            Some((Role::Tool, id)) => {
                if let Some(room) = self.rooms.get_mut(&id) {
                    room.detach(now, conn, &mut self.outbox);
                }
                self.close(now, conn, how);
                self.drop_waiting(now);
            }
            Some((Role::Device, id)) => {
                self.close(now, conn, how);
                let own = self
                    .rooms
                    .get(&id)
                    .is_some_and(|room| room.device() == Some(conn));
                if own && let Some(room) = self.rooms.remove(&id) {
                    self.evict_tool(now, room);
                }
            }
            None => self.close(now, conn, how),
        }
    }

    /// Drops the connections that waited for a device which serves directly.
    pub(super) fn drop_waiting(&mut self, now: Time) {
        let mut turned = Vec::new();
        let Some(direct) = &mut self.direct else {
            return;
        };
        let mut room = self.rooms.get_mut(&direct.id);
        for conn in std::mem::take(&mut direct.waiting) {
            let turned_away = room.as_mut().and_then(|room| room.turns_away(now, true));
            let how = match &turned_away {
                Some(_) => Closed::BrokenOff,
                None => Closed::Refused,
            };
            turned.push((conn, turned_away, how));
        }
        for (conn, turned_away, how) in turned {
            if let Some(event) = turned_away {
                self.note(now, conn, event);
            }
            self.close(now, conn, how);
        }
    }

    pub(super) fn close(&mut self, now: Time, conn: ConnId, how: Closed) {
        if self.unsent.remove(&conn).is_some() {
            let output = match how {
                Closed::PeerReset | Closed::Flooded | Closed::BrokenOff => Output::Abort,
                _ => Output::Close,
            };
            self.outputs.push_back((conn, output));
            self.note(now, conn, JournalEvent::Closed(how));
        }
        self.members.remove(&conn);
        self.draining.remove(&conn);
        self.lobby.forget(conn);
        // Else peers that come and go while the device serves somebody would take memory for ever.
        if let Some(direct) = &mut self.direct {
            direct.waiting.retain(|&waiting| waiting != conn);
        }
    }
}
