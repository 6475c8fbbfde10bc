//! Outside clients: the one of the docs, hostile ones, and the command line around them.
//!
//! Times here are limits that end something hostile; nothing waits for them otherwise.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use veschub_harness::{
    family::Means,
    judge::{Outcome, Run},
    outside::{command::Template, ending::ProcessEnd, link::Link},
    report::{scenario_json, scenarios},
    run::{self, Mode, Program, Way, player::Player},
};
use veschub_hub::rng::Seed;
use veschub_scenario::Loaded;

/// Long enough for anything that ends by itself, on any machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Soon enough for something that does not end by itself.
const SOON: Duration = Duration::from_millis(400);

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

fn way(program: &Program) -> Way {
    Way {
        player: Player::Program(program.clone()),
        link: program.link,
        longest: PATIENCE,
        ..Way::reference(Seed(0), Mode::Real)
    }
}

/// Runs a client whose time is up soon.
fn hostile(command: &str) -> Run {
    let program = Program {
        limit: Some(SOON),
        ..program(command)
    };
    run("client: { read-bms: {} }", &program)
}

/// Runs a program against a pack of 20 cells. The hub takes what comes with the login: on a busy machine, a client's
/// pause may be over before the hub gets round to reading.
fn run(more: &str, program: &Program) -> Run {
    let text = format!(
        "version: 1\nabout: A pack.\nhub: {{ profile: ideal }}\ndevices:\n  - express: {{ id: demo-0001, password: not-a-secret, \
         bms: {{ cells: 20, cell_voltage_v: 4.180, spread_mv: 8, temperatures_c: [27.5, -6.5] }} }}\n{more}\n"
    );
    let loaded = Loaded::parse("test", &text).unwrap();
    run::run("test", &loaded, &way(program)).unwrap()
}

fn told(run: &Run) -> String {
    scenarios::failure(run)
}

fn how(run: &Run) -> ProcessEnd {
    run.played.as_ref().unwrap().report.how.clone()
}

/// The client on the page, in a file.
fn page_client() -> (tempfile::TempDir, String) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/clients.md");
    let page = fs::read_to_string(page).unwrap();
    let code = page
        .split("```python\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let lines = code.lines().filter(|line| !line.is_empty()).count();
    assert!(lines <= 40, "the page says forty lines, there are {lines}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my_client.py");
    fs::write(&path, code).unwrap();
    let command = format!("python3 {}", path.display());
    (folder, command)
}

/// The page's client with something in it replaced.
fn spoilt(from: &str, to: &str) -> (tempfile::TempDir, String) {
    let (folder, command) = page_client();
    let path = folder.path().join("my_client.py");
    let code = fs::read_to_string(&path).unwrap();
    assert!(code.contains(from), "{from}");
    fs::write(&path, code.replace(from, to)).unwrap();
    (folder, command)
}

const READ: &str = "client: { read-bms: {} }\nexpect:\n  - reply-to: BMS_GET_VALUES\n  \
    - value: { field: cell_voltages_v, length: 20 }";

#[test]
fn the_client_of_the_page_passes() {
    let (_folder, command) = page_client();
    let read = run(READ, &program(&command));
    assert_eq!(read.verdict.outcome(), Outcome::Passed, "{}", told(&read));
    let counts = scenario_json::judgements(&read.verdict.readings);
    assert_eq!(counts.get("right"), Some(&6), "{counts:?}");
    assert!(counts["missing"] > 5);

    let poll = "client: { poll-bms: { every: 30ms, for: 100ms } }\n\
        expect:\n  - request-count: { of: BMS_GET_VALUES, at_least: 4, at_most: 4 }";
    let poll = run(poll, &program(&command));
    assert_eq!(poll.verdict.outcome(), Outcome::Passed, "{}", told(&poll));
    assert_eq!(poll.verdict.readings.len(), 4);

    let scan = run("client: { scan-can: {} }", &program(&command));
    assert_eq!(scan.verdict.outcome(), Outcome::Skipped);
    assert_eq!(
        scenarios::skipped(&scan).unwrap(),
        "test: skipped: the client cannot do scan-can: exit code 77"
    );
}

