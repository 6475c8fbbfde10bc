//! Why a value could not be bound: what serde's hooks know, kept as data.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use crate::source::{NodeId, Step};

/// A value that could not be bound, and the way to it.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) problem: Problem,
    /// The way to the value, the last step first.
    back: Vec<Step>,
    /// Whether the key is meant that the last step leads to, and not its value.
    pub(super) at_key: bool,
    /// What has to be left out so that the rest can be bound; the whole document if it is not known.
    pub(super) drop: Option<NodeId>,
}

#[derive(Debug)]
pub(super) enum Problem {
    UnknownKey {
        name: String,
        allowed: &'static [&'static str],
    },
    UnknownName {
        name: String,
        allowed: &'static [&'static str],
    },
    MissingKey(&'static str),
    /// A key that was given under two of its names.
    TwoNames(&'static str),
    WrongValue(Wanted),
    WrongLength {
        wanted: Wanted,
        found: usize,
    },
    /// A kind is a mapping with one key, and this one has another number of them.
    NotOneName,
    /// A kind without parameters that was given some.
    ValueTooMuch,
    /// A kind that was given without its parameters.
    ValueMissing(Needs),
    /// A name that YAML takes for a number or a flag.
    NeedsQuotes,
    /// What a type of the language says itself: a line, and further ones that start with `help: `.
    Said(String),
}

/// What was wanted instead.
#[derive(Debug)]
pub(super) enum Wanted {
    Flag,
    /// A whole number in this range.
    Whole(i128, i128),
    Number,
    Text,
    Nothing,
    List,
    Items(usize),
    Mapping,
    Name,
    /// In the words of the type.
    Words(String),
}

/// What a kind cannot do without.
#[derive(Debug)]
pub(super) enum Needs {
    Nothing,
    Key(&'static str),
    Value,
}

impl Failure {
    pub(super) fn new(problem: Problem) -> Self {
        Self {
            problem,
            back: Vec::new(),
            at_key: false,
            drop: None,
        }
    }

    /// The way to the value, from the document's root on.
    pub(super) fn steps(&self) -> Vec<Step> {
        self.back.iter().rev().cloned().collect()
    }

    /// The failure seen from the list or mapping around the value.
    pub(super) fn inside(mut self, step: Step, value: NodeId) -> Self {
        self.drop.get_or_insert(value);
        self.within(step)
    }

    /// The failure seen from around the value, where the value cannot be left out alone.
    pub(super) fn within(mut self, step: Step) -> Self {
        self.back.push(step);
        self
    }

    /// A failure to read a key.
    pub(super) fn of_key(mut self, key: &str, value: NodeId) -> Self {
        self.drop = Some(value);
        // The mapping is meant where the key is named anyway.
        match self.problem {
            Problem::UnknownKey { .. } => self,
            _ => self.of_name(key),
        }
    }

    /// A failure to read the name of a kind.
    pub(super) fn of_name(mut self, name: &str) -> Self {
        self.at_key = true;
        self.within(Step::Name(name.to_owned()))
    }
}

impl de::Error for Failure {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(Problem::Said(message.to_string()))
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(Problem::WrongValue(Wanted::Words(expected.to_string())))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn invalid_length(found: usize, expected: &dyn Expected) -> Self {
        let wanted = Wanted::Words(expected.to_string());
        Self::new(Problem::WrongLength { wanted, found })
    }

    fn unknown_variant(name: &str, allowed: &'static [&'static str]) -> Self {
        let name = name.to_owned();
        Self::new(Problem::UnknownName { name, allowed })
    }

    fn unknown_field(name: &str, allowed: &'static [&'static str]) -> Self {
        let name = name.to_owned();
        Self::new(Problem::UnknownKey { name, allowed })
    }

    fn missing_field(name: &'static str) -> Self {
        Self::new(Problem::MissingKey(name))
    }

    fn duplicate_field(name: &'static str) -> Self {
        Self::new(Problem::TwoNames(name))
    }
}

/// For serde, which wants one; people read what `explain` makes of it.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.problem)
    }
}

impl std::error::Error for Failure {}
