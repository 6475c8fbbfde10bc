//! The result of a battery as data, with a version. It holds everything that a report in any form needs.

use std::{fmt, time::Duration};

use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{Deserialize, Serialize};
use veschub_hub::journal::{JournalEntry, JournalEvent, Masked};
use veschub_transcript::foreign::excerpt;
use veschub_wire::{CommandId, view::hex};

use super::{
    carrier::Carrier,
    name::{CaseName, Level},
    not_judged::NotJudged,
};
use crate::{
    judge::{Difference, Played, compare::Mistake},
    outside::link::Link,
};

/// The version of the report's format. It grows when something is removed or changes its meaning, but not when
/// something is added.
pub const VERSION: u32 = 1;
/// How many entries of a session are kept: the first and the last ones.
const ENTRIES: usize = 400;
/// How many of the last lines on a client's stderr are kept.
const STDERR_LINES: usize = 10;
/// How much of such a line is kept, in characters.
const STDERR_LINE: usize = 200;

/// The result of a battery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The version of this format: 1.
    pub version: u32,
    /// What was run.
    #[serde(default)]
    pub kind: Kind,
    /// The client that was judged: the command of a program, or the name of a built-in client.
    pub client: String,
    /// How the client reached the device: `hub` in reports that do not say so.
    #[serde(default)]
    pub link: Link,
    /// What the person who ran the battery says about the client: the name that reports show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    /// The client's version or commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_version: Option<String>,
    /// The seed of everything random.
    pub seed: u64,
    /// Whether SHOULD cases count as well as MUST cases.
    pub strict: bool,
    /// What was carried in the cases that are not about values, as the client can ask for it.
    #[serde(default)]
    pub carrier: Carrier,
    /// The cases that were run, in the order of the catalogue.
    pub cases: Vec<CaseReport>,
    /// How many cases ended in which way, of all levels.
    pub counts: Counts,
    /// Entries of the known defects that are out of date: the case passed or was not judged. They fail the run.
    pub stale_known_defects: Vec<String>,
    /// How long the battery took, in seconds.
    pub wall_s: f64,
}

/// What the cases of a report are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Cases of the battery: `veschub-harness conformance`.
    #[default]
    Conformance,
    /// Scenarios: `veschub-harness run`.
    Scenarios,
}

impl Kind {
    /// The word for titles.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Conformance => "conformance",
            Self::Scenarios => "scenarios",
        }
    }

    /// The title of a report on this client.
    #[must_use]
    pub fn title(self, client: &str) -> String {
        match self {
            Self::Conformance => format!("Conformance of {client}"),
            Self::Scenarios => format!("Scenarios with {client}"),
        }
    }
}

/// How many cases ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Nothing was wrong.
    pub passed: usize,
    /// Something was wrong.
    pub failed: usize,
    /// Something was wrong, and the list of known defects says so.
    pub known: usize,
    /// Not judged.
    pub skipped: usize,
    /// Something was wrong in a MAY case, which never counts.
    pub info: usize,
    /// The client was still running at the time limit.
    #[serde(default)]
    pub timed_out: usize,
    /// The client crashed.
    #[serde(default)]
    pub crashed: usize,
    /// The link cannot show what the case is about.
    #[serde(default)]
    pub not_applicable: usize,
}

/// The result of a case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Nothing was wrong.
    Passed,
    /// Something was wrong.
    Failed,
    /// Something was wrong, and the list of known defects says so.
    Known,
    /// Not judged; the reasons say why.
    #[default]
    Skipped,
    /// Something was wrong, but only for information: the case is a MAY.
    Info,
    /// The client was still running at the time limit, so the case says nothing about its subject.
    TimedOut,
    /// The client crashed, so the case says nothing about its subject.
    Crashed,
    /// The link cannot show what the case is about; the reasons say why.
    NotApplicable,
}

