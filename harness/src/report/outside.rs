//! The results of scenarios with an outside client, as text and as JSON.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;
use veschub_hub::journal::{self, JournalEvent};
use veschub_transcript::render::{self, TextOptions, ValueJson};
use veschub_wire::Request;

use super::differences::{self, DifferenceJson};
use crate::{
    outside::{
        compare::{FieldUnderstood, Judgement, Understood},
        ending::ProcessReport,
        verdict::{Outcome, Verdict},
    },
    run::{OutsideRun, Witnessed},
};

/// How many of the last lines on a client's stderr are shown.
const STDERR_LINES: usize = 10;

/// The runs as a table, one line each.
#[must_use]
pub fn table(runs: &[OutsideRun]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["scenario", "task", "verdict", "readings", "cpu", "wall"]);
    for run in runs {
        let cpu = run
            .witnessed
            .as_ref()
            .map(|seen| milliseconds(seen.report.cpu()));
        table.add_row([
            run.name.clone(),
            run.task.unwrap_or("-").to_owned(),
            word(run.verdict.outcome()).to_owned(),
            run.verdict.readings.len().to_string(),
            cpu.unwrap_or_else(|| "-".to_owned()),
            format!("{:.3} s", run.wall.as_secs_f64()),
        ]);
    }
    for index in [3, 4, 5] {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "passed",
        Outcome::Failed => "FAILED",
        Outcome::TimedOut => "TIMED OUT",
        Outcome::Crashed => "CRASHED",
        Outcome::Skipped => "skipped",
        Outcome::NotApplicable => "not applicable",
    }
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

/// What is wrong in a run that failed: what the client sent and what it understood, and the end of its stderr.
#[must_use]
pub fn failure(run: &OutsideRun) -> String {
    let mut out = format!("{}: {}\n", run.name, run.about);
    for (title, differences) in [
        ("wrong in what the client sent", &run.verdict.sent),
        (
            "wrong in what the client understood",
            &run.verdict.understood,
        ),
    ] {
        if !differences.is_empty() {
            let _ = write!(out, "\n{title}\n{}", differences::table(differences));
        }
    }
    for note in &run.verdict.notes {
        let _ = writeln!(out, "\nnote: {note}");
    }
    if let Some(seen) = &run.witnessed {
        let stderr = seen.stderr.text();
        let lines: Vec<&str> = stderr.lines().collect();
        let last = &lines[lines.len().saturating_sub(STDERR_LINES)..];
        if !last.is_empty() {
            out.push_str("\nthe last lines that the client wrote to stderr\n");
        }
        for line in last {
            let clean = |c: char| {
                if c.is_control() {
                    char::REPLACEMENT_CHARACTER
                } else {
                    c
                }
            };
            let line: String = line.chars().take(200).map(clean).collect();
            let _ = writeln!(out, "   {line}");
        }
    }
    out
}

/// Why a run was skipped or does not apply, on a line.
#[must_use]
pub fn skipped(run: &OutsideRun) -> Option<String> {
    let Verdict {
        skipped,
        not_applicable,
        ..
    } = &run.verdict;
    let why = not_applicable.as_ref().or(skipped.as_ref())?;
    let word = word(run.verdict.outcome());
    Some(format!("{}: {word}: {why}", run.name))
}

/// Everything about a run: the session, each reading field by field, and what is wrong.
#[must_use]
pub fn story(run: &OutsideRun) -> String {
    let mut out = format!(
        "{}: {}\n{}\n\n",
        run.name,
        word(run.verdict.outcome()),
        run.about
    );
    if let Some(why) = skipped(run) {
        let _ = writeln!(out, "{why}");
    }
    if let Some(seen) = &run.witnessed {
        let cpu = milliseconds(seen.report.cpu());
        let _ = writeln!(out, "the client {}; CPU time {cpu}\n", seen.report.how);
        let mut told = Vec::new();
        // Writing to memory cannot fail.
        let transcript = journal::transcript(&seen.journal);
        let _ = render::text(&mut told, &transcript, &TextOptions::default());
        out.push_str(&String::from_utf8_lossy(&told));
    }
    for reading in &run.verdict.readings {
        out.push('\n');
        tell(&mut out, reading);
    }
    if run.verdict.outcome().is_failure() {
        out.push('\n');
        out.push_str(&failure(run));
    }
    out
}

