//! The CAN bus behind a device: the nodes on it, and what each does with what it is sent.

mod heard;

use std::{collections::BTreeMap, time::Duration};

use veschub_transcript::can::{Frame, Packet, SendType};
use veschub_wire::{CommandId, Reply, Request, command::BmsValues};

use super::{
    kinds::CanNode,
    scan::{Scan, scan},
    tap::Tap,
};
use crate::{
    device::{
        Silence,
        answer::{Answer, Answers},
        bms::Series,
        fate,
        node::{Node, Telling},
        profile::{LatePong, Profile},
        worker,
    },
    rng::Seed,
    time::Time,
};

/// The id that addresses all nodes.
pub(in crate::device) const BROADCAST: u8 = 255;
/// How long a device is away after REBOOT (`EX main/commands.c:363-373`; taken for the nodes as well).
pub(in crate::device) const REBOOT_TIME: Duration = Duration::from_secs(1);
/// A place on the bus with its node.
#[derive(Debug)]
struct Station {
    /// The id that the node started with. It stands for the node, whatever ids it takes later.
    place: u8,
    node: Box<dyn Node>,
    pong_after: Duration,
    /// Whether its worker is busy.
    busy: bool,
    /// Whether a blocking command has decided where its PRINTs go.
    prints: bool,
    /// When it is back after a restart.
    back_at: Time,
    /// Counts restarts: what was begun before one is not ended.
    life: u32,
}

impl Station {
    /// One for each motor of a node.
    fn all(described: &CanNode, seed: Seed, series: &Series) -> Vec<Self> {
        let settings = described.settings();
        let pong_after = settings.pong_after().map(Into::into).unwrap_or_default();
        let seed = seed.derive(&format!("can {}", settings.can_id()));
        let first = described.make(seed, series);
        let all = [Some(first), described.make_second(seed, series)];
        let station = |node: Box<dyn Node>| Self {
            place: node.can_id(),
            node,
            pong_after,
            busy: false,
            prints: false,
            back_at: Time::ZERO,
            life: 0,
        };
        all.into_iter().flatten().map(station).collect()
    }

    fn can_id(&self) -> u8 {
        self.node.can_id()
    }

    fn silent(&self, why: Silence) -> Effect {
        let (can_id, why) = (self.can_id(), Box::new(why));
        Effect::Silent(Silence::Node { can_id, why })
    }

    fn is_there(&self, at: Time) -> bool {
        at >= self.back_at
    }

    /// Does a blocking command; `others` are the ids that this node can find, and when they answer.
    fn work(&mut self, at: Time, request: &Request, others: &BTreeMap<u8, Duration>) -> Effect {
        if self.busy {
            return self.silent(Silence::Busy);
        }
        let answers = match request {
            Request::PingCan => {
                let late = self.node.profile().late_pong;
                let Scan { can_ids, took, .. } = scan(at, others, late, Vec::new());
                Answers::none().later(took, Reply::PingCan { can_ids })
            }
            Request::Other(other) if other.id == CommandId::CAN_UPDATE_BAUD_ALL => {
                match worker::update_baud(&other.arguments) {
                    Some((took, answer)) => Answers::none().later(took, answer),
                    None => return self.silent(Silence::TooShort),
                }
            }
            Request::TerminalCmd(command) => match self.terminal(at, command) {
                Some(answers) => answers,
                None => return self.silent(Silence::NothingToPrint),
            },
            _ => match self.node.answer(at, request, None) {
                Ok(answers) => answers,
                Err(why) => return self.silent(why),
            },
        };
        self.busy = true;
        self.prints = true;
        Effect::Work {
            answers: worker::printable(self.node.profile(), self.prints, answers),
            work: self.begin(),
        }
    }

