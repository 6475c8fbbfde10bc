//! Breakpoints: requests that wait before their device until somebody decides what becomes of them.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use veschub_wire::CommandId;

use crate::{conn::ConnId, time::Time};

/// The most requests that are held; further ones pass.
pub const MAX_HELD: usize = 64;
/// The most breakpoints.
pub const MAX_BREAKPOINTS: usize = 64;

/// A breakpoint's number at a hub, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BreakpointId(pub u32);

/// A held request's number at a hub, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HeldId(pub u32);

impl fmt::Display for BreakpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for HeldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where requests are held.
#[derive(Clone, Debug)]
pub(super) struct Breakpoint {
    pub(super) id: BreakpointId,
    pub(super) device: Option<String>,
    pub(super) command: Option<CommandId>,
    /// It goes after its first request.
    pub(super) once: bool,
    pub(super) hits: u64,
}

/// A request that is held.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) breakpoint: BreakpointId,
    pub(super) device: String,
    pub(super) conn: Option<ConnId>,
    pub(super) at: Time,
    pub(super) payload: Vec<u8>,
}

/// What becomes of a request that arrives.
pub(super) enum Stop {
    /// It goes on.
    No,
    /// It is held, under this number.
    Held(HeldId),
    /// It would be held, and too many are.
    Full(BreakpointId),
}

/// All breakpoints, and what they hold.
#[derive(Default)]
pub(super) struct Stops {
    breakpoints: Vec<Breakpoint>,
    held: BTreeMap<HeldId, Held>,
    last_breakpoint: u32,
    last_held: u32,
}

impl Stops {
    /// Whether nothing is ever held.
    pub(super) fn is_empty(&self) -> bool {
        self.breakpoints.is_empty()
    }

    pub(super) fn breakpoints(&self) -> &[Breakpoint] {
        &self.breakpoints
    }

    pub(super) fn held(&self) -> impl Iterator<Item = (HeldId, &Held)> {
        self.held.iter().map(|(&id, held)| (id, held))
    }

    /// Adds a breakpoint, unless there are too many.
    pub(super) fn add(
        &mut self,
        device: Option<String>,
        command: Option<CommandId>,
        once: bool,
    ) -> Option<BreakpointId> {
        if self.breakpoints.len() >= MAX_BREAKPOINTS {
            return None;
        }
        self.last_breakpoint += 1;
        let id = BreakpointId(self.last_breakpoint);
        self.breakpoints.push(Breakpoint {
            id,
            device,
            command,
            once,
            hits: 0,
        });
        Some(id)
    }

    /// Removes a breakpoint: the requests that it holds, the oldest first; none, if there never was one.
    pub(super) fn remove(&mut self, id: BreakpointId) -> Option<Vec<(HeldId, Held)>> {
        let before = self.breakpoints.len();
        self.breakpoints.retain(|one| one.id != id);
        let is_its = |held: &Held| held.breakpoint == id;
        let ids = self.held.iter().filter(|(_, held)| is_its(held));
        let ids: Vec<HeldId> = ids.map(|(&id, _)| id).collect();
        let was_there = self.breakpoints.len() < before || !ids.is_empty();
        let held = ids.into_iter().filter_map(|id| Some((id, self.take(id)?)));
        let held = held.collect();
        was_there.then_some(held)
    }

    /// Forgets what has to do with a device that is gone.
    pub(super) fn forget(&mut self, device: &str) {
        self.breakpoints
            .retain(|one| one.device.as_deref() != Some(device));
        self.let_fall(device);
    }

    /// Forgets the requests that are held before a device.
    pub(super) fn let_fall(&mut self, device: &str) {
        self.held.retain(|_, held| held.device != device);
    }

    pub(super) fn take(&mut self, id: HeldId) -> Option<Held> {
        self.held.remove(&id)
    }

    /// A request arrives at a device: the first breakpoint that it meets holds it.
    pub(super) fn meet(
        &mut self,
        at: Time,
        device: &str,
        conn: Option<ConnId>,
        payload: &[u8],
    ) -> Stop {
        let command = payload.first().copied().map(CommandId);
        let meets = |one: &Breakpoint| {
            one.device.as_deref().is_none_or(|own| own == device)
                && (one.command.is_none() || one.command == command)
        };
        let Some(index) = self.breakpoints.iter().position(meets) else {
            return Stop::No;
        };
        let breakpoint = &mut self.breakpoints[index];
        let id = breakpoint.id;
        if self.held.len() >= MAX_HELD {
            return Stop::Full(id);
        }
        breakpoint.hits += 1;
        if breakpoint.once {
            self.breakpoints.remove(index);
        }
        self.last_held += 1;
        let held = HeldId(self.last_held);
        self.held.insert(
            held,
            Held {
                breakpoint: id,
                device: device.to_owned(),
                conn,
                at,
                payload: payload.to_vec(),
            },
        );
        Stop::Held(held)
    }
}
