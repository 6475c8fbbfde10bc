//! A device on a link: what an Express, a motor controller and a BMS have in common.
//!
//! ```text
//!  request -> script? -> worker (PING_CAN, TERMINAL_CMD, ...) ------------------\
//!                    \-> FORWARD_CAN, BMS commands -> CAN bus -> other nodes ---> replies and PRINTs, whoever is the tool
//!                    \-> all others, one after the other -> its own node -------/
//! ```
//!
//! At its heart is a [`Node`](super::node::Node), the same as on a bus: what its firmware answers. The board has the
//! link, the worker, what a scenario makes it say, and the CAN bus behind it.
//!
//! Blocking commands run in a worker for seconds; meanwhile other commands are answered, and a second blocking one
//! is dropped without a word (`EX main/commands.c:1088-1099`, `MC comm/commands.c:1684-1717`). What firmware does not
//! handle is ignored: there is no error reply in this protocol.

mod bus;
mod steer;

use std::time::Duration;

use veschub_wire::{CommandId, Reply, Request};

use super::{
    Silence,
    answer::{Answer, Answers},
    bms::Series,
    can::{CanBus, CanNode, NodeWork, REBOOT_TIME},
    express::Express,
    fate,
    node::Node,
    output::{Device, DeviceEvent, Out},
    profile::Kind,
    queue::Queue,
    script::{Recital, Script, latin1, print},
    steer::{About, Release, SetCommand, SetError, Told},
    worker,
};
use crate::{rng::Seed, time::Time};

/// What the bus adds to the way of a reply of a few frames, at 500 kbit/s.
const BUS_TIME: Duration = Duration::from_millis(2);

/// What changes firmware: a controller with two motors ignores it on the way to itself
/// (`MC comm/comm_can.c:1742-1750, 1784-1792`).
const FIRMWARE: [CommandId; 9] = [
    CommandId::JUMP_TO_BOOTLOADER,
    CommandId::ERASE_NEW_APP,
    CommandId::WRITE_NEW_APP_DATA,
    CommandId::JUMP_TO_BOOTLOADER_ALL_CAN,
    CommandId::ERASE_NEW_APP_ALL_CAN,
    CommandId::WRITE_NEW_APP_DATA_ALL_CAN,
    CommandId::ERASE_BOOTLOADER,
    CommandId::ERASE_BOOTLOADER_ALL_CAN,
    CommandId::WRITE_NEW_APP_DATA_LZO,
];

/// What a board has besides its node.
#[derive(Debug)]
pub struct Wiring {
    /// From a request's arrival to the reply's departure: the way to the device and back, and its work.
    pub reply_after: Duration,
    /// The CAN bus behind it.
    pub can: CanBus,
    /// What a scenario makes it say.
    pub script: Script,
}

/// A simulated device on a link.
pub struct Board {
    node: Box<dyn Node>,
    /// The second motor of a controller with two. It has the same link, worker and bus.
    second: Option<Box<dyn Node>>,
    reply_after: Duration,
    can: CanBus,
    script: Recital,
    jobs: Queue<Job>,
    /// Texts that nobody asks for; a restart does not forget them.
    unasked: Queue<Answer>,
    worker_is_busy: bool,
    /// Whether a blocking command has decided where its PRINTs go.
    prints: bool,
    /// When it is back after a restart.
    back_at: Option<Time>,
    /// Whether it has switched itself off, for good.
    is_off: bool,
}

/// Which motor of a controller a request is for; others have one part only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    First,
    Second,
}

enum Job {
    Do(Part, Request),
    /// The node does a command in the worker.
    Work(Part, Request),
    Say(Answer),
    /// What the scenario wants to be said.
    Recite(Answer),
    /// Bytes go out as they are.
    SayRaw(Vec<u8>),
    /// A scenario makes it restart.
    Restart,
    Ignore(CommandId, Silence),
    /// The worker is done and free again.
    WorkDone(Vec<Answer>),
    /// A request goes out on the bus, from a node or from the device itself.
    Forward {
        from: Option<u8>,
        to: u8,
        request: Request,
    },
    /// A request reaches a node on the bus.
    OnBus {
        node: u8,
        request: Request,
    },
    /// A node on the bus says something.
    FromNode {
        work: NodeWork,
        answer: Answer,
    },
    NodeDone(NodeWork),
}

impl Job {
    /// Whether it changes something and nobody waits for its answer.
    fn acts(&self) -> bool {
        let (Self::Do(_, request) | Self::Forward { request, .. } | Self::OnBus { request, .. }) =
            self
        else {
            return false;
        };
        request.is_never_answered()
    }
}

