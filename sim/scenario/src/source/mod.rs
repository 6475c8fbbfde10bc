//! Reads a scenario's YAML and remembers where everything stands, so that any mistake can be pointed at.
//!
//! Knows YAML and serde, not what a scenario means: that is checked elsewhere, and its mistakes come back here as
//! [`Source::error_at`].

mod compose;
mod explain;
mod tree;

use std::fs;
use std::io::{ErrorKind, Read as _};
use std::ops::Range;
use std::path;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_yaml::with::singleton_map_recursive;

use super::code::Code;
use super::error::ScenarioError;
use tree::{Kind, Node, NodeId, Tree};

/// The largest scenario file, in bytes.
pub const MAX_BYTES: usize = 1024 * 1024;

/// How many lists and mappings may lie inside one another.
pub const MAX_DEPTH: usize = 64;

/// How many values all aliases of a file together may repeat.
pub(crate) const MAX_REPEATED: usize = 100_000;

/// Reads a scenario file, whose size is checked before its content is read.
pub(crate) fn read(path: &path::Path) -> Result<String, ScenarioError> {
    let source = Source::new(&path.display().to_string(), "");
    let refuse = |message: &str| ScenarioError::new(&source, None, message).coded(Code::Unreadable);
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => {
            refuse("no such file").help("check the path, which starts from the current directory")
        }
        ErrorKind::PermissionDenied => {
            refuse("the file may not be read").help("check its permissions")
        }
        _ => refuse(&format!("the file cannot be read: {error}")),
    };
    let about = fs::metadata(path).map_err(failed)?;
    if about.is_dir() {
        return Err(refuse("a directory is not a scenario").help("name a YAML file in it"));
    }
    if about.len() > MAX_BYTES as u64 {
        return Err(too_large(&source, about.len()));
    }
    // A pipe has no size, and a file may grow meanwhile.
    let mut bytes = Vec::new();
    let limit = MAX_BYTES as u64 + 1;
    fs::File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(failed)?;
    if bytes.len() > MAX_BYTES {
        return Err(too_large(&source, bytes.len() as u64));
    }
    String::from_utf8(bytes).map_err(|error| {
        not_utf8(
            source.name(),
            error.as_bytes(),
            error.utf8_error().valid_up_to(),
        )
    })
}

fn too_large(source: &Source, bytes: u64) -> ScenarioError {
    let message =
        format!("the file is too large: {bytes} bytes or more, at most {MAX_BYTES} are read");
    ScenarioError::new(source, None, message)
        .coded(Code::TooMuch)
        .help("split it into several scenarios")
}

fn not_utf8(name: &str, bytes: &[u8], valid: usize) -> ScenarioError {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return ScenarioError::new(
            &Source::new(name, ""),
            None,
            "the file is UTF-16, wanted UTF-8",
        )
        .coded(Code::Unreadable)
        .help("save it again with the encoding UTF-8");
    }
    let source = Source::new(name, &String::from_utf8_lossy(bytes));
    let byte = bytes.get(valid).copied().unwrap_or_default();
    let shown = '\u{FFFD}'.len_utf8();
    ScenarioError::new(
        &source,
        Some(valid..valid + shown),
        format!("the file is not UTF-8: byte 0x{byte:02x}"),
    )
    .coded(Code::Unreadable)
    .label("this character is in another encoding")
    .help("save the file again with the encoding UTF-8")
}

/// Reads a value out of YAML text, together with the place of everything in it.
///
/// `name` is what messages call the file. Enums are written as `name` or `name: value`. A custom error of a
/// `Deserialize` may carry help: lines that start with `help: `.
#[cfg(test)]
pub(crate) fn parse<T: DeserializeOwned>(
    name: &str,
    text: &str,
) -> Result<(T, Source), ScenarioError> {
    let source = Source::checked(name, text)?;
    Ok((bind(&source, source.text())?, source))
}

/// Like [`parse`], after what the text includes was read, from files below `folder`, and what `settings` say was
/// put in its place, each `path=value`.
pub(crate) fn parse_whole<T: DeserializeOwned>(
    name: &str,
    text: &str,
    folder: &path::Path,
    settings: &[String],
) -> Result<(T, Source), ScenarioError> {
    let main = Source::checked(name, text)?;
    if settings.is_empty() && !main.has(&Place::root().key(compose::INCLUDE)) {
        return Ok((bind(&main, main.text())?, main));
    }
    let (source, text) = compose::compose(&main, folder, settings)?;
    Ok((bind(&source, &text)?, source))
}

/// Reads a value out of text whose places `source` knows.
fn bind<T: DeserializeOwned>(source: &Source, text: &str) -> Result<T, ScenarioError> {
    let mut track = serde_path_to_error::Track::new();
    let yaml = serde_yaml::Deserializer::from_str(text);
    // The tracker sits below the enums, so that it sees the plain keys and indices that the text has.
    let tracked = serde_path_to_error::Deserializer::new(yaml, &mut track);
    singleton_map_recursive::deserialize(tracked)
        .map_err(|error| explain::explain(source, &track.path(), &error))
}

