//! Every quirk and every fault is seen to fire: in a scenario that expects it, or in a test of the hub.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use veschub_hub::{
    catalogue::quirks,
    fault,
    quirk::{Shown, Switch},
};
use veschub_scenario::Loaded;

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The texts of all files of a kind below a folder.
fn texts(path: &str, ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder(path)).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|other| other == ending) {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            found.push((name, fs::read_to_string(path).unwrap()));
        }
    }
    found
}

#[test]
fn every_quirk_is_shown_by_a_scenario_or_by_a_test() {
    let scenarios = texts("../scenarios", "yaml");
    let tests: String = texts("hub/tests/hub", "rs")
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    for info in quirks() {
        match info.shown_by {
            Shown::Scenario(name) => {
                let found = scenarios.iter().find(|(other, _)| other == name);
                let Some((_, text)) = found else {
                    panic!("{}: there is no scenario {name}", info.name);
                };
                if info.switch == Switch::Quirk {
                    let fired = format!("fired: {{ quirk: {}", info.name);
                    assert!(text.contains(&fired), "{name} does not expect `{fired}`");
                }
            }
            Shown::Test(name) => {
                let test = format!("#[test]\nfn {name}()");
                assert!(
                    tests.contains(&test),
                    "{}: there is no test {name}",
                    info.name
                );
            }
        }
    }
}

#[test]
fn every_fault_fires_in_a_scenario_that_expects_it() {
    let scenarios = texts("../scenarios", "yaml");
    for info in fault::catalogue() {
        let fired = format!("fired: {{ fault: {}", info.name);
        let shown = scenarios.iter().any(|(_, text)| text.contains(&fired));
        assert!(shown, "no scenario expects `{fired}`");
    }
}

#[test]
fn every_example_of_the_catalogues_can_be_used_as_it_stands() {
    let base = "version: 1\ndevices:\n  - express: { id: demo-0001, password: not-a-secret }\n";
    let parse = |text: &str| Loaded::parse("example.yaml", text);
    for info in fault::catalogue() {
        let text = format!("{base}faults:\n  {}\n", info.example.replace('\n', "\n  "));
        if let Err(error) = parse(&text) {
            panic!("{}:\n{error}", info.name);
        }
    }
    for info in quirks() {
        let text = match info.switch {
            Switch::Quirk => format!("{base}quirks:\n  - {}: {}\n", info.name, info.parameters),
            Switch::Hub => format!("{base}hub:\n  {}: {}\n", info.name, info.parameters),
            Switch::Always => continue,
        };
        if let Err(error) = parse(&text) {
            panic!("{}:\n{error}", info.name);
        }
    }
}

#[test]
fn names_are_used_once() {
    let quirk_names = quirks().map(|info| info.name);
    let faults = fault::catalogue().iter().map(|info| info.name);
    let mut seen = BTreeSet::new();
    for name in quirk_names.chain(faults) {
        assert!(seen.insert(name), "{name} twice");
    }
}
