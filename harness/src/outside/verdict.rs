//! The verdict on an outside client. What it sent and what it understood are judged separately.

use serde_json::Value as Json;
use veschub_hub::journal::{Closed, JournalEntry, JournalEvent};
use veschub_scenario::schema::{Expectation, Scenario};
use veschub_wire::view::Value;

use super::{
    compare::{self, Judgement, Tolerance, Understood},
    ending::{CutShort, ProcessEnd, ProcessReport, UNSUPPORTED},
    output::{Line, MAX_STDOUT},
    reading::{self, BadLine, ParsedLine, Reading},
};
use crate::run::Difference;

/// How many bad lines are shown one by one.
const BAD_LINES: usize = 5;
/// How much of a value is shown.
const SHOWN: usize = 60;

/// The result of a run with an outside client.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// Why the client was not judged: it cannot do the task, or no outside client can.
    pub skipped: Option<String>,
    /// Why the scenario says nothing about any client on this link.
    pub not_applicable: Option<String>,
    /// Why the client did not get to its own end, which explains what else is wrong.
    pub cut_short: Option<CutShort>,
    /// What is wrong with what it sent, and with how its process went.
    pub sent: Vec<Difference>,
    /// What is wrong with what it understood.
    pub understood: Vec<Difference>,
    /// Its readings, each with the reply that it is about.
    pub readings: Vec<Understood>,
    /// Lines that are not readings.
    pub bad_lines: Vec<BadLine>,
    /// Why requests were not answered, as the hub reports it.
    pub notes: Vec<String>,
}

/// A verdict in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing was wrong.
    Passed,
    /// Something was wrong.
    Failed,
    /// The client was still running at the time limit.
    TimedOut,
    /// The client crashed.
    Crashed,
    /// Nothing was judged.
    Skipped,
    /// On this link, the scenario says nothing about any client.
    NotApplicable,
}

impl Outcome {
    /// All of them, in the order in which they are counted.
    pub const ALL: [Self; 6] = [
        Self::Passed,
        Self::Failed,
        Self::TimedOut,
        Self::Crashed,
        Self::Skipped,
        Self::NotApplicable,
    ];

    /// The name, as JSON has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::TimedOut => "timed-out",
            Self::Crashed => "crashed",
            Self::Skipped => "skipped",
            Self::NotApplicable => "not-applicable",
        }
    }

    /// Whether it makes the run fail.
    #[must_use]
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::TimedOut | Self::Crashed)
    }
}

impl Verdict {
    /// The verdict that a client was not judged, with the reason.
    #[must_use]
    pub fn skip(why: impl Into<String>) -> Self {
        Self {
            skipped: Some(why.into()),
            ..Self::default()
        }
    }

    /// The verdict that a scenario says nothing about any client on this link, with the reason.
    #[must_use]
    pub fn not_applicable(why: impl Into<String>) -> Self {
        Self {
            not_applicable: Some(why.into()),
            ..Self::default()
        }
    }

    /// The verdict in a word.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if self.not_applicable.is_some() {
            return Outcome::NotApplicable;
        }
        if self.skipped.is_some() {
            return Outcome::Skipped;
        }
        if self.sent.is_empty() && self.understood.is_empty() {
            return Outcome::Passed;
        }
        match self.cut_short {
            Some(CutShort::TimeUp) => Outcome::TimedOut,
            Some(CutShort::Crash) => Outcome::Crashed,
            None => Outcome::Failed,
        }
    }
}

/// The lines that a client printed, sorted by kind.
#[derive(Clone, Debug, Default)]
pub struct Printed {
    /// Its readings.
    pub readings: Vec<Reading>,
    /// Lines that are not readings.
    pub bad_lines: Vec<BadLine>,
    /// The task that it says it cannot do.
    pub unsupported: Option<String>,
}