/// A scenario's text with its name and the place of every key and value.
///
/// What it includes and what was set stands behind the text, so that a place is one number for all of them.
#[derive(Clone, Debug)]
pub struct Source(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    text: String,
    parts: Vec<Part>,
    tree: Tree,
}

/// A file, or an option, in the text of a [`Source`].
#[derive(Clone, Debug)]
struct Part {
    name: String,
    range: Range<usize>,
}

/// What a place in the tree turned out to be.
struct Found<'a> {
    /// The key under which the value stands, unless it is an item or the whole document.
    key: Option<Range<usize>>,
    node: &'a Node,
    /// The last alias on the way.
    alias: Option<Range<usize>>,
    /// False if the place does not exist and this is the closest one around it.
    exact: bool,
}

impl Source {
    fn new(name: &str, text: &str) -> Self {
        Self::with_tree(name, text, Tree::default())
    }

    /// A file that is not read as a scenario.
    pub(super) fn without_text(name: &str) -> Self {
        Self::new(name, "")
    }

    fn with_tree(name: &str, text: &str, tree: Tree) -> Self {
        let parts = vec![Part {
            name: name.to_owned(),
            range: 0..text.len(),
        }];
        Self::with_parts(text.to_owned(), parts, tree)
    }

    fn with_parts(text: String, parts: Vec<Part>, tree: Tree) -> Self {
        Self(Arc::new(Inner { text, parts, tree }))
    }

    /// Refuses what should not even be bound.
    fn checked(name: &str, text: &str) -> Result<Self, ScenarioError> {
        // Some editors mark UTF-8 with a character that is not seen and has no width.
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        if text.len() > MAX_BYTES {
            return Err(too_large(&Self::new(name, ""), text.len() as u64));
        }
        let bare = Self::new(name, text);
        if let Some((at, c)) = text.char_indices().find(|(_, c)| is_forbidden(*c)) {
            let message = format!("control character U+{:04X} is not allowed", u32::from(c));
            return Err(
                ScenarioError::new(&bare, Some(at..at + c.len_utf8()), message)
                    .coded(Code::NotYaml)
                    .label("not visible, but here")
                    .help("remove it, or write it as an escape in double quotes"),
            );
        }
        let tree = Tree::read(&bare)?;
        Ok(Self::with_tree(name, text, tree))
    }

    /// The file's name, as it was given.
    pub fn name(&self) -> &str {
        self.part_at(0).0
    }

    /// The whole text; behind it, what it includes and what was set.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// Whether something is written down at a place.
    pub fn has(&self, place: &Place) -> bool {
        self.find(&place.steps).is_some_and(|found| found.exact)
    }

    /// Whether a place lies outside of the file itself: in what it includes, or in what was set.
    fn is_set(&self, place: &Place) -> bool {
        let end = self.0.parts.first().map_or(0, |part| part.range.end);
        self.span(place).is_some_and(|span| span.start > end)
    }

    /// The file that a byte lies in: its name, its text, and where in the whole text it starts.
    pub(super) fn part_at(&self, at: usize) -> (&str, &str, usize) {
        let parts = &self.0.parts;
        let behind = parts.partition_point(|part| part.range.start <= at);
        let Some(part) = parts.get(behind.saturating_sub(1)) else {
            return ("", "", 0);
        };
        let text = self.text().get(part.range.clone()).unwrap_or_default();
        (&part.name, text, part.range.start)
    }

    /// A mistake at a place; if the place was left out in the text, at the closest one around it.
    pub fn error_at(&self, place: impl Into<Place>, message: impl Into<String>) -> ScenarioError {
        let place = place.into();
        let error = ScenarioError::new(self, self.span(&place), message);
        let inside = if place.at_key {
            place
                .steps
                .split_last()
                .map_or(&[][..], |(_, around)| around)
        } else {
            &place.steps
        };
        match self.find(inside).and_then(|found| found.alias) {
            Some(alias) => error.also_at(alias, "repeated here"),
            None => error,
        }
    }

    /// Line and column of a place, counted from 1, the column in characters.
    pub fn position(&self, place: impl Into<Place>) -> Option<(usize, usize)> {
        Some(self.line_and_column(self.span(&place.into())?.start))
    }

    /// The bytes to point at for a place.
    pub(super) fn span(&self, place: &Place) -> Option<Range<usize>> {
        let found = self.find(&place.steps)?;
        let by_key = place.at_key || !found.exact;
        Some(self.pointer(&found, by_key))
    }

    fn pointer(&self, found: &Found<'_>, by_key: bool) -> Range<usize> {
        let value = &found.node.span;
        let awkward = value.is_empty()
            || self
                .text()
                .get(value.clone())
                .is_some_and(|text| text.contains('\n'));
        match (&found.key, &found.node.kind) {
            (Some(key), _) if by_key || awkward => key.clone(),
            (None, Kind::Mapping(entries)) if awkward => entries
                .first()
                .map_or(value, |entry| &entry.key_span)
                .clone(),
            _ => value.clone(),
        }
    }

