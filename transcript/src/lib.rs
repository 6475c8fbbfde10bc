//! A VESC session told as timed, directed entries.
//!
//! No sockets, no clock, no files: input is anything that reads, output anything that writes. A map of
//! the code, in the order in which bytes meet it:
//!
//! ```text
//!  file -> unpack -> pcap -> link -> segment -> tcp -> roles ---+
//!          gzip      records  IP      TCP, UDP  streams  who    |
//!                                                               v
//!  live session or bare bytes ----------------------------> listen -> queue -> Audience: Transcript, or
//!                                                    login, frames, noise      text, JSON Lines, statistics
//! ```
//!
//! * [`pcap`]: packet records of a pcap or pcapng file; [`link`] and [`segment`]: the headers around TCP and UDP.
//! * [`tcp`]: connections put together again, with gaps where bytes are missing; [`mod@discovery`]: datagrams.
//! * [`listen`]: one direction of a session taken apart; [`entry`]: the parts.
//! * [`capture`]: how a file becomes entries, handed to an [`capture::Audience`] as soon as they are certain, in memory
//!   that does not grow with the file; [`transcript`]: all entries together, one audience among others.
//! * [`render`]: entries for people and for programs.
//! * [`mod@write`]: a session written as a pcapng file; [`live`]: sessions written while they go on;
//!   [`scrub`]: one with its secrets taken out.
//!
//! Three rules hold throughout. *Every byte is told*: the entries of a direction cover its stream without
//! a hole, noise and gaps included. *Contents decide*, not port numbers. *Secrets stay in payloads*:
//! whatever is meant to be read by people has them masked.

pub mod capture;
pub mod discovery;
pub mod entry;
pub mod error;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod input;
pub mod link;
pub mod listen;
pub mod live;
pub mod pcap;
mod queue;
pub mod render;
mod roles;
pub mod scrub;
pub mod segment;
pub mod tcp;
pub mod transcript;
mod unpack;
pub mod write;

pub use entry::{Direction, Entry, FrameEntry, Kind, Login, NoiseEntry, RawLine};
pub use error::{CaptureError, FirstBytes, Truncated};
pub use listen::Listener;
pub use transcript::{Choice, Connection, Counts, Options, Transcript};