/// Sorts the lines that a client printed by kind.
#[must_use]
pub fn sort(lines: &[Line]) -> Printed {
    let mut printed = Printed::default();
    for line in lines {
        match reading::read(line) {
            Ok(ParsedLine::Reading(reading)) => printed.readings.push(reading),
            Ok(ParsedLine::Unsupported(task)) => printed.unsupported = Some(task),
            Ok(ParsedLine::Nothing) => {}
            Err(bad) => printed.bad_lines.push(bad),
        }
    }
    printed
}

/// Why a client that says that it cannot do its task is skipped.
#[must_use]
pub fn unsupported(printed: &Printed, how: &ProcessEnd, task: &str) -> Option<String> {
    match (&printed.unsupported, how) {
        (Some(task), _) => Some(format!("the client says that it cannot do {task}")),
        (None, ProcessEnd::Exited { code: UNSUPPORTED }) => Some(format!(
            "the client cannot do {task}: exit code {UNSUPPORTED}"
        )),
        _ => None,
    }
}

/// Compares what a client printed with the replies that were delivered to it.
pub fn understand(
    verdict: &mut Verdict,
    printed: Printed,
    journal: &[JournalEntry],
    tolerance: &Tolerance,
) {
    let harmed = journal
        .iter()
        .any(|entry| matches!(entry.event, JournalEvent::FaultFired(_)));
    let delivered = compare::delivered(journal);
    verdict.readings = printed
        .readings
        .iter()
        .map(|reading| compare::compare(reading, &delivered, harmed, tolerance))
        .collect();
    verdict.bad_lines = printed.bad_lines;
    verdict.understood = misunderstood(&verdict.readings, &verdict.bad_lines);
}

/// How far off a value may be: one count, or more if the scenario allows it.
#[must_use]
pub fn tolerance(scenario: &Scenario) -> Tolerance {
    let allowed = scenario
        .expect
        .iter()
        .filter_map(|expectation| match expectation {
            Expectation::Value(value) if value.item.is_none() => {
                Some((value.of.0, value.field.clone(), value.within))
            }
            _ => None,
        });
    Tolerance {
        fields: allowed.collect(),
        ..Tolerance::default()
    }
}

/// The mistakes, each one once, with the number of readings that have it.
fn misunderstood(readings: &[Understood], bad_lines: &[BadLine]) -> Vec<Difference> {
    let mut found: Vec<(Difference, usize, usize)> = Vec::new();
    for reading in readings {
        let of = readings
            .iter()
            .filter(|other| other.command == reading.command)
            .count();
        for difference in wrong_in(reading) {
            let same = |(known, ..): &&mut (Difference, usize, usize)| {
                known.field == difference.field && known.why == difference.why
            };
            match found.iter_mut().find(same) {
                Some((_, count, _)) => *count += 1,
                None => found.push((difference, 1, of)),
            }
        }
    }
    let mut differences: Vec<Difference> = found
        .into_iter()
        .map(|(mut difference, count, of)| {
            if of > 1 {
                difference
                    .why
                    .push_str(&format!(" (in {count} of {of} readings)"));
            }
            difference
        })
        .collect();
    for bad in bad_lines.iter().take(BAD_LINES) {
        let field = format!("line {}", bad.number);
        differences.push(Difference::new(
            field,
            "a reading",
            shorten(&bad.text),
            &*bad.why,
        ));
    }
    if bad_lines.len() > BAD_LINES {
        let more = format!("{} more", bad_lines.len() - BAD_LINES);
        differences.push(Difference::new(
            "lines",
            "readings",
            more,
            "these lines are not readings either",
        ));
    }
    differences
}

