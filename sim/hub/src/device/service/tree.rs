//! Files and directories in memory: what is on the memory card of an Express.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::mistake::Mistakes;

/// The most bytes that all files together have.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// The most files and directories.
const MAX_ENTRIES: usize = 1024;
/// The longest path.
const MAX_PATH: usize = 400;
/// How deep directories may be nested.
const MAX_DEPTH: usize = 16;

/// A file or a directory on the card, as a scenario describes it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FileSettings {
    /// Where it is, from the root: `log_can/notes.txt`. The directories on the way are made. A path that ends in `/` is a
    /// directory.
    pub path: String,
    /// What is in it.
    #[serde(default)]
    pub text: Option<String>,
    /// How many bytes are in it, which count up from 0, instead of a text.
    #[serde(default)]
    pub size: Option<usize>,
}

impl FileSettings {
    /// Looks for mistakes in a list of them.
    pub fn check_all(files: &[Self], mistakes: &mut Mistakes) {
        let mut seen = BTreeSet::new();
        for (index, file) in files.iter().enumerate() {
            mistakes.inside(index, |mistakes| file.check(&mut seen, mistakes));
        }
        let bytes = files.iter().map(Self::bytes).fold(0, usize::saturating_add);
        if bytes > MAX_BYTES || files.len() > MAX_ENTRIES / 2 {
            mistakes
                .add_here(format!(
                    "{} files of {bytes} bytes are too many",
                    files.len()
                ))
                .help(format!(
                    "up to {} files and {MAX_BYTES} bytes are wanted",
                    MAX_ENTRIES / 2
                ));
        }
    }

    fn check(&self, seen: &mut BTreeSet<Vec<u8>>, mistakes: &mut Mistakes) {
        match path_of(self.path.as_bytes()) {
            Some(path) if !path.is_empty() => {
                if !seen.insert(path) {
                    mistakes.add("path", "there is such a file already");
                }
            }
            _ => {
                mistakes
                    .add("path", format!("`{}` is no path", self.path))
                    .help("write names with `/` between them, from the root and without `..`");
            }
        }
        if self.text.is_some() && self.size.is_some() {
            mistakes.add("size", "a file has a text or a size, not both");
        }
        if self.is_directory() && (self.text.is_some() || self.size.is_some()) {
            mistakes.add(
                "path",
                "a path that ends in `/` is a directory, and nothing is in it yet",
            );
        }
    }

    fn is_directory(&self) -> bool {
        self.path.ends_with('/')
    }

    fn bytes(&self) -> usize {
        let text = self.text.as_ref().map(String::len);
        text.or(self.size).unwrap_or_default()
    }

    fn contents(&self) -> Vec<u8> {
        match (&self.text, self.size) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, Some(size)) => (0..size.min(MAX_BYTES)).map(|at| at as u8).collect(),
            (None, None) => Vec::new(),
        }
    }
}

/// Something in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) name: Vec<u8>,
    pub(super) is_directory: bool,
    /// Bytes in a file, entries in a directory.
    pub(super) size: usize,
}

/// A tree of files.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    /// What a file holds, by its path; nothing for a directory. The root is none of them.
    entries: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    bytes: usize,
}

/// A path with one `/` between names; none if it leaves the tree or is too long.
fn path_of(path: &[u8]) -> Option<Vec<u8>> {
    let names = path.split(|&byte| byte == b'/');
    let names: Vec<&[u8]> = names
        .filter(|name| !name.is_empty() && *name != b".")
        .collect();
    let is_fine = path.len() <= MAX_PATH
        && names.len() <= MAX_DEPTH
        && names
            .iter()
            .all(|name| *name != b".." && !name.contains(&0));
    is_fine.then(|| names.join(&b'/'))
}

fn parent_of(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|&byte| byte == b'/');
    &path[..end.unwrap_or(0)]
}

impl Tree {
    /// What a scenario puts on the card.
    pub(super) fn new(files: &[FileSettings]) -> Self {
        let mut tree = Self::default();
        for file in files {
            let Some(path) = path_of(file.path.as_bytes()) else {
                continue;
            };
            tree.make_all(match file.is_directory() {
                true => &path,
                false => parent_of(&path),
            });
            if !file.is_directory() && tree.create(&path) {
                tree.append(&path, &file.contents());
            }
        }
        tree
    }

