//! The entries of a journal, and how they read.

use std::{
    fmt::{self, Write as _},
    sync::Arc,
};

use veschub_transcript::foreign::visible;
use veschub_wire::{CommandId, LoginLine, Nearly, Reply, Request, view::View};

use crate::{Silence, conn::ConnId, fault::FaultFired, time::Time};

/// One entry of the journal: an event with its time.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalEntry {
    /// When.
    pub at: Time,
    /// On which connection, if on one.
    pub conn: Option<ConnId>,
    /// The id of the device, if it happened at one; all entries of a device share it.
    pub device: Option<Arc<str>>,
    /// What happened.
    pub event: JournalEvent,
}

/// What can happen at the hub.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum JournalEvent {
    /// A peer connected.
    Opened,
    /// A login line came in.
    Login(LoginLine),
    /// The hub discarded bytes that came with the login line.
    LoginBytesDiscarded {
        /// How many.
        bytes: usize,
    },
    /// The tool was attached to its device; it is told nothing.
    Attached,
    /// The device serves another tool: the connection is open, and the hub does not read it.
    NotServed,
    /// A device from outside logged in; it is told nothing.
    Registered,
    /// The connection of a replaced device ended late, and the hub deleted the entry of the device that replaced it.
    EntryDeleted {
        /// The id that cannot be reached any more.
        id: String,
    },
    /// The hub discarded what a device from outside sent: no tool is attached.
    DeviceBytesDiscarded {
        /// How many bytes.
        bytes: usize,
    },
    /// A device from outside sent bytes that are no frame.
    DeviceNoise {
        /// The bytes: one damaged frame, or others.
        bytes: Vec<u8>,
        /// What they nearly were.
        nearly: Option<Nearly>,
    },
    /// The hub refused the login and will close the connection.
    LoginRefused {
        /// Why; the peer is not told.
        reason: String,
    },
    /// A request reached the device.
    Request(Vec<u8>),
    /// The tool sent bytes that are no frame, and the device's parser skipped them.
    Noise {
        /// The bytes: one damaged frame, or others.
        bytes: Vec<u8>,
        /// What they nearly were.
        nearly: Option<Nearly>,
    },
    /// A tool left while the device's parser waits for the rest of a frame.
    PartialFrameLeft {
        /// How many bytes it holds.
        bytes: usize,
        /// For how many more it waits.
        missing: usize,
        /// How many whole requests are among the bytes that it holds; the device does not see them yet.
        hidden: usize,
    },
    /// The device answered.
    Reply {
        /// The payload that was sent.
        payload: Vec<u8>,
        /// What the device held at that moment, before it was encoded.
        truth: Option<Box<Reply>>,
    },
    /// The hub discarded a reply: no tool is attached.
    ReplyDiscarded(Vec<u8>),
    /// The device does not answer a request.
    NotAnswered {
        /// Which.
        command: CommandId,
        /// Why.
        why: Silence,
    },
    /// The device dropped its link, as it does when it restarts: the hub closes its tool, and no tool can reach it.
    LinkDown,
    /// The device is back.
    LinkUp,
    /// A quirk kept a request from the device, or did something else.
    QuirkFired {
        /// Which quirk.
        quirk: &'static str,
        /// The request's command, if it was about one.
        command: Option<CommandId>,
        /// Why.
        why: String,
    },
    /// A fault acted on the link.
    FaultFired(FaultFired),
    /// Somebody steered the hub.
    Steered {
        /// What was done: `pinned current_a to 12`.
        text: String,
    },
    /// A request is held at a breakpoint until somebody decides what becomes of it.
    Held {
        /// Its number among those that are held.
        held: u32,
        /// The request's command.
        command: CommandId,
    },
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
    /// The peer reset it.
    PeerReset,
    /// The peer does not read what is sent to it.
    Flooded,
    /// A fault reset it.
    BrokenOff,
    /// Whoever steers the hub ended it.
    Kicked,
}

impl fmt::Display for JournalEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>10.3}  ", self.at.as_secs_f64())?;
        match self.conn {
            Some(ConnId(number)) => write!(f, "#{number:<3} ")?,
            None => f.write_str("     ")?,
        }
        self.event.fmt(f)
    }
}