    fn find(&self, steps: &[Step]) -> Option<Found<'_>> {
        let tree = &self.0.tree;
        let mut found = Found {
            key: None,
            node: tree.root()?,
            alias: None,
            exact: true,
        };
        for step in steps {
            let Some((key, id)) = step.take(found.node) else {
                found.exact = false;
                return Some(found);
            };
            let (written, node) = (tree.node(id)?, tree.resolved(id)?);
            if let Kind::Alias(_) = written.kind {
                found.alias = Some(written.span.clone());
            }
            found = Found { key, node, ..found };
        }
        Some(found)
    }

    /// The part of a range that lies on its first line, without blanks at the end.
    pub(super) fn first_line_of(&self, span: &Range<usize>) -> Range<usize> {
        let text = self.text().get(span.clone()).unwrap_or_default();
        let line = text.split('\n').next().unwrap_or_default().trim_end();
        span.start..span.start + line.len()
    }

    /// Line and column of a byte in its file, counted from 1, the column in characters.
    pub(super) fn line_and_column(&self, at: usize) -> (usize, usize) {
        let (_, text, start) = self.part_at(at);
        let before = text.get(..at - start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(start..).unwrap_or_default().chars().count() + 1;
        (line, column)
    }

    /// The byte at a line and a column, counted from 1, the column in characters.
    fn byte_at(&self, line: usize, column: usize) -> usize {
        let ends = self.text().match_indices('\n').map(|(at, _)| at + 1);
        let start = [0]
            .into_iter()
            .chain(ends)
            .nth(line.saturating_sub(1))
            .unwrap_or_else(|| self.text().len());
        let rest = self.text().get(start..).unwrap_or_default();
        let skipped: usize = rest
            .chars()
            .take(column.saturating_sub(1))
            .map(char::len_utf8)
            .sum();
        start + skipped
    }

    /// The line that a byte lies on, without its end.
    fn line_around(&self, at: usize) -> Range<usize> {
        let start = self
            .text()
            .get(..at)
            .and_then(|before| before.rfind('\n'))
            .map_or(0, |at| at + 1);
        let line = self
            .text()
            .get(start..)
            .and_then(|rest| rest.lines().next())
            .unwrap_or_default();
        start..start + line.trim_end().len()
    }
}

/// What YAML does not allow in plain sight, and what should not reach a terminal.
fn is_forbidden(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}' => true,
        c => c.is_control(),
    }
}

/// Where in a scenario: a path of keys and item numbers, and whether the key or the value is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    steps: Vec<Step>,
    at_key: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
    Only,
}

impl Place {
    /// The document as a whole.
    pub fn root() -> Self {
        Self::default()
    }

    /// Goes on to the value of a key.
    #[must_use]
    pub fn key(self, name: impl Into<String>) -> Self {
        self.step(Step::Name(name.into()))
    }

    /// Goes on to an item of a list, counted from 0.
    #[must_use]
    pub fn index(self, index: usize) -> Self {
        self.step(Step::Index(index))
    }

    /// Goes on to the value of the only key, whatever its name: what an enum holds in `- express: {...}`.
    #[must_use]
    pub fn only(self) -> Self {
        self.step(Step::Only)
    }

    /// Means the last key itself, not its value.
    #[must_use]
    pub fn at_key(mut self) -> Self {
        self.at_key = true;
        self
    }

    fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

impl Step {
    fn take(&self, node: &Node) -> Option<(Option<Range<usize>>, NodeId)> {
        match (&node.kind, self) {
            (Kind::Mapping(entries), Self::Name(name)) => {
                let entry = entries.iter().find(|entry| entry.key == *name)?;
                Some((Some(entry.key_span.clone()), entry.value))
            }
            (Kind::Mapping(entries), Self::Only) => {
                let entry = entries.first()?;
                Some((Some(entry.key_span.clone()), entry.value))
            }
            (Kind::Sequence(items), Self::Index(index)) => Some((None, *items.get(*index)?)),
            (Kind::Sequence(items), Self::Name(name)) => {
                Some((None, *items.get(name.parse::<usize>().ok()?)?))
            }
            _ => None,
        }
    }
}

impl From<&Self> for Place {
    fn from(place: &Self) -> Self {
        place.clone()
    }
}

/// Keys, and item numbers from 0, as plain words: `&["devices", "1", "express", "id"]`.
impl From<&[&str]> for Place {
    fn from(words: &[&str]) -> Self {
        let steps = words
            .iter()
            .map(|word| Step::Name((*word).to_owned()))
            .collect();
        Self {
            steps,
            at_key: false,
        }
    }
}

/// Keys, and item numbers from 0, as plain words: `&["devices", "1", "express", "id"]`.
impl<const N: usize> From<&[&str; N]> for Place {
    fn from(words: &[&str; N]) -> Self {
        Self::from(words.as_slice())
    }
}

#[cfg(test)]
mod tests;
