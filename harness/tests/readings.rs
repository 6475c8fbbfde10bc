//! The published schema of a reading: what replies hold fits it, and so does the example on the page.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

use std::{fs, path::Path};

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};
use veschub_harness::judge::schema;
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
