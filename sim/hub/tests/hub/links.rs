//! What carries the bytes of a device, and how a device that serves directly takes its clients.

use std::collections::BTreeMap;

use veschub_hub::{
    carrier::{LinkKeys, LinkKind},
    duration::Duration,
    hub::{ConnId, Event, Hub, HubConfig, Output, Resident},
    journal::JournalEvent,
    quirk::ReconnectReset,
    time::Time,
};

use crate::bench::{Bench, DELAY, frame, ms, resident};

fn over(kind: LinkKind) -> LinkKeys {
    LinkKeys {
        kind,
        module: None,
        mtu: None,
        excess: None,
        old_tail: None,
        gap: None,
    }
}

/// A device alone, over a link or with a quirk.
fn direct(change: impl FnOnce(&mut Resident)) -> Bench {
    let mut resident = resident("demo-0001", "not-a-secret");
    change(&mut resident);
    let mut bench = Bench::new();
    bench.hub = Hub::direct(HubConfig::default(), resident);
    bench
}

fn linked(link: LinkKeys) -> Bench {
    direct(|resident| resident.link = Some(link))
}

/// What is written until then, and when.
fn writes(bench: &mut Bench, then: Time) -> Vec<(Time, ConnId, usize)> {
    let mut writes = Vec::new();
    while let Some(due) = bench.hub.poll_timeout().filter(|&due| due <= then) {
        bench.now = due;
        bench.hub.handle_timeout(due);
        while let Some((conn, output)) = bench.hub.poll_output() {
            if let Output::Write(bytes) = output {
                writes.push((due, conn, bytes.len()));
                bench.heard.entry(conn).or_default().extend(&bytes);
            }
        }
        bench.settle();
    }
    bench.now = then;
    writes
}

#[test]
fn a_request_over_bluetooth_comes_in_pieces_and_so_does_its_reply() {
    let mut bench = linked(over(LinkKind::Ble));
    let tool = bench.open();
    let request: Vec<u8> = (0..=44).map(|byte| byte | 1).collect();
    bench.send(tool, &frame(&request));
    let writes = writes(&mut bench, ms(1000));
    // 50 bytes are three pieces: the last one comes after 2 ms, the reply 50 ms later, in three pieces as well.
    let first = ms(2) + DELAY;
    let step = std::time::Duration::from_millis(1);
    assert_eq!(
        writes,
        [
            (first, tool, 20),
            (first + step, tool, 20),
            (first + 2 * step, tool, 10)
        ]
    );
    assert_eq!(bench.replies(tool), [request]);
}

#[test]
fn pieces_that_wait_reach_a_tool_whose_device_leaves() {
    let mut bench = Bench::with(
        HubConfig::default(),
        vec![{
            let mut resident = resident("demo-0001", "not-a-secret");
            resident.link = Some(over(LinkKind::Ble));
            resident
        }],
    );
    let tool = bench.login();
    bench.send(tool, &frame(&[7; 100]));
    bench.until(ms(5) + DELAY);
    // Another device takes the id while the reply is under way.
    bench.say(b"VESC:demo-0001:not-a-secret\n");
    bench.until(ms(500));
    assert_eq!(bench.replies(tool), [[7; 100]]);
    assert!(bench.ended.contains_key(&tool));
}

#[test]
fn the_end_of_an_old_frame_comes_first_when_a_port_is_opened() {
    let mut bench = linked(LinkKeys {
        old_tail: Some(5),
        ..over(LinkKind::Serial)
    });
    let first = bench.open();
    bench.send(first, &frame(&[1, 2, 3]));
    bench.until(ms(100));
    bench.event(first, Event::Eof);
    let second = bench.open();
    bench.until(ms(200));
    let reply = frame(&[1, 2, 3]);
    assert_eq!(bench.heard[&second], reply[reply.len() - 5..]);
    // Nobody had sent a frame before the first.
    let heard = &bench.heard[&first];
    assert_eq!(heard[5..], reply);
}

#[test]
fn answers_to_datagrams_go_to_the_sender_of_the_last_one() {
    let mut bench = linked(over(LinkKind::Udp));
    let (one, other) = (bench.open(), bench.open());
    bench.send(one, &frame(&[1]));
    bench.until(ms(10));
    bench.send(other, &frame(&[2]));
    bench.until(ms(200));
    // The reply to the first was under way, and has no address of its own.
    assert!(!bench.heard.contains_key(&one));
    assert_eq!(bench.replies(other), [vec![1], vec![2]]);
    bench.send(one, &frame(&[3]));
    bench.until(ms(300));
    assert_eq!(bench.replies(one), [[3]]);
    // A sender that is gone takes nobody's answers with it.
    bench.event(other, Event::Eof);
    bench.send(one, &frame(&[4]));
    bench.until(ms(400));
    assert_eq!(bench.replies(one), [[3], [4]]);
    // Half a request of one is finished by the other: there is one parser.
    let request = frame(&[5, 6]);
    bench.send(one, &request[..4]);
    let third = bench.open();
    bench.send(third, &request[4..]);
    bench.until(ms(500));
    assert_eq!(bench.replies(third), [[5, 6]]);
    let attached = bench.count(|event| *event == JournalEvent::Attached);
    assert_eq!(attached, 4);
}

#[test]
fn two_replies_at_one_time_are_two_datagrams() {
    let mut bench = linked(over(LinkKind::Udp));
    let tool = bench.open();
    bench.send(tool, &[frame(&[1]), frame(&[2, 2])].concat());
    let lengths: Vec<usize> = writes(&mut bench, ms(200))
        .iter()
        .map(|write| write.2)
        .collect();
    assert_eq!(lengths, [6, 7]);
}

fn resets(bench: &Bench) -> BTreeMap<ConnId, &Output> {
    bench.ended.iter().map(|(&conn, end)| (conn, end)).collect()
}

#[test]
fn a_client_that_reconnects_too_soon_is_broken_off() {
    let mut bench = direct(|resident| {
        let quirk = ReconnectReset::with(Duration::from_millis(10));
        resident.quirks.push(Box::new(quirk));
    });
    let first = bench.open();
    let waiting = bench.open();
    bench.send(waiting, &frame(&[1]));
    bench.until(ms(100));
    bench.event(first, Event::Eof);
    assert_eq!(bench.ended[&waiting], Output::Abort);
    bench.until(ms(105));
    let too_soon = bench.open();
    assert_eq!(bench.ended[&too_soon], Output::Abort);
    bench.until(ms(110));
    let later = bench.open();
    bench.send(later, &frame(&[2]));
    bench.until(ms(300));
    assert_eq!(bench.replies(later), [[2]]);
    assert_eq!(resets(&bench).len(), 3);
    let fired = |event: &JournalEvent| matches!(event, JournalEvent::QuirkFired { .. });
    assert_eq!(bench.count(fired), 2);
    assert!(!bench.heard.contains_key(&waiting) && !bench.heard.contains_key(&too_soon));
}

#[test]
fn without_the_quirk_a_client_that_comes_back_at_once_is_served() {
    let mut bench = direct(|_| {});
    let first = bench.open();
    bench.event(first, Event::Eof);
    let second = bench.open();
    bench.send(second, &frame(&[2]));
    bench.until(ms(100));
    assert_eq!(bench.replies(second), [[2]]);
}
