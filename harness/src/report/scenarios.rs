//! Scenarios that were run, as text: a table, what is wrong, everything about one run; and as cases of a report.

use std::{fmt::Write as _, time::Duration};

use comfy_table::{CellAlignment, Table, presets};
use serde_json::Value as Json;
use veschub_hub::journal;
use veschub_transcript::render::{self, TextOptions};
use veschub_wire::view::Value;

use super::{
    carrier::Carrier,
    differences,
    model::{self, About, CaseReport, DifferenceReport, Kind, Report},
    name::{CaseName, Level},
};
use crate::judge::{
    Difference, Outcome, Run, SentReply, Unread, Verdict,
    compare::{FieldUnderstood, Judgement, Mistake, Understood},
    readings,
};

/// Values of a list that stand in one line.
const IN_A_LINE: usize = 5;
/// How many of the last lines on a client's stderr are shown.
const STDERR_LINES: usize = 10;
/// The title of the one section of a report on scenarios.
const SECTION: &str = "Scenarios";

/// The runs as a table, one line each.
#[must_use]
pub fn table(runs: &[Run]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["scenario", "task", "verdict", "readings", "session", "wall"]);
    for run in runs {
        table.add_row([
            run.name.clone(),
            run.task.unwrap_or("-").to_owned(),
            word(run.outcome()).to_owned(),
            run.verdict.readings.len().to_string(),
            format!("{:.3} s", run.took().as_secs_f64()),
            milliseconds(run.wall),
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
pub fn failure(run: &Run) -> String {
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
    let stderr = run.played.as_ref().map(|played| played.stderr.text());
    let stderr = stderr.unwrap_or_default();
    let lines: Vec<&str> = stderr.lines().collect();
    let last = &lines[lines.len().saturating_sub(STDERR_LINES)..];
    if !last.is_empty() {
        out.push_str("\nthe last lines that the client wrote to stderr\n");
    }
    for line in last {
        let _ = writeln!(out, "   {}", model::clean(line));
    }
    out
}

/// What the client does not show in any run, a line for each command; nothing if it shows everything.
#[must_use]
pub fn unread(runs: &[Run]) -> String {
    let unread = readings::unread(runs.iter().flat_map(|run| &run.verdict.readings));
    if unread.is_empty() {
        return String::new();
    }
    let mut out = "your client does not show these fields, so nobody knows whether it reads them\n"
        .to_owned();
    for Unread { command, fields } in unread {
        let _ = writeln!(out, "   {command}: {}", fields.join(", "));
    }
    out
}

/// Why a run was skipped or does not apply, on a line.
#[must_use]
pub fn skipped(run: &Run) -> Option<String> {
    let why = match run.outcome() {
        Outcome::NotApplicable => run.verdict.not_applicable.as_ref()?,
        Outcome::Skipped => run.verdict.skipped.as_ref()?,
        _ => return None,
    };
    Some(format!("{}: {}: {why}", run.name, word(run.outcome())))
}

/// Everything about a run: the session, what the devices held beside what the client read, and what is wrong.
#[must_use]
pub fn story(run: &Run) -> String {
    let mut out = format!("{}: {}\n{}\n\n", run.name, word(run.outcome()), run.about);
    for note in &run.verdict.notes {
        let _ = writeln!(out, "note: {note}");
    }
    if let Some(why) = skipped(run) {
        let _ = writeln!(out, "{why}");
    }
    if let Some(played) = &run.played {
        match played.own.as_ref().map(|own| &own.outcome) {
            None => {
                let cpu = milliseconds(played.report.cpu());
                let _ = writeln!(out, "the client {}; CPU time {cpu}", played.report.how);
            }
            Some(Err(error)) => {
                let _ = writeln!(out, "client: {error}");
            }
            Some(Ok(outcome)) => {
                for (_, error) in &outcome.unanswered {
                    let _ = writeln!(out, "client: {error}");
                }
            }
        }
        if !out.ends_with("\n\n") {
            out.push('\n');
        }
        let mut told = Vec::new();
        // Writing to memory cannot fail.
        let transcript = journal::transcript(&played.journal);
        let _ = render::text(&mut told, &transcript, &TextOptions::default());
        out.push_str(&String::from_utf8_lossy(&told));
    }
    for (index, reply) in shown(&run.verdict.replies) {
        out.push('\n');
        compare(&mut out, index, reply, &run.verdict);
    }
    for reading in run
        .verdict
        .readings
        .iter()
        .filter(|one| one.reply.is_none())
    {
        let command = reading.command.map(|command| command.to_string());
        let _ = writeln!(
            out,
            "\nline {}, {}: no such reply",
            reading.line,
            command.as_deref().unwrap_or("a reading")
        );
    }
    if run.outcome().is_failure() {
        out.push('\n');
        out.push_str(&failure(run));
    }
    out
}

/// The first and the last reply to each command.
pub(super) fn shown(replies: &[SentReply]) -> impl Iterator<Item = (usize, &SentReply)> {
    let is_end = |index: usize| {
        let same = |other: &SentReply| other.command == replies[index].command;
        !replies[..index].iter().any(same) || !replies[index + 1..].iter().any(same)
    };
    replies
        .iter()
        .enumerate()
        .filter(move |&(index, _)| is_end(index))
}

fn compare(out: &mut String, index: usize, reply: &SentReply, verdict: &Verdict) {
    let same = |other: &&SentReply| other.command == reply.command;
    let of = verdict.replies.iter().filter(same).count();
    let number = verdict.replies[..=index].iter().filter(same).count();
    let at = reply.at.as_secs_f64();
    let _ = writeln!(
        out,
        "{} at {at:.3} s, reply {number} of {of}",
        reply.command
    );
    let mut rows: Vec<[String; 4]> = vec![["field", "truth", "decoded", ""].map(str::to_owned)];
    match verdict.reading_of(reply) {
        Some(reading) => rows.extend(reading.fields.iter().flat_map(read)),
        None => {
            for (name, value) in reply.truth.iter().flat_map(|truth| truth.iter()) {
                let lines = lines(name, Some(value), None).into_iter();
                rows.extend(
                    lines.map(|(name, truth, _)| [name, truth, "-".to_owned(), String::new()]),
                );
            }
        }
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let [first, second, third] = [0, 1, 2].map(|column| width(column).unwrap_or_default());
    for [field, truth, decoded, word] in &rows {
        let line = format!("  {field:first$}  {truth:second$}  {decoded:third$}  {word}");
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

/// The rows of a field that a client read, or left out.
fn read(field: &FieldUnderstood) -> Vec<[String; 4]> {
    let word = match &field.judgement {
        Judgement::Right | Judgement::NotJudged => String::new(),
        Judgement::Wrong(Some(mistake)) => format!("wrong: {mistake}"),
        Judgement::Invented(Some(mistake)) => format!("invented: {mistake}"),
        other => other.word().to_owned(),
    };
    let lines = lines(&field.field, field.truth.as_ref(), field.decoded.as_ref());
    let mut rows: Vec<_> = lines
        .into_iter()
        .map(|(name, truth, decoded)| [name, truth, decoded, String::new()])
        .collect();
    if let Some(first) = rows.first_mut() {
        first[3] = word;
    }
    rows
}

/// The lines of a field: its name, the truth, and what the client read. Long lists get several lines.
fn lines(
    name: &str,
    truth: Option<&Value>,
    decoded: Option<&Json>,
) -> Vec<(String, String, String)> {
    match (truth, decoded) {
        (Some(Value::List(values)), decoded) if values.len() > IN_A_LINE => {
            let items = match decoded {
                Some(Json::Array(items)) => Some(items),
                _ => None,
            };
            let chunk = |(index, chunk): (usize, &[Value])| {
                let at = index * IN_A_LINE;
                let shown: Vec<String> = chunk.iter().map(ToString::to_string).collect();
                let read = match (items, decoded) {
                    (Some(items), _) => {
                        let end = (at + IN_A_LINE).min(items.len());
                        let items = items.get(at..end).unwrap_or_default();
                        let pairs = items.iter().zip(chunk);
                        let shown: Vec<String> = pairs
                            .map(|(item, truth)| plain(item, Some(truth)))
                            .collect();
                        shown.join(" ")
                    }
                    (None, Some(other)) if at == 0 => plain(other, None),
                    _ => "-".to_owned(),
                };
                (format!("{name}[{at}]"), shown.join(" "), read)
            };
            values.chunks(IN_A_LINE).enumerate().map(chunk).collect()
        }
        (Some(Value::Fields(inner)), decoded) => {
            let inner = inner.iter().flat_map(|(key, value)| {
                let decoded = decoded.and_then(|decoded| decoded.get(key));
                lines(&format!("{name}.{key}"), Some(value), decoded)
            });
            inner.collect()
        }
        (truth, decoded) => {
            let told = truth.map_or_else(|| "-".to_owned(), ToString::to_string);
            let read = decoded.map_or_else(|| "-".to_owned(), |decoded| plain(decoded, truth));
            vec![(name.to_owned(), told, read)]
        }
    }
}

/// What a client printed, written as the truth beside it is.
fn plain(given: &Json, truth: Option<&Value>) -> String {
    match (given, truth) {
        (Json::Number(number), _) => match number.as_i64() {
            Some(whole) => whole.to_string(),
            None => number.as_f64().unwrap_or_default().to_string(),
        },
        (Json::String(text), Some(Value::Masked | Value::Bytes(_))) => text.clone(),
        (Json::Array(items), Some(Value::List(truths))) => {
            let truth = |index: usize| truths.get(index);
            let items = items.iter().enumerate();
            let shown: Vec<String> = items
                .map(|(index, item)| plain(item, truth(index)))
                .collect();
            format!("[{}]", shown.join(" "))
        }
        (given, _) => given.to_string(),
    }
}

/// The summary: `N passed, N failed`, and the other counts that are not 0.
#[must_use]
pub fn summary(runs: &[Run]) -> String {
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
pub fn count(runs: &[Run], outcome: Outcome) -> usize {
    runs.iter().filter(|run| run.outcome() == outcome).count()
}

/// The runs as a report, which all the forms of a report of the battery can show.
#[must_use]
pub fn report(
    runs: &[Run],
    client: &str,
    seed: u64,
    wall: Duration,
    reproduce: &dyn Fn(&Run) -> String,
) -> Report {
    let cases = runs.iter().map(|run| case(run, reproduce(run))).collect();
    let carrier = Carrier::default();
    Report::new(
        Kind::Scenarios,
        client.to_owned(),
        seed,
        false,
        carrier,
        cases,
        wall,
    )
}

fn case(run: &Run, reproduce: String) -> CaseReport {
    let verdict = &run.verdict;
    let mut case = CaseReport {
        id: CaseName::Scenario(run.name.clone()),
        section: SECTION.to_owned(),
        title: run.about.clone(),
        level: Level::Must,
        requirement: "Send what the scenario expects, and read every value right.".to_owned(),
        task: run.task.map(ToOwned::to_owned),
        outcome: match run.outcome() {
            Outcome::Passed => model::Outcome::Passed,
            Outcome::Failed => model::Outcome::Failed,
            Outcome::TimedOut => model::Outcome::TimedOut,
            Outcome::Crashed => model::Outcome::Crashed,
            Outcome::Skipped => model::Outcome::Skipped,
            Outcome::NotApplicable => model::Outcome::NotApplicable,
        },
        readings: verdict.readings.len(),
        wall_s: model::seconds(run.wall),
        seed: run.seed,
        reproduce,
        ..CaseReport::default()
    };
    if let Some(played) = &run.played {
        case.tell(played);
    }
    let of = |about: About, all: &[Difference]| -> Vec<DifferenceReport> {
        let told = all.iter().map(|one| {
            let mistake = mistake_of(&verdict.readings, one);
            DifferenceReport::new(about, one.clone(), mistake)
        });
        told.collect()
    };
    case.differences = of(About::Sent, &verdict.sent);
    case.differences
        .extend(of(About::Understood, &verdict.understood));
    case.reasons = match (skipped(run), case.outcome) {
        (Some(why), _) => vec![why],
        _ => case
            .differences
            .iter()
            .map(DifferenceReport::reason)
            .collect(),
    };
    case
}

/// The mistake behind a difference: that of the field in a reading.
fn mistake_of(readings: &[Understood], difference: &Difference) -> Option<Mistake> {
    readings.iter().find_map(|reading| {
        let command = reading.command?;
        reading
            .fields
            .iter()
            .find_map(|field| match field.judgement {
                Judgement::Wrong(Some(mistake)) | Judgement::Invented(Some(mistake))
                    if difference
                        .field
                        .starts_with(&format!("{command}.{}", field.field)) =>
                {
                    Some(mistake)
                }
                _ => None,
            })
    })
}
