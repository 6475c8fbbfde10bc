//! Outside clients: programs in any language. Environment variables tell a program what to do, and the program prints
//! what it understood as lines of JSON. `docs/clients.md` says what a program must do.
//!
//! * [`command`], [`task`]: how a program is started and what it is told; [`link`]: how it reaches the device;
//!   [`ending`], [`output`]: how it ended and what
//!   it printed.
//! * [`reading`], [`schema`]: the readings that it prints.
//! * [`layout`], [`compare`], [`mistake`]: compare each reading with the reply that it was made from.
//! * [`journal`]: reads the journal file of a hub.
//! * [`verdict`]: judges what the program sent, and separately what it understood.

pub mod command;
pub mod compare;
pub mod ending;
pub mod journal;
pub mod layout;
pub mod link;
pub mod mistake;
pub mod output;
pub mod reading;
pub mod schema;
pub mod task;
pub mod verdict;