    /// Makes a directory and those on the way to it.
    pub(super) fn make_all(&mut self, path: &[u8]) {
        for (at, _) in path.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
            self.make_directory(&path[..at]);
        }
        self.make_directory(path);
    }

    /// Makes a directory where there is nothing, in a directory; false if it cannot.
    pub(super) fn make_directory(&mut self, path: &[u8]) -> bool {
        let Some(path) = path_of(path) else {
            return false;
        };
        let can = !path.is_empty() && self.has_place(&path) && !self.entries.contains_key(&path);
        if can {
            self.entries.insert(path, None);
        }
        can
    }

    /// Makes an empty file, or empties the one there is; false if it cannot.
    pub(super) fn create(&mut self, path: &[u8]) -> bool {
        let Some(path) = path_of(path) else {
            return false;
        };
        let has_place = !path.is_empty() && self.has_place(&path);
        match self.entries.get_mut(&path) {
            Some(None) => false,
            Some(Some(data)) => {
                self.bytes -= data.len();
                data.clear();
                true
            }
            None => {
                if has_place {
                    self.entries.insert(path, Some(Vec::new()));
                }
                has_place
            }
        }
    }

    /// Writes at the end of a file; false, and nothing written, if there is none or the card is full.
    pub(super) fn append(&mut self, path: &[u8], data: &[u8]) -> bool {
        let file = path_of(path).and_then(|path| self.entries.get_mut(&path)?.as_mut());
        let Some(file) = file else {
            return false;
        };
        if self.bytes + data.len() > MAX_BYTES {
            return false;
        }
        self.bytes += data.len();
        file.extend_from_slice(data);
        true
    }

    /// What is in a file.
    pub(super) fn file(&self, path: &[u8]) -> Option<&[u8]> {
        self.entries.get(&path_of(path)?)?.as_deref()
    }

    /// Whether there is a file or a directory.
    pub(super) fn exists(&self, path: &[u8]) -> bool {
        path_of(path).is_some_and(|path| path.is_empty() || self.entries.contains_key(&path))
    }

    /// What is in a directory, by name; none if there is no such directory.
    pub(super) fn list(&self, path: &[u8]) -> Option<Vec<Listed>> {
        let path = path_of(path)?;
        if !path.is_empty() && self.entries.get(&path)?.is_some() {
            return None;
        }
        let listed = self.inside(&path).map(|(path, data)| Listed {
            name: path
                .rsplit(|&byte| byte == b'/')
                .next()
                .unwrap_or_default()
                .to_vec(),
            is_directory: data.is_none(),
            size: match data {
                Some(data) => data.len(),
                None => self.inside(path).count(),
            },
        });
        Some(listed.collect())
    }

    /// Removes a file, or a directory with all that is in it; false if there is none. The root is emptied and stays.
    pub(super) fn remove(&mut self, path: &[u8]) -> bool {
        let Some(path) = path_of(path) else {
            return false;
        };
        let is_there = self.entries.contains_key(&path);
        let mut freed = 0;
        self.entries.retain(|entry, data| {
            let rest = entry.strip_prefix(&path[..]);
            let goes = path.is_empty() || rest.is_some_and(|rest| matches!(rest, [] | [b'/', ..]));
            if goes {
                freed += data.as_ref().map_or(0, Vec::len);
            }
            !goes
        });
        self.bytes -= freed;
        is_there
    }

    /// Whether something new can be here.
    fn has_place(&self, path: &[u8]) -> bool {
        let parent = parent_of(path);
        let in_directory = parent.is_empty() || matches!(self.entries.get(parent), Some(None));
        in_directory && self.entries.len() < MAX_ENTRIES
    }

    /// What stands right in a directory.
    fn inside(&self, path: &[u8]) -> impl Iterator<Item = (&[u8], &Option<Vec<u8>>)> {
        let start = match path.is_empty() {
            true => Vec::new(),
            false => [path, b"/"].concat(),
        };
        let entries = self.entries.range(start.clone()..);
        entries
            .map(|(entry, data)| (&entry[..], data))
            .take_while({
                let start = start.clone();
                move |(entry, _)| entry.starts_with(&start)
            })
            .filter(move |(entry, _)| !entry[start.len()..].contains(&b'/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> FileSettings {
        FileSettings {
            path: path.to_owned(),
            text: Some(text.to_owned()),
            size: None,
        }
    }

    fn names(tree: &Tree, path: &str) -> Vec<(String, bool, usize)> {
        let listed = tree.list(path.as_bytes()).unwrap();
        let told = listed.into_iter().map(|listed| {
            let name = String::from_utf8(listed.name).unwrap();
            (name, listed.is_directory, listed.size)
        });
        told.collect()
    }

    #[test]
    fn a_scenario_fills_it_and_a_directory_tells_how_many_entries_it_has() {
        let tree = Tree::new(&[
            file("a/b/one.txt", "1"),
            file("a-b", "not in a"),
            file("a/two.txt", "22"),
            FileSettings {
                path: "empty/".to_owned(),
                ..FileSettings::default()
            },
        ]);
        let told = |name: &str, directory, size| (name.to_owned(), directory, size);
        assert_eq!(
            names(&tree, ""),
            [
                told("a", true, 2),
                told("a-b", false, 8),
                told("empty", true, 0)
            ]
        );
        assert_eq!(
            names(&tree, "/a/"),
            [told("b", true, 1), told("two.txt", false, 2)]
        );
        assert_eq!(tree.file(b"a//b/./one.txt"), Some(&b"1"[..]));
        assert!(tree.list(b"a-b").is_none() && tree.list(b"none").is_none());
        assert!(tree.list(b"a/..").is_none() && tree.file(b"a").is_none());
    }

    #[test]
    fn things_are_made_only_in_directories_and_removed_with_what_is_in_them() {
        let mut tree = Tree::new(&[file("a/one.txt", "1"), file("ab", "22")]);
        assert!(!tree.make_directory(b"x/y") && tree.make_directory(b"x"));
        assert!(!tree.make_directory(b"x") && tree.make_directory(b"x/y"));
        assert!(!tree.create(b"none/file") && !tree.create(b"a") && !tree.create(b"ab/file"));
        assert!(!tree.make_directory(b"") && !tree.create(b"/"));
        assert!(tree.remove(b"a") && !tree.remove(b"a"));
        assert!(tree.file(b"ab").is_some() && !tree.exists(b"a/one.txt"));
        assert_eq!(tree.bytes, 2);
        assert!(!tree.remove(b""));
        assert_eq!((tree.entries.len(), tree.bytes), (0, 0));
    }

    #[test]
    fn bytes_and_entries_are_bounded() {
        let mut tree = Tree::default();
        assert!(tree.create(b"big"));
        assert!(tree.append(b"big", &vec![0; MAX_BYTES]) && !tree.append(b"big", &[0]));
        assert!(tree.create(b"big") && tree.append(b"big", &[0]));
        for number in 0..2 * MAX_ENTRIES {
            tree.create(number.to_string().as_bytes());
        }
        assert_eq!(tree.entries.len(), MAX_ENTRIES);
        assert!(!tree.make_directory(b"one-more"));
        let long = vec![b'x'; MAX_PATH + 1];
        let deep = b"x/".repeat(MAX_DEPTH + 1);
        assert!(path_of(&long).is_none() && path_of(&deep).is_none());
    }

    #[test]
    fn mistakes_in_the_files_of_a_scenario_are_found() {
        let check = |files: &[FileSettings]| {
            let mut mistakes = Mistakes::default();
            FileSettings::check_all(files, &mut mistakes);
            mistakes.found().len()
        };
        assert_eq!(check(&[file("a", "1"), file("b", "2")]), 0);
        assert_eq!(check(&[file("a", "1"), file("/a", "2")]), 1);
        for path in ["", "../a", "a/"] {
            assert_eq!(check(&[file(path, "1")]), 1, "{path}");
        }
        let mut both = file("a", "1");
        both.size = Some(MAX_BYTES);
        assert_eq!(check(&[both]), 1);
    }
}
