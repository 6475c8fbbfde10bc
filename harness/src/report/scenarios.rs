//! The results of scenarios with the reference client: a table, what is wrong, everything about one run, and JSON.

use std::{fmt::Write as _, time::Duration};

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;
use veschub_hub::journal;
use veschub_transcript::render::{self, FieldsJson, TextOptions};
use veschub_wire::view::{Fields, Value};

use super::differences::{self, DifferenceJson};
use crate::run::{Compared, Run};

/// Values of a list that stand in one line.
const IN_A_LINE: usize = 5;

/// The runs as a table, one line each.
#[must_use]
pub fn table(runs: &[Run]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["scenario", "client", "verdict", "virtual", "wall"]);
    for run in runs {
        table.add_row([
            run.name.clone(),
            "reference".to_owned(),
            verdict(run).to_owned(),
            format!("{:.3} s", run.seen.took.as_secs_f64()),
            milliseconds(run.wall),
        ]);
    }
    for index in [3, 4] {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

fn verdict(run: &Run) -> &'static str {
    if run.verdict.passed() {
        "passed"
    } else {
        "FAILED"
    }
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

/// What is wrong in a run that failed.
#[must_use]
pub fn failure(run: &Run) -> String {
    let differences = differences::table(&run.verdict.differences);
    format!("{}: {}\n{differences}", run.name, run.about)
}

/// Everything about a run: the session, and what the devices held beside what the client decoded.
#[must_use]
pub fn story(run: &Run) -> String {
    let mut out = String::new();
    let Run { name, about, .. } = run;
    let _ = writeln!(out, "{name}: {}\n{about}\n", verdict(run));
    for note in &run.verdict.notes {
        let _ = writeln!(out, "note: {note}");
    }
    match &run.seen.outcome {
        Err(error) => {
            let _ = writeln!(out, "client: {error}");
        }
        Ok(outcome) => {
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
    let transcript = journal::transcript(&run.seen.journal);
    let _ = render::text(&mut told, &transcript, &TextOptions::default());
    out.push_str(&String::from_utf8_lossy(&told));
    for (index, compared) in shown(&run.verdict.compared) {
        out.push('\n');
        compare(&mut out, index, compared, &run.verdict.compared);
    }
    if !run.verdict.passed() {
        out.push('\n');
        out.push_str(&failure(run));
    }
    out
}

/// The first and the last reply to each command.
fn shown(compared: &[Compared]) -> impl Iterator<Item = (usize, &Compared)> {
    let is_end = |index: usize| {
        let same = |other: &Compared| other.command == compared[index].command;
        !compared[..index].iter().any(same) || !compared[index + 1..].iter().any(same)
    };
    compared
        .iter()
        .enumerate()
        .filter(move |&(index, _)| is_end(index))
}

fn compare(out: &mut String, index: usize, one: &Compared, all: &[Compared]) {
    let same = |other: &&Compared| other.command == one.command;
    let of = all.iter().filter(same).count();
    let number = all[..=index].iter().filter(same).count();
    let at = one.at.as_secs_f64();
    let _ = writeln!(out, "{} at {at:.3} s, reply {number} of {of}", one.command);
    let truth = one.truth.as_ref().map(lines).unwrap_or_default();
    let decoded = one.decoded.as_ref().map(lines).unwrap_or_default();
    let mut rows = vec![("field", "truth", "decoded")];
    for (name, value) in &truth {
        let found = decoded.iter().find(|(other, _)| other == name);
        rows.push((name, value, found.map_or("-", |(_, value)| value)));
    }
    for (name, value) in &decoded {
        if !truth.iter().any(|(other, _)| other == name) {
            rows.push((name, "-", value));
        }
    }
    let width = |pick: fn(&(&str, &str, &str)) -> usize| rows.iter().map(pick).max().unwrap_or(0);
    let first = width(|row| row.0.chars().count());
    let second = width(|row| row.1.chars().count());
    for (field, truth, decoded) in &rows {
        let line = format!("  {field:first$}  {truth:second$}  {decoded}");
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

/// A line for each field; long lists get several lines.
fn lines(fields: &Fields) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    for (name, value) in fields.iter() {
        match value {
            Value::List(values) if values.len() > IN_A_LINE => {
                for (index, chunk) in values.chunks(IN_A_LINE).enumerate() {
                    let shown: Vec<String> = chunk.iter().map(ToString::to_string).collect();
                    let name = format!("{name}[{}]", index * IN_A_LINE);
                    lines.push((name, shown.join(" ")));
                }
            }
            Value::Fields(inner) => {
                let inner = self::lines(inner).into_iter();
                lines.extend(inner.map(|(key, value)| (format!("{name}.{key}"), value)));
            }
            value => lines.push((name.to_owned(), value.to_string())),
        }
    }
    lines
}

/// A run as one line of JSON, without its line feed. Only `wall_s` depends on more than the scenario and the seed.
#[must_use]
pub fn json_line(run: &Run) -> String {
    let line = Line {
        scenario: &run.name,
        client: "reference",
        verdict: if run.verdict.passed() {
            "passed"
        } else {
            "failed"
        },
        virtual_s: run.seen.took.as_secs_f64(),
        wall_s: run.wall.as_secs_f64(),
        differences: run.verdict.differences.iter().map(Into::into).collect(),
        notes: &run.verdict.notes,
        replies: run.verdict.compared.len(),
        compared: shown(&run.verdict.compared)
            .map(|(_, compared)| compared.into())
            .collect(),
    };
    serde_json::to_string(&line).unwrap_or_default()
}

#[derive(Serialize)]
struct Line<'a> {
    scenario: &'a str,
    client: &'a str,
    verdict: &'a str,
    virtual_s: f64,
    wall_s: f64,
    differences: Vec<DifferenceJson<'a>>,
    notes: &'a [String],
    /// How many replies the devices sent; `compared` has only the first and the last of each command.
    replies: usize,
    compared: Vec<ComparedJson<'a>>,
}

#[derive(Serialize)]
struct ComparedJson<'a> {
    at: f64,
    command: String,
    truth: Option<FieldsJson<'a>>,
    decoded: Option<FieldsJson<'a>>,
}

impl<'a> From<&'a Compared> for ComparedJson<'a> {
    fn from(compared: &'a Compared) -> Self {
        Self {
            at: compared.at.as_secs_f64(),
            command: compared.command.to_string(),
            truth: compared.truth.as_ref().map(FieldsJson),
            decoded: compared.decoded.as_ref().map(FieldsJson),
        }
    }
}

/// The summary: `N passed, N failed`.
#[must_use]
pub fn summary(runs: &[Run]) -> String {
    let passed = runs.iter().filter(|run| run.verdict.passed()).count();
    format!("{passed} passed, {} failed", runs.len() - passed)
}
