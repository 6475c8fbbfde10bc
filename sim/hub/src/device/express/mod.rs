//! A VESC Express: the radio module that logs in to hubs, with a BMS and a CAN bus behind it.
//!
//! ```text
//!  request -> script? -> worker (PING_CAN, TERMINAL_CMD, ...) ---------\
//!                    \-> FORWARD_CAN, BMS commands -> CAN bus -> node --> replies and PRINTs, whoever is the tool
//!                    \-> all others, one after the other --------------/
//! ```
//!
//! Blocking commands run in a worker for seconds; meanwhile other commands are answered, and a second blocking one
//! is dropped without a word (`EX main/commands.c:1088-1099`). What firmware does not handle is ignored: there is no
//! error reply in this protocol.

mod bus;

use std::time::Duration;

use veschub_wire::{CommandId, Reply, Request, command::FwVersion};

use super::{
    Silence,
    answer::{Answer, fw_info, no_qml_app},
    bms::Bms,
    can::{CanBus, NodeDone, REBOOT_TIME, standing_still},
    custom_config::Configs,
    output::{Device, DeviceEvent, Out},
    profile::Profile,
    queue::Queue,
    script::{Script, latin1, print},
    worker,
};
use crate::time::Time;

/// What the bus adds to the way of a reply of a few frames, at 500 kbit/s.
const BUS_TIME: Duration = Duration::from_millis(2);

/// Who an Express says it is.
#[derive(Clone, Debug)]
pub struct ExpressIdentity {
    /// Its firmware.
    pub profile: Profile,
    /// The reply to FW_VERSION, as far as the firmware sends it.
    pub firmware: FwVersion,
    /// Its config.
    pub configs: Configs,
    /// From a request's arrival at the hub to the reply's departure: the way to the device and back, and its work.
    pub reply_after: Duration,
}

/// Where an Express has its BMS data from.
#[derive(Clone, Debug)]
pub enum Pack {
    /// From a script of its own, which takes the commands as well.
    Own(Box<Bms>),
    /// From a BMS on the CAN bus; as long as none was heard, there are no cells and all is 0.
    OverCan,
}

/// A simulated VESC Express.
pub struct Express {
    identity: ExpressIdentity,
    pack: Pack,
    can: CanBus,
    script: Script,
    jobs: Queue<Job>,
    /// Texts that nobody asks for; a restart does not forget them.
    unasked: Queue<Answer>,
    worker_is_busy: bool,
    /// When it is back after a restart.
    back_at: Option<Time>,
}

enum Job {
    Do(Request),
    Say(Answer),
    /// Bytes go out as they are.
    SayRaw(Vec<u8>),
    /// A scenario makes it restart.
    Restart,
    Ignore(CommandId, Silence),
    /// The worker is done and free again.
    WorkDone(Vec<Answer>),
    /// A request goes out on the bus, from a node or from the Express itself.
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
    NodeDone(NodeDone),
}

impl Job {
    /// Whether it changes something and nobody waits for its answer.
    fn acts(&self) -> bool {
        let (Self::Do(request) | Self::Forward { request, .. } | Self::OnBus { request, .. }) =
            self
        else {
            return false;
        };
        matches!(request, Request::Bms(_) | Request::Reboot)
    }
}

