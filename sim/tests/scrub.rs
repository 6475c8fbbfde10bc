//! `veschub-sim scrub`, and `check` of captures, as a person and as a program meet them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

use std::fs;
use std::path::Path;

use snapbox::{
    cmd::{Command, OutputAssert, cargo_bin},
    str,
};
use tempfile::TempDir;
use veschub_transcript::Side::{Initiator, Responder};
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
        .stdout_eq(str![[r#"
new.pcapng: 5 packets
  replaced  login id           1 in login lines (1 different)
  replaced  login id           1 in other payloads (1 different)
  replaced  password           1 in login lines (1 different)
  replaced  UUID               1 in FW_VERSION replies (1 different)
  replaced  IP address        10 in IP headers (2 different)
  replaced  date               5 in packet times (1 different)
  zeroed                       4 bytes outside of frames

"#]]);
    sim(&folder, &["scrub", "new.pcapng", "again.pcapng"])
        .success()
        .stdout_eq("again.pcapng: 5 packets\n  nothing to replace\n");
    let read = |name| fs::read(folder.path().join(name)).unwrap();
    assert!(read("new.pcapng") == read("again.pcapng"));
    sim(&folder, &["decode", "new.pcapng"])
        .success()
        .stdout_eq(str![[r#"
  0.000           !         the recording starts in the middle of the connection 198.51.100.100:40000 - 0.0.0.10:65101
  0.000           > device  login                  type="VESCTOOL" id="DEMO-0001" password=***
  0.000   +0.000  > device  FW_VERSION
  0.000   +0.000  < tool    FW_VERSION     0.0 ms  firmware="6.05" hardware="VESC Express T" uuid=02de30000001000000000000 paired=false test_version=0 hardware_type=2
  0.000   +0.000  < tool    PRINT                  text="hello demo-0001"
  0.000   +0.000  < tool    noise                  4 bytes: 00000000
1 login, 3 frames, 4 noise bytes; to device: FW_VERSION 1; to tool: FW_VERSION 1, PRINT 1

"#]]);
}

#[test]
fn the_report_for_programs_is_one_object() {
    let folder = folder();
    sim(&folder, &["scrub", "--json", "real.pcapng", "new.pcapng"])
        .success()
        .stderr_eq("")
        .stdout_eq(str![[r#"
{"packets":5,"replaced":[{"what":"login-id","place":"login","distinct":1,"count":1},{"what":"login-id","place":"payload","distinct":1,"count":1},{"what":"password","place":"login","distinct":1,"count":1},{"what":"uuid","place":"fw-version","distinct":1,"count":1},{"what":"ip","place":"ip-header","distinct":2,"count":10},{"what":"date","place":"times","distinct":1,"count":5}],"blanked_bytes":[{"what":"noise","count":4}],"dropped_packets":[],"removed":[],"truncated":null}

"#]]);
}

#[test]
fn nothing_is_written_over_that_was_not_meant() {
    let folder = folder();
    fs::write(folder.path().join("other"), "mine").unwrap();
    sim(&folder, &["scrub", "real.pcapng", "other"])
        .code(2)
        .stdout_eq("")
        .stderr_eq(
            "error: other exists already: choose another name, or add --force to overwrite it\n",
        );
    assert_eq!(fs::read(folder.path().join("other")).unwrap(), b"mine");
    sim(&folder, &["scrub", "--force", "real.pcapng", "other"]).success();
    for same in ["real.pcapng", "./real.pcapng"] {
        sim(&folder, &["scrub", "--force", "real.pcapng", same])
            .code(2)
            .stderr_eq(format!(
                "error: {same}: IN and OUT are the same file: choose another OUT, so that the recording is kept\n"
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
        .stderr_eq("error: cannot write no/such/folder: [..]\n");
    assert_eq!(names(&folder), ["real.pcapng", "text.pcap"]);
}

#[test]
fn a_check_warns_of_a_capture_that_was_not_scrubbed() {
    let folder = folder();
    sim(&folder, &["check", "real.pcapng"])
        .success()
        .stdout_eq("real.pcapng: ok, 1 warning\n")
        .stderr_eq(str![[r#"
warning[W006]: the capture was not scrubbed: login id in login lines (1), login id in other payloads (1), password in login lines (1), UUID in FW_VERSION replies (1), IP address in IP headers (10), date in packet times (5)
--> real.pcapng
 = help: `veschub-sim scrub real.pcapng OUT` replaces them with placeholders

"#]]);
    sim(&folder, &["check", "--strict", "real.pcapng"]).code(2);
    sim(&folder, &["scrub", "real.pcapng", "new.pcapng"]).success();
    sim(&folder, &["check", "--strict", "new.pcapng"])
        .success()
        .stdout_eq("new.pcapng: ok\n");
    fs::write(folder.path().join("text.pcap"), "no capture").unwrap();
    sim(&folder, &["check", "text.pcap", "none.pcap"])
        .code(2)
        .stderr_eq(str![[r#"
error[E001]: not a capture: the file starts with the text "no captu"…, wanted pcap, pcapng or a log of candump; a bare byte stream is read with `--raw to-device` or `--raw to-tool`
--> text.pcap
error[E001]: no such file: check the path; a relative path starts at the current directory
--> none.pcap

"#]]);
}

#[test]
fn a_scenario_that_is_drafted_from_a_scrubbed_capture_passes_a_strict_check() {
    let folder = folder();
    sim(&folder, &["scrub", "real.pcapng", "new.pcapng"]).success();
    for pin in [&[][..], &["--pin"]] {
        let name = format!("drafted{}.yaml", pin.len());
        let args = [&["draft", "new.pcapng", "-o", &name][..], pin].concat();
        sim(&folder, &args).success();
        sim(&folder, &["check", "--strict", &name])
            .success()
            .stdout_eq(format!("{name}: ok\n"));
    }
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
        .stdout_eq(str![[r#"
Copy a capture without its logins, keys, names, addresses and dates

Usage: veschub-sim scrub [OPTIONS] <IN> <OUT>

Arguments:
  <IN>   The recording, a pcap or pcapng file; `-` reads stdin
  <OUT>  The file to write, of the same format

Options:
      --force         Overwrite OUT if it exists
      --keep-noise    Keep bytes outside of frames, such as junk and broken frames; a broken frame
                      may contain secrets
      --keep-unknown  Keep the bytes of unknown commands, bytes after the known fields of others,
                      and unknown configs
      --json          Print the report as one JSON object
  -h, --help          Print help

Replaced by placeholders of the same length, the same one everywhere, so that a replay still works:
login ids and passwords, Wi-Fi names and keys, the host and login of a hub in configs, Bluetooth
names and pins, UUIDs, MAC and IP addresses; also where the same text stands in another payload: in
any case, split over two frames, as hex, base64 or numbers, and in the compressed XML of a config.
The recording begins at 2026-01-01 00:00 UTC; the times between packets stay exact. TCP timestamps,
the numbers of IPv4 packets and the labels of IPv6 flows are removed.
Left out: packets that belong to no VESC session or discovery; comments and names in a pcapng.
Zeroed: bytes outside of frames, unknown commands and configs, unless you keep them.
Kept: ports, device and firmware names, CAN ids, measured values. Free text (PRINT, TERMINAL_CMD)
is kept, except for secrets that also stand in a field: read it before you share the capture:
  veschub-sim scrub recorded.pcap captures/my-session.pcap
  veschub-sim decode --full captures/my-session.pcap
Scrubbing a scrubbed file changes nothing. A text that begins with demo-, not-a- or not-an-, or ends
with .invalid, .example or .test, counts as a placeholder; so do addresses for documentation.

"#]]);
}
