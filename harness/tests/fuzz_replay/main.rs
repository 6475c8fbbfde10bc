//! Every seed and every input that once broke something, and the seeds and dictionaries that are made here; and whether
//! all that belongs to a fuzz target is there.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

#[path = "../../../fuzz/kept.rs"]
mod kept;
#[path = "../../../fuzz/replay.rs"]
mod replay;

#[cfg(unix)]
mod house;

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;
use veschub_harness::{
    conformance::{Battery, run, select},
    defective::Defect,
    fuzzing,
    outside::link::Link,
    report::model::{Counts, Outcome, Report},
    run::player::Player,
};
use veschub_hub::{
    fault,
    journal::{JournalEntry, json},
    quirk,
};
use veschub_scenario::Loaded;

#[test]
fn every_target_passes_its_seeds_and_regressions() {
    replay::replay(fuzzing::TARGETS);
}

/// A file of the repository.
fn file(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    let text = fs::read_to_string(&path);
    assert!(text.is_ok(), "{}: {text:?}", path.display());
    text.unwrap()
}

fn named(seeds: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    let owned = |&(name, text): &(&str, &str)| (name.to_owned(), text.as_bytes().to_vec());
    seeds.iter().map(owned).collect()
}

fn written(entries: &[JournalEntry]) -> String {
    let mut out = Vec::new();
    for entry in entries {
        json::write(&mut out, entry).unwrap();
    }
    String::from_utf8(out).unwrap()
}

const START: &str = r#"{"kind":"start","journal":1,"listening":"127.0.0.1:1","devices":[]}"#;

/// A journal with the lines of its client between the entries.
fn session() -> String {
    let played = fuzzing::played().unwrap();
    let mut text = format!("{START}\n");
    let mut told = 0;
    for line in &played.lines {
        text += &written(&played.journal[told..line.after]);
        told = line.after;
        text += str::from_utf8(&line.text).unwrap();
        text.push('\n');
    }
    text + &written(&played.journal[told..])
}

#[test]
fn the_seeds_of_journal_file_are_a_session_and_what_is_wrong_with_journals() {
    let session = session();
    let seeds = named(&[
        ("a-session", &session),
        ("a-session-cut-off", &session[..session.len() / 2]),
        ("another-version", "{\"kind\":\"start\",\"journal\":2}\n"),
        ("no-direction", "{\"kind\":\"frame\",\"payload\":\"3e\"}\n"),
        (
            "no-hex",
            "{\"kind\":\"frame\",\"direction\":\"to-tool\",\"payload\":\"3\"}\n",
        ),
        (
            "a-fault",
            "{\"at\":1.5,\"kind\":\"fault\",\"name\":\"duplicate\"}\n{\"fields\":{}}\n",
        ),
        (
            "an-unknown-fault",
            "{\"kind\":\"fault\",\"name\":\"gremlin\"}\n",
        ),
        ("no-time", "{\"kind\":\"closed\",\"at\":-1}\n"),
        ("no-json", "no JSON\n\n{}\n"),
    ]);
    kept::assert_kept("seeds/journal_file", &seeds);
}

#[test]
fn the_seeds_of_reading_line_are_what_the_reference_client_prints_and_what_the_page_speaks_of() {
    let mut seeds = named(&[
        ("nothing", "\n"),
        (
            "empty-readings",
            "{}\n{\"fields\":{}}\n{\"fields\":{\"soc\":null}}\n",
        ),
        ("unsupported", "{\"unsupported\": \"scan-can\"}\n"),
        (
            "no-number",
            "{\"command\":\"BMS_GET_VALUES\",\"fields\":{\"current_a\":NaN,\"total_voltage_v\":-Infinity}}\n",
        ),
        (
            "without-sign",
            "{\"command\":\"BMS_GET_VALUES\",\"fields\":{\"temperatures_c\":[27.5,650.1]}}\n",
        ),
        (
            "without-a-command",
            "{\"fields\":{\"firmware\":\"6.05\",\"hardware\":\"VESC Express T\"}}\n",
        ),
        (
            "over-can",
            "{\"command\":\"GET_VALUES\",\"can_id\":84,\"fields\":{\"erpm\":9800}}\n",
        ),
        (
            "unknown-names",
            "{\"command\":\"BMS_GET_VALUE\",\"fields\":{\"total_voltage\":83774,\"cells\":\"3\"}}\n",
        ),
        ("no-line-feed", "{\"fields\":{\"can_ids\":[84]}}"),
    ]);
    for line in fuzzing::played().unwrap().lines {
        let text = [&line.text[..], b"\n"].concat();
        seeds.push((format!("the-reference-client-{}", line.number), text));
    }
    kept::assert_kept("seeds/reading_line", &seeds);
}

