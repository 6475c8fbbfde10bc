//! What a case is called, and how much it counts.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name of a case: its section, and its number in the section: `2/12`. It never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    /// The section, from 1.
    pub section: u32,
    /// The number in the section, from 1.
    pub number: u32,
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.section, self.number)
    }
}

/// A text that is not the name of a case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a case: write a section and a number, as in 2/12")]
pub struct ParseIdError(String);

impl FromStr for Id {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let numbers = text.split_once('/').and_then(|(section, number)| {
            Some(Self {
                section: section.parse().ok()?,
                number: number.parse().ok()?,
            })
        });
        numbers.ok_or_else(|| ParseIdError(text.to_owned()))
    }
}

impl TryFrom<String> for Id {
    type Error = ParseIdError;

    fn try_from(text: String) -> Result<Self, ParseIdError> {
        text.parse()
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Id {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a case of a report is called: `2/12` of the battery, or a scenario by the name of its file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CaseName {
    /// A case of the battery.
    Numbered(Id),
    /// A scenario.
    Scenario(String),
}

impl CaseName {
    /// The section and the number, if it is a case of the battery.
    #[must_use]
    pub fn id(&self) -> Option<Id> {
        match self {
            Self::Numbered(id) => Some(*id),
            Self::Scenario(_) => None,
        }
    }

    /// The section, if it is a case of the battery.
    #[must_use]
    pub fn section(&self) -> Option<u32> {
        self.id().map(|id| id.section)
    }

    /// The name as a part of a link or of a file's name: `2-12`.
    #[must_use]
    pub fn slug(&self) -> String {
        let plain = |c: char| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '_' | '-' => c,
            _ => '-',
        };
        self.to_string().chars().map(plain).collect()
    }
}

impl PartialEq<Id> for CaseName {
    fn eq(&self, other: &Id) -> bool {
        matches!(self, Self::Numbered(id) if id == other)
    }
}

impl Default for CaseName {
    fn default() -> Self {
        Self::Scenario(String::new())
    }
}

impl From<Id> for CaseName {
    fn from(id: Id) -> Self {
        Self::Numbered(id)
    }
}

impl fmt::Display for CaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Numbered(id) => id.fmt(f),
            Self::Scenario(name) => f.write_str(name),
        }
    }
}

impl FromStr for CaseName {
    type Err = std::convert::Infallible;

    /// What does not look like `2/12` is the name of a scenario.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let scenario = || Self::Scenario(text.to_owned());
        Ok(text.parse().map_or_else(|_| scenario(), Self::Numbered))
    }
}

impl Serialize for CaseName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CaseName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let Ok(name) = text.parse();
        Ok(name)
    }
}

/// How much a case counts, in the words of RFC 2119.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// A client that fails it misreads or breaks a device that works as it should.
    #[default]
    Must,
    /// A client that fails it does not cope when something goes wrong, or harms others.
    Should,
    /// For information only; it never counts.
    May,
}

impl Level {
    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
            Self::May => "MAY",
        }
    }
}