    /// What its terminal prints: the echo, and the command's own prints.
    fn terminal(&mut self, at: Time, command: &[u8]) -> Option<Answers> {
        let prints = self.node.terminal(at, command)?;
        let echo = worker::echo(command, self.node.profile());
        let all = echo.into_iter().chain(prints);
        Some(all.fold(Answers::none(), |all, print| {
            all.later(Duration::ZERO, print)
        }))
    }

    fn begin(&self) -> NodeWork {
        NodeWork {
            place: self.place,
            can_id: self.can_id(),
            life: self.life,
        }
    }

    fn answer(&mut self, at: Time, request: &Request, heard: Option<BmsValues>) -> Effect {
        match self.node.answer(at, request, heard) {
            Ok(answers) => Effect::Say {
                answers: worker::printable(self.node.profile(), self.prints, answers),
                work: self.begin(),
            },
            Err(why) => {
                if why.restarts() {
                    self.restart(at);
                }
                if why == Silence::SwitchesOff {
                    self.restart(at);
                    self.back_at = at + Duration::MAX;
                }
                self.silent(why)
            }
        }
    }

    fn restart(&mut self, at: Time) {
        self.back_at = at + REBOOT_TIME;
        self.busy = false;
        self.prints = false;
        self.life += 1;
        self.node.restart(at);
    }
}

/// What a node does with a request.
#[derive(Debug)]
pub(in crate::device) enum Effect {
    /// It answers.
    Say { answers: Answers, work: NodeWork },
    /// It answers, and its worker is busy until the last answer.
    Work { answers: Answers, work: NodeWork },
    /// It sends the request on to another node.
    Pass { to: u8, request: Request },
    /// It does not answer.
    Silent(Silence),
}

/// The device whose bus it is, as its nodes know it.
#[derive(Debug)]
pub(in crate::device) struct Master {
    /// Its CAN id.
    pub(in crate::device) can_id: u8,
    /// That of its second motor.
    pub(in crate::device) second: Option<u8>,
    /// Whether it is a BMS that tells the bus its values.
    pub(in crate::device) is_bms: bool,
    /// What it tells the bus of its pack.
    pub(in crate::device) pack: Option<BmsValues>,
}

/// What a node has begun: it ends with a restart of the node.
#[derive(Clone, Copy, Debug)]
pub(in crate::device) struct NodeWork {
    place: u8,
    can_id: u8,
    life: u32,
}

impl NodeWork {
    /// The node.
    pub(in crate::device) fn can_id(self) -> u8 {
        self.can_id
    }
}

/// A CAN bus with its nodes, by the ids with which they started.
#[derive(Debug, Default)]
pub struct CanBus {
    stations: BTreeMap<u8, Station>,
    off: bool,
    /// PONGs that were under way when the last scan ended.
    under_way: Vec<Time>,
    /// Who listens.
    tap: Option<Tap>,
}

impl CanBus {
    /// A bus with these nodes; of two with one id, the later one stays.
    #[must_use]
    pub fn new(nodes: &[CanNode], seed: Seed, series: &Series) -> Self {
        let stations = nodes
            .iter()
            .flat_map(|node| Station::all(node, seed, series));
        Self {
            stations: stations.map(|one| (one.place, one)).collect(),
            ..Self::default()
        }
    }

    /// The same bus with its driver not started: every PING fails at once, and nothing gets through.
    #[must_use]
    pub fn switched_off(mut self) -> Self {
        self.off = true;
        self
    }

    pub(in crate::device) fn is_off(&self) -> bool {
        self.off
    }

    /// What a device finds that scans at this moment (`EX main/commands.c:149-163`). A controller with two motors passes
    /// over its first id and finds its second (`MC comm/comm_can.c:654-658`).
    pub(in crate::device) fn scan(
        &mut self,
        at: Time,
        late: LatePong,
        master: u8,
        second: Option<u8>,
    ) -> Scan {
        if self.off {
            return Scan {
                can_ids: Vec::new(),
                took: Duration::ZERO,
                under_way: Vec::new(),
                asked: Vec::new(),
            };
        }
        let under_way = std::mem::take(&mut self.under_way);
        let mut pongs = self.pongs(at);
        pongs.extend(second.map(|id| (id, Duration::ZERO)));
        let scan = scan(at, &pongs, late, under_way);
        self.under_way.clone_from(&scan.under_way);
        self.tell_scan(at, master, &scan);
        scan
    }

