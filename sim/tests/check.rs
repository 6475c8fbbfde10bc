//! `veschub-sim check` as a person and as a program meet it: what is found, how it is told, and the exit codes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

use std::fs;

use serde_json::{Value, json};
use snapbox::{
    cmd::{Command, OutputAssert, cargo_bin},
    str,
};
use tempfile::TempDir;

const ODD: &str = "version: 1
devices:
  - express: { id: demo-0001, password: not-a-secret }
client:
  read-bms: {}
expect:
  - reply-to: GET_VALUES
";

/// A folder with a scenario that has one oddity, and one that has none.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("odd.yaml"), ODD).unwrap();
    let good = ODD.replace("GET_VALUES", "BMS_GET_VALUES");
    fs::write(folder.path().join("good.yaml"), good).unwrap();
    let wrong = ODD.replace("password", "pasword");
    fs::write(folder.path().join("wrong.yaml"), wrong).unwrap();
    folder
}

fn sim(args: &[&str]) -> OutputAssert {
    let folder = folder();
    Command::new(cargo_bin!("veschub-sim"))
        .current_dir(folder.path())
        .args(args)
        .assert()
}

#[test]
fn a_warning_is_told_with_its_code_and_is_no_failure() {
    sim(&["check", "good.yaml", "odd.yaml"])
        .success()
        .stdout_eq("good.yaml: ok\nodd.yaml: ok, 1 warning\n")
        .stderr_eq(str![[r#"
warning[W002]: no reply to GET_VALUES ever comes: this client does not ask for it
 --> odd.yaml:7:15
  |
7 |   - reply-to: GET_VALUES
  |               ^^^^^^^^^^
  |
  = help: it asks for FW_VERSION, GET_CUSTOM_CONFIG, PING_CAN, BMS_GET_VALUES

"#]]);
}

#[test]
fn a_strict_check_takes_warnings_for_mistakes() {
    sim(&["check", "--strict", "good.yaml"]).success();
    sim(&["check", "--strict", "good.yaml", "odd.yaml"])
        .code(2)
        .stdout_eq("good.yaml: ok\n");
}

#[test]
fn a_mistake_has_a_code_as_well() {
    sim(&["check", "wrong.yaml"])
        .code(2)
        .stdout_eq("")
        .stderr_eq(str![[r#"
error[E003]: unknown key `pasword` in `express`
 --> wrong.yaml:3:31
...
"#]]);
}

#[test]
fn json_has_an_object_for_each_finding_and_nothing_else() {
    let output = sim(&["check", "--json", "wrong.yaml", "good.yaml", "odd.yaml"])
        .code(2)
        .stderr_eq("");
    let text = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    let found: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(found.len(), 2);
    assert_eq!(found[0]["code"], "E003");
    assert_eq!(found[0]["level"], "error");
    assert_eq!(found[0]["helps"][0], "did you mean `password`?");
    assert_eq!(
        found[1],
        json!({
            "file": "odd.yaml",
            "line": 7,
            "column": 15,
            "code": "W002",
            "level": "warning",
            "message": "no reply to GET_VALUES ever comes: this client does not ask for it",
            "helps": ["it asks for FW_VERSION, GET_CUSTOM_CONFIG, PING_CAN, BMS_GET_VALUES"],
        })
    );
}

#[test]
fn a_code_is_explained() {
    sim(&["check", "--explain", "w001"])
        .success()
        .stderr_eq("")
        .stdout_eq(str![[r#"
W001: a quirk or fault that can never fire

The client of this scenario never does what sets the quirk or fault off: it never sends that command, or the fault waits for the 9th of 4 requests. The run is the same as without the quirk or fault. You see this warning only in a scenario with a `client` or with `expect`; a scenario without them is meant for `serve`, where any client may connect.

"#]]);
    sim(&["check", "--explain", "W999"])
        .code(2)
        .stderr_eq("error: there is no code W999; the codes are E001, [..], W007\n");
}

#[test]
fn a_value_can_be_set_for_a_check() {
    sim(&["check", "odd.yaml", "--strict", "--set", "expect=[]"]).success();
    sim(&[
        "check",
        "good.yaml",
        "--set",
        "devices.0.express.bms.cells=many",
    ])
    .code(2)
    .stderr_eq(str![[r#"
error[E006]: wrong type for `cells`: wanted a whole number, found the text "many"
 --> --set devices.0.express.bms.cells:1:29
  |
1 | devices.0.express.bms.cells=many
  |                             ^^^^ wanted a whole number

"#]]);
}

#[test]
fn a_value_cannot_be_set_where_there_is_no_scenario() {
    sim(&["serve", "--set", "about=nothing"])
        .code(2)
        .stderr_eq("error: --set needs a scenario, or --demo\n");
    sim(&["serve", "--demo", "--set", "devices.0.express.id=no"])
        .code(2)
        .stderr_eq(str![[r#"
error[E010]: the id `no` has fewer than 3 characters
 --> --set devices.0.express.id:1:22
...
"#]]);
}

#[test]
fn a_file_of_100_megabytes_is_refused_by_its_size() {
    let folder = folder();
    let file = fs::File::create(folder.path().join("large.yaml")).unwrap();
    file.set_len(100_000_000).unwrap();
    Command::new(cargo_bin!("veschub-sim"))
        .current_dir(folder.path())
        .args(["check", "large.yaml"])
        .assert()
        .code(2)
        .stderr_eq(str![[r#"
error[E007]: the file is too large: 1048577 bytes or more, at most 1048576 are read
...
"#]]);
}
