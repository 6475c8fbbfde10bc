//! Judges a client in one case. A case looks at its own subject only.

mod understood;

use std::time::Duration;

use veschub_hub::journal::{Closed, EventKind, JournalEntry, JournalEvent};
use veschub_scenario::Scenario;
use veschub_wire::{CommandId, Request};

use super::{
    carrier::Carrier,
    catalogue::{Between, Case, Exit},
};
use crate::{
    judge::{self, Assignment, Difference, Played, compare::Mistake, driving, readings},
    outside::{ending::ProcessEnd, task::Task},
    report::{
        model::{About, DifferenceReport},
        not_judged::NotJudged,
    },
};

/// The CPU time that a calm client may use, its start included.
const CALM: Duration = Duration::from_millis(1500);
/// How often a calm client may read after the end of its connection.
const IDLE_READS: u64 = 100;
/// How many lines that are not readings are shown.
const BAD_LINES: usize = 3;

/// The result of a case.
#[derive(Clone, Debug, Default)]
pub(super) struct Judged {
    /// Why the case cannot be judged.
    pub(super) not_judged: Option<NotJudged>,
    /// What is wrong.
    pub(super) differences: Vec<DifferenceReport>,
    /// How many readings the client printed of the reply that the case is about, or of any reply if it is about none.
    pub(super) readings: usize,
    /// Lines that are not readings.
    pub(super) bad_lines: Vec<String>,
    /// What the client's readings of the carrier's reply are worth.
    pub(super) values: Values,
}

/// What a client's readings are worth as a proof that a reply arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Values {
    /// It prints none.
    #[default]
    None,
    /// It prints some, but no value in them is right and tells more than 0.
    Wrong,
    /// A value in them is right.
    Right,
}

/// What a case is judged with.
pub(super) struct Context<'a> {
    /// The case.
    pub(super) case: &'a Case,
    /// Its scenario, as it was played, and where.
    pub(super) assignment: Assignment<'a>,
    /// What the client was told.
    pub(super) task: &'a Task,
    /// What was carried.
    pub(super) carrier: Carrier,
    /// What the client's readings are worth where nothing is difficult; `None` if that is not known yet.
    pub(super) values: Option<Values>,
}

/// Judges what was seen.
pub(super) fn judge(context: &Context<'_>, seen: &Played) -> Judged {
    let printed = readings::sort(&seen.lines);
    if let Some(told) = readings::unsupported(&printed, &seen.report.how, context.task.name) {
        return Judged {
            not_judged: Some(NotJudged::Unsupported { told }),
            ..Judged::default()
        };
    }
    let mut judge = Judge {
        case: context.case,
        context,
        seen,
        judged: Judged {
            readings: printed.readings.len(),
            ..Judged::default()
        },
    };
    judge.sent(&context.assignment);
    judge.understood(context.assignment.scenario, printed);
    judge.excuse();
    judge.judged
}

struct Judge<'a> {
    case: &'a Case,
    context: &'a Context<'a>,
    seen: &'a Played,
    judged: Judged,
}

