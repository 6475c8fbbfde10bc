//! A VESC session told as timed, directed entries.
//!
//! No sockets, no clock, no files: input is anything that reads, output anything that writes. A map of
//! the code, in the order in which bytes meet it:
//!
//! ```text
//!  file -> pcap -> link -> segment -> tcp -> roles ---+
//!          records  IP      TCP       streams  who    |
//!                                                     v
//!  live session or bare bytes ------------------> listen -> Transcript -> render: text, JSON Lines
//!                                               login, frames, noise
//! ```
//!
//! * [`pcap`]: packet records of a pcap or pcapng file; [`link`] and [`segment`]: the headers around TCP.
//! * [`tcp`]: connections put together again, with gaps where bytes are missing.
//! * [`listen`]: one direction of a session taken apart; [`entry`]: the parts.
//! * [`transcript`]: all entries together; [`capture`]: how a file becomes one.
//! * [`render`]: a transcript for people and for programs.
//! * [`mod@write`]: a session written as a pcapng file; [`live`]: sessions written while they go on.
//!
//! Three rules hold throughout. *Every byte is told*: the entries of a direction cover its stream without
//! a hole, noise and gaps included. *Contents decide*, not port numbers. *Secrets stay in payloads*:
//! whatever is meant to be read by people has them masked.

pub mod capture;
pub mod entry;
pub mod error;
mod input;
pub mod link;
pub mod listen;
pub mod live;
pub mod pcap;
pub mod render;
mod roles;
pub mod segment;
pub mod tcp;
pub mod transcript;
pub mod write;

pub use entry::{Direction, Entry, FrameEntry, Kind, Login, NoiseEntry, RawLine};
pub use error::{CaptureError, FirstBytes, Truncated};
pub use listen::Listener;
pub use transcript::{Connection, Counts, Options, Transcript};
