//! Steering: what somebody sees of a hub, and does to it, while it runs.
//!
//! ```text
//!  look           sessions, devices with their values
//!  change         kick, unplug, plug, reboot, remove, insert
//!  renew          a scenario that is taken anew
//!  values         pin, ramp, release
//!  faults, quirks on and off, with what they did
//!  breakpoints    requests that wait until somebody decides
//! ```
//!
//! Every change takes the time, does what was due by then first, and tells the journal what was done
//! ([`JournalEvent::Steered`](crate::journal::JournalEvent::Steered)). A hub that nobody steers does nothing for it.

mod breakpoints;
mod change;
mod faults;
mod look;
mod quirks;
mod renew;
mod values;

pub use super::{
    steer_error::{SteerError, SteerErrorKind},
    stops::{BreakpointId, HeldId, MAX_BREAKPOINTS, MAX_HELD},
    views::{
        BreakpointView, DeviceView, DeviceWithValues, FaultView, HeldView, QuirkView, SessionRole,
        SessionView, ValuesView, Verdict,
    },
};
pub use crate::{
    device::{About, NodeAbout, Origin, Pinned, Release, SetCommand, SetError},
    fault::FaultId,
};
