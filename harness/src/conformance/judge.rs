//! Judges a client in one case. A case looks at its own subject only.

use std::time::Duration;

use veschub_hub::journal::{Closed, EventKind, JournalEntry, JournalEvent};
use veschub_scenario::Scenario;
use veschub_wire::{CommandId, Request};

use super::catalogue::{Between, Case, Compare, Exit};
use crate::{
    judge::{
        self, Assignment, Difference, Played, Verdict,
        compare::{FieldUnderstood, Judgement, Understood},
        mistake::Mistake,
        readings::{self, Printed},
    },
    outside::ending::ProcessEnd,
    report::model::{About, DifferenceReport},
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
    pub(super) skipped: Option<String>,
    /// What is wrong.
    pub(super) differences: Vec<DifferenceReport>,
    /// How many readings the client printed of the reply that the case is about, or of any reply if it is about none.
    pub(super) readings: usize,
    /// Lines that are not readings.
    pub(super) bad_lines: Vec<String>,
}

/// Judges what was seen. `silent` means that the client never prints readings, so that only what it sends is judged.
pub(super) fn judge(
    case: &Case,
    assignment: &Assignment<'_>,
    seen: &Played,
    silent: bool,
) -> Judged {
    let printed = readings::sort(&seen.lines);
    if let Some(why) = readings::unsupported(&printed, &seen.report.how, assignment.task) {
        return Judged {
            skipped: Some(why),
            ..Judged::default()
        };
    }
    let mut judge = Judge {
        case,
        seen,
        judged: Judged {
            readings: printed.readings.len(),
            ..Judged::default()
        },
    };
    judge.sent(assignment);
    judge.understood(assignment.scenario, printed, silent);
    judge.judged
}

struct Judge<'a> {
    case: &'a Case,
    seen: &'a Played,
    judged: Judged,
}

