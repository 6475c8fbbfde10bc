//! The hub as a state machine: what the reference hub does, row by row, without a socket or a clock.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod bench;
mod can_log;
mod determinism;
mod express;
mod firmwares;
mod links;
mod relay;
mod seeds;
mod steer;

use std::time::Duration;

use veschub_hub::{
    hub::{Access, ConnId, Event, HubConfig, Output},
    journal::{Closed, JournalEvent},
    quirk::{Quirk, SessionReset},
    time::Time,
};
use veschub_wire::CommandId;

use bench::*;

const FW_VERSION: u8 = 0;
const PING_CAN: u8 = 62;
const CUSTOM_CONFIG: u8 = 93;
const BMS: u8 = 96;

#[test]
fn an_accepted_login_is_answered_with_silence() {
    let mut bench = Bench::new();
    let tool = bench.login();
    bench.until(ms(60_000));
    assert!(bench.is_open_and_was_told_nothing(tool));
    assert!(bench.happened(tool, &JournalEvent::Attached));
}

#[test]
fn every_line_that_the_reference_hub_refuses_is_a_close_without_a_byte() {
    let lines: [(&[u8], &str); 12] = [
        (b"VESCTOOL:demo-0001:wrong\n", "wrong password"),
        (
            b"VESCTOOL:demo-0002:not-a-secret\n",
            "no device with the id DEMO-0002",
        ),
        (b"VESCTOOL:demo-0001\n", "and has 2;"),
        (b"VESCTOOL:demo-0001:not-a-secret:\n", "and has 4;"),
        (b"VESCTOOL\n", "and has 1;"),
        (b"VESCTOOL: d e :not-a-secret\n", "fewer than 3 characters"),
        (b"VESC::not-a-secret\n", "fewer than 3 characters"),
        (b"PING:ab:0\n", "fewer than 3 characters"),
        (
            b"HTTP:demo-0001:not-a-secret\n",
            "none of VESC, VESCTOOL and PING",
        ),
        (
            b":demo-0001:not-a-secret\n",
            "none of VESC, VESCTOOL and PING",
        ),
        (b"\n", "empty"),
        (b"VESCTOOL:demo-0001:not-a-secret\r\n", "wrong password"),
    ];
    for (line, reason) in lines {
        let mut bench = Bench::new();
        let conn = bench.say(line);
        let line = String::from_utf8_lossy(line);
        assert!(bench.was_refused_without_a_byte(conn), "{line}");
        let told = bench.told().join("\n");
        assert!(
            told.contains("login refused: ") && told.contains(reason),
            "{line}: {told}"
        );
        assert!(
            bench.happened(conn, &JournalEvent::Closed(Closed::Refused)),
            "{line}"
        );
        assert_eq!(bench.hub.poll_timeout(), None, "{line}");
    }
}

#[test]
fn a_reason_never_holds_the_password() {
    for line in [
        &b"VESCTOOL:demo-0001:not-a-secrets\n"[..],
        b"VESCTOOL:demo-0002:not-a-secret\n",
        b"VESCTOOL:demo-0001:not-a-secret:x\n",
        b"VESC:demo-0001:not-a-secret\n",
        LOGIN,
    ] {
        let mut bench = Bench::new();
        bench.say(line);
        assert!(!bench.told().join("\n").contains("secret"));
        assert!(!format!("{:?}", bench.journal).contains("secret"));
    }
}

#[test]
fn type_and_id_lose_blanks_and_case() {
    for line in [
        &b"vesctool:DEMO-0001:not-a-secret\n"[..],
        b" VESC tool : demo - 0001 :not-a-secret\n",
    ] {
        let mut bench = Bench::new();
        let tool = bench.say(line);
        assert!(bench.is_open_and_was_told_nothing(tool), "{line:?}");
    }
    let mut bench = Bench::with(HubConfig::default(), vec![resident("straße 1", "x")]);
    assert_eq!(bench.hub.device_ids().collect::<Vec<_>>(), ["STRASSE1"]);
    let tool = bench.say("VESCTOOL:Straße 1:x\n".as_bytes());
    assert!(bench.is_open_and_was_told_nothing(tool));
}

#[test]
fn a_password_keeps_blanks_and_case() {
    let mut bench = Bench::with(
        HubConfig::default(),
        vec![resident("demo-0001", "Not a Secret")],
    );
    for line in [
        &b"VESCTOOL:demo-0001:not a secret\n"[..],
        b"VESCTOOL:demo-0001:NotaSecret\n",
        b"VESCTOOL:demo-0001: Not a Secret\n",
        b"VESCTOOL:demo-0001:Not a Secret \n",
        b"VESCTOOL:demo-0001:\n",
    ] {
        let conn = bench.say(line);
        assert!(bench.was_refused_without_a_byte(conn), "{line:?}");
    }
    let tool = bench.say(b"VESCTOOL:demo-0001:Not a Secret\n");
    assert!(bench.is_open_and_was_told_nothing(tool));
}

