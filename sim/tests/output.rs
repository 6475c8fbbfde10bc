//! Nobody who does not read, floods or stays can stop a hub that runs.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::{
    fs,
    io::{self, Read, Write},
    net::TcpStream,
    os::unix::fs::symlink,
    process::Command as Process,
    sync::mpsc,
    thread,
};

use common::{PATIENCE, Served, ask, frame};
use rustix::fs::{OFlags, fcntl_setfl};
use snapbox::cmd::cargo_bin;

const LOGIN: &[u8] = b"VESCTOOL:demo-0001:not-a-secret\n";

/// Logs in without looking at stderr, which nobody is to read here.
fn log_in_unseen(served: &Served) -> TcpStream {
    let mut stream = served.connect();
    stream.write_all(LOGIN).unwrap();
    // A request that comes with the login is lost. A connection that comes later is answered after the login.
    assert!(ping(served));
    stream
}

fn ping(served: &Served) -> bool {
    let mut stream = served.connect();
    stream.write_all(b"PING:demo-0001:0\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer == "PONG\n"
}

#[test]
fn a_journal_that_nobody_reads_stops_neither_the_hub_nor_its_end() {
    let served = Served::start(&["serve", "--demo", "--quiet", "--journal", "-"]);
    let mut tool = log_in_unseen(&served);
    // Each of these is told in two lines, and 64 KiB fill a pipe.
    tool.write_all(&frame(&[250]).repeat(3000)).unwrap();
    assert_eq!(ask(&mut tool, &[0])[..3], [0, 6, 6]);
    served.signal("-TERM");
    let (status, journal, _) = served.end();
    assert!(status.code().is_some(), "{status}");
    assert!(journal.len() > 1 << 16, "{} bytes", journal.len());
}

#[test]
fn a_stderr_that_nobody_reads_stops_neither_the_hub_nor_its_end() {
    let served = Served::start(&["serve", "--demo", "--verbose"]);
    // 200 lines are told of each of these, and 64 KiB fill a pipe.
    for _ in 0..16 {
        let mut tool = log_in_unseen(&served);
        tool.write_all(&frame(&[250]).repeat(200)).unwrap();
        assert_eq!(ask(&mut tool, &[0])[..3], [0, 6, 6]);
    }
    served.signal("-TERM");
    let (status, told) = served.end_unread();
    assert_eq!(status.code(), Some(0));
    assert!(told > 60_000, "{told} bytes");
}

#[test]
fn a_stderr_that_nobody_reads_does_not_stop_a_hub_that_takes_a_scenario_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pack.yaml");
    let write = |cells: u8| {
        let text = format!(
            "version: 1\ndevices:\n  - express: {{ id: demo-0001, password: not-a-secret, bms: {{ cells: {cells} }} }}\n"
        );
        fs::write(&path, text).unwrap();
    };
    write(4);
    let path = path.to_str().unwrap();
    let served = Served::start(&["serve", "--watch", "--verbose", path]);
    for _ in 0..16 {
        let mut tool = log_in_unseen(&served);
        tool.write_all(&frame(&[250]).repeat(200)).unwrap();
        assert_eq!(ask(&mut tool, &[96])[25], 4);
    }
    let mut tool = log_in_unseen(&served);
    write(5);
    // The tools of the old devices are disconnected.
    assert_eq!(tool.read(&mut [0; 8]).unwrap_or_default(), 0);
    assert_eq!(ask(&mut log_in_unseen(&served), &[96])[25], 5);
    served.signal("-TERM");
    assert_eq!(served.end_unread().0.code(), Some(0));
}

#[test]
fn a_stderr_that_nobody_reads_does_not_keep_a_hub_from_its_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.yaml");
    let device = |number: u32| {
        let id = format!("demo-{number:0>58}");
        format!("  - express: {{ id: {id}, password: not-a-secret, bms: {{ cells: 1 }} }}\n")
    };
    // Each device is told before the hub listens, and 64 KiB fill a pipe.
    let text = "version: 1\ndevices:\n".to_owned() + &(1..=1100).map(device).collect::<String>();
    fs::write(&path, text).unwrap();
    let served = Served::start(&["serve", path.to_str().unwrap()]);
    served.signal("-TERM");
    assert_eq!(served.end_unread().0.code(), Some(0));
}

