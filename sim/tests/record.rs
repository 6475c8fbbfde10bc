//! Sessions into capture files while they go on: `veschub-sim record` and `--save`.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::{
    fs,
    io::{ErrorKind, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command as Process,
};

use common::{PATIENCE, Served, ask, frame};
use snapbox::cmd::cargo_bin;
use tempfile::TempDir;
use veschub_transcript::{Direction, Kind, Options, Transcript};

const LOGIN: &[u8] = b"VESCTOOL:demo-0001:not-a-secret\n";
const FW_VERSION: u8 = 0;
const BMS: u8 = 96;

fn folder() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("session.pcapng");
    (folder, file)
}

fn recorder(upstream: &Served, file: &Path, more: &[&str]) -> Served {
    let upstream = upstream.address.to_string();
    let mut args = vec![
        "record",
        "--upstream",
        &upstream,
        "-o",
        file.to_str().unwrap(),
    ];
    args.extend(more);
    Served::start(&args)
}

/// A tool that is attached; the hub tells, as success is silence.
fn login(through: &Served, hub: &mut Served) -> TcpStream {
    let mut tool = through.connect();
    tool.write_all(LOGIN).unwrap();
    hub.says("attached");
    tool
}

fn read(file: &Path) -> Transcript {
    let file = fs::read(file).unwrap();
    Transcript::from_capture(&file[..], &Options::default()).unwrap()
}

/// The payloads of one direction.
fn payloads(transcript: &Transcript, way: Direction) -> Vec<Vec<u8>> {
    let frames = transcript
        .entries
        .iter()
        .filter(|entry| entry.direction == Some(way));
    let payload = |entry: &veschub_transcript::Entry| match &entry.kind {
        Kind::Frame(frame) => Some(frame.payload.clone()),
        _ => None,
    };
    frames.filter_map(payload).collect()
}

fn holds(file: &Path, text: &[u8]) -> bool {
    fs::read(file)
        .unwrap()
        .windows(text.len())
        .any(|part| part == text)
}

#[test]
fn a_session_is_recorded_as_it_was_without_its_password() {
    let (_folder, file) = folder();
    let mut hub = Served::start(&["serve", "--demo"]);
    let recorder = recorder(&hub, &file, &[]);
    let mut tool = login(&recorder, &mut hub);
    let replies = [ask(&mut tool, &[FW_VERSION]), ask(&mut tool, &[BMS])];
    drop(tool);
    hub.says("left");
    recorder.signal("-INT");
    let (status, stdout, stderr) = recorder.end();
    assert!(status.success(), "{stderr}");
    assert_eq!(stdout, "");
    assert!(
        stderr.contains("1 connection, 2 requests, 2 replies, 0 noise bytes"),
        "{stderr}"
    );
    assert!(
        stderr.contains("password=***") && !stderr.contains("not-a-secret"),
        "{stderr}"
    );
    assert!(!holds(&file, b"not-a-secret"));
    let transcript = read(&file);
    assert_eq!(
        payloads(&transcript, Direction::ToDevice),
        [[FW_VERSION], [BMS]]
    );
    assert_eq!(payloads(&transcript, Direction::ToTool), replies);
    assert!(transcript.truncated.is_none());
}

#[test]
fn a_recorder_that_is_killed_leaves_a_file_that_can_be_read() {
    let (_folder, file) = folder();
    let mut hub = Served::start(&["serve", "--demo"]);
    let mut recorder = recorder(&hub, &file, &["--verbose"]);
    let mut tool = login(&recorder, &mut hub);
    let reply = ask(&mut tool, &[BMS]);
    recorder.says("< tool    BMS_GET_VALUES");
    recorder.signal("-KILL");
    recorder.end();
    assert_eq!(payloads(&read(&file), Direction::ToTool), [reply]);
}

#[test]
fn a_recording_that_stops_is_told_at_once_and_counts_only_what_is_in_the_file() {
    let (_folder, file) = folder();
    let mut hub = Served::start(&["serve", "--demo"]);
    let mut program = Process::new("sh");
    program
        .args(["-c", "ulimit -f 4; exec \"$0\" \"$@\""])
        .arg(cargo_bin!("veschub-sim"))
        .args(["record", "--upstream", &hub.address.to_string(), "-o"])
        .arg(&file);
    let recorder = Served::spawn(program);
    let mut tool = login(&recorder, &mut hub);
    // Nobody ends the recorder, and what it said last may arrive or not.
    while tool.write_all(&frame(&[FW_VERSION])).is_ok()
        && tool.read(&mut [0; 512]).is_ok_and(|count| count > 0)
    {}
    let (status, _, stderr) = recorder.end();
    assert_eq!(status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("ends early"), "{stderr}");
    let recorded = read(&file);
    let requests = payloads(&recorded, Direction::ToDevice).len();
    let replies = payloads(&recorded, Direction::ToTool).len();
    assert!(requests > 3, "{requests}");
    let told = format!("1 connection, {requests} requests, {replies} replies");
    assert!(stderr.contains(&told), "{told}: {stderr}");
}

