//! The kinds of events, by their names in a JSON journal.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::event::JournalEvent;

/// What kind an event is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
#[expect(missing_docs, reason = "each is documented where its event is")]
pub enum EventKind {
    Opened,
    Login,
    #[serde(rename = "swallowed")]
    LoginBytesDiscarded,
    Attached,
    NotServed,
    Registered,
    EntryDeleted,
    #[serde(rename = "unheard")]
    DeviceBytesDiscarded,
    LoginRefused,
    /// A request or a reply.
    Frame,
    /// Bytes that are no frame, of a tool or of a device.
    Noise,
    #[serde(rename = "half-frame-left")]
    PartialFrameLeft,
    #[serde(rename = "nobody-there")]
    ReplyDiscarded,
    NotAnswered,
    LinkDown,
    LinkUp,
    #[serde(rename = "quirk")]
    QuirkFired,
    #[serde(rename = "fault")]
    FaultFired,
    Closed,
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl JournalEvent {
    /// What kind it is of.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        match self {
            Self::Opened => EventKind::Opened,
            Self::Login(_) => EventKind::Login,
            Self::LoginBytesDiscarded { .. } => EventKind::LoginBytesDiscarded,
            Self::Attached => EventKind::Attached,
            Self::NotServed => EventKind::NotServed,
            Self::Registered => EventKind::Registered,
            Self::EntryDeleted { .. } => EventKind::EntryDeleted,
            Self::DeviceBytesDiscarded { .. } => EventKind::DeviceBytesDiscarded,
            Self::LoginRefused { .. } => EventKind::LoginRefused,
            Self::Request(_) | Self::Reply { .. } => EventKind::Frame,
            Self::Noise(_) | Self::DeviceNoise(_) => EventKind::Noise,
            Self::PartialFrameLeft { .. } => EventKind::PartialFrameLeft,
            Self::ReplyDiscarded(_) => EventKind::ReplyDiscarded,
            Self::NotAnswered { .. } => EventKind::NotAnswered,
            Self::LinkDown => EventKind::LinkDown,
            Self::LinkUp => EventKind::LinkUp,
            Self::QuirkFired { .. } => EventKind::QuirkFired,
            Self::FaultFired(_) => EventKind::FaultFired,
            Self::Closed(_) => EventKind::Closed,
        }
    }
}