impl Judge<'_> {
    fn differ(&mut self, field: &str, truth: &str, decoded: &str, why: &str) {
        let difference = Difference::new(field, truth, decoded, why);
        self.note(About::Sent, difference, None);
    }

    fn note(&mut self, about: About, difference: Difference, mistake: Option<Mistake>) {
        let difference = DifferenceReport::new(about, difference, mistake);
        self.judged.differences.push(difference);
    }

    fn sent(&mut self, assignment: &Assignment<'_>) {
        let opened = |entry: &JournalEntry| matches!(entry.event, JournalEvent::Opened);
        // A client may refuse a login itself that no hub accepts; then it reports that without connecting.
        let declined = self.case.exit == Exit::Failure && !self.seen.journal.iter().any(opened);
        // The exit code is judged only in cases about it; a crash is wrong in every case.
        for difference in judge::judge_process(assignment, self.seen) {
            self.note(About::Sent, difference, None);
        }
        if !declined {
            for difference in judge::judge_session(assignment, self.seen) {
                self.note(About::Sent, difference, None);
            }
        }
        self.check_never();
        self.check_connections();
        self.check_logins();
        self.check_requests();
        self.check_pending();
        self.check_first_request();
        self.check_exit();
        self.check_calm();
        self.check_driving(assignment.scenario);
        self.check_death();
    }

    /// How the client drives a motor, as far as the case is about it.
    fn check_driving(&mut self, scenario: &Scenario) {
        if self.case.drives.is_empty() {
            return;
        }
        let (journal, is_real_time) = (&self.seen.journal, self.seen.is_real_time);
        for found in driving::findings(scenario, journal, is_real_time) {
            if self.case.drives.contains(&found.kind) {
                self.note(About::Sent, found.difference, None);
            }
        }
    }

    /// What becomes of the motor when the client comes to its end.
    fn check_death(&mut self) {
        let Some(death) = self.case.death else {
            return;
        };
        if !driving::has_driven(&self.seen.journal) {
            let why = "the case shows something only if the client drives the motor before";
            self.differ("set commands", "at least one", "none", why);
            return;
        }
        let found = death
            .of(self.seen.struck)
            .and_then(|death| driving::after(death, &self.seen.journal));
        if let Some(found) = found {
            self.note(About::Sent, found.difference, None);
        }
    }

    fn check_never(&mut self) {
        let case = self.case;
        for kind in &case.never {
            let happened = |entry: &&JournalEntry| EventKind::from(&entry.event) == *kind;
            if let Some(entry) = self.seen.journal.iter().find(happened) {
                let wanted = format!("never `{kind}`");
                let found = entry.event.to_string();
                let at = format!("at {:.3} s", entry.at.since_start().as_secs_f64());
                self.differ("journal", &wanted, &found, &at);
            }
        }
    }

    fn check_connections(&mut self) {
        let Some(Between { at_least, at_most }) = self.case.connections else {
            return;
        };
        let opened = |entry: &&JournalEntry| matches!(entry.event, JournalEvent::Opened);
        let all = self.seen.journal.iter().filter(opened).count();
        // The second tool or device is not one of the client's connections.
        let replaced = |entry: &JournalEntry| {
            matches!(
                entry.event,
                JournalEvent::Closed(Closed::Replaced { .. } | Closed::DeviceLeft)
            )
        };
        let came = self.case.second.is_some() && self.seen.journal.iter().any(replaced);
        let count = all - usize::from(came && all > 0);
        self.check_count_of("connections", Between { at_least, at_most }, count, "");
    }

    /// A client need not connect again. If it does, one of its connections must have a login.
    fn check_logins(&mut self) {
        if !self.case.logs_in_again {
            return;
        }
        let left = |entry: &&JournalEntry| !matches!(entry.event, JournalEvent::LinkDown);
        let after = || self.seen.journal.iter().skip_while(left);
        let opened = after().filter(|entry| matches!(entry.event, JournalEvent::Opened));
        let has_login = after().any(|entry| matches!(entry.event, JournalEvent::Login(_)));
        let count = opened.count();
        if count > 0 && !has_login {
            let why =
                "the client connected again and sent no login line, so nobody heard its requests";
            let seen = format!(
                "none on {count} connection{}",
                if count == 1 { "" } else { "s" }
            );
            self.differ("login", "a login line first", &seen, why);
        }
    }

    fn check_requests(&mut self) {
        if let Some(wanted) = self.case.requests {
            let count = self.requests().count();
            self.check_count_of("requests", wanted, count, "");
        }
        if let Some(wanted) = self.case.polls {
            let of = self.context.carrier.reply();
            let count = self.requests().filter(|payload| asks(payload, of)).count();
            self.check_count_of(&format!("requests for {of}"), wanted, count, "");
        }
    }

    /// How many requests for the same reply waited for it at the same time.
    fn check_pending(&mut self) {
        let Some(wanted) = self.case.pending else {
            return;
        };
        let of = self.context.carrier.reply();
        let (mut open, mut most) = (0_usize, 0);
        for entry in &self.seen.journal {
            match &entry.event {
                JournalEvent::Request(payload) if asks(payload, of) => {
                    open += 1;
                    most = most.max(open);
                }
                JournalEvent::Reply { payload, .. } if payload.first() == Some(&of.0) => {
                    open = open.saturating_sub(1);
                }
                // What a connection has asked is lost with it.
                JournalEvent::Closed(_) => open = 0,
                _ => {}
            }
        }
        let why = "the client asked again before the reply to its last request had come";
        self.check_count_of("requests that wait at the same time", wanted, most, why);
    }

    fn check_count_of(&mut self, what: &str, wanted: Between, count: usize, why: &str) {
        let Between { at_least, at_most } = wanted;
        if (at_least..=at_most).contains(&count) {
            return;
        }
        let wanted = match (at_least, at_most) {
            (0, most) => format!("at most {most}"),
            (least, usize::MAX) => format!("at least {least}"),
            (least, most) if least == most => least.to_string(),
            (least, most) => format!("{least} to {most}"),
        };
        self.differ(what, &wanted, &count.to_string(), why);
    }

    fn requests(&self) -> impl Iterator<Item = &[u8]> {
        self.seen
            .journal
            .iter()
            .filter_map(|entry| match &entry.event {
                JournalEvent::Request(payload) => Some(&payload[..]),
                _ => None,
            })
    }

    fn check_first_request(&mut self) {
        let Some(limit) = self.case.first_request_within() else {
            return;
        };
        let first = |pick: fn(&JournalEvent) -> bool| {
            let entry = self.seen.journal.iter().find(|entry| pick(&entry.event));
            entry.map(|entry| entry.at.since_start())
        };
        let login = first(|what| matches!(what, JournalEvent::Login(_)));
        let request = first(|what| matches!(what, JournalEvent::Request(_)));
        let wanted = format!("within {limit:?} of the login");
        match (login, request) {
            (Some(login), Some(request)) if request.saturating_sub(login) <= limit => {}
            (Some(login), Some(request)) => {
                let took = format!("after {:.3} s", request.saturating_sub(login).as_secs_f64());
                let why = "the hub does not answer a login, so there is nothing to wait for";
                self.differ("first request", &wanted, &took, why);
            }
            _ => self.differ("first request", &wanted, "never", ""),
        }
    }

    fn check_exit(&mut self) {
        if let (Exit::Success, ProcessEnd::Exited { code }) =
            (self.case.exit, &self.seen.report.how)
            && *code != 0
        {
            let why = "the client says that it failed, although it got a reply to every request";
            self.differ("exit code", "0", &code.to_string(), why);
        }
        if self.case.exit == Exit::Failure
            && self.seen.report.how == (ProcessEnd::Exited { code: 0 })
        {
            let why = "exit code 0 means that the client did its task, but it did not";
            self.differ("exit code", "not 0", "0", why);
        }
    }

    fn check_calm(&mut self) {
        if !self.case.calm {
            return;
        }
        let why = "the client keeps reading although nothing comes";
        match self.seen.idle_reads {
            Some(count) if count > IDLE_READS => {
                let wanted = format!("at most {IDLE_READS} after the end");
                self.differ("reads", &wanted, &count.to_string(), why);
            }
            None if self.seen.report.cpu() > CALM => {
                let wanted = format!("at most {:.1} s", CALM.as_secs_f64());
                let used = format!("{:.1} s", self.seen.report.cpu().as_secs_f64());
                self.differ("CPU time", &wanted, &used, why);
            }
            _ => {}
        }
    }

    /// A client that need not ask more than once, and did not, is not judged by a case that needs more.
    fn excuse(&mut self) {
        let Context { carrier, task, .. } = self.context;
        let of = carrier.reply();
        let may_ask_once = self.case.is_carried() && *carrier != Carrier::Bms && task.count > 1;
        let is_done = self.seen.report.how == (ProcessEnd::Exited { code: 0 });
        let asked = self.requests().filter(|payload| asks(payload, of)).count();
        if may_ask_once && is_done && asked == 1 && !self.judged.differences.is_empty() {
            self.judged.not_judged = Some(NotJudged::AskedOnce);
        }
        // What the client sent wrongly counts, whatever can be said of its readings.
        let sent = |one: &DifferenceReport| one.about == About::Sent;
        let is_skipped = !matches!(self.judged.not_judged, None | Some(NotJudged::AskedOnce));
        if is_skipped && self.judged.differences.iter().any(sent) {
            self.judged.not_judged = None;
        }
    }
}

/// Whether a request asks for this reply, itself or inside of FORWARD_CAN.
fn asks(payload: &[u8], of: CommandId) -> bool {
    let request = Request::decode(payload);
    request.is_ok_and(|request| request.body.reply_id() == Some(of))
}
