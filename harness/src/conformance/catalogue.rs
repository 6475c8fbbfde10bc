//! All cases: YAML files, one for each section, which are compiled into the program.

use std::{
    fmt::Write as _,
    sync::{LazyLock, OnceLock},
};

use serde::Deserialize;
use serde_yaml::Value;
use veschub_hub::journal::EventKind;
use veschub_scenario::{Loaded, ScenarioError, Target, duration};
use veschub_wire::{CommandId, LoginKind, LoginLine};

use crate::{
    judge::driving,
    run::{self, Blow},
};

pub use crate::report::name::{Id, Level, ParseIdError};

use super::carrier::Carrier;

/// The case that all others need: if a client cannot log in and ask, nothing else can be judged.
pub const BASIS: Id = Id {
    section: 1,
    number: 1,
};

const FILES: [(&str, &str); 13] = [
    (
        "1-login.yaml",
        include_str!("../../conformance/1-login.yaml"),
    ),
    (
        "2-framing.yaml",
        include_str!("../../conformance/2-framing.yaml"),
    ),
    (
        "3-matching.yaml",
        include_str!("../../conformance/3-matching.yaml"),
    ),
    (
        "4-timing.yaml",
        include_str!("../../conformance/4-timing.yaml"),
    ),
    (
        "5-values.yaml",
        include_str!("../../conformance/5-values.yaml"),
    ),
    ("6-can.yaml", include_str!("../../conformance/6-can.yaml")),
    (
        "7-connection.yaml",
        include_str!("../../conformance/7-connection.yaml"),
    ),
    (
        "8-behaviour.yaml",
        include_str!("../../conformance/8-behaviour.yaml"),
    ),
    (
        "9-motor.yaml",
        include_str!("../../conformance/9-motor.yaml"),
    ),
    (
        "10-firmware.yaml",
        include_str!("../../conformance/10-firmware.yaml"),
    ),
    (
        "11-sending.yaml",
        include_str!("../../conformance/11-sending.yaml"),
    ),
    (
        "12-driving.yaml",
        include_str!("../../conformance/12-driving.yaml"),
    ),
    (
        "13-stopping.yaml",
        include_str!("../../conformance/13-stopping.yaml"),
    ),
];

/// Why there are no cases, or not the wanted one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// A file of the program has a mistake.
    #[error("{file}: {message}")]
    File {
        /// The file.
        file: &'static str,
        /// What is wrong, and where.
        message: String,
    },
    /// There is no such case.
    #[error("there is no case {0}; --list prints all cases")]
    NoCase(Id),
    /// A case needs another one that needs it.
    #[error("case {0} needs itself")]
    NeedsItself(Id),
}

/// A section of the battery.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Its number, from 1.
    pub section: u32,
    /// What it is about.
    pub title: String,
    /// Its cases.
    pub cases: Vec<Case>,
    /// Parts of scenarios that several cases share, through YAML anchors.
    #[serde(default, rename = "shared")]
    _shared: serde::de::IgnoredAny,
}

/// A case: what a client has to do, why, and the scenario that shows whether it does.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Its number in the section.
    number: u32,
    /// The number of its section, filled in after reading.
    #[serde(skip)]
    section: u32,
    /// What the case is about, in a few words.
    pub title: String,
    /// How much it counts.
    pub level: Level,
    /// What a client must do.
    pub requirement: String,
    /// Where the protocol says so: sections of `docs/protocol.md`, or of `docs/protocol-motor.md` with an `m` before
    /// them: `m3.1`.
    pub source: String,
    /// What a client does that fails the case, and why that matters.
    pub matters: String,
    /// The readings that are judged; `None` if the case is only about what the client sends.
    #[serde(default)]
    compare: Option<Compare>,
    /// What may be carried in the case, if it does not matter what is: all, unless given.
    #[serde(default)]
    carriers: Option<Vec<Carrier>>,
    /// The longest payload that the client must accept, if the case is about replies of more than 512 bytes.
    #[serde(default)]
    pub longest: Option<usize>,
    /// Cases that a client must pass before this one can be judged.
    #[serde(default)]
    pub needs: Vec<Id>,
    /// Cases about something else that can fail this one too. If the client fails this case and one of them, its failure
    /// is told there, and this case is not judged.
    #[serde(default)]
    pub spoiled_by: Vec<Id>,
    /// Kinds of events that the hub's journal must not have.
    #[serde(default)]
    pub never: Vec<EventKind>,
    /// How often the client may connect.
    #[serde(default)]
    pub connections: Option<Between>,
    /// Whether a client that connects again after its device was away must log in again.
    #[serde(default)]
    pub logs_in_again: bool,
    /// How many requests the client sends.
    #[serde(default)]
    pub requests: Option<Between>,
    /// How many of the client's requests ask for what is carried.
    #[serde(default)]
    pub polls: Option<Between>,
    /// How many requests may wait for their replies at the same time.
    #[serde(default)]
    pub pending: Option<Between>,
    /// How soon after its login the client must send its first request.
    #[serde(default)]
    first_request_within: Option<Lasting>,
    /// How the client's process must end.
    #[serde(default)]
    pub exit: Exit,
    /// Whether the client must use little CPU time.
    #[serde(default)]
    pub calm: bool,
    /// What is judged of how the client drives a motor.
    #[serde(default)]
    pub drives: Vec<driving::Kind>,
    /// How the client comes to its end while it drives a motor, which must stop then.
    #[serde(default)]
    pub death: Option<Death>,
    /// A second tool or device that connects meanwhile.
    #[serde(default)]
    pub second: Option<Second>,
    /// The scenario, with placeholders if it does not matter what is carried.
    scenario: Value,
    /// The scenario, after it was read, for each carrier.
    #[serde(skip)]
    loaded: [OnceLock<Loaded>; Carrier::ALL.len()],
}