#[test]
fn a_carriage_return_is_part_of_the_password() {
    let mut bench = Bench::with(
        HubConfig::default(),
        vec![resident("demo-0001", "not-a-secret\r")],
    );
    let tool = bench.say(b"VESCTOOL:demo-0001:not-a-secret\r\n");
    assert!(bench.is_open_and_was_told_nothing(tool));
    let conn = bench.say(LOGIN);
    assert!(bench.was_refused_without_a_byte(conn));
}

#[test]
fn an_empty_password_can_be_the_right_one() {
    let mut bench = Bench::with(HubConfig::default(), vec![resident("demo-0001", "")]);
    let tool = bench.say(b"VESCTOOL:demo-0001:\n");
    assert!(bench.is_open_and_was_told_nothing(tool));
}

#[test]
fn where_anyone_may_enter_only_the_id_counts() {
    let mut open = resident("demo-0001", "");
    open.access = Access::Anyone;
    let mut bench = Bench::with(HubConfig::default(), vec![open]);
    let tool = bench.say(b"VESCTOOL:demo-0001:whatever\n");
    assert!(bench.is_open_and_was_told_nothing(tool));
    let conn = bench.say(b"VESCTOOL:demo-0002:whatever\n");
    assert!(bench.was_refused_without_a_byte(conn));
}

#[test]
fn a_ping_is_answered_and_closed() {
    let mut bench = Bench::new();
    for (line, answer) in [
        (&b"PING:demo-0001:0\n"[..], "PONG\n"),
        (b"pi ng: Demo-0001 :the wrong password\n", "PONG\n"),
        (b"PING:demo-0002:0\n", "NULL\n"),
    ] {
        let conn = bench.say(line);
        assert_eq!(bench.heard[&conn], answer.as_bytes(), "{line:?}");
        assert_eq!(bench.ended.get(&conn), Some(&Output::Close), "{line:?}");
        assert!(bench.happened(conn, &JournalEvent::Closed(Closed::Answered)));
    }
}

#[test]
fn a_ping_disturbs_no_tool() {
    let mut bench = Bench::new();
    let tool = bench.login();
    bench.say(b"PING:demo-0001:0\n");
    bench.send(tool, &frame(&[BMS]));
    bench.until(ms(50));
    assert_eq!(bench.replies(tool), [[BMS]]);
}

#[test]
fn bytes_in_the_same_read_as_the_login_line_are_lost_and_the_journal_says_how_many() {
    let mut bench = Bench::new();
    let tool = bench.say(&[LOGIN, &frame(&[BMS])].concat());
    bench.until(ms(1000));
    assert!(bench.is_open_and_was_told_nothing(tool));
    assert!(bench.happened(tool, &JournalEvent::LoginBytesDiscarded { bytes: 6 }));
    assert_eq!(
        bench.told(),
        [
            "0.000  #1   connected",
            "0.000  #1   login VESCTOOL:DEMO-0001:***",
            "0.000  #1   6 bytes came with the login line and were lost",
            "0.000  #1   attached",
        ]
    );
}

#[test]
fn even_half_a_frame_that_came_with_the_login_line_is_lost() {
    let mut bench = Bench::new();
    let request = frame(&[BMS]);
    let tool = bench.say(&[LOGIN, &request[..3]].concat());
    // Its second half is noise to the device.
    bench.send(tool, &request[3..]);
    bench.send(tool, &request);
    bench.until(ms(1000));
    assert_eq!(bench.replies(tool), [[BMS]]);
    assert!(bench.happened(tool, &noise(&request[3..])));
}

#[test]
fn a_nul_right_behind_the_line_feed_is_harmless_in_the_same_read_and_noise_in_a_later_one() {
    let mut bench = Bench::new();
    let same = bench.say(&[LOGIN, b"\0"].concat());
    bench.send(same, &frame(&[BMS]));
    bench.until(ms(100));
    assert_eq!(bench.replies(same), [[BMS]]);
    assert!(bench.happened(same, &JournalEvent::LoginBytesDiscarded { bytes: 1 }));

    let later = bench.login();
    bench.send(later, b"\0");
    bench.send(later, &frame(&[BMS]));
    bench.until(ms(200));
    assert_eq!(bench.replies(later), [[BMS]]);
    assert!(bench.happened(later, &noise(&[0])));
}

