//! One device id: its device, the tool that is attached, and the quirks between them.
//!
//! ```text
//!  tool bytes -> Decoder -> quirks -> Device -> encode -> tool bytes
//!                    \---------\---------\--------> journal
//! ```
//!
//! The decoder belongs to the device, not to the connection: half a frame that a tool leaves behind delays the
//! next tool's requests, as on a real device (`EX main/comm_wifi.c:206-221`).

use veschub_wire::{CommandId, DEVICE_MAX_PAYLOAD, Decoder, Item, encode};

use super::{Access, ConnId, Resident};
use crate::{
    device::{Device, DeviceOutput},
    journal::{Happening, JournalEntry},
    quirk::{Quirk, Ruling},
    time::Time,
};

pub(super) struct Room {
    id: String,
    access: Access,
    device: Box<dyn Device>,
    quirks: Vec<Box<dyn Quirk>>,
    tool: Option<ConnId>,
    decoder: Decoder,
    output: Vec<(ConnId, Vec<u8>)>,
    journal: Vec<JournalEntry>,
}

impl Room {
    pub(super) fn new(id: String, resident: Resident) -> Self {
        Self {
            id,
            access: resident.access,
            device: resident.device,
            quirks: resident.quirks,
            tool: None,
            decoder: Decoder::new(DEVICE_MAX_PAYLOAD),
            output: Vec::new(),
            journal: Vec::new(),
        }
    }

    pub(super) fn allows(&self, password: &str) -> bool {
        self.access.allows(password)
    }

    /// Makes a connection the tool of this device, and says which one it replaces.
    pub(super) fn attach(&mut self, now: Time, conn: ConnId) -> Option<ConnId> {
        for quirk in &mut self.quirks {
            quirk.session_begins(now);
        }
        self.device.session_begins(now);
        let replaced = self.tool.replace(conn);
        if let Some(old) = replaced {
            self.note_half_frame(now, old);
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
        let bytes = self.decoder.waiting();
        if bytes > 0 {
            self.note(now, Some(left_by), Happening::HalfFrameLeft { bytes });
        }
    }

    pub(super) fn tool_bytes(&mut self, now: Time, conn: ConnId, mut bytes: &[u8]) {
        let mut requests = Vec::new();
        while let Some(item) = self.decoder.next(&mut bytes) {
            match item {
                Item::Frame(frame) => requests.push(Ok(frame.payload.to_vec())),
                Item::Noise(noise) => requests.push(Err(noise.bytes.to_vec())),
            }
        }
        for request in requests {
            match request {
                Ok(payload) => self.request(now, conn, payload),
                Err(noise) => self.note(now, Some(conn), Happening::Noise(noise)),
            }
        }
        self.drain_device();
    }

    fn request(&mut self, now: Time, conn: ConnId, payload: Vec<u8>) {
        self.note(now, Some(conn), Happening::Request(payload.clone()));
        for index in 0..self.quirks.len() {
            let quirk = &mut self.quirks[index];
            if let Ruling::Withhold { why } = quirk.request(now, &payload) {
                let quirk = quirk.name();
                let command = CommandId(payload.first().copied().unwrap_or_default());
                let what = Happening::Fired {
                    quirk,
                    command,
                    why,
                };
                self.note(now, Some(conn), what);
                return;
            }
        }
        self.device.handle(now, &payload);
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.device.poll_timeout()
    }

    pub(super) fn handle_timeout(&mut self, now: Time) {
        self.device.handle_timeout(now);
        self.drain_device();
    }

    fn drain_device(&mut self) {
        while let Some(output) = self.device.poll_output() {
            match output {
                DeviceOutput::Reply { at, payload, truth } => self.reply(at, payload, truth),
                DeviceOutput::Ignored { at, command, why } => {
                    self.note(at, self.tool, Happening::Ignored { command, why });
                }
            }
        }
    }

    /// Sends a reply to whoever is the tool by now: the pipe has no owners.
    fn reply(&mut self, at: Time, payload: Vec<u8>, truth: Option<Box<veschub_wire::Reply>>) {
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
