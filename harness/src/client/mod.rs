//! The reference client: asks a device the way VESC Tool does, and keeps everything that comes back.
//!
//! ```text
//!  stream -bytes-> Inbox (frames, which request each answers) -> Session (waits) -> task (what to ask) -> Readings
//! ```
//!
//! Only [`session`] waits, and only for its stream and for tokio's clock. It opens no socket and reads no time of day.
//! A test connects it to a peer in memory with a paused clock; `veschub-harness read` gives it a TCP stream.

pub mod drive;
pub mod error;
pub mod inbox;
pub mod json;
pub mod session;
pub mod task;
#[cfg(test)]
pub(crate) mod testing;

pub use error::{ClientError, Ending};
pub use inbox::{Received, Ticket};
pub use session::{Options, Session};
pub use task::{Ask, Outcome, Pace, Reading};
