//! What happened at the hub, entry by entry.
//!
//! Times come from the state machines' schedule, not from when a task woke up, so that the same run gives the
//! same journal. Passwords are kept in a type that never prints them.

pub mod json;

use std::{collections::BTreeMap, fmt};

use veschub_transcript::{
    Direction, Entry, FrameEntry, Kind, Login, NoiseEntry, RawLine, Transcript,
};
use veschub_wire::{CommandId, LoginLine, Reply, view::View};

use crate::{conn::ConnId, device::Silence, fault::FaultFired, time::Time};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalEntry {
    /// When.
    pub at: Time,
    /// On which connection, if on one.
    pub conn: Option<ConnId>,
    /// At which device, if at one.
    pub device: Option<String>,
    /// What.
    pub what: JournalEvent,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum JournalEvent {
    /// Somebody connected.
    Opened,
    /// A login line came in.
    Login(LoginLine),
    /// Bytes that came with the login line were thrown away.
    Swallowed {
        /// How many.
        bytes: usize,
    },
    /// The tool was attached to its device; it is told nothing.
    Attached,
    /// The device serves somebody else: the connection is open and nobody reads it.
    NotServed,
    /// A device from outside was taken in; it is told nothing.
    Registered,
    /// The late end of a replaced device's connection deleted the entry of its successor.
    EntryDeleted {
        /// The id that cannot be reached any more.
        id: String,
    },
    /// A device from outside spoke, and nobody heard it.
    Unheard {
        /// How many bytes are lost.
        bytes: usize,
    },
    /// A device from outside sent bytes that are no frame.
    DeviceNoise(Vec<u8>),
    /// The connection will be closed because of its login.
    LoginRefused {
        /// Why; the peer is not told.
        reason: String,
    },
    /// A request reached the device.
    Request(Vec<u8>),
    /// The device's parser skipped bytes.
    Noise(Vec<u8>),
    /// A tool left while the device's parser waits for the rest of a frame.
    HalfFrameLeft {
        /// How many bytes it holds.
        bytes: usize,
    },
    /// The device answered.
    Reply {
        /// The payload that was sent.
        payload: Vec<u8>,
        /// What the device held at that moment, before it was encoded.
        truth: Option<Box<Reply>>,
    },
    /// The device answered, but no tool was there.
    NobodyThere(Vec<u8>),
    /// The device does not answer a request.
    Ignored {
        /// Which.
        command: CommandId,
        /// Why.
        why: Silence,
    },
    /// The device dropped its link, as it does when it restarts: its tool is closed, and nobody reaches it.
    LinkDown,
    /// The device is back.
    LinkUp,
    /// A quirk kept a request from the device.
    Fired {
        /// Which quirk.
        quirk: &'static str,
        /// The request's command.
        command: CommandId,
        /// Why.
        why: String,
    },
    /// A fault was done to the link.
    FaultFired(FaultFired),
    /// The connection ended.
    Closed(Closed),
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// The hub refused the login.
    Refused,
    /// The hub answered a PING.
    Answered,
    /// A newer tool took over.
    Replaced {
        /// The newer tool's connection.
        by: ConnId,
    },
    /// The device that it was attached to left, or was replaced.
    DeviceLeft,
    /// The peer ended it.
    Peer,
    /// The peer broke it off.
    PeerReset,
    /// The peer does not read what is sent to it.
    Flooded,
    /// A fault broke it off.
    BrokenOff,
}

impl fmt::Display for JournalEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>10.3}  ", self.at.as_secs_f64())?;
        match self.conn {
            Some(ConnId(number)) => write!(f, "#{number:<3} ")?,
            None => f.write_str("     ")?,
        }
        self.what.fmt(f)
    }
}

