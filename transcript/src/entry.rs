//! The entries of a transcript: what was said, by whom, when and where in the stream.
//!
//! An entry owns its bytes and can show them as named fields. Fields are safe to print: they never hold a password or
//! another secret. Payloads and raw lines hold the bytes as they were sent, and nothing in them is masked.

use std::fmt;
use std::net::SocketAddr;

use thiserror::Error;
use veschub_wire::login::LoginRefusal;
use veschub_wire::view::{Fields, Value, View};
use veschub_wire::{CommandId, Firmware, LoginLine, Nearly};

use crate::can::{Heard, payload_fields};
use crate::discovery::Discovery;
use crate::side::Close;

/// Which way something goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From the tool to the device: requests.
    ToDevice,
    /// From the device to the tool: replies.
    ToTool,
}

impl Direction {
    /// The name in JSON and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ToDevice => "to-device",
            Self::ToTool => "to-tool",
        }
    }

    /// The opposite way.
    #[must_use]
    pub fn reverse(self) -> Self {
        match self {
            Self::ToDevice => Self::ToTool,
            Self::ToTool => Self::ToDevice,
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that happened in a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When its last byte was there, in nanoseconds since the start of the transcript.
    pub at_ns: Option<u64>,
    /// The connection, counted from 1; 0 for what belongs to none.
    pub connection: u32,
    /// Which way it went, where that makes sense.
    pub direction: Option<Direction>,
    /// Offset of its first byte in the stream of that direction.
    pub offset: u64,
    /// What it is.
    pub kind: Kind,
}

/// What an entry can be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The line that a hub reads before it becomes a byte pipe.
    Login(Login),
    /// A frame that passed every check.
    Frame(FrameEntry),
    /// Bytes that belong to no frame.
    Noise(NoiseEntry),
    /// Bytes that were sent but not recorded.
    Gap {
        /// How many.
        len: u64,
    },
    /// Bytes that were sent again and stand in an entry before; those of the first time count.
    Repeated {
        /// How many.
        len: u64,
        /// How many of them were others than the first time, as far as that is still known.
        differing: u64,
    },
    /// A datagram that tells apps where a device listens; it belongs to no connection.
    Discovery(Box<Discovery>),
    /// The connection was made.
    Opened {
        /// Who opened it.
        initiator: SocketAddr,
        /// Who was called.
        responder: SocketAddr,
    },
    /// The connection, or this direction of it, was ended.
    Closed {
        /// In which way.
        how: Close,
    },
    /// Something on a CAN bus; it belongs to no connection.
    Can(Box<Heard>),
    /// Something that a reader should know about the recording.
    Notice(String),
}

/// A frame and what it says.
#[derive(Clone, PartialEq, Eq)]
pub struct FrameEntry {
    /// The payload: the command id, then its arguments.
    pub payload: Vec<u8>,
    /// The start byte it was sent with: 2, 3 or 4.
    pub start: u8,
    /// How many bytes a parser still waited for, behind the start of a frame without an end, before it would have looked
    /// at this frame. It was found only because the stream ended, or was interrupted; 0 for every other frame.
    pub waits_for: usize,
    /// The firmware of the device that sent it, if the device told it before in the same session and the reply depends on
    /// it: see [`Firmwares`](crate::firmwares::Firmwares).
    pub firmware: Option<Firmware>,
}

/// Bytes between frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoiseEntry {
    /// The bytes: one damaged frame, or others.
    pub bytes: Vec<u8>,
    /// What they nearly were, if that is certain enough to be told.
    pub nearly: Option<Nearly>,
    /// How many of the last bytes might still have become a frame when the stream ended or was interrupted.
    pub unfinished: usize,
}

/// A login line, or an attempt at one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The line as a hub reads it, or why it closes the connection instead.
    pub line: Result<LoginLine, LoginProblem>,
    /// The bytes as they were sent, line feed included.
    pub raw: RawLine,
}

/// Why a hub would not act on a login line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LoginProblem {
    /// A hub refuses it.
    #[error(transparent)]
    Refused(#[from] LoginRefusal),
    /// It ended without a line feed.
    #[error("the login line has no line feed")]
    Unfinished,
    /// It is longer than a hub reads.
    #[error("the login line has no line feed in {limit} bytes")]
    TooLong {
        /// The most that a hub reads.
        limit: usize,
    },
}