#[test]
fn a_program_ends_though_nobody_reads_its_last_message() {
    let (_reader, mut full) = io::pipe().unwrap();
    fcntl_setfl(&full, OFlags::NONBLOCK).unwrap();
    while full.write(&[b'x'; 4096]).is_ok() {}
    while full.write(b"x").is_ok() {}
    fcntl_setfl(&full, OFlags::empty()).unwrap();
    let mut program = Process::new(cargo_bin!("veschub-sim"));
    program.args(["check", "no-such-file.yaml"]).stderr(full);
    let (ended, end) = mpsc::channel();
    thread::spawn(move || ended.send(program.status()));
    let status = end.recv_timeout(PATIENCE).expect("it goes on").unwrap();
    assert_eq!(status.code(), Some(2));
}

#[test]
fn a_file_that_takes_nothing_more_is_told_at_once_and_is_a_failure() {
    for option in ["--save", "--journal"] {
        let folder = tempfile::tempdir().unwrap();
        let mut program = Process::new("sh");
        program
            .args(["-c", "ulimit -f 4; exec \"$0\" \"$@\""])
            .arg(cargo_bin!("veschub-sim"))
            .args(["serve", "--demo", option])
            .arg(folder.path().join("saved.pcapng"));
        let mut served = Served::spawn(program);
        let mut tool = served.login(LOGIN);
        for _ in 0..100 {
            if tool.write_all(&frame(&[0]).repeat(20)).is_err() {
                break;
            }
        }
        served.says("saving has stopped");
        let (status, _, stderr) = served.end();
        assert_eq!(status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("ends early"), "{stderr}");
    }
}

#[test]
fn a_connection_too_many_is_told() {
    let mut served = Served::start(&["serve", "--demo", "--max-connections", "1"]);
    let mut tool = served.login(LOGIN);
    let mut further = served.connect();
    assert_eq!(further.read(&mut [0; 8]).unwrap_or_default(), 0);
    served.says("there are 1, and --max-connections allows no more");
    assert_eq!(ask(&mut tool, &[0])[..3], [0, 6, 6]);
}

#[test]
fn a_hub_has_as_many_connections_as_its_process_may_have() {
    let mut program = Process::new("sh");
    program
        .args(["-c", "ulimit -n 256; exec \"$0\" \"$@\""])
        .arg(cargo_bin!("veschub-sim"))
        .args(["serve", "--demo"]);
    let mut served = Served::spawn(program);
    let mut tool = served.login(LOGIN);
    let _crowd: Vec<TcpStream> = (0..256).map(|_| served.connect()).collect();
    served.says("there are 240, and --max-connections allows no more");
    assert_eq!(ask(&mut tool, &[0])[..3], [0, 6, 6]);
}

/// The way of the documentation: record, then replay. The recording holds asterisks for the password.
#[test]
fn a_recording_with_a_masked_password_takes_any() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("saved.pcapng");
    let file = file.to_str().unwrap();
    let mut served = Served::start(&["serve", "--demo", "--save", file]);
    let mut tool = served.login(LOGIN);
    let told = ask(&mut tool, &[0]);
    drop(tool);
    served.signal("-TERM");
    assert!(served.end().0.success());

    let mut replayed = Served::start(&["replay", file]);
    let said = replayed.says("tools log in as");
    assert!(
        said.contains("any password, as the recorded one is masked; --password sets one"),
        "{said}"
    );
    let mut tool = replayed.login(LOGIN);
    assert_eq!(ask(&mut tool, &[0]), told);
    drop(replayed);

    let mut strict = Served::start(&["replay", "--password", "another", file]);
    let mut tool = strict.connect();
    tool.write_all(LOGIN).unwrap();
    strict.says("wrong password");
}

#[test]
fn a_recording_is_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.pcapng");
    let capture = any_capture();
    fs::write(&path, &capture).unwrap();
    let hard = folder.path().join("hard.pcapng");
    fs::hard_link(&path, &hard).unwrap();
    let soft = folder.path().join("soft.pcapng");
    symlink(&path, &soft).unwrap();
    for output in [&path, &hard, &soft] {
        for args in [
            vec![
                "draft".as_ref(),
                "--pin".as_ref(),
                "--force".as_ref(),
                "-o".as_ref(),
                output.as_os_str(),
                path.as_os_str(),
            ],
            vec![
                "scrub".as_ref(),
                "--force".as_ref(),
                path.as_os_str(),
                output.as_os_str(),
            ],
        ] {
            let out = Process::new(cargo_bin!("veschub-sim"))
                .args(args)
                .output()
                .unwrap();
            let stderr = String::from_utf8(out.stderr).unwrap();
            assert_eq!(out.status.code(), Some(2), "{stderr}");
            assert!(stderr.contains("the same file"), "{stderr}");
            assert_eq!(fs::read(&path).unwrap(), capture);
        }
    }
}

