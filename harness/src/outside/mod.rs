//! Outside clients: programs in any language, told in environment variables what to do, that print what they
//! understood as lines of JSON. What a program must do is told in `docs/clients.md`.
//!
//! * [`command`], [`task`]: how a program is started and what it is told; [`ending`], [`output`]: what came of it.
//! * [`reading`], [`schema`]: what it says that it understood.
//! * [`layout`], [`compare`], [`mistake`]: each reading beside the reply that it was made from.
//! * [`journal`]: what a hub told of itself, read back.
//! * [`verdict`]: what it sent and what it understood, judged apart.

pub mod command;
pub mod compare;
pub mod ending;
pub mod journal;
pub mod layout;
pub mod mistake;
pub mod output;
pub mod reading;
pub mod schema;
pub mod task;
pub mod verdict;
