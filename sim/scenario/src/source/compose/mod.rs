//! One scenario out of several texts: what a file includes, and what was set on the command line.
//!
//! ```text
//!  included file < included file < the file itself < --set < --set        (the later one wins)
//! ```
//!
//! Mappings are merged key by key, everything else is replaced as a whole. Every value keeps its place in the text
//! that it comes from, so that a mistake is shown there.

use std::{
    fmt::Write as _,
    ops::Range,
    path::{Path, PathBuf},
};

use super::{
    MAX_BYTES, MAX_DEPTH, MAX_REPEATED, Part, Source, read,
    tree::{Entry, Kind, NodeId, Tree},
};
use crate::{code::Code, error::ScenarioError};

/// The key that names the files to include.
pub(super) const INCLUDE: &str = "include";

/// The key whose value is one of several kinds, so that two kinds cannot be merged.
const CHOICE: &str = "client";

/// How deep files may include one another.
const MAX_INCLUDES: usize = 8;

/// How many files may be read for one scenario.
const MAX_FILES: usize = 64;

/// Puts together what a file includes, the file itself, and the settings, each `path=value`: the places of
/// everything in them, and a text that binds to the same values.
pub(super) fn compose(
    main: &Source,
    folder: &Path,
    settings: &[String],
) -> Result<(Source, String), ScenarioError> {
    let mut composer = Composer {
        text: String::new(),
        parts: Vec::new(),
        tree: Tree::default(),
    };
    let file = File {
        source: main.clone(),
        folder: folder.to_owned(),
        chain: vec![identity(Path::new(main.name()))],
    };
    let mut root = composer.file(&file)?;
    for setting in settings {
        root = composer.set(root, setting)?;
    }
    composer.tree.set_root(root);
    let source = Source::with_parts(composer.text, composer.parts, composer.tree);
    check_extent(&source)?;
    let mut text = String::new();
    write_node(&source.0.tree, root, &mut text);
    Ok((source, text))
}

fn check_extent(source: &Source) -> Result<(), ScenarioError> {
    let (height, repeated) = source.0.tree.extent();
    let refuse = |message: String| {
        let error = ScenarioError::new(source, None, message);
        Err(error.coded(Code::TooMuch))
    };
    if height > MAX_DEPTH {
        return refuse(format!("nested too deeply, more than {MAX_DEPTH} levels"));
    }
    if repeated > MAX_REPEATED {
        return refuse(format!(
            "aliases repeat too much, more than {MAX_REPEATED} values in all files"
        ));
    }
    Ok(())
}

/// A file that is being taken in.
struct File {
    source: Source,
    /// Where its own relative paths start.
    folder: PathBuf,
    /// The files that include it, the outermost first, and itself.
    chain: Vec<PathBuf>,
}

