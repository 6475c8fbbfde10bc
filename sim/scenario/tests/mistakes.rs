//! Every file in `mistakes/` is one mistake, or several, and the snapshot beside it is what is said about it.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use veschub_hub::rng::Seed;
use veschub_scenario::{Files, Loaded, ScenarioError};

#[derive(Debug)]
struct Disk;

impl Files for Disk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn io::Read>> {
        Ok(Box::new(File::open(path)?))
    }
}

/// What is wrong with a scenario, or odd about it.
fn findings(path: &Path) -> String {
    let loaded = Loaded::open(Arc::new(Disk), path, &[]);
    let found = loaded.and_then(|loaded| {
        loaded.build(Seed(0))?;
        loaded.warnings()
    });
    let drawn: Vec<String> = match found {
        Err(error) => vec![checked(&error)],
        Ok(warnings) => warnings.iter().map(checked).collect(),
    };
    assert!(!drawn.is_empty(), "{} is no mistake", path.display());
    let folder = format!("{}/", path.parent().unwrap_or(path).display());
    drawn.join("\n\n").replace(&folder, "")
}

/// What is drawn; what programs are told has to agree with it.
fn checked(error: &ScenarioError) -> String {
    let drawn = error.render(false);
    for finding in error.each() {
        assert!(drawn.contains(finding.message()), "{drawn}");
        for help in finding.helps() {
            assert!(drawn.contains(help.as_str()), "{drawn}");
        }
        let place = match (finding.line(), finding.column()) {
            (Some(line), Some(column)) => format!("--> {}:{line}:{column}\n", finding.file()),
            _ => format!("--> {}\n", finding.file()),
        };
        assert!(format!("{drawn}\n").contains(&place), "{place} in\n{drawn}");
    }
    drawn
}

#[test]
fn every_mistake_is_told_as_its_snapshot_says() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("mistakes");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mistakes");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
        .collect();
    paths.sort();
    assert!(paths.len() > 100);
    settings.bind(|| {
        for path in paths {
            let name = path.file_stem().unwrap().to_string_lossy();
            insta::assert_snapshot!(name.as_ref(), findings(&path));
        }
    });
}