#[test]
fn a_stderr_that_nobody_reads_stops_neither_a_recorder_nor_its_end() {
    let (_folder, file) = folder();
    let mut hub = Served::start(&["serve", "--demo"]);
    let recorder = recorder(&hub, &file, &["--verbose"]);
    let mut tool = login(&recorder, &mut hub);
    // Each of these is told in a line, and 64 KiB fill a pipe.
    tool.write_all(&frame(&[250]).repeat(3000)).unwrap();
    ask(&mut tool, &[FW_VERSION]);
    recorder.signal("-TERM");
    let (status, told) = recorder.end_unread();
    assert_eq!(status.code(), Some(0));
    assert!(told > 60_000, "{told} bytes");
    let sent = payloads(&read(&file), Direction::ToDevice);
    assert_eq!(sent.len(), 3001);
}

#[test]
fn a_password_is_kept_only_where_that_is_asked_for() {
    let (_folder, file) = folder();
    let mut hub = Served::start(&["serve", "--demo"]);
    let recorder = recorder(&hub, &file, &["--keep-credentials"]);
    drop(login(&recorder, &mut hub));
    hub.says("left");
    recorder.signal("-TERM");
    recorder.end();
    assert!(holds(&file, LOGIN));
}

#[test]
fn bytes_and_ends_pass_untouched() {
    let (_folder, file) = folder();
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = upstream.local_addr().unwrap().to_string();
    let mut recorder = Served::start(&[
        "record",
        "--upstream",
        &address,
        "-o",
        file.to_str().unwrap(),
    ]);

    // Any bytes; and an end on one side leaves the other one open.
    let mut client = recorder.connect();
    let (mut server, _) = upstream.accept().unwrap();
    server.set_read_timeout(Some(PATIENCE)).unwrap();
    let sent: Vec<u8> = (0..100_000_u32).map(|n| (n * 7 + n / 251) as u8).collect();
    client.write_all(&sent).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut got = Vec::new();
    server.read_to_end(&mut got).unwrap();
    assert_eq!(got, sent);
    server.write_all(&sent).unwrap();
    drop(server);
    got.clear();
    client.read_to_end(&mut got).unwrap();
    assert_eq!(got, sent);

    // A break on one side is one on the other.
    let mut client = recorder.connect();
    let (mut server, _) = upstream.accept().unwrap();
    // Before the recorder is through with connecting, it would be no connection at all.
    client.write_all(b"x").unwrap();
    server.read_exact(&mut [0]).unwrap();
    let server = socket2::Socket::from(server);
    server.set_linger(Some(std::time::Duration::ZERO)).unwrap();
    drop(server);
    let broken = client.read(&mut [0]).unwrap_err();
    assert_eq!(broken.kind(), ErrorKind::ConnectionReset);

    recorder.says("#2 reset by the other side");
    recorder.signal("-INT");
    let (status, _, stderr) = recorder.end();
    assert!(status.success(), "{stderr}");
}

#[test]
fn a_hub_that_is_not_there_is_said_and_breaks_the_client_off() {
    let (_folder, file) = folder();
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    let mut recorder = Served::start(&[
        "record",
        "--upstream",
        &nobody,
        "-o",
        file.to_str().unwrap(),
    ]);
    let mut client = recorder.connect();
    let broken = client.read(&mut [0]).unwrap_err();
    assert_eq!(broken.kind(), ErrorKind::ConnectionReset);
    recorder.says(&format!("closed: cannot connect to {nobody}"));
}

#[test]
fn a_file_that_is_there_is_not_overwritten_unless_that_is_asked_for() {
    let (_folder, file) = folder();
    fs::write(&file, "precious").unwrap();
    let program = snapbox::cmd::cargo_bin!("veschub-sim");
    let args = [
        "record",
        "--upstream",
        "127.0.0.1:1",
        "-o",
        file.to_str().unwrap(),
    ];
    let refused = Process::new(program).args(args).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        said.contains("exists already") && said.contains("--force"),
        "{said}"
    );
    assert_eq!(fs::read(&file).unwrap(), b"precious");
    let args = [&args[..], &["--force"]].concat();
    let forced = Served::start(&args);
    forced.signal("-INT");
    forced.end();
    assert_eq!(read(&file).connections.len(), 0);
}