/// The same for every way to write a path, as far as the file exists.
fn identity(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

struct Composer {
    text: String,
    parts: Vec<Part>,
    tree: Tree,
}

impl Composer {
    /// Takes in a file and what it includes: the merged root.
    fn file(&mut self, file: &File) -> Result<NodeId, ScenarioError> {
        let own = self.part(&file.source);
        let mut merged: Option<NodeId> = None;
        for (path, at) in included(&file.source)? {
            let inner = self.open(file, &path, at)?;
            let root = self.file(&inner)?;
            merged = Some(match merged {
                Some(base) => self.merge(base, root),
                None => root,
            });
        }
        let Some(base) = merged else {
            return Ok(own);
        };
        let base = self.without(base, INCLUDE);
        Ok(self.merge(base, own))
    }

    /// Takes in a text: its root.
    fn part(&mut self, source: &Source) -> NodeId {
        let start = self.extend(source.name(), source.text());
        let root = self.tree.append(&source.0.tree, start);
        root.unwrap_or_else(|| self.tree.add(start..start, Kind::Scalar(String::new())))
    }

    fn extend(&mut self, name: &str, text: &str) -> usize {
        if !self.parts.is_empty() {
            self.text.push('\n');
        }
        let start = self.text.len();
        self.text.push_str(text);
        self.parts.push(Part {
            name: name.to_owned(),
            range: start..self.text.len(),
        });
        start
    }

    /// Reads a file that another one includes.
    fn open(&self, file: &File, path: &str, at: Range<usize>) -> Result<File, ScenarioError> {
        let refuse = |message: String| {
            ScenarioError::new(&file.source, Some(at.clone()), message).coded(Code::BadInclude)
        };
        let full = file.folder.join(path);
        let itself = identity(&full);
        if file.chain.contains(&itself) {
            let chain: Vec<String> = file
                .chain
                .iter()
                .chain([&itself])
                .map(|path| {
                    path.file_name()
                        .unwrap_or_default()
                        .to_string_lossy()
                        .into()
                })
                .collect();
            return Err(refuse(format!("`{path}` includes itself"))
                .label("closes the circle")
                .help(format!("the circle is {}", chain.join(" > "))));
        }
        if file.chain.len() > MAX_INCLUDES {
            return Err(refuse(format!(
                "files include one another more than {MAX_INCLUDES} deep"
            )));
        }
        if self.parts.len() >= MAX_FILES {
            return Err(refuse(format!("more than {MAX_FILES} files are included")));
        }
        let text = read(&full).map_err(|error| {
            let message = format!("cannot include `{path}`: {}", error.message());
            refuse(message).help("the path starts at the folder of this file")
        })?;
        if self.text.len() + text.len() > MAX_BYTES {
            let message = format!("all files together are too large, more than {MAX_BYTES} bytes");
            return Err(refuse(message).coded(Code::TooMuch));
        }
        let source = Source::checked(&full.display().to_string(), &text)?;
        if !matches!(source.0.tree.root(), Some(root) if matches!(root.kind, Kind::Mapping(_))) {
            return Err(refuse(format!("`{path}` holds no mapping"))
                .help("an included file has keys of a scenario, such as `quirks: [...]`"));
        }
        let mut chain = file.chain.clone();
        chain.push(itself);
        Ok(File {
            source,
            folder: full.parent().unwrap_or_else(|| Path::new("")).to_owned(),
            chain,
        })
    }

    /// A mapping without one of its keys.
    fn without(&mut self, id: NodeId, key: &str) -> NodeId {
        let Some(node) = self.tree.resolved(id) else {
            return id;
        };
        match &node.kind {
            Kind::Mapping(entries) if entries.iter().any(|entry| entry.key == key) => {
                let (span, mut entries) = (node.span.clone(), entries.clone());
                entries.retain(|entry| entry.key != key);
                self.tree.add(span, Kind::Mapping(entries))
            }
            _ => id,
        }
    }

    /// A value with another one laid over it.
    fn merge(&mut self, below: NodeId, above: NodeId) -> NodeId {
        let (Some(lower), Some(upper)) = (self.mapping(below), self.mapping(above)) else {
            return above;
        };
        let span = self.tree.node(above).map_or(0..0, |node| node.span.clone());
        let mut merged = lower;
        for entry in upper {
            let Some(index) = merged.iter().position(|other| other.key == entry.key) else {
                merged.push(entry);
                continue;
            };
            let value = if entry.key == CHOICE && !self.same_kind(merged[index].value, entry.value)
            {
                entry.value
            } else {
                self.merge(merged[index].value, entry.value)
            };
            merged[index] = Entry { value, ..entry };
        }
        self.tree.add(span, Kind::Mapping(merged))
    }

    /// Whether two mappings name the same kind: `read-bms: ...` and `read-bms: ...`.
    fn same_kind(&self, one: NodeId, other: NodeId) -> bool {
        let kind = |id| Some(self.mapping(id)?.first()?.key.clone());
        kind(one) == kind(other)
    }

    fn mapping(&self, id: NodeId) -> Option<Vec<Entry>> {
        match &self.tree.resolved(id)?.kind {
            Kind::Mapping(entries) => Some(entries.clone()),
            _ => None,
        }
    }

    /// The root with one value set: `path=value`.
    fn set(&mut self, root: NodeId, setting: &str) -> Result<NodeId, ScenarioError> {
        let (path, steps, value) = Setting::read(setting)?;
        if self.text.len() + setting.len() > MAX_BYTES {
            let source = Source::new(&path, setting);
            return Err(
                ScenarioError::new(&source, None, "all settings are too large")
                    .coded(Code::TooMuch),
            );
        }
        let option = Source::new(&path, setting);
        let start = self.extend(&path, setting);
        let value = self
            .tree
            .append(&value, start)
            .unwrap_or_else(|| self.tree.add(start..start, Kind::Scalar(String::new())));
        let mut setting = Setting {
            composer: self,
            option,
            start,
        };
        setting.replace(root, &steps, value, None)
    }
}

/// What a file includes, each with its place.
fn included(source: &Source) -> Result<Vec<(String, Range<usize>)>, ScenarioError> {
    let tree = &source.0.tree;
    let Some(Kind::Mapping(entries)) = tree.root().map(|root| &root.kind) else {
        return Ok(Vec::new());
    };
    let Some(entry) = entries.iter().find(|entry| entry.key == INCLUDE) else {
        return Ok(Vec::new());
    };
    let refuse = |span: Range<usize>| {
        Err(
            ScenarioError::new(source, Some(span), "`include` wants a list of file names")
                .coded(Code::BadInclude)
                .help("write `include: [common/pack.yaml]`"),
        )
    };
    let Some(Kind::Sequence(items)) = tree.resolved(entry.value).map(|node| &node.kind) else {
        return refuse(entry.key_span.clone());
    };
    let mut paths = Vec::new();
    for item in items {
        match tree.resolved(*item) {
            Some(node) => match &node.kind {
                Kind::Scalar(path) if !path.is_empty() => {
                    paths.push((path.clone(), node.span.clone()));
                }
                _ => return refuse(node.span.clone()),
            },
            None => return refuse(entry.key_span.clone()),
        }
    }
    Ok(paths)
}

/// One key or item number of a setting's path, and where in the option it stands.
struct Step {
    name: String,
    span: Range<usize>,
}

/// A setting that is being applied.
struct Setting<'a> {
    composer: &'a mut Composer,
    /// The option's text alone, for messages.
    option: Source,
    /// Where the option stands in the whole text.
    start: usize,
}

