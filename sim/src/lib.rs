//! A fake VESCHub that plays devices from scenarios and from recorded sessions.
//!
//! Everything that decides is a state machine that takes the time as an argument; everything that waits is in
//! [`server`]. A map of the code, along the way of the bytes:
//!
//! ```text
//!  server ---- hub: lobby (logins), room (one device id) ---- quirk ---- device: express, replay
//!  sockets     \-------------- journal --------------/                   bms, motor, can_bus
//!
//!  scenario: YAML -> schema -> build -> Hub        cli: the commands of `veschub-sim`
//! ```

pub mod cli;
pub mod device;
pub mod hub;
pub mod journal;
pub mod quirk;
pub mod rng;
pub mod scenario;
pub mod server;
pub mod time;