impl Outcome {
    /// The word for people.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "FAILED",
            Self::Known => "known",
            Self::Skipped => "skipped",
            Self::Info => "info",
            Self::TimedOut => "TIMED OUT",
            Self::Crashed => "CRASHED",
            Self::NotApplicable => "not applicable",
        }
    }

    /// Whether it makes the run fail, where the case counts.
    #[must_use]
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::TimedOut | Self::Crashed)
    }

    /// Whether the case says something about the client.
    #[must_use]
    pub fn is_judged(self) -> bool {
        !matches!(self, Self::Skipped | Self::NotApplicable)
    }
}

/// A case that was run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CaseReport {
    /// Its name, which never changes: `2/12`, or the name of a scenario.
    #[schemars(with = "String")]
    pub id: CaseName,
    /// The section's title.
    pub section: String,
    /// What the case is about.
    pub title: String,
    /// How much it counts.
    pub level: Level,
    /// What a client must do.
    pub requirement: String,
    /// Where the protocol says so: sections of docs/protocol.md, or of docs/protocol-motor.md if they begin with `m`.
    pub source: String,
    /// What a client does that fails the case, and why that matters.
    pub matters: String,
    /// The name of the client's task.
    pub task: Option<String>,
    /// What was carried, if the case is not about values.
    #[serde(default)]
    pub carrier: Option<Carrier>,
    /// The result.
    pub outcome: Outcome,
    /// Why it was not judged, if it was not.
    #[serde(default)]
    pub not_judged: Option<NotJudged>,
    /// Why it did not pass; for a known defect also its reason and place.
    pub reasons: Vec<String>,
    /// Of a known defect: where it is reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_url: Option<String>,
    /// What was wrong.
    pub differences: Vec<DifferenceReport>,
    /// How many readings the client printed of the reply that the case is about.
    pub readings: usize,
    /// Lines of the client that are not readings, each with the reason. They fail a case only if it misses a reading.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bad_lines: Vec<String>,
    /// The session: frames and events.
    pub transcript: Vec<EntryReport>,
    /// How many entries were left out of the middle of the transcript.
    pub left_out: usize,
    /// The last lines that the client wrote to stderr.
    pub stderr: Vec<String>,
    /// How the client ended.
    pub ending: Option<String>,
    /// CPU time of the client and all processes that it started, in seconds; not known for a built-in client.
    pub cpu_s: Option<f64>,
    /// How long the session took, in its own time, in seconds.
    pub session_s: f64,
    /// How long the case took, in seconds.
    pub wall_s: f64,
    /// The seed of everything random.
    pub seed: u64,
    /// The command that runs the case again.
    pub reproduce: String,
    /// The traffic; it is not part of the JSON.
    #[serde(skip)]
    pub capture: Capture,
}

/// A pcapng file.
#[derive(Clone, Default, PartialEq)]
pub struct Capture(pub Vec<u8>);

impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// What a difference is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum About {
    /// What the client sent, or how its process went.
    Sent,
    /// What the client understood.
    Understood,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DifferenceReport {
    /// What it is about.
    pub about: About,
    /// Where: a field of a reply, or what was expected.
    pub field: String,
    /// What would have been right.
    pub truth: String,
    /// What was seen instead.
    pub decoded: String,
    /// The name of the known mistake that explains it.
    pub mistake: Option<String>,
    /// Why, as far as that is known.
    pub why: String,
    /// What the mistake means, and where to look for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl DifferenceReport {
    /// The difference in a line.
    #[must_use]
    pub fn reason(&self) -> String {
        format!("{}: {} instead of {}", self.field, self.decoded, self.truth)
    }

    /// A difference, with the known mistake that explains it.
    #[must_use]
    pub fn new(about: About, difference: Difference, mistake: Option<Mistake>) -> Self {
        Self {
            about,
            field: difference.field,
            truth: difference.truth,
            decoded: difference.decoded,
            mistake: mistake.map(|mistake| mistake.name().to_owned()),
            why: difference.why,
            advice: mistake.map(Mistake::advice),
        }
    }
}

