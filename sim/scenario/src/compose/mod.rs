//! One scenario out of several texts: what a file includes, and what was set on the command line.
//!
//! ```text
//!  included file < included file < the file itself < --set < --set        (the later one wins)
//! ```
//!
//! Mappings are merged key by key, everything else is replaced as a whole. Every value keeps its place in the text
//! that it comes from, so that a mistake is shown there.

mod set;
#[cfg(test)]
mod tests;

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use crate::{
    code::Code,
    error::ScenarioError,
    files::{Files, read_text},
    source::{Entry, Kind, NodeId, Place, Source, Text, Tree},
    yaml::{self, MAX_BYTES, MAX_DEPTH, MAX_REPEATED},
};

/// The key that names the files to include.
const INCLUDE: &str = "include";

/// The key whose value is one of several kinds, so that two kinds cannot be merged.
const CHOICE: &str = "client";

/// How deep files may include one another.
const MAX_INCLUDES: usize = 8;

/// How many files may be read for one scenario.
const MAX_FILES: usize = 64;

/// Puts together what a file includes, the file itself, and the settings, each `path=value`.
pub(crate) fn compose(
    main: Source,
    folder: &Path,
    settings: &[String],
    files: &dyn Files,
) -> Result<Source, ScenarioError> {
    if settings.is_empty() && !main.has(&Place::root().key(INCLUDE)) {
        return Ok(main);
    }
    let mut composer = Composer {
        files,
        text: Text::default(),
        tree: Tree::default(),
    };
    let file = File {
        chain: vec![files.identity(Path::new(main.name()))],
        source: main,
        folder: folder.to_owned(),
    };
    let mut root = composer.file(&file)?;
    for setting in settings {
        root = composer.set(root, setting)?;
    }
    composer.tree.set_root(root);
    let source = Source::with_tree(composer.text, composer.tree);
    check_extent(&source)?;
    Ok(source)
}

fn check_extent(source: &Source) -> Result<(), ScenarioError> {
    let (height, repeated) = source.tree().extent();
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

struct Composer<'a> {
    files: &'a dyn Files,
    text: Text,
    tree: Tree,
}

impl Composer<'_> {
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
        let start = self.text.push(source.name(), source.text());
        let root = self.tree.append(source.tree(), start);
        root.unwrap_or_else(|| self.tree.add(start..start, Kind::Scalar(String::new())))
    }

    /// Reads a file that another one includes.
    fn open(&self, file: &File, path: &str, at: Range<usize>) -> Result<File, ScenarioError> {
        let refuse = |message: String| {
            ScenarioError::new(&file.source, Some(at.clone()), message).coded(Code::BadInclude)
        };
        let full = file.folder.join(path);
        let itself = self.files.identity(&full);
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
        if self.text.parts() >= MAX_FILES {
            return Err(refuse(format!("more than {MAX_FILES} files are included")));
        }
        let text = read_text(self.files, &full).map_err(|error| {
            let message = format!("cannot include `{path}`: {}", error.message());
            refuse(message).help("the path starts at the folder of this file")
        })?;
        if self.text.as_str().len() + text.len() > MAX_BYTES {
            let message = format!("all files together are too large, more than {MAX_BYTES} bytes");
            return Err(refuse(message).coded(Code::TooMuch));
        }
        let source = yaml::read(&full.display().to_string(), &text)?;
        if !matches!(source.tree().root(), Some(root) if matches!(root.kind, Kind::Mapping(_))) {
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
}

/// What a file includes, each with its place.
fn included(source: &Source) -> Result<Vec<(String, Range<usize>)>, ScenarioError> {
    let tree = source.tree();
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