/// A client that reads temperatures without their sign, in a few cases; without what depends on the machine.
fn judged() -> Report {
    let defect: Defect = "unsigned-temperatures".parse().unwrap();
    let picks = ["1/1", "2/1", "5/17"].map(|pick| pick.parse().unwrap());
    let selection = select::Selection {
        picks: picks.into(),
        ..Default::default()
    };
    let battery = Battery {
        player: Player::Defective(defect.into()),
        link: Link::Hub,
        cases: select::select(&selection).unwrap(),
        seed: 0,
        carrier: None,
        strict: false,
        fail_fast: false,
        jobs: 1,
    };
    let mut report = run(&battery, &|_, _| {}).unwrap();
    report.wall_s = 0.5;
    for case in &mut report.cases {
        case.wall_s = 0.25;
    }
    report
}

#[test]
fn the_seeds_of_report_file_are_a_real_report_and_one_with_hostile_words() {
    let report = judged();
    let mut hostile = report.clone();
    hostile.client_name = Some("<fuzz>".to_owned());
    for (case, outcome) in hostile
        .cases
        .iter_mut()
        .zip([Outcome::Known, Outcome::Skipped])
    {
        case.outcome = outcome;
        case.title = "<fuzz> ]]> | `b`".to_owned();
        case.reasons = vec!["::error::<fuzz>\u{1b}[31m".to_owned()];
        case.stderr = vec!["<fuzz>".to_owned()];
    }
    hostile.counts = Counts::of(&hostile.cases);
    let mut empty = report.clone();
    empty.cases.clear();
    let json = |report: &Report| serde_json::to_string(report).unwrap();
    let seeds = named(&[
        ("a-client-with-a-defect", &json(&report)),
        ("hostile-words", &json(&hostile)),
        ("no-cases", &json(&empty)),
        ("another-version", "{\"version\":2}"),
        ("no-report", "{}"),
    ]);
    kept::assert_kept("seeds/report_file", &seeds);
}

#[test]
fn the_seeds_of_scenario_file_have_every_fault_every_quirk_and_every_task() {
    let device = "  - express:\n      id: demo-0001\n      password: x\n      bms: { cells: 3 }\n      can: [motor: { can_id: 84 }, bms: { can_id: 10 }]\n";
    let scenario = |rest: &str| format!("version: 1\ndevices:\n{device}{rest}\n");
    let mut seeds = vec![
        ("demo".to_owned(), file("sim/scenario/src/demo.yaml")),
        ("no-scenario".to_owned(), "version: 2\n".to_owned()),
        ("aliases".to_owned(), "a: &a [1, 1]\nb: [*a, *a]\n".to_owned()),
        ("many-devices".to_owned(), "version: 1\ndevices:\n  - express: { id: \"d-{n:03}\", password: x, count: 5 }\n".to_owned()),
        ("a-pack-with-everything".to_owned(), "version: 1\ndevices:\n  - express:\n      id: demo-0001\n      password: x\n      bms:\n        cell_voltages_v: [3.9, 4.1]\n        weak_cell: { cell: 1, capacity: 0.5 }\n        current_a: [{ at: 0s, current_a: 5 }, { at: 10s, current_a: -3.5 }]\n        set:\n          - { field: total_voltage_v, to: 8.0 }\nclient:\n  poll-bms: { every: 500ms, for: 5s }\n".to_owned()),
        ("every-expectation".to_owned(), scenario("quirks:\n  - session-reset: {}\nexpect:\n  - reply-to: BMS_GET_VALUES\n  - no-reply-to: GET_VALUES\n  - value: { of: BMS_GET_VALUES, field: cell_voltages_v, item: 0, is: 4.0, within: 0.5 }\n  - request-count: { of: BMS_GET_VALUES, at_least: 1 }\n  - fired: { quirk: session-reset }")),
    ];
    for one in fault::catalogue() {
        seeds.push((
            format!("fault-{}", one.name),
            scenario(&format!("faults:\n  {}", one.example)),
        ));
    }
    for one in quirk::catalogue() {
        let entry = format!("quirks:\n  - {}: {}", one.name, one.parameters);
        seeds.push((format!("quirk-{}", one.name), scenario(&entry)));
    }
    for (name, task) in [
        ("read-bms", "{ ask: one-at-a-time }"),
        ("poll-bms", "{ every: 100ms, for: 1s }"),
        ("read-motor", "{ can_id: 84, every: 50ms, for: 1s }"),
        ("scan-can", "{}"),
        (
            "drive",
            "{ can_id: 84, current_a: -2.5, every: 20ms, for: 1s }",
        ),
        ("keep-alive", "{ duty: 0.1, by: set, for: 1s }"),
        ("read-config", "{ of: app, can_id: 84 }"),
        ("read-app", "{ data: '65 00', every: 100ms, for: 1s }"),
        (
            "read",
            "{ request: GET_VALUES_SELECTIVE 0x100, can_id: 84 }",
        ),
        (
            "send",
            "{ requests: [FW_VERSION, TERMINAL_CMD help, REBOOT], every: 10ms, stay_for: 6s }",
        ),
    ] {
        let hub = "hub: { profile: ideal, late_replies: true, login_timeout: 2s }\n";
        seeds.push((
            format!("task-{name}"),
            scenario(&format!("{hub}client:\n  {name}: {task}")),
        ));
    }
    let refused = ["no-scenario", "aliases"];
    for (name, text) in &seeds {
        if !refused.contains(&name.as_str())
            && let Err(error) = Loaded::parse(name, text)
        {
            panic!("{name}: {error}");
        }
    }
    let seeds = seeds
        .into_iter()
        .map(|(name, text)| (name, text.into_bytes()));
    kept::assert_kept("seeds/scenario_file", &seeds.collect::<Vec<_>>());
}

