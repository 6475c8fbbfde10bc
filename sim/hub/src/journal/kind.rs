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
    Steered,
    Held,
    Closed,
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl From<&JournalEvent> for EventKind {
    fn from(event: &JournalEvent) -> Self {
        match event {
            JournalEvent::Opened => Self::Opened,
            JournalEvent::Login(_) => Self::Login,
            JournalEvent::LoginBytesDiscarded { .. } => Self::LoginBytesDiscarded,
            JournalEvent::Attached => Self::Attached,
            JournalEvent::NotServed => Self::NotServed,
            JournalEvent::Registered => Self::Registered,
            JournalEvent::EntryDeleted { .. } => Self::EntryDeleted,
            JournalEvent::DeviceBytesDiscarded { .. } => Self::DeviceBytesDiscarded,
            JournalEvent::LoginRefused { .. } => Self::LoginRefused,
            JournalEvent::Request(_) | JournalEvent::Reply { .. } => Self::Frame,
            JournalEvent::Noise { .. } | JournalEvent::DeviceNoise { .. } => Self::Noise,
            JournalEvent::PartialFrameLeft { .. } => Self::PartialFrameLeft,
            JournalEvent::ReplyDiscarded(_) => Self::ReplyDiscarded,
            JournalEvent::NotAnswered { .. } => Self::NotAnswered,
            JournalEvent::LinkDown => Self::LinkDown,
            JournalEvent::LinkUp => Self::LinkUp,
            JournalEvent::QuirkFired { .. } => Self::QuirkFired,
            JournalEvent::FaultFired(_) => Self::FaultFired,
            JournalEvent::Steered { .. } => Self::Steered,
            JournalEvent::Held { .. } => Self::Held,
            JournalEvent::Closed(_) => Self::Closed,
        }
    }
}
