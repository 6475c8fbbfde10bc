//! The judge: what a client did and what it printed go in, a verdict comes out.
//!
//! ```text
//!  journal ──┬─> facts ───────> expect, nearest    what the scenario expects of the session
//!            ├─> driving                             what a client sets, and whether it stops the motor
//!            ├─> conduct                           how the process went, and whether it got through to a device
//!            └─> compare <── reading <── lines     each reading beside the reply that it was made from
//!                  └─> mistake                     the known mistake behind a wrong value
//! ```
//!
//! The same code judges the reference client, a program in any language, a client inside a Rust test, and the cases of
//! the battery. [`layout`] is the judge's own table of layouts, written from the protocol's facts alone: a
//! second opinion beside the codec, from which [`schema`] takes the names of the fields.

pub mod compare;
mod conduct;
pub mod config_layout;
pub(crate) mod driving;
mod expect;
mod facts;
mod late;
pub mod layout;
mod nearest;
mod node;
mod played;
pub mod reading;
pub mod readings;
mod repeats;
mod run;
pub mod schema;
mod values;

use std::{sync::Arc, time::Duration};

use veschub_scenario::{Scenario, Target};
use veschub_wire::{CommandId, view::Fields};

use self::{
    compare::{Tolerance, Understood},
    conduct::Conduct,
    facts::Facts,
    reading::BadLine,
};
pub use self::{
    nearest::{Candidate, CandidateField, Nearest},
    played::{OwnView, Played},
    run::Run,
};
use crate::outside::{ending::CutShort, output};

/// Why a null is wrong in a test.
const NULL: &str =
    "no value, although the device sent one; leave the field out if your client does not read it";

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Where: a field of a reply, or an expectation.
    pub field: String,
    /// What would have been right.
    pub truth: String,
    /// What was seen instead.
    pub decoded: String,
    /// Why, as far as that is known.
    pub why: String,
    /// What came nearest to an expectation that was not met.
    pub nearest: Nearest,
}

impl Difference {
    /// A difference without anything that came near.
    pub fn new(
        field: impl Into<String>,
        truth: impl Into<String>,
        decoded: impl Into<String>,
        why: impl Into<String>,
    ) -> Self {
        Self {
            field: field.into(),
            truth: truth.into(),
            decoded: decoded.into(),
            why: why.into(),
            nearest: Nearest::default(),
        }
    }
}

/// The verdict on a client in one scenario. What it sent and what it understood are judged separately.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// Why the client was not judged: it cannot do the task, or it does not show what the scenario is about.
    pub skipped: Option<String>,
    /// Why the scenario says nothing about any client on this link.
    pub not_applicable: Option<String>,
    /// Why the client did not get to its own end, which explains what else is wrong.
    pub cut_short: Option<CutShort>,
    /// What is wrong with what it sent, and with how its process went.
    pub sent: Vec<Difference>,
    /// What is wrong with what it understood.
    pub understood: Vec<Difference>,
    /// The replies of the devices, in order.
    pub replies: Vec<SentReply>,
    /// Its readings, each with the reply that it is about.
    pub readings: Vec<Understood>,
    /// Lines that are not readings.
    pub bad_lines: Vec<BadLine>,
    /// What the device sent and the client does not show, so that nobody knows whether it reads it. This is a finding
    /// and no mistake.
    pub unread: Vec<Unread>,
    /// What else is worth knowing: why requests were not answered, and what could not be judged.
    pub notes: Vec<String>,
}

/// The fields of the replies to a command that no reading shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The command.
    pub command: CommandId,
    /// The fields, in the order of the wire.
    pub fields: Vec<String>,
}

