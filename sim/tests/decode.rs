//! `veschub-sim decode` as a person and as a program meet it: the page, the table, the bytes, the choice.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{net::SocketAddrV4, path::Path};

use snapbox::{cmd::Command, str};
use veschub_transcript::{
    tcp::Side::{self, Initiator, Responder},
    write::{Endpoints, SessionWriter},
};
use veschub_wire::encode;

const LOGIN: &[u8] = b"VESCTOOL:demo-0001:not-a-secret\n";
const MS: u64 = 1_000_000;

fn decode(args: &[&str], capture: &[u8]) -> snapbox::cmd::OutputAssert {
    Command::new(env!("CARGO_BIN_EXE_veschub-sim"))
        .arg("decode")
        .args(args)
        .arg("-")
        .stdin(capture.to_vec())
        .assert()
}

fn frame(payload: &[u8]) -> Vec<u8> {
    encode(payload).unwrap()
}

fn ends(port: u16) -> Endpoints {
    let initiator: SocketAddrV4 = "192.0.2.10:40000".parse().unwrap();
    let mut responder: SocketAddrV4 = "198.51.100.20:65101".parse().unwrap();
    responder.set_port(port);
    Endpoints::new(initiator, responder)
}

/// A session that says these things at these milliseconds, as a pcapng file.
fn session(port: u16, said: &[(u64, Side, Vec<u8>)]) -> Vec<u8> {
    let mut session = SessionWriter::new(Vec::new(), ends(port), 1_700_000_000_000 * MS).unwrap();
    session.open(0).unwrap();
    for (at, side, bytes) in said {
        session.data(at * MS, *side, bytes).unwrap();
    }
    let end = said.last().map_or(0, |(at, ..)| at + 10) * MS;
    session.close(end, Initiator).unwrap();
    session.close(end, Responder).unwrap();
    session.finish().unwrap()
}

/// Four polls, the third unanswered, a scan of the bus in between.
fn polls(port: u16) -> Vec<u8> {
    session(
        port,
        &[
            (100, Initiator, LOGIN.to_vec()),
            (150, Initiator, frame(&[0])),
            (300, Responder, frame(&[0, 6, 5])),
            (400, Initiator, frame(&[62])),
            (500, Initiator, frame(&[30])),
            (600, Initiator, frame(&[30])),
            (700, Initiator, frame(&[30])),
            (900, Responder, frame(&[62, 84])),
            (1_000, Initiator, frame(&[34, 84, 0])),
            (1_090, Responder, frame(&[0, 6, 5])),
            (1_100, Responder, b"junk".to_vec()),
        ],
    )
}

/// The same capture with some packets put in again behind others: `(of, behind)`.
fn with_packets_again(capture: &[u8], again: &[(usize, usize)]) -> Vec<u8> {
    let mut blocks: Vec<&[u8]> = Vec::new();
    let mut rest = capture;
    while let Some(len) = rest.get(4..8) {
        let (block, behind) = rest.split_at(u32::from_le_bytes(len.try_into().unwrap()) as usize);
        blocks.push(block);
        rest = behind;
    }
    // Section header and interface come before the first packet.
    let mut out: Vec<&[u8]> = blocks[..2].to_vec();
    for (index, block) in blocks[2..].iter().enumerate() {
        out.push(block);
        let repeats = again.iter().filter(|(_, behind)| *behind == index);
        out.extend(repeats.map(|(of, _)| blocks[2 + of]));
    }
    out.concat()
}

#[test]
fn the_page_has_gaps_and_latencies() {
    decode(&[], &polls(65_101))
        .success()
        .stderr_eq("")
        .stdout_eq(str![[r#""#]]);
}

#[test]
fn the_table_adds_up_each_command() {
    decode(&["--stats"], &polls(65_101))
        .success()
        .stderr_eq("")
        .stdout_eq(str![[r#""#]]);
}

#[test]
fn the_table_is_there_for_programs_too() {
    decode(&["--stats", "--json"], &polls(65_101))
        .success()
        .stderr_eq("")
        .stdout_eq(str![[r#""#]]);
}

#[test]
fn bytes_stand_below_their_entry_and_secrets_do_not() {
    let config = [&[93, 0][..], &[0; 40]].concat();
    let capture = session(
        65_101,
        &[
            (100, Initiator, LOGIN.to_vec()),
            (150, Initiator, frame(&[93, 0])),
            (200, Responder, frame(&config)),
            (300, Responder, [&frame(&[21; 30])[..], &[0, 1, 2]].concat()),
        ],
    );
    decode(&["--hex"], &capture)
        .success()
        .stderr_eq("")
        .stdout_eq(str![[r#""#]]);
}

#[test]
fn packets_that_were_sent_again_are_told_and_counted() {
    let capture = with_packets_again(&polls(65_101), &[(4, 4), (4, 5), (4, 6), (4, 6), (4, 6)]);
    decode(&[], &capture)
        .success()
        .stderr_eq("")
        .stdout_eq(str![[r#""#]]);
    let json = decode(&["--json"], &capture).success();
    let text = String::from_utf8_lossy(&json.get_output().stdout).into_owned();
    assert_eq!(text.matches(r#""kind":"repeated""#).count(), 5);
    assert!(
        text.contains(r#""kind":"repeated","connection":1,"length":6}"#),
        "{text}"
    );
}

#[test]
fn a_port_chooses_and_one_that_is_not_there_is_an_error() {
    let capture = polls(7_000);
    let everything = decode(&[], &capture).success();
    let chosen = decode(&["--port", "7000"], &capture).success();
    assert_eq!(everything.get_output().stdout, chosen.get_output().stdout);
    decode(&["--port", "7001"], &capture)
        .code(2)
        .stdout_eq("")
        .stderr_eq(str![[r#""#]]);
}

#[test]
fn a_connection_that_was_left_out_can_be_chosen_by_the_number_it_was_named_with() {
    let capture = session(
        443,
        &[(100, Initiator, b"neither login nor frame".to_vec())],
    );
    decode(&[], &capture)
        .success()
        .stderr_eq("")
        .stdout_eq(str![[r#""#]]);
    decode(&["--connection", "1"], &capture)
        .success()
        .stderr_eq("")
        .stdout_eq(str![[r#""#]]);
    decode(&["--connection", "2"], &capture)
        .code(2)
        .stdout_eq("")
        .stderr_eq(str![[r#""#]]);
}

#[test]
fn ways_to_show_and_to_choose_that_exclude_each_other_are_refused() {
    for args in [
        &["--port", "1", "--connection", "1"][..],
        &["--hex", "--json"],
        &["--stats", "--unfold"],
        &["--raw", "to-tool", "--port", "1"],
        &["--connection", "0"],
    ] {
        decode(args, b"").code(2).stdout_eq("");
    }
}

#[test]
fn the_recorded_session_adds_up_to_what_was_measured() {
    let capture =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../captures/vesctool-session-rebuilt.pcapng");
    decode(&["--stats"], &std::fs::read(capture).unwrap())
        .success()
        .stderr_eq("")
        .stdout_eq(str![[r#""#]]);
}