#[test]
fn a_second_line_in_the_same_read_is_lost_too() {
    let mut bench = Bench::new();
    let conn = bench.say(&[b"VESCTOOL:demo-0001:wrong\n", LOGIN].concat());
    assert!(bench.was_refused_without_a_byte(conn));
}

#[test]
fn what_comes_in_a_later_read_arrives_even_at_the_same_instant() {
    let mut bench = Bench::new();
    let tool = bench.login();
    bench.send(tool, &frame(&[BMS]));
    bench.until(ms(50));
    assert_eq!(bench.replies(tool), [[BMS]]);
}

#[test]
fn a_login_line_may_come_byte_by_byte() {
    let mut bench = Bench::new();
    let tool = bench.open();
    for (byte, at) in LOGIN.chunks(1).zip(1..) {
        bench.until(ms(at));
        assert!(!bench.happened(tool, &JournalEvent::Attached));
        bench.send(tool, byte);
    }
    assert!(bench.happened(tool, &JournalEvent::Attached));
    for byte in frame(&[BMS]) {
        bench.send(tool, &[byte]);
    }
    bench.until(ms(1000));
    assert_eq!(bench.replies(tool), [[BMS]]);
}

#[test]
fn a_login_line_has_five_seconds_to_the_nanosecond() {
    const LIMIT: u64 = 5_000_000_000;
    let opened = 123_456_789;
    for (late, accepted) in [(0, true), (1, false)] {
        let mut bench = Bench::new();
        bench.until(Time::from_nanos(opened));
        let tool = bench.open();
        assert_eq!(
            bench.hub.poll_timeout(),
            Some(Time::from_nanos(opened + LIMIT))
        );
        bench.send(tool, &LOGIN[..10]);
        bench.until(Time::from_nanos(opened + LIMIT - 1 + late));
        bench.send(tool, &LOGIN[10..]);
        assert_eq!(bench.happened(tool, &JournalEvent::Attached), accepted);
        assert_eq!(bench.was_refused_without_a_byte(tool), !accepted);
        if !accepted {
            assert!(bench.told().join("\n").contains("no login line within 5 s"));
        }
    }
}

#[test]
fn the_limit_holds_also_for_a_caller_that_wakes_up_late() {
    let mut bench = Bench::new();
    let tool = bench.open();
    // Nobody calls at 5 s.
    bench.now = ms(7000);
    bench.send(tool, LOGIN);
    assert!(bench.was_refused_without_a_byte(tool));
    assert_eq!(bench.journal.last().unwrap().at, ms(5000));
}

#[test]
fn a_late_caller_gets_the_journal_of_one_in_time() {
    let play = |late: bool| {
        let residents = vec![resident("demo-0001", "x"), resident("abc", "x")];
        let mut bench = Bench::with(HubConfig::default(), residents);
        let first = bench.say(b"VESCTOOL:demo-0001:x\n");
        let other = bench.say(b"VESCTOOL:abc:x\n");
        bench.open();
        bench.send(first, &frame(&[1]));
        bench.until(ms(10));
        bench.send(other, &frame(&[2]));
        bench.until(ms(20));
        bench.send(first, &frame(&[3]));
        if late {
            bench.now = ms(9000);
            bench.hub.handle_timeout(ms(9000));
            bench.settle();
        } else {
            bench.until(ms(9000));
        }
        (bench.journal, bench.heard, bench.ended)
    };
    assert_eq!(play(true), play(false));
}

#[test]
fn the_limit_is_for_the_login_line_only() {
    let mut bench = Bench::new();
    let tool = bench.login();
    assert_eq!(bench.hub.poll_timeout(), None);
    bench.until(ms(3_600_000));
    bench.send(tool, &frame(&[BMS]));
    bench.until(ms(3_600_050));
    assert_eq!(bench.replies(tool), [[BMS]]);
}

#[test]
fn another_limit_can_be_set() {
    let config = HubConfig {
        login_timeout: Duration::from_millis(20),
        ..HubConfig::default()
    };
    let mut bench = Bench::with(config, Vec::new());
    let conn = bench.open();
    bench.until(ms(20));
    assert!(bench.was_refused_without_a_byte(conn));
    assert!(
        bench
            .told()
            .join("\n")
            .contains("no login line within 0.02 s")
    );
}

