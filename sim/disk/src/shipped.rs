//! The scenarios and captures of this repository, which the programs bring along: what the documentation names as
//! `scenarios/...` can be played without a clone.
//!
//! A folder `scenarios` or `captures` in the current directory always comes first, even where it lacks the file.

use std::path::{Component, Path, PathBuf};

use include_dir::{Dir, include_dir};

static SCENARIOS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../scenarios");
static CAPTURES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../captures");

/// The folders, by the name that paths begin with.
static FOLDERS: [(&str, &Dir<'_>); 2] = [("scenarios", &SCENARIOS), ("captures", &CAPTURES)];

/// What lies at a path.
pub(crate) enum Shipped {
    /// A file and its bytes.
    File(&'static [u8]),
    /// A folder, with all files below it by their paths.
    Folder(Vec<PathBuf>),
}

/// What the program brings at a relative path that begins with one of its folders; `None` where the current directory
/// has a folder of that name.
pub(crate) fn find(path: &Path) -> Option<Shipped> {
    if path
        .components()
        .next()
        .is_some_and(|first| Path::new(&first).exists())
    {
        return None;
    }
    look_up(path)
}

/// The same, whatever the current directory has.
fn look_up(path: &Path) -> Option<Shipped> {
    let path = plain(path)?;
    let mut parts = path.components();
    let first = parts.next()?;
    let (name, folder) = FOLDERS
        .iter()
        .find(|(name, _)| first.as_os_str() == *name)?;
    let rest = parts.as_path();
    if let Some(file) = folder.get_file(rest) {
        return Some(Shipped::File(file.contents()));
    }
    let below = match rest.as_os_str().is_empty() {
        true => folder,
        false => folder.get_dir(rest)?,
    };
    let mut files = Vec::new();
    collect(below, Path::new(name), &mut files);
    files.sort();
    Some(Shipped::Folder(files))
}

fn collect(folder: &Dir<'_>, root: &Path, into: &mut Vec<PathBuf>) {
    into.extend(folder.files().map(|file| root.join(file.path())));
    for below in folder.dirs() {
        collect(below, root, into);
    }
}

/// A relative path without `.` and `..`; `None` for one that leads out of where it starts.
pub(crate) fn plain(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => plain.push(name),
            Component::CurDir => {}
            Component::ParentDir => {
                if !plain.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(path: &str) -> Option<&'static [u8]> {
        match look_up(Path::new(path))? {
            Shipped::File(bytes) => Some(bytes),
            Shipped::Folder(_) => None,
        }
    }

    #[test]
    fn a_file_is_found_by_every_way_to_write_its_path() {
        let scenario = bytes("scenarios/pack-of-20-cells.yaml");
        assert!(scenario.is_some());
        assert_eq!(
            bytes("./scenarios/common/../pack-of-20-cells.yaml"),
            scenario
        );
        let capture = "captures/vesctool-session-rebuilt.pcapng";
        assert_eq!(bytes(&format!("scenarios/../{capture}")), bytes(capture));
        assert!(bytes(capture).is_some());
    }

    #[test]
    fn what_is_not_brought_is_not_found() {
        for path in [
            "scenarios/none.yaml",
            "../scenarios/pack-of-20-cells.yaml",
            "/scenarios/pack-of-20-cells.yaml",
            "docs/README.md",
            "",
        ] {
            assert!(look_up(Path::new(path)).is_none(), "{path}");
        }
    }

    #[test]
    fn a_folder_names_every_file_below_it() {
        let Some(Shipped::Folder(files)) = look_up(Path::new("scenarios/")) else {
            panic!("no folder");
        };
        assert!(files.contains(&PathBuf::from("scenarios/pack-of-20-cells.yaml")));
        assert!(
            files
                .iter()
                .any(|file| file.starts_with("scenarios/common"))
        );
    }
}