impl Judge<'_> {
    fn differ(&mut self, field: &str, truth: &str, decoded: &str, why: &str) {
        let difference = Difference::new(field, truth, decoded, why);
        self.note(About::Sent, difference, None);
    }

    fn note(&mut self, about: About, difference: Difference, mistake: Option<&str>) {
        let difference = DifferenceReport::new(about, difference, mistake);
        self.judged.differences.push(difference);
    }

    fn sent(&mut self, assignment: &Assignment<'_>) {
        // The exit code is judged only in cases about it; a crash is wrong in every case.
        for difference in judge::judge_sent(assignment, self.seen) {
            self.note(About::Sent, difference, None);
        }
        self.check_never();
        self.check_connections();
        self.check_first_request();
        self.check_exit();
        self.check_calm();
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
        if !(at_least..=at_most).contains(&count) {
            let wanted = match (at_least, at_most) {
                (0, most) => format!("at most {most}"),
                (least, usize::MAX) => format!("at least {least}"),
                (least, most) if least == most => least.to_string(),
                (least, most) => format!("{least} to {most}"),
            };
            self.differ("connections", &wanted, &count.to_string(), "");
        }
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

    fn understood(&mut self, scenario: &Scenario, printed: Printed, silent: bool) {
        let bad_lines = printed.bad_lines.clone();
        self.compared(scenario, printed, silent);
        // A bad line costs a case only if it may be the reading that the case misses.
        let misses = self
            .judged
            .differences
            .iter()
            .any(|one| one.about == About::Understood);
        for bad in bad_lines.iter().filter(|_| misses).take(BAD_LINES) {
            let field = format!("line {}", bad.number);
            let difference = Difference::new(field, "a reading", &*bad.text, &*bad.why);
            self.note(About::Understood, difference, None);
        }
        self.judged.bad_lines = bad_lines.iter().map(ToString::to_string).collect();
    }

    fn compared(&mut self, scenario: &Scenario, printed: Printed, silent: bool) {
        let case = self.case;
        let Some(compare) = &case.compare else {
            return;
        };
        if silent {
            let why = "the client prints no readings, so only what it sends can be judged";
            self.judged.skipped = Some(why.to_owned());
            return;
        }
        let mut verdict = Verdict::default();
        let tolerance = readings::tolerance(scenario);
        readings::understand(&mut verdict, printed, &self.seen.journal, &tolerance);
        let readings: Vec<&Understood> = verdict
            .readings
            .iter()
            .filter(|reading| reading.command == Some(compare.of))
            .collect();
        self.judged.readings = readings.len();
        // FW_VERSION is not what the client was asked to read, so it need not report it.
        let is_beside = compare.of == CommandId::FW_VERSION;
        if is_beside && readings.is_empty() && !verdict.readings.is_empty() {
            let why = format!("the client prints no reading of {}", compare.of);
            self.judged.skipped = Some(why);
            return;
        }
        self.check_count(compare, &readings);
        self.check_reply(compare, &readings);
        self.check_fields(compare, &readings);
    }

    /// How often the client asked for a reply, directly or through FORWARD_CAN.
    fn asked(&self, of: CommandId) -> usize {
        let is_of = |entry: &&JournalEntry| match &entry.event {
            JournalEvent::Request(payload) => {
                Request::decode(payload).is_ok_and(|request| request.body.reply_id() == Some(of))
            }
            _ => false,
        };
        self.seen.journal.iter().filter(is_of).count()
    }

    fn check_count(&mut self, compare: &Compare, readings: &[&Understood]) {
        // A client that does its task may leave out a poll for which it is too late, as on a busy machine: what it did
        // not ask for, it cannot read. One that gave up is not excused.
        let wanted = match self.seen.report.how {
            ProcessEnd::Exited { code: 0 } => compare.readings.min(self.asked(compare.of).max(1)),
            _ => compare.readings,
        };
        if readings.len() < wanted {
            let field = format!("readings of {}", compare.of);
            let wanted = format!("at least {wanted}");
            let count = readings.len().to_string();
            let why = "the client printed too few readings: it did not understand a reply, or did not report it";
            let difference = Difference::new(field, wanted, count, why);
            self.note(About::Understood, difference, None);
        }
    }

    fn check_reply(&mut self, compare: &Compare, readings: &[&Understood]) {
        let Some(wanted) = compare.reply.filter(|_| !readings.is_empty()) else {
            return;
        };
        let numbers = readings.iter().filter_map(|reading| reading.reply);
        let latest = numbers.map(|reply| reply.number).max();
        if latest < Some(wanted) {
            let field = format!("{}: latest reply read", compare.of);
            let latest =
                latest.map_or_else(|| "none".to_owned(), |latest| format!("reply {latest}"));
            let why = "the client took an older reply for the answer to its request";
            let difference = Difference::new(field, format!("reply {wanted}"), latest, why);
            self.note(About::Understood, difference, Some("stale"));
        }
    }

    fn check_fields(&mut self, compare: &Compare, readings: &[&Understood]) {
        let mut told = false;
        for reading in readings {
            if reading.reply.is_none() {
                let difference = Difference::new(
                    compare.of.to_string(),
                    "nothing",
                    "a reading",
                    readings::NO_SUCH_REPLY,
                );
                self.note_once(difference, None);
                continue;
            }
            let named = |field: &&FieldUnderstood| compare.fields.contains(&field.field);
            for field in reading.fields.iter().filter(named) {
                told |= field.judgement != Judgement::Missing;
                if let Some((difference, mistake)) = wrong(compare, field) {
                    self.note_once(difference, mistake);
                }
            }
        }
        let judged = told
            || self
                .judged
                .differences
                .iter()
                .any(|one| one.about == About::Understood);
        if !readings.is_empty() && !compare.fields.is_empty() && !judged {
            let fields = compare.fields.join(", ");
            let why = format!("the client does not report {fields}{}", misnamed(readings));
            self.judged.skipped = Some(why);
        }
    }

    /// Notes a mistake that occurs in every reading of a poll only once.
    fn note_once(&mut self, difference: Difference, mistake: Option<&str>) {
        let known = |one: &DifferenceReport| {
            one.about == About::Understood
                && one.field == difference.field
                && one.mistake.as_deref() == mistake
        };
        if !self.judged.differences.iter().any(known) {
            self.note(About::Understood, difference, mistake);
        }
    }
}

/// What a client may have meant with names that no field has.
fn misnamed(readings: &[&Understood]) -> String {
    let fields = readings.iter().flat_map(|reading| &reading.fields);
    let mut names: Vec<String> = fields
        .filter_map(|field| match field.judgement {
            Judgement::UnknownName(Some(meant)) => {
                Some(format!("; `{}`: did you mean `{meant}`?", field.field))
            }
            Judgement::UnknownName(None) => Some(format!("; `{}` is no field", field.field)),
            _ => None,
        })
        .collect();
    names.dedup();
    names.into_iter().take(BAD_LINES).collect()
}

fn wrong(compare: &Compare, field: &FieldUnderstood) -> Option<(Difference, Option<&'static str>)> {
    let why = readings::why(&field.judgement)?;
    let mistake = match field.judgement {
        Judgement::Wrong(mistake) => mistake.map(Mistake::name),
        _ => None,
    };
    let (item, truth, decoded) = readings::shown(field.truth.as_ref(), field.decoded.as_ref());
    let name = format!("{}.{}{item}", compare.of, field.field);
    Some((Difference::new(name, truth, decoded, why), mistake))
}
