//! Every scenario is a test, named after its file, with a snapshot of its whole story.
//!
//! The snapshot holds the transcript and truth beside decoded. A snapshot whose scenario is gone fails as well.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    path::{Path, PathBuf},
};

use libtest_mimic::{Arguments, Failed, Trial};
use veschub_harness::{
    report::scenarios,
    run::{self, Mode},
};
use veschub_hub::rng::Seed;

/// Short scenarios that must come out the same over real sockets, on the real clock.
const IN_REAL_TIME: [&str; 5] = [
    "a-motor-controller-alone-needs-no-login",
    "ids-ignore-case-and-blanks",
    "motor-values-through-forward-can",
    "unknown-device",
    "wrong-password",
];

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let snapshots = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/scenarios");
    let paths = run::find_scenarios(&folder).unwrap_or_default();
    let mut trials: Vec<Trial> = paths
        .iter()
        .map(|path| {
            let (path, snapshots) = (path.clone(), snapshots.clone());
            Trial::test(stem(&path), move || {
                passes_and_tells_the_same(&path, &snapshots)
            })
        })
        .collect();
    for name in IN_REAL_TIME {
        let path = folder.join(name).with_extension("yaml");
        let name = format!("{name} in real time");
        trials.push(Trial::test(name, move || passes_in_real_time(&path)));
    }
    trials.push(Trial::test("every snapshot has its scenario", move || {
        every_snapshot_is_used(&paths, &snapshots)
    }));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn passes_and_tells_the_same(path: &Path, snapshots: &Path) -> Result<(), Failed> {
    let run = run::run_file(path, Seed(0), Mode::Virtual)?;
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(snapshots);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(run.name.as_str(), scenarios::story(&run)));
    if run.verdict.passed() {
        Ok(())
    } else {
        Err(scenarios::failure(&run).into())
    }
}

fn passes_in_real_time(path: &Path) -> Result<(), Failed> {
    let run = run::run_file(path, Seed(0), Mode::Real)?;
    if run.verdict.passed() {
        Ok(())
    } else {
        Err(scenarios::story(&run).into())
    }
}

fn every_snapshot_is_used(paths: &[PathBuf], snapshots: &Path) -> Result<(), Failed> {
    if paths.is_empty() {
        return Err("there are no scenarios".into());
    }
    let used: BTreeSet<String> = paths.iter().map(|path| stem(path)).collect();
    for entry in std::fs::read_dir(snapshots)? {
        let path = entry?.path();
        if path.extension() == Some(OsStr::new("snap")) && !used.contains(&stem(&path)) {
            return Err(format!("{} has no scenario: delete it", path.display()).into());
        }
    }
    Ok(())
}