/// The bytes of a login line, which are never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct RawLine(Vec<u8>);

impl RawLine {
    /// Wraps the bytes of a line.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes in clear, for sending them again.
    #[must_use]
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for RawLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Debug for FrameEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A payload may hold a password: the command and the length say enough.
        f.debug_struct("FrameEntry")
            .field("command", &self.command().to_string())
            .field("payload_len", &self.payload.len())
            .field("start", &self.start)
            .field("waits_for", &self.waits_for)
            .finish()
    }
}

impl FrameEntry {
    /// The command that the payload starts with.
    #[must_use]
    pub fn command(&self) -> CommandId {
        CommandId(self.payload.first().copied().unwrap_or_default())
    }

    /// The bytes that the frame took on the wire.
    #[must_use]
    pub fn wire_len(&self) -> usize {
        usize::from(self.start) + self.payload.len() + 3
    }

    /// The payload as named fields; a payload that does not decode gives one field, `undecoded`. `note` says what VESC Tool
    /// makes of the end of a reply, where that is something else.
    #[must_use]
    pub fn fields(&self, direction: Direction) -> Fields {
        payload_fields(&self.payload, direction == Direction::ToTool, self.firmware)
    }
}

impl Login {
    /// The line as named fields, without the password.
    #[must_use]
    pub fn fields(&self) -> Fields {
        let mut fields = Fields::new();
        match &self.line {
            Ok(line) => {
                fields.push("type", Value::Text(line.kind.to_string()));
                fields.push("id", Value::Text(line.id.clone()));
                fields.push("password", Value::Masked);
            }
            Err(reason) => fields.push("refused", Value::Text(reason.to_string())),
        }
        fields
    }
}

impl Kind {
    /// How many bytes of its direction's stream it stands for.
    #[must_use]
    pub fn stream_len(&self) -> u64 {
        match self {
            Self::Login(login) => login.raw.reveal().len() as u64,
            Self::Frame(frame) => frame.wire_len() as u64,
            Self::Noise(noise) => noise.bytes.len() as u64,
            Self::Gap { len } => *len,
            Self::Repeated { .. }
            | Self::Discovery(_)
            | Self::Can(_)
            | Self::Opened { .. }
            | Self::Closed { .. }
            | Self::Notice(_) => 0,
        }
    }
}

impl Entry {
    /// The name of the kind in JSON.
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        match self.kind {
            Kind::Login(_) => "login",
            Kind::Frame(_) => "frame",
            Kind::Noise(_) => "noise",
            Kind::Gap { .. } => "gap",
            Kind::Repeated { .. } => "repeated",
            Kind::Discovery(_) => "discovery",
            Kind::Can(ref heard) => heard.kind_name(),
            Kind::Opened { .. } => "opened",
            Kind::Closed { .. } => "closed",
            Kind::Notice(_) => "notice",
        }
    }

    /// The frame, if it is one.
    #[must_use]
    pub fn frame(&self) -> Option<&FrameEntry> {
        match &self.kind {
            Kind::Frame(frame) => Some(frame),
            _ => None,
        }
    }

    /// The content of the entry as named fields, safe to print.
    #[must_use]
    pub fn fields(&self) -> Fields {
        let mut fields = Fields::new();
        match &self.kind {
            Kind::Login(login) => return login.fields(),
            Kind::Frame(frame) => {
                if let Some(direction) = self.direction {
                    return frame.fields(direction);
                }
            }
            Kind::Noise(noise) => {
                fields = noise
                    .nearly
                    .as_ref()
                    .map(Nearly::fields)
                    .unwrap_or_default();
                if noise.unfinished > 0 {
                    fields.push("unfinished", noise.unfinished as i64);
                }
            }
            Kind::Opened {
                initiator,
                responder,
            } => {
                fields.push("from", Value::Text(initiator.to_string()));
                fields.push("to", Value::Text(responder.to_string()));
            }
            Kind::Closed { how } => fields.push("how", Value::Text(how.as_str().to_owned())),
            Kind::Repeated { differing, .. } if *differing > 0 => {
                fields.push("differing", *differing as i64);
            }
            Kind::Discovery(discovery) => return discovery.fields(),
            Kind::Can(heard) => return heard.fields(),
            Kind::Gap { .. } | Kind::Repeated { .. } | Kind::Notice(_) => {}
        }
        fields
    }
}
