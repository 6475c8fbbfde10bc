//! A VESC session as timed, directed entries.
//!
//! No sockets, no clock, no files: input is anything that reads, output anything that writes.
//!
//! ```text
//!  capture file -> read --+
//!  live session ----------+-> Entry -> EntrySink: Transcript, or render (text, JSON Lines, statistics)
//!  bare bytes -> listen --+
//!
//!  sessions -> write, live -> capture file
//! ```
//!
//! * [`entry`]: one thing that happened in a session; [`transcript`]: all of them together.
//! * [`read`]: from a capture file to entries. Each entry is handed on as soon as it is certain, so memory does not
//!   grow with the file.
//! * [`listen`]: the bytes of one direction taken apart into logins, frames and noise.
//! * [`exchange`]: which request a reply answers.
//! * [`render`]: entries for people and for programs.
//! * [`mod@write`]: a session written as a pcapng file; [`live`]: sessions written while they go on, with their
//!   credentials masked.
//! * [`can`]: the frames of a CAN bus, and the commands that travel on it in fragments.
//! * [`foreign`]: texts of others, as a person may see them.
//! * [`secret`]: where the secrets of a session are; [`masking`]: what may be shown of its bytes.
//!
//! Three rules hold throughout. *Every byte has an entry*: the entries of a direction cover its stream without a hole,
//! noise and gaps included. *Contents decide* what a connection is, not port numbers. *Secrets stay in payloads*: they
//! are masked in everything that people read.

pub mod can;
pub mod discovery;
pub mod entry;
mod error;
pub mod exchange;
pub mod firmwares;
pub mod foreign;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
pub mod listen;
pub mod live;
pub mod masking;
pub mod read;
pub mod render;
pub mod secret;
mod side;
pub mod transcript;
pub mod write;

pub use entry::{Direction, Entry, FrameEntry, Kind, Login, LoginProblem, NoiseEntry, RawLine};
pub use error::{CaptureError, FirstBytes, Truncated};
pub use listen::Listener;
pub use side::{Close, Side};
pub use transcript::{Choice, Connection, Counts, EntrySink, Options, Transcript};
