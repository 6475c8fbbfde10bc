//! The VESC wire format: bytes to and from login lines, frames and commands.
//!
//! No I/O and no clock. A map of the code, in the order in which bytes meet it:
//!
//! * [`login`]: the one text line that a hub reads before it becomes a byte pipe.
//! * [`frame`]: start byte, length, payload, CRC and stop byte; [`encode`] and the
//!   incremental [`Decoder`], which yields frames *and* the noise between them.
//! * [`crc`]: the checksum over a payload.
//! * [`number`]: scaled integers and the firmware's packed float.
//! * [`command`]: what a payload says, [`Request`] by [`Request`] and [`Reply`] by [`Reply`].
//! * [`view`]: any of these as named fields with units, for people, JSON and comparison.
//!
//! Two rules hold throughout. *Raw values are kept*: a decoded field holds the integer that was
//! on the wire, the physical value is a view of it, so that decoding and encoding again gives the
//! same bytes. *Unknown is a value*: a command without a known body, bytes behind the last known
//! field and noise between frames all survive.
//!
//! Sources of protocol facts are cited as `repository path:lines`: `EX` is `vesc_express`
//! at 2ae16033, `MC` is `bldc` at b9d287b3, `BM` is `vesc_bms_fw` at f870f4c2 and `VT` is
//! `vesc_tool` at 426a4f8e.

pub mod command;
pub mod crc;
mod error;
pub mod frame;
#[cfg(feature = "arbitrary")]
pub mod fuzzing;
pub mod login;
pub mod number;
mod reader;
pub mod view;

pub use command::{CommandId, Decoded, Reply, Request};
pub use error::DecodeError;
pub use frame::{DEVICE_MAX_PAYLOAD, Decoder, Frame, Item, Noise, TOOL_MAX_PAYLOAD, encode};
pub use login::{LoginKind, LoginLine, LoginRefusal};
