//! A journal as JSON Lines, written as it goes: one object an entry, always the same keys in the same order.
//!
//! Keys and kinds are those of `veschub-sim decode --json` where that has them. `fields` is what was sent and so the
//! truth for a client; `truth` is what the device held at that moment, which a quirk may have kept back. An entry's
//! `payload` holds secrets unless the entry was [masked](super::Masked) before. `docs/journal.md` is the page for those
//! who read it.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use serde::Serialize;
use veschub_transcript::{Direction, FrameEntry, render::FieldsJson};
use veschub_wire::{
    CommandId, Nearly,
    view::{Fields, Value, View as _, hex},
};

use super::{
    event::{Closed, JournalEntry, JournalEvent},
    kind::EventKind,
};

/// The version of the schema; it changes when a key or a kind changes its meaning or goes.
pub const VERSION: u32 = 1;

/// The first line: what the entries behind it are about.
#[derive(Clone, Debug, Serialize)]
pub struct Start {
    /// Always `start`.
    kind: &'static str,
    /// [`VERSION`].
    journal: u32,
    /// Where the hub listens.
    listening: String,
    /// What decided all that is random, if something is.
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    /// Who is at the hub from the start.
    devices: Vec<Device>,
}

/// A device at the hub, and how tools log in.
#[derive(Clone, Debug, Serialize)]
pub struct Device {
    /// The id to log in with.
    pub id: String,
    /// The password to log in with, masked unless it was asked for; null where any will do.
    pub password: Option<String>,
}

impl Start {
    /// A hub that listens here, with these devices.
    #[must_use]
    pub fn new(listening: String, seed: Option<u64>, devices: Vec<Device>) -> Self {
        Self {
            kind: "start",
            journal: VERSION,
            listening,
            seed,
            devices,
        }
    }

    /// Writes it as a line, at once.
    ///
    /// # Errors
    /// When the output refuses bytes.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        write_line(out, self)
    }
}

/// Writes an entry as a line, in one call. Flush the output before the entry's bytes are on the wire, so that whoever reads
/// along knows of it first.
///
/// # Errors
/// When the output refuses bytes.
pub fn write(out: &mut impl Write, entry: &JournalEntry) -> io::Result<()> {
    let told = Told::of(&entry.event);
    let line = Line {
        at: entry.at.as_nanos() as f64 / 1e9,
        connection: entry.conn.map(|conn| conn.0),
        device: entry.device.as_deref(),
        kind: EventKind::from(&entry.event),
        direction: told.direction.map(Direction::as_str),
        command: told.command.map(|command| command.to_string()),
        payload: told.payload.map(hex),
        fields: told.fields.as_ref().map(FieldsJson),
        truth: told.truth.as_ref().map(FieldsJson),
        name: told.name,
        why: told.why,
        text: entry.event.to_string(),
    };
    write_line(out, &line)
}

/// The line, with its line feed, that stands for entries which a reader did not take in time: kind `left-out`, and how
/// many.
#[must_use]
pub fn left_out(entries: u64) -> Vec<u8> {
    let mut line = Vec::new();
    let told = LeftOut {
        kind: "left-out",
        entries,
        text: format!("{entries} entries left out, as nobody read them"),
    };
    // Writing to memory cannot fail.
    let _ = write_line(&mut line, &told);
    line
}

#[derive(Serialize)]
struct LeftOut {
    kind: &'static str,
    entries: u64,
    text: String,
}

/// In one piece, so that nobody sees half a line of a program that is ended.
fn write_line(out: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    out.write_all(&bytes)
}

/// The promised keys in the promised order.
#[derive(Serialize)]
struct Line<'a> {
    at: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<&'a str>,
    kind: EventKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    direction: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<FieldsJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    truth: Option<FieldsJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<Cow<'a, str>>,
    text: String,
}

