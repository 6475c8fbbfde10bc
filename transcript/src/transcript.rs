//! The transcript: all entries of a session, and who took part in it.
//!
//! Recordings and live sessions end in this one type. [`crate::read`] makes one from a capture file; a live session
//! pushes its entries itself.

use std::io;
use std::net::SocketAddr;

use veschub_wire::{DEVICE_MAX_PAYLOAD, TOOL_MAX_PAYLOAD};

use crate::can::Heard;
use crate::entry::{Direction, Entry, Kind, Login};
use crate::error::Truncated;

/// Which connections of a capture are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// Those in which there is a login line or a frame.
    #[default]
    ByContent,
    /// Those to or from this TCP port, which is that of the hub or device, whatever they hold.
    Port(u16),
    /// The one with this number, whatever it holds.
    Connection(u32),
}

/// How large payloads may be, and which connections are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Which connections.
    pub choice: Choice,
    /// The limit for frames to the device.
    pub to_device: usize,
    /// The limit for frames to the tool.
    pub to_tool: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            choice: Choice::ByContent,
            to_device: DEVICE_MAX_PAYLOAD,
            to_tool: TOOL_MAX_PAYLOAD,
        }
    }
}

impl Options {
    /// The same limit in both directions.
    #[must_use]
    pub fn both(limit: usize) -> Self {
        Self {
            choice: Choice::ByContent,
            to_device: limit,
            to_tool: limit,
        }
    }

    /// The limit of one direction.
    #[must_use]
    pub fn limit(&self, direction: Direction) -> usize {
        match direction {
            Direction::ToDevice => self.to_device,
            Direction::ToTool => self.to_tool,
        }
    }
}

/// Takes the connections and entries of a session while they are read.
///
/// Entries come in the order of time, except one that became clear so late that those behind it could not wait.
pub trait EntrySink {
    /// A connection, before the first of its entries.
    ///
    /// # Errors
    /// When it can take no more; reading then ends.
    fn connection(&mut self, connection: &Connection) -> io::Result<()>;

    /// The next entry.
    ///
    /// # Errors
    /// When it can take no more; reading then ends.
    fn entry(&mut self, entry: Entry) -> io::Result<()>;
}

impl EntrySink for Transcript {
    fn connection(&mut self, connection: &Connection) -> io::Result<()> {
        self.connections.push(*connection);
        Ok(())
    }

    fn entry(&mut self, entry: Entry) -> io::Result<()> {
        self.entries.push(entry);
        Ok(())
    }
}

/// What was said in a session, in the order of time; within a direction in the order of the stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transcript {
    /// The entries.
    pub entries: Vec<Entry>,
    /// The connections that they belong to, in the order of their numbers.
    pub connections: Vec<Connection>,
    /// When it started, in nanoseconds since the epoch, if that is known.
    pub start_ns: Option<u64>,
    /// Where the capture ended before its time, if it did.
    pub truncated: Option<Truncated>,
}

/// One connection of a transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Its number among all TCP connections of the capture, from 1.
    pub number: u32,
    /// The end that sends requests.
    pub tool: SocketAddr,
    /// The end that sends replies: a device, or a hub in front of it.
    pub device: SocketAddr,
    /// Whether its opening was recorded.
    pub from_start: bool,
    /// Whether a login showed which end is the tool; otherwise that is a guess.
    pub by_login: bool,
}

impl Transcript {
    /// An empty transcript.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether entries have to say to which connection they belong.
    #[must_use]
    pub(crate) fn has_several_connections(&self) -> bool {
        self.connections.len() > 1
    }

    /// The login lines that a hub would act on, in order.
    pub fn logins(&self) -> impl Iterator<Item = &Login> {
        self.entries.iter().filter_map(|entry| match &entry.kind {
            Kind::Login(login) if login.line.is_ok() => Some(login),
            _ => None,
        })
    }

    /// What the entries add up to.
    #[must_use]
    pub fn count(&self) -> Counts {
        let mut counts = Counts::default();
        self.entries
            .iter()
            .for_each(|entry| counts.add(&entry.kind));
        counts
    }
}

/// How much of what a transcript holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Login lines that a hub can act on.
    pub logins: u64,
    /// Login lines that a hub refuses.
    pub refused_logins: u64,
    /// Frames.
    pub frames: u64,
    /// How many of them were found only because the stream ended: a parser still waits for a frame before them.
    pub late_frames: u64,
    /// Bytes that belong to no frame.
    pub noise_bytes: u64,
    /// Bytes that were not recorded.
    pub missing_bytes: u64,
    /// Bytes that were sent again.
    pub repeated_bytes: u64,
    /// Frames of a CAN bus that stand for themselves.
    pub can_frames: u64,
    /// Commands that were put together from frames of a CAN bus.
    pub can_commands: u64,
    /// How often frames of a CAN bus were no command although they are parts of one.
    pub can_noise: u64,
}

impl Counts {
    /// Counts one entry.
    pub fn add(&mut self, kind: &Kind) {
        match kind {
            Kind::Login(login) if login.line.is_ok() => self.logins += 1,
            Kind::Login(_) => self.refused_logins += 1,
            Kind::Frame(frame) => {
                self.frames += 1;
                self.late_frames += u64::from(frame.waits_for > 0);
            }
            Kind::Noise(noise) => self.noise_bytes += noise.bytes.len() as u64,
            Kind::Gap { len } => self.missing_bytes += len,
            Kind::Repeated { len, .. } => self.repeated_bytes += len,
            Kind::Can(heard) => match **heard {
                Heard::Frame(_) => self.can_frames += 1,
                Heard::Command(_) => self.can_commands += 1,
                Heard::Noise { .. } => self.can_noise += 1,
            },
            Kind::Discovery(_) | Kind::Opened { .. } | Kind::Closed { .. } | Kind::Notice(_) => {}
        }
    }
}