/// The words of a JSON schema: the keys of objects, and texts that values can be.
fn words(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields {
                match (key.as_str(), value) {
                    ("properties", Value::Object(properties)) => {
                        found.extend(properties.keys().cloned());
                    }
                    ("const", Value::String(text)) => {
                        found.insert(text.clone());
                    }
                    ("enum", Value::Array(values)) => {
                        found.extend(
                            values
                                .iter()
                                .filter_map(Value::as_str)
                                .map(ToOwned::to_owned),
                        );
                    }
                    _ => {}
                }
                words(value, found);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| words(value, found)),
        _ => {}
    }
}

/// A dictionary of these tokens.
fn dictionary(source: &str, tokens: impl IntoIterator<Item = String>) -> String {
    let mut text =
        format!("# {source}; `VESCHUB_UPDATE=1 cargo test --test fuzz_replay` writes it anew.\n");
    for token in tokens {
        let token = token.replace('\\', "\\\\").replace('"', "\\\"");
        assert!(
            token.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
            "{token}"
        );
        text += &format!("\"{token}\"\n");
    }
    text
}

fn assert_dictionary(target: &str, text: String) {
    kept::assert_kept(
        "dictionaries",
        &[(format!("{target}.dict"), text.into_bytes())],
    );
}

#[test]
fn the_dictionaries_of_texts_are_the_words_of_their_schemas() {
    for (target, schema, is_yaml) in [
        ("scenario_file", "scenarios/schema.json", true),
        ("reading_line", "harness/reading.schema.json", false),
        ("report_file", "harness/conformance.schema.json", false),
    ] {
        let mut found = BTreeSet::new();
        words(&serde_json::from_str(&file(schema)).unwrap(), &mut found);
        let tokens = found.into_iter().map(|word| match is_yaml {
            true => word,
            false => format!("\"{word}\""),
        });
        let kept = dictionary(&format!("The words of {schema}"), tokens);
        assert_dictionary(target, kept);
    }
    let mut found = BTreeSet::new();
    for line in session().lines() {
        let Value::Object(entry) = serde_json::from_str(line).unwrap() else {
            panic!("no object: {line}");
        };
        if let Some(kind) = entry.get("kind").and_then(Value::as_str) {
            found.insert(kind.to_owned());
            found.extend(entry.keys().cloned());
        }
    }
    found.extend(["to-device", "to-tool"].map(ToOwned::to_owned));
    found.extend(fault::catalogue().iter().map(|one| one.name.to_owned()));
    let tokens = found.into_iter().map(|word| format!("\"{word}\""));
    assert_dictionary(
        "journal_file",
        dictionary("The keys and kinds of a journal", tokens),
    );
}