impl Setting<'_> {
    /// Splits `path=value`: what to call the option, the steps of the path, and the value.
    fn read(setting: &str) -> Result<(String, Vec<Step>, Tree), ScenarioError> {
        let refuse = |message: &str| {
            let option = Source::new("--set", setting);
            Err(ScenarioError::new(&option, Some(0..setting.len()), message)
                .coded(Code::BadOverride)
                .help("write `--set path=value`, e.g. `--set devices.0.express.bms.cells=12`"))
        };
        let Some((path, value)) = setting.split_once('=') else {
            return refuse("a `=` is missing");
        };
        let mut steps = Vec::new();
        let mut at = 0;
        for name in path.split('.') {
            if name.trim() != name || name.is_empty() {
                return refuse("the path has an empty step or a blank in it");
            }
            steps.push(Step {
                name: name.to_owned(),
                span: at..at + name.len(),
            });
            at += name.len() + 1;
        }
        let name = format!("--set {path}");
        // Blanks instead of the path keep the places right.
        let blanked = " ".repeat(at) + value;
        let option = Source::new(&name, setting);
        if value.trim().is_empty() {
            return refuse("a value is missing; write `null` for none, `''` for an empty text");
        }
        let value = Source::checked(&name, &blanked).map_err(|error| error.shown_in(&option))?;
        Ok((name, steps, value.0.tree.clone()))
    }

    /// A node with the value at the end of the steps replaced.
    fn replace(
        &mut self,
        id: NodeId,
        steps: &[Step],
        value: NodeId,
        owner: Option<&Step>,
    ) -> Result<NodeId, ScenarioError> {
        let Some((step, rest)) = steps.split_first() else {
            return Ok(value);
        };
        let node = self.composer.tree.resolved(id);
        let Some(node) = node.map(|node| (node.span.clone(), node.kind.clone())) else {
            return Ok(id);
        };
        let (span, kind) = node;
        match kind {
            Kind::Mapping(mut entries) => {
                let value = self.inside(&entries, step, rest, value)?;
                let key_span = self.start + step.span.start..self.start + step.span.end;
                match entries.iter_mut().find(|entry| entry.key == step.name) {
                    Some(entry) if rest.is_empty() => {
                        (entry.key_span, entry.value) = (key_span, value);
                    }
                    Some(entry) => entry.value = value,
                    None => entries.push(Entry {
                        key: step.name.clone(),
                        key_span,
                        value,
                    }),
                }
                Ok(self.composer.tree.add(span, Kind::Mapping(entries)))
            }
            Kind::Sequence(mut items) => {
                let index = self.item(step, items.len(), owner)?;
                let value = match items.get(index) {
                    Some(&item) => self.replace(item, rest, value, Some(step))?,
                    None => self.fresh(rest, value),
                };
                match items.get_mut(index) {
                    Some(item) => *item = value,
                    None => items.push(value),
                }
                Ok(self.composer.tree.add(span, Kind::Sequence(items)))
            }
            // A kind without a value, such as `session-reset`, is the same as one with an empty mapping.
            Kind::Scalar(text) if text == step.name || is_nothing(&text) => {
                Ok(self.fresh(steps, value))
            }
            _ => Err(self.refuse(
                step,
                format!(
                    "there is nothing inside of {}: it is a plain value",
                    named(owner)
                ),
            )),
        }
    }

    /// The value of a key with what lies further in it replaced.
    fn inside(
        &mut self,
        entries: &[Entry],
        step: &Step,
        rest: &[Step],
        value: NodeId,
    ) -> Result<NodeId, ScenarioError> {
        match entries.iter().find(|entry| entry.key == step.name) {
            Some(entry) => self.replace(entry.value, rest, value, Some(step)),
            None => Ok(self.fresh(rest, value)),
        }
    }

    /// The value inside of mappings that were not there before; what is unknown in them is found out when they are
    /// bound.
    fn fresh(&mut self, steps: &[Step], value: NodeId) -> NodeId {
        let start = self.start;
        steps.iter().rev().fold(value, |value, step| {
            let span = start + step.span.start..start + step.span.end;
            let kind = if step.name == "0" {
                Kind::Sequence(vec![value])
            } else {
                Kind::Mapping(vec![Entry {
                    key: step.name.clone(),
                    key_span: span.clone(),
                    value,
                }])
            };
            self.composer.tree.add(span, kind)
        })
    }

    /// The number of an item that exists, or of the one behind the last.
    fn item(
        &self,
        step: &Step,
        count: usize,
        owner: Option<&Step>,
    ) -> Result<usize, ScenarioError> {
        match step.name.parse::<usize>() {
            Ok(index) if index <= count => Ok(index),
            Ok(index) => {
                let message = format!("there is no item {index} in {}", named(owner));
                Err(self.refuse(step, message).help(match count {
                    0 => "the list is empty: 0 adds the first item".to_owned(),
                    1 => "its only item is 0, and 1 adds one".to_owned(),
                    _ => format!("its items are 0 to {}, and {count} adds one", count - 1),
                }))
            }
            Err(_) => {
                let message = format!("{} is a list, and `{}` no number", named(owner), step.name);
                Err(self
                    .refuse(step, message)
                    .help("write the number of an item, the first is 0"))
            }
        }
    }

    fn refuse(&self, step: &Step, message: impl Into<String>) -> ScenarioError {
        ScenarioError::new(&self.option, Some(step.span.clone()), message).coded(Code::BadOverride)
    }
}

