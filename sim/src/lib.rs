//! A fake VESCHub that plays devices from scenarios and from recorded sessions.
//!
//! Everything that decides is a state machine that takes the time as an argument; everything that waits is in
//! [`io`]. A map of the code, along the way of the bytes:
//!
//! ```text
//!  io: server, device ---- hub: lobby (logins), room (one device id) ---- quirk, fault ---- device: express, replay
//!      pty, discovery      \-------------- journal --------------/                          bms, motor, can_bus
//!      record              \-- observe: who watches, a capture file among them
//!
//!  scenario: YAML -> schema -> build -> Hub        cli: the commands of `veschub-sim`
//! ```

pub mod cli;
pub mod device;
pub mod fault;
pub mod hub;
pub mod io;
pub mod journal;
pub mod observe;
pub mod quirk;
pub mod rng;
pub mod scenario;
pub mod time;

pub use io::server;
