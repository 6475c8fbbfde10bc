//! What the hub's thread does for the control API: put what happened where others find it.

use std::sync::Arc;

use veschub_hub::{
    hub::{ConnId, Event, Output},
    journal::JournalEntry,
    time::Time,
};

use crate::{changes::Changes, store::Store, wire::Wire};

/// Sees all that happens at the hub.
#[derive(Clone, Debug)]
pub struct Watch {
    store: Arc<Store>,
    /// Nobody asks for packets without HTTP.
    wire: Option<Arc<Wire>>,
    changes: Arc<Changes>,
}

impl Watch {
    pub(crate) fn new(store: Arc<Store>, wire: Option<Arc<Wire>>, changes: Arc<Changes>) -> Self {
        Self {
            store,
            wire,
            changes,
        }
    }

    /// Something happened; passwords are [masked](veschub_hub::journal::Masked).
    pub fn happened(&self, masked: JournalEntry) {
        self.changes.heard(&masked.event);
        self.store.push(masked);
    }

    /// A connection did something.
    pub fn came(&self, at: Time, conn: ConnId, event: &Event<'_>) {
        if let Some(wire) = &self.wire {
            wire.came(at, conn, event);
        }
    }

    /// Something is done to a connection.
    pub fn goes(&self, at: Time, conn: ConnId, output: &Output) {
        if let Some(wire) = &self.wire {
            wire.goes(at, conn, output);
        }
    }
}
