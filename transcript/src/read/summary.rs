//! What is known of a capture once it was read.

use crate::error::Truncated;

/// What reading came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// When the first entry was, in nanoseconds since the epoch, if that is known.
    pub start_ns: Option<u64>,
    /// Where the capture ended before its time, if it did.
    pub truncated: Option<Truncated>,
    /// Packets in it.
    pub records: u64,
    /// Connections that were read as VESC sessions.
    pub connections: u64,
    /// Bytes of a bare stream; 0 for a capture.
    pub bytes: u64,
}
