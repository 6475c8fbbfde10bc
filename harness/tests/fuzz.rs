//! The fuzzer for clients and the keeper of crashes, as programs.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

use std::{fs, path::Path};

use snapbox::cmd::{Command, OutputAssert, cargo_bin};

/// Reads one BMS reply a session, and does MISTAKE with it.
const CARELESS: &str = r#"
import json, os, socket, struct, sys
def session():
    hub = socket.create_connection((os.environ["VESC_HOST"], os.environ["VESC_PORT"]), 5)
    hub.settimeout(0.2)
    try:
        hub.sendall(bytes([2, 1, 96, 0x6C, 0x06 ^ 0, 3]))
        data = hub.recv(4096)
    except OSError:
        data = b""
    hub.close()
    if len(data) > 3 and data[0] == 2 and data[2] == 96:
        MISTAKE
if os.environ["VESC_TASK"] != "read-bms":
    sys.exit(77)
session()
while "VESC_AGAIN" in os.environ:
    print('{"again": true}', flush=True)
    session()
"#;

/// Is sure that a reply is as long as it should be.
const CRASHES: &str = r#"struct.unpack_from(">6iB", data, 3)"#;

/// The program in a file, and the command that runs it.
fn careless(folder: &Path, mistake: &str) -> String {
    let client = folder.join("careless.py");
    let crc = veschub_wire::crc16(&[96]).to_be_bytes();
    let code = CARELESS
        .replace("0x6C, 0x06 ^ 0", &format!("{}, {}", crc[0], crc[1]))
        .replace("MISTAKE", mistake);
    fs::write(&client, code).unwrap();
    format!("python3 {}", text(&client))
}

fn harness(arguments: &[&str]) -> OutputAssert {
    Command::new(cargo_bin!("veschub-harness"))
        .args(arguments)
        .assert()
}

fn json(ran: &OutputAssert) -> serde_json::Value {
    serde_json::from_slice(&ran.get_output().stdout).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Fuzzes a program without a hub between, always with the same tries.
fn fuzz_directly(command: &str, save: &Path, more: &[&str]) -> OutputAssert {
    let always = [
        "fuzz",
        "--client",
        command,
        "--link",
        "direct",
        "--time",
        "5m",
        "--seed",
        "1",
        "--json",
        "--save",
        text(save),
    ];
    harness(&[&always[..], more].concat())
}

#[test]
fn a_program_that_crashes_is_found_out_and_its_scenario_makes_it_crash_again() {
    let folder = tempfile::tempdir().unwrap();
    let command = careless(folder.path(), CRASHES);
    let save = folder.path().join("findings");
    let fuzz = || fuzz_directly(&command, &save, &["--tries", "120"]);
    let ran = fuzz().code(1);
    let report = json(&ran);
    let crash = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["kind"] == "crash");
    let crash = crash.unwrap_or_else(|| panic!("{report:#}"));
    assert_eq!(crash["is_repeated"], true, "{report:#}");
    assert!(
        crash["words"]
            .as_str()
            .unwrap()
            .contains("Python: struct.error"),
        "{report:#}"
    );
    assert!(
        crash["bytes"].as_u64() <= crash["bytes_before"].as_u64(),
        "{report:#}"
    );
    let scenario = save.join(format!("{}.yaml", crash["name"].as_str().unwrap()));
    let again = harness(&[
        "run",
        "--client",
        &command,
        "--link",
        "direct",
        text(&scenario),
    ])
    .code(1);
    let told = String::from_utf8(again.get_output().stdout.clone()).unwrap();
    assert!(told.contains("crashed"), "{told}");
    // The same is found again, and what was saved is not lost.
    let again = fuzz().code(2);
    let told = String::from_utf8(again.get_output().stderr.clone()).unwrap();
    assert!(told.contains("cannot write"), "{told}");
}

#[test]
fn a_program_that_computes_without_end_or_takes_ever_more_memory_is_found_out() {
    for (mistake, kinds, more) in [
        // On a busy machine it does not get enough of the processor to show what it does until the time is up.
        (
            "while len(data) < 27: pass",
            &["spin", "hang"][..],
            &["--tries", "40", "--time-limit", "2s"][..],
        ),
        (
            "big = len(data) < 27 and bytes(range(256)) * 800000",
            &["memory"],
            &["--tries", "120"],
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let command = careless(folder.path(), mistake);
        let save = folder.path().join("findings");
        let report = json(&fuzz_directly(&command, &save, more).code(1));
        let findings = report["findings"].as_array().unwrap();
        let is_it = |found: &serde_json::Value| kinds.iter().any(|kind| found["kind"] == *kind);
        assert!(findings.iter().any(is_it), "{report:#}");
    }
}

#[test]
fn a_client_that_never_connects_is_told_and_not_tried() {
    let ran = harness(&["fuzz", "--client", "true", "--time", "1s"]).code(3);
    let told = String::from_utf8(ran.get_output().stderr.clone()).unwrap();
    assert!(
        told.contains("never connected in a session without changes"),
        "{told}"
    );
}

#[test]
fn a_crash_of_the_fuzzer_becomes_three_files_and_none_of_them_is_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("crash-1");
    // Half a request, byte by byte.
    fs::write(&input, [2, 1, 96, 4, 0, 0, 0, 0, 0, 0, 0]).unwrap();
    let (kept, into) = (folder.path().join("kept"), folder.path().join("into"));
    let arguments = [
        "from-crash",
        text(&input),
        "--name",
        "half-a-request",
        "--regressions",
        text(&kept),
        "--into",
        text(&into),
    ];
    harness(&arguments).success();
    let regression = fs::read(kept.join("half-a-request")).unwrap();
    assert_eq!(regression, fs::read(&input).unwrap());
    let capture = fs::read(into.join("half-a-request.pcapng")).unwrap();
    assert!(capture.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]));
    // Any client can be tried with it; ours is right.
    harness(&["run", text(&into.join("half-a-request.yaml"))]).success();
    harness(&arguments).code(2);
    harness(&[&arguments[..], &["--force"]].concat()).success();
    harness(&["from-crash", text(&input), "--name", "../up"]).code(2);
}
