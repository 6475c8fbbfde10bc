//! Breakpoints: requests that wait before their device until somebody decides.

use veschub_wire::{CommandId, view::hex};

use crate::{
    Silence,
    device::DeviceEvent,
    hub::{
        core::Hub,
        steer_error::SteerError,
        stops::{Breakpoint, BreakpointId, Held, HeldId, MAX_BREAKPOINTS},
        views::{BreakpointView, HeldView, Verdict},
    },
    time::Time,
};

impl Hub {
    /// Holds requests before their device from now on: those to one device, or to all, and of one command, or of all. With
    /// `once` only the first. Devices from outside get theirs all the same: the hub only passes on their bytes.
    ///
    /// # Errors
    /// If there is no such device, or there are too many breakpoints.
    pub fn add_breakpoint(
        &mut self,
        now: Time,
        device: Option<&str>,
        command: Option<CommandId>,
        once: bool,
    ) -> Result<BreakpointId, SteerError> {
        self.catch_up(now);
        let device = device.map(|id| self.known_id(id)).transpose()?;
        let added = self.outbox.stops.add(device.clone(), command, once);
        let id = added.ok_or(SteerError::TooManyBreakpoints(MAX_BREAKPOINTS))?;
        let which =
            command.map_or_else(|| "all requests".to_owned(), |command| command.to_string());
        self.steered(
            now,
            device.as_deref(),
            format!("breakpoint {id} on: {which}"),
        );
        self.follow(now);
        Ok(id)
    }

    /// All breakpoints, the oldest first.
    #[must_use]
    pub fn breakpoints(&self) -> Vec<BreakpointView> {
        let view = |one: &Breakpoint| BreakpointView {
            id: one.id,
            device: one.device.clone(),
            command: one.command.map(|command| command.to_string()),
            once: one.once,
            hits: one.hits,
        };
        self.outbox.stops.breakpoints().iter().map(view).collect()
    }

    /// Removes a breakpoint; what it holds goes on to the device.
    ///
    /// # Errors
    /// If there is no such breakpoint.
    pub fn remove_breakpoint(&mut self, now: Time, id: BreakpointId) -> Result<(), SteerError> {
        self.catch_up(now);
        let held = self.outbox.stops.remove(id);
        let held = held.ok_or(SteerError::NoSuchBreakpoint(id))?;
        self.steered(now, None, format!("breakpoint {id} off"));
        for (id, held) in held {
            self.decide(now, id, held, Verdict::Pass);
        }
        self.follow(now);
        Ok(())
    }

    /// The requests that are held, the oldest first.
    #[must_use]
    pub fn held(&self) -> Vec<HeldView> {
        let view = |(id, held): (HeldId, &Held)| HeldView {
            id,
            breakpoint: held.breakpoint,
            device: held.device.clone(),
            connection: held.conn.map(|conn| conn.0),
            at: held.at.as_secs_f64(),
            command: CommandId(held.payload.first().copied().unwrap_or_default()).to_string(),
            payload: hex(&held.payload),
        };
        self.outbox.stops.held().map(view).collect()
    }

    /// Decides what becomes of a held request. Whoever is the tool by now gets what comes back, as with every reply.
    ///
    /// # Errors
    /// If it is not held, or a payload cannot be sent; then it is held on.
    pub fn let_go(&mut self, now: Time, id: HeldId, verdict: Verdict) -> Result<(), SteerError> {
        self.catch_up(now);
        verdict.check()?;
        let held = self.outbox.stops.take(id);
        let held = held.ok_or(SteerError::NotHeld(id))?;
        self.decide(now, id, held, verdict);
        self.follow(now);
        Ok(())
    }

    fn decide(&mut self, now: Time, id: HeldId, held: Held, verdict: Verdict) {
        let command = CommandId(held.payload.first().copied().unwrap_or_default());
        let text = format!("{} the held {command}, number {id}", verdict.done());
        self.steered(now, Some(&held.device), text);
        let Some(room) = self.rooms.get_mut(&held.device) else {
            return;
        };
        match verdict {
            Verdict::Pass => room.go_on(now, held.conn, &held.payload, &mut self.outbox),
            Verdict::Change(payload) => room.go_on(now, held.conn, &payload, &mut self.outbox),
            Verdict::Answer(payloads) => {
                for payload in payloads {
                    let reply = DeviceEvent::Reply {
                        payload,
                        truth: None,
                    };
                    room.happen(now, reply, &mut self.outbox);
                }
            }
            Verdict::Drop => {
                let why = Silence::Dropped;
                let silent = DeviceEvent::NotAnswered { command, why };
                room.happen(now, silent, &mut self.outbox);
            }
        }
    }
}