#[test]
fn an_endless_line_is_refused_at_the_limit() {
    let limit = HubConfig::default().max_login_line;
    let mut bench = Bench::new();
    let conn = bench.open();
    let piece = [b'A'; 4096];
    for _ in 0..limit / piece.len() {
        bench.send(conn, &piece);
    }
    assert!(bench.is_open_and_was_told_nothing(conn));
    bench.send(conn, b"A");
    assert!(bench.was_refused_without_a_byte(conn));
    assert!(
        bench
            .told()
            .join("\n")
            .contains("no line feed within the first 262144 bytes")
    );
    // What it says after that is nobody's business.
    bench.send(conn, LOGIN);
    assert!(!bench.happened(conn, &JournalEvent::Attached));
}

#[test]
fn a_long_line_below_the_limit_is_read() {
    let config = HubConfig {
        max_login_line: 40,
        ..HubConfig::default()
    };
    let id = "i".repeat(40 - "VESCTOOL::x".len());
    let line = format!("VESCTOOL:{id}:x\n");
    let mut bench = Bench::with(config, vec![resident(&id, "x")]);
    let tool = bench.say(line.as_bytes());
    assert!(bench.is_open_and_was_told_nothing(tool));
    let conn = bench.say(format!("VESCTOOL:{id}:xx\n").as_bytes());
    assert!(bench.was_refused_without_a_byte(conn));
    assert!(
        bench
            .told()
            .join("\n")
            .contains("no line feed within the first 40 bytes")
    );
}

#[test]
fn a_hostile_login_reaches_no_terminal() {
    let mut bench = Bench::new();
    bench.say(format!("VESCTOOL:\x1b[2J{}:x\n", "A".repeat(100_000)).as_bytes());
    bench.say(b"\x1b[31m:demo:x\n");
    bench.say(b"PING:\x07\x07\x07:x\n");
    for line in bench.told() {
        assert!(!line.contains(char::is_control), "{line:?}");
        assert!(line.len() < 300, "{} bytes", line.len());
    }
}

#[test]
fn a_newer_tool_takes_over_at_once_and_the_older_one_is_closed() {
    let mut bench = Bench::new();
    let older = bench.login();
    let newer = bench.login();
    assert_eq!(bench.ended.get(&older), Some(&Output::Close));
    assert!(bench.happened(older, &JournalEvent::Closed(Closed::Replaced { by: newer })));
    bench.send(newer, &frame(&[BMS]));
    // What was still on its way from the older one has nowhere to go.
    bench.send(older, &frame(&[FW_VERSION]));
    bench.event(older, Event::Eof);
    bench.until(ms(1000));
    assert_eq!(bench.replies(newer), [[BMS]]);
    assert!(!bench.heard.contains_key(&older));
    assert!(bench.is_attached(newer));
}

#[test]
fn a_failed_login_of_another_disturbs_nobody() {
    let mut bench = Bench::new();
    let tool = bench.login();
    bench.send(tool, &frame(&[BMS]));
    bench.say(b"VESCTOOL:demo-0001:wrong\n");
    bench.say(b"VESCTOOL:demo-0001\n");
    let silent = bench.open();
    bench.until(ms(6000));
    assert!(bench.was_refused_without_a_byte(silent));
    assert_eq!(bench.replies(tool), [[BMS]]);
    assert!(bench.is_attached(tool));
}

#[test]
fn a_silent_connection_that_comes_later_holds_up_a_login_until_it_fails() {
    let mut bench = Bench::new();
    let first = bench.open();
    bench.until(ms(100));
    let silent = bench.open();
    bench.send(first, LOGIN);
    bench.until(ms(200));
    bench.send(first, &frame(&[BMS]));
    bench.until(ms(5000));
    assert!(bench.is_open_and_was_told_nothing(first));
    bench.until(ms(5100));
    assert!(bench.was_refused_without_a_byte(silent));
    assert!(bench.was_refused_without_a_byte(first));
    let told = bench.told().join("\n");
    assert!(told.contains("held it up for too long"), "{told}");
}

#[test]
fn a_silent_connection_that_came_earlier_holds_up_nobody() {
    let mut bench = Bench::new();
    bench.open();
    let tool = bench.login();
    assert!(bench.is_attached(tool));
}

#[test]
fn a_login_goes_on_when_the_later_connection_has_spoken() {
    let mut bench = Bench::new();
    let first = bench.open();
    let later = bench.open();
    bench.send(first, LOGIN);
    bench.send(first, &frame(&[BMS]));
    bench.until(ms(1000));
    bench.send(later, b"PING:demo-0001:0\n");
    bench.until(ms(2000));
    assert_eq!(
        bench.replies(first),
        [[0; 0]; 0],
        "what came meanwhile is lost"
    );
    bench.send(first, &frame(&[BMS]));
    bench.until(ms(3000));
    assert_eq!(bench.replies(first), [[BMS]]);
}

