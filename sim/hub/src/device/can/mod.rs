//! The CAN bus behind a device, and what can be on it: one file a kind of node, and the list of kinds.

mod bms;
mod bus;
mod kinds;
mod motor;
mod node;
mod scan;

pub use bus::CanBus;
pub use kinds::CanNode;
pub use node::NodeSettings;

pub(super) use bus::{BROADCAST, Effect, NodeDone, REBOOT_TIME};
pub(super) use motor::standing_still;