/// A reply that a device sent.
#[derive(Clone, Debug, PartialEq)]
pub struct SentReply {
    /// Its place in the journal.
    pub entry: usize,
    /// When it was sent.
    pub at: Duration,
    /// Its command.
    pub command: CommandId,
    /// What the device held; `None` if only the bytes of the reply are known.
    pub truth: Option<Arc<Fields>>,
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
    /// Nothing was judged, or not what the scenario is about.
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
            Outcome::NotApplicable
        } else if self.differences().next().is_some() {
            match self.cut_short {
                Some(CutShort::TimeUp) => Outcome::TimedOut,
                Some(CutShort::Crash) => Outcome::Crashed,
                None => Outcome::Failed,
            }
        } else if self.skipped.is_some() {
            Outcome::Skipped
        } else {
            Outcome::Passed
        }
    }

    /// Whether everything was judged, and nothing is wrong.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.outcome() == Outcome::Passed
    }

    /// Everything that is wrong: first with what the client sent, then with what it understood.
    pub fn differences(&self) -> impl Iterator<Item = &Difference> {
        self.sent.iter().chain(&self.understood)
    }

    /// Takes a null for a field that the device sent as a mistake. This is right where a test states what its client
    /// read: a null there comes from a misspelt key or a missing value, and must not let the test pass.
    pub fn demand_values(&mut self) {
        for reading in &self.readings {
            let Some(command) = reading.command else {
                continue;
            };
            for field in reading.fields.iter().filter(|field| field.is_null()) {
                let (_, truth, _) = readings::shown(field.truth.as_ref(), None);
                let name = format!("{command}.{}", field.field);
                self.understood
                    .push(Difference::new(name, truth, "null", NULL));
            }
        }
    }

    /// The client's last reading of a reply, if it printed one.
    #[must_use]
    pub fn reading_of(&self, reply: &SentReply) -> Option<&Understood> {
        let about = |one: &&Understood| one.reply.is_some_and(|found| found.entry == reply.entry);
        self.readings.iter().rfind(about)
    }
}

/// What a client was asked to do, and where.
#[derive(Clone, Copy, Debug)]
pub struct Assignment<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// Its first device.
    pub target: Option<&'a Target>,
    /// The name of the task.
    pub task: &'a str,
    /// The password that the client was told, which no report may show.
    pub password: &'a str,
    /// Whether the client was told this task. One inside a test decides itself what it does.
    pub is_told: bool,
}

/// Judges how a client's process went.
#[must_use]
pub fn judge_process(assignment: &Assignment<'_>, played: &Played) -> Vec<Difference> {
    Conduct::new(played, &assignment.scenario.expect).process()
}

/// Judges what was expected of the session, whatever the client made of the replies.
#[must_use]
pub fn judge_session(assignment: &Assignment<'_>, played: &Played) -> Vec<Difference> {
    let Assignment {
        scenario, target, ..
    } = *assignment;
    match Conduct::new(played, &scenario.expect).contact() {
        // Nothing that was expected could happen; saying so for each thing would hide why.
        Some(contact) => vec![contact],
        None => expect::check(scenario, target, &Facts::of_hub(&played.journal), None).sent,
    }
}

/// Judges what was seen of a client.
#[must_use]
pub fn judge(assignment: &Assignment<'_>, played: &Played) -> Verdict {
    let Assignment { scenario, .. } = *assignment;
    let mut printed = readings::sort(&played.lines);
    for bad in &mut printed.bad_lines {
        bad.text = output::hide(&bad.text, assignment.password);
    }
    if let Some(why) = readings::unsupported(&printed, &played.report.how, assignment.task) {
        return Verdict::skip(why);
    }
    let conduct = Conduct::new(played, &scenario.expect);
    let mut verdict = Verdict {
        sent: conduct.exit_code().into_iter().collect(),
        cut_short: played.report.how.cut_short(),
        ..Verdict::default()
    };
    verdict.sent.extend(conduct.process());
    let tolerance = Tolerance {
        // A test may look at a value as often as it likes.
        once: assignment.is_told,
        ..readings::tolerance(scenario)
    };
    readings::understand(&mut verdict, printed, &played.journal, &tolerance);
    node::mark_others(&mut verdict.readings, scenario);
    if let Some(contact) = conduct.contact() {
        // Nothing that was expected could happen; saying so for each thing would hide why.
        verdict.sent.push(contact);
        return verdict;
    }
    if played.own.is_none() {
        verdict.sent.extend(conduct.requests());
    }
    if assignment.is_told || driving::Order::of(&scenario.client).is_some() {
        verdict
            .sent
            .extend(node::asked_elsewhere(scenario, &played.journal));
        let driven = driving::findings(scenario, &played.journal, played.is_real_time);
        let wrong = driven.into_iter().map(|found| found.difference);
        verdict.sent.extend(wrong);
    }
    let facts = Facts::of(played);
    if let Some(own) = &played.own {
        verdict.sent.extend(facts.check_own(own, scenario));
    }
    let met = expect::check(scenario, assignment.target, &facts, Some(&verdict.readings));
    verdict.sent.extend(met.sent);
    verdict.understood.extend(met.understood);
    verdict.notes.extend(met.notes);
    verdict.skipped = met.unjudged;
    verdict
}
