#![doc = include_str!("../README.md")]
//!
//! # Where to find what
//!
//! In the order in which bytes meet it:
//!
//! * [`login`]: the one text line that a hub reads before it becomes a byte pipe.
//! * [`frame`]: start byte, length, payload, CRC and stop byte; [`encode`] and the
//!   incremental [`Decoder`], which yields frames *and* the noise between them.
//! * [`nearly`]: what noise nearly was, such as a frame with a wrong checksum; the [`ear`] finds both, frames and those.
//! * [`number`]: scaled integers and the firmware's packed float.
//! * [`command`]: what a payload says, as a [`Request`] or a [`Reply`], and [the tables](command::table) of their fields.
//! * `description`, with the feature `xml`: what the fields of a configuration are, from a parameter file of VESC Tool.
//! * [`view`]: any of these as named fields with units, for people, JSON and comparison.
//!
//! Two rules hold throughout. *Raw values are kept*: a decoded field holds the integer that was
//! on the wire, the physical value is a view of it, so that decoding and encoding again gives the
//! same bytes. *Unknown is a value*: a command without a known body, bytes behind the last known
//! field and noise between frames all survive.
//!
//! # Sources
//!
//! The crate was written from facts about these programs. Comments cite them as `repository path:lines`:
//!
//! | repository | what it is | commit |
//! |---|---|---|
//! | `vesc_express` | firmware of the VESC Express | 2ae16033 |
//! | `bldc` | firmware of motor controllers | b9d287b3 |
//! | `vesc_bms_fw` | firmware of the VESC BMS | f870f4c2 |
//! | `vesc_tool` | VESC Tool, and the hub, which is a part of it | 426a4f8e |

#![cfg_attr(not(test), no_std)]

extern crate alloc;
// The bodies of the fuzz targets.
#[cfg(feature = "arbitrary")]
extern crate std;

pub mod command;
mod crc;
#[cfg(feature = "xml")]
pub mod description;
pub mod ear;
mod error;
mod firmware;
pub mod frame;
#[cfg(feature = "arbitrary")]
#[doc(hidden)]
pub mod fuzzing;
pub mod hex_text;
mod id;
mod kind;
pub mod login;
pub mod nearly;
pub mod number;
mod reader;
pub mod view;

pub use command::{CommandId, Decoded, Reply, Request};
pub use crc::crc16;
pub use ear::{Ear, Heard};
pub use error::DecodeError;
pub use firmware::Firmware;
pub use frame::{DEVICE_MAX_PAYLOAD, Decoder, Frame, Item, Noise, TOOL_MAX_PAYLOAD, encode};
pub use hex_text::from_hex_text;
pub use login::{LoginKind, LoginLine, LoginRefusal};
pub use nearly::{Diagnosis, Nearly, diagnose};