#[test]
fn a_refused_login_that_is_expected_is_no_failure_and_one_that_is_not_is() {
    let (_folder, command) = page_client();
    let refused = "client: { read-bms: { login: { password: other } } }";
    let expected = run(
        &format!("{refused}\nexpect: [login-refused]"),
        &program(&command),
    );
    assert_eq!(
        expected.verdict.outcome(),
        Outcome::Passed,
        "{}",
        told(&expected)
    );
    let unexpected = run(refused, &program(&command));
    let fields: Vec<&str> = unexpected
        .verdict
        .sent
        .iter()
        .map(|one| one.field.as_str())
        .collect();
    assert_eq!(fields, ["exit code", "login"]);
}

#[test]
fn a_defect_is_told_by_its_name() {
    for (from, to, field, why) in [
        (
            ">{sensors}h",
            ">{sensors}H",
            "temperatures_c[1]",
            "read without its sign",
        ),
        (
            "volts / 1e6",
            "volts / 1e5",
            "total_voltage_v",
            "10 times too large",
        ),
        (
            "(f\">{cells}h\"",
            "(f\"<{cells}h\"",
            "cell_voltages_v[0]",
            "big endian",
        ),
        (
            "in reply[26 + 2 * cells : 26 + 3 * cells]",
            "in reply[27 + 2 * cells : 27 + 3 * cells]",
            "balancing[",
            "read 1 byte after the right place",
        ),
    ] {
        let (_folder, command) = spoilt(from, to);
        let run = run(READ, &program(&command));
        assert_eq!(run.verdict.sent, [], "{}", told(&run));
        let [one] = &run.verdict.understood[..] else {
            panic!("{}", told(&run));
        };
        let name = format!("BMS_GET_VALUES.{field}");
        assert!(one.field.starts_with(&name), "{}", one.field);
        assert!(one.why.contains(why), "{}", one.why);
    }
}

#[test]
fn an_expectation_that_is_not_met_tells_what_came_near() {
    let (_folder, command) = page_client();
    let scenario = "client: { read-bms: {} }\nexpect:\n  - value: { field: total_voltage_v, is: 99 }\n  \
        - request-count: { of: BMS_GET_VALUES, at_least: 3 }";
    let run = run(scenario, &program(&command));
    let told = told(&run);
    for line in [
        "nearest to BMS_GET_VALUES.total_voltage_v",
        "total_voltage_v 83.",
        "instead of 99",
        "BMS_GET_VALUES was asked once and answered once",
        ": left",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
}

#[test]
fn a_client_that_prints_without_end_is_ended() {
    // 1 GB of zeros, without a line feed.
    let run = run(
        "client: { read-bms: {} }",
        &program("head -c 1000000000 /dev/zero"),
    );
    assert_eq!(how(&run), ProcessEnd::Stopped);
    assert!(
        told(&run).contains("the client printed too much, so the harness ended it"),
        "{}",
        told(&run)
    );
    assert!(run.played.unwrap().lines[0].text.len() <= 256 << 10);
}

#[test]
fn what_goes_to_stderr_without_end_is_read_and_forgotten() {
    let run = run(
        "client: { read-bms: {} }",
        &program("sh -c 'head -c 100000000 /dev/zero >&2'"),
    );
    let seen = run.played.unwrap();
    assert_eq!(seen.stderr.total(), 100_000_000);
    assert!(seen.stderr.text().len() < 100_000);
}

#[test]
fn invalid_json_is_shown_with_its_line() {
    let (_folder, command) = spoilt("import binascii", "print('Hello!')\nimport binascii");
    let run = run(READ, &program(&command));
    assert_eq!(run.verdict.sent, []);
    assert_eq!(run.verdict.bad_lines.len(), 1);
    assert!(told(&run).contains("line 1"), "{}", told(&run));
    // The rest was read all the same.
    assert_eq!(run.verdict.readings.len(), 1);
    assert!(run.verdict.readings[0].is_right());
}

#[test]
fn who_exits_at_once_or_cannot_be_started_never_connected() {
    let exited = run(READ, &program("true"));
    assert_eq!(how(&exited), ProcessEnd::Exited { code: 0 });
    assert_eq!(exited.verdict.sent.len(), 1);
    assert_eq!(exited.verdict.sent[0].decoded, "never connected");
    let missing = run(READ, &program("/no/such/program --at all"));
    assert!(
        told(&missing).contains("could not be started"),
        "{}",
        told(&missing)
    );
    let killed = run(READ, &program("sh -c 'kill -SEGV $$'"));
    assert!(
        told(&killed).contains("crashed: signal 11 (SIGSEGV)"),
        "{}",
        told(&killed)
    );
}

#[test]
fn who_never_connects_is_ended_at_the_time_limit() {
    let start = Instant::now();
    let run = hostile("sleep 600");
    assert_eq!(how(&run), ProcessEnd::TimeUp);
    assert_eq!(run.verdict.outcome(), Outcome::TimedOut);
    assert_eq!(run.verdict.sent[0].why, "the harness ended it with SIGTERM");
    assert_eq!(run.verdict.sent[1].decoded, "never connected");
    assert!(start.elapsed() < PATIENCE);
}

#[test]
fn a_crash_is_no_failure_of_what_the_client_was_asked_to_do() {
    let killed = run(READ, &program("sh -c 'kill -SEGV $$'"));
    assert_eq!(killed.verdict.outcome(), Outcome::Crashed);
    let (_folder, command) = spoilt("volts / 1e6", "volts / 0");
    let raised = run(READ, &program(&command));
    assert_eq!(raised.verdict.outcome(), Outcome::Crashed);
    let told = told(&raised);
    assert!(
        told.contains("crashed: Python: ZeroDivisionError"),
        "{told}"
    );
    assert!(told.contains("your client crashed"), "{told}");
    let summary = scenarios::summary(&[killed, raised]);
    assert_eq!(summary, "0 passed, 0 failed, 2 crashed");
}

/// The example clients of the page, in the languages that this machine has.
fn examples() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples");
    let mut found = vec![format!("python3 '{}'", folder.join("client.py").display())];
    let node = std::process::Command::new("node").arg("--version").output();
    if node.is_ok_and(|output| output.status.success()) {
        found.push(format!("node '{}'", folder.join("client.js").display()));
    }
    // `cargo test` builds the examples as well.
    let programs = Path::new(env!("CARGO_BIN_EXE_veschub-harness"))
        .parent()
        .unwrap();
    let rust = programs.join("examples/client-in-rust");
    if rust.exists() {
        found.push(format!("'{}'", rust.display()));
    }
    found
}

