//! The page about the language, `docs/scenarios.md`: every example is read without a warning, and run.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use veschub_harness::{
    report::scenarios,
    run::{self, Mode, Way},
};
use veschub_hub::rng::Seed;
use veschub_scenario::Loaded;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios")
}

/// The scenarios on the page, each with the line that it starts at.
fn examples() -> Vec<(usize, String)> {
    let page = fs::read_to_string(folder().join("../docs/scenarios.md")).unwrap();
    let fence = "```yaml\n";
    let starts = page.match_indices(fence).map(|(at, _)| at + fence.len());
    let example = |start: usize| {
        let text = page[start..].split("```").next().unwrap();
        let line = page[..start].matches('\n').count() + 1;
        (line, text.to_owned())
    };
    starts.map(example).collect()
}

fn load(line: usize, text: &str) -> Loaded {
    // Lines before it, so that a message names the line of the page.
    let text = "\n".repeat(line - 1) + text;
    veschub_disk::parse("scenarios.md", &text, &folder(), &[]).unwrap()
}

#[test]
fn every_example_on_the_page_is_a_scenario_without_a_warning() {
    let examples = examples();
    assert!(examples.len() >= 5, "the page shows too little");
    for (line, text) in examples {
        assert!(text.contains("version: 1\n"), "line {line}: only a part");
        let warnings = load(line, &text).warnings().unwrap();
        let drawn: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        assert!(drawn.is_empty(), "{}", drawn.join("\n"));
    }
}

#[test]
fn every_example_with_a_client_passes() {
    let mut ran = 0;
    for (line, text) in examples() {
        if !text.contains("\nclient:") {
            continue;
        }
        let name = format!("docs/scenarios.md, line {line}");
        let run = run::run(
            &name,
            &load(line, &text),
            &Way::reference(Seed(0), Mode::Virtual),
        )
        .unwrap();
        assert!(run.verdict.passed(), "{}", scenarios::story(&run));
        ran += 1;
    }
    assert!(ran >= 4, "the page runs too little");
}

#[test]
fn a_value_from_the_command_line_changes_what_is_run() {
    let path = folder().join("rapid-fire-reads-the-pack.yaml");
    let run = |settings: &[&str]| {
        let settings: Vec<String> = settings.iter().map(|&text| text.to_owned()).collect();
        run::run_file_with(&path, &settings, &Way::reference(Seed(0), Mode::Virtual)).unwrap()
    };
    assert!(run(&[]).verdict.passed());
    let shorter = run(&["devices.0.express.bms.cells=12"]);
    let fields: Vec<_> = shorter
        .verdict
        .differences()
        .map(|one| &one.field)
        .collect();
    assert!(
        fields
            .iter()
            .any(|field| field.ends_with("cell_voltages_v")),
        "{fields:?}"
    );
    let agreed = run(&[
        "devices.0.express.bms.cells=12",
        "expect=[value: { field: cell_voltages_v, length: 12 }]",
    ]);
    assert!(agreed.verdict.passed());
}

#[test]
fn what_is_only_a_part_is_not_run() {
    let found = run::find_scenarios(&folder()).unwrap();
    assert!(found.len() > 20);
    assert!(found.iter().all(|path| !path.ends_with("common/pack.yaml")));
    assert!(folder().join("common/pack.yaml").exists());
}
