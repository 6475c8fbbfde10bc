//! What rooms want the hub to do, and what happened in them.

use std::collections::VecDeque;

use veschub_transcript::can::Frame;

use super::{io::Output, stops::Stops};
use crate::{
    conn::ConnId,
    fault::{FaultId, Link},
    journal::JournalEntry,
    time::Time,
};

/// Collects from all rooms; the hub does it in this order.
#[derive(Default)]
pub(super) struct Outbox {
    pub(super) journal: VecDeque<JournalEntry>,
    /// Nothing here is counted as sent yet, and a connection may be gone by the time its turn comes.
    pub(super) outputs: Vec<(ConnId, Output)>,
    /// Frames of the CAN bus that somebody listens to.
    pub(super) on_can: VecDeque<(Time, Frame)>,
    /// Tools whose device dropped its link.
    pub(super) draining: Vec<Draining>,
    /// Faults of which the journal told, to be counted.
    pub(super) fired: Vec<FaultId>,
    /// Which requests wait for somebody to decide.
    pub(super) stops: Stops,
}

/// A tool that is about to be disconnected, and the link that still holds what was sent to it last.
pub(super) struct Draining {
    pub(super) tool: ConnId,
    pub(super) link: Link,
}
