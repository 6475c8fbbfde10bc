//! The fake hub: lobby, rooms, devices, quirks and faults.
//!
//! Everything here is a state machine that takes the time and some bytes as arguments and returns what to send and
//! when. Nothing here waits, reads the clock, or touches a socket or a file.
//!
//! ```text
//!  bytes ---- hub: lobby (logins), room (one device id) ---- quirk, fault ---- device: board, replay
//!                                \------------ journal ------------/                   express, motor, bms, can
//! ```

pub mod carrier;
pub mod catalogue;
mod check;
mod command_name;
mod conn;
mod definition;
pub mod device;
pub mod duration;
pub mod fault;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod hex;
pub mod hub;
pub mod journal;
pub mod mistake;
pub mod quirk;
pub mod rng;
mod silence;
pub mod suggest;
pub mod time;

pub use command_name::{CommandName, command_named};
pub use conn::ConnId;
pub use definition::Parameter;
pub use silence::Silence;
