//! Selects the cases to run: those that the user names, a share of them, or those that failed the last time.

use std::{collections::BTreeSet, str::FromStr};

use super::catalogue::{Case, CatalogueError, Id, ParseIdError, sections};

/// Why cases cannot be selected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectError {
    /// A word names neither a section nor a case.
    #[error("`{0}` is neither a section nor a case: write 2 or 2/12")]
    Pick(String),
    /// A word does not name a case.
    #[error(transparent)]
    Id(#[from] ParseIdError),
    /// A word does not name a share.
    #[error("`{0}` is not a share: of 3 shares, there are 1/3, 2/3 and 3/3")]
    Shard(String),
    /// There is no such section.
    #[error("there is no section {0}; --list prints all cases")]
    NoSection(u32),
    /// There is no such case, or the cases have a mistake.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// A line of a list does not start with a case.
    #[error("line {line}: {error}")]
    Line {
        /// The number of the line, counted from 1.
        line: usize,
        /// What is wrong with it.
        error: ParseIdError,
    },
}

/// A section or a case, as it is named on the command line: `2` or `2/12`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// All cases of a section.
    Section(u32),
    /// One case.
    Case(Id),
}

impl FromStr for Pick {
    type Err = SelectError;

    fn from_str(text: &str) -> Result<Self, SelectError> {
        if text.contains('/') {
            return Ok(Self::Case(text.parse()?));
        }
        let number = text.parse();
        number
            .map(Self::Section)
            .map_err(|_| SelectError::Pick(text.to_owned()))
    }
}

impl Pick {
    fn takes(self, id: Id) -> bool {
        match self {
            Self::Section(section) => id.section == section,
            Self::Case(case) => id == case,
        }
    }
}

/// One share of several: `2/3` is the second of three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    number: usize,
    of: usize,
}

impl FromStr for Shard {
    type Err = SelectError;

    fn from_str(text: &str) -> Result<Self, SelectError> {
        let numbers = text.split_once('/').and_then(|(number, of)| {
            Some(Self {
                number: number.parse().ok()?,
                of: of.parse().ok()?,
            })
        });
        numbers
            .filter(|shard| (1..=shard.of).contains(&shard.number))
            .ok_or_else(|| SelectError::Shard(text.to_owned()))
    }
}

/// What the user asked for.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Sections and cases; empty means all.
    pub picks: Vec<Pick>,
    /// Only these, where they are also picked.
    pub only: Option<BTreeSet<Id>>,
    /// Only this share of what is left.
    pub shard: Option<Shard>,
}

/// The cases of a selection, in the order of the catalogue.
///
/// # Errors
/// If there is no such section or case.
pub fn select(selection: &Selection) -> Result<Vec<&'static Case>, SelectError> {
    let all: Vec<&Case> = sections()?
        .iter()
        .flat_map(|section| &section.cases)
        .collect();
    let is_there = |pick: Pick| all.iter().any(|case| pick.takes(case.id()));
    for &pick in &selection.picks {
        if !is_there(pick) {
            return Err(match pick {
                Pick::Section(number) => SelectError::NoSection(number),
                Pick::Case(id) => CatalogueError::NoCase(id).into(),
            });
        }
    }
    for &id in selection.only.iter().flatten() {
        if !is_there(Pick::Case(id)) {
            return Err(CatalogueError::NoCase(id).into());
        }
    }
    let picked = all.into_iter().filter(|case| {
        let named =
            selection.picks.is_empty() || selection.picks.iter().any(|pick| pick.takes(case.id()));
        let only = selection.only.as_ref();
        named && only.is_none_or(|only| only.contains(&case.id()))
    });
    let Some(shard) = selection.shard else {
        return Ok(picked.collect());
    };
    let share = picked.skip(shard.number - 1).step_by(shard.of);
    Ok(share.collect())
}

/// Reads a list of cases, one a line; the text after an id is ignored.
///
/// # Errors
/// If a line does not start with a case; the message has its number.
pub fn read_list(text: &str) -> Result<BTreeSet<Id>, SelectError> {
    let lines = text.lines().enumerate();
    let named = lines.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    named
        .map(|(index, line)| {
            let word = line.split_whitespace().next().unwrap_or_default();
            let line = index + 1;
            word.parse()
                .map_err(|error| SelectError::Line { line, error })
        })
        .collect()
}
