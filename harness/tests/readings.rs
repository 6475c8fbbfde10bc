//! The published schema of a reading: what replies hold fits it, and so does the example on the page. What lines cost
//! that are spoilt in part.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

use std::{fs, path::Path, time::Duration};

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};
use veschub_harness::{
    conformance::{Battery, catalogue, run},
    family::Means,
    judge::schema,
    outside::{command::Template, link::Link},
    report::{
        model::{Outcome, Report},
        text,
    },
    run::{Program, player::Player},
};
use veschub_transcript::render::FieldsJson;
use veschub_wire::{Reply, view::View as _};

fn compiled() -> (Schemas, SchemaIndex) {
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler
        .add_resource("reading.json", schema::json_schema().clone())
        .unwrap();
    let index = compiler.compile("reading.json", &mut schemas).unwrap();
    (schemas, index)
}

#[test]
fn every_sample_reply_as_a_reading_fits_the_schema() {
    let (schemas, index) = compiled();
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wire/testdata");
    let mut checked = 0;
    for command in schema::commands() {
        for file in fs::read_dir(samples.join(command.name().unwrap().to_lowercase())).unwrap() {
            let text = fs::read_to_string(file.unwrap().path()).unwrap();
            if !text.contains("# direction: to-tool") {
                continue;
            }
            let words = text.lines().flat_map(|line| {
                line.split('#')
                    .next()
                    .unwrap_or_default()
                    .split_whitespace()
            });
            let payload: Vec<u8> = words
                .map(|word| u8::from_str_radix(word, 16).unwrap())
                .collect();
            let fields = Reply::decode(&payload).unwrap().fields();
            let line =
                json!({ "at": 0.5, "command": command.to_string(), "fields": FieldsJson(&fields) });
            let valid = schemas.validate(&line, index);
            assert!(valid.is_ok(), "{line}\n{}", valid.unwrap_err());
            checked += 1;
        }
    }
    assert!(checked > 20, "{checked}");
}

#[test]
fn the_example_on_the_page_fits_the_schema_and_a_misspelt_one_does_not() {
    let (schemas, index) = compiled();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/clients.md");
    let page = fs::read_to_string(page).unwrap();
    let example = page
        .split("```json\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let example: Value = serde_json::from_str(example).unwrap();
    assert!(schemas.validate(&example, index).is_ok());
    for wrong in [
        json!({ "fields": { "total_voltage": 83.6 } }),
        json!({ "fields": { "total_voltage_v": "83.6" } }),
        json!({ "total_voltage_v": 83.6 }),
        json!({ "can_id": 256 }),
    ] {
        assert!(schemas.validate(&wrong, index).is_err(), "{wrong}");
    }
}

/// Runs cases with the second client behind a script that spoils what it prints.
fn battery(spoil: &str, ids: &[&str]) -> Report {
    let client = env!("CARGO_BIN_EXE_veschub-harness");
    let script = format!("{client} client | {spoil}");
    let text = format!("sh -c {}", shlex_quoted(&script));
    let command = Template::parse(&text).unwrap();
    let cases = ids.iter().map(|id| catalogue::find(id.parse().unwrap()));
    let battery = Battery {
        player: Player::Program(Program {
            command,
            link: Link::Hub,
            limit: None,
            supervisor: client.into(),
            grace: Duration::from_secs(60),
            means: Means::All,
        }),
        link: Link::Hub,
        carrier: None,
        cases: cases.map(Result::unwrap).collect(),
        seed: 0,
        strict: true,
        fail_fast: false,
        jobs: 2,
    };
    run(&battery, &|_, _| {}).unwrap()
}

fn shlex_quoted(script: &str) -> String {
    format!("'{}'", script.replace('\'', r"'\''"))
}

#[test]
fn a_bad_line_is_told_once_and_fails_no_case_whose_readings_are_there() {
    let report = battery("sed -u 's/^/connected!\\n/'", &["1/1", "5/25", "5/26"]);
    let outcomes: Vec<Outcome> = report.cases.iter().map(|case| case.outcome).collect();
    assert_eq!(outcomes, [Outcome::Passed; 3], "{}", text::text(&report));
    assert!(report.cases.iter().all(|case| !case.bad_lines.is_empty()));
    let told = text::text(&report);
    assert_eq!(told.matches("connected!").count(), 1, "{told}");
}

#[test]
fn a_number_that_is_none_fails_the_cases_about_its_field_and_no_others() {
    let spoil = "sed -u 's/current_a\":[-0-9.]*/current_a\":NaN/g'";
    let report = battery(spoil, &["1/1", "5/25", "5/26"]);
    let outcomes: Vec<Outcome> = report.cases.iter().map(|case| case.outcome).collect();
    let wanted = [Outcome::Passed, Outcome::Passed, Outcome::Failed];
    assert_eq!(outcomes, wanted, "{}", text::text(&report));
    let named: Vec<_> = report.cases[2]
        .differences
        .iter()
        .map(|one| &one.mistake)
        .collect();
    assert_eq!(named, [&Some("not-a-number".to_owned()); 2]);
}

#[test]
fn a_case_whose_field_is_null_or_misspelt_is_not_passed() {
    for (spoil, why) in [
        (
            "sed -u 's/current_a\":[-0-9.]*/current_a\":null/g'",
            "the client does not report current_a, chip_current_a",
        ),
        (
            "sed -u 's/current_a\":/curent_a\":/g'",
            "`chip_curent_a`: did you mean `chip_current_a`?",
        ),
    ] {
        let report = battery(spoil, &["5/26"]);
        let case = &report.cases[0];
        assert_eq!(case.outcome, Outcome::Skipped, "{}", text::text(&report));
        assert!(case.reasons[0].contains(why), "{:?}", case.reasons);
    }
}