/// Readings that are judged.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compare {
    /// The reply that was read; `None` for that of the carrier.
    #[serde(deserialize_with = "command")]
    of: Option<CommandId>,
    /// The fields that must be right; other fields do not matter.
    pub fields: Fields,
    /// How many readings the client must print at least.
    #[serde(default = "one")]
    pub readings: usize,
    /// The number of the reply, counted from 1: the client must read this reply or a later one.
    #[serde(default)]
    pub reply: Option<usize>,
    /// Whether the case is about readings that tell of a reply again.
    #[serde(default)]
    pub once: bool,
}

/// The fields of a reading that are judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fields {
    /// Any of them: one right value shows that the reply arrived, and the values are the matter of other cases.
    Any,
    /// These.
    Named(Vec<String>),
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Word(String),
            Names(Vec<String>),
        }
        match Written::deserialize(deserializer)? {
            Written::Word(word) if word == "any" => Ok(Self::Any),
            Written::Word(word) => Err(serde::de::Error::custom(format!(
                "`{word}` is neither `any` nor a list of fields"
            ))),
            Written::Names(names) => Ok(Self::Named(names)),
        }
    }
}

/// Bounds for a count.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Between {
    /// At least.
    #[serde(default)]
    pub at_least: usize,
    /// At most.
    #[serde(default = "any_number")]
    pub at_most: usize,
}

/// How a client's process must end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exit {
    /// By itself, with any exit code.
    #[default]
    Any,
    /// With exit code 0: it did its task.
    Success,
    /// With an exit code other than 0: it could not do its task, and must report that.
    Failure,
}

/// How a client that drives a motor comes to its end.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Death {
    /// Of what.
    by: Cause,
    /// Of a signal: how long after the first command that drives the motor.
    #[serde(default)]
    at: Option<Lasting>,
}

/// What a client that drives a motor comes to its end of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Cause {
    /// The client's own process is killed, and no process that it started.
    #[serde(rename = "SIGKILL")]
    Kill,
    /// The client is told to end.
    #[serde(rename = "SIGTERM")]
    Term,
    /// Its task is over.
    #[serde(rename = "end")]
    End,
    /// It loses its link.
    #[serde(rename = "loss")]
    Loss,
}

/// A second tool or device that connects after the client is attached.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Second {
    /// How long after.
    at: Lasting,
    /// As what.
    #[serde(rename = "as")]
    pub role: Role,
}

/// What the second one connects as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A tool with the same login: the hub closes the client's connection.
    Tool,
    /// A device with the same id: the hub closes the earlier device and the client's connection.
    Device,
}

/// A duration as scenarios write it.
#[derive(Clone, Copy, Debug)]
struct Lasting(std::time::Duration);

impl<'de> Deserialize<'de> for Lasting {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let nanos = duration::parse_duration(&text).map_err(serde::de::Error::custom)?;
        Ok(Self(std::time::Duration::from_nanos(nanos)))
    }
}

fn command<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<CommandId>, D::Error> {
    let name = String::deserialize(deserializer)?;
    if name == "<reply>" {
        return Ok(None);
    }
    name.parse()
        .map(Some)
        .map_err(|error| serde::de::Error::custom(format!("{error}")))
}

fn one() -> usize {
    1
}

fn any_number() -> usize {
    usize::MAX
}

impl Second {
    /// What it sends to log in to the device, and when.
    pub(super) fn login(&self, target: Option<&Target>) -> run::Second {
        let id = target.map_or("", |target| &target.id);
        let password = target.and_then(|target| target.password.as_deref());
        let kind = match self.role {
            Role::Tool => LoginKind::Tool,
            Role::Device => LoginKind::Device,
        };
        run::Second {
            after: self.at.0,
            login: LoginLine::new(kind, id, password.unwrap_or_default()).encode(),
        }
    }
}

impl Death {
    /// The signal that the client gets, if it is to get one.
    pub(super) fn strike(self) -> Option<run::Strike> {
        let signal = match self.by {
            Cause::Kill => Blow::Kill,
            Cause::Term => Blow::Term,
            Cause::End | Cause::Loss => return None,
        };
        let after = self.at.map(|lasting| lasting.0).unwrap_or_default();
        Some(run::Strike { signal, after })
    }

