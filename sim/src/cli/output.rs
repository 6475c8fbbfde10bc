//! Files that a command writes as a whole.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
};

/// Whether two paths lead to one file, by whatever name.
pub(super) fn is_same_file(one: &Path, other: &Path) -> bool {
    match (fs::metadata(one), fs::metadata(other)) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => one == other,
    }
}

/// Writes all of a file or nothing: under another name in the same folder first. A link is replaced and not followed.
pub(super) fn write_whole(path: &Path, bytes: &[u8], force: bool) -> io::Result<()> {
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