fn wrong_in(reading: &Understood) -> Vec<Difference> {
    let command = reading
        .command
        .map_or_else(|| "a reading".to_owned(), |command| command.to_string());
    let Some(reply) = reading.reply else {
        let names: Vec<&str> = reading
            .fields
            .iter()
            .map(|field| field.field.as_str())
            .collect();
        return vec![Difference::new(
            command,
            "nothing",
            shorten(&names.join(" ")),
            NO_SUCH_REPLY,
        )];
    };
    let mut differences = Vec::new();
    if reply.stale {
        let (latest, this) = (
            format!("reply {}", reply.latest),
            format!("reply {}", reply.number),
        );
        let why = "stale: a newer reply had been sent when the client printed this line";
        differences.push(Difference::new(command.clone(), latest, this, why));
    }
    for field in &reading.fields {
        let decoded = field.decoded.as_ref();
        let Some(why) = why(&field.judgement) else {
            continue;
        };
        let (item, truth, decoded) = shown(field.truth.as_ref(), decoded);
        let name = format!("{command}.{}{item}", field.field);
        differences.push(Difference::new(name, truth, decoded, why));
    }
    differences
}

/// Why a reading is wrong that has no reply.
pub(crate) const NO_SUCH_REPLY: &str =
    "the device had sent no such reply when the client printed this line";

/// Why a field is wrong, if it is.
pub(crate) fn why(judgement: &Judgement) -> Option<String> {
    match judgement {
        Judgement::Wrong(Some(mistake)) => Some(mistake.to_string()),
        Judgement::Wrong(None) => {
            Some("a different value; it fits none of the known mistakes".to_owned())
        }
        Judgement::Invented => Some("the reply does not have this field".to_owned()),
        _ => None,
    }
}

/// The true value and the client's value; for lists, the first item that differs.
pub(crate) fn shown(truth: Option<&Value>, decoded: Option<&Json>) -> (String, String, String) {
    if let (Some(Value::List(truth)), Some(Json::Array(decoded))) = (truth, decoded) {
        if truth.len() != decoded.len() {
            let length = |length| format!("{length} elements");
            return (String::new(), length(truth.len()), length(decoded.len()));
        }
        let differs = |(truth, decoded): &(&Value, &Json)| !compare::same(truth, decoded, 0.0);
        let pairs = || truth.iter().zip(decoded);
        // A difference that single precision explains does not count.
        if let Some(index) = pairs().position(|pair| differs(&pair))
            && let Some((truth, decoded)) = pairs().nth(index)
        {
            return (
                format!("[{index}]"),
                shorten(&truth.to_string()),
                shorten(&decoded.to_string()),
            );
        }
    }
    let truth = truth.map(Value::to_string).unwrap_or_default();
    let decoded = decoded.map(Json::to_string).unwrap_or_default();
    (String::new(), shorten(&truth), shorten(&decoded))
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// How a client's process behaved, and whether it got through to a device.
pub struct Conduct<'a> {
    /// How the process ended.
    pub report: &'a ProcessReport,
    /// How long it was allowed to run, in words.
    pub limit: String,
    /// How many bytes it printed on stdout.
    pub printed: u64,
    /// Lines that were not kept, because there were too many.
    pub forgotten_lines: usize,
    /// What happened at the hub.
    pub journal: &'a [JournalEntry],
    /// What the scenario expects.
    pub expect: &'a [Expectation],
}