/// What an entry has to tell besides its words.
#[derive(Clone, Debug, Default)]
pub struct Told<'a> {
    /// Which way it went.
    pub direction: Option<Direction>,
    /// The command that it is about.
    pub command: Option<CommandId>,
    /// The bytes.
    pub payload: Option<&'a [u8]>,
    /// What was sent, decoded.
    pub fields: Option<Fields>,
    /// What the device held, decoded.
    pub truth: Option<Fields>,
    /// The name of the quirk, the fault, or of what noise nearly is.
    pub name: Option<&'a str>,
    /// The reason.
    pub why: Option<Cow<'a, str>>,
}

impl<'a> Told<'a> {
    /// All that an event has to tell.
    #[must_use]
    pub fn of(event: &'a JournalEvent) -> Self {
        match event {
            JournalEvent::Login(line) => {
                let mut fields = Fields::new();
                fields.push("type", Value::Text(line.kind.to_string()));
                fields.push("id", Value::Text(line.id.clone()));
                fields.push("password", Value::Masked);
                Self {
                    direction: Some(Direction::ToDevice),
                    fields: Some(fields),
                    ..Self::default()
                }
            }
            JournalEvent::Request(payload) => Self::frame(Direction::ToDevice, payload),
            JournalEvent::Reply { payload, truth } => Self {
                truth: truth.as_ref().map(|truth| truth.fields()),
                ..Self::frame(Direction::ToTool, payload)
            },
            JournalEvent::ReplyDiscarded(payload) => Self::frame(Direction::ToTool, payload),
            JournalEvent::Noise { bytes, nearly } => {
                Self::noise(Direction::ToDevice, bytes, nearly.as_ref())
            }
            JournalEvent::DeviceNoise { bytes, nearly } => {
                Self::noise(Direction::ToTool, bytes, nearly.as_ref())
            }
            JournalEvent::LoginRefused { reason } => Self::because(Cow::from(reason)),
            JournalEvent::NotAnswered { command, why } => Self {
                command: Some(*command),
                ..Self::because(Cow::from(why.to_string()))
            },
            JournalEvent::QuirkFired {
                quirk,
                command,
                why,
            } => Self {
                command: *command,
                name: Some(quirk),
                ..Self::because(Cow::from(why))
            },
            JournalEvent::FaultFired(fired) => Self {
                command: fired.command,
                name: Some(fired.fault),
                ..Self::because(Cow::from(&fired.why))
            },
            JournalEvent::Held { command, .. } => Self {
                command: Some(*command),
                ..Self::default()
            },
            JournalEvent::Closed(closed) => Self::because(Cow::from(reason(*closed))),
            _ => Self::default(),
        }
    }

    fn because(why: Cow<'a, str>) -> Self {
        Self {
            why: Some(why),
            ..Self::default()
        }
    }

    fn bytes(direction: Direction, bytes: &'a [u8]) -> Self {
        Self {
            direction: Some(direction),
            payload: Some(bytes),
            ..Self::default()
        }
    }

    fn noise(direction: Direction, bytes: &'a [u8], nearly: Option<&Nearly>) -> Self {
        Self {
            name: nearly.map(Nearly::kind),
            why: nearly.map(|nearly| Cow::from(nearly.to_string())),
            ..Self::bytes(direction, bytes)
        }
    }

    fn frame(direction: Direction, payload: &'a [u8]) -> Self {
        let frame = FrameEntry {
            payload: payload.to_vec(),
            start: 2,
            waits_for: 0,
            firmware: None,
        };
        Self {
            command: Some(frame.command()),
            fields: Some(frame.fields(direction)),
            ..Self::bytes(direction, payload)
        }
    }
}

fn reason(closed: Closed) -> &'static str {
    match closed {
        Closed::Refused => "refused",
        Closed::Answered => "answered",
        Closed::Replaced { .. } => "replaced",
        Closed::DeviceLeft => "device-left",
        Closed::Peer => "peer",
        Closed::PeerReset => "peer-reset",
        Closed::Flooded => "flooded",
        Closed::BrokenOff => "broken-off",
        Closed::Kicked => "kicked",
    }
}
