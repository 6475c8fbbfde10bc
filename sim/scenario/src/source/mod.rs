//! A scenario's text and the place of everything in it. Knows no mistakes: the module `error` points at places
//! that this finds.

mod place;
mod text;
mod tree;

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

pub use place::Place;
pub(crate) use place::Step;
pub(crate) use text::Text;
pub(crate) use tree::{Entry, Kind, Node, NodeId, Tree};

/// A scenario's text with its name and the place of every key and value.
///
/// What it includes and what was set stands behind the text, so that a place is one number for all of them.
#[derive(Clone, Debug)]
pub struct Source {
    text: Arc<Text>,
    tree: Arc<Tree>,
}

/// What a place in the tree turned out to be.
pub(crate) struct Found<'a> {
    /// The key under which the value stands, unless it is an item or the whole document.
    pub(crate) key: Option<Range<usize>>,
    pub(crate) node: &'a Node,
    /// The last alias on the way.
    pub(crate) alias: Option<Range<usize>>,
    /// False if the place does not exist and this is the closest one around it.
    pub(crate) exact: bool,
}

impl Source {
    /// A text in which no place is known.
    pub(crate) fn new(name: &str, text: &str) -> Self {
        Self::with_tree(Text::new(name, text), Tree::default())
    }

    pub(crate) fn with_tree(text: Text, tree: Tree) -> Self {
        Self {
            text: Arc::new(text),
            tree: Arc::new(tree),
        }
    }

    /// The same text with a document in which some values are left out.
    pub(crate) fn without(&self, dropped: &HashSet<NodeId>) -> Self {
        Self {
            text: Arc::clone(&self.text),
            tree: Arc::new(self.tree.without(dropped)),
        }
    }

    pub(crate) fn whole(&self) -> &Text {
        &self.text
    }

    pub(crate) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The file's name, as it was given.
    pub fn name(&self) -> &str {
        self.text.part_at(0).0
    }

    /// The whole text; behind it, what it includes and what was set.
    pub fn text(&self) -> &str {
        self.text.as_str()
    }

    /// Whether something is written down at a place.
    pub fn has(&self, place: &Place) -> bool {
        self.find(&place.steps).is_some_and(|found| found.exact)
    }

    /// Whether a place lies outside of the file itself: in what it includes, or in what was set.
    pub(crate) fn is_set(&self, place: &Place) -> bool {
        self.span(place)
            .is_some_and(|span| self.text.is_outside(span.start))
    }

    /// Line and column of a place, counted from 1, the column in characters.
    pub fn position(&self, place: impl Into<Place>) -> Option<(usize, usize)> {
        Some(self.text.line_and_column(self.span(&place.into())?.start))
    }

    /// The bytes to point at for a place.
    pub(crate) fn span(&self, place: &Place) -> Option<Range<usize>> {
        let found = self.find(&place.steps)?;
        let by_key = place.at_key || !found.exact;
        Some(self.pointer(&found, by_key))
    }

    fn pointer(&self, found: &Found<'_>, by_key: bool) -> Range<usize> {
        let value = &found.node.span;
        let text = self.text().get(value.clone());
        let awkward = value.is_empty() || text.is_some_and(|text| text.contains('\n'));
        match (&found.key, &found.node.kind) {
            (Some(key), _) if by_key || awkward => key.clone(),
            (None, Kind::Mapping(entries)) if awkward => entries
                .first()
                .map_or(value, |entry| &entry.key_span)
                .clone(),
            _ => value.clone(),
        }
    }

    pub(crate) fn find(&self, steps: &[Step]) -> Option<Found<'_>> {
        let mut found = Found {
            key: None,
            node: self.tree.root()?,
            alias: None,
            exact: true,
        };
        for step in steps {
            let Some((key, id)) = take(step, found.node) else {
                found.exact = false;
                return Some(found);
            };
            let (written, node) = (self.tree.node(id)?, self.tree.resolved(id)?);
            if let Kind::Alias(_) = written.kind {
                found.alias = Some(written.span.clone());
            }
            found = Found { key, node, ..found };
        }
        Some(found)
    }
}

/// One step down from a value: the key on the way, and the value that it leads to.
fn take(step: &Step, node: &Node) -> Option<(Option<Range<usize>>, NodeId)> {
    match (&node.kind, step) {
        (Kind::Mapping(entries), Step::Name(name)) => {
            let entry = entries.iter().find(|entry| entry.key == *name)?;
            Some((Some(entry.key_span.clone()), entry.value))
        }
        (Kind::Mapping(entries), Step::Only) => {
            let entry = entries.first()?;
            Some((Some(entry.key_span.clone()), entry.value))
        }
        (Kind::Sequence(items), Step::Index(index)) => Some((None, *items.get(*index)?)),
        (Kind::Sequence(items), Step::Name(name)) => {
            Some((None, *items.get(name.parse::<usize>().ok()?)?))
        }
        _ => None,
    }
}
