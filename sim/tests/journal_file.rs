//! `--journal`: what happens at a hub as JSON Lines, for programs that read along.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, ChildStdin, ChildStdout, Command as Process, Stdio},
};

use common::{PATIENCE, Served, ask, frame};
use serde_json::{Value, json};
use snapbox::cmd::cargo_bin;
use veschub_hub::journal::json::VERSION;

const LOGIN: &[u8] = b"VESCTOOL:demo-0001:not-a-secret\n";
const BMS: u8 = 96;
const PAGE: &str = include_str!("../../docs/journal.md");

/// A hub whose journal comes over stdout, behind the line that says where it listens.
struct Told {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    address: String,
}

impl Told {
    fn start(args: &[&str]) -> Self {
        let mut child = Process::new(cargo_bin!("veschub-sim"))
            .args(["serve", "--quiet", "--listen", "127.0.0.1:0"])
            .args(["--seed", "0", "--journal", "-", "--until-stdin-ends"])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on ").unwrap();
        Self {
            address: address.to_owned(),
            child,
            stdin,
            stdout,
        }
    }

    fn entry(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        let entry: Value = serde_json::from_str(&line).unwrap();
        let told = format!("| `{}` |", entry["kind"].as_str().unwrap());
        assert!(PAGE.contains(&told), "{told} is not in docs/journal.md");
        entry
    }

    /// The next entry of this kind.
    fn next(&mut self, kind: &str) -> Value {
        loop {
            let entry = self.entry();
            if entry["kind"] == kind {
                return entry;
            }
        }
    }

    fn login(&mut self) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(LOGIN).unwrap();
        self.next("attached");
        stream
    }

    /// Lets go of its stdin; what it still says, once it has ended by itself.
    fn end(mut self) -> String {
        drop(self.stdin.take());
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        assert!(self.child.wait().unwrap().success());
        rest
    }
}

/// Ends the program where a test did not.
impl Drop for Told {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_first_line_says_what_it_is_about_and_keeps_passwords() {
    let mut hub = Told::start(&["--demo"]);
    let start = hub.entry();
    let wanted = json!({
        "kind": "start",
        "journal": VERSION,
        "listening": hub.address,
        "seed": 0,
        "devices": [{ "id": "DEMO-0001", "password": "***" }],
    });
    assert_eq!(start, wanted);
    let mut told = Told::start(&["--demo", "--keep-credentials"]);
    assert_eq!(told.entry()["devices"][0]["password"], "not-a-secret");
}

#[test]
fn a_reply_is_told_with_its_truth_before_it_is_on_the_wire() {
    let mut hub = Told::start(&["--demo"]);
    let mut tool = hub.login();
    let reply = ask(&mut tool, &[BMS]);
    let (request, told) = (hub.entry(), hub.entry());
    assert_eq!(request["kind"], "frame");
    assert_eq!(request["direction"], "to-device");
    assert_eq!(request["command"], "BMS_GET_VALUES");
    assert_eq!(request["device"], "DEMO-0001");
    assert_eq!(told["direction"], "to-tool");
    let hex: String = reply.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(told["payload"], hex.as_str());
    let cells = told["fields"]["cell_voltages_v"].as_array().unwrap();
    assert_eq!(cells.len(), 20);
    assert_eq!(told["truth"], told["fields"]);
    assert!(told["at"].as_f64() > request["at"].as_f64());
    // Nothing else came in between, and nothing is behind it.
    assert_eq!(hub.end(), "");
}

#[test]
fn quirks_faults_silence_and_ends_are_told_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = folder.path().join("odd.yaml");
    let text = "{ version: 1, hub: { profile: ideal }, \
                devices: [express: { id: demo-0001, password: not-a-secret, bms: { cells: 2 } }], \
                quirks: [needs-setup: {}], faults: [duplicate: { when: { command: FW_VERSION } }] }";
    fs::write(&scenario, text).unwrap();
    let mut hub = Told::start(&[scenario.to_str().unwrap()]);
    let mut tool = hub.login();
    tool.write_all(&frame(&[BMS])).unwrap();
    let quirk = hub.next("quirk");
    assert_eq!(quirk["name"], "needs-setup");
    assert_eq!(quirk["command"], "BMS_GET_VALUES");
    assert!(quirk["why"].as_str().is_some_and(|why| !why.is_empty()));
    ask(&mut tool, &[0]);
    assert_eq!(hub.next("fault")["name"], "duplicate");
    tool.write_all(b"abc").unwrap();
    tool.write_all(&frame(&[1])).unwrap();
    let noise = hub.next("noise");
    assert_eq!(noise["payload"], "616263");
    assert_eq!(noise["command"], Value::Null);
    assert_eq!(hub.next("not-answered")["command"], "JUMP_TO_BOOTLOADER");
    drop(tool);
    let closed = hub.next("closed");
    assert_eq!(closed["text"].as_str().map(str::is_empty), Some(false));
}

#[test]
fn a_login_that_is_refused_does_not_tell_its_password() {
    let mut hub = Told::start(&["--demo"]);
    let mut tool = TcpStream::connect(&hub.address).unwrap();
    tool.set_read_timeout(Some(PATIENCE)).unwrap();
    tool.write_all(b"VESCTOOL:demo-0001:my-own-secret\n")
        .unwrap();
    let mut nothing = Vec::new();
    tool.read_to_end(&mut nothing).unwrap();
    let login = hub.next("login");
    assert_eq!(login["fields"]["password"], "***");
    let refused = hub.next("login-refused");
    for entry in [login, refused] {
        assert!(!entry.to_string().contains("my-own-secret"), "{entry}");
    }
    assert!(!hub.end().contains("my-own-secret"));
}

