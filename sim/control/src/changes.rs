//! What changed at the hub, for those who show it: no details, only what to look at again.

use std::sync::atomic::{AtomicU64, Ordering};

use veschub_hub::journal::JournalEvent;

/// Something that may have changed, and has a route of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    Hub,
    Sessions,
    Devices,
    Quirks,
    Faults,
    Breakpoints,
    Held,
    Clock,
}

/// All topics, with the names that events give them.
const TOPICS: [(Topic, &str); 8] = [
    (Topic::Hub, "hub"),
    (Topic::Sessions, "sessions"),
    (Topic::Devices, "devices"),
    (Topic::Quirks, "quirks"),
    (Topic::Faults, "faults"),
    (Topic::Breakpoints, "breakpoints"),
    (Topic::Held, "held"),
    (Topic::Clock, "clock"),
];

/// How often each topic changed.
#[derive(Debug, Default)]
pub(crate) struct Changes([AtomicU64; TOPICS.len()]);

/// How often each topic had changed at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen([u64; TOPICS.len()]);

impl Changes {
    /// Something of this changed.
    pub(crate) fn mark(&self, topic: Topic) {
        self.0[topic as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Takes in what an event changes.
    pub(crate) fn heard(&self, event: &JournalEvent) {
        match event {
            JournalEvent::Opened
            | JournalEvent::Attached
            | JournalEvent::Login(_)
            | JournalEvent::LoginRefused { .. }
            | JournalEvent::Closed(_) => self.mark(Topic::Sessions),
            JournalEvent::Registered
            | JournalEvent::EntryDeleted { .. }
            | JournalEvent::LinkDown
            | JournalEvent::LinkUp => self.mark(Topic::Devices),
            JournalEvent::FaultFired(_) => self.mark(Topic::Faults),
            JournalEvent::QuirkFired { .. } => self.mark(Topic::Quirks),
            _ => {}
        }
    }

    /// How it is now.
    pub(crate) fn now(&self) -> Seen {
        Seen(std::array::from_fn(|index| {
            self.0[index].load(Ordering::Relaxed)
        }))
    }
}

impl Seen {
    /// The names of what changed since an earlier moment.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Vec<&'static str> {
        let pairs = self.0.iter().zip(&earlier.0).zip(TOPICS);
        pairs
            .filter(|((now, then), _)| now != then)
            .map(|(_, (_, name))| name)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_is_told_by_name() {
        let changes = Changes::default();
        let before = changes.now();
        changes.mark(Topic::Clock);
        changes.heard(&JournalEvent::LinkDown);
        changes.heard(&JournalEvent::Request(vec![0]));
        assert_eq!(changes.now().since(&before), ["devices", "clock"]);
        assert!(
            TOPICS
                .iter()
                .enumerate()
                .all(|(index, (topic, _))| *topic as usize == index)
        );
    }
}
