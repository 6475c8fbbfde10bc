//! Outside clients: programs in any language. Environment variables tell a program what to do, and the program prints
//! what it understood as lines of JSON. `docs/clients.md` says what a program must do.
//!
//! * [`command`], [`task`]: how a program is started and what it is told; [`link`]: how it reaches the device;
//!   [`ending`], [`output`]: how it ended and what
//!   it printed.
//! * [`slip`]: whether a crash is a mistake in the client, or how it reports a failure.
//! * [`journal`]: reads the journal file of a hub.
//!
//! [`judge`](crate::judge) judges what a program sent and what it printed.

pub mod command;
pub mod ending;
pub mod journal;
pub mod link;
pub mod output;
pub mod slip;
pub mod task;

/// An environment variable with its value, which also replaces `{name}` in the command.
pub type Variable = (&'static str, String);
