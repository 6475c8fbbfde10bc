//! What happened at the hub, entry by entry.
//!
//! Times come from the state machines' schedule, not from when a task woke up, so that the same run gives the
//! same journal. Passwords are kept in a type that never prints them.

mod event;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
pub mod json;
mod kind;
mod masked;
mod transcript;

pub use event::{Closed, JournalEntry, JournalEvent};
pub use kind::EventKind;
pub use masked::Masked;
pub use transcript::transcript;
