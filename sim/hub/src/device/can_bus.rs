//! The CAN bus behind a device: the nodes on it, and what each does with what it is sent.

use std::{collections::BTreeMap, time::Duration};

use veschub_wire::{Reply, Request, command::BmsValues};

use super::{
    Answer, Motor,
    bms_node::{BmsNode, Heard},
    fate::Fate,
    profile::{LatePong, Profile},
    scan::{Scan, scan},
    worker,
};
use crate::time::Time;

/// The id that addresses all nodes.
pub(super) const BROADCAST: u8 = 255;
/// How long a device is away after REBOOT (`EX main/commands.c:363-373`; taken for the nodes as well).
pub(super) const REBOOT_TIME: Duration = Duration::from_secs(1);
/// BMS data older than this are no data (`EX bms.c:366-395`).
const FRESH: Duration = Duration::from_secs(2);

/// A node on a CAN bus.
#[derive(Clone, Debug)]
pub struct Node {
    what: NodeKind,
    pong_after: Duration,
    /// Whether its worker is busy.
    busy: bool,
    /// When it is back after a restart.
    back_at: Time,
    /// Counts restarts: what was begun before one is not ended.
    life: u32,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum NodeKind {
    /// A motor controller.
    Motor(Box<Motor>),
    /// A VESC BMS.
    Bms(Box<BmsNode>),
}

impl Node {
    /// A node that answers a PING after this time; after more than 10 ms it is too late.
    #[must_use]
    pub fn new(what: NodeKind, pong_after: Duration) -> Self {
        Self {
            what,
            pong_after,
            busy: false,
            back_at: Time::ZERO,
            life: 0,
        }
    }

    fn can_id(&self) -> u8 {
        match &self.what {
            NodeKind::Motor(motor) => motor.can_id(),
            NodeKind::Bms(bms) => bms.can_id(),
        }
    }

    fn profile(&self) -> Profile {
        match &self.what {
            NodeKind::Motor(motor) => *motor.profile(),
            NodeKind::Bms(bms) => *bms.profile(),
        }
    }

    fn is_there(&self, at: Time) -> bool {
        at >= self.back_at
    }

    /// Does a blocking command; `others` are the ids that this node can find, and when they answer.
    fn work(&mut self, at: Time, request: &Request, others: &BTreeMap<u8, Duration>) -> Effect {
        let can_id = self.can_id();
        if self.busy {
            return Effect::Silent(format!("CAN node {can_id}: {}", worker::BUSY));
        }
        let (after, answer) = match (request, &mut self.what) {
            (Request::PingCan, _) => {
                let Scan { can_ids, took, .. } =
                    scan(at, others, self.profile().late_pong, Vec::new());
                (took, Reply::PingCan { can_ids }.into())
            }
            (Request::Other(other), _) => match worker::update_baud(&other.arguments) {
                Some((after, answer)) => (after, answer),
                None => return Effect::Silent(format!("CAN node {can_id}: it is too short")),
            },
            (Request::Bms(command), NodeKind::Bms(bms)) => {
                return Effect::Silent(format!("CAN node {can_id}: {}", bms.obey(at, *command)));
            }
            _ => {
                return Effect::Silent(format!(
                    "CAN node {can_id}: its terminal has nothing to print"
                ));
            }
        };
        self.busy = true;
        let done = NodeDone {
            can_id,
            life: self.life,
            answer,
        };
        Effect::Later { after, done }
    }
}

/// What a node does with a request.
#[derive(Debug)]
pub(super) enum Effect {
    /// It answers.
    Say(Answer),
    /// It answers later, when its worker is done.
    Later { after: Duration, done: NodeDone },
    /// It sends the request on to another node.
    Pass { to: u8, request: Request },
    /// It does not answer.
    Silent(String),
}

/// A node's worker is done.
#[derive(Clone, Debug)]
pub(super) struct NodeDone {
    can_id: u8,
    life: u32,
    answer: Answer,
}

/// Nodes by CAN id.
#[derive(Debug, Default)]
pub struct CanBus {
    nodes: BTreeMap<u8, Node>,
    off: bool,
    /// PONGs that were under way when the last scan ended.
    under_way: Vec<Time>,
}

impl CanBus {
    /// A bus with these nodes; of two with one id, the later one stays.
    #[must_use]
    pub fn new(nodes: impl IntoIterator<Item = Node>) -> Self {
        Self {
            nodes: nodes
                .into_iter()
                .map(|node| (node.can_id(), node))
                .collect(),
            ..Self::default()
        }
    }

    /// The same bus with its driver not started: every PING fails at once, and nothing gets through.
    #[must_use]
    pub fn switched_off(mut self) -> Self {
        self.off = true;
        self
    }

    pub(super) fn is_off(&self) -> bool {
        self.off
    }

    /// What an Express finds that scans at this moment (`EX main/commands.c:149-163`).
    pub(super) fn scan(&mut self, at: Time, late: LatePong) -> Scan {
        if self.off {
            return Scan {
                can_ids: Vec::new(),
                took: Duration::ZERO,
                under_way: Vec::new(),
            };
        }
        let under_way = std::mem::take(&mut self.under_way);
        let scan = scan(at, &self.pongs(at), late, under_way);
        self.under_way.clone_from(&scan.under_way);
        scan
    }

