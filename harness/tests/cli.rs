//! The command line as a person meets it: output, messages and exit codes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod frozen;

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use frozen::assert_frozen;
use sha2::{Digest as _, Sha256};
use snapbox::{
    cmd::{Command, OutputAssert, cargo_bin},
    str,
};

fn harness(args: &[&str]) -> OutputAssert {
    Command::new(cargo_bin!("veschub-harness"))
        .current_dir(root())
        .args(args)
        .assert()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn stdout(args: &[&str]) -> String {
    let output = harness(args).get_output().stdout.clone();
    String::from_utf8(output).unwrap()
}

/// Wall times are the only thing that may differ between two runs with one seed.
fn without_wall_times(json: &str) -> String {
    json.lines()
        .map(|line| {
            let (before, after) = line.split_once(r#""wall_s":"#).unwrap_or((line, ","));
            let after = after.split_once(',').unwrap_or_default().1;
            format!("{before}{after}\n")
        })
        .collect()
}

#[test]
fn all_scenarios_pass_without_a_path() {
    let ran = harness(&["run"]).success().stderr_eq("");
    let out = String::from_utf8(ran.get_output().stdout.clone()).unwrap();
    let last = out.lines().last().unwrap();
    assert!(
        last.ends_with(" passed, 0 failed") && !last.starts_with("0 "),
        "{last}"
    );
}

#[test]
fn outside_a_clone_the_scenarios_that_the_program_brings_are_run() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        Command::new(cargo_bin!("veschub-harness"))
            .current_dir(folder.path())
            .args(args)
            .assert()
    };
    let ran = run(&["run", "scenarios/recorded-session-replayed-at-once.yaml"]).success();
    let out = String::from_utf8(ran.get_output().stdout.clone()).unwrap();
    assert!(out.ends_with("1 passed, 0 failed\n"), "{out}");
    run(&["conformance", "1/1"]).success();
    fs::create_dir(folder.path().join("scenarios")).unwrap();
    run(&["run"]).code(2);
}

#[test]
fn the_program_brings_every_scenario_of_the_repository() {
    let names = |path: &Path| -> Vec<OsString> {
        let found = veschub_harness::run::find_scenarios(path).unwrap();
        found
            .iter()
            .map(|path| path.file_name().unwrap().to_owned())
            .collect()
    };
    // A test starts in the folder of its crate, which has no folder of that name.
    assert_eq!(
        names(Path::new("scenarios")),
        names(&root().join("scenarios"))
    );
}

/// In every scenario, and the frozen hashes say: not only twice in a row, but from version to version.
#[test]
fn one_seed_gives_the_same_json_and_the_same_bytes_on_the_wire_and_another_seed_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str, seed: &str| {
        let folder = folder.path().join(name);
        let save = folder.to_str().unwrap();
        // Whether each passes with any seed is not the question.
        let json = without_wall_times(&stdout(&["run", "--json", "--seed", seed, "--save", save]));
        let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap());
        let files = files.map(|file| (file.file_name(), fs::read(file.path()).unwrap()));
        (json, files.collect::<BTreeMap<_, _>>())
    };
    let (json, first) = run("first", "7");
    assert!(json.lines().count() > 20);
    assert!(first.len() > 80);
    let hashes = first.iter().map(|(name, file)| {
        let name = name.to_str().unwrap();
        format!("{name} {:x}\n", Sha256::digest(file))
    });
    assert_frozen("saved.txt", &hashes.collect::<String>());
    let (same_json, again) = run("again", "7");
    assert_eq!(json, same_json);
    let differ = |(name, file): &(&OsString, &Vec<u8>)| again.get(*name) != Some(*file);
    let differ: Vec<_> = first.iter().filter(differ).map(|(name, _)| name).collect();
    assert_eq!(differ, Vec::<&OsString>::new());
    let (other_json, other) = run("other", "8");
    assert_ne!(json, other_json);
    assert_ne!(first, other);
}

#[test]
fn every_line_of_json_is_an_object() {
    let out = stdout(&["run", "--json", "scenarios/rapid-fire-reads-the-pack.yaml"]);
    let lines: Vec<serde_json::Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["verdict"], "passed");
    let readings = lines[0]["readings"].as_array().unwrap();
    let bms = readings
        .iter()
        .find(|one| one["command"] == "BMS_GET_VALUES")
        .unwrap();
    let cells = &bms["fields"]["cell_voltages_v"];
    assert_eq!(cells["truth"].as_array().unwrap().len(), 20);
    assert_eq!(cells["truth"], cells["decoded"]);
    assert_eq!(cells["judgement"], "right");
    let counts = ["passed", "failed", "skipped"].map(|name| lines[1][name].as_u64());
    assert_eq!(counts, [Some(1), Some(0), Some(0)]);
}