#[test]
fn a_silent_connection_holds_up_nobody_where_the_switch_is_off() {
    let config = HubConfig {
        silent_connection_stalls: false,
        ..HubConfig::reference()
    };
    let mut bench = Bench::with(config, vec![resident("demo-0001", "not-a-secret")]);
    let first = bench.open();
    bench.open();
    bench.send(first, LOGIN);
    bench.send(first, &frame(&[BMS]));
    bench.until(ms(50));
    assert_eq!(bench.replies(first), [[BMS]]);
}

#[test]
fn an_ideal_hub_keeps_what_comes_with_the_login() {
    let together = [LOGIN, &frame(&[BMS])].concat();
    for (config, answered) in [(HubConfig::reference(), 0), (HubConfig::ideal(), 1)] {
        let mut bench = Bench::with(config, vec![resident("demo-0001", "not-a-secret")]);
        let tool = bench.open();
        bench.send(tool, &together);
        bench.until(ms(50));
        assert_eq!(bench.replies(tool).len(), answered);
    }
}

#[test]
fn an_ideal_hub_forgets_what_an_earlier_tool_left_behind() {
    let mut bench = Bench::with(
        HubConfig::ideal(),
        vec![resident("demo-0001", "not-a-secret")],
    );
    let earlier = bench.login();
    bench.send(earlier, &[3, 1, 144]);
    bench.event(earlier, Event::Eof);
    let next = bench.login();
    bench.send(next, &frame(&[BMS]));
    bench.until(ms(50));
    assert_eq!(bench.replies(next), [[BMS]]);
}

#[test]
fn tools_of_different_devices_do_not_meet() {
    let residents = vec![resident("demo-0001", "one"), resident("demo-0002", "two")];
    let mut bench = Bench::with(HubConfig::default(), residents);
    let one = bench.say(b"VESCTOOL:demo-0001:one\n");
    let two = bench.say(b"VESCTOOL:demo-0002:two\n");
    let wrong = bench.say(b"VESCTOOL:demo-0002:one\n");
    assert!(bench.was_refused_without_a_byte(wrong));
    bench.send(one, &frame(&[1]));
    bench.send(two, &frame(&[2]));
    bench.until(ms(1000));
    assert_eq!(
        (bench.replies(one), bench.replies(two)),
        (vec![vec![1]], vec![vec![2]])
    );
}

#[test]
fn a_reply_to_an_earlier_tools_request_reaches_the_next_tool() {
    for takes_over in [false, true] {
        let mut bench = Bench::new();
        let earlier = bench.login();
        bench.send(earlier, &frame(&[PING_CAN]));
        bench.until(ms(20));
        if !takes_over {
            bench.event(earlier, Event::Eof);
        }
        let next = bench.login();
        bench.until(ms(1000));
        assert_eq!(
            bench.replies(next),
            [[PING_CAN]],
            "taken over: {takes_over}"
        );
        assert!(!bench.heard.contains_key(&earlier));
    }
}

#[test]
fn a_reply_with_nobody_there_is_dropped_and_not_kept_for_the_next() {
    let mut bench = Bench::new();
    let tool = bench.login();
    bench.send(tool, &frame(&[BMS]));
    bench.event(tool, Event::Eof);
    bench.until(ms(100));
    assert_eq!(
        bench.count(|what| *what == JournalEvent::ReplyDiscarded(vec![BMS])),
        1
    );
    let next = bench.login();
    bench.until(ms(1000));
    assert!(bench.is_open_and_was_told_nothing(next));
}

/// Half a frame was left, and nothing behind it.
fn left(bytes: usize, missing: usize) -> JournalEvent {
    JournalEvent::PartialFrameLeft {
        bytes,
        missing,
        hidden: 0,
    }
}

fn noise(bytes: &[u8]) -> JournalEvent {
    JournalEvent::Noise {
        bytes: bytes.to_vec(),
        nearly: None,
    }
}

/// What the journal says about what a tool sent.
fn said_of(bench: &Bench) -> Vec<String> {
    let told = bench.told().into_iter();
    told.filter(|line| line.contains("no frame") || line.contains("half a frame"))
        .collect()
}

#[test]
fn a_request_with_a_wrong_checksum_is_told_at_once_and_each_one_alone() {
    let mut bench = Bench::new();
    let tool = bench.login();
    let wrong = b"\x02\x01\x04\xF7\x29\x03";
    // Its stop byte may be a start, so it counts with what follows.
    let why = "bytes that are no frame: length 1, checksum f729, should be 4084";
    bench.send(tool, wrong);
    assert_eq!(said_of(&bench), [format!("0.000  #1   > 5 {why}")]);
    bench.send(tool, &wrong.repeat(2));
    bench.event(tool, Event::Eof);
    assert_eq!(
        said_of(&bench),
        [
            &format!("0.000  #1   > 5 {why}")[..],
            &format!("0.000  #1   > 7 {why}"),
            &format!("0.000  #1   > 5 {why}"),
            "0.000  #1   left half a frame, 1 byte, in the device's parser, which waits for 2 more",
        ]
    );
}

