//! Binds a document to a type, and finds every value that does not fit.
//!
//! A value that cannot be bound is told and left out, and what is left is bound again, until it fits or nothing is
//! left.

mod de;
mod explain;
mod failure;
mod scalar;
mod units;

use std::collections::HashSet;

use serde::de::DeserializeOwned;

use crate::{
    error::{Broken, Mistakes},
    source::{Kind, NodeId, Source, Step},
    suggest::closest,
};
use de::Document;
use failure::{Failure, Problem};

/// What a document holds, as far as it can be bound.
pub(crate) struct Bound<T> {
    /// The value, without what does not fit; `None` if too little is left.
    pub(crate) value: Option<T>,
    /// The text and its document, without what does not fit.
    pub(crate) source: Source,
    /// What does not fit.
    pub(crate) mistakes: Mistakes,
    /// Where something does not fit.
    pub(crate) broken: Vec<Broken>,
}

/// Reads a value out of a document.
///
/// Enums are written as `name` or `name: value`. A custom error of a `Deserialize` may carry help: lines that start
/// with `help: `.
pub(crate) fn bind<T: DeserializeOwned>(source: &Source) -> Bound<T> {
    let mut dropped = HashSet::new();
    let mut mistakes = Mistakes::default();
    let mut broken = Vec::new();
    let value = loop {
        let document = Document {
            tree: source.tree(),
            dropped: &dropped,
        };
        let failure = match T::deserialize(document.root()) {
            Ok(value) => break Some(value),
            Err(failure) => failure,
        };
        let steps = failure.steps();
        if !follows_from(source, &steps, &failure, &dropped) {
            mistakes.push(explain::explain(source, &failure));
        }
        broken.extend(section(source, &steps, &failure.problem));
        match failure.drop {
            Some(value) if dropped.insert(value) && !mistakes.is_full() => {}
            _ => break None,
        }
    };
    let source = match dropped.is_empty() {
        true => source.clone(),
        false => source.without(&dropped),
    };
    Bound {
        value,
        source,
        mistakes,
        broken,
    }
}

/// Whether a key is missing only because it, or what was meant to be it, was left out.
fn follows_from(
    source: &Source,
    steps: &[Step],
    failure: &Failure,
    dropped: &HashSet<NodeId>,
) -> bool {
    let (Problem::MissingKey(name), Some(found)) = (&failure.problem, source.find(steps)) else {
        return false;
    };
    let Kind::Mapping(entries) = &found.node.kind else {
        return false;
    };
    let meant = |key: &str| key == "<<" || key == *name || closest(key, [*name]).is_some();
    entries
        .iter()
        .any(|entry| dropped.contains(&entry.value) && meant(&entry.key))
}

/// The item or value below a top-level key that a place lies in.
fn section(source: &Source, steps: &[Step], problem: &Problem) -> Option<Broken> {
    let key = match (steps.first(), problem) {
        (Some(Step::Name(key)), _) => key,
        // A misspelt section is missing, whatever is found in it.
        (None, Problem::UnknownKey { name, allowed }) => {
            let section = closest(name, allowed.iter().copied()).unwrap_or(name);
            return Some(Broken {
                section: section.to_owned(),
                span: 0..0,
            });
        }
        _ => return None,
    };
    let depth = match steps.get(1) {
        Some(Step::Index(_)) => 2,
        _ => 1,
    };
    let span = source.find(steps.get(..depth)?)?.node.span.clone();
    let section = key.clone();
    Some(Broken { section, span })
}

#[cfg(test)]
mod tests;
