//! When something was captured.

/// The packet record that something came with: the number orders, the time informs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// The number of the packet record.
    pub record: u64,
    /// Its time in nanoseconds since the epoch.
    pub at_ns: u64,
}
