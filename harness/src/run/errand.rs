//! What a client is to do in a session, and what else happens meanwhile.

use std::sync::Arc;

use veschub_scenario::schema;
use veschub_wire::description::ConfigDescription;

use super::{Second, Strike, kept::Bounds};
use crate::outside::{link::Link, task::Task};

/// What a client does in a session, and what else happens meanwhile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Errand<'a> {
    /// The task as the scenario has it.
    pub(crate) client: &'a schema::Client,
    /// The task as an outside client gets it; `None` if no outside client can do it.
    pub(crate) task: Option<&'a Task>,
    /// A second tool or device that connects.
    pub(crate) second: Option<&'a Second>,
    /// A signal that the client gets.
    pub(crate) strike: Option<&'a Strike>,
    /// What is between the client and the device.
    pub(crate) link: Link,
    /// What the reference client prints.
    pub(crate) prints: Prints,
    /// What names the fields of the configurations that the reference client reads.
    pub(crate) configs: &'a [Arc<ConfigDescription>],
    /// What the run may take in virtual time.
    pub(crate) bounds: Bounds,
}

/// What the reference client prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prints {
    /// The replies to its requests, as a client should.
    Answers,
    /// Every frame that came, so that a scenario shows all of them.
    Everything,
}
