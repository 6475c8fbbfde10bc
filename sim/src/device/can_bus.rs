//! The CAN bus behind a device: the nodes on it and how long it takes to find them.

use std::{collections::BTreeMap, time::Duration};

use super::Motor;

/// How long a scan waits for each id that does not answer (`EX main/comm_can.c:1133-1151`).
const PING_TIMEOUT: Duration = Duration::from_millis(10);
/// The ids that a scan asks, 0 to 254 (`EX main/commands.c:153-158`).
const SCANNED_IDS: u32 = 255;

/// Nodes by CAN id.
#[derive(Default)]
pub struct CanBus {
    nodes: BTreeMap<u8, Motor>,
}

impl CanBus {
    /// A bus with these nodes; of two with one id, the later one stays.
    #[must_use]
    pub fn new(nodes: impl IntoIterator<Item = Motor>) -> Self {
        Self {
            nodes: nodes
                .into_iter()
                .map(|node| (node.can_id(), node))
                .collect(),
        }
    }

    /// The ids that answer a scan, ascending; 255 is never asked.
    #[must_use]
    pub fn ids(&self) -> Vec<u8> {
        self.nodes.keys().copied().filter(|&id| id != 255).collect()
    }

    /// How long a scan takes: 10 ms for each id that does not answer, 2.54 s with one node.
    #[must_use]
    pub fn scan_time(&self) -> Duration {
        PING_TIMEOUT * SCANNED_IDS.saturating_sub(self.ids().len() as u32)
    }

    /// The nodes that a command for this id reaches: one, none, or with 255 all.
    pub(super) fn addressed(&mut self, can_id: u8) -> impl Iterator<Item = &mut Motor> {
        self.nodes
            .values_mut()
            .filter(move |node| can_id == 255 || node.can_id() == can_id)
    }
}