impl Board {
    /// An Express on a link.
    #[must_use]
    pub fn express(express: Express, wiring: Wiring) -> Self {
        Self::new(Box::new(express), None, wiring)
    }

    /// A motor controller or a BMS alone on a link, described as on a CAN bus; the series hold the files that its
    /// description names.
    #[must_use]
    pub fn alone(node: &CanNode, wiring: Wiring, seed: Seed, series: &Series) -> Self {
        let second = node.make_second(seed, series);
        Self::new(node.make(seed, series), second, wiring)
    }

    fn new(node: Box<dyn Node>, second: Option<Box<dyn Node>>, wiring: Wiring) -> Self {
        let Wiring {
            reply_after,
            can,
            script,
        } = wiring;
        let mut unasked = Queue::default();
        for text in &script.prints {
            let print = print(&latin1(&text.text), node.profile().max_print);
            unasked.push(text.at, print);
        }
        Self {
            node,
            second,
            reply_after,
            can,
            script: Recital::new(script),
            jobs: Queue::default(),
            unasked,
            worker_is_busy: false,
            prints: false,
            back_at: None,
            is_off: false,
        }
    }

    /// False, and the request ignored, when too much waits already.
    fn schedule(
        &mut self,
        out: &mut Out,
        now: Time,
        due: Time,
        command: CommandId,
        job: Job,
    ) -> bool {
        let has_room = self.jobs.push(due, job);
        if !has_room {
            out.silent(now, command, Silence::Crowded);
        }
        has_room
    }

    /// Replies from the scenario, which are said as they are; false where it has none for this request.
    fn recite(&mut self, now: Time, payload: &[u8], out: &mut Out) -> bool {
        let Some(scripted) = self.script.reply_to(payload) else {
            return false;
        };
        let due = now + scripted.after.unwrap_or(self.reply_after);
        let answers: Vec<Answer> = scripted
            .replies
            .iter()
            .map(|raw| Answer::raw(raw))
            .collect();
        let command = CommandId(payload.first().copied().unwrap_or_default());
        if scripted.is_silent() {
            out.silent(now, command, Silence::Scripted);
        }
        let mut jobs: Vec<(Time, Job)> = answers
            .into_iter()
            .map(|answer| (due, Job::Recite(answer)))
            .collect();
        let mut at = due;
        for (index, piece) in scripted.bytes.iter().enumerate() {
            if index > 0 {
                at = at + scripted.gap;
            }
            jobs.push((at, Job::SayRaw(piece.clone())));
        }
        if scripted.restart {
            jobs.push((at, Job::Restart));
        }
        for (due, job) in jobs {
            self.schedule(out, now, due, command, job);
        }
        true
    }

    fn part(&mut self, part: Part) -> &mut dyn Node {
        match (part, &mut self.second) {
            (Part::Second, Some(second)) => &mut **second,
            _ => &mut *self.node,
        }
    }

    /// The motor that has this id here, on a controller with two: it is reached without the bus.
    fn own_part(&self, can_id: u8) -> Option<Part> {
        let second = self.second.as_ref()?;
        match can_id {
            id if id == second.can_id() => Some(Part::Second),
            id if id == self.node.can_id() => Some(Part::First),
            _ => None,
        }
    }

    fn work(&mut self, now: Time, part: Part, request: &Request, out: &mut Out) {
        let id = request.id();
        if self.worker_is_busy {
            return out.silent(now, id, Silence::Busy);
        }
        let profile = *self.node.profile();
        let due = now + self.reply_after;
        let (due, job) = match request {
            Request::TerminalCmd(command) => {
                if let Some(echo) = worker::echo(command, &profile)
                    && !self.schedule(out, now, due, id, Job::Say(echo))
                {
                    return;
                }
                match self.script.terminal_answer(command) {
                    Some(answer) => {
                        let prints = answer.prints.iter();
                        let prints = prints.map(|text| print(&latin1(text), profile.max_print));
                        (due + answer.after, Job::WorkDone(prints.collect()))
                    }
                    None => (due, Job::Work(part, request.clone())),
                }
            }
            Request::PingCan => {
                let second = self.second.as_ref().map(|second| second.can_id());
                let own = self.node.can_id();
                let scan = self.can.scan(now, profile.late_pong, own, second);
                let can_ids = scan.can_ids;
                let answer = Reply::PingCan { can_ids }.into();
                (due + scan.took, Job::WorkDone(vec![answer]))
            }
            Request::Other(other) if id == CommandId::CAN_UPDATE_BAUD_ALL => {
                match worker::update_baud(&other.arguments) {
                    Some((took, answer)) => (due + took, Job::WorkDone(vec![answer])),
                    None => return out.silent(now, id, Silence::TooShort),
                }
            }
            _ => (due, Job::Work(part, request.clone())),
        };
        self.worker_is_busy = self.schedule(out, now, due, id, job);
        self.prints |= self.worker_is_busy;
    }