/// A step of a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EntryReport {
    /// When, in seconds since the hub started.
    pub at_s: f64,
    /// The number of the connection, counted from 1.
    pub connection: Option<u32>,
    /// The direction of bytes, `to-device` or `to-tool`; null for an event.
    pub direction: Option<String>,
    /// The command, if this is a frame.
    pub command: Option<String>,
    /// The payload of a frame, or bytes that belong to no frame, in hex. Passwords, keys and pins are masked: with `***`
    /// (`2a2a2a`), however long they are.
    pub hex: Option<String>,
    /// The step in words.
    pub text: String,
    /// Whether a fault harmed the link here, or a request stayed unanswered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub harm: bool,
}

/// Of an entry that is masked.
impl From<&JournalEntry> for EntryReport {
    fn from(entry: &JournalEntry) -> Self {
        let (direction, bytes, is_frame) = match &entry.event {
            JournalEvent::Request(payload) => (Some("to-device"), Some(payload), true),
            JournalEvent::Reply { payload, .. } => (Some("to-tool"), Some(payload), true),
            JournalEvent::Noise { bytes, .. } => (Some("to-device"), Some(bytes), false),
            JournalEvent::DeviceNoise { bytes, .. } => (Some("to-tool"), Some(bytes), false),
            JournalEvent::Login(_) => (Some("to-device"), None, false),
            _ => (None, None, false),
        };
        let command = bytes
            .filter(|_| is_frame)
            .and_then(|payload| payload.first());
        let text = entry.event.to_string();
        Self {
            // Divided once, so that it is the nearest number, and reads back as it was written.
            at_s: entry.at.since_start().as_nanos() as f64 / 1e9,
            connection: entry.conn.map(|conn| conn.0),
            direction: direction.map(ToOwned::to_owned),
            command: command.map(|&id| CommandId(id).to_string()),
            hex: bytes.map(|bytes| hex(bytes)),
            text: text.trim_start_matches(['>', '<', ' ']).to_owned(),
            harm: matches!(
                entry.event,
                JournalEvent::FaultFired(_)
                    | JournalEvent::QuirkFired { .. }
                    | JournalEvent::NotAnswered { .. }
            ),
        }
    }
}

impl CaseReport {
    /// Fills in what was seen of the client.
    pub fn tell(&mut self, played: &Played) {
        self.tell_session(&played.journal);
        self.capture.0.clone_from(&played.capture);
        self.ending = Some(played.report.how.to_string());
        self.cpu_s = played
            .idle_reads
            .is_none()
            .then(|| seconds(played.report.cpu()));
        let stderr = played.stderr.text();
        let lines: Vec<&str> = stderr.lines().collect();
        let last = &lines[lines.len().saturating_sub(STDERR_LINES)..];
        self.stderr = last.iter().map(|line| clean(line)).collect();
    }

    /// Says why the case was not judged.
    pub fn skip(&mut self, why: NotJudged) {
        self.outcome = Outcome::Skipped;
        self.reasons = vec![why.to_string()];
        self.not_judged = Some(why);
    }

    /// Fills in the session; of a long one, its start and its end.
    fn tell_session(&mut self, journal: &[JournalEntry]) {
        let half = ENTRIES / 2;
        self.left_out = journal.len().saturating_sub(ENTRIES);
        // What is left out may be the start of what is masked.
        let mut masked = Masked::default();
        let entries = journal.iter().map(|entry| masked.entry(entry)).enumerate();
        let told = entries.filter(|(index, _)| *index < half || *index >= half + self.left_out);
        self.transcript = told.map(|(_, entry)| (&*entry).into()).collect();
        let times = journal.iter().map(|entry| entry.at.since_start());
        let lasted = times.clone().max().unwrap_or_default();
        self.session_s = lasted
            .saturating_sub(times.min().unwrap_or_default())
            .as_secs_f64();
    }

