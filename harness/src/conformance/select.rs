//! Which cases are run: named ones, a machine's share of them, those that failed the last time.

use std::{collections::BTreeSet, str::FromStr};

use super::catalogue::{Case, Id, sections};

/// A section or a case, as it is named on the command line: `2` or `2/12`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// All cases of a section.
    Section(u32),
    /// One case.
    Case(Id),
}

impl FromStr for Pick {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains('/') {
            return text.parse().map(Self::Case);
        }
        let number = text
            .parse()
            .map_err(|_| format!("`{text}` is no section and no case: write 2 or 2/12"))?;
        Ok(Self::Section(number))
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
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(number, of)| {
            Some(Self {
                number: number.parse().ok()?,
                of: of.parse().ok()?,
            })
        });
        numbers
            .filter(|shard| (1..=shard.of).contains(&shard.number))
            .ok_or_else(|| format!("`{text}` is no share: 1/3, 2/3 and 3/3 are all there is of 3"))
    }
}

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Sections and cases; all, if none is named.
    pub picks: Vec<Pick>,
    /// Only these, where they are also picked.
    pub only: Option<BTreeSet<Id>>,
    /// Only this share of what is left.
    pub shard: Option<Shard>,
}

/// The cases of a selection, in the order of the catalogue.
///
/// # Errors
/// If something is named that there is not.
pub fn select(selection: &Selection) -> Result<Vec<&'static Case>, String> {
    let all: Vec<&Case> = sections()?
        .iter()
        .flat_map(|section| &section.cases)
        .collect();
    let is_there = |pick: Pick| all.iter().any(|case| pick.takes(case.id()));
    for &pick in &selection.picks {
        if !is_there(pick) {
            let what = match pick {
                Pick::Section(number) => format!("section {number}"),
                Pick::Case(id) => format!("case {id}"),
            };
            return Err(format!("there is no {what}; --list tells which there are"));
        }
    }
    for &id in selection.only.iter().flatten() {
        if !is_there(Pick::Case(id)) {
            return Err(format!(
                "there is no case {id}; --list tells which there are"
            ));
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

/// Reads a list of cases, one a line; what stands behind an id is for people.
///
/// # Errors
/// With the line that is no case.
pub fn read_list(text: &str) -> Result<BTreeSet<Id>, String> {
    let lines = text.lines().enumerate();
    let named = lines.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    named
        .map(|(index, line)| {
            let word = line.split_whitespace().next().unwrap_or_default();
            word.parse()
                .map_err(|error| format!("line {}: {error}", index + 1))
        })
        .collect()
}
