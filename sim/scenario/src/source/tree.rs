//! Where every key and value of a YAML text stands. Holds places, no values: those come from serde.
//!
//! What cannot be bound safely is refused here, before anything is bound: too deep, too often repeated, twice the same
//! key, more than one document.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::ops::Range;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, Tag};

use super::{MAX_DEPTH, MAX_REPEATED, Source};
use crate::code::Code;
use crate::error::ScenarioError;

type Bytes = Range<usize>;

/// A node's place in the list of nodes.
pub(super) type NodeId = usize;

/// All nodes of one document, each with its place in the text.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    root: Option<NodeId>,
    /// How many values the aliases repeat.
    repeated: usize,
}

/// One value with its place in the text.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) span: Bytes,
    pub(super) kind: Kind,
    /// Whether it is a text without quotes, which may stand for a number, a flag or nothing.
    pub(super) plain: bool,
    /// How many nodes this one stands for once aliases are followed.
    size: usize,
    /// How many levels lie in it once aliases are followed.
    height: usize,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Scalar(String),
    Sequence(Vec<NodeId>),
    Mapping(Vec<Entry>),
    Alias(NodeId),
}

/// One key of a mapping and its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_span: Bytes,
    pub(super) value: NodeId,
}

impl Tree {
    /// Reads the text once, to the end or to the first thing that is refused.
    pub(super) fn read(source: &Source) -> Result<Self, ScenarioError> {
        let mut builder = Builder {
            source,
            offsets: Offsets::new(source.text()),
            tree: Self::default(),
            open: Vec::new(),
            anchors: HashMap::new(),
        };
        for event in Parser::new_from_str(source.text()) {
            let (event, span) = event.map_err(|error| builder.not_yaml(&error))?;
            builder.take(event, span)?;
        }
        match builder.tree.root {
            Some(root) if !builder.tree.is_nothing(root) => Ok(builder.tree),
            _ => Err(empty(source)),
        }
    }

    /// The document's outermost value, aliases followed.
    pub(super) fn root(&self) -> Option<&Node> {
        self.node(self.root?)
    }

    /// A node as it stands in the text.
    pub(super) fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id)
    }

    /// A node, or the one that it repeats.
    pub(super) fn resolved(&self, id: NodeId) -> Option<&Node> {
        let node = self.node(id)?;
        match node.kind {
            Kind::Alias(target) => self.node(target),
            _ => Some(node),
        }
    }

    /// Takes in another tree whose text starts at a byte of the whole text, and says which node was its root.
    pub(super) fn append(&mut self, other: &Self, start: usize) -> Option<NodeId> {
        let base = self.nodes.len();
        let shift = |span: &Bytes| span.start + start..span.end + start;
        for node in &other.nodes {
            let kind = match &node.kind {
                Kind::Scalar(text) => Kind::Scalar(text.clone()),
                Kind::Alias(target) => Kind::Alias(base + target),
                Kind::Sequence(items) => {
                    Kind::Sequence(items.iter().map(|item| base + item).collect())
                }
                Kind::Mapping(entries) => {
                    let shifted = entries.iter().map(|entry| Entry {
                        key: entry.key.clone(),
                        key_span: shift(&entry.key_span),
                        value: base + entry.value,
                    });
                    Kind::Mapping(shifted.collect())
                }
            };
            self.nodes.push(Node {
                span: shift(&node.span),
                kind,
                ..*node
            });
        }
        self.repeated = self.repeated.saturating_add(other.repeated);
        Some(base + other.root?)
    }

    /// Adds a node that was made of others.
    pub(super) fn add(&mut self, span: Bytes, kind: Kind) -> NodeId {
        let children: Vec<NodeId> = match &kind {
            Kind::Scalar(_) => Vec::new(),
            Kind::Alias(target) => vec![*target],
            Kind::Sequence(items) => items.clone(),
            Kind::Mapping(entries) => entries.iter().map(|entry| entry.value).collect(),
        };
        let children = children.into_iter().filter_map(|id| self.node(id));
        let (size, height) = children.fold((1_usize, 0), |(size, height), child| {
            (size.saturating_add(child.size), height.max(child.height))
        });
        let is_leaf = matches!(kind, Kind::Scalar(_));
        self.nodes.push(Node {
            span,
            kind,
            plain: is_leaf,
            size,
            height: if is_leaf { 0 } else { height + 1 },
        });
        self.nodes.len() - 1
    }

    /// Makes a node the outermost one.
    pub(super) fn set_root(&mut self, root: NodeId) {
        self.root = Some(root);
    }

    /// How many levels lie in the document, and how many values its aliases repeat.
    pub(super) fn extent(&self) -> (usize, usize) {
        (self.root().map_or(0, |root| root.height), self.repeated)
    }

    fn is_nothing(&self, id: NodeId) -> bool {
        self.node(id).is_some_and(|node| {
            node.span.is_empty() && matches!(&node.kind, Kind::Scalar(text) if text.is_empty())
        })
    }
}

