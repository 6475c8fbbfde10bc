//! The result of a battery as data, with a version. It holds everything that a report in any form needs.

use std::{fmt, time::Duration};

use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{Deserialize, Serialize};
use veschub_hub::journal::{JournalEntry, JournalEvent};
use veschub_wire::{CommandId, view::hex};

use super::{
    carrier::Carrier,
    catalogue::{Case, Id, Level, Section},
};

/// The version of the report's format. It grows when something is removed or changes its meaning, but not when
/// something is added.
pub const VERSION: u32 = 1;
/// How many entries of a session are kept: the first and the last ones.
const ENTRIES: usize = 400;

/// The result of a battery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The version of this format: 1.
    pub version: u32,
    /// The client that was judged: the command of a program, or the name of a built-in client.
    pub client: String,
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
}

/// The result of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Nothing was wrong.
    Passed,
    /// Something was wrong.
    Failed,
    /// Something was wrong, and the list of known defects says so.
    Known,
    /// Not judged; the reasons say why.
    Skipped,
    /// Something was wrong, but only for information: the case is a MAY.
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

/// Why a case was not judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NotJudged {
    /// A case that it needs failed; what is wrong is told there.
    Failed {
        /// Which.
        #[schemars(with = "String")]
        because: Id,
        /// What that case is about.
        title: String,
    },
    /// A case that it needs was not judged either.
    NotJudged {
        /// Which.
        #[schemars(with = "String")]
        because: Id,
        /// What that case is about.
        title: String,
    },
    /// The client read the reply, but none of its values is right, so nothing shows which reply it read.
    WrongValues {
        /// The case about these values.
        #[schemars(with = "String")]
        because: Id,
    },
    /// The client says that it cannot do the task.
    Unsupported {
        /// How it says so.
        told: String,
    },
    /// No outside client can do the task.
    NoTask {
        /// Why.
        told: String,
    },
    /// The client prints no readings, so only what it sends can be judged.
    Silent,
    /// The client prints no reading of the reply that the case is about, and need not.
    NoReading {
        /// The command.
        of: String,
    },
    /// The client leaves out the fields that the case is about.
    FieldsLeftOut {
        /// Which.
        fields: Vec<String>,
    },
    /// The client asked once, although it was told to ask again and again.
    AskedOnce,
    /// The case cannot show anything with what is carried.
    Carrier {
        /// What is carried.
        carried: Carrier,
    },
}

impl fmt::Display for NotJudged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { because, title } => {
                write!(f, "not judged because of {because}, which failed: {title}")
            }
            Self::NotJudged { because, title } => {
                write!(f, "not judged because {because} was not: {title}")
            }
            Self::WrongValues { because } => write!(
                f,
                "not judged because of {because}: none of the values that the client read is right, so they do not \
                 show whether this reply arrived"
            ),
            Self::Unsupported { told } | Self::NoTask { told } => f.write_str(told),
            Self::Silent => {
                f.write_str("the client prints no readings, so only what it sends can be judged")
            }
            Self::NoReading { of } => write!(f, "the client prints no reading of {of}"),
            Self::FieldsLeftOut { fields } => {
                write!(f, "the client does not report {}", fields.join(", "))
            }
            Self::AskedOnce => f.write_str(
                "the client asked once, and the case needs a client that asks again and again (VESC_COUNT)",
            ),
            Self::Carrier { carried } => {
                write!(f, "{carried} cannot show what the case is about")
            }
        }
    }
}

/// A case that was run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CaseReport {
    /// Its name, which never changes: `2/12`.
    #[schemars(with = "String")]
    pub id: Id,
    /// The section's title.
    pub section: String,
    /// What the case is about.
    pub title: String,
    /// How much it counts.
    pub level: Level,
    /// What a client must do.
    pub requirement: String,
    /// Where the protocol says so: sections of docs/protocol.md.
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
    /// What was wrong.
    pub differences: Vec<DifferenceReport>,
    /// How many readings the client printed of the reply that the case is about.
    pub readings: usize,
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
    /// The payload of a frame, or bytes that belong to no frame, in hex.
    pub hex: Option<String>,
    /// The step in words.
    pub text: String,
    /// Whether a fault harmed the link here, or a request stayed unanswered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub harm: bool,
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
    /// A case before it was run.
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
            carrier: None,
            outcome: Outcome::Skipped,
            not_judged: None,
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

    /// Says why the case was not judged.
    pub(super) fn skip(&mut self, why: NotJudged) {
        self.outcome = Outcome::Skipped;
        self.reasons = vec![why.to_string()];
        self.not_judged = Some(why);
    }

    /// Fills in the session; of a long one, its start and its end.
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

    /// Where the protocol says so, as people can look it up: `docs/protocol.md, section 1.1`.
    #[must_use]
    pub fn citation(&self) -> String {
        let plural = if self.source.contains(',') { "s" } else { "" };
        format!("docs/protocol.md, section{plural} {}", self.source)
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
    pub(super) fn new(
        client: String,
        seed: u64,
        strict: bool,
        carrier: Carrier,
        cases: Vec<CaseReport>,
        wall: Duration,
    ) -> Self {
        let mut report = Self {
            version: VERSION,
            client,
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
    pub(super) fn count(&mut self) {
        self.counts = Counts::of(&self.cases);
    }

    /// The exit code: 0 if every case that counts passed, 1 if a case that counts failed or an entry of the known
    /// defects is out of date, 3 if no case was judged.
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
