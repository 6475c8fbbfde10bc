//! The conformance battery: cases in numbered sections that find out what a client, in any language, does wrong.
//!
//! * [`catalogue`]: the cases, as YAML that is compiled in; [`carrier`]: what is carried in cases that are not about
//!   values; [`select`]: selects the cases to run.
//! * [`player`]: runs a client in a case; [`judge`]: judges the client in that case.
//! * [`battery`]: runs all cases, several at the same time; [`report`]: the result as data, [`text`]: as text;
//!   [`known`]: the known defects of a client.
//!
//! A case is a scenario and a header. It looks at its own subject only: at its expectations, and at the fields that its
//! header names. So a client with another defect does not fail it. If a client must be able to do something before a
//! case can be judged, the case names another case that tests this, and is skipped if that one failed.

pub mod battery;
pub mod carrier;
pub mod catalogue;
pub mod judge;
pub mod known;
pub mod player;
pub mod report;
pub mod select;
pub mod text;

pub use battery::{Battery, BatteryError, run};
pub use carrier::Carrier;
pub use catalogue::{Case, Id, Level, Section, sections};
pub use player::Player;
pub use report::{Outcome, Report};