    /// The node does a command in the worker, which is busy until the last answer.
    fn work_now(&mut self, at: Time, part: Part, request: &Request, out: &mut Out) {
        let id = request.id();
        let result = match request {
            Request::TerminalCmd(command) => {
                let mut prints = Answers::none();
                for print in self.part(part).terminal(at, command).unwrap_or_default() {
                    prints = prints.later(Duration::ZERO, print);
                }
                Ok(prints)
            }
            _ => self.part(part).answer(at, request, None),
        };
        match result {
            Ok(answers) => {
                let last = at + answers.last();
                let has_room = self.say(at, id, answers, out)
                    && self.schedule(out, at, last, id, Job::WorkDone(Vec::new()));
                self.worker_is_busy = has_room;
            }
            Err(why) => {
                self.worker_is_busy = false;
                out.silent(at, id, why);
            }
        }
    }

    /// Says answers, at once or later; false where too much waits already.
    fn say(&mut self, at: Time, id: CommandId, answers: Answers, out: &mut Out) -> bool {
        answers.into_iter().all(|(after, answer)| {
            if after.is_zero() {
                self.speak(at, answer, out);
                return true;
            }
            self.schedule(out, at, at + after, id, Job::Say(answer))
        })
    }

    /// Says something, unless it is a text and there is nobody to print it to.
    fn speak(&self, at: Time, answer: Answer, out: &mut Out) {
        if worker::drops(self.node.profile(), self.prints, &answer) {
            out.silent(at, CommandId::PRINT, Silence::NobodyToPrintTo);
        } else {
            out.say(at, answer);
        }
    }

    fn do_now(&mut self, at: Time, part: Part, request: &Request, out: &mut Out) {
        let id = request.id();
        let heard = match request {
            Request::Reboot => return self.reboot(at, out),
            Request::Bms(_) if !self.node.obeys_bms() => {
                return self.pass_to_bms(at, request, out);
            }
            Request::BmsGetValues => self.can.bms_values(at),
            _ => None,
        };
        match self.part(part).answer(at, request, heard) {
            Ok(answers) => {
                self.say(at, id, answers, out);
            }
            Err(why) => {
                let (restarts, goes_off) = (why.restarts(), why == Silence::SwitchesOff);
                out.silent(at, id, why);
                if restarts || goes_off {
                    self.go_down(at, out);
                }
                if goes_off {
                    self.back_at = None;
                    self.is_off = true;
                }
            }
        }
    }

    /// Forgets what it was asked, and is back later. An Express closes its sockets (`EX main/commands.c:363-373`); what
    /// leads to a motor controller or a BMS stays, and nobody answers meanwhile.
    fn reboot(&mut self, at: Time, out: &mut Out) {
        out.silent(at, CommandId::REBOOT, Silence::Restarts);
        self.go_down(at, out);
    }

    fn go_down(&mut self, at: Time, out: &mut Out) {
        self.restart(at);
        if self.node.profile().kind == Kind::Express {
            out.push(at, DeviceEvent::LinkDown);
        }
    }

    fn restart(&mut self, at: Time) {
        self.jobs = Queue::default();
        self.worker_is_busy = false;
        self.prints = false;
        self.node.restart(at);
        if let Some(second) = &mut self.second {
            second.restart(at);
        }
        self.back_at = Some(at + REBOOT_TIME);
    }

    /// Gives a request to whoever does it: the worker, the bus, or the one task that does all others.
    fn dispatch(&mut self, now: Time, part: Part, request: Request, out: &mut Out) {
        let profile = *self.node.profile();
        let id = request.id();
        let due = now + self.reply_after;
        if let Some(why) = fate::why_silent(&profile, id) {
            self.schedule(out, now, due, id, Job::Ignore(id, why));
        } else if worker::is_blocking(id, &profile) {
            self.work(now, part, &request, out);
        } else if let Request::ForwardCan { can_id: to, .. } = request {
            let inner = match request.forwarded() {
                Some(Ok(inner)) => inner.body,
                Some(Err(error)) => return out.silent(now, id, error.into()),
                None => return,
            };
            match self.own_part(to) {
                Some(_) if FIRMWARE.contains(&inner.id()) => {
                    let why = Silence::NoFirmwareFromItself;
                    out.silent(now, inner.id(), why);
                }
                Some(part) => self.dispatch(now, part, inner, out),
                None => {
                    let job = Job::Forward {
                        from: None,
                        to,
                        request: inner,
                    };
                    self.schedule(out, now, due + BUS_TIME, id, job);
                }
            }
        } else {
            self.schedule(out, now, due, id, Job::Do(part, request));
        }
    }

