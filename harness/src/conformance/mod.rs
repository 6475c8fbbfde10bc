//! The conformance battery: cases in numbered sections that find out what a client, in any language, does wrong.
//!
//! * [`catalogue`]: the cases, as YAML that is compiled in; [`select`]: selects the cases to run.
//! * [`battery`]: runs all cases, several at the same time; `judge`: judges a client in one case.
//! * [`known`]: the known defects of a client; [`subject`]: what a case is about, which a link may lack.
//! * [`pairs`]: tests the cases themselves with clients that have two defects.
//!
//! A case is a scenario and a header. It looks at its own subject only: at its expectations, and at the fields that its
//! header names. So a client with another defect does not fail it. If a client must be able to do something before a
//! case can be judged, the case names another case that tests this, and is skipped if that one failed.

pub mod battery;
pub mod carrier;
pub mod catalogue;
mod judge;
pub mod known;
pub mod pairs;
pub mod select;
pub mod subject;

pub use battery::{Battery, BatteryError, run};
pub use carrier::Carrier;
pub use catalogue::{Case, Id, Level, Section, sections};
