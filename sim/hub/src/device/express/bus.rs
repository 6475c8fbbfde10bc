//! What an Express has to do with its CAN bus: requests for the nodes, and the BMS data that it hears there.

use veschub_wire::{
    Request,
    command::{BmsCommand, BmsValues},
};

use super::{BUS_TIME, Express, Job, Pack};
use crate::{
    device::{
        Silence,
        can::{BROADCAST, Effect},
        output::Out,
    },
    time::Time,
};

impl Express {
    /// Puts a request on the bus, for a node or for all; a frame to its sender's own id reaches nobody.
    pub(super) fn put_on_bus(
        &mut self,
        at: Time,
        from: Option<u8>,
        to: u8,
        request: Request,
        out: &mut Out,
    ) {
        let own = self.identity.configs.can_id();
        let command = request.id();
        if self.can.is_off() {
            return out.silent(at, command, Silence::BusOff);
        }
        if from.is_some() && to == own {
            return self.dispatch(at, request, out);
        }
        let mut nodes = self.can.addressed(at, to);
        nodes.retain(|&node| Some(node) != from);
        if nodes.is_empty() {
            let why = if to == from.unwrap_or(own) {
                Silence::OwnId(to)
            } else {
                Silence::NoSuchNode(to)
            };
            return out.silent(at, command, why);
        }
        for node in nodes {
            let request = request.clone();
            self.schedule(out, at, at, command, Job::OnBus { node, request });
        }
    }

    pub(super) fn on_bus(&mut self, at: Time, node: u8, request: &Request, out: &mut Out) {
        let own = self.identity.configs.can_id();
        let id = request.id();
        match self.can.receive(at, node, request, own) {
            Effect::Say(answer) => out.say(at, answer),
            Effect::Silent(why) => out.silent(at, id, why),
            Effect::Later { after, done } => {
                self.schedule(out, at, at + after, id, Job::NodeDone(done));
            }
            Effect::Pass { to: BROADCAST, .. } => {
                out.silent(at, id, Silence::NodeBroadcast);
            }
            Effect::Pass { to, request } => {
                let job = Job::Forward {
                    from: Some(node),
                    to,
                    request,
                };
                self.schedule(out, at, at + BUS_TIME, id, job);
            }
        }
    }

    pub(super) fn bms_values(&mut self, at: Time) -> BmsValues {
        let end = self.identity.profile.bms_end;
        match &mut self.pack {
            Pack::Own(bms) => bms.values(at),
            Pack::OverCan => {
                let heard = self.can.bms_values(at);
                end.cut(heard.unwrap_or_else(nothing_heard))
            }
        }
    }

    /// Lets a script of its own act, or sends the command on (`EX main/bms.c:366-395`).
    pub(super) fn command_bms(&mut self, at: Time, command: BmsCommand, out: &mut Out) {
        let request = Request::Bms(command);
        let id = request.id();
        let to = match &mut self.pack {
            Pack::Own(bms) => {
                bms.command(at, command);
                Err(Silence::Obeyed)
            }
            Pack::OverCan => self.can.bms_to_command(at),
        };
        match to {
            Ok(node) => {
                self.schedule(out, at, at + BUS_TIME, id, Job::OnBus { node, request });
            }
            Err(why) => out.silent(at, id, why),
        }
    }
}

/// What an Express tells that has heard of no BMS.
fn nothing_heard() -> BmsValues {
    BmsValues {
        can_id: Some(255),
        ..BmsValues::default()
    }
}