fn any_capture() -> Vec<u8> {
    let captures = concat!(env!("CARGO_MANIFEST_DIR"), "/../captures");
    let mut files = fs::read_dir(captures)
        .unwrap()
        .map(|file| file.unwrap().path());
    let file = files.find(|path| path.extension().is_some_and(|end| end == "pcapng"));
    fs::read(file.unwrap()).unwrap()
}

/// What a terminal would act on, in the name of a file.
const HOSTILE: &str = "a\u{1b}[2J\u{9b}\u{202e}";

#[test]
fn no_name_of_a_file_acts_on_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let file = |end: &str| {
        let path = folder.path().join(format!("{HOSTILE}{end}"));
        path.to_str().unwrap().to_owned()
    };
    let (good, bad, capture) = (file("good.yaml"), file("bad.yaml"), file(".pcapng"));
    fs::write(&good, "version: 1\ndevices:\n  - express: { id: demo-0001, password: not-a-secret, bms: { cells: 4 } }\n").unwrap();
    fs::write(&bad, "version: 1\nno: x # \u{9b}\u{202e}\n").unwrap();
    fs::write(&capture, any_capture()).unwrap();
    let (text, none, below) = (file("text"), file("none"), file("none/x"));
    fs::write(&text, "02 01 04 40 84 03\n".repeat(9)).unwrap();
    let address = "127.0.0.1:0";
    let hub = "127.0.0.1:1";
    let mut wrong: Vec<String> = Vec::new();
    for args in [
        vec!["check", &good, &bad, &none],
        vec!["check", &capture, &file("none.pcapng")],
        vec!["check", "--set", &file("=1"), &good],
        vec!["check", "--explain", &none],
        vec!["serve", &bad],
        vec!["serve", &none],
        vec!["serve", &good, "--direct", HOSTILE],
        vec!["serve", &good, "--listen", address, "--save", &good],
        vec!["serve", &good, "--listen", address, "--journal", &below],
        vec!["serve", &good, "--can-log", &none],
        vec!["serve", &good, "--can-log", &file("none/x.log")],
        vec!["serve", &good, "--listen", HOSTILE],
        vec![
            "serve",
            &good,
            "--control",
            address,
            "--listen",
            address,
            "--control-token-file",
            &none,
        ],
        vec!["replay", &none],
        vec!["replay", &text],
        vec!["device", "--hub", hub, &bad],
        vec!["device", "--hub", HOSTILE, &good],
        vec!["record", "--upstream", hub, "-o", &good],
        vec!["record", "--upstream", hub, "-o", &below],
        vec!["decode", &none],
        vec!["decode", &text],
        vec!["decode", "--raw", "to-tool", &text],
        vec!["decode", "--config-description", &text, &capture],
        vec!["draft", &none],
        vec!["draft", &text],
        vec!["draft", "--pin", &capture],
        vec!["draft", "--pin", "-o", &good, &capture],
        vec!["draft", "--pin", "-o", &file("drafted.yaml"), &capture],
        vec!["scrub", &none, &below],
        vec!["scrub", &capture, &good],
        vec!["scrub", &capture, &below],
        vec!["scrub", &capture, &file("scrubbed.pcapng")],
        vec!["encode", HOSTILE],
        vec!["encode", "PING_CAN", HOSTILE],
        vec!["encode", "--config-description", &none, "GET_MCCONF"],
        vec!["man", &text],
        vec!["completions", HOSTILE],
        vec!["schema", HOSTILE],
        vec![HOSTILE],
    ] {
        let out = Process::new(cargo_bin!("veschub-sim"))
            .args(&args)
            .output()
            .unwrap();
        let said = String::from_utf8([out.stdout, out.stderr].concat()).unwrap();
        let acts = |c: &char| matches!(c, '\u{1b}' | '\u{7}' | '\u{80}'..='\u{9f}' | '\u{202e}');
        if said.chars().any(|c| acts(&c)) || !said.contains(r"\u{1b}[2J\u{9b}\u{202e}") {
            wrong.push(format!("{args:?}: {said:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