impl fmt::Display for JournalEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opened => f.write_str("connected"),
            Self::Login(login) => write!(f, "login {}:{}:***", login.kind, printable(&login.id)),
            Self::LoginBytesDiscarded { bytes } => {
                write!(f, "{bytes} bytes came with the login line and were lost")
            }
            Self::Attached => f.write_str("attached"),
            Self::NotServed => f.write_str("is not read: the device serves somebody else"),
            Self::Registered => f.write_str("taken in as a device"),
            Self::EntryDeleted { id } => {
                write!(f, "ended late and took the new entry of {id} with it")
            }
            Self::DeviceBytesDiscarded { bytes } => {
                write!(f, "< {bytes} bytes, and no tool to send them to")
            }
            Self::DeviceNoise { bytes, nearly } => {
                f.write_str("< ")?;
                write_noise(f, bytes, nearly.as_ref())
            }
            Self::LoginRefused { reason } => write!(f, "login refused: {}", printable(reason)),
            Self::Request(payload) => {
                f.write_str("> ")?;
                match Request::decode(payload) {
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
            Self::Noise { bytes, nearly } => {
                f.write_str("> ")?;
                write_noise(f, bytes, nearly.as_ref())
            }
            Self::PartialFrameLeft {
                bytes,
                missing,
                hidden,
            } => {
                let s = if *bytes == 1 { "" } else { "s" };
                write!(
                    f,
                    "left half a frame, {bytes} byte{s}, in the device's parser, which waits for {missing} more"
                )?;
                match hidden {
                    0 => Ok(()),
                    1 => f.write_str(" and does not see the whole request behind it"),
                    _ => write!(f, " and does not see the {hidden} whole requests behind it"),
                }
            }
            Self::ReplyDiscarded(payload) => write!(
                f,
                "< a reply of {} bytes, and no tool to send it to",
                payload.len()
            ),
            Self::NotAnswered { command, why } => write!(f, "{command} is not answered: {why}"),
            Self::LinkDown => f.write_str("the device drops its link"),
            Self::LinkUp => f.write_str("the device is back"),
            Self::QuirkFired {
                quirk,
                command,
                why,
            } => match command {
                Some(command) => write!(f, "{command} is not answered: {quirk}: {why}"),
                None => write!(f, "broken off: {quirk}: {why}"),
            },
            Self::FaultFired(fired) => {
                write!(f, "fault {}", fired.fault)?;
                if let Some(command) = fired.command {
                    write!(f, " on {command}")?;
                }
                write!(f, ": {}", fired.why)
            }
            Self::Steered { text } => write!(f, "steered: {}", printable(text)),
            Self::Held { held, command } => write!(f, "{command} is held, as number {held}"),
            Self::Closed(closed) => match closed {
                Closed::BrokenOff => f.write_str("broken off by a fault"),
                Closed::Kicked => f.write_str("closed by whoever steers the hub"),
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
    match text.char_indices().nth(WIDTH) {
        None => visible(text),
        Some((end, _)) => visible(&text[..end]) + "…",
    }
}

fn write_noise(f: &mut fmt::Formatter<'_>, bytes: &[u8], nearly: Option<&Nearly>) -> fmt::Result {
    match bytes.len() {
        // Its length would be that of the password.
        _ if nearly == Some(&Nearly::Login) => f.write_str("bytes that are no frame")?,
        1 => f.write_str("1 byte that is no frame")?,
        more => write!(f, "{more} bytes that are no frame")?,
    }
    match nearly {
        Some(nearly) => write!(f, ": {nearly}"),
        None => Ok(()),
    }
}

/// A command and as many of its fields as fit a line.
fn write_line(f: &mut fmt::Formatter<'_>, id: CommandId, view: &impl View) -> fmt::Result {
    const WIDTH: usize = 90;
    write!(f, "{id} ")?;
    let mut line = Line { f, left: WIDTH };
    match write!(line, "{}", view.fields()) {
        // Whatever else there is would only be cut off.
        Err(fmt::Error) if line.left == 0 => f.write_str("…"),
        written => written,
    }
}

/// Takes so many characters, and fails at the next one.
struct Line<'a, 'b> {
    f: &'a mut fmt::Formatter<'b>,
    left: usize,
}

impl fmt::Write for Line<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        match text.char_indices().nth(self.left) {
            None => {
                self.left -= text.chars().count();
                self.f.write_str(text)
            }
            Some((end, _)) => {
                self.left = 0;
                self.f.write_str(text.get(..end).unwrap_or_default())?;
                Err(fmt::Error)
            }
        }
    }
}