    /// The PINGs of a scan, and the PONGs of who is there.
    fn tell_scan(&mut self, at: Time, master: u8, scan: &Scan) {
        let Some(tap) = &mut self.tap else {
            return;
        };
        for (&asked, id) in scan.asked.iter().zip(0..) {
            tap.frame(asked, Frame::new(Packet::PING, id, &[master]));
            for one in self
                .stations
                .values()
                .filter(|one| one.can_id() == id && one.is_there(at))
            {
                // What kind of hardware it is: 0 a motor controller, 1 a BMS.
                let pong = [id, u8::from(one.node.obeys_bms())];
                let frame = Frame::new(Packet::PONG, master, &pong);
                tap.frame(asked + one.pong_after, frame);
            }
        }
    }

    /// Makes the frames that go over the bus from now on; `own` is what the device whose bus it is tells.
    pub(in crate::device) fn listen(&mut self, own: Vec<Telling>) {
        let mut tap = Tap::default();
        for telling in own {
            tap.tells(None, telling);
        }
        for one in self.stations.values() {
            for telling in one.node.tells() {
                tap.tells(Some(one.place), telling);
            }
        }
        self.tap = Some(tap).filter(|_| !self.off);
    }

    /// A command goes over the bus, if somebody listens.
    pub(in crate::device) fn tell_command(
        &mut self,
        at: Time,
        way: (u8, u8),
        send_type: SendType,
        payload: &[u8],
    ) {
        if let Some(tap) = &mut self.tap {
            tap.command(at, way, send_type, payload);
        }
    }

    /// When there are frames to tell.
    pub(in crate::device) fn poll_tap(&self) -> Option<Time> {
        self.tap.as_ref()?.poll_timeout()
    }

    /// The frames that have gone by `now`; `own` is the node of the device whose bus it is, unless it is away.
    pub(in crate::device) fn frames(
        &mut self,
        now: Time,
        mut own: Option<&mut dyn Node>,
    ) -> Vec<(Time, Frame)> {
        let Some(tap) = &mut self.tap else {
            return Vec::new();
        };
        while let Some((at, due)) = tap.next_telling(now) {
            let frames = match due.node {
                None => own.as_mut().map(|node| node.tell(at, due.mask)),
                Some(id) => {
                    let there = self.stations.get_mut(&id).filter(|one| one.is_there(at));
                    there.map(|one| one.node.tell(at, due.mask))
                }
            };
            for frame in frames.unwrap_or_default() {
                tap.frame(at, frame);
            }
        }
        tap.release(now)
    }

    /// The id that the node at a place has now.
    pub(in crate::device) fn can_id(&self, place: u8) -> u8 {
        self.stations.get(&place).map_or(place, Station::can_id)
    }

    /// Its nodes, by their ids.
    pub(in crate::device) fn nodes(&self) -> impl Iterator<Item = &dyn Node> {
        self.stations.values().map(|one| &*one.node)
    }

    /// The node with this id.
    pub(in crate::device) fn node_mut(&mut self, can_id: u8) -> Option<&mut dyn Node> {
        self.stations
            .values_mut()
            .find(|one| one.can_id() == can_id)
            .map(|one| &mut *one.node as &mut dyn Node)
    }

    fn pongs(&self, at: Time) -> BTreeMap<u8, Duration> {
        let there = self.stations.values().filter(|node| node.is_there(at));
        there.map(|node| (node.can_id(), node.pong_after)).collect()
    }

