//! Devices from outside: what the hub does with `VESC:` logins and the bytes between them and their tools.

use veschub_hub::{
    hub::{ConnId, Event, HubConfig, Output},
    journal::{Closed, JournalEvent},
};

use super::{BMS, bench::*};

const DEVICE: &[u8] = b"VESC:real-0001:its-password\n";
const TOOL: &[u8] = b"VESCTOOL:real-0001:its-password\n";

fn empty() -> Bench {
    Bench::with(HubConfig::reference(), Vec::new())
}

fn heard(bench: &mut Bench, conn: ConnId) -> Vec<u8> {
    bench.heard.remove(&conn).unwrap_or_default()
}

#[test]
fn success_is_silence_for_devices_and_any_password_is_taken() {
    let mut bench = empty();
    let device = bench.say(b"VESC:real-0001:what: ever\n");
    assert!(
        bench.was_refused_without_a_byte(device),
        "a colon in the password"
    );
    for password in ["", "x", "Its Password"] {
        let mut bench = empty();
        let device = bench.say(format!("VESC:real-0001:{password}\n").as_bytes());
        let tool = bench.say(format!("VESCTOOL:REAL-0001:{password}\n").as_bytes());
        assert!(bench.is_open_and_was_told_nothing(device));
        assert!(bench.is_open_and_was_told_nothing(tool));
    }
}

#[test]
fn ping_knows_devices_from_outside_as_long_as_they_are_there() {
    let mut bench = empty();
    let ask = |bench: &mut Bench| {
        let conn = bench.say(b"PING:real-0001:0\n");
        assert_eq!(bench.ended.get(&conn), Some(&Output::Close));
        heard(bench, conn)
    };
    assert_eq!(ask(&mut bench), b"NULL\n");
    let device = bench.say(DEVICE);
    assert_eq!(ask(&mut bench), b"PONG\n");
    bench.event(device, Event::Eof);
    assert_eq!(ask(&mut bench), b"NULL\n");
}

#[test]
fn the_pipe_passes_every_byte_on_untouched_and_at_once() {
    let mut bench = empty();
    let (device, tool) = (bench.say(DEVICE), bench.say(TOOL));
    for bytes in [
        &b"\x02"[..],
        b"\x01\x60\x6C",
        b"\0\xFF no frame",
        &frame(&[BMS; 300]),
    ] {
        bench.send(tool, bytes);
        assert_eq!(heard(&mut bench, device), bytes);
        bench.send(device, bytes);
        assert_eq!(heard(&mut bench, tool), bytes);
    }
    assert_eq!(bench.hub.poll_timeout(), None, "nothing waits");
}

#[test]
fn the_journal_tells_what_is_said_through_the_pipe() {
    let mut bench = empty();
    let (device, tool) = (bench.say(DEVICE), bench.say(TOOL));
    bench.send(tool, &frame(&[BMS]));
    bench.send(device, &[b"\r\n", &frame(&[21, b'h', b'i'])[..]].concat());
    assert!(bench.happened(tool, &JournalEvent::Request(vec![BMS])));
    let noise = JournalEvent::DeviceNoise {
        bytes: b"\r\n".to_vec(),
        nearly: None,
    };
    assert!(bench.happened(tool, &noise));
    let print = JournalEvent::Reply {
        payload: vec![21, b'h', b'i'],
        truth: None,
    };
    assert!(bench.happened(tool, &print));
}

#[test]
fn a_trailing_nul_in_the_same_read_is_swallowed_and_in_a_later_one_reaches_the_first_tool() {
    let mut bench = empty();
    let device = bench.say(&[DEVICE, b"\0"].concat());
    let tool = bench.say(TOOL);
    bench.send(device, &frame(&[BMS]));
    assert_eq!(heard(&mut bench, tool), frame(&[BMS]));

    let mut bench = empty();
    let device = bench.say(DEVICE);
    bench.send(device, b"\0");
    let tool = bench.say(TOOL);
    assert!(
        bench.is_open_and_was_told_nothing(tool),
        "not before the device speaks again"
    );
    bench.send(device, &frame(&[BMS]));
    assert_eq!(
        heard(&mut bench, tool),
        [b"\0", &frame(&[BMS])[..]].concat()
    );
}

#[test]
fn what_is_said_before_the_first_tool_is_kept_up_to_a_limit() {
    let config = HubConfig {
        max_kept: 10,
        ..HubConfig::reference()
    };
    let mut bench = Bench::with(config, Vec::new());
    let device = bench.say(DEVICE);
    bench.send(device, b"12345678");
    bench.send(device, b"90abcdef");
    let tool = bench.say(TOOL);
    bench.send(device, b"!");
    assert_eq!(heard(&mut bench, tool), b"1234567890!");
    assert_eq!(
        bench.count(|what| *what == JournalEvent::DeviceBytesDiscarded { bytes: 6 }),
        1
    );
}

#[test]
fn what_is_said_after_a_tool_has_left_is_dropped() {
    let mut bench = empty();
    let (device, first) = (bench.say(DEVICE), bench.say(TOOL));
    bench.send(device, b"one");
    assert_eq!(heard(&mut bench, first), b"one");
    bench.event(first, Event::Eof);
    bench.send(device, b"two");
    let second = bench.say(TOOL);
    bench.send(device, b"three");
    assert_eq!(heard(&mut bench, second), b"three");
    assert_eq!(bench.ended.get(&device), None, "the device is told nothing");
}

