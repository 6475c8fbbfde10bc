//! Quirks: odd behaviour of the real hub or firmware, or what is believed to be such.
//!
//! A quirk sees the requests of a session in order and may keep one from the device. It decides on values and
//! never touches a connection. Each one says where it was seen.

mod catalogue;
mod config_goes_elsewhere;
mod needs_setup;
mod session_reset;
mod stale_reply;

use std::fmt;

pub use catalogue::{QuirkInfo, Shown, Switch, catalogue};
pub use config_goes_elsewhere::ConfigGoesElsewhere;
pub use needs_setup::NeedsSetup;
pub use session_reset::SessionReset;
pub use stale_reply::StaleReply;

use crate::time::Time;

/// How well a quirk is known to be real.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// It can be read in published source code.
    Source,
    /// It was measured on a device or a hub.
    Measured,
    /// Somebody concluded it from what they saw; it may be wrong.
    Inferred,
}

impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Measured => "measured",
            Self::Inferred => "inferred",
        })
    }
}

/// What a quirk does with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// Nothing: on to the next quirk and the device.
    Pass,
    /// The device never sees it, and nothing comes back.
    Withhold {
        /// Why, for the journal and the report.
        why: String,
    },
}

/// One odd behaviour.
pub trait Quirk: Send {
    /// Its name in scenarios and reports, kebab-case.
    fn name(&self) -> &'static str;

    /// How well it is known to be real.
    fn provenance(&self) -> Provenance;

    /// A tool was attached; what an earlier one had asked and is answered only now.
    fn session_begins(&mut self, now: Time) -> Vec<Vec<u8>>;

    /// A request is on its way to the device.
    fn request(&mut self, now: Time, payload: &[u8]) -> Ruling;
}
