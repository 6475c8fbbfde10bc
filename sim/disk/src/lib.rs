//! The disk: scenarios with the files that they name and the devices inferred from recordings; and files that are written
//! as a whole. Where there is no folder `scenarios` or `captures`, those that the program brings stand for it.

mod shipped;

use std::{
    collections::BTreeSet,
    error::Error,
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use veschub_hub::{device::Device, rng::Seed};
use veschub_scenario::{Files, Loaded, ScenarioError};
use veschub_transcript::Transcript;

use self::shipped::Shipped;

/// The files that a scenario was made of: its own, what it includes, its series, captures and descriptions.
#[derive(Clone, Debug, Default)]
pub struct Opened(Arc<Mutex<BTreeSet<PathBuf>>>);

impl Opened {
    /// The files, those included that could not be opened.
    #[must_use]
    pub fn paths(&self) -> BTreeSet<PathBuf> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// The disk, with a note of every file that is opened, if somebody wants to know.
#[derive(Debug)]
struct Disk(Option<Opened>);

impl Files for Disk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn io::Read>> {
        if let Some(Opened(paths)) = &self.0 {
            let mut opened = paths.lock().unwrap_or_else(PoisonError::into_inner);
            opened.insert(path.to_owned());
        }
        File::open(path)
            .map(|file| Box::new(file) as Box<dyn io::Read>)
            .or_else(|error| match (error.kind(), shipped::find(path)) {
                (io::ErrorKind::NotFound, Some(Shipped::File(bytes))) => Ok(Box::new(bytes)),
                (io::ErrorKind::NotFound, Some(Shipped::Folder(_))) => {
                    Err(io::ErrorKind::IsADirectory.into())
                }
                _ => Err(error),
            })
    }

    fn identity(&self, path: &Path) -> PathBuf {
        path.canonicalize()
            .ok()
            .or_else(|| shipped::plain(path))
            .unwrap_or_else(|| path.to_owned())
    }

    fn stand_in(
        &self,
        transcript: &Transcript,
        id: Option<&str>,
        seed: Seed,
    ) -> Result<Box<dyn Device>, Box<dyn Error>> {
        veschub_draft::stand_in(transcript, id, seed)
    }
}

/// Reads a scenario file with some values replaced: `path=value`, as in `devices.0.express.bms.cells=12`.
///
/// # Errors
/// All mistakes, each with its place in the file or the setting.
pub fn open(path: &Path, settings: &[String]) -> Result<Loaded, ScenarioError> {
    Loaded::open(Arc::new(Disk(None)), path, settings)
}

/// Reads a scenario file as [`open`] does, and notes which files it is made of, also when it has a mistake. Files that
/// only its devices need are opened, and noted, when those are built.
///
/// # Errors
/// As [`open`].
pub fn open_noting(
    path: &Path,
    settings: &[String],
    opened: &Opened,
) -> Result<Loaded, ScenarioError> {
    Loaded::open(Arc::new(Disk(Some(opened.clone()))), path, settings)
}

/// Reads a scenario from text with some values replaced; the files that it names are found from `folder` on, and
/// `name` is what messages call it.
///
/// # Errors
/// All mistakes, each with its place in the text or the setting.
pub fn parse(
    name: &str,
    text: &str,
    folder: &Path,
    settings: &[String],
) -> Result<Loaded, ScenarioError> {
    Loaded::read(Arc::new(Disk(None)), name, text, folder, settings)
}

/// What a path that is not on the disk stands for among the files that the program brings: a file itself, or all files
/// below a folder.
///
/// ```
/// # use std::path::Path;
/// assert!(veschub_disk::brought(Path::new("scenarios")).is_some_and(|files| files.len() > 100));
/// ```
#[must_use]
pub fn brought(path: &Path) -> Option<Vec<PathBuf>> {
    Some(match shipped::find(path)? {
        Shipped::Folder(files) => files,
        Shipped::File(_) => vec![path.to_owned()],
    })
}

/// Whether two paths lead to one file, by whatever name.
#[must_use]
pub fn is_same_file(one: &Path, other: &Path) -> bool {
    match (fs::metadata(one), fs::metadata(other)) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => one == other,
    }
}

/// Writes all of a file or nothing: under another name in the same folder first. A link is replaced and not followed; a
/// file that is there is replaced if `force` is set.
///
/// # Errors
/// If the folder or the file cannot be written, or there is a file already.
pub fn write_whole(path: &Path, bytes: &[u8], force: bool) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // As any file that a program writes: the umask decides.
    let permissions = fs::Permissions::from_mode(0o666);
    let mut draft = tempfile::Builder::new()
        .permissions(permissions)
        .tempfile_in(folder)?;
    draft.write_all(bytes)?;
    draft.as_file().sync_all()?;
    let done = match force {
        true => draft.persist(path),
        false => draft.persist_noclobber(path),
    };
    done.map(drop).map_err(|error| error.error)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_file_that_is_written_anew_takes_the_place_of_a_name_and_not_of_what_it_leads_to() {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("kept");
        let read = |path: &Path| fs::read_to_string(path).unwrap();
        fs::write(&kept, "not to be lost").unwrap();
        let hard = folder.path().join("hard");
        fs::hard_link(&kept, &hard).unwrap();
        let soft = folder.path().join("soft");
        symlink(&kept, &soft).unwrap();
        for path in [&hard, &soft] {
            assert!(is_same_file(path, &kept));
            assert!(write_whole(path, b"new", false).is_err());
            assert!(is_same_file(path, &kept));
            write_whole(path, b"new", true).unwrap();
            assert!(!is_same_file(path, &kept));
            assert_eq!((&*read(path), &*read(&kept)), ("new", "not to be lost"));
        }
        // Nothing is left beside them.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }
}