#[test]
fn an_ideal_hub_keeps_nothing_for_the_first_tool() {
    let mut bench = Bench::with(HubConfig::ideal(), Vec::new());
    let device = bench.say(DEVICE);
    bench.send(device, b"early");
    let tool = bench.say(TOOL);
    bench.send(device, b"late");
    assert_eq!(heard(&mut bench, tool), b"late");
}

#[test]
fn a_late_reply_reaches_the_tool_that_has_taken_over() {
    let mut bench = empty();
    let (device, first) = (bench.say(DEVICE), bench.say(TOOL));
    bench.send(first, &frame(&[BMS]));
    let second = bench.say(TOOL);
    assert_eq!(bench.ended.get(&first), Some(&Output::Close));
    bench.send(device, &frame(&[BMS, 1]));
    assert_eq!(bench.replies(second), [[BMS, 1]]);
    assert_eq!(bench.replies(first), [[0; 0]; 0]);
}

#[test]
fn when_the_device_leaves_its_tool_is_closed_and_its_id_is_free() {
    for end in [Event::Eof, Event::Reset] {
        let mut bench = empty();
        let (device, tool) = (bench.say(DEVICE), bench.say(TOOL));
        bench.event(device, end);
        assert_eq!(bench.ended.get(&tool), Some(&Output::Close));
        assert!(bench.happened(tool, &JournalEvent::Closed(Closed::DeviceLeft)));
        let again = bench.say(TOOL);
        assert!(bench.was_refused_without_a_byte(again));
    }
}

#[test]
fn a_second_device_with_the_id_replaces_the_first_its_tool_and_its_password() {
    let mut bench = empty();
    let (old, tool) = (bench.say(DEVICE), bench.say(TOOL));
    let new = bench.say(b"VESC:real-0001:another\n");
    assert_eq!(bench.ended.get(&old), Some(&Output::Close));
    assert_eq!(bench.ended.get(&tool), Some(&Output::Close));
    let refused = bench.say(TOOL);
    assert!(bench.was_refused_without_a_byte(refused));
    let tool = bench.say(b"VESCTOOL:real-0001:another\n");
    bench.send(tool, b"to the new one");
    assert_eq!(heard(&mut bench, new), b"to the new one");
    // What the old connection still does concerns nobody.
    bench.event(old, Event::Eof);
    bench.send(tool, b"still there");
    assert_eq!(heard(&mut bench, new), b"still there");
}

/// A device that is replaced while the hub holds bytes for it, which are flushed later.
fn replaced_with_bytes_unsent(config: HubConfig) -> (Bench, ConnId, Vec<u8>) {
    let mut bench = Bench::with(config, Vec::new());
    bench.flushing = false;
    let (old, tool) = (bench.say(DEVICE), bench.say(TOOL));
    bench.send(tool, b"unsent");
    let new = bench.say(DEVICE);
    assert_eq!(bench.ended.get(&old), Some(&Output::Close));
    let before = bench.say(TOOL);
    assert!(bench.is_open_and_was_told_nothing(before));
    bench.event(old, Event::Flushed(6));
    let ping = bench.say(b"PING:real-0001:0\n");
    let answer = heard(&mut bench, ping);
    (bench, new, answer)
}

#[test]
fn a_replaced_device_with_bytes_unsent_takes_the_new_entry_with_it() {
    let (mut bench, new, answer) = replaced_with_bytes_unsent(HubConfig::reference());
    assert_eq!(answer, b"NULL\n");
    assert_eq!(bench.ended.get(&new), None, "it stays connected");
    bench.send(new, b"and reaches nobody");
    let tool = bench.say(TOOL);
    assert!(bench.was_refused_without_a_byte(tool));
    // Until it connects again.
    bench.event(new, Event::Eof);
    bench.say(DEVICE);
    let tool = bench.say(TOOL);
    assert!(bench.is_open_and_was_told_nothing(tool));
}

#[test]
fn an_ideal_hub_keeps_the_new_entry() {
    let (_, _, answer) = replaced_with_bytes_unsent(HubConfig::ideal());
    assert_eq!(answer, b"PONG\n");
}

#[test]
fn a_device_from_outside_takes_the_place_of_one_of_the_hubs_own() {
    let mut bench = Bench::new();
    let tool = bench.login();
    let device = bench.say(b"VESC:demo-0001:mine\n");
    assert_eq!(bench.ended.get(&tool), Some(&Output::Close));
    let tool = bench.say(b"VESCTOOL:demo-0001:mine\n");
    bench.send(tool, b"x");
    assert_eq!(heard(&mut bench, device), b"x");
}

#[test]
fn a_device_that_does_not_read_is_dropped_and_its_tool_with_it() {
    let config = HubConfig {
        max_unsent: 100,
        ..HubConfig::reference()
    };
    let mut bench = Bench::with(config, Vec::new());
    bench.flushing = false;
    let (device, tool) = (bench.say(DEVICE), bench.say(TOOL));
    bench.send(tool, &[0; 101]);
    assert_eq!(bench.ended.get(&device), Some(&Output::Abort));
    assert_eq!(bench.ended.get(&tool), Some(&Output::Close));
}
