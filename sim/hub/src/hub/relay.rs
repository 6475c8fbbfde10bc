//! A device from outside: a connection that logged in as `VESC:`, piped to its tool byte for byte.
//!
//! The pipe does not wait for frames and changes nothing; the decoders are taps for the journal.

use veschub_wire::{DEVICE_MAX_PAYLOAD, Ear, Heard, Nearly, TOOL_MAX_PAYLOAD};

use crate::{conn::ConnId, journal::JournalEvent, time::Time};

pub(super) struct Relay {
    pub(super) conn: ConnId,
    /// When it logged in.
    pub(super) since: Time,
    password: String,
    /// What the device said before its first tool came: nobody reads a device until then. Nothing once it was read.
    early: Option<Vec<u8>>,
    /// Whether a tool has come.
    had_tool: bool,
    to_device: Ear,
    to_tool: Ear,
}

impl Relay {
    pub(super) fn new(now: Time, conn: ConnId, password: String, keeps_early_bytes: bool) -> Self {
        Self {
            conn,
            since: now,
            password,
            early: keeps_early_bytes.then(Vec::new),
            had_tool: false,
            to_device: Ear::eager(DEVICE_MAX_PAYLOAD),
            to_tool: Ear::eager(TOOL_MAX_PAYLOAD),
        }
    }

    pub(super) fn allows(&self, password: &str) -> bool {
        self.password == password
    }

    /// From now on what the device says is read, whether a tool is there or not.
    pub(super) fn tool_came(&mut self) {
        self.had_tool = true;
    }

    /// What goes to the tool when the device says something: what was kept for the first one comes before it.
    pub(super) fn take_early(&mut self) -> Vec<u8> {
        self.early.take().unwrap_or_default()
    }

    /// Keeps what nobody is there to hear, up to a limit; says how many bytes are lost.
    pub(super) fn keep(&mut self, bytes: &[u8], max: usize) -> usize {
        if self.had_tool {
            return self.take_early().len() + bytes.len();
        }
        let Some(early) = &mut self.early else {
            return bytes.len();
        };
        let room = max.saturating_sub(early.len()).min(bytes.len());
        early.extend_from_slice(&bytes[..room]);
        bytes.len() - room
    }

    pub(super) fn count(&self, load: &mut super::Load) {
        load.early += self.early.as_ref().map_or(0, Vec::len);
        load.unparsed += self.to_device.waiting().len() + self.to_tool.waiting().len();
    }

    /// What a tool's bytes say.
    pub(super) fn hear_tool(&mut self, bytes: &[u8]) -> Vec<JournalEvent> {
        let mut events = Vec::new();
        self.to_device
            .bytes(bytes, &mut |heard| events.push(from_tool(heard)));
        events
    }

    /// What the device's bytes say.
    pub(super) fn hear_device(&mut self, bytes: &[u8]) -> Vec<JournalEvent> {
        let mut events = Vec::new();
        self.to_tool
            .bytes(bytes, &mut |heard| events.push(from_device(heard)));
        events
    }

    /// The tool leaves: the noise that was not told yet, because more could have followed it.
    pub(super) fn tool_left(&mut self) -> Vec<JournalEvent> {
        let mut events = Vec::new();
        self.to_device
            .pause(&mut |heard| events.push(from_tool(heard)));
        self.to_tool
            .pause(&mut |heard| events.push(from_device(heard)));
        events
    }
}

fn from_tool(heard: Heard<'_>) -> JournalEvent {
    match owned(heard) {
        Ok(payload) => JournalEvent::Request(payload),
        Err((bytes, nearly)) => JournalEvent::Noise { bytes, nearly },
    }
}

pub(super) fn from_device(heard: Heard<'_>) -> JournalEvent {
    match owned(heard) {
        Ok(payload) => JournalEvent::Reply {
            payload,
            truth: None,
        },
        Err((bytes, nearly)) => JournalEvent::DeviceNoise { bytes, nearly },
    }
}

/// A payload, or noise and what it nearly was.
pub(super) fn owned(heard: Heard<'_>) -> Result<Vec<u8>, (Vec<u8>, Option<Nearly>)> {
    match heard {
        Heard::Frame { frame, .. } => Ok(frame.payload.to_vec()),
        Heard::Noise { bytes, nearly, .. } => Err((bytes.to_vec(), nearly)),
    }
}
