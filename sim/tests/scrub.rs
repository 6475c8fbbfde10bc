//! `veschub-sim scrub`, and `check` of captures, as a person and as a program meet them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

use std::fs;
use std::path::Path;

use snapbox::{
    cmd::{Command, OutputAssert, cargo_bin},
    str,
};
use tempfile::TempDir;
use veschub_transcript::tcp::Side::{Initiator, Responder};
use veschub_transcript::write::{Endpoints, SessionWriter};
use veschub_wire::encode;

fn capture() -> Vec<u8> {
    let tool = "192.168.178.21:40000".parse().unwrap();
    let ends = Endpoints::new(tool, "10.8.0.7:65101".parse().unwrap());
    let mut session = SessionWriter::new(Vec::new(), ends, 1_700_000_000_000_000_000).unwrap();
    let mut say = |at, side, bytes: &[u8]| session.data(at, side, bytes).unwrap();
    say(1, Initiator, b"VESCTOOL:Bike-4711:hunter2-hunter2\n");
    say(2, Initiator, &encode(&[0]).unwrap());
    let version = b"\0\x06\x05VESC Express T\0\xA4\xE5\x7C\x11\x22\x33\0\0\0\0\0\0\0\0\x02";
    say(3, Responder, &encode(version).unwrap());
    say(4, Responder, &encode(b"\x15hello Bike-4711").unwrap());
    say(5, Responder, b"junk");
    session.finish().unwrap()
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("real.pcapng"), capture()).unwrap();
    folder
}

fn sim(folder: &TempDir, args: &[&str]) -> OutputAssert {
    Command::new(cargo_bin!("veschub-sim"))
        .current_dir(folder.path())
        .args(args)
        .assert()
}

fn names(folder: &TempDir) -> Vec<String> {
    let files = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_capture_is_scrubbed_and_what_was_done_is_told() {
    let folder = folder();
    sim(&folder, &["scrub", "real.pcapng", "new.pcapng"])
        .success()
        .stderr_eq("")
        .stdout_eq(str![[r#""#]]);
    sim(&folder, &["scrub", "new.pcapng", "again.pcapng"])
        .success()
        .stdout_eq("again.pcapng: 5 packets\n  nothing to replace\n");
    let read = |name| fs::read(folder.path().join(name)).unwrap();
    assert!(read("new.pcapng") == read("again.pcapng"));
    sim(&folder, &["decode", "new.pcapng"])
        .success()
        .stdout_eq(str![[r#""#]]);
}

#[test]
fn the_report_for_programs_is_one_object() {
    let folder = folder();
    sim(&folder, &["scrub", "--json", "real.pcapng", "new.pcapng"])
        .success()
        .stderr_eq("")
        .stdout_eq(str![[r#""#]]);
}

#[test]
fn nothing_is_written_over_that_was_not_meant() {
    let folder = folder();
    fs::write(folder.path().join("other"), "mine").unwrap();
    sim(&folder, &["scrub", "real.pcapng", "other"])
        .code(2)
        .stdout_eq("")
        .stderr_eq("error: other: it is there already: choose another name, or add --force to replace it\n");
    assert_eq!(fs::read(folder.path().join("other")).unwrap(), b"mine");
    sim(&folder, &["scrub", "--force", "real.pcapng", "other"]).success();
    for same in ["real.pcapng", "./real.pcapng"] {
        sim(&folder, &["scrub", "--force", "real.pcapng", same])
            .code(2)
            .stderr_eq(format!(
                "error: {same}: IN and OUT are the same file: write to another one, so that the recording stays\n"
            ));
    }
    assert!(fs::read(folder.path().join("real.pcapng")).unwrap() == capture());
}

#[test]
fn a_failure_leaves_no_file() {
    let folder = folder();
    fs::write(folder.path().join("text.pcap"), "no capture").unwrap();
    sim(&folder, &["scrub", "text.pcap", "new.pcap"])
        .code(2)
        .stdout_eq("")
        .stderr_eq("error: text.pcap: not a capture: [..]\n");
    sim(&folder, &["scrub", "none.pcap", "new.pcap"]).code(2);
    sim(&folder, &["scrub", "real.pcapng", "no/such/folder"])
        .code(2)
        .stderr_eq("error: no/such/folder: cannot write it: [..]\n");
    assert_eq!(names(&folder), ["real.pcapng", "text.pcap"]);
}

#[test]
fn a_check_warns_of_a_capture_that_was_not_scrubbed() {
    let folder = folder();
    sim(&folder, &["check", "real.pcapng"])
        .success()
        .stdout_eq("real.pcapng: ok, 1 warning\n")
        .stderr_eq(str![[r#""#]]);
    sim(&folder, &["check", "--strict", "real.pcapng"]).code(2);
    sim(&folder, &["scrub", "real.pcapng", "new.pcapng"]).success();
    sim(&folder, &["check", "--strict", "new.pcapng"])
        .success()
        .stdout_eq("new.pcapng: ok\n");
    fs::write(folder.path().join("text.pcap"), "no capture").unwrap();
    sim(&folder, &["check", "text.pcap", "none.pcap"])
        .code(2)
        .stderr_eq(str![[r#""#]]);
}

#[test]
fn the_captures_of_this_repository_pass_a_strict_check() {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../captures");
    let files = fs::read_dir(captures).unwrap();
    let files = files.map(|file| file.unwrap().path().into_os_string());
    let files: Vec<String> = files.map(|file| file.into_string().unwrap()).collect();
    let captures = files.iter().map(String::as_str);
    let captures = captures.filter(|file| file.contains(".pcap"));
    let args: Vec<&str> = ["check", "--strict"].into_iter().chain(captures).collect();
    assert!(args.len() > 2);
    sim(&folder(), &args).success();
}

#[test]
fn the_help_says_what_is_replaced_and_what_is_not() {
    sim(&folder(), &["scrub", "--help"])
        .success()
        .stdout_eq(str![[r#""#]]);
}
