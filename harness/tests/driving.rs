//! Clients that drive a motor, as processes: what the harness sees when one is killed, told to end, or does what it
//! should. The examples of the docs drive as well.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use veschub_harness::{
    conformance::{
        self, Battery,
        catalogue::{self, Id},
    },
    family::Means,
    judge,
    outside::{command::Template, link::Link},
    report::{model::Outcome, scenarios, text},
    run::{self, Mode, Program, Way, player::Player},
};
use veschub_hub::{journal::JournalEvent, rng::Seed};
use veschub_scenario::Loaded;
use veschub_wire::Reply;

/// Long enough for anything that ends by itself, on any machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn program(command: &str) -> Program {
    Program {
        command: Template::parse(command).unwrap(),
        link: Link::Hub,
        supervisor: PathBuf::from(env!("CARGO_BIN_EXE_veschub-harness")),
        limit: Some(PATIENCE),
        grace: PATIENCE,
        means: Means::All,
    }
}

/// The cases that a client does not pass.
fn failed(command: &str, cases: &[&str]) -> BTreeSet<String> {
    let find = |id: &&str| catalogue::find(id.parse::<Id>().unwrap()).unwrap();
    let battery = Battery {
        player: Player::Program(program(command)),
        link: Link::Hub,
        cases: cases.iter().map(find).collect(),
        carrier: None,
        seed: 0,
        strict: true,
        fail_fast: false,
        jobs: 8,
    };
    let report = conformance::run(&battery, &|_, _| {}).unwrap();
    let passed = |outcome: Outcome| outcome == Outcome::Passed;
    let failed = report.cases.iter().filter(|case| !passed(case.outcome));
    let failed: BTreeSet<String> = failed.map(|case| case.id.to_string()).collect();
    if !failed.is_empty() {
        // Shown if a test fails.
        println!("{}", text::text(&report));
    }
    failed
}

fn second_client(defect: &str) -> String {
    let program = env!("CARGO_BIN_EXE_veschub-harness");
    match defect {
        "" => format!("{program} client"),
        defect => format!("{program} client --defect {defect}"),
    }
}

/// Killed, killed, told to end, ended, and cut off.
const DEATHS: [&str; 5] = ["13/1", "13/2", "13/3", "13/5", "13/7"];

#[test]
fn a_client_whose_child_feeds_the_motor_after_its_death_fails() {
    let failed = failed(&second_client("child-keeps-alive"), &DEATHS);
    assert_eq!(failed, ["13/1", "13/2"].map(str::to_owned).into());
}

#[test]
fn a_client_that_sigterm_ends_at_once_fails() {
    let failed = failed(&second_client("dies-of-sigterm"), &DEATHS);
    assert_eq!(failed, ["13/3"].map(str::to_owned).into());
}

#[test]
fn a_client_that_stops_the_motor_on_every_way_out_passes() {
    assert_eq!(failed(&second_client(""), &DEATHS), BTreeSet::new());
}

#[test]
fn the_example_in_python_drives_and_stops() {
    let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples/client.py");
    let command = format!("python3 '{}'", client.display());
    let cases = [
        "9/1", "12/1", "12/2", "12/3", "12/4", "12/7", "13/1", "13/3", "13/4", "13/7",
    ];
    assert_eq!(failed(&command, &cases), BTreeSet::new());
}

/// The forty lines of the docs, at the motor of `serve --demo-motor`: it rolls before, and follows the client.
#[test]
fn the_example_of_forty_lines_drives_a_motor_without_a_hub() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples/drive.py");
    let code = fs::read_to_string(&path).unwrap();
    let lines = code.lines().filter(|line| !line.is_empty()).count();
    assert!(lines <= 40, "{lines} lines");
    let task = ["current_a=2.5", "every=100ms", "for=3s"].map(|set| format!("client.drive.{set}"));
    let loaded = Loaded::demo_motor_with(&task).unwrap();
    let way = Way {
        player: Player::Program(Program {
            link: Link::Direct,
            ..program(&format!("python3 '{}'", path.display()))
        }),
        link: Link::Direct,
        longest: PATIENCE,
        ..Way::reference(Seed(0), Mode::Real)
    };
    let run = run::run("test", &loaded, &way).unwrap();
    assert_eq!(
        run.outcome(),
        judge::Outcome::Passed,
        "{}",
        scenarios::failure(&run)
    );
    assert!(run.verdict.readings.len() > 5);
    let journal = &run.played.as_ref().unwrap().journal;
    let speeds: Vec<f64> = journal
        .iter()
        .filter_map(|entry| match &entry.event {
            JournalEvent::Reply { payload, .. } => Reply::decode(&payload[..]).ok(),
            _ => None,
        })
        .filter_map(|reply| match reply.body {
            Reply::Values(values) => Some(values.erpm?.value()),
            _ => None,
        })
        .collect();
    let (first, last) = (speeds[0], speeds[speeds.len() - 1]);
    assert!(first > 9000.0 && last > first + 3000.0, "{first} to {last}");
}