    /// How the client came to its end, if it did so; `struck` is when it got its signal.
    pub(super) fn of(self, struck: Option<std::time::Duration>) -> Option<driving::Death> {
        match self.by {
            Cause::Kill => struck.map(driving::Death::Killed),
            Cause::Term => struck.map(driving::Death::Told),
            Cause::End => Some(driving::Death::Itself),
            Cause::Loss => Some(driving::Death::Lost),
        }
    }
}

impl Compare {
    /// The command of the reply that was read.
    #[must_use]
    pub fn of(&self, carrier: Carrier) -> CommandId {
        self.of.unwrap_or_else(|| carrier.reply())
    }

    /// The fields that must be right, if the case names them.
    #[must_use]
    pub fn named(&self) -> &[String] {
        match &self.fields {
            Fields::Any => &[],
            Fields::Named(names) => names,
        }
    }
}

impl Case {
    /// The readings that are judged.
    #[must_use]
    pub fn compare(&self) -> Option<&Compare> {
        self.compare.as_ref()
    }

    /// Whether it does not matter what is carried.
    #[must_use]
    pub fn is_carried(&self) -> bool {
        let ask = self
            .scenario
            .get("client")
            .and_then(|client| client.get("<ask>"));
        ask.is_some()
    }

    /// Whether the case can show anything with this carrier.
    #[must_use]
    pub fn takes(&self, carrier: Carrier) -> bool {
        let carriers = self.carriers.as_ref();
        !self.is_carried() || carriers.is_none_or(|carriers| carriers.contains(&carrier))
    }

    /// The name of the case.
    #[must_use]
    pub fn id(&self) -> Id {
        Id {
            section: self.section,
            number: self.number,
        }
    }

    /// The cases that a client must pass before this one can be judged, with the basis.
    pub fn needed(&self) -> impl Iterator<Item = Id> + '_ {
        let basis = (self.id() != BASIS).then_some(BASIS);
        basis.into_iter().chain(self.needs.iter().copied())
    }

    /// How soon after its login the client must send its first request.
    #[must_use]
    pub fn first_request_within(&self) -> Option<std::time::Duration> {
        self.first_request_within.map(|lasting| lasting.0)
    }

    /// The scenario as text, for `veschub-sim serve`.
    #[must_use]
    pub fn yaml(&self, carrier: Carrier) -> String {
        // A placeholder that does not exist stays, and then the scenario cannot be read.
        let scenario = carrier.fill(&self.scenario);
        let scenario = scenario.as_ref().unwrap_or(&self.scenario);
        let body = serde_yaml::to_string(scenario).unwrap_or_default();
        let about = serde_yaml::to_string(&self.title).unwrap_or_default();
        format!("version: 1\nabout: {about}{body}")
    }

    /// The scenario.
    ///
    /// # Errors
    /// If the scenario has a mistake, which a test rules out.
    pub fn load(&self, carrier: Carrier) -> Result<&Loaded, ScenarioError> {
        let [bms, motor, firmware] = &self.loaded;
        let place = match carrier {
            Carrier::Bms => bms,
            Carrier::Motor => motor,
            Carrier::Firmware => firmware,
        };
        if let Some(loaded) = place.get() {
            return Ok(loaded);
        }
        let loaded = Loaded::parse(&self.id().to_string(), &self.yaml(carrier))?;
        Ok(place.get_or_init(|| loaded))
    }
}

/// All sections in order.
///
/// # Errors
/// If a file has a mistake, which a test rules out.
pub fn sections() -> Result<&'static [Section], CatalogueError> {
    static SECTIONS: LazyLock<Result<Vec<Section>, CatalogueError>> = LazyLock::new(|| {
        let read = |&(file, text): &(&'static str, &str)| {
            let mut section: Section = serde_yaml::from_str(text).map_err(|error| {
                let message = error.to_string();
                CatalogueError::File { file, message }
            })?;
            for case in &mut section.cases {
                case.section = section.section;
            }
            Ok(section)
        };
        FILES.iter().map(read).collect()
    });
    SECTIONS.as_ref().map(Vec::as_slice).map_err(Clone::clone)
}

/// The case of this id.
///
/// # Errors
/// If there is none.
pub fn find(id: Id) -> Result<&'static Case, CatalogueError> {
    let cases = sections()?.iter().flat_map(|section| &section.cases);
    cases
        .into_iter()
        .find(|case| case.id() == id)
        .ok_or(CatalogueError::NoCase(id))
}

/// The cases, one a line, the id first.
#[must_use]
pub fn list(sections: &[Section], takes: impl Fn(&Case) -> bool) -> String {
    let mut out = String::new();
    for case in sections.iter().flat_map(|section| &section.cases) {
        if takes(case) {
            let (id, level) = (case.id().to_string(), case.level.word());
            let _ = writeln!(out, "{id:<5} {level:<6} {}", case.title);
        }
    }
    out
}