#[test]
fn a_difference_is_told_with_truth_and_reason_and_exits_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("too-hopeful.yaml");
    let text = "version: 1\nabout: Expects what cannot be.\ndevices:\n  \
        - express: { id: demo-0001, password: not-a-secret, bms: { cells: 4, cell_voltage_v: 4.0, noise_mv: 0, spread_mv: 0 } }\n\
        expect:\n  - value: { field: total_voltage_v, is: 99 }\n  - no-reply-to: PING_CAN\n";
    fs::write(&path, text).unwrap();
    harness(&["run", path.to_str().unwrap()])
        .code(1)
        .stdout_eq(str![[r#"
...
too-hopeful: Expects what cannot be.

wrong in what the client sent
 field                 truth     decoded  why
 no-reply-to PING_CAN  no reply  a reply  the device answered

 nearest to no-reply-to PING_CAN
   request at 0.050 s: command PING_CAN
   request at 0.050 s: command FW_VERSION instead of PING_CAN
   request at 0.050 s: command BMS_GET_VALUES instead of PING_CAN
   PING_CAN was asked once and answered once
   the connection ended at [..] s: left

wrong in what the client understood
 field                           truth  decoded  why
 BMS_GET_VALUES.total_voltage_v  99     16       the scenario expects a different value

 nearest to BMS_GET_VALUES.total_voltage_v
   reading at [..] s: command BMS_GET_VALUES, total_voltage_v 16 instead of 99
   BMS_GET_VALUES was asked once and answered once
   the connection ended at [..] s: left

0 passed, 1 failed

"#]]);
}

#[test]
fn nothing_to_run_exits_with_2() {
    let folder = tempfile::tempdir().unwrap();
    harness(&["run", folder.path().to_str().unwrap()])
        .code(2)
        .stdout_eq("")
        .stderr_eq(str![[r#"
error: no scenario file below [..]: their names end in .yaml

"#]]);
    harness(&["run", "no/such/place"])
        .code(2)
        .stdout_eq("")
        .stderr_eq(str![[r#"
error: no/such/place: no such file or folder; name a scenario file, or a folder with scenario files

"#]]);
}

#[test]
fn an_unreadable_scenario_points_at_the_mistake_and_exits_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("typo.yaml");
    fs::write(
        &path,
        "version: 1\ndevices:\n  - express: { id: demo-0001, pasword: x }\n",
    )
    .unwrap();
    harness(&["run", path.to_str().unwrap()])
        .code(2)
        .stderr_eq(str![[r#"
error[..]: unknown key `pasword` in `express`
 --> [..]typo.yaml:3:31
...
  = help: did you mean `password`?
...
"#]]);
}

/// Two scenarios in a folder of their own: one to read a pack, one that only the reference client can do.
#[cfg(target_os = "linux")]
fn two_scenarios() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let pack = "version: 1\nhub: { profile: ideal }\ndevices:\n  \
        - express: { id: demo-0001, password: not-a-secret, bus: 'off', bms: { cells: 4 } }\n";
    let read = format!("{pack}expect:\n  - reply-to: BMS_GET_VALUES\n");
    let send = format!("{pack}client: {{ send: {{ requests: [FW_VERSION] }} }}\n");
    fs::write(folder.path().join("b-read.yaml"), &read).unwrap();
    fs::write(folder.path().join("a-send.yaml"), send).unwrap();
    fs::write(folder.path().join("c-read.yaml"), read).unwrap();
    folder
}

#[cfg(target_os = "linux")]
#[test]
fn read_is_a_client_like_any_other_and_the_order_is_that_of_the_scenarios() {
    let folder = two_scenarios();
    let command = format!(
        "{} read --hub {{host}}:{{port}} --id {{id}} --password {{password}} --json",
        cargo_bin!("veschub-harness").display()
    );
    let args = [
        "run",
        "--json",
        "--jobs",
        "3",
        "--client",
        &command,
        folder.path().to_str().unwrap(),
    ];
    let out = stdout(&args);
    let lines: Vec<serde_json::Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let told: Vec<_> = lines
        .iter()
        .map(|line| (&line["scenario"], &line["verdict"]))
        .collect();
    assert_eq!(
        serde_json::json!(told),
        serde_json::json!([
            ["a-send", "skipped"],
            ["b-read", "passed"],
            ["c-read", "passed"],
            [null, null]
        ])
    );
    assert_eq!(
        lines[3],
        serde_json::json!({
            "passed": 2, "failed": 0, "timed_out": 0, "crashed": 0, "skipped": 1, "not_applicable": 0
        })
    );
    assert_eq!(lines[1]["process"]["code"], 0);
    assert_eq!(lines[1]["fields"].get("wrong"), None);
    assert!(lines[1]["fields"]["right"].as_u64() > Some(20));
    assert!(!out.contains("not-a-secret"), "{out}");
    harness(&args).success();
}

#[cfg(target_os = "linux")]
#[test]
fn a_client_that_fails_exits_with_1_and_one_that_can_do_nothing_with_3() {
    let folder = two_scenarios();
    let folder = folder.path().to_str().unwrap();
    harness(&["run", "--client", "true", folder])
        .code(1)
        .stdout_eq(str![[r#"
 scenario  task      verdict  readings[..]
 a-send    -         skipped         0[..]
 b-read    read-bms  FAILED          0[..]
 c-read    read-bms  FAILED          0[..]

b-read: 

wrong in what the client sent
 field       truth     decoded          why
 connection  connects  never connected  the client ended with exit code 0

c-read: 

wrong in what the client sent
 field       truth     decoded          why
 connection  connects  never connected  the client ended with exit code 0

a-send: skipped: only the reference client can do send: it sends the requests of the scenario

0 passed, 2 failed, 1 skipped

"#]]);
    harness(&["run", "--client", "sh -c 'exit 77'", folder]).code(3);
}

#[test]
fn a_client_that_cannot_be_understood_exits_with_2() {
    harness(&["run", "--client", "my-client {prot}"]).code(2).stderr_eq(str![[r#"
error: invalid value 'my-client {prot}' for '--client <COMMAND>': nothing can be filled in for {prot}; there are {link}, {host}, {port}, {pty}, {id}, {password}, {timeout_ms}, {task}
...
"#]]);
    harness(&["run", "--jobs", "2"]).code(2);
}

#[test]
fn the_schema_of_a_reading_is_the_published_one() {
    let path = root().join("harness/reading.schema.json");
    assert_eq!(
        stdout(&["schema", "reading"]),
        fs::read_to_string(path).unwrap()
    );
}

/// A scan that found 84, and what a client made of it.
fn scan_and_reading(reading: &str) -> String {
    format!(
        "{{\"kind\":\"start\",\"journal\":1}}\n\
         {{\"at\":0.5,\"kind\":\"frame\",\"direction\":\"to-tool\",\"payload\":\"3e54\"}}\n\
         {reading}\n"
    )
}

fn judge(input: &str) -> OutputAssert {
    judge_within(input, &[])
}

fn judge_within(input: &str, within: &[&str]) -> OutputAssert {
    Command::new(cargo_bin!("veschub-harness"))
        .args(["judge", "-"])
        .args(within)
        .stdin(input)
        .assert()
}

#[test]
fn judge_compares_readings_with_the_journal_before_them() {
    let right = r#"{"command": "PING_CAN", "fields": {"can_ids": [84]}}"#;
    judge(&scan_and_reading(right))
        .code(0)
        .stdout_eq("1 reading, and it is right\n");
    judge(&scan_and_reading(&format!("{right}\n{right}")))
        .code(0)
        .stdout_eq("2 readings, and all are right\n");
    // What showed nothing does not pass.
    let no_reading = scan_and_reading(r#"{"kind":"closed","at":1}"#);
    for nothing in [&*no_reading, ""] {
        let told = judge(nothing).code(3).stdout_eq("");
        let told = String::from_utf8(told.get_output().stderr.clone()).unwrap();
        assert!(told.starts_with("there is no reading in it"), "{told}");
    }
    let wrong = scan_and_reading(r#"{"fields": {"can_ids": [85]}}"#);
    judge(&wrong).code(1).stdout_eq(str![[r#"
 field                truth  decoded  why
 PING_CAN.can_ids[0]  84     85       a different value; it fits none of the known mistakes

"#]]);
    judge(r#"{"kind": "start", "journal": 9}"#)
        .code(2)
        .stderr_eq("error: -: line 1: this journal has version 9, but this program reads version 1: use both programs from one release\n");
}

#[test]
fn judge_allows_as_much_as_is_given_for_a_field() {
    let off_by_0_4 = r#"{"kind": "start", "journal": 1}
{"at": 0.5, "kind": "frame", "direction": "to-tool", "payload": "320000000100fa"}
{"fields": {"fet_temperature_c": 25.4}}
"#;
    let judged = |within| judge_within(off_by_0_4, &["--within", within]);
    judged("fet_temperature_c=0.5").code(0);
    judged("fet_temperature_c=0.3").code(1);
    judged("motor_temperature_c=0.5").code(1);
    let refused = judged("fet_temperature_c=-1").code(2);
    let told = String::from_utf8(refused.get_output().stderr.clone()).unwrap();
    assert!(
        told.contains("wanted the name of a field and a number from 0"),
        "{told}"
    );
}

#[test]
fn help_teaches_with_an_example() {
    for args in [&["--help"][..], &["run", "--help"], &["read", "--help"]] {
        harness(args).success().stderr_eq("");
    }
    assert!(stdout(&["--help"]).contains("veschub-harness read --hub"));
    assert!(stdout(&["run", "--help"]).contains("Exit codes: 0"));
}

#[test]
fn run_writes_the_same_forms_of_report_as_the_battery() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (page, xml, summary) = (path("run.html"), path("run.xml"), path("run.md"));
    let out = harness(&[
        "run",
        "scenarios/rapid-fire-reads-the-pack.yaml",
        "scenarios/wrong-password.yaml",
        "--set",
        "devices.0.express.bms.cells=12",
        "--html",
        &page,
        "--junit",
        &xml,
        "--markdown",
        &summary,
        "--github",
    ])
    .code(1)
    .get_output()
    .clone();
    let annotations = String::from_utf8(out.stderr).unwrap();
    assert!(
        annotations.contains("::error title=rapid-fire-reads-the-pack"),
        "{annotations}"
    );
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("id=\"case-wrong-password\""));
    let xml = fs::read_to_string(xml).unwrap();
    assert!(xml.contains("classname=\"scenarios\"") && xml.contains("failures=\"1\""));
    let summary = fs::read_to_string(summary).unwrap();
    assert!(
        summary.starts_with("## ❌ Scenarios with the reference client"),
        "{summary}"
    );
    assert!(
        summary.contains(
            "veschub-harness run --set 'devices.0.express.bms.cells=12' scenarios/rapid-fire-reads-the-pack.yaml"
        ),
        "{summary}"
    );
}

#[test]
fn a_scenario_that_never_ends_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("endless.yaml");
    let text = "version: 1\ndevices:\n  - express: { id: demo-0001, password: not-a-secret, bms: { cells: 4 } }\n\
                client: { poll-bms: { every: 1h, for: 18446744073709551615ns } }\n";
    fs::write(&path, text).unwrap();
    let out = harness(&["run", path.to_str().unwrap()]).code(2);
    let stderr = String::from_utf8(out.get_output().stderr.clone()).unwrap();
    let told = "is not over after 24 hours of its own time";
    assert!(stderr.contains(told), "{stderr}");
}

/// What clients, scenarios and file names say does not act on the terminal.
#[test]
fn no_foreign_text_acts_on_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a\u{1b}[2J\u{9b}\u{202e}.yaml");
    let text = "version: 1\nabout: \"b\\e[31m\\a\\x9b\\u202e\"\ndevices:\n  - express: { id: demo-0001, password: not-a-secret, bms: { cells: 4 } }\n";
    fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap();
    // What a client prints, as data and as an error.
    let script = folder.path().join("client.sh");
    let hostile = r#"printf '{"of":"BMS_GET_VALUES","fields":{"status":"\\u001b[2J\\u009b\\u202e"}}\nx\033[31m\302\233\342\200\256\n'
printf 'x\033[31m\a\302\233\342\200\256\n' >&2
"#;
    fs::write(&script, hostile).unwrap();
    let client = format!("sh {}", script.display());
    // A mistake is told with the name of the file and the line.
    let mistaken = folder.path().join("b\u{1b}[2J\u{9b}\u{202e}.yaml");
    fs::write(&mistaken, "version: 1\nno: x # \u{9b}\u{202e}\n").unwrap();
    let mistaken = mistaken.to_str().unwrap();
    for args in [
        &["run", "--verbose", path][..],
        &["run", "--verbose", "--client", &client, path],
        &["conformance", "--client", &client, "1/1"],
        &["run", &format!("{path}.none")],
        &["run", mistaken],
    ] {
        let out = harness(args).get_output().clone();
        let text = String::from_utf8([out.stdout, out.stderr].concat()).unwrap();
        let acts = |c: &char| matches!(c, '\u{1b}' | '\u{7}' | '\u{80}'..='\u{9f}' | '\u{202e}');
        assert_eq!(text.chars().find(acts), None, "{args:?}: {text:?}");
        // It was there.
        let is_shown = ["202e", "202E", "\u{fffd}"]
            .iter()
            .any(|one| text.contains(one));
        assert!(is_shown, "{args:?}: {text}");
    }
}

#[test]
fn captures_are_saved_beside_each_other_and_replace_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let text = "version: 1\ndevices:\n  - express: { id: demo-0001, password: not-a-secret, bms: { cells: 4 } }\n";
    let mut paths = Vec::new();
    for part in ["one", "two"] {
        fs::create_dir(folder.path().join(part)).unwrap();
        let path = folder.path().join(part).join("same.yaml");
        fs::write(&path, text).unwrap();
        paths.push(path.to_str().unwrap().to_owned());
    }
    let saved = folder.path().join("saved");
    let args = [
        "run",
        "--save",
        saved.to_str().unwrap(),
        &paths[0],
        &paths[1],
    ];
    harness(&args).success();
    let names = || {
        let files = fs::read_dir(&saved).unwrap();
        let mut names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(), ["same-2.pcapng", "same.pcapng"]);
    // Another run replaces them; a link is replaced, and not what it leads to.
    let other = folder.path().join("other");
    fs::write(&other, "not to be lost").unwrap();
    fs::remove_file(saved.join("same.pcapng")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(&other, saved.join("same.pcapng")).unwrap();
    harness(&args).success();
    assert_eq!(fs::read_to_string(&other).unwrap(), "not to be lost");
    // A file that is no capture stays.
    fs::write(saved.join("same.pcapng"), "not to be lost").unwrap();
    harness(&args).code(2);
    assert_eq!(
        fs::read_to_string(saved.join("same.pcapng")).unwrap(),
        "not to be lost"
    );
}

#[test]
fn no_name_of_a_file_acts_on_the_terminal() {
    const HOSTILE: &str = "a\u{1b}[2J\u{9b}\u{202e}";
    let folder = tempfile::tempdir().unwrap();
    let file = |end: &str| {
        let path = folder.path().join(format!("{HOSTILE}{end}"));
        path.to_str().unwrap().to_owned()
    };
    let (bad, none, below) = (file("bad.yaml"), file("none"), file("bad.yaml/x"));
    fs::write(&bad, "version: 1\nno: x # \u{9b}\u{202e}\n").unwrap();
    let crash = file("crash");
    fs::write(&crash, "crash").unwrap();
    let mut wrong: Vec<String> = Vec::new();
    for args in [
        vec!["run", &bad],
        vec!["run", &none],
        vec!["conformance", "--known-defects", &none, "1/1"],
        vec!["conformance", HOSTILE],
        vec!["report", &none],
        vec!["report", &bad],
        vec!["matrix", &none],
        vec!["matrix", &bad],
        vec!["read", "--direct", "--hub", &format!("{HOSTILE}:1")],
        vec!["read", "--direct", "--hub", HOSTILE],
        vec![
            "read",
            "--hub",
            "127.0.0.1:1",
            "--id",
            "x",
            "--password-file",
            &none,
        ],
        vec!["judge", &none],
        vec!["judge", "--within", HOSTILE],
        vec!["fuzz", "--client", "true", &bad],
        vec!["fuzz", "--client", "true", &none],
        vec!["from-crash", &none],
        vec![
            "from-crash",
            &crash,
            "--into",
            &below,
            "--regressions",
            &below,
        ],
        vec!["soak", HOSTILE],
        vec!["schema", HOSTILE],
        vec!["completions", HOSTILE],
        vec!["man", &below],
        vec!["sim", "check", &bad],
        vec![HOSTILE],
    ] {
        let out = harness(&args).get_output().clone();
        let said = String::from_utf8([out.stdout, out.stderr].concat()).unwrap();
        let acts = |c: char| matches!(c, '\u{1b}' | '\u{7}' | '\u{80}'..='\u{9f}' | '\u{202e}');
        if said.chars().any(acts) || !said.contains(r"\u{1b}[2J\u{9b}\u{202e}") {
            wrong.push(format!("{args:?}: {said:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