    /// Where the protocol says so, as people can look it up: `docs/protocol.md, section 1.1`. A scenario cites nothing.
    #[must_use]
    pub fn citation(&self) -> String {
        if self.source.is_empty() {
            return String::new();
        }
        // `m3.1` is section 3.1 of the page about motor controllers; a case cites one page.
        let (page, sections) = match self.source.starts_with('m') {
            true => ("protocol-motor.md", self.source.replace('m', "")),
            false => ("protocol.md", self.source.clone()),
        };
        let plural = if sections.contains(',') { "s" } else { "" };
        format!("docs/{page}, section{plural} {sections}")
    }

    /// Whether a failure of this case makes the run fail.
    #[must_use]
    pub fn is_counted(&self, strict: bool) -> bool {
        match self.level {
            Level::Must => true,
            Level::Should => strict,
            Level::May => false,
        }
    }
}

impl Report {
    /// A report of these cases.
    #[must_use]
    pub fn new(
        kind: Kind,
        client: String,
        seed: u64,
        strict: bool,
        carrier: Carrier,
        cases: Vec<CaseReport>,
        wall: Duration,
    ) -> Self {
        let mut report = Self {
            version: VERSION,
            kind,
            client,
            link: Link::default(),
            client_name: None,
            client_version: None,
            seed,
            strict,
            carrier,
            cases,
            counts: Counts::default(),
            stale_known_defects: Vec::new(),
            wall_s: wall.as_secs_f64(),
        };
        report.count();
        report
    }

    /// Counts the cases again.
    pub fn count(&mut self) {
        self.counts = Counts::of(&self.cases);
    }

    /// The exit code: 0 if every case that counts passed, 1 if a case that counts failed or an entry of the known
    /// defects is out of date, 3 if no case was judged.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let failed = |case: &CaseReport| case.outcome.is_failure() && case.is_counted(self.strict);
        let judged = |case: &CaseReport| case.outcome.is_judged();
        if self.cases.iter().any(failed) || !self.stale_known_defects.is_empty() {
            1
        } else if self.cases.iter().any(judged) {
            0
        } else {
            3
        }
    }
}

impl Counts {
    /// Counts cases.
    #[must_use]
    pub fn of<'a>(cases: impl IntoIterator<Item = &'a CaseReport>) -> Self {
        let mut counts = Self::default();
        for case in cases {
            *match case.outcome {
                Outcome::Passed => &mut counts.passed,
                Outcome::Failed => &mut counts.failed,
                Outcome::Known => &mut counts.known,
                Outcome::Skipped => &mut counts.skipped,
                Outcome::Info => &mut counts.info,
                Outcome::TimedOut => &mut counts.timed_out,
                Outcome::Crashed => &mut counts.crashed,
                Outcome::NotApplicable => &mut counts.not_applicable,
            } += 1;
        }
        counts
    }
}

impl Counts {
    /// How many cases ended in this way.
    #[must_use]
    pub fn with(&self, outcome: Outcome) -> usize {
        match outcome {
            Outcome::Passed => self.passed,
            Outcome::Failed => self.failed,
            Outcome::Known => self.known,
            Outcome::Skipped => self.skipped,
            Outcome::Info => self.info,
            Outcome::TimedOut => self.timed_out,
            Outcome::Crashed => self.crashed,
            Outcome::NotApplicable => self.not_applicable,
        }
    }
}

/// A line of a client without control characters, so that a terminal can show it.
pub(super) fn clean(line: &str) -> String {
    let end = line.char_indices().nth(STDERR_LINE).map(|(end, _)| end);
    excerpt(&line[..end.unwrap_or(line.len())], STDERR_LINE)
}

/// Seconds, to the microsecond.
#[must_use]
pub fn seconds(time: Duration) -> f64 {
    time.as_micros() as f64 / 1e6
}

/// The JSON Schema of a report.
#[must_use]
pub fn json_schema() -> serde_json::Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<Report>();
    schema.insert(
        "title".to_owned(),
        format!("veschub-harness conformance --json, version {VERSION}").into(),
    );
    schema.to_value()
}