impl Express {
    /// An Express with its BMS, its bus, and what a scenario makes it say.
    #[must_use]
    pub fn new(identity: ExpressIdentity, pack: Pack, can: CanBus, script: Script) -> Self {
        let mut unasked = Queue::default();
        for text in &script.prints {
            let print = print(&latin1(&text.text), identity.profile.max_print);
            unasked.push(text.at, print);
        }
        Self {
            identity,
            pack,
            can,
            script,
            jobs: Queue::default(),
            unasked,
            worker_is_busy: false,
            back_at: None,
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

    /// Replies from the scenario; false where it has none for this request.
    fn recite(&mut self, now: Time, payload: &[u8], out: &mut Out) -> bool {
        let Some(scripted) = self.script.reply_to(payload) else {
            return false;
        };
        let due = now + scripted.after.unwrap_or(self.identity.reply_after);
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
            .map(|answer| (due, Job::Say(answer)))
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

    fn work(&mut self, now: Time, request: &Request, out: &mut Out) {
        let id = request.id();
        if self.worker_is_busy {
            return out.silent(now, id, Silence::Busy);
        }
        let profile = self.identity.profile;
        let (took, answers) = match request {
            Request::TerminalCmd(command) => {
                let (echo, took, prints) = worker::terminal(command, &self.script, &profile);
                let due = now + self.identity.reply_after;
                if !self.schedule(out, now, due, id, Job::Say(echo)) {
                    return;
                }
                (took, prints)
            }
            Request::Other(other) => match worker::update_baud(&other.arguments) {
                Some((took, answer)) => (took, vec![answer]),
                None => return out.silent(now, id, Silence::TooShort),
            },
            _ => {
                let scan = self.can.scan(now, profile.late_pong);
                let can_ids = scan.can_ids;
                (scan.took, vec![Reply::PingCan { can_ids }.into()])
            }
        };
        let due = now + took + self.identity.reply_after;
        self.worker_is_busy = self.schedule(out, now, due, id, Job::WorkDone(answers));
    }

    fn do_now(&mut self, at: Time, request: &Request, out: &mut Out) {
        let id = request.id();
        let profile = self.identity.profile;
        let result = match request {
            Request::FwVersion => Ok(self.fw_version()),
            Request::BmsGetValues => Ok(Reply::BmsValues(self.bms_values(at)).into()),
            Request::Bms(command) => return self.command_bms(at, *command, out),
            Request::GetImuData { mask } => Ok(Reply::ImuData {
                mask: *mask,
                values: standing_still().select((*mask).into()),
                can_id: Some(self.identity.configs.can_id()),
            }
            .into()),
            Request::Reboot => return self.reboot(at, out),
            Request::Other(other) if other.id == CommandId::FW_INFO => Ok(fw_info(&profile).into()),
            Request::Other(other) if other.id == CommandId::GET_QML_UI_APP => {
                Ok(no_qml_app().into())
            }
            _ => self.identity.configs.answer(request, profile.max_print),
        };
        match result {
            Ok(answer) => out.say(at, answer),
            Err(why) => out.silent(at, id, why),
        }
    }

    fn fw_version(&self) -> Answer {
        let version = self.identity.firmware.clone();
        Reply::FwVersion(self.identity.profile.cut_fw_version(version)).into()
    }

    /// Closes its sockets, forgets what it was asked, and is back later (`EX main/commands.c:363-373`).
    fn reboot(&mut self, at: Time, out: &mut Out) {
        out.silent(at, CommandId::REBOOT, Silence::Restarts);
        self.restart(at, out);
    }

    fn restart(&mut self, at: Time, out: &mut Out) {
        self.jobs = Queue::default();
        self.worker_is_busy = false;
        self.back_at = Some(at + REBOOT_TIME);
        out.push(at, DeviceEvent::LinkDown);
    }

    /// Gives a request to whoever does it: the worker, the bus, or the one task that does all others.
    fn dispatch(&mut self, now: Time, request: Request, out: &mut Out) {
        let profile = self.identity.profile;
        let id = request.id();
        let due = now + self.identity.reply_after;
        if let Some(why) = profile.why_silent(id) {
            self.schedule(out, now, due, id, Job::Ignore(id, why));
        } else if worker::is_blocking(&request, &profile) {
            self.work(now, &request, out);
        } else if let Request::ForwardCan { can_id: to, .. } = request {
            match request.forwarded() {
                Some(Ok(inner)) => {
                    let (from, request) = (None, inner.body);
                    let job = Job::Forward { from, to, request };
                    self.schedule(out, now, due + BUS_TIME, id, job);
                }
                Some(Err(error)) => out.silent(now, id, error.into()),
                None => {}
            }
        } else {
            self.schedule(out, now, due, id, Job::Do(request));
        }
    }

    fn run(&mut self, at: Time, job: Job, out: &mut Out) {
        match job {
            Job::Do(request) => self.do_now(at, &request, out),
            Job::Say(answer) => out.say(at, answer),
            Job::SayRaw(bytes) => out.push(at, DeviceEvent::Raw(bytes)),
            Job::Restart => self.restart(at, out),
            Job::Ignore(command, why) => out.silent(at, command, why),
            Job::WorkDone(answers) => {
                self.worker_is_busy = false;
                for answer in answers {
                    out.say(at, answer);
                }
            }
            Job::Forward { from, to, request } => self.put_on_bus(at, from, to, request, out),
            Job::OnBus { node, request } => self.on_bus(at, node, &request, out),
            Job::NodeDone(done) => {
                if let Some(answer) = self.can.done(at, done) {
                    out.say(at, answer);
                }
            }
        }
    }
}

impl Device for Express {
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
        if self.recite(now, payload, out) {
            return;
        }
        match Request::decode(payload) {
            Ok(request) => self.dispatch(now, request.body, out),
            Err(error) => out.silent(now, command, error.into()),
        }
    }

    fn poll_timeout(&self) -> Option<Time> {
        let due = [self.jobs.next_due(), self.unasked.next_due(), self.back_at];
        due.into_iter().flatten().min()
    }

    fn handle_timeout(&mut self, now: Time, out: &mut Out) {
        while let Some(due) = self.poll_timeout().filter(|&due| due <= now) {
            if self.back_at == Some(due) {
                self.back_at = None;
                out.push(due, DeviceEvent::LinkUp);
            }
            while let Some((at, answer)) = self.unasked.pop(due) {
                if self.back_at.is_some() {
                    out.silent(at, CommandId::PRINT, Silence::Restarting);
                } else {
                    out.say(at, answer);
                }
            }
            if let Some((at, job)) = self.jobs.pop(due) {
                self.run(at, job, out);
            }
        }
    }
}
