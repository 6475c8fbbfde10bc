//! The battery on the command line: which cases are run, what is told of them, and exit codes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use veschub_harness::{
    conformance::Carrier,
    report::model::{Outcome, Report},
};
use veschub_transcript::{Options, Transcript};

struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

fn conformance(args: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_veschub-harness"))
        .arg("conformance")
        .args(args)
        .output()
        .unwrap();
    Ran {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn ids(args: &[&str]) -> Vec<String> {
    let mut all = vec!["--list"];
    all.extend(args);
    let ran = conformance(&all);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let id = |line: &str| line.split_whitespace().next().unwrap().to_owned();
    ran.stdout.lines().map(id).collect()
}

/// The command of the second client with a defect.
fn defective(defect: &str) -> String {
    let program = env!("CARGO_BIN_EXE_veschub-harness");
    format!("'{program}' client --defect {defect}")
}

#[test]
fn without_a_client_the_reference_client_passes_everything_that_counts() {
    let ran = conformance(&["--strict"]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    let last = ran.stdout.lines().last().unwrap();
    assert!(last.contains(" passed, 0 failed"), "{last}");
    assert!(!ran.stdout.contains('\x1b'), "colours in a pipe");
    assert_eq!(ran.stderr, "");
}

#[test]
fn sections_and_cases_can_be_picked() {
    let two = ids(&["2"]);
    assert!(two.len() > 20 && two.iter().all(|id| id.starts_with("2/")));
    assert_eq!(ids(&["8/2", "1/1"]), ["1/1", "8/2"]);
    for (wrong, told) in [
        ("99", "there is no section 99"),
        ("2/99", "there is no case 2/99"),
        ("2/x", "`2/x` is not a case"),
        ("two", "`two` is neither a section nor a case"),
    ] {
        let ran = conformance(&["--list", wrong]);
        assert_eq!(ran.code, 2);
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
}

#[test]
fn all_shares_together_are_all_cases() {
    let all = ids(&[]);
    let mut together = Vec::new();
    for number in 1..=5 {
        let share = ids(&["--shard", &format!("{number}/5")]);
        assert!(share.len() >= all.len() / 5);
        together.extend(share);
    }
    assert_eq!(together.len(), all.len());
    assert_eq!(
        together.into_iter().collect::<BTreeSet<_>>(),
        all.into_iter().collect()
    );
    for wrong in ["0/3", "4/3", "1/0", "x"] {
        let ran = conformance(&["--shard", wrong, "--list"]);
        assert_eq!(ran.code, 2);
        assert!(ran.stderr.contains("is not a share"), "{}", ran.stderr);
    }
}

#[test]
fn a_case_can_be_shown_as_a_scenario() {
    let ran = conformance(&["--show", "2/12"]);
    assert_eq!(ran.code, 0);
    veschub_scenario::Loaded::parse("shown", &ran.stdout).unwrap();
    assert_eq!(conformance(&["--show", "2"]).code, 2);
}

#[test]
fn json_is_one_report() {
    let ran = conformance(&["--json", "--seed", "7", "5/17", "1/2"]);
    assert_eq!(ran.code, 0);
    let report: Report = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((report.version, report.seed, report.cases.len()), (1, 7, 2));
    let case = &report.cases[1];
    assert_eq!(case.reproduce, "veschub-harness conformance --seed 7 5/17");
    let reply = case
        .transcript
        .iter()
        .rfind(|step| step.hex.is_some())
        .unwrap();
    assert_eq!(reply.command.as_deref(), Some("BMS_GET_VALUES"));
    assert!(reply.hex.as_ref().unwrap().starts_with("60"));
}

#[test]
fn a_report_does_not_tell_the_password_that_a_config_has() {
    let ran = conformance(&["--json", "3/3"]);
    let hex = |text: &str| -> String { text.bytes().map(|byte| format!("{byte:02x}")).collect() };
    let report: Report = serde_json::from_str(&ran.stdout).unwrap();
    let steps = report.cases.iter().flat_map(|case| &case.transcript);
    let configs: Vec<&str> = steps
        .filter(|step| step.command.as_deref() == Some("GET_CUSTOM_CONFIG"))
        .filter(|step| step.direction.as_deref() == Some("to-tool"))
        .filter_map(|step| step.hex.as_deref())
        .collect();
    assert!(!configs.is_empty());
    for config in configs {
        assert!(config.contains(&hex("\0***\0")), "{config}");
    }
    for secret in ["not-a-secret", &hex("not-a-secret")] {
        assert!(!ran.stdout.contains(secret));
    }
}

#[cfg(unix)]
#[test]
fn a_program_that_gets_it_wrong_is_told_how_and_what_failed_can_be_run_again() {
    let folder = tempfile::tempdir().unwrap();
    let failed = folder.path().join("failed.txt");
    let failed = failed.to_str().unwrap();
    let client = defective("unsigned-temperatures");
    let ran = conformance(&["--client", &client, "--failed", failed, "5/17", "5/18"]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    for told in [
        "5/17 FAILED  Temperatures below zero (MUST)",
        "BMS_GET_VALUES.temperatures_c[0]",
        "650.",
        "read without its sign: the field is signed",
        "rerun     veschub-harness conformance --client",
        "1 passed, 1 failed",
    ] {
        assert!(ran.stdout.contains(told), "{told}: {}", ran.stdout);
    }
    assert_eq!(
        fs::read_to_string(failed).unwrap(),
        "5/17  Temperatures below zero\n"
    );
    assert_eq!(ids(&["--only-from", failed]), ["5/17"]);
}

#[cfg(unix)]
#[test]
fn a_known_defect_does_not_fail_a_run_and_one_that_is_gone_does() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("known-defects.toml");
    let list = list.to_str().unwrap();
    let entry = "[[defect]]\ncase = \"5/17\"\nreason = \"no sign\"\nplace = \"values.rs\"\n";
    fs::write(list, entry).unwrap();
    let client = defective("unsigned-temperatures");
    let known = conformance(&["--client", &client, "--known-defects", list, "5/17"]);
    assert_eq!(known.code, 0, "{}", known.stdout);
    assert!(
        known.stdout.contains("0 passed, 0 failed, 1 known"),
        "{}",
        known.stdout
    );

    let gone = conformance(&["--known-defects", list, "5/17"]);
    assert_eq!(gone.code, 1);
    assert!(
        gone.stdout.contains("passes now; remove the entry"),
        "{}",
        gone.stdout
    );

    fs::write(list, "[[defect]]\ncase = 17\n").unwrap();
    let bad = conformance(&["--known-defects", list, "5/17"]);
    assert_eq!(bad.code, 2);
    assert!(bad.stderr.contains("known-defects.toml"), "{}", bad.stderr);
}

#[cfg(unix)]
#[test]
fn what_is_skipped_is_no_success_and_a_should_counts_only_when_asked_for() {
    let none = conformance(&["--client", "sh -c 'exit 77'", "2/1"]);
    assert_eq!(none.code, 3, "{}", none.stdout);
    assert!(
        none.stdout
            .contains("the client cannot do scan-can: exit code 77")
    );

    let client = defective("connects-for-every-poll");
    let lenient = conformance(&["--client", &client, "8/2"]);
    assert_eq!(lenient.code, 0, "{}", lenient.stdout);
    assert!(
        lenient
            .stdout
            .contains("1 of them SHOULD, which --strict counts")
    );
    assert_eq!(
        conformance(&["--client", &client, "--strict", "8/2"]).code,
        1
    );
}

#[cfg(unix)]
#[test]
fn what_a_link_cannot_show_is_not_applicable_and_counts_neither_way() {
    let client = format!("'{}' client", env!("CARGO_BIN_EXE_veschub-harness"));
    let cases = ["1/2", "2/1", "7/1", "7/6"];
    for (link, summary) in [
        ("hub", "4 passed, 0 failed"),
        ("direct", "2 passed, 0 failed, 2 not applicable"),
        ("pty", "1 passed, 0 failed, 3 not applicable"),
    ] {
        let mut args = vec!["--client", &client, "--link", link];
        args.extend(cases);
        let ran = conformance(&args);
        assert_eq!(ran.code, 0, "{}", ran.stdout);
        assert_eq!(ran.stdout.lines().last(), Some(summary), "{}", ran.stdout);
    }
    let none = conformance(&["--link", "direct", "1/2"]);
    assert_eq!(none.code, 3, "{}", none.stdout);
    let pty = conformance(&["--link", "pty", "2/1"]);
    assert_eq!(pty.code, 2);
    assert!(pty.stderr.contains("--client"), "{}", pty.stderr);
    let place = conformance(&["--client", "c {port}", "--link", "pty", "2/1"]);
    assert_eq!(place.code, 2);
    assert!(place.stderr.contains("{port}"), "{}", place.stderr);
}

#[cfg(unix)]
#[test]
fn a_crash_and_the_time_limit_have_outcomes_of_their_own() {
    let crash = conformance(&["--client", "sh -c 'kill -SEGV $$'", "1/1"]);
    assert_eq!(crash.code, 1);
    for told in [
        "1/1 CRASHED",
        "crashed: signal 11 (SIGSEGV)",
        "0 passed, 0 failed, 1 crashed",
    ] {
        assert!(crash.stdout.contains(told), "{told}: {}", crash.stdout);
    }
    let late = conformance(&["--client", "sleep 60", "--time-limit", "300ms", "1/1"]);
    assert_eq!(late.code, 1);
    let last = late.stdout.lines().last();
    assert_eq!(last, Some("0 passed, 0 failed, 1 timed out"));
}

#[cfg(unix)]
#[test]
fn a_client_that_never_gets_in_is_told_so_once() {
    let ran = conformance(&["--client", "true", "--jobs", "2", "2"]);
    assert_eq!(ran.code, 3, "{}", ran.stdout);
    assert!(
        ran.stdout
            .contains("not judged because of 1/1, which failed"),
        "{}",
        ran.stdout
    );
    let basis = conformance(&["--client", "true", "1/1"]);
    assert_eq!(basis.code, 1);
    assert!(basis.stdout.contains("never connected"), "{}", basis.stdout);
}

#[cfg(unix)]
#[test]
fn cpu_time_behind_the_end_is_seen_of_a_process() {
    let ran = conformance(&["--client", &defective("spins-at-eof"), "7/3"]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("CPU time"), "{}", ran.stdout);
}

/// What a client can ask for decides what is carried in cases that are not about values.
#[cfg(unix)]
#[test]
fn a_client_for_motors_alone_is_judged_by_the_cases_that_are_not_about_a_bms() {
    let script = format!(
        "sh -c 'test $VESC_TASK = read-motor || exit 77; exec {} client'",
        env!("CARGO_BIN_EXE_veschub-harness")
    );
    let ran = conformance(&["--client", &script, "--json", "2/22", "3/1", "5/10", "9/2"]);
    let report: Report = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report.carrier, Carrier::Motor);
    let outcomes: Vec<(String, Outcome)> = report
        .cases
        .iter()
        .map(|case| (case.id.to_string(), case.outcome))
        .collect();
    let outcome = |id: &str| {
        outcomes
            .iter()
            .find(|(one, _)| one == id)
            .map(|(_, what)| *what)
    };
    assert_eq!(outcome("2/22"), Some(Outcome::Passed), "{}", ran.stdout);
    assert_eq!(outcome("3/1"), Some(Outcome::Passed));
    assert_eq!(outcome("5/10"), Some(Outcome::Skipped));
    assert_eq!(outcome("9/2"), Some(Outcome::Passed));
}

/// The published schema; `VESCHUB_UPDATE=1` writes it anew.
#[test]
fn the_published_schema_is_the_one_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance.schema.json");
    let schema = format!("{:#}\n", veschub_harness::report::model::json_schema());
    if std::env::var_os("VESCHUB_UPDATE").is_some() {
        fs::write(&path, &schema).unwrap();
    }
    assert_eq!(fs::read_to_string(path).unwrap(), schema);
}

#[test]
fn reports_and_captures_are_left_where_they_are_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (page, junit, summary, saved) = (path("r.html"), path("r.xml"), path("r.md"), path("wire"));
    let ran = conformance(&[
        "2/1",
        "5/17",
        "--html",
        &page,
        "--junit",
        &junit,
        "--markdown",
        &summary,
        "--save",
        &saved,
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for (file, holds) in [
        (page, "<!DOCTYPE html>"),
        (junit, "<testsuites"),
        (summary, "passed"),
    ] {
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(holds), "{file}");
    }
    for name in ["2-1.pcapng", "5-17.pcapng"] {
        let capture = fs::read(Path::new(&saved).join(name)).unwrap();
        let told = Transcript::from_capture(&capture[..], &Options::default()).unwrap();
        assert!(told.count().frames > 1, "{name}");
    }
}