#[test]
fn a_simulated_session_is_saved_with_the_harm_that_was_done_to_it() {
    let (folder, file) = folder();
    let scenario = "version: 1\n\
        devices:\n  - express: { id: demo-0001, password: not-a-secret, bms: { cells: 4 } }\n\
        faults:\n  - truncate: { keep: 9, when: { nth: 1 } }\n";
    fs::write(folder.path().join("s.yaml"), scenario).unwrap();
    let mut hub = Served::start_in(&folder, &["serve", "s.yaml", "--save", "session.pcapng"]);
    let mut tool = hub.login(LOGIN);
    tool.write_all(&frame(&[BMS])).unwrap();
    tool.write_all(&frame(&[FW_VERSION])).unwrap();
    let mut first = [0; 9];
    tool.read_exact(&mut first).unwrap();
    hub.signal("-INT");
    let (status, _, stderr) = hub.end();
    assert!(status.success(), "{stderr}");
    assert!(holds(&file, &first));
    let told = read(&file);
    assert_eq!(payloads(&told, Direction::ToDevice), [[BMS], [FW_VERSION]]);
    let whole = payloads(&told, Direction::ToTool);
    assert!(!whole.iter().any(|payload| payload[0] == BMS), "it was cut");
    assert!(!holds(&file, b"not-a-secret"));
}

#[test]
fn both_legs_of_a_relayed_session_are_saved() {
    let (folder, file) = folder();
    let mut hub = Served::start_in(&folder, &["serve", "--save", "session.pcapng"]);
    let mut device = hub.connect();
    device.write_all(b"VESC:real-0001:its-password\n").unwrap();
    hub.says("taken in as a device");
    let mut tool = hub.login(b"VESCTOOL:real-0001:its-password\n");
    tool.write_all(&frame(&[BMS])).unwrap();
    let mut bytes = vec![0; frame(&[BMS]).len()];
    device.read_exact(&mut bytes).unwrap();
    hub.signal("-INT");
    hub.end();
    let told = read(&file);
    assert_eq!(told.connections.len(), 2);
    assert!(!holds(&file, b"its-password"));
}

#[test]
fn what_is_written_passes_tshark_and_capinfos() {
    let found = ["tshark", "capinfos"]
        .iter()
        .all(|program| Process::new(program).arg("-v").output().is_ok());
    if !found {
        assert!(
            std::env::var_os("VESCHUB_NEED_TSHARK").is_none(),
            "tshark is needed"
        );
        eprintln!("skipped: tshark and capinfos are not installed");
        return;
    }
    let (_folder, file) = folder();
    let mut hub = Served::start(&["serve", "--demo"]);
    let recorder = recorder(&hub, &file, &[]);
    for _ in 0..2 {
        let mut tool = login(&recorder, &mut hub);
        ask(&mut tool, &[BMS]);
        drop(tool);
        hub.says("left");
    }
    recorder.signal("-INT");
    recorder.end();
    let run = |program: &str, args: &[&str]| {
        let output = Process::new(program)
            .args(args)
            .arg(&file)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        (String::from_utf8(output.stdout).unwrap(), said)
    };
    let checks = [
        "-o",
        "tcp.check_checksum:TRUE",
        "-o",
        "ip.check_checksum:TRUE",
    ];
    let doubts =
        "_ws.expert && !(_ws.expert.group == \"Sequence\" && _ws.expert.severity <= 0x00400000)";
    let (doubted, _) = run("tshark", &[&checks[..], &["-Y", doubts, "-r"]].concat());
    assert_eq!(doubted, "");
    let (bad, _) = run(
        "tshark",
        &[
            &checks[..],
            &[
                "-Y",
                "tcp.checksum.status == 0 || ip.checksum.status == 0",
                "-r",
            ],
        ]
        .concat(),
    );
    assert_eq!(bad, "");
    let (about, said) = run("capinfos", &[]);
    assert!(about.contains("Strict time order:   True"), "{about}");
    assert_eq!(said, "");
}

#[test]
fn a_device_without_a_hub_that_was_connected_to_twice_is_replayed_without_one() {
    let (_folder, file) = folder();
    let save = file.to_str().unwrap();
    let mut motor = Served::start(&["serve", "--demo-motor", "--save", save]);
    let told = twice(&mut motor);
    motor.signal("-TERM");
    assert!(motor.end().0.success());
    let mut replayed = Served::start(&["replay", save, "--direct"]);
    assert_eq!(twice(&mut replayed), told);
}

/// What two connections to a device are told, one after the other, as it serves one at a time.
fn twice(served: &mut Served) -> [Vec<u8>; 2] {
    [(); 2].map(|()| {
        let told = ask(&mut served.connect(), &[FW_VERSION]);
        served.says("left");
        told
    })
}