fn named(owner: Option<&Step>) -> String {
    owner.map_or_else(|| "the file".to_owned(), |step| format!("`{}`", step.name))
}

fn is_nothing(text: &str) -> bool {
    matches!(text, "" | "~" | "null")
}

/// Writes a value on one line, so that it binds like the text that it comes from.
fn write_node(tree: &Tree, id: NodeId, out: &mut String) {
    let Some(node) = tree.resolved(id) else {
        return;
    };
    match &node.kind {
        Kind::Scalar(text) if node.plain && text.is_empty() => out.push_str("null"),
        Kind::Scalar(text) => write_scalar(text, node.plain, out),
        // An alias repeats a value, never another alias.
        Kind::Alias(_) => {}
        Kind::Sequence(items) => {
            out.push('[');
            for item in items {
                write_node(tree, *item, out);
                out.push_str(", ");
            }
            out.push(']');
        }
        Kind::Mapping(entries) => {
            out.push('{');
            for entry in entries {
                write_scalar(&entry.key, true, out);
                out.push_str(": ");
                write_node(tree, entry.value, out);
                out.push_str(", ");
            }
            out.push('}');
        }
    }
}

/// Numbers, flags and plain words stay as they are; everything else needs quotes on one line.
fn write_scalar(text: &str, plain: bool, out: &mut String) {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "._+-~".contains(c);
    if plain && !text.is_empty() && text.chars().all(is_word) {
        out.push_str(text);
    } else {
        out.push('"');
        for c in text.chars() {
            match c {
                '"' | '\\' => out.extend(['\\', c]),
                c if is_break_or_control(c) => {
                    let _ = write!(out, "\\u{:04x}", u32::from(c));
                }
                c => out.push(c),
            }
        }
        out.push('"');
    }
}

/// What YAML would not leave as it is inside of quotes.
fn is_break_or_control(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}'
        )
}

#[cfg(test)]
mod tests;
