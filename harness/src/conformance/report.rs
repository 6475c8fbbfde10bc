//! The result of a battery for programs: typed, versioned, and all that a report of any form needs.

use std::{fmt, time::Duration};

use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{Deserialize, Serialize};
use veschub_hub::journal::{JournalEntry, JournalEvent};
use veschub_wire::{CommandId, view::hex};

use super::catalogue::{Case, Id, Level, Section};

/// The version of the form of a report. It grows when something is removed or means something else; what is added
/// does not change it.
pub const VERSION: u32 = 1;
/// How many entries of a session are told; the ends are kept.
const ENTRIES: usize = 400;

/// What became of a battery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The version of this form: 1.
    pub version: u32,
    /// Who was judged: the command of a program, or the name of a client that is built in.
    pub client: String,
    /// What decided all that is random.
    pub seed: u64,
    /// Whether SHOULD counts as well as MUST.
    pub strict: bool,
    /// The cases that were run, in the order of the catalogue.
    pub cases: Vec<CaseReport>,
    /// The numbers, of all levels.
    pub counts: Counts,
    /// Entries of the list of known defects that do not fit: the case passed, or there is none. They fail a run.
    pub stale_known_defects: Vec<String>,
    /// How long all of it took, in seconds.
    pub wall_s: f64,
}

/// How many cases came out in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// All was as it should be.
    pub passed: usize,
    /// Something that counts was not.
    pub failed: usize,
    /// Something was not, and is known not to be.
    pub known: usize,
    /// Not judged.
    pub skipped: usize,
    /// Something was not that never counts, a MAY.
    pub info: usize,
}

/// What became of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// All was as it should be.
    Passed,
    /// Something was not.
    Failed,
    /// Something was not, and the list of known defects says so.
    Known,
    /// Not judged; the reasons say why.
    Skipped,
    /// Something was not that is only worth knowing: the case is a MAY.
    Info,
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
        }
    }
}

/// A case that was run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CaseReport {
    /// What it is called, for ever: `2/12`.
    #[schemars(with = "String")]
    pub id: Id,
    /// The section's title.
    pub section: String,
    /// What the case shows.
    pub title: String,
    /// How much it counts.
    pub level: Level,
    /// What a client has to do.
    pub requirement: String,
    /// Where the protocol says so.
    pub source: String,
    /// What a failing client does, and why that matters.
    pub matters: String,
    /// The client's task, as it is named to it.
    pub task: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it was not passed; why it is a known defect, with its place.
    pub reasons: Vec<String>,
    /// What was not as it should be.
    pub differences: Vec<DifferenceReport>,
    /// How many readings of the reply in question the client printed.
    pub readings: usize,
    /// What was said, and what happened.
    pub transcript: Vec<EntryReport>,
    /// Entries of the transcript that are left out of its middle.
    pub left_out: usize,
    /// The end of what the client said on stderr.
    pub stderr: Vec<String>,
    /// How the client ended.
    pub ending: Option<String>,
    /// CPU time of the client and all processes that came of it, in seconds; not known of one that is built in.
    pub cpu_s: Option<f64>,
    /// How long the session took, in its own time, in seconds.
    pub session_s: f64,
    /// How long the case took, in seconds.
    pub wall_s: f64,
    /// What decided all that is random.
    pub seed: u64,
    /// The command that does it again.
    pub reproduce: String,
    /// What went over the wire; it is no part of what programs are told.
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

/// Something that is not as it should be.
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
    /// The usual mistake by which it comes out, by name.
    pub mistake: Option<String>,
    /// Why, as far as that is known.
    pub why: String,
}

/// A step of a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EntryReport {
    /// When, in seconds since the hub started.
    pub at_s: f64,
    /// On which connection, counted from 1.
    pub connection: Option<u32>,
    /// `to-device` or `to-tool`, of what was said; nothing, of what happened.
    pub direction: Option<String>,
    /// The command, of a frame.
    pub command: Option<String>,
    /// The payload of a frame, or bytes that are no frame, in hex.
    pub hex: Option<String>,
    /// What it says.
    pub text: String,
}