fn tell(out: &mut String, reading: &Understood) {
    let command = reading
        .command
        .map_or_else(|| "a reading".to_owned(), |command| command.to_string());
    let reply = match reading.reply {
        None => "no such reply".to_owned(),
        Some(reply) if reply.stale => format!("{reply}, stale"),
        Some(reply) => reply.to_string(),
    };
    let at = reading.at.as_secs_f64();
    let _ = writeln!(
        out,
        "line {} at {at:.3} s, {command}: {reply}",
        reading.line
    );
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["field", "truth", "decoded", ""]);
    for field in &reading.fields {
        let truth = field
            .truth
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        let decoded = field
            .decoded
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        let word = match &field.judgement {
            Judgement::Right => String::new(),
            Judgement::Wrong(Some(mistake)) => format!("wrong: {mistake}"),
            other => other.word().to_owned(),
        };
        table.add_row([field.field.clone(), truth, decoded, word]);
    }
    let _ = writeln!(out, "{}", table.trim_fmt());
}

/// The summary: `N passed, N failed`, and the other counts that are not 0.
#[must_use]
pub fn summary(runs: &[OutsideRun]) -> String {
    let always = [Outcome::Passed, Outcome::Failed];
    let told = Outcome::ALL.into_iter().filter_map(|outcome| {
        let count = count(runs, outcome);
        let word = outcome.name().replace('-', " ");
        (count > 0 || always.contains(&outcome)).then(|| format!("{count} {word}"))
    });
    told.collect::<Vec<_>>().join(", ")
}

/// How many runs ended in this way.
#[must_use]
pub fn count(runs: &[OutsideRun], outcome: Outcome) -> usize {
    runs.iter()
        .filter(|run| run.verdict.outcome() == outcome)
        .count()
}

/// How many runs ended in which way, as a line of JSON without its line feed.
#[must_use]
pub fn json_counts(runs: &[OutsideRun]) -> String {
    let counts = Outcome::ALL.into_iter().map(|outcome| {
        let name = outcome.name().replace('-', "_");
        (name, count(runs, outcome).into())
    });
    serde_json::Value::Object(counts.collect()).to_string()
}

/// A run as one line of JSON, without its line feed. `command` is the client's command as it was given.
#[must_use]
pub fn json_line(run: &OutsideRun, command: &str) -> String {
    let verdict = &run.verdict;
    let line = Line {
        scenario: &run.name,
        client: command,
        task: run.task,
        verdict: verdict.outcome().name(),
        skipped: verdict.skipped.as_deref(),
        not_applicable: verdict.not_applicable.as_deref(),
        wall_s: run.wall.as_secs_f64(),
        process: run.witnessed.as_ref().map(Into::into),
        sent: verdict.sent.iter().map(Into::into).collect(),
        understood: verdict.understood.iter().map(Into::into).collect(),
        fields: judgements(&verdict.readings),
        readings: verdict.readings.iter().map(Into::into).collect(),
        bad_lines: verdict
            .bad_lines
            .iter()
            .map(|bad| BadLineJson {
                line: bad.number,
                why: &bad.why,
                text: &bad.text,
            })
            .collect(),
        notes: &verdict.notes,
    };
    serde_json::to_string(&line).unwrap_or_default()
}

/// The verdict on the readings in a journal as one line of JSON, without its line feed.
#[must_use]
pub fn judged(verdict: &Verdict) -> String {
    let line = JudgedJson {
        understood: verdict.understood.iter().map(Into::into).collect(),
        readings: verdict.readings.iter().map(Into::into).collect(),
        table: differences::table(&verdict.understood),
    };
    serde_json::to_string(&line).unwrap_or_default()
}