#[test]
fn noise_of_a_tool_that_leaves_is_in_the_journal() {
    let mut bench = Bench::new();
    let tool = bench.login();
    bench.send(tool, b"hello\r\n");
    assert_eq!(said_of(&bench), Vec::<String>::new(), "more may follow");
    bench.event(tool, Event::Eof);
    assert!(bench.happened(tool, &noise(b"hello\r\n")));
}

#[test]
fn requests_behind_half_a_frame_are_counted_when_the_tool_leaves() {
    let mut bench = Bench::new();
    let tool = bench.login();
    bench.send(
        tool,
        &[&[3, 1, 0x90][..], &frame(&[BMS]).repeat(2)].concat(),
    );
    bench.event(tool, Event::Eof);
    let event = JournalEvent::PartialFrameLeft {
        bytes: 15,
        missing: 391,
        hidden: 2,
    };
    assert!(bench.happened(tool, &event));
    assert!(
        event
            .to_string()
            .ends_with("which waits for 391 more and does not see the 2 whole requests behind it")
    );
}

#[test]
fn when_a_wait_ends_the_journal_says_what_was_waited_for() {
    let mut bench = Bench::new();
    let tool = bench.login();
    bench.send(tool, &[2, 9, BMS]);
    bench.send(tool, &frame(&[BMS]).repeat(2));
    let why = "> 3 bytes that are no frame: a frame that never ended: 3 of 14 bytes";
    assert!(said_of(&bench)[0].ends_with(why), "{:?}", bench.told());
}

#[test]
fn half_a_request_left_by_one_tool_delays_the_next_ones_requests() {
    let mut bench = Bench::new();
    let earlier = bench.login();
    // The head of a frame with 400 bytes of payload.
    bench.send(earlier, &[3, 1, 0x90]);
    bench.event(earlier, Event::Eof);
    assert!(bench.happened(earlier, &left(3, 403)));
    let next = bench.login();
    let poll = frame(&[BMS]);
    for _ in 0..67 {
        bench.send(next, &poll);
    }
    bench.until(ms(1000));
    assert_eq!(bench.replies(next).len(), 0, "67 polls go unanswered");
    bench.send(next, &poll);
    bench.until(ms(2000));
    assert_eq!(
        bench.replies(next).len(),
        68,
        "the 68th releases all at once"
    );
    bench.send(next, &poll);
    bench.until(ms(3000));
    assert_eq!(bench.replies(next).len(), 69);
}

#[test]
fn half_of_a_short_request_is_harmless() {
    let mut bench = Bench::new();
    let earlier = bench.login();
    bench.send(earlier, &frame(&[BMS])[..3]);
    bench.event(earlier, Event::Reset);
    let next = bench.login();
    bench.send(next, &frame(&[FW_VERSION]));
    bench.until(ms(1000));
    assert_eq!(bench.replies(next), [[FW_VERSION]]);
}

#[test]
fn zeros_release_half_a_frame_of_any_length() {
    for head in [&[2, 0xFF][..], &[3, 2, 0], &[3, 1], &[2], &[3, 0xFF, 0xFF]] {
        let mut bench = Bench::new();
        let earlier = bench.login();
        bench.send(earlier, head);
        let next = bench.login();
        bench.send(next, &[0; 520]);
        bench.send(next, &frame(&[BMS]));
        bench.until(ms(1000));
        assert_eq!(bench.replies(next), [[BMS]], "{head:?}");
    }
}

#[test]
fn half_a_frame_of_a_tool_that_is_replaced_is_in_the_journal() {
    let mut bench = Bench::new();
    let earlier = bench.login();
    bench.send(earlier, &[3, 1, 0x90, 0]);
    bench.login();
    assert!(bench.happened(earlier, &left(4, 402)));
}

#[test]
fn a_tool_that_leaves_cleanly_leaves_no_half_frame() {
    let mut bench = Bench::new();
    let tool = bench.login();
    bench.send(tool, &[&b"GET / HTTP/1.1\r\n"[..], &frame(&[BMS])].concat());
    bench.event(tool, Event::Eof);
    assert_eq!(
        bench.count(|what| matches!(what, JournalEvent::PartialFrameLeft { .. })),
        0
    );
    assert_eq!(bench.ended[&tool], Output::Close);
}