    /// The places that a command for this id reaches: one, none, or with 255 all, ascending; several where a node has taken
    /// the id of another.
    pub(in crate::device) fn addressed(&self, at: Time, can_id: u8) -> Vec<u8> {
        let there = self.stations.values().filter(|node| node.is_there(at));
        there
            .filter(|node| !self.off && (can_id == BROADCAST || node.can_id() == can_id))
            .map(|node| node.place)
            .collect()
    }

    /// What the node at a place does with a request that reached it; `master` is the device whose bus this is.
    pub(in crate::device) fn receive(
        &mut self,
        at: Time,
        place: u8,
        request: &Request,
        master: Master,
    ) -> Effect {
        let heard = match request {
            Request::BmsGetValues => self.bms_values(at).or(master.pack),
            _ => None,
        };
        let to_command = match (request, master.is_bms) {
            (Request::Bms(_), true) => Ok(master.can_id),
            (Request::Bms(_), false) => self.bms_to_command(at),
            _ => Err(Silence::NoBms),
        };
        let mut others = self.pongs(at);
        others.remove(&self.can_id(place));
        let ids = [Some(master.can_id), master.second].into_iter().flatten();
        others.extend(ids.map(|id| (id, Duration::ZERO)));
        let there = self.stations.get_mut(&place);
        let Some(one) = there.filter(|one| one.is_there(at)) else {
            return Effect::Silent(Silence::NodeGone(self.can_id(place)));
        };
        let profile: Profile = *one.node.profile();
        if let Some(why) = fate::why_silent(&profile, request.id()) {
            return one.silent(why);
        }
        match request {
            Request::Reboot => {
                one.restart(at);
                one.silent(Silence::Restarts)
            }
            Request::ForwardCan { can_id: to, .. } => match request.forwarded() {
                Some(Ok(inner)) => Effect::Pass {
                    to: *to,
                    request: inner.body,
                },
                Some(Err(error)) => one.silent(error.into()),
                None => one.silent(Silence::Empty),
            },
            // A node that is no BMS sends it on to the one that it has heard.
            Request::Bms(_) if !one.node.obeys_bms() => match to_command {
                Ok(to) => Effect::Pass {
                    to,
                    request: request.clone(),
                },
                Err(why) => one.silent(why),
            },
            _ if worker::is_blocking(request.id(), &profile) => one.work(at, request, &others),
            _ => one.answer(at, request, heard),
        }
    }

    /// Whether a node still does what it has begun.
    pub(in crate::device) fn goes_on(&self, at: Time, work: NodeWork) -> bool {
        let node = self.stations.get(&work.place);
        node.is_some_and(|node| node.life == work.life && node.is_there(at))
    }

    /// Frees a node's worker.
    pub(in crate::device) fn done(&mut self, work: NodeWork) {
        let node = self.stations.get_mut(&work.place);
        if let Some(node) = node.filter(|node| node.life == work.life) {
            node.busy = false;
        }
    }

    /// When a node wants to do something without being asked.
    pub(in crate::device) fn poll_timeout(&self) -> Option<Time> {
        let nodes = self.stations.values();
        nodes.filter_map(|one| one.node.poll_timeout()).min()
    }

    /// Lets the nodes do what was due by `now`, and tells what they say without being asked.
    pub(in crate::device) fn handle_timeout(&mut self, now: Time) -> Vec<(Time, Answer)> {
        let mut said = Vec::new();
        for one in self.stations.values_mut() {
            if one.node.poll_timeout().is_some_and(|due| due <= now) {
                let node = one.node.handle_timeout(now).into_iter();
                let can_be_heard = |(at, answer): &(Time, Answer)| {
                    let is_there = *at >= one.back_at && !self.off;
                    is_there && !worker::drops(one.node.profile(), one.prints, answer)
                };
                said.extend(node.filter(can_be_heard));
            }
        }
        said
    }

    /// Forgets the work of all nodes.
    pub(in crate::device) fn drop_pending(&mut self) {
        for node in self.stations.values_mut() {
            node.busy = false;
            node.life += 1;
        }
    }
}