#[test]
fn the_example_clients_read_poll_and_scan_over_every_link() {
    for command in examples() {
        for link in [Link::Hub, Link::Direct, Link::Pty] {
            let program = Program {
                link,
                ..program(&command)
            };
            let poll = "client: { poll-bms: { every: 30ms, for: 100ms } }\n\
                expect:\n  - request-count: { of: BMS_GET_VALUES, at_least: 1, at_most: 4 }";
            let scan = "client: { scan-can: {} }\nexpect: [reply-to: PING_CAN]";
            for more in [READ, poll, scan] {
                let run = run(more, &program);
                let told = told(&run);
                assert_eq!(
                    run.verdict.outcome(),
                    Outcome::Passed,
                    "{command} {link}\n{told}"
                );
                assert!(!run.verdict.readings.is_empty(), "{command} {link}");
            }
        }
        let refused =
            "client: { read-bms: { login: { password: other } } }\nexpect: [login-refused]";
        let refused = run(refused, &program(&command));
        assert_eq!(refused.verdict.outcome(), Outcome::Passed, "{command}");
    }
}

/// The harness's own second client, which knows every link.
fn second_client(link: Link) -> Program {
    let harness = env!("CARGO_BIN_EXE_veschub-harness");
    Program {
        link,
        ..program(&format!("'{harness}' client"))
    }
}

#[test]
fn without_a_hub_a_client_reads_the_same_values_without_a_login() {
    for link in [Link::Direct, Link::Pty] {
        let read = run(READ, &second_client(link));
        assert_eq!(read.verdict.outcome(), Outcome::Passed, "{}", told(&read));
        let journal = &read.played.as_ref().unwrap().journal;
        let login = journal
            .iter()
            .any(|entry| entry.to_string().contains("login"));
        assert!(!login && journal.len() > 5, "{link}");
        let more = "client: { read-bms: { login: { password: wrong } } }\nexpect: [login-refused]";
        let refused = run(more, &second_client(link));
        assert_eq!(refused.verdict.outcome(), Outcome::NotApplicable);
        assert!(refused.played.is_none());
        let told = scenarios::skipped(&refused).unwrap();
        let why = format!(
            "test: not applicable: it is about the login to a hub, and with --link {link} there is none"
        );
        assert_eq!(told, why);
    }
}

