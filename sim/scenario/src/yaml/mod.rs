//! Reads YAML into a tree of values, each with its place in the text.
//!
//! What cannot be bound safely is refused here, before anything is bound: too large, too deep, too often repeated,
//! twice the same key, more than one document, and tags.

mod problems;

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::ops::Range;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, Tag};

use crate::{
    code::Code,
    error::ScenarioError,
    source::{Entry, Kind, Node, NodeId, Source, Text, Tree},
};
use problems::not_yaml;

type Bytes = Range<usize>;

/// The largest scenario file, in bytes.
pub const MAX_BYTES: usize = 1024 * 1024;

/// How many lists and mappings may lie inside one another.
pub const MAX_DEPTH: usize = 64;

/// How many values all aliases of a file together may repeat.
pub(crate) const MAX_REPEATED: usize = 100_000;

/// Reads a text, or refuses what should not even be bound.
pub(crate) fn read(name: &str, text: &str) -> Result<Source, ScenarioError> {
    // Some editors mark UTF-8 with a character that is not seen and has no width.
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    if text.len() > MAX_BYTES {
        return Err(too_large(name, text.len()));
    }
    let bare = Source::new(name, text);
    if let Some((at, c)) = text.char_indices().find(|(_, c)| is_forbidden(*c)) {
        let message = format!("control character U+{:04X} is not allowed", u32::from(c));
        return Err(
            ScenarioError::new(&bare, Some(at..at + c.len_utf8()), message)
                .coded(Code::NotYaml)
                .label("not visible, but here")
                .help("remove it, or write it as an escape in double quotes"),
        );
    }
    let tree = read_tree(&bare)?;
    Ok(Source::with_tree(Text::new(name, text), tree))
}

/// A file with more bytes than are read.
pub(crate) fn too_large(name: &str, bytes: usize) -> ScenarioError {
    let message =
        format!("the file is too large: {bytes} bytes or more, at most {MAX_BYTES} are read");
    ScenarioError::new(&Source::new(name, ""), None, message)
        .coded(Code::TooMuch)
        .help("split it into several scenarios")
}

/// What YAML does not allow in plain sight, and what should not reach a terminal.
fn is_forbidden(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}' => true,
        c => c.is_control(),
    }
}

/// Reads the text once, to the end or to the first thing that is refused.
fn read_tree(source: &Source) -> Result<Tree, ScenarioError> {
    let mut builder = Builder {
        source,
        offsets: Offsets::new(source.text()),
        tree: Tree::default(),
        open: Vec::new(),
        anchors: HashMap::new(),
    };
    for event in Parser::new_from_str(source.text()) {
        let (event, span) = event.map_err(|error| builder.not_yaml(&error))?;
        builder.take(event, span)?;
    }
    let is_nothing = |root: &Node| {
        root.span.is_empty() && matches!(&root.kind, Kind::Scalar(text) if text.is_empty())
    };
    match builder.tree.root() {
        Some(root) if !is_nothing(root) => Ok(builder.tree),
        _ => Err(empty(source)),
    }
}

/// A document without a value in it.
fn empty(source: &Source) -> ScenarioError {
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
            Event::DocumentStart(_) if self.tree.root().is_some() => Err(self
                .error(span, "only one document is allowed in a file")
                .label("a second document starts here")
                .help("put it into a file of its own, or remove the `---`")),
            Event::Scalar(text, style, anchor, tag) => {
                self.check_tag(tag.as_deref(), &span)?;
                self.scalar(text.into_owned(), style == ScalarStyle::Plain, span, anchor)
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
        if self.tree.repeat(size) > MAX_REPEATED {
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
        let id = self.tree.push(node);
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
        let Some(parent) = self.open.last_mut() else {
            self.tree.set_root(id);
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
        let Some(tag) = tag else {
            return Ok(());
        };
        let is_core = tag.is_yaml_core_schema();
        let shown = match is_core {
            true => format!("!!{}", tag.suffix),
            false => tag.to_string(),
        };
        let error = self
            .error(
                span.clone(),
                format!("tag `{shown}` is not used in scenarios"),
            )
            .label("a YAML tag");
        Err(match (is_core, tag.suffix.as_str()) {
            (true, "str") => error.help("leave the tag out, and put quotes around the text"),
            (true, _) | (false, "") => error.help("leave the tag out"),
            (false, name) => error.help(format!("write the name as a key: `{name}: ...`")),
        })
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
