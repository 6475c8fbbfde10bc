//! Seeds and dictionaries that a test makes are the ones that are kept; `VESCHUB_UPDATE=1` writes them.

use std::fs;

use super::replay::fuzz;

/// Compares files by name with those in a folder of `fuzz`.
pub(crate) fn assert_kept(folder: &str, files: &[(String, Vec<u8>)]) {
    let update = std::env::var_os("VESCHUB_UPDATE").is_some();
    let path = fuzz().join(folder);
    for (name, bytes) in files {
        let path = path.join(name);
        if update {
            fs::create_dir_all(path.with_file_name("")).unwrap();
            fs::write(&path, bytes).unwrap();
        }
        let kept = fs::read(&path).unwrap_or_default();
        assert!(
            kept == *bytes,
            "{folder}/{name} is not up to date: run this with VESCHUB_UPDATE=1"
        );
    }
}