#[test]
fn a_supervisor_that_does_not_report_is_no_failure_of_the_client() {
    let program = Program {
        supervisor: PathBuf::from("true"),
        ..program("true")
    };
    let loaded = Loaded::demo_with(&[]).unwrap();
    let error = run::run("test", &loaded, &way(&program)).unwrap_err();
    let told = error.to_string();
    assert!(
        told.contains("supervisor of the client did not report"),
        "{told}"
    );
}

#[test]
fn nothing_is_left_running() {
    for (name, script) in [
        (
            "ignores-sigterm",
            "trap '' TERM; while :; do sleep 600; done",
        ),
        ("leaves-children", "sleep 600 & sleep 600 & exit 0"),
        (
            "leaves-the-session",
            "setsid sh -c 'setsid sleep 600 & sleep 600' & exit 0",
        ),
        (
            "leaves-and-ignores",
            "trap '' TERM; setsid sh -c '(sleep 600) & sleep 600; sleep 600' & exit 0",
        ),
        ("hands-its-pipes-on", "setsid sleep 600 2>&1 & sleep 600"),
    ] {
        let marker = format!("veschub-marker-{}-{name}", std::process::id());
        let script_quoted = script.replace('\'', "'\\''");
        let mut program = program(&format!("env MARKER={marker} sh -c '{script_quoted}'"));
        let ends_by_itself = script.ends_with("exit 0");
        if !ends_by_itself {
            program.limit = Some(SOON);
        }
        if name.contains("ignores") {
            program.grace = Duration::from_millis(50);
        }
        let run = run("client: { read-bms: {} }", &program);
        let outcome = match ends_by_itself {
            true => Outcome::Failed,
            false => Outcome::TimedOut,
        };
        assert_eq!(run.verdict.outcome(), outcome, "{name}");
        let report = &run.played.as_ref().unwrap().report;
        if ends_by_itself {
            assert!(report.left_behind > 0, "{name}: {report:?}");
            assert!(
                told(&run).contains("left running"),
                "{name}: {}",
                told(&run)
            );
        } else {
            assert_eq!(report.how, ProcessEnd::TimeUp, "{name}");
        }
        assert_eq!(
            report.killed,
            name.contains("ignores"),
            "{name}: {report:?}"
        );
        assert_eq!(running(&marker), Vec::<String>::new(), "{name}");
    }
}

/// The processes with a text in their environment.
fn running(marker: &str) -> Vec<String> {
    let with_marker = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.ok()?.path();
        let environment = fs::read(path.join("environ")).ok()?;
        let has = environment
            .windows(marker.len())
            .any(|bytes| bytes == marker.as_bytes());
        has.then(|| path.display().to_string())
    };
    fs::read_dir("/proc")
        .unwrap()
        .filter_map(with_marker)
        .collect()
}

#[test]
fn the_cpu_time_of_the_whole_family_is_measured() {
    let busy = "i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done";
    let run = run(
        "client: { read-bms: {} }",
        &program(&format!(
            "sh -c 'sh -c \"{}\" ; true'",
            busy.replace('$', "\\$")
        )),
    );
    let cpu = run.played.unwrap().report.cpu();
    assert!(cpu > Duration::from_millis(5), "{cpu:?}");
}

#[test]
fn what_only_the_reference_client_can_do_is_skipped() {
    let send = run(
        "client: { send: { requests: [FW_VERSION] } }",
        &program("true"),
    );
    assert_eq!(send.verdict.outcome(), Outcome::Skipped);
    assert!(send.played.is_none());
    let text = "version: 1\ndevices:\n  - express: { id: demo-0001, password: not-a-secret, bms: {} }\n\
        client: { poll-bms: { every: 1s, for: 5m } }\n";
    let loaded = Loaded::parse("test", text).unwrap();
    let way = Way {
        longest: Duration::from_secs(30),
        ..way(&program("true"))
    };
    let run = run::run("test", &loaded, &way).unwrap();
    assert!(run.verdict.skipped.unwrap().contains("--longest"));
}
