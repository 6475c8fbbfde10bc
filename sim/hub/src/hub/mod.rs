//! The hub: connections come in, log in, and are piped to devices.
//!
//! A state machine without sockets: [`Hub::handle`] and [`Hub::handle_timeout`] take events with their time,
//! [`Hub::poll_output`] says what to send, [`Hub::poll_timeout`] when to call again, [`Hub::poll_journal`] what
//! happened. A connection is first in the `lobby` and then, as a tool or as a device, in the `room` of one device
//! id. Simulated devices and devices that log in from outside are in one table.
//!
//! ```text
//!  core: events and timers in --> lobby, login --> rooms: room --> device
//!        outputs and journal out <-- outbox <-----/
//!  leaving: how connections end     load: how much it holds     steer: looking at it, and changing it while it runs
//! ```
//!
//! The behaviour is that of VESC Tool's hub (`VT tcphub.cpp`): success is silence, failure is a close. Where it is
//! odd, [`HubConfig`] has a switch.

mod core;
mod faults;
mod io;
mod leaving;
mod load;
mod lobby;
mod login;
mod outbox;
mod profile;
mod relay;
mod resident;
mod room;
mod rooms;
mod rules;
pub mod steer;
mod steer_error;
mod stops;
mod views;

pub use self::{
    core::Hub,
    io::{Event, Output},
    load::Load,
    profile::{HubConfig, HubKeys, HubProfile, SWITCHES},
    resident::{Access, Resident},
};
pub use crate::conn::ConnId;