    /// Says what nobody asked for.
    fn say_unasked(&mut self, at: Time, answer: Answer, out: &mut Out) {
        if self.back_at.is_some() || self.is_off {
            let command = CommandId(answer.payload.first().copied().unwrap_or_default());
            out.silent(at, command, Silence::Restarting);
        } else {
            self.speak(at, answer, out);
        }
    }

    fn run(&mut self, at: Time, job: Job, out: &mut Out) {
        match job {
            Job::Do(part, request) => self.do_now(at, part, &request, out),
            Job::Work(part, request) => self.work_now(at, part, &request, out),
            Job::Say(answer) => self.speak(at, answer, out),
            Job::Recite(answer) => out.say(at, answer),
            Job::SayRaw(bytes) => out.push(at, DeviceEvent::Raw(bytes)),
            Job::Restart => {
                self.restart(at);
                out.push(at, DeviceEvent::LinkDown);
            }
            Job::Ignore(command, why) => out.silent(at, command, why),
            Job::WorkDone(answers) => {
                self.worker_is_busy = false;
                for answer in answers {
                    self.speak(at, answer, out);
                }
            }
            Job::Forward { from, to, request } => self.put_on_bus(at, from, to, request, out),
            Job::OnBus { node, request } => self.on_bus(at, node, &request, out),
            Job::FromNode { work, answer } => {
                if self.can.goes_on(at, work) {
                    self.tell_reply(at, work, &answer);
                    out.say(at, answer);
                }
            }
            Job::NodeDone(work) => self.can.done(work),
        }
    }
}

impl Device for Board {
    fn about(&self) -> About {
        self.look()
    }

    fn told(&mut self, now: Time, can_id: Option<u8>) -> Result<Told, SetError> {
        self.tell(now, can_id)
    }

    fn set(&mut self, now: Time, can_id: Option<u8>, command: &SetCommand) -> Result<(), SetError> {
        let done = self.steered(can_id)?.set(now, command);
        self.or_behind_it(done)
    }

    fn release(
        &mut self,
        now: Time,
        can_id: Option<u8>,
        release: &Release,
    ) -> Result<(), SetError> {
        let done = self.steered(can_id)?.release(now, release);
        self.or_behind_it(done)
    }

    fn reboot(&mut self, now: Time, out: &mut Out) -> bool {
        self.is_off = false;
        self.go_down(now, out);
        true
    }

    fn listen_to_can(&mut self) {
        self.can.listen(self.node.tells());
    }

    fn drop_pending(&mut self) {
        self.jobs.retain(Job::acts);
        self.worker_is_busy = false;
        self.can.drop_pending();
    }

    fn handle(&mut self, now: Time, payload: &[u8], out: &mut Out) {
        let command = CommandId(payload.first().copied().unwrap_or_default());
        if self.back_at.is_some() {
            return out.silent(now, command, Silence::Restarting);
        }
        if self.is_off {
            return out.silent(now, command, Silence::Off);
        }
        if self.recite(now, payload, out) {
            return;
        }
        match Request::decode(payload) {
            Ok(request) => self.dispatch(now, Part::First, request.body, out),
            Err(error) => out.silent(now, command, error.into()),
        }
    }

    fn poll_timeout(&self) -> Option<Time> {
        let due = [
            self.jobs.next_due(),
            self.unasked.next_due(),
            self.back_at,
            self.node.poll_timeout(),
            self.second
                .as_ref()
                .and_then(|second| second.poll_timeout()),
            self.can.poll_timeout(),
            self.can.poll_tap(),
        ];
        due.into_iter().flatten().min()
    }

    fn handle_timeout(&mut self, now: Time, out: &mut Out) {
        while let Some(due) = self.poll_timeout().filter(|&due| due <= now) {
            if self.back_at == Some(due) {
                self.back_at = None;
                out.push(due, DeviceEvent::LinkUp);
            }
            while let Some((at, answer)) = self.unasked.pop(due) {
                self.say_unasked(at, answer, out);
            }
            if let Some((at, job)) = self.jobs.pop(due) {
                self.run(at, job, out);
            } else {
                let mut said = self.node.handle_timeout(due);
                if let Some(second) = &mut self.second {
                    said.extend(second.handle_timeout(due));
                }
                said.extend(self.can.handle_timeout(due));
                for (at, answer) in said {
                    self.say_unasked(at, answer, out);
                }
            }
            let own: Option<&mut dyn Node> = match self.back_at {
                Some(_) => None,
                None => Some(&mut *self.node),
            };
            for (at, frame) in self.can.frames(due, own) {
                out.push(at, DeviceEvent::OnCan(frame));
            }
        }
    }
}
