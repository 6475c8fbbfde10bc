//! The CAN bus behind a device, and the list of the kinds of nodes that can be on it.

mod bus;
mod kinds;
mod scan;
mod tap;

pub use bus::CanBus;
pub use kinds::CanNode;

pub(super) use bus::{BROADCAST, Effect, Master, NodeWork, REBOOT_TIME};