/// A document without a value in it.
pub(super) fn empty(source: &Source) -> ScenarioError {
    ScenarioError::new(source, Some(0..0), "the file is empty")
        .coded(Code::NotYaml)
        .help("a scenario starts with `version: 1`")
}

/// The parser counts characters, everything else counts bytes.
struct Offsets(Option<Vec<usize>>);

impl Offsets {
    fn new(text: &str) -> Self {
        let table = || {
            text.char_indices()
                .map(|(at, _)| at)
                .chain([text.len()])
                .collect()
        };
        Self((!text.is_ascii()).then(table))
    }

    fn byte(&self, marker: &Marker) -> usize {
        match &self.0 {
            Some(table) => table
                .get(marker.index())
                .or_else(|| table.last())
                .copied()
                .unwrap_or_default(),
            None => marker.index(),
        }
    }
}

/// A list or a mapping whose end has not been read yet.
struct Open {
    span: Bytes,
    flow: bool,
    anchor: usize,
    size: usize,
    height: usize,
    content: Content,
}

enum Content {
    Sequence(Vec<NodeId>),
    Mapping {
        entries: Vec<Entry>,
        seen: HashMap<String, Bytes>,
        key: Option<(String, Bytes)>,
    },
}

struct Builder<'a> {
    source: &'a Source,
    offsets: Offsets,
    tree: Tree,
    open: Vec<Open>,
    anchors: HashMap<usize, NodeId>,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), ScenarioError> {
        let span = self.offsets.byte(&span.start)..self.offsets.byte(&span.end);
        match event {
            Event::DocumentStart(_) if self.tree.root.is_some() => Err(self
                .error(span, "only one document is allowed in a file")
                .label("a second document starts here")
                .help("put it into a file of its own, or remove the `---`")),
            Event::Scalar(text, style, anchor, tag) => {
                self.check_tag(tag.as_deref(), &span)?;
                let plain = match tag {
                    Some(tag) => tag.suffix != "str",
                    None => style == ScalarStyle::Plain,
                };
                self.scalar(text.into_owned(), plain, span, anchor)
            }
            Event::Alias(anchor) => self.alias(anchor, span),
            Event::SequenceStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), &span)?;
                self.start(Content::Sequence(Vec::new()), span, anchor)
            }
            Event::MappingStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), &span)?;
                self.start(
                    Content::Mapping {
                        entries: Vec::new(),
                        seen: HashMap::new(),
                        key: None,
                    },
                    span,
                    anchor,
                )
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(&span),
            _ => Ok(()),
        }
    }

    fn scalar(
        &mut self,
        text: String,
        plain: bool,
        span: Bytes,
        anchor: usize,
    ) -> Result<(), ScenarioError> {
        if self.wants_key() {
            return self.key(text, span);
        }
        let node = Node {
            span,
            kind: Kind::Scalar(text),
            plain,
            size: 1,
            height: 0,
        };
        self.finish(node, anchor);
        Ok(())
    }

    fn wants_key(&self) -> bool {
        matches!(
            self.open.last(),
            Some(Open {
                content: Content::Mapping { key: None, .. },
                ..
            })
        )
    }

    fn key(&mut self, text: String, span: Bytes) -> Result<(), ScenarioError> {
        let Some(Open {
            content: Content::Mapping { seen, key, .. },
            ..
        }) = self.open.last_mut()
        else {
            return Ok(());
        };
        let first = match seen.entry(text.clone()) {
            Slot::Vacant(slot) => {
                slot.insert(span.clone());
                *key = Some((text, span));
                return Ok(());
            }
            Slot::Occupied(slot) => slot.get().clone(),
        };
        Err(self
            .error(span, format!("key `{text}` is given twice"))
            .label("given again here")
            .also_at(first, "first given here")
            .help("remove one of the two"))
    }

    fn alias(&mut self, anchor: usize, span: Bytes) -> Result<(), ScenarioError> {
        if self.wants_key() {
            return Err(self.odd_key(span));
        }
        let Some((target, node)) = self
            .anchors
            .get(&anchor)
            .and_then(|id| Some((*id, self.tree.node(*id)?)))
        else {
            return Err(self
                .error(
                    span,
                    "an alias stands inside the very value that it repeats",
                )
                .label("this would never end")
                .help("write the value out"));
        };
        let (size, height) = (node.size, node.height);
        self.tree.repeated = self.tree.repeated.saturating_add(size);
        if self.tree.repeated > MAX_REPEATED {
            return Err(self
                .error(
                    span,
                    format!("aliases repeat too much, more than {MAX_REPEATED} values"),
                )
                .coded(Code::TooMuch)
                .label("too much with this one")
                .help("write the values out, or repeat smaller ones"));
        }
        if self.open.len() + height > MAX_DEPTH {
            return Err(self.too_deep(span));
        }
        let node = Node {
            span,
            kind: Kind::Alias(target),
            plain: false,
            size,
            height,
        };
        self.finish(node, 0);
        Ok(())
    }

    fn start(&mut self, content: Content, span: Bytes, anchor: usize) -> Result<(), ScenarioError> {
        if self.wants_key() {
            return Err(self.odd_key(span));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(self.too_deep(span));
        }
        let written = self.source.text().get(span.clone()).unwrap_or_default();
        let value = without_properties(written);
        let flow = value.starts_with(['[', '{']);
        let start = if flow {
            span.end - value.len()
        } else {
            span.end
        };
        self.open.push(Open {
            span: start..span.end,
            flow,
            anchor,
            size: 1,
            height: 1,
            content,
        });
        Ok(())
    }

    fn end(&mut self, span: &Bytes) -> Result<(), ScenarioError> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let (first, last, kind) = match open.content {
            Content::Sequence(items) => (
                items.first().copied(),
                items.last().copied(),
                Kind::Sequence(items),
            ),
            Content::Mapping { entries, .. } => {
                let (first, last) = (
                    entries.first().map(|entry| entry.value),
                    entries.last().map(|entry| entry.value),
                );
                (first, last, Kind::Mapping(entries))
            }
        };
        let first_key = match &kind {
            Kind::Mapping(entries) => entries.first().map(|entry| entry.key_span.start),
            _ => None,
        };
        let child = |id: Option<NodeId>| {
            id.and_then(|id| self.tree.node(id))
                .map(|node| node.span.clone())
        };
        let span = if open.flow {
            open.span.start..span.end
        } else {
            // What the parser calls the start of a block may be an anchor's line.
            let start = first_key
                .or_else(|| Some(child(first)?.start))
                .unwrap_or(open.span.start);
            start
                ..child(last)
                    .map_or(open.span.end, |last| last.end)
                    .max(start)
        };
        self.finish(
            Node {
                span,
                kind,
                plain: false,
                size: open.size,
                height: open.height,
            },
            open.anchor,
        );
        Ok(())
    }

    /// Hands a complete value to the list or mapping that it stands in.
    fn finish(&mut self, node: Node, anchor: usize) {
        let (size, height) = (node.size, node.height);
        let id = self.tree.nodes.len();
        self.tree.nodes.push(node);
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
        let Some(parent) = self.open.last_mut() else {
            self.tree.root = Some(id);
            return;
        };
        parent.size = parent.size.saturating_add(size);
        parent.height = parent.height.max(height + 1);
        match &mut parent.content {
            Content::Sequence(items) => items.push(id),
            Content::Mapping { entries, key, .. } => {
                if let Some((key, key_span)) = key.take() {
                    entries.push(Entry {
                        key,
                        key_span,
                        value: id,
                    });
                }
            }
        }
    }

    fn check_tag(&self, tag: Option<&Tag>, span: &Bytes) -> Result<(), ScenarioError> {
        let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema()) else {
            return Ok(());
        };
        Err(self
            .error(
                span.clone(),
                format!("tag `{tag}` is not used in scenarios"),
            )
            .label("a YAML tag")
            .help(format!("write the name as a key: `{}: ...`", tag.suffix)))
    }

    fn odd_key(&self, span: Bytes) -> ScenarioError {
        self.error(span, "a key has to be a plain name")
            .label("not a name")
            .help("put quotes around it if it is one, or write it as `name: value`")
    }

    fn too_deep(&self, span: Bytes) -> ScenarioError {
        self.error(
            span,
            format!("nested too deeply, more than {MAX_DEPTH} levels"),
        )
        .coded(Code::TooMuch)
        .label("too deep here")
        .help("no scenario needs this; look for brackets that are opened and never closed")
    }

    fn error(&self, span: Bytes, message: impl Into<String>) -> ScenarioError {
        ScenarioError::new(self.source, Some(span), message).coded(Code::NotYaml)
    }

    fn not_yaml(&self, error: &ScanError) -> ScenarioError {
        let at = self.offsets.byte(error.marker());
        // The parser reads ahead within a line, so its own limit may come first.
        if error.info().contains("recursion limit") {
            return self.too_deep(at..at);
        }
        not_yaml(self.source, at, error.info())
    }
}

