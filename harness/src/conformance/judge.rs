//! Judges a client in one case: by the case's own subject, and nothing else.

use std::time::Duration;

use veschub_hub::journal::{Closed, JournalEntry, JournalEvent};
use veschub_scenario::{Scenario, Target};
use veschub_wire::CommandId;

use super::{
    catalogue::{Between, Case, Compare, Exit},
    player::Seen,
    report::{About, DifferenceReport},
};
use crate::{
    outside::{
        compare::{FieldUnderstood, Judgement, Understood},
        ending::How,
        verdict::{self, Conduct, Printed, Verdict},
    },
    run::{Difference, from_the_hub::judge_session},
};

/// The CPU time that a calm client may use, its start included.
const CALM: Duration = Duration::from_millis(1500);
/// How often a calm client may read on behind the end of its connection.
const IDLE_READS: u64 = 100;
/// How many lines that are no readings are told.
const BAD_LINES: usize = 3;

/// What a case amounts to.
#[derive(Clone, Debug, Default)]
pub(super) struct Judged {
    /// Why nothing can be judged.
    pub(super) skipped: Option<String>,
    /// What is not as it should be.
    pub(super) differences: Vec<DifferenceReport>,
    /// How many readings there are of the reply in question; of any, where none is.
    pub(super) readings: usize,
}

/// Judges what was seen. `silent` says that the client prints no readings anywhere, and is judged by what it sends.
pub(super) fn judge(
    case: &Case,
    scenario: &Scenario,
    target: Option<&Target>,
    task: &str,
    seen: &Seen,
    silent: bool,
) -> Judged {
    let printed = verdict::sort(&seen.lines);
    if let Some(why) = verdict::unsupported(&printed, &seen.report.how, task) {
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
    judge.sent(scenario, target);
    judge.understood(scenario, printed, silent);
    judge.judged
}

struct Judge<'a> {
    case: &'a Case,
    seen: &'a Seen,
    judged: Judged,
}

impl Judge<'_> {
    fn differ(&mut self, field: &str, truth: &str, decoded: &str, why: &str) {
        let difference = Difference::new(field, truth, decoded, why);
        self.note(About::Sent, difference, None);
    }

    fn note(&mut self, about: About, difference: Difference, mistake: Option<&str>) {
        self.judged.differences.push(DifferenceReport {
            about,
            field: difference.field,
            truth: difference.truth,
            decoded: difference.decoded,
            mistake: mistake.map(ToOwned::to_owned),
            why: difference.why,
        });
    }

    fn sent(&mut self, scenario: &Scenario, target: Option<&Target>) {
        let conduct = Conduct {
            report: &self.seen.report,
            limit: format!("{:?}", self.seen.limit),
            printed: self.seen.printed,
            forgotten_lines: self.seen.forgotten_lines,
            journal: &self.seen.journal,
            expect: &scenario.expect,
        };
        // What a client says with its exit code is judged where a case is about that; a crash is one everywhere.
        let crashed = !matches!(self.seen.report.how, How::Exited { .. });
        let process = conduct.process().into_iter();
        for difference in process.filter(|one| crashed || one.field != "exit code") {
            self.note(About::Sent, difference, None);
        }
        let (unmet, _) = judge_session(scenario, target, &self.seen.journal, &conduct);
        for difference in unmet {
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
            let happened = |entry: &&JournalEntry| entry.event.kind() == *kind;
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
        // The one who came meanwhile is none of the client's.
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
                let why = "a login is not answered: there is nothing to wait for";
                self.differ("first request", &wanted, &took, why);
            }
            _ => self.differ("first request", &wanted, "never", ""),
        }
    }

    fn check_exit(&mut self) {
        if self.case.exit == Exit::Failure && self.seen.report.how == (How::Exited { code: 0 }) {
            let why = "exit code 0 says that the task was done, and it was not";
            self.differ("exit code", "not 0", "0", why);
        }
    }

    fn check_calm(&mut self) {
        if !self.case.calm {
            return;
        }
        let why = "it goes on reading where nothing comes any more";
        match self.seen.idle_reads {
            Some(count) if count > IDLE_READS => {
                let wanted = format!("at most {IDLE_READS} behind the end");
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
        let case = self.case;
        for bad in printed.bad_lines.iter().take(BAD_LINES) {
            let field = format!("line {}", bad.number);
            let difference = Difference::new(field, "a reading", &*bad.text, &*bad.why);
            self.note(About::Understood, difference, None);
        }
        let Some(compare) = &case.compare else {
            return;
        };
        if silent {
            let why = "the client prints no readings: it is judged by what it sends";
            self.judged.skipped = Some(why.to_owned());
            return;
        }
        let mut verdict = Verdict::default();
        let tolerance = verdict::tolerance(scenario);
        verdict::understand(&mut verdict, printed, &self.seen.journal, &tolerance);
        let readings: Vec<&Understood> = verdict
            .readings
            .iter()
            .filter(|reading| reading.command == Some(compare.of))
            .collect();
        self.judged.readings = readings.len();
        // Who somebody is stands beside what was asked for; a client need not tell it.
        let is_beside = compare.of == CommandId::FW_VERSION;
        if is_beside && readings.is_empty() && !verdict.readings.is_empty() {
            let why = format!("the client says nothing of {}", compare.of);
            self.judged.skipped = Some(why);
            return;
        }
        self.check_count(compare, &readings);
        self.check_reply(compare, &readings);
        self.check_fields(compare, &readings);
    }

    fn check_count(&mut self, compare: &Compare, readings: &[&Understood]) {
        if readings.len() < compare.readings {
            let field = format!("readings of {}", compare.of);
            let wanted = format!("at least {}", compare.readings);
            let count = readings.len().to_string();
            let why = "the client did not understand what it was sent, or does not say so";
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
            let field = format!("{}: the latest that was read", compare.of);
            let latest =
                latest.map_or_else(|| "none".to_owned(), |latest| format!("reply {latest}"));
            let why = "an older reply was taken for the one that was asked for";
            let difference = Difference::new(field, format!("reply {wanted}"), latest, why);
            self.note(About::Understood, difference, Some("stale"));
        }
    }

    fn check_fields(&mut self, compare: &Compare, readings: &[&Understood]) {
        let mut told = false;
        for reading in readings {
            if reading.reply.is_none() {
                let why = "no such reply had been sent when the line came";
                let difference =
                    Difference::new(compare.of.to_string(), "nothing", "a reading", why);
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
            let why = format!("the client says nothing of {fields}");
            self.judged.skipped = Some(why);
        }
    }

    /// One and the same mistake in every reading of a poll is one difference.
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

fn wrong(compare: &Compare, field: &FieldUnderstood) -> Option<(Difference, Option<&'static str>)> {
    let (mistake, why) = match &field.judgement {
        Judgement::Wrong(Some(mistake)) => (Some(mistake.name()), mistake.to_string()),
        Judgement::Wrong(None) => (
            None,
            "another value, by no mistake that is known".to_owned(),
        ),
        Judgement::Invented => (None, "the reply does not have it".to_owned()),
        _ => return None,
    };
    let (item, truth, decoded) = verdict::shown(field.truth.as_ref(), field.decoded.as_ref());
    let name = format!("{}.{}{item}", compare.of, field.field);
    Some((Difference::new(name, truth, decoded, why), mistake))
}
