//! How a hub behaves: two profiles, and a switch for each single behaviour between them.

use std::time::Duration;

/// How a hub behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubConfig {
    /// How long a connection may take to send its login line (`VT tcphub.cpp:88-95`: 5 s).
    pub login_timeout: Duration,
    /// The longest login line in bytes; the reference hub has no limit, a simulator must have one.
    pub max_login_line: usize,
    /// The most bytes that may wait for a peer that does not read; beyond it the connection is dropped.
    pub max_unsent: usize,
    /// The most bytes of a device that are kept until its first tool comes; further ones are dropped.
    pub max_kept: usize,
    /// Bytes that are read together with the login line are lost (`VT utility.cpp:2389-2401`).
    pub login_swallows: bool,
    /// A silent connection that was opened later holds up an earlier one's login, until that fails: each
    /// connection is served in a nested event loop (`VT utility.cpp:2379-2415`).
    pub silent_connection_stalls: bool,
    /// When a device logs in again while bytes for its old connection are unsent, the old connection's end
    /// removes the new entry: the device stays connected and cannot be reached (`VT tcphub.cpp:110-129`).
    pub replacement_deletes: bool,
    /// What an outside device says before its first tool comes is kept, and delivered with what it says next.
    pub keeps_early_bytes: bool,
    /// A reply to one tool's request reaches the tool that has taken its place: the pipe has no owners.
    pub late_replies: bool,
    /// Half a frame that a tool leaves in a device's parser is still there for the next tool
    /// (`EX main/comm_wifi.c:206-221`).
    pub half_frames_stay: bool,
}

impl HubConfig {
    /// VESC Tool's hub, its races included.
    #[must_use]
    pub fn reference() -> Self {
        Self {
            login_timeout: Duration::from_secs(5),
            max_login_line: 256 * 1024,
            max_unsent: 1024 * 1024,
            max_kept: 1024 * 1024,
            login_swallows: true,
            silent_connection_stalls: true,
            replacement_deletes: true,
            keeps_early_bytes: true,
            late_replies: true,
            half_frames_stay: true,
        }
    }

    /// A hub without any of these behaviours.
    #[must_use]
    pub fn ideal() -> Self {
        Self {
            login_swallows: false,
            silent_connection_stalls: false,
            replacement_deletes: false,
            keeps_early_bytes: false,
            late_replies: false,
            half_frames_stay: false,
            ..Self::reference()
        }
    }
}

impl Default for HubConfig {
    fn default() -> Self {
        Self::reference()
    }
}
