//! Quirks: odd behaviour of the real hub or firmware, or what is believed to be such.
//!
//! A quirk sees the requests of a session in order and may keep one from the device, and sees how connections come and
//! go. It decides on values and never touches a connection. Each one says where it was seen.

mod config_goes_elsewhere;
mod definition;
mod needs_setup;
mod reconnect_reset;
mod session_reset;
mod stale_reply;

pub use config_goes_elsewhere::ConfigGoesElsewhere;
pub use definition::{Definition, Provenance, QuirkInfo, Shown, Switch, Trace};
pub use needs_setup::NeedsSetup;
pub use reconnect_reset::ReconnectReset;
pub use session_reset::SessionReset;
pub use stale_reply::StaleReply;

use veschub_wire::CommandId;

use crate::time::Time;
use definition::quirks;

// Every quirk that a scenario can list.
quirks! {
    SessionReset(SessionReset),
    NeedsSetup(NeedsSetup),
    StaleReply(StaleReply),
    ConfigGoesElsewhere(ConfigGoesElsewhere),
    ReconnectReset(ReconnectReset),
}

/// Every quirk that a scenario can list.
#[must_use]
pub fn catalogue() -> &'static [QuirkInfo] {
    QUIRKS
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

    /// What a scenario writes of it, without its name.
    fn parameters(&self) -> serde_json::Value;

    /// A tool was attached; what an earlier one had asked and is answered only now.
    fn session_begins(&mut self, now: Time) -> Vec<Vec<u8>>;

    /// A request is on its way to the device.
    fn request(&mut self, now: Time, payload: &[u8]) -> Ruling;

    /// The tool has left.
    fn session_ends(&mut self, _now: Time) {}

    /// Why a device that serves directly breaks off a connection that comes; `waited` says that it came earlier, and
    /// waited until the tool before it left.
    fn turns_away(&mut self, _now: Time, _waited: bool) -> Option<String> {
        None
    }
}