/// What a YAML parser says, what is meant by it, and what usually helps.
const PROBLEMS: [(&str, &str, &str); 19] = [
    (
        "expected node content",
        "a value is missing, or a bracket is closed by one of the other kind",
        "close every `[` with `]` and every `{` with `}`",
    ),
    (
        "mapping values are not allowed",
        "a `:` stands where no key can be",
        "put quotes around text with `: ` in it, and indent the line like its neighbours",
    ),
    (
        "simple key expect",
        "a key without a colon",
        "write `key: value`, with a space after the colon",
    ),
    (
        "valid YAML whitespace",
        "a colon without a space after it",
        "write `key: value`, with a space and no tab",
    ),
    (
        "unknown anchor",
        "no earlier value is marked with this name",
        "mark the value with `&name` before it is repeated",
    ),
    (
        "expected alphabetic or numeric",
        "this character cannot be part of an anchor's name",
        "use letters without accents, digits, `-` and `_`",
    ),
    (
        "incompatible YAML",
        "a version of YAML that is not known",
        "remove the `%YAML` line",
    ),
    (
        "unexpected character",
        "text cannot start with this character",
        "put quotes around the text",
    ),
    (
        "unexpected end of stream",
        "the quote is never closed",
        "add the closing quote",
    ),
    (
        "indentation in quoted scalar",
        "the quote is not closed, or its next line is not indented",
        "add the closing quote, or indent the lines that belong to the text",
    ),
    (
        "unknown escape",
        "a `\\` in double quotes starts an escape",
        "use single quotes, or write `\\\\`",
    ),
    (
        "after double-quoted",
        "more text after the closing quote",
        "put the whole text into one pair of quotes",
    ),
    (
        "<document start>",
        "the line belongs to nothing above it",
        "start every top-level key in the first column",
    ),
    (
        "expected key",
        "the line belongs to nothing above it",
        "indent it like the keys or items beside it",
    ),
    (
        "'-' indicator",
        "the line belongs to nothing above it",
        "indent it like the items above, and start it with `- `",
    ),
    (
        "block sequence entries",
        "a list cannot start in the middle of a line",
        "start the list in the next line",
    ),
    (
        "misplaced bracket",
        "a bracket closes what was never opened",
        "remove it, or put quotes around the text",
    ),
    (
        "',' or",
        "a bracket is not closed, or a comma is missing",
        "close every `[` and `{`, separate by commas",
    ),
    (
        "':' indicator",
        "a bracket is not closed, or a comma is missing",
        "close every `[` and `{`, separate by commas",
    ),
];

