//! What a board has to do with its CAN bus: requests for the nodes, and what they say.

use veschub_transcript::can::SendType;
use veschub_wire::{CommandId, Request};

use super::{BUS_TIME, Board, Job, Part};
use crate::{
    device::{
        Silence,
        answer::{Answer, Answers},
        can::{BROADCAST, Effect, Master, NodeWork},
        output::Out,
    },
    time::Time,
};

impl Board {
    /// Puts a request on the bus, for a node or for all; a frame to its sender's own id reaches nobody.
    pub(super) fn put_on_bus(
        &mut self,
        at: Time,
        from: Option<u8>,
        to: u8,
        request: Request,
        out: &mut Out,
    ) {
        let own = self.node.can_id();
        let command = request.id();
        if self.can.is_off() {
            return out.silent(at, command, Silence::BusOff);
        }
        if from.is_some() && to == own {
            return self.dispatch(at, Part::First, request, out);
        }
        if let Some(part) = self.own_part(to) {
            return self.dispatch(at, part, request, out);
        }
        let sender = from.map_or(own, |node| self.can.can_id(node));
        let way = (sender, to);
        self.can
            .tell_command(at, way, SendType::REQUEST, &request.encode());
        let mut nodes = self.can.addressed(at, to);
        nodes.retain(|&node| Some(node) != from);
        if nodes.is_empty() {
            let why = if to == sender {
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
        let id = request.id();
        let told_at = self.node.told_at(at);
        let master = Master {
            can_id: self.node.can_id(),
            second: self.second.as_ref().map(|second| second.can_id()),
            is_bms: told_at.is_some(),
            pack: told_at.and_then(|told_at| self.node.broadcast(told_at)),
        };
        match self.can.receive(at, node, request, master) {
            Effect::Say { answers, work } => {
                self.hear_node(at, id, work, answers, out);
            }
            Effect::Work { answers, work } => {
                let last = at + answers.last();
                if !self.hear_node(at, id, work, answers, out)
                    || !self.schedule(out, at, last, id, Job::NodeDone(work))
                {
                    self.can.done(work);
                }
            }
            Effect::Silent(why) => out.silent(at, id, why),
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

    /// Passes on what a node says, at once or later; false where too much waits already.
    fn hear_node(
        &mut self,
        at: Time,
        id: CommandId,
        work: NodeWork,
        answers: Answers,
        out: &mut Out,
    ) -> bool {
        answers.into_iter().all(|(after, answer)| {
            if after.is_zero() {
                self.tell_reply(at, work, &answer);
                out.say(at, answer);
                return true;
            }
            self.schedule(out, at, at + after, id, Job::FromNode { work, answer })
        })
    }

    /// A reply goes over the bus, from the node to the device.
    pub(super) fn tell_reply(&mut self, at: Time, work: NodeWork, answer: &Answer) {
        let way = (work.can_id(), self.node.can_id());
        self.can
            .tell_command(at, way, SendType::REPLY, &answer.payload);
    }

    /// Sends a command on to the BMS that was heard (`EX main/bms.c:366-395`).
    pub(super) fn pass_to_bms(&mut self, at: Time, request: &Request, out: &mut Out) {
        let id = request.id();
        match self.can.bms_to_command(at) {
            Ok(node) => {
                let request = request.clone();
                let way = (self.node.can_id(), node);
                self.can
                    .tell_command(at, way, SendType::REQUEST, &request.encode());
                let job = Job::OnBus { node, request };
                self.schedule(out, at, at + BUS_TIME, id, job);
            }
            Err(why) => out.silent(at, id, why),
        }
    }
}