impl Conduct<'_> {
    /// What is wrong with the exit code: the client reports a failure that it need not report.
    #[must_use]
    pub fn exit_code(&self) -> Option<Difference> {
        match self.report.how {
            ProcessEnd::Exited { code } if code != 0 && !self.may_fail() => Some(Difference::new(
                "exit code",
                "0",
                code.to_string(),
                "the client reports that it failed; see its stderr",
            )),
            _ => None,
        }
    }

    /// What else is wrong with the process.
    #[must_use]
    pub fn process(&self) -> Vec<Difference> {
        let mut found = Vec::new();
        let mut differ = |field: &str, truth: &str, decoded: &str, why: &str| {
            found.push(Difference::new(field, truth, decoded, why));
        };
        let ProcessReport {
            how,
            left_behind,
            killed,
            ..
        } = self.report;
        let told = how.to_string();
        match how {
            ProcessEnd::Exited { .. } => {}
            // A client may report with an exception that the connection is gone.
            ProcessEnd::Panicked { .. } if self.may_fail() => {}
            ProcessEnd::Panicked { .. } | ProcessEnd::Killed { .. } => differ(
                "process",
                "ends by itself",
                &told,
                "your client crashed; its stderr may say where",
            ),
            ProcessEnd::TimeUp => {
                let why = if *killed {
                    "the client did not end after SIGTERM, so the harness killed it"
                } else {
                    "the harness ended it with SIGTERM"
                };
                differ(
                    "process",
                    &format!("ends within {}", self.limit),
                    &told,
                    why,
                );
            }
            ProcessEnd::Stopped if self.printed >= MAX_STDOUT => {
                let limit = format!("at most {MAX_STDOUT} bytes on stdout");
                differ(
                    "process",
                    &limit,
                    "more",
                    "the client printed too much, so the harness ended it",
                );
            }
            ProcessEnd::NotStarted { .. } => {
                differ(
                    "process",
                    "started",
                    &told,
                    "check the command; the harness starts it without a shell",
                );
            }
            _ => differ("process", "ends by itself", &told, "see its stderr"),
        }
        if *left_behind > 0 {
            let count = format!("{left_behind} left running");
            differ(
                "process",
                "none left running",
                &count,
                "the client ended and left processes running, which the harness then ended",
            );
        }
        if self.forgotten_lines > 0 {
            let count = format!("{} more", self.forgotten_lines);
            differ(
                "lines",
                "fewer",
                &count,
                "the client printed too many lines; the harness did not read these",
            );
        }
        found
    }

    /// Whether the client is right to report a failure: the scenario withholds something from it.
    fn may_fail(&self) -> bool {
        let in_vain = |one: &Expectation| {
            matches!(
                one,
                Expectation::LoginRefused | Expectation::NoReplyTo(_) | Expectation::Unanswered(_)
            )
        };
        let harm = |entry: &JournalEntry| {
            matches!(
                entry.event,
                JournalEvent::FaultFired(_)
                    | JournalEvent::Closed(Closed::Replaced { .. } | Closed::DeviceLeft)
            )
        };
        self.expect.iter().any(in_vain) || self.journal.iter().any(harm)
    }

    /// Why the client did not get through to a device; `None` if it did, or if the scenario does not want that.
    #[must_use]
    pub fn contact(&self) -> Option<Difference> {
        let any =
            |pick: fn(&JournalEvent) -> bool| self.journal.iter().any(|entry| pick(&entry.event));
        if !any(|what| matches!(what, JournalEvent::Opened)) {
            let why = format!("the client {}", self.report.how);
            return Some(Difference::new(
                "connection",
                "connects",
                "never connected",
                why,
            ));
        }
        if !any(|what| {
            matches!(
                what,
                // Without a hub, a client is attached without a login.
                JournalEvent::Login(_) | JournalEvent::LoginRefused { .. } | JournalEvent::Attached
            )
        }) {
            let why = "the client must first send VESCTOOL:ID:PASSWORD and a line feed";
            return Some(Difference::new("login", "a login line", "none", why));
        }
        let refused = self.journal.iter().find_map(|entry| match &entry.event {
            JournalEvent::LoginRefused { reason } => Some(reason.as_str()),
            _ => None,
        });
        let expected = self
            .expect
            .iter()
            .any(|one| matches!(one, Expectation::LoginRefused));
        match refused {
            Some(reason) if !expected && !any(|what| matches!(what, JournalEvent::Attached)) => {
                Some(Difference::new("login", "accepted", "refused", reason))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;
    use veschub_hub::time::Time;
    use veschub_scenario::Loaded;

    use super::*;

    fn lines(texts: &[&str]) -> Vec<Line> {
        let line = |(index, text): (usize, &&str)| Line {
            number: index + 1,
            at: Duration::ZERO,
            after: usize::MAX,
            text: text.as_bytes().to_vec(),
            cut: false,
        };
        texts.iter().enumerate().map(line).collect()
    }

    fn scenario() -> Scenario {
        let text = "version: 1\ndevices:\n  - express: { id: demo-0001, password: x }\n";
        Loaded::parse("test", text).unwrap().scenario
    }

    fn scan() -> Vec<JournalEntry> {
        let entry = |event| JournalEntry {
            at: Time::ZERO,
            conn: None,
            device: None,
            event,
        };
        let reply = JournalEvent::Reply {
            payload: vec![62, 7, 84],
            truth: None,
        };
        vec![entry(JournalEvent::Request(vec![62])), entry(reply)]
    }

    fn verdict_on(texts: &[&str]) -> Verdict {
        let mut verdict = Verdict::default();
        understand(
            &mut verdict,
            sort(&lines(texts)),
            &scan(),
            &tolerance(&scenario()),
        );
        verdict
    }

    fn conduct(how: ProcessEnd, journal: &[JournalEntry]) -> Vec<Difference> {
        let report = ProcessReport::new(how);
        let conduct = Conduct {
            report: &report,
            limit: "5s".to_owned(),
            printed: 0,
            forgotten_lines: 0,
            journal,
            expect: &[],
        };
        let mut found: Vec<_> = conduct.exit_code().into_iter().collect();
        found.extend(conduct.process());
        found.extend(conduct.contact());
        found
    }

    #[test]
    fn a_client_that_prints_nothing_is_not_judged_by_what_it_understood() {
        assert_eq!(verdict_on(&[]).outcome(), Outcome::Passed);
    }

    #[test]
    fn what_is_wrong_is_told_once_with_how_often() {
        let capped = r#"{"command": "PING_CAN", "fields": {"can_ids": [7]}}"#;
        let right = r#"{"command": "PING_CAN", "fields": {"can_ids": [7, 84]}}"#;
        let verdict = verdict_on(&[capped, right, capped]);
        let [one] = &verdict.understood[..] else {
            unreachable!("{:?}", verdict.understood);
        };
        assert_eq!(one.field, "PING_CAN.can_ids");
        assert_eq!([&one.truth, &one.decoded], ["2 elements", "1 elements"]);
        assert_eq!(
            one.why,
            "the list ends too early, at 1 (in 2 of 3 readings)"
        );
    }

    #[test]
    fn of_a_list_the_item_that_differs_is_shown() {
        let value = json!([1.0, 2.5]);
        let truth = Value::from(vec![1_u8, 2]);
        assert_eq!(shown(Some(&truth), Some(&value)).0, "[1]");
    }

    #[test]
    fn many_bad_lines_are_told_in_part() {
        let texts = ["oops"; 9];
        let told = verdict_on(&texts).understood;
        assert_eq!(told.len(), BAD_LINES + 1);
        assert_eq!(told[BAD_LINES].decoded, "4 more");
    }

    #[test]
    fn a_client_that_cannot_do_its_task_says_so_in_one_of_two_ways() {
        let said = sort(&lines(&[r#"{"unsupported": "scan-can"}"#]));
        let done = ProcessEnd::Exited { code: 0 };
        assert!(unsupported(&said, &done, "scan-can").is_some());
        let nothing = Printed::default();
        assert_eq!(unsupported(&nothing, &done, "scan-can"), None);
        assert!(unsupported(&nothing, &ProcessEnd::Exited { code: 77 }, "scan-can").is_some());
    }

    #[test]
    fn who_never_connects_is_told_with_how_the_process_ended() {
        let found = conduct(ProcessEnd::Exited { code: 3 }, &[]);
        assert_eq!(found[0].field, "exit code");
        assert_eq!(found[1].why, "the client ended with exit code 3");
    }
}