/// Removes an anchor or a tag before a value.
fn without_properties(text: &str) -> &str {
    let mut rest = text;
    while rest.starts_with(['&', '!']) {
        rest = rest
            .trim_start_matches(|c: char| !c.is_whitespace())
            .trim_start();
    }
    rest
}

/// Says that the text is no YAML, in better words than the parser's where there are some.
pub(super) fn not_yaml(source: &Source, at: usize, problem: &str) -> ScenarioError {
    let at = last_visible(source.text(), at);
    let width = source
        .text()
        .get(at..)
        .and_then(|rest| rest.chars().next())
        .map_or(0, char::len_utf8);
    let line = source.line_around(at);
    let refuse = |spot, problem: &str| {
        ScenarioError::new(source, Some(spot), format!("not valid YAML: {problem}"))
            .coded(Code::NotYaml)
    };
    let indent = line.start
        ..line.end
            - source
                .text()
                .get(line.clone())
                .map_or(0, |text| text.trim_start().len());
    if let Some(tab) = source
        .text()
        .get(indent.clone())
        .and_then(|indent| indent.find('\t'))
    {
        let tab = indent.start + tab;
        return refuse(tab..tab + 1, "a tab as indentation")
            .label("a tab")
            .help("indent with spaces");
    }
    let Some((_, meaning, help)) = PROBLEMS.iter().find(|(words, ..)| problem.contains(words))
    else {
        return refuse(at..at + width, problem).label("here");
    };
    let spot = if problem.contains("simple key") {
        indent.end..line.end
    } else {
        at..at + width
    };
    refuse(spot, meaning).label("here").help(*help)
}

/// Steps back from the end of the text or from an empty line to what was last written.
fn last_visible(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or(text);
    let rest = text.get(before.len()..).unwrap_or_default();
    let starts_line = before.is_empty() || before.ends_with('\n');
    if rest.trim_start_matches([' ', '\r']).starts_with('\n') && starts_line || rest.is_empty() {
        let seen = before.trim_end();
        return seen.char_indices().next_back().map_or(0, |(at, _)| at);
    }
    before.len()
}