#[test]
fn the_config_is_told_without_its_keys() {
    let mut hub = Told::start(&["--demo"]);
    let mut tool = hub.login();
    ask(&mut tool, &[93, 0]);
    hub.entry();
    let told = hub.entry();
    assert_eq!(told["fields"]["config"]["hub_password"], "***");
    assert_eq!(told["truth"]["config"]["hub_password"], "***");
    let hex = |text: &str| -> String { text.bytes().map(|byte| format!("{byte:02x}")).collect() };
    let payload = told["payload"].as_str().unwrap();
    assert!(payload.starts_with("5d00") && payload.contains(&hex("\0***\0")));
    assert!(!payload.contains(&hex("not-a-secret")), "{payload}");
    drop(tool);
    // Where they are to be kept, they are.
    let mut hub = Told::start(&["--demo", "--keep-credentials"]);
    let mut tool = hub.login();
    ask(&mut tool, &[93, 0]);
    hub.entry();
    let payload = hub.entry()["payload"].clone();
    assert!(payload.as_str().unwrap().contains(&hex("not-a-secret")));
}

#[test]
fn a_login_in_noise_is_told_without_its_password_or_its_length() {
    let told = |password: &str| {
        let mut hub = Told::start(&["--demo"]);
        let mut tool = hub.login();
        let again = format!("VESCTOOL:demo-0001:{password}\n");
        tool.write_all(again.as_bytes()).unwrap();
        tool.write_all(&frame(&[BMS])).unwrap();
        let noise = hub.next("noise");
        (noise["payload"].clone(), noise["text"].clone())
    };
    let (payload, text) = told("short");
    assert_eq!(payload, "56455343544f4f4c3a2a2a2a3a2a2a2a0a");
    assert_eq!(told("a-much-longer-password"), (payload, text));
}

#[test]
fn what_a_slow_reader_misses_is_counted_in_an_entry_of_its_own() {
    const ASKED: u64 = 6000;
    let mut hub = Told::start(&["--demo"]);
    let mut tool = hub.login();
    // Each of these is told in two entries, more than are kept for a reader.
    tool.write_all(&frame(&[250]).repeat(ASKED as usize))
        .unwrap();
    ask(&mut tool, &[BMS]);
    let kept: u64 = 8192;
    for _ in 0..kept {
        assert_ne!(hub.entry()["kind"], "left-out");
    }
    // Now there is room.
    ask(&mut tool, &[BMS]);
    // The hub ends, so that there is an end to what is read.
    hub.stdin = None;
    let mut told = kept;
    let missed = loop {
        let entry = hub.entry();
        if entry["kind"] == "left-out" {
            break entry["entries"].as_u64().unwrap();
        }
        told += 1;
    };
    assert_eq!(told + missed, 2 * ASKED + 2);
    assert_eq!(hub.entry()["kind"], "frame");
}

#[test]
fn it_goes_into_a_file_that_is_not_overwritten_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["serve", "--demo", "--journal", "told.jsonl"];
    let mut hub = Served::start_in(&folder, &args);
    drop(hub.login(LOGIN));
    hub.signal("-TERM");
    let (status, stdout, _) = hub.end();
    assert!(status.success());
    assert_eq!(stdout, "");
    let told = fs::read_to_string(folder.path().join("told.jsonl")).unwrap();
    let kinds: Vec<String> = told
        .lines()
        .map(|line| {
            let entry: Value = serde_json::from_str(line).unwrap();
            entry["kind"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(kinds[..4], ["start", "opened", "login", "attached"]);

    let again = snapbox::cmd::Command::new(cargo_bin!("veschub-sim"))
        .current_dir(folder.path())
        .args(args)
        .timeout(PATIENCE);
    again.assert().code(2).stderr_eq(
        "...\nerror: told.jsonl exists already: choose another name, or add --force to overwrite it\n",
    );
}

#[test]
fn a_client_can_add_its_readings_to_the_file_and_the_traffic_is_saved_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let args = [
        "serve",
        "--demo",
        "--journal",
        "told.jsonl",
        "--save",
        "session.pcapng",
    ];
    let mut hub = Served::start_in(&folder, &args);
    let told = folder.path().join("told.jsonl");
    let mut tool = hub.login(LOGIN);
    let reading = "{\"command\": \"FW_VERSION\", \"fields\": {\"firmware\": \"6.05\"}}\n";
    for _ in 0..2 {
        assert_eq!(ask(&mut tool, &[0])[0], 0);
        let mut file = fs::OpenOptions::new().append(true).open(&told).unwrap();
        file.write_all(reading.as_bytes()).unwrap();
    }
    drop(tool);
    hub.signal("-TERM");
    assert!(hub.end().0.success());
    let told = fs::read_to_string(&told).unwrap();
    let (readings, entries): (Vec<_>, Vec<_>) = told
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .partition(|line| line["kind"].is_null());
    assert_eq!(readings.len(), 2, "{told}");
    assert!(entries.len() > 6, "{told}");
    let saved = fs::read(folder.path().join("session.pcapng")).unwrap();
    assert!(saved.len() > 500, "{}", saved.len());
}

#[test]
fn a_journal_that_cannot_be_written_is_told_at_the_end_and_does_not_stop_the_hub() {
    let mut hub = Served::start(&["serve", "--demo", "--journal", "/dev/full", "--force"]);
    let mut tool = hub.login(LOGIN);
    assert_eq!(ask(&mut tool, &[BMS])[0], BMS);
    hub.signal("-TERM");
    let (status, _, stderr) = hub.end();
    assert_eq!(status.code(), Some(2));
    assert!(
        stderr.contains("error: the journal on /dev/full ends early"),
        "{stderr}"
    );
}
