//! Looking at a device, and setting its values, while it runs.

use serde::{Deserialize, Serialize};
use veschub_wire::Reply;

use crate::{
    duration::Duration,
    mistake::{Mistake, Mistakes, Step},
    suggest,
};

/// Who brought something: the scenario, or whoever steers the hub while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The scenario, from the start on.
    Scenario,
    /// Whoever steers the hub.
    Control,
}

/// A value that is set from now on, in the words of a scenario's `set`: `to` pins it, `from`, `to` and `over` ramp it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetCommand {
    /// The field, by its name in readings.
    pub field: String,
    /// Which element, for a list; the first is 0. Without it, all of them.
    #[serde(default)]
    pub item: Option<usize>,
    /// The value, or a ramp's last one.
    #[serde(default)]
    pub to: Option<f64>,
    /// A ramp's first value.
    #[serde(default)]
    pub from: Option<f64>,
    /// How long a ramp takes.
    #[serde(default)]
    pub over: Option<Duration>,
}

impl SetCommand {
    /// A value that stays the same from now on.
    #[must_use]
    pub fn pin(field: &str, item: Option<usize>, to: f64) -> Self {
        Self {
            field: field.to_owned(),
            item,
            to: Some(to),
            ..Self::default()
        }
    }

    /// What it does, in words: `pinned cell_voltages_v[3] to 3.1`.
    #[must_use]
    pub fn done(&self) -> String {
        let what = named(&self.field, self.item);
        let to = self.to.unwrap_or_default();
        match (self.from, self.over) {
            (Some(from), Some(over)) => format!("ramped {what} from {from} to {to} over {over}"),
            _ => format!("pinned {what} to {to}"),
        }
    }

    /// Refuses what says neither a value nor a ramp, and then what `check` finds wrong.
    pub(super) fn check(&self, check: impl FnOnce(&mut Mistakes)) -> Result<(), SetError> {
        let given = (self.to.is_some(), self.from.is_some(), self.over.is_some());
        if !matches!(given, (true, false, false) | (true, true, true)) {
            return Err(SetError::Wrong {
                key: None,
                message: "this says neither a value nor a ramp".to_owned(),
                help: Some("pin it with `to`, or ramp it with `from`, `to` and `over`".to_owned()),
            });
        }
        let mut mistakes = Mistakes::default();
        check(&mut mistakes);
        match mistakes.found().into_iter().next() {
            Some(mistake) => Err(mistake.into()),
            None => Ok(()),
        }
    }
}

/// Which values are released: without a field all, without an item the whole field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Release {
    /// The field, by its name in readings.
    pub field: Option<String>,
    /// Which element, as it was set.
    pub item: Option<usize>,
}

impl Release {
    /// What it does, in words.
    pub(crate) fn done(&self) -> String {
        match &self.field {
            Some(field) => format!("released {}", named(field, self.item)),
            None => "released all values".to_owned(),
        }
    }
}

/// A field with its item: `cell_voltages_v[3]`.
fn named(field: &str, item: Option<usize>) -> String {
    match item {
        Some(item) => format!("{field}[{item}]"),
        None => field.to_owned(),
    }
}

/// A value that is set, by whom, and to what at the moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pinned {
    /// The field, by its name in readings.
    pub field: &'static str,
    /// Which element; without it all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<usize>,
    /// What it is set to now; for a ramp, how far it is.
    pub to: f64,
    /// Who set it. What control sets wins.
    pub by: Origin,
}

/// What a device would tell now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// The reply to BMS_GET_VALUES, where it has a pack or has heard of one.
    pub bms: Option<Reply>,
    /// The replies to GET_VALUES and GET_VALUES_SETUP, as far as it has them.
    pub motor: Vec<Reply>,
    /// The values that are set.
    pub pinned: Vec<Pinned>,
}

/// What a device is.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct About {
    /// What kind of device: `express`, `motor`, `bms`, `replay`, `outside`, or `other`.
    pub kind: &'static str,
    /// Its firmware.
    pub firmware: Option<String>,
    /// The name of its hardware.
    pub hardware: Option<String>,
    /// Its CAN id.
    pub can_id: Option<u8>,
    /// What is on its CAN bus, its own second motor included.
    pub nodes: Vec<NodeAbout>,
}

impl About {
    /// A device of which no more is known than its kind.
    #[must_use]
    pub fn of_kind(kind: &'static str) -> Self {
        Self {
            kind,
            ..Self::default()
        }
    }
}

/// A node on a CAN bus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodeAbout {
    /// Its CAN id.
    pub can_id: u8,
    /// What kind of node: `motor` or `bms`.
    pub kind: &'static str,
    /// Its firmware.
    pub firmware: String,
    /// The name of its hardware.
    pub hardware: String,
}

/// Why a value is not set or released.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SetError {
    /// There is no such node.
    #[error("no node has the CAN id {can_id}{}", among(.known))]
    NoSuchNode {
        /// What was asked for.
        can_id: u8,
        /// The ids that there are.
        known: Vec<u8>,
    },
    /// It has no values that can be set.
    #[error("{who} has no values of its own that can be set{}", among(.nodes))]
    NothingToSet {
        /// Its firmware.
        who: String,
        /// The CAN ids of those behind it that have some.
        nodes: Vec<u8>,
    },
    /// There is no such field.
    #[error("no value is called `{name}`; {}", instead(.closest.as_ref(), .known))]
    NoSuchField {
        /// What was asked for.
        name: String,
        /// What was probably meant.
        closest: Option<&'static str>,
        /// The fields that there are.
        known: Vec<&'static str>,
    },
    /// Nobody has set it while the device ran.
    #[error("control has not set {0}; what a scenario sets stays")]
    NotSet(String),
    /// The value is wrong.
    #[error("{}{message}{}", .key.map(|key| format!("`{key}`: ")).unwrap_or_default(), .help.as_ref().map(|help| format!("; {help}")).unwrap_or_default())]
    Wrong {
        /// Which key is wrong, if it is one.
        key: Option<&'static str>,
        /// What is wrong.
        message: String,
        /// What to do.
        help: Option<String>,
    },
}

fn among(ids: &[u8]) -> String {
    let ids: Vec<String> = ids.iter().map(u8::to_string).collect();
    match ids.is_empty() {
        true => String::new(),
        false => format!("; `can_id` may be {}", ids.join(", ")),
    }
}

fn instead(closest: Option<&&'static str>, known: &[&'static str]) -> String {
    match closest {
        Some(closest) => format!("did you mean `{closest}`?"),
        None => format!("there are {}", known.join(", ")),
    }
}

impl SetError {
    /// No field has this name.
    pub(super) fn no_field(name: &str, known: &[&'static str]) -> Self {
        Self::NoSuchField {
            name: name.to_owned(),
            closest: suggest::closest(name, known.iter().copied())
                .and_then(|found| known.iter().copied().find(|name| *name == found)),
            known: known.to_vec(),
        }
    }

    /// There is nothing that could be set.
    pub(super) fn nothing(who: &str) -> Self {
        Self::NothingToSet {
            who: who.to_owned(),
            nodes: Vec::new(),
        }
    }
}

impl From<Mistake> for SetError {
    fn from(mistake: Mistake) -> Self {
        let key = mistake.path.iter().rev().find_map(|step| match step {
            Step::Key(key) => Some(*key),
            Step::Index(_) => None,
        });
        Self::Wrong {
            key,
            message: mistake.message,
            help: mistake.help,
        }
    }
}