    fn pongs(&self, at: Time) -> BTreeMap<u8, Duration> {
        let there = self.nodes.values().filter(|node| node.is_there(at));
        there.map(|node| (node.can_id(), node.pong_after)).collect()
    }

    /// The nodes that a command for this id reaches: one, none, or with 255 all, ascending.
    pub(super) fn addressed(&self, at: Time, can_id: u8) -> Vec<u8> {
        let there = self.nodes.values().filter(|node| node.is_there(at));
        there
            .map(Node::can_id)
            .filter(|&id| !self.off && (can_id == BROADCAST || id == can_id))
            .collect()
    }

    /// The BMS whose data count: the first that is fresh, or the one that was heard last (`EX bms.c:59-287`).
    fn bms_heard(&self, at: Time) -> Option<Heard> {
        if self.off {
            return None;
        }
        let heard = |node: &Node| match &node.what {
            NodeKind::Bms(bms) => Some(bms.heard(at)),
            NodeKind::Motor(_) => None,
        };
        let mut all = self.nodes.values().filter_map(heard);
        let mut best = all.next()?;
        for other in all {
            if at - best.at > FRESH && other.at > best.at {
                best = other;
            }
        }
        Some(best)
    }

    /// What everybody on the bus knows of a BMS, and when it was heard.
    pub(super) fn bms_values(&mut self, at: Time) -> Option<BmsValues> {
        let heard = self.bms_heard(at)?;
        match &mut self.nodes.get_mut(&heard.can_id)?.what {
            NodeKind::Bms(bms) => Some(bms.broadcast(heard.at)),
            NodeKind::Motor(_) => None,
        }
    }

    /// The BMS that a command may be sent to, or why there is none: its data must be younger than 2 s.
    pub(super) fn bms_to_command(&self, at: Time) -> Result<u8, String> {
        let heard = self.bms_heard(at).ok_or("no BMS was ever heard")?;
        let age = at - heard.at;
        if age >= FRESH {
            return Err(format!(
                "the data of BMS {} are {:.1} s old, and only within 2 s a command is sent on",
                heard.can_id,
                age.as_secs_f64()
            ));
        }
        Ok(heard.can_id)
    }

    /// What a node does with a request that reached it; `master` is the id of the device whose bus this is.
    pub(super) fn receive(
        &mut self,
        at: Time,
        can_id: u8,
        request: &Request,
        master: u8,
    ) -> Effect {
        let heard = match request {
            Request::BmsGetValues => self.bms_values(at),
            _ => None,
        };
        let to_command = match request {
            Request::Bms(_) => self.bms_to_command(at),
            _ => Err(String::new()),
        };
        let mut others = self.pongs(at);
        others.remove(&can_id);
        others.insert(master, Duration::ZERO);
        let Some(node) = self.nodes.get_mut(&can_id).filter(|node| node.is_there(at)) else {
            return Effect::Silent(format!("CAN node {can_id} is gone"));
        };
        let profile = node.profile();
        if profile.fate(request.id()) != Fate::Handled {
            let why = profile.why_silent(request.id()).unwrap_or_default();
            return Effect::Silent(format!("CAN node {can_id}: {why}"));
        }
        let result = match (request, &mut node.what) {
            (Request::Reboot, _) => {
                node.back_at = at + REBOOT_TIME;
                node.busy = false;
                node.life += 1;
                Err("it restarts".to_owned())
            }
            (Request::ForwardCan { can_id: to, .. }, _) => match request.forwarded() {
                Some(Ok(inner)) => {
                    return Effect::Pass {
                        to: *to,
                        request: inner.body,
                    };
                }
                Some(Err(error)) => Err(error.to_string()),
                None => Err("it is empty".to_owned()),
            },
            (Request::Bms(_), NodeKind::Motor(_)) => match to_command {
                Ok(to) => {
                    return Effect::Pass {
                        to,
                        request: request.clone(),
                    };
                }
                Err(why) => Err(why),
            },
            _ if worker::is_blocking(request, &profile) => return node.work(at, request, &others),
            (_, NodeKind::Motor(motor)) => motor.answer(at, request, heard),
            (_, NodeKind::Bms(bms)) => bms.answer(at, request),
        };
        match result {
            Ok(answer) => Effect::Say(answer),
            Err(why) => Effect::Silent(format!("CAN node {can_id}: {why}")),
        }
    }

    /// Ends a node's work; its answer, unless it restarted meanwhile.
    pub(super) fn done(&mut self, at: Time, done: NodeDone) -> Option<Answer> {
        let node = self.nodes.get_mut(&done.can_id)?;
        if node.life != done.life {
            return None;
        }
        node.busy = false;
        node.is_there(at).then_some(done.answer)
    }

    /// Forgets the work of all nodes.
    pub(super) fn drop_pending(&mut self) {
        for node in self.nodes.values_mut() {
            node.busy = false;
            node.life += 1;
        }
    }
}