#[test]
fn a_connection_that_breaks_off_is_dropped_and_one_that_ends_is_ended() {
    for (event, output, closed) in [
        (Event::Eof, Output::Close, Closed::Peer),
        (Event::Reset, Output::Abort, Closed::PeerReset),
    ] {
        // The reference hub's reader would wait on for the peer that is gone.
        let residents = vec![resident("demo-0001", "not-a-secret")];
        let mut bench = Bench::with(HubConfig::ideal(), residents);
        let (waiting, tool) = (bench.open(), bench.login());
        for conn in [waiting, tool] {
            bench.event(conn, event);
            assert_eq!(bench.ended.get(&conn), Some(&output));
            assert!(bench.happened(conn, &JournalEvent::Closed(closed)));
            // Said twice, it is done once.
            bench.event(conn, event);
        }
        assert_eq!(
            bench.count(|what| matches!(what, JournalEvent::Closed(_))),
            2
        );
        assert_eq!(bench.hub.poll_timeout(), None);
    }
}

#[test]
fn a_peer_that_does_not_read_is_dropped_when_too_much_is_unsent() {
    let reply = frame(&[BMS; 100]).len();
    let config = HubConfig {
        max_unsent: 10 * reply,
        ..HubConfig::default()
    };
    let mut bench = Bench::with(config, vec![resident("demo-0001", "not-a-secret")]);
    bench.flushing = false;
    let tool = bench.login();
    for _ in 0..10 {
        bench.send(tool, &frame(&[BMS; 100]));
    }
    bench.send(tool, &[2]);
    bench.until(ms(100));
    assert_eq!(bench.replies(tool).len(), 10);
    assert_eq!(bench.ended.get(&tool), None, "as much as allowed");

    bench.event(tool, Event::Flushed(reply));
    bench.send(tool, &frame(&[BMS; 100])[1..]);
    bench.until(ms(200));
    assert_eq!(bench.ended.get(&tool), None, "what was read makes room");

    bench.send(tool, &[&frame(&[BMS; 100])[..], &[2]].concat());
    bench.until(ms(300));
    assert_eq!(bench.ended.get(&tool), Some(&Output::Abort));
    let told = bench.told();
    assert_eq!(
        &told[told.len() - 2..],
        [
            "0.250  #1   left half a frame, 1 byte, in the device's parser, which waits for 1 more",
            "0.250  #1   dropped: it does not read what is sent to it",
        ]
    );

    bench.flushing = true;
    let next = bench.login();
    bench.send(next, &frame(&[BMS])[1..]);
    bench.until(ms(400));
    assert_eq!(
        bench.replies(next),
        [[BMS]],
        "the device answers the next tool"
    );
}

#[test]
fn requests_are_answered_whole_however_they_are_cut() {
    let stream: Vec<u8> = [&[BMS][..], &[FW_VERSION; 300], &[PING_CAN, 1, 2, 3]]
        .iter()
        .flat_map(|payload| frame(payload))
        .collect();
    for size in 1..stream.len() {
        let mut bench = Bench::new();
        let tool = bench.login();
        for piece in stream.chunks(size) {
            bench.send(tool, piece);
        }
        bench.until(ms(1000));
        let lengths: Vec<usize> = bench.replies(tool).iter().map(Vec::len).collect();
        assert_eq!(lengths, [1, 300, 4], "in pieces of {size}");
    }
}

#[test]
fn a_request_larger_than_a_device_takes_is_noise() {
    let mut bench = Bench::new();
    let tool = bench.login();
    bench.send(tool, &frame(&[7; 513]));
    bench.send(tool, &frame(&[7; 512]));
    bench.until(ms(1000));
    let lengths: Vec<usize> = bench.replies(tool).iter().map(Vec::len).collect();
    assert_eq!(lengths, [512]);
}

#[test]
fn what_the_device_ignores_is_in_the_journal() {
    let mut bench = Bench::new();
    let tool = bench.login();
    bench.send(tool, &frame(&[CommandId::ALIVE.0]));
    bench.until(ms(1000));
    assert!(bench.is_open_and_was_told_nothing(tool));
    assert_eq!(
        bench.told()[3..],
        [
            "0.000  #1   > ALIVE",
            "0.000  #1   ALIVE is not answered: a parrot takes it and never answers",
        ]
        .map(str::to_owned)
    );
}

