//! What is saved of sessions, and what is not.

use veschub_wire::{
    Reply,
    command::{CustomConfig, ExpressConfig},
    encode,
};

use super::*;
use crate::{Entry, Kind, Options, Transcript};

const LOGIN: &[u8] = b"VESCTOOL:demo-0001:not-a-secret\n";
const FRAME: &[u8] = b"\x02\x01\x00\x00\x00\x03";

fn capture() -> LiveCapture<Vec<u8>> {
    LiveCapture::new(Vec::new(), 65101, 1_000_000_000).unwrap()
}

fn said(events: &[(u64, u32, Event<'_>)]) -> Transcript {
    let mut capture = capture();
    for &(at, connection, event) in events {
        capture.event(at, connection, event).unwrap();
    }
    read(&capture.finish().unwrap())
}

fn read(file: &[u8]) -> Transcript {
    Transcript::from_capture(file, &Options::default()).unwrap()
}

fn stream(connection: u32, transcript: &Transcript) -> Vec<String> {
    let of_it = transcript
        .entries
        .iter()
        .filter(|entry| entry.connection == connection);
    of_it
        .map(|entry| format!("{} {}", entry.kind_name(), entry.fields()))
        .collect()
}

#[test]
fn sessions_that_go_on_at_once_are_told_apart() {
    use Side::{Initiator, Responder};
    let transcript = said(&[
        (0, 1, Event::Opened),
        (1, 2, Event::Opened),
        (2, 1, Event::Data(Initiator, LOGIN)),
        (3, 2, Event::Data(Initiator, LOGIN)),
        (4, 2, Event::Data(Initiator, FRAME)),
        (5, 1, Event::Data(Initiator, FRAME)),
        (6, 2, Event::Closed(Initiator)),
        (7, 2, Event::Closed(Responder)),
        (8, 1, Event::Reset(Responder)),
    ]);
    assert_eq!(transcript.connections.len(), 2);
    let logins = transcript
        .entries
        .iter()
        .filter(|entry| matches!(entry.kind, Kind::Login(_)));
    assert_eq!(logins.count(), 2);
    for connection in [1, 2] {
        let said = stream(connection, &transcript);
        assert!(
            said.iter().any(|entry| entry.starts_with("frame")),
            "{said:?}"
        );
    }
}

#[test]
fn a_password_is_masked_however_its_line_is_cut_and_what_follows_is_untouched() {
    for cut in 0..LOGIN.len() {
        let mut capture = capture();
        capture.event(0, 1, Event::Opened).unwrap();
        let stream = [LOGIN, FRAME].concat();
        for part in [&stream[..cut], &stream[cut..]] {
            capture
                .event(1, 1, Event::Data(Side::Initiator, part))
                .unwrap();
        }
        let file = capture.finish().unwrap();
        assert!(
            !file.windows(3).any(|part| part == b"not" || part == b"ret"),
            "{cut}"
        );
        let transcript = read(&file);
        let saved = transcript.logins().next().unwrap().raw.reveal();
        assert_eq!(saved, b"VESCTOOL:demo-0001:***\n", "{cut}");
        assert!(file.windows(FRAME.len()).any(|part| part == FRAME));
    }
}

#[test]
fn what_a_tool_says_to_a_device_that_has_logged_in_itself_is_masked() {
    use Side::{Initiator, Responder};
    let mut capture = capture();
    let device = b"VESC:bike:hunter2pw\n";
    let again = b"VESCTOOL:bike:hunter2pw\n";
    for event in [
        Event::Opened,
        Event::Data(Initiator, device),
        Event::Data(Responder, FRAME),
        Event::Data(Responder, &again[..20]),
        Event::Data(Responder, &again[20..]),
    ] {
        capture.event(1, 1, event).unwrap();
    }
    let file = capture.finish().unwrap();
    assert!(!file.windows(6).any(|part| part == b"hunter"));
    assert!(file.windows(FRAME.len()).any(|part| part == FRAME));
}

#[test]
fn little_is_kept_of_connections_that_the_responder_closed_for_good() {
    let mut capture = capture();
    let many = 3 * MOST_GONE as u32;
    for number in 0..many {
        let at = u64::from(number);
        let line = Event::Data(Side::Initiator, b"PING:demo-0001:0\n");
        for event in [Event::Opened, line, Event::Gone] {
            capture.event(at, number, event).unwrap();
        }
    }
    assert_eq!(
        (capture.connections.len(), capture.held.len()),
        (MOST_GONE, 0)
    );
    // The end of the other side is told where it is heard.
    let end = Event::Closed(Side::Initiator);
    capture.event(9, many - 1, end).unwrap();
    assert!(!capture.connections.contains_key(&(many - 1)));
}

#[test]
fn a_password_without_an_end_is_masked_too() {
    for ending in [
        Event::Closed(Side::Initiator),
        Event::Reset(Side::Initiator),
    ] {
        let mut capture = capture();
        capture.event(0, 1, Event::Opened).unwrap();
        let line = Event::Data(Side::Initiator, b"VESC:demo-0001:hunter2");
        capture.event(1, 1, line).unwrap();
        capture.event(2, 1, ending).unwrap();
        let file = capture.finish().unwrap();
        assert!(!file.windows(6).any(|part| part == b"hunter"));
        assert!(holds(&file, b"0001:***") && !holds(&file, b"****"));
    }
}

#[test]
fn a_password_is_kept_where_that_is_wanted() {
    let mut capture = capture().keeping_credentials();
    capture.event(0, 1, Event::Opened).unwrap();
    capture
        .event(1, 1, Event::Data(Side::Initiator, LOGIN))
        .unwrap();
    let file = capture.finish().unwrap();
    assert!(file.windows(LOGIN.len()).any(|part| part == LOGIN));
}

#[test]
fn frames_without_a_login_are_written_at_once() {
    let mut capture = capture();
    capture.event(0, 1, Event::Opened).unwrap();
    capture
        .event(1, 1, Event::Data(Side::Initiator, &FRAME[..1]))
        .unwrap();
    let so_far = capture.out.lock().unwrap().len();
    capture
        .event(2, 1, Event::Data(Side::Initiator, &FRAME[1..]))
        .unwrap();
    assert!(capture.out.lock().unwrap().len() > so_far);
    let transcript = read(&capture.finish().unwrap());
    let said = stream(1, &transcript);
    assert!(
        said.iter().any(|entry| entry.starts_with("frame")),
        "{said:?}"
    );
}

#[test]
fn a_file_that_stops_anywhere_holds_what_came_before() {
    let mut capture = capture();
    capture.event(0, 1, Event::Opened).unwrap();
    capture
        .event(1, 1, Event::Data(Side::Initiator, LOGIN))
        .unwrap();
    capture
        .event(2, 1, Event::Data(Side::Initiator, FRAME))
        .unwrap();
    let whole = capture.out.lock().unwrap().clone();
    capture
        .event(3, 1, Event::Data(Side::Responder, FRAME))
        .unwrap();
    let longer = capture.finish().unwrap();
    for end in whole.len()..longer.len() {
        let transcript = read(&longer[..end]);
        let frames = transcript
            .entries
            .iter()
            .filter(|entry| matches!(entry.kind, Kind::Frame(_)));
        assert_eq!(frames.count(), 1, "{end}");
    }
}

const SECRETS: [&[u8]; 2] = [b"hub-pass-1", b"wifi-key-1"];

/// An Express' config with credentials, as the device tells it.
fn config() -> Vec<u8> {
    let config = ExpressConfig {
        station_key: "wifi-key-1".into(),
        station_ssid: "a network".into(),
        hub_password: "hub-pass-1".into(),
        ..ExpressConfig::default()
    };
    let reply = Reply::CustomConfig(CustomConfig {
        index: 0,
        signature: 1,
        data: config.pack(),
    });
    encode(&reply.encode()).unwrap()
}

fn holds(file: &[u8], text: &[u8]) -> bool {
    file.windows(text.len()).any(|part| part == text)
}

#[test]
fn credentials_in_a_config_are_masked_however_its_frame_is_cut_and_it_stays_a_frame() {
    let stream = [b"\x02\x00noise".as_slice(), &config(), FRAME].concat();
    for cut in 0..stream.len() {
        let mut capture = capture();
        capture.event(0, 1, Event::Opened).unwrap();
        for (at, part) in [(1, &stream[..cut]), (2, &stream[cut..])] {
            let said = Event::Data(Side::Responder, part);
            capture.event(at, 1, said).unwrap();
        }
        let file = capture.finish().unwrap();
        assert!(!SECRETS.iter().any(|secret| holds(&file, secret)), "{cut}");
        let transcript = read(&file);
        let mut frames = transcript.entries.iter().filter_map(Entry::frame);
        let told = Reply::decode(&frames.next().unwrap().payload).unwrap().body;
        let Reply::CustomConfig(config) = told else {
            unreachable!("{told:?}");
        };
        let config = config.express().unwrap();
        assert_eq!(config.hub_password.as_bytes(), b"***");
        assert_eq!(config.station_ssid.as_bytes(), b"a network");
        assert_eq!(frames.count(), 1, "{cut}");
    }
}

#[test]
fn what_is_held_back_is_written_in_the_order_of_time() {
    let mut capture = capture();
    let config = config();
    capture.event(0, 1, Event::Opened).unwrap();
    let so_far = capture.out.lock().unwrap().len();
    let said = |side, bytes| Event::Data(side, bytes);
    capture
        .event(1, 1, said(Side::Responder, &config[..9]))
        .unwrap();
    capture.event(2, 1, said(Side::Initiator, FRAME)).unwrap();
    assert_eq!(capture.out.lock().unwrap().len(), so_far);
    capture
        .event(3, 1, said(Side::Responder, &config[9..]))
        .unwrap();
    let transcript = read(&capture.finish().unwrap());
    let times: Vec<u64> = transcript
        .entries
        .iter()
        .filter_map(|entry| entry.at_ns)
        .collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn what_never_becomes_certain_is_masked_in_the_end_and_holds_nothing_up() {
    let whole = config();
    let secret_is_in = |end: usize| holds(&whole[..end], SECRETS[1]);
    let end = (0..whole.len()).find(|&end| secret_is_in(end)).unwrap();
    let begun = Event::Data(Side::Responder, &whole[..end]);
    for late in [false, true] {
        let mut capture = capture();
        capture.event(0, 1, Event::Opened).unwrap();
        capture.event(1, 1, begun).unwrap();
        if late {
            let later = MAX_HELD_NS + 2;
            capture
                .event(later, 1, Event::Data(Side::Initiator, FRAME))
                .unwrap();
            assert!(holds(&capture.out.lock().unwrap(), FRAME));
        }
        let file = capture.finish().unwrap();
        assert!(!holds(&file, SECRETS[1]));
        assert!(holds(&file, b"**********"));
    }
}

#[test]
fn a_config_is_kept_where_that_is_wanted() {
    let mut capture = capture().keeping_credentials();
    capture.event(0, 1, Event::Opened).unwrap();
    capture
        .event(1, 1, Event::Data(Side::Responder, &config()))
        .unwrap();
    assert!(holds(&capture.finish().unwrap(), SECRETS[0]));
}
