//! One device id: its device, of our own or from outside, and the tool that is attached.
//!
//! ```text
//!  tool bytes -> parser, quirks, device -> encode -> tool bytes      a device of our own
//!  tool bytes -----------> device's connection --> tool bytes        a device from outside
//!                \---------------\------------> journal
//! ```

use veschub_wire::{Reply, encode};

use super::{
    Access, ConnId, HubConfig, Resident,
    relay::Relay,
    resident::{Said, Virtual},
};
use crate::{
    device::DeviceOutput,
    journal::{Happening, JournalEntry},
    time::Time,
};

pub(super) struct Room {
    id: String,
    access: Access,
    occupant: Occupant,
    tool: Option<ConnId>,
    output: Vec<(ConnId, Vec<u8>)>,
    journal: Vec<JournalEntry>,
}

enum Occupant {
    Virtual(Virtual),
    Relayed(Relay),
}

impl Room {
    /// The room of a device of our own.
    pub(super) fn of_resident(id: String, resident: Resident) -> Self {
        let access = resident.access.clone();
        Self::new(id, access, Occupant::Virtual(Virtual::new(resident)))
    }

    /// The room of a device from outside.
    pub(super) fn of_relay(id: String, relay: Relay) -> Self {
        Self::new(id, Access::Anyone, Occupant::Relayed(relay))
    }

    fn new(id: String, access: Access, occupant: Occupant) -> Self {
        Self {
            id,
            access,
            occupant,
            tool: None,
            output: Vec::new(),
            journal: Vec::new(),
        }
    }

    pub(super) fn allows(&self, password: &str) -> bool {
        match &self.occupant {
            Occupant::Virtual(_) => self.access.allows(password),
            Occupant::Relayed(relay) => relay.allows(password),
        }
    }

    pub(super) fn tool(&self) -> Option<ConnId> {
        self.tool
    }

    /// The connection of the device, if it is from outside.
    pub(super) fn device(&self) -> Option<ConnId> {
        match &self.occupant {
            Occupant::Virtual(_) => None,
            Occupant::Relayed(relay) => Some(relay.conn),
        }
    }

    /// Makes a connection the tool of this device, and says which one it replaces.
    pub(super) fn attach(&mut self, now: Time, conn: ConnId, config: &HubConfig) -> Option<ConnId> {
        let replaced = self.tool.replace(conn);
        if let Some(old) = replaced {
            self.note_half_frame(now, old);
        }
        if let Occupant::Virtual(device) = &mut self.occupant {
            if !config.half_frames_stay {
                device.flush_parser();
            }
            if !config.late_replies {
                device.drop_pending();
            }
            device.session_begins(now);
        }
        replaced
    }

    pub(super) fn detach(&mut self, now: Time, conn: ConnId) {
        if self.tool == Some(conn) {
            self.tool = None;
        }
        self.note_half_frame(now, conn);
    }

    fn note_half_frame(&mut self, now: Time, left_by: ConnId) {
        if let Occupant::Virtual(device) = &self.occupant {
            let bytes = device.half_frame();
            if bytes > 0 {
                self.note(now, Some(left_by), Happening::HalfFrameLeft { bytes });
            }
        }
    }

    pub(super) fn tool_bytes(&mut self, now: Time, conn: ConnId, bytes: &[u8]) {
        match &mut self.occupant {
            Occupant::Virtual(device) => {
                device.bytes(now, bytes);
                self.drain_device(Some(conn));
            }
            Occupant::Relayed(relay) => {
                let heard = relay.hear_tool(bytes);
                self.output.push((relay.conn, bytes.to_vec()));
                for what in heard {
                    self.note(now, Some(conn), what);
                }
            }
        }
    }

    /// What a device from outside says.
    pub(super) fn device_bytes(&mut self, now: Time, bytes: &[u8], config: &HubConfig) {
        let Occupant::Relayed(relay) = &mut self.occupant else {
            return;
        };
        let Some(tool) = self.tool else {
            let lost = relay.keep(bytes, config.max_kept);
            if lost > 0 {
                self.note(now, None, Happening::Unheard { bytes: lost });
            }
            return;
        };
        let mut all = relay.take_early();
        all.extend_from_slice(bytes);
        let heard = relay.hear_device(&all);
        self.output.push((tool, all));
        for what in heard {
            self.note(now, Some(tool), what);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        match &self.occupant {
            Occupant::Virtual(device) => device.poll_timeout(),
            Occupant::Relayed(_) => None,
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Time) {
        if let Occupant::Virtual(device) = &mut self.occupant {
            device.handle_timeout(now);
        }
        self.drain_device(self.tool);
    }

    fn drain_device(&mut self, conn: Option<ConnId>) {
        while let Occupant::Virtual(device) = &mut self.occupant
            && let Some((at, said)) = device.poll_said()
        {
            match said {
                Said::Note(what) => self.note(at, conn, what),
                Said::Output(DeviceOutput::Reply { payload, truth, .. }) => {
                    self.reply(at, payload, truth);
                }
                Said::Output(DeviceOutput::Ignored { command, why, .. }) => {
                    self.note(at, self.tool, Happening::Ignored { command, why });
                }
            }
        }
    }

    /// Sends a reply to whoever is the tool by now: the pipe has no owners.
    fn reply(&mut self, at: Time, payload: Vec<u8>, truth: Option<Box<Reply>>) {
        let Some(conn) = self.tool else {
            self.note(at, None, Happening::NobodyThere(payload));
            return;
        };
        if let Some(frame) = encode(&payload) {
            self.output.push((conn, frame));
            self.note(at, Some(conn), Happening::Reply { payload, truth });
        }
    }

    pub(super) fn drain_output(&mut self) -> impl Iterator<Item = (ConnId, Vec<u8>)> {
        self.output.drain(..)
    }

    pub(super) fn drain_journal(&mut self) -> impl Iterator<Item = JournalEntry> {
        self.journal.drain(..)
    }

    fn note(&mut self, at: Time, conn: Option<ConnId>, what: Happening) {
        self.journal.push(JournalEntry {
            at,
            conn,
            device: Some(self.id.clone()),
            what,
        });
    }
}
