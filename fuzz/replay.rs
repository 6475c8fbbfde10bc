//! What the test `fuzz_replay` of every crate with targets does, on the stable toolchain: each target runs over its seeds
//! and over what once broke something.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The name of a target, and what it does with an input.
pub(crate) type Target = (&'static str, fn(&[u8]));

/// The files of a target in `seeds` or `regressions`, by name.
fn files(folder: &str, target: &str) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(fuzz().join(folder).join(target))? {
        let path = entry?.path();
        if !path.ends_with(".gitkeep") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The folder `fuzz`, found from the crate whose test this is.
pub(crate) fn fuzz() -> PathBuf {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let found = above
        .map(|folder| folder.join("fuzz"))
        .find(|fuzz| fuzz.is_dir());
    found.expect("the folder fuzz stands at the root of the workspace")
}

/// Runs each target over its seeds and its regressions.
pub(crate) fn replay(targets: &[Target]) {
    for (target, body) in targets {
        let seeds = files("seeds", target).unwrap_or_default();
        assert!(!seeds.is_empty(), "{target} has no seeds");
        let regressions = files("regressions", target).unwrap_or_default();
        for path in seeds.iter().chain(&regressions) {
            // Shown only if the body panics.
            println!("replaying {}", path.display());
            body(&fs::read(path).unwrap());
        }
    }
}