impl From<&JournalEntry> for EntryReport {
    fn from(entry: &JournalEntry) -> Self {
        let (direction, bytes, is_frame) = match &entry.event {
            JournalEvent::Request(payload) => (Some("to-device"), Some(payload), true),
            JournalEvent::Reply { payload, .. } => (Some("to-tool"), Some(payload), true),
            JournalEvent::Noise(bytes) => (Some("to-device"), Some(bytes), false),
            JournalEvent::DeviceNoise(bytes) => (Some("to-tool"), Some(bytes), false),
            JournalEvent::Login(_) => (Some("to-device"), None, false),
            _ => (None, None, false),
        };
        let command = bytes
            .filter(|_| is_frame)
            .and_then(|payload| payload.first());
        let text = entry.event.to_string();
        Self {
            at_s: entry.at.since_start().as_secs_f64(),
            connection: entry.conn.map(|conn| conn.0),
            direction: direction.map(ToOwned::to_owned),
            command: command.map(|&id| CommandId(id).to_string()),
            hex: bytes.map(|bytes| hex(bytes)),
            text: text.trim_start_matches(['>', '<', ' ']).to_owned(),
        }
    }
}

impl CaseReport {
    /// A case before anything was seen of it.
    #[must_use]
    pub(super) fn of(case: &Case, section: &Section, seed: u64, reproduce: String) -> Self {
        Self {
            id: case.id(),
            section: section.title.clone(),
            title: case.title.clone(),
            level: case.level,
            requirement: case.requirement.clone(),
            source: case.source.clone(),
            matters: case.matters.clone(),
            task: None,
            outcome: Outcome::Skipped,
            reasons: Vec::new(),
            differences: Vec::new(),
            readings: 0,
            transcript: Vec::new(),
            left_out: 0,
            stderr: Vec::new(),
            ending: None,
            cpu_s: None,
            session_s: 0.0,
            wall_s: 0.0,
            seed,
            reproduce,
            capture: Capture::default(),
        }
    }

    /// Tells what happened, of a long session its ends.
    pub(super) fn tell(&mut self, journal: &[JournalEntry]) {
        let half = ENTRIES / 2;
        self.left_out = journal.len().saturating_sub(ENTRIES);
        let told = journal
            .iter()
            .enumerate()
            .filter(|(index, _)| *index < half || *index >= half + self.left_out);
        self.transcript = told.map(|(_, entry)| entry.into()).collect();
        let times = journal.iter().map(|entry| entry.at.since_start());
        let lasted = times.clone().max().unwrap_or_default();
        self.session_s = lasted
            .saturating_sub(times.min().unwrap_or_default())
            .as_secs_f64();
    }

    /// Whether it makes a run fail.
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
    pub(super) fn new(
        client: String,
        seed: u64,
        strict: bool,
        cases: Vec<CaseReport>,
        wall: Duration,
    ) -> Self {
        let mut report = Self {
            version: VERSION,
            client,
            seed,
            strict,
            cases,
            counts: Counts::default(),
            stale_known_defects: Vec::new(),
            wall_s: wall.as_secs_f64(),
        };
        report.count();
        report
    }

    /// Counts anew.
    pub(super) fn count(&mut self) {
        self.counts = Counts::of(&self.cases);
    }

    /// The exit code: 0 if something was judged and all that counts passed, 1 if something that counts failed or an
    /// entry of the known defects does not fit, 3 if nothing was judged.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let failed =
            |case: &CaseReport| case.outcome == Outcome::Failed && case.is_counted(self.strict);
        let judged = |case: &CaseReport| case.outcome != Outcome::Skipped;
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
            } += 1;
        }
        counts
    }
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
