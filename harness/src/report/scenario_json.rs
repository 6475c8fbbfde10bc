//! Scenarios that were run, as JSON: one object a line.

use std::collections::BTreeMap;

use serde::Serialize;
use veschub_hub::journal::JournalEvent;
use veschub_transcript::render::ValueJson;
use veschub_wire::Request;

use super::{
    differences::{self, DifferenceJson},
    scenarios,
};
use crate::{
    judge::{
        Outcome, Played, Run, Unread, Verdict,
        compare::{FieldUnderstood, Judgement, Mistake, Understood},
    },
    outside::ending::ProcessReport,
};

/// A run as one line of JSON, without its line feed. Of a client in virtual time, only `wall_s` depends on more than the
/// scenario and the seed.
#[must_use]
pub fn json_line(run: &Run) -> String {
    let verdict = &run.verdict;
    let line = Line {
        scenario: &run.name,
        client: &run.client,
        task: run.task,
        verdict: verdict.outcome().name(),
        skipped: verdict.skipped.as_deref(),
        not_applicable: verdict.not_applicable.as_deref(),
        session_s: run.took().as_secs_f64(),
        wall_s: run.wall.as_secs_f64(),
        process: run
            .played
            .as_ref()
            .filter(|played| played.idle_reads.is_none() && played.own.is_none())
            .map(Into::into),
        sent: verdict.sent.iter().map(Into::into).collect(),
        understood: verdict.understood.iter().map(Into::into).collect(),
        replies: verdict.replies.len(),
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
        unread: verdict.unread.iter().map(Into::into).collect(),
        notes: &verdict.notes,
    };
    serde_json::to_string(&line).unwrap_or_default()
}

/// How many runs ended in which way, as a line of JSON without its line feed.
#[must_use]
pub fn counts(runs: &[Run]) -> String {
    let counts = Outcome::ALL.into_iter().map(|outcome| {
        let name = outcome.name().replace('-', "_");
        (name, scenarios::count(runs, outcome).into())
    });
    serde_json::Value::Object(counts.collect()).to_string()
}

/// The verdict on the readings in a journal as one line of JSON, without its line feed.
#[must_use]
pub fn judged(verdict: &Verdict) -> String {
    let line = JudgedJson {
        understood: verdict.understood.iter().map(Into::into).collect(),
        readings: verdict.readings.iter().map(Into::into).collect(),
        unread: verdict.unread.iter().map(Into::into).collect(),
        table: differences::table(&verdict.understood),
    };
    serde_json::to_string(&line).unwrap_or_default()
}

#[derive(Serialize)]
struct JudgedJson<'a> {
    understood: Vec<DifferenceJson<'a>>,
    readings: Vec<ReadingJson<'a>>,
    unread: Vec<UnreadJson<'a>>,
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
    /// How long the session took, by the clock of the run.
    session_s: f64,
    wall_s: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    process: Option<ProcessJson<'a>>,
    sent: Vec<DifferenceJson<'a>>,
    understood: Vec<DifferenceJson<'a>>,
    /// How many replies the devices sent.
    replies: usize,
    fields: BTreeMap<&'static str, usize>,
    readings: Vec<ReadingJson<'a>>,
    bad_lines: Vec<BadLineJson<'a>>,
    unread: Vec<UnreadJson<'a>>,
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

impl<'a> From<&'a Played> for ProcessJson<'a> {
    fn from(seen: &'a Played) -> Self {
        let requests = seen.journal.iter().filter_map(|entry| match &entry.event {
            JournalEvent::Request(payload) => Request::decode(payload).ok(),
            _ => None,
        });
        Self {
            report: &seen.report,
            cpu_s: seen.report.cpu().as_secs_f64(),
            stdout_bytes: seen.printed,
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
    /// What the mistake means, and where to look.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

#[derive(Serialize)]
struct BadLineJson<'a> {
    line: usize,
    why: &'a str,
    text: &'a str,
}

/// What the client does not show of the replies to a command.
#[derive(Serialize)]
struct UnreadJson<'a> {
    command: String,
    fields: &'a [String],
}

impl<'a> From<&'a Unread> for UnreadJson<'a> {
    fn from(unread: &'a Unread) -> Self {
        Self {
            command: unread.command.to_string(),
            fields: &unread.fields,
        }
    }
}

impl<'a> From<&'a Understood> for ReadingJson<'a> {
    fn from(reading: &'a Understood) -> Self {
        let fields = reading
            .fields
            .iter()
            .map(|field| (&*field.field, field.into()));
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
            Judgement::Wrong(mistake) | Judgement::Invented(mistake) => mistake,
            _ => None,
        };
        Self {
            judgement: field.judgement.word(),
            truth: field.truth.as_ref().map(ValueJson),
            decoded: field.decoded.as_ref(),
            mistake: mistake.map(|mistake| mistake.name()),
            why: mistake.map(|mistake| mistake.to_string()),
            advice: mistake.map(Mistake::advice),
        }
    }
}