#[test]
fn a_megabyte_of_garbage_changes_nothing_for_what_follows() {
    let garbage: Vec<u8> = (0..1_000_000u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let mut bench = Bench::new();
    let conn = bench.say(&garbage);
    assert_eq!(
        bench.ended.get(&conn),
        Some(&Output::Close),
        "not a login line"
    );
    let tool = bench.login();
    bench.send(tool, &garbage);
    bench.send(tool, &[0; 520]);
    bench.send(tool, &frame(&[BMS]));
    bench.until(ms(1000));
    assert_eq!(bench.replies(tool).last().unwrap(), &[BMS]);
    let noise: usize = bench
        .journal
        .iter()
        .map(|entry| match &entry.event {
            JournalEvent::Noise { bytes, .. } => bytes.len(),
            JournalEvent::Request(payload) => frame(payload).len(),
            _ => 0,
        })
        .sum();
    assert_eq!(noise, garbage.len() + 520 + 6, "every byte is told");
}

#[test]
fn connections_that_were_never_opened_are_ignored() {
    let mut bench = Bench::new();
    let ghost = ConnId(99);
    for event in [
        Event::Bytes(LOGIN),
        Event::Flushed(10),
        Event::Eof,
        Event::Reset,
    ] {
        bench.event(ghost, event);
    }
    assert!(bench.journal.is_empty() && bench.ended.is_empty() && bench.heard.is_empty());
}

#[test]
fn a_quirk_starts_afresh_with_every_session_and_says_when_it_fires() {
    let mut forgetful = resident("demo-0001", "not-a-secret");
    let quirk: Box<dyn Quirk> = Box::new(SessionReset::with(
        veschub_hub::duration::Duration::from_millis(250),
    ));
    forgetful.quirks.push(quirk);
    let mut bench = Bench::with(HubConfig::default(), vec![forgetful]);
    let rapid = bench.login();
    for id in [FW_VERSION, CUSTOM_CONFIG, PING_CAN, BMS] {
        bench.send(rapid, &frame(&[id, 0]));
    }
    bench.until(ms(200));
    assert_eq!(bench.replies(rapid).len(), 4);

    let next = bench.login();
    bench.send(next, &frame(&[BMS]));
    bench.until(ms(400));
    assert!(
        bench.is_open_and_was_told_nothing(next),
        "what the last tool asked does not count"
    );
    assert!(bench.told().contains(
        &"0.200  #2   BMS_GET_VALUES is not answered: session-reset: GET_CUSTOM_CONFIG and PING_CAN must be sent first"
            .to_owned()
    ));
}

#[test]
fn of_two_devices_with_one_id_the_later_one_stays() {
    let residents = vec![resident("demo-0001", "one"), resident("DEMO - 0001", "two")];
    let mut bench = Bench::with(HubConfig::default(), residents);
    assert_eq!(bench.hub.device_ids().count(), 1);
    let tool = bench.say(b"VESCTOOL:demo-0001:two\n");
    assert!(bench.is_open_and_was_told_nothing(tool));
}

#[test]
fn journal_entries_name_their_device_from_attaching_to_closing() {
    let mut bench = Bench::new();
    let tool = bench.login();
    bench.send(tool, &frame(&[BMS]));
    bench.until(ms(100));
    bench.event(tool, Event::Eof);
    let named: Vec<bool> = bench
        .journal
        .iter()
        .map(|entry| entry.device.is_some())
        .collect();
    // Connected, login; attached, request, reply, left.
    assert_eq!(named, [false, false, true, true, true, true]);
}

#[test]
fn the_same_inputs_twice_give_identical_outputs_and_journals() {
    let play = || {
        let residents = vec![
            resident("demo-0001", "not-a-secret"),
            resident("other", "x"),
        ];
        let mut bench = Bench::with(HubConfig::default(), residents);
        let first = bench.login();
        bench.send(first, &frame(&[BMS]));
        bench.send(first, b"noise\x02\x05");
        bench.until(ms(20));
        let second = bench.login();
        bench.send(second, &frame(&[FW_VERSION]));
        bench.say(b"VESCTOOL:demo-0001:wrong\n");
        bench.say(b"PING:other:0\n");
        let other = bench.say(b"VESCTOOL:other:x\n");
        bench.send(other, &frame(&[1, 2, 3]));
        bench.open();
        bench.until(ms(300));
        bench.event(second, Event::Reset);
        bench.event(other, Event::Eof);
        bench.until(ms(9000));
        (bench.journal, bench.heard, bench.ended)
    };
    assert_eq!(play(), play());
}

impl Bench {
    /// Whether a frame from this connection reaches its device now.
    fn is_attached(&mut self, conn: ConnId) -> bool {
        let before = self.count(|what| matches!(what, JournalEvent::Request(_)));
        self.send(conn, &frame(&[BMS]));
        self.count(|what| matches!(what, JournalEvent::Request(_))) == before + 1
    }
}
