//! The conformance battery: cases in numbered sections that say of a client, in any language, what it gets wrong.
//!
//! * [`catalogue`]: the cases, YAML that is compiled in; [`select`]: which of them are run.
//! * [`player`]: who plays the client's part, and what was seen of it; [`judge`]: what that amounts to, in one case.
//! * [`battery`]: all of it, several cases at a time; [`report`]: the result for programs, [`text`] for people;
//!   [`known`]: what a client is known to get wrong.
//!
//! A case is a scenario and a header. It is judged by its own subject alone: by its expectations, and by the fields
//! that its header names. So a client with another defect does not fail here. Where it must be able to do something
//! to be judged at all, the case needs another one, and is skipped if that one failed.

pub mod battery;
pub mod catalogue;
pub mod judge;
pub mod known;
pub mod player;
pub mod report;
pub mod select;
pub mod text;

pub use battery::{Battery, run};
pub use catalogue::{Case, Id, Level, Section, sections};
pub use player::Player;
pub use report::{Outcome, Report};
