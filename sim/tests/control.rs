//! `--control`: where it listens, who may use it, and what it cannot be used with.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

use common::PATIENCE;
use snapbox::cmd::cargo_bin;

/// A program that ends with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn program(args: &[&str]) -> Command {
    let mut program = Command::new(cargo_bin!("veschub-sim"));
    program
        .args(["serve", "--demo", "--listen", "127.0.0.1:0"])
        .args(args)
        .env_remove("VESCHUB_CONTROL_TOKEN")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    program
}

/// What the program says when it does not start.
fn refused(args: &[&str]) -> String {
    let output = program(args).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{args:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn get(address: &str, path: &str, header: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{header}\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_second_line_says_where_the_hub_is_controlled_and_a_token_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    fs::write(&token, "s3cret\n").unwrap();
    let token = token.to_str().unwrap();
    let mut program = program(&["--control", "127.0.0.1:0", "--control-token-file", token]);
    let mut child = Ended(program.spawn().unwrap());
    let mut stdout = BufReader::new(child.0.stdout.take().unwrap());
    let (mut listening, mut control) = (String::new(), String::new());
    stdout.read_line(&mut listening).unwrap();
    stdout.read_line(&mut control).unwrap();
    assert!(
        listening.starts_with("listening on 127.0.0.1:"),
        "{listening}"
    );
    let address = control
        .trim_end()
        .strip_prefix("control on http://")
        .unwrap();
    let address = address.strip_suffix('/').unwrap();
    assert!(get(address, "/health", "").starts_with("HTTP/1.1 200"));
    assert!(get(address, "/v1/hub", "").starts_with("HTTP/1.1 401"));
    let hub = get(address, "/v1/hub", "Authorization: Bearer s3cret\r\n");
    let expected = listening.trim_end().strip_prefix("listening on ").unwrap();
    assert!(
        hub.contains(&format!("\"listening\":\"{expected}\"")),
        "{hub}"
    );
}

#[test]
fn a_scenario_that_is_taken_anew_is_the_one_that_is_saved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pack.yaml");
    let save = |cells: u8| {
        let text = format!(
            "version: 1\ndevices: [express: {{ id: demo-0001, password: not-a-secret, bms: {{ cells: {cells} }} }}]\n"
        );
        fs::write(&path, text).unwrap();
    };
    save(3);
    let mut program = Command::new(cargo_bin!("veschub-sim"));
    program
        .arg("serve")
        .arg(&path)
        .args([
            "--watch",
            "--listen",
            "127.0.0.1:0",
            "--control",
            "127.0.0.1:0",
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = Ended(program.spawn().unwrap());
    let mut stdout = BufReader::new(child.0.stdout.take().unwrap()).lines();
    let control = stdout.nth(1).unwrap().unwrap();
    let address = control.strip_prefix("control on http://").unwrap();
    let address = address.trim_end_matches('/');
    assert!(get(address, "/v1/scenario.yaml", "").contains("cells: 3"));
    save(5);
    let mut stderr = BufReader::new(child.0.stderr.take().unwrap()).lines();
    stderr.find(|line| line.as_ref().unwrap().ends_with("was read again"));
    assert!(get(address, "/v1/scenario.yaml", "").contains("cells: 5"));
    let journal = get(address, "/v1/journal?kind=steered", "");
    assert!(journal.contains("took the scenario anew"), "{journal}");
}

#[test]
fn what_cannot_be_is_refused_with_what_to_do() {
    let open = refused(&["--control", "0.0.0.0:0"]);
    assert!(
        open.contains("needs a token") && open.contains("--control-token-file"),
        "{open}"
    );
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty");
    fs::write(&empty, " \n").unwrap();
    let empty = empty.to_str().unwrap();
    let said = refused(&["--control", "127.0.0.1:0", "--control-token-file", empty]);
    assert!(said.contains("the token is empty"), "{said}");
    let absent = folder.path().join("absent");
    let absent = absent.to_str().unwrap();
    let said = refused(&["--control", "127.0.0.1:0", "--control-token-file", absent]);
    assert!(said.contains("cannot read the token"), "{said}");
    let said = refused(&["--control", "nowhere"]);
    assert!(said.contains("wanted an IP address and a port"), "{said}");
    let output = Command::new(cargo_bin!("veschub-sim"))
        .args([
            "serve",
            "--demo",
            "--direct",
            "--pty",
            "--control",
            "127.0.0.1:0",
        ])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("pseudo-terminal"), "{said}");
}