impl fmt::Display for JournalEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opened => f.write_str("connected"),
            Self::Login(login) => write!(f, "login {}:{}:***", login.kind, printable(&login.id)),
            Self::Swallowed { bytes } => {
                write!(f, "{bytes} bytes came with the login line and were lost")
            }
            Self::Attached => f.write_str("attached"),
            Self::NotServed => f.write_str("is not read: the device serves somebody else"),
            Self::Registered => f.write_str("taken in as a device"),
            Self::EntryDeleted { id } => {
                write!(f, "ended late and took the new entry of {id} with it")
            }
            Self::Unheard { bytes } => {
                write!(f, "< {bytes} bytes, and no tool to send them to")
            }
            Self::DeviceNoise(bytes) => write!(f, "< {} bytes that are no frame", bytes.len()),
            Self::LoginRefused { reason } => write!(f, "login refused: {}", printable(reason)),
            Self::Request(payload) => {
                f.write_str("> ")?;
                match veschub_wire::Request::decode(payload) {
                    Ok(request) => write_line(f, request.body.id(), &request),
                    Err(error) => write!(f, "{error}"),
                }
            }
            Self::Reply { payload, .. } => {
                f.write_str("< ")?;
                match Reply::decode(payload) {
                    Ok(reply) => write_line(f, reply.body.id(), &reply),
                    Err(error) => write!(f, "{error}"),
                }
            }
            Self::Noise(bytes) => write!(f, "> {} bytes that are no frame", bytes.len()),
            Self::HalfFrameLeft { bytes } => {
                write!(
                    f,
                    "left half a frame, {bytes} bytes, in the device's parser"
                )
            }
            Self::NobodyThere(payload) => write!(
                f,
                "< a reply of {} bytes, and no tool to send it to",
                payload.len()
            ),
            Self::Ignored { command, why } => write!(f, "{command} is not answered: {why}"),
            Self::LinkDown => f.write_str("the device drops its link"),
            Self::LinkUp => f.write_str("the device is back"),
            Self::Fired {
                quirk,
                command,
                why,
            } => write!(f, "{command} is not answered: {quirk}: {why}"),
            Self::FaultFired(fired) => {
                write!(f, "fault {}", fired.fault)?;
                if let Some(command) = fired.command {
                    write!(f, " on {command}")?;
                }
                write!(f, ": {}", fired.why)
            }
            Self::Closed(closed) => match closed {
                Closed::BrokenOff => f.write_str("broken off by a fault"),
                Closed::Refused => f.write_str("closed"),
                Closed::Answered => f.write_str("closed after the answer"),
                Closed::Replaced { by } => write!(f, "closed: replaced by tool #{}", by.0),
                Closed::DeviceLeft => f.write_str("closed: its device is gone"),
                Closed::Peer => f.write_str("left"),
                Closed::PeerReset => f.write_str("broke off"),
                Closed::Flooded => f.write_str("dropped: it does not read what is sent to it"),
            },
        }
    }
}

/// A peer's words on one line: a hostile login must not reach the terminal as it is, nor fill it.
fn printable(text: &str) -> String {
    const WIDTH: usize = 200;
    let (mut shown, mut rest) = (String::new(), text.chars());
    for c in rest.by_ref().take(WIDTH) {
        if c.is_control() {
            shown.extend(c.escape_debug());
        } else {
            shown.push(c);
        }
    }
    if !rest.as_str().is_empty() {
        shown.push('…');
    }
    shown
}

/// A command and as many of its fields as fit a line.
fn write_line(f: &mut fmt::Formatter<'_>, id: CommandId, view: &impl View) -> fmt::Result {
    const WIDTH: usize = 90;
    let fields = view.fields().to_string();
    if fields.chars().count() <= WIDTH {
        write!(f, "{id} {fields}")
    } else {
        let start: String = fields.chars().take(WIDTH).collect();
        write!(f, "{id} {start}…")
    }
}

/// A journal told as a transcript, the common form of recorded and live sessions.
///
/// Offsets count what was told: bytes that were thrown away unseen are not in them.
#[must_use]
pub fn transcript<'a>(journal: impl IntoIterator<Item = &'a JournalEntry>) -> Transcript {
    let mut told = Transcript::new();
    let mut offsets: BTreeMap<(u32, Direction), u64> = BTreeMap::new();
    for entry in journal {
        let (direction, kind) = match &entry.what {
            JournalEvent::Login(line) => {
                let raw = RawLine::new(line.encode());
                let line = Ok(line.clone());
                (Some(Direction::ToDevice), Kind::Login(Login { line, raw }))
            }
            JournalEvent::Request(payload) => (Some(Direction::ToDevice), frame(payload)),
            JournalEvent::Reply { payload, .. } => (Some(Direction::ToTool), frame(payload)),
            JournalEvent::Noise(bytes) => (Some(Direction::ToDevice), noise(bytes)),
            JournalEvent::DeviceNoise(bytes) => (Some(Direction::ToTool), noise(bytes)),
            other => (None, Kind::Notice(other.to_string())),
        };
        let connection = entry.conn.map_or(0, |conn| conn.0);
        let offset = direction.map_or(0, |direction| {
            let offset = offsets.entry((connection, direction)).or_default();
            *offset += kind.stream_len();
            *offset - kind.stream_len()
        });
        told.entries.push(Entry {
            at_ns: Some(entry.at.as_nanos()),
            connection,
            direction,
            offset,
            kind,
        });
    }
    told
}

fn noise(bytes: &[u8]) -> Kind {
    Kind::Noise(NoiseEntry {
        bytes: bytes.to_vec(),
        unfinished: 0,
    })
}

fn frame(payload: &[u8]) -> Kind {
    Kind::Frame(FrameEntry {
        payload: payload.to_vec(),
        start: if payload.len() <= 0xFF { 2 } else { 3 },
    })
}