#[derive(Serialize)]
struct JudgedJson<'a> {
    understood: Vec<DifferenceJson<'a>>,
    readings: Vec<ReadingJson<'a>>,
    table: String,
}

/// How many fields were judged in which way, over all readings.
#[must_use]
pub fn judgements(readings: &[Understood]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for field in readings.iter().flat_map(|reading| &reading.fields) {
        *counts.entry(field.judgement.word()).or_default() += 1;
    }
    counts
}

#[derive(Serialize)]
struct Line<'a> {
    scenario: &'a str,
    client: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<&'a str>,
    verdict: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_applicable: Option<&'a str>,
    wall_s: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    process: Option<ProcessJson<'a>>,
    sent: Vec<DifferenceJson<'a>>,
    understood: Vec<DifferenceJson<'a>>,
    fields: BTreeMap<&'static str, usize>,
    readings: Vec<ReadingJson<'a>>,
    bad_lines: Vec<BadLineJson<'a>>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct ProcessJson<'a> {
    #[serde(flatten)]
    report: &'a ProcessReport,
    cpu_s: f64,
    stdout_bytes: u64,
    stderr_bytes: u64,
    stderr: String,
    /// The commands that reached the device, in order.
    requests: Vec<String>,
}

impl<'a> From<&'a Witnessed> for ProcessJson<'a> {
    fn from(seen: &'a Witnessed) -> Self {
        let requests = seen.journal.iter().filter_map(|entry| match &entry.event {
            JournalEvent::Request(payload) => Request::decode(payload).ok(),
            _ => None,
        });
        Self {
            report: &seen.report,
            cpu_s: seen.report.cpu().as_secs_f64(),
            stdout_bytes: seen.stdout.total(),
            stderr_bytes: seen.stderr.total(),
            stderr: seen.stderr.text(),
            requests: requests
                .map(|request| request.body.id().to_string())
                .collect(),
        }
    }
}

#[derive(Serialize)]
struct ReadingJson<'a> {
    line: usize,
    at: f64,
    command: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<ReplyJson>,
    fields: BTreeMap<&'a str, FieldJson<'a>>,
}

#[derive(Serialize)]
struct ReplyJson {
    at: f64,
    number: usize,
    latest: usize,
    stale: bool,
}

#[derive(Serialize)]
struct FieldJson<'a> {
    judgement: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    truth: Option<ValueJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decoded: Option<&'a serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mistake: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

#[derive(Serialize)]
struct BadLineJson<'a> {
    line: usize,
    why: &'a str,
    text: &'a str,
}

impl<'a> From<&'a Understood> for ReadingJson<'a> {
    fn from(reading: &'a Understood) -> Self {
        let fields = reading
            .fields
            .iter()
            .map(|field| (field.field.as_str(), field.into()));
        Self {
            line: reading.line,
            at: reading.at.as_secs_f64(),
            command: reading.command.map(|command| command.to_string()),
            reply: reading.reply.map(|reply| ReplyJson {
                at: reply.at.as_secs_f64(),
                number: reply.number,
                latest: reply.latest,
                stale: reply.stale,
            }),
            fields: fields.collect(),
        }
    }
}

impl<'a> From<&'a FieldUnderstood> for FieldJson<'a> {
    fn from(field: &'a FieldUnderstood) -> Self {
        let mistake = match field.judgement {
            Judgement::Wrong(mistake) => mistake,
            _ => None,
        };
        Self {
            judgement: field.judgement.word(),
            truth: field.truth.as_ref().map(ValueJson),
            decoded: field.decoded.as_ref(),
            mistake: mistake.map(|mistake| mistake.name()),
            why: mistake.map(|mistake| mistake.to_string()),
        }
    }
}
