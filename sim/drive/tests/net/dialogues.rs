//! The dialogues of VESC Tool's hub, byte for byte and close for close, with an empty hub that only relays.
//!
//! Silence is shown without waiting for it: what comes first afterwards is what was sent afterwards.

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use veschub_hub::{
    hub::HubConfig,
    journal::{Closed, JournalEvent},
};

use crate::house::{BMS, House, Tool, frame};

const DEVICE: &[u8] = b"VESC:real-0001:its-password\n";
const TOOL: &[u8] = b"VESCTOOL:real-0001:its-password\n";
/// A login's time limit for tests; the real one is five seconds.
const SHORT: Duration = Duration::from_millis(150);

async fn empty() -> House {
    House::with(HubConfig::reference(), Vec::new()).await
}

async fn impatient(config: HubConfig) -> House {
    let config = HubConfig {
        login_timeout: SHORT,
        ..config
    };
    House::with(config, Vec::new()).await
}

/// Both ends of the pipe.
async fn pipe(house: &mut House) -> (Tool, Tool) {
    let device = house.register(DEVICE).await;
    (device, house.login(TOOL).await)
}

/// What comes first at each end is what the other end says now: nothing came before it, and nothing is lost.
async fn assert_piped(device: &mut Tool, tool: &mut Tool) {
    tool.send(b"to device").await;
    assert_eq!(&device.bytes::<9>().await, b"to device");
    device.send(b"to tool").await;
    assert_eq!(&tool.bytes::<7>().await, b"to tool");
}

async fn assert_closed(peer: &mut Tool) {
    assert_eq!(peer.rest().await.unwrap(), b"");
}

async fn ping(house: &House, id: &str) -> Vec<u8> {
    let line = format!("PING:{id}:0\n");
    house.says(line.as_bytes()).await.rest().await.unwrap()
}

#[test]
fn the_limit_of_a_login_is_five_seconds() {
    assert_eq!(HubConfig::reference().login_timeout.as_secs(), 5);
}

#[tokio::test]
async fn success_is_silence_for_device_and_tool() {
    let mut house = empty().await;
    let (mut device, mut tool) = pipe(&mut house).await;
    assert!(device.hears_nothing() && tool.hears_nothing());
    assert_piped(&mut device, &mut tool).await;
    house.shut_down().await;
}

#[tokio::test]
async fn each_failure_is_a_close_without_a_byte() {
    let mut house = empty().await;
    let (mut device, mut tool) = pipe(&mut house).await;
    for line in [
        &b"\n"[..],
        b"VESCTOOL\n",
        b"VESCTOOL:real-0001\n",
        b"VESCTOOL:real-0001:its:password\n",
        b"VESC:with:a:colon\n",
        b"TOOL:real-0001:its-password\n",
        b":::\n",
        b"VESC:ab:x\n",
        b"PING:a b:0\n",
        b"VESCTOOL:ab:x\n",
        b"VESCTOOL:nobody:its-password\n",
        b"VESCTOOL:real-0001:wrong\n",
        b"VESCTOOL:real-0001:ITS-PASSWORD\n",
        b"VESCTOOL:real-0001: its-password\n",
        b"VESCTOOL:real-0001:its-password\r\n",
        b"VESCTOOL:real-0001:\n",
        b"\0VESCTOOL:real-0001:its-password\n",
        b"\xFF\xFE\n",
    ] {
        let mut peer = house.says(line).await;
        let heard = peer.rest().await.unwrap();
        assert_eq!(heard, b"", "{}", String::from_utf8_lossy(line));
    }
    // None of them disturbed who was there.
    assert_piped(&mut device, &mut tool).await;
    house.shut_down().await;
}

#[tokio::test]
async fn type_and_id_lose_case_and_blanks_on_both_sides() {
    let mut house = empty().await;
    let mut device = house.register(b"ve sc:Real 0007:p w\n").await;
    assert_eq!(ping(&house, "  real0007").await, b"PONG\n");
    let mut peer = house.says(b"pi ng:REAL 00 07:\n").await;
    assert_eq!(peer.rest().await.unwrap(), b"PONG\n");
    let mut tool = house.login(b"VescTool:r e a l 0007:p w\n").await;
    assert_piped(&mut device, &mut tool).await;
    house.shut_down().await;
}

#[tokio::test]
async fn ping_answers_pong_or_null_and_closes() {
    let mut house = empty().await;
    assert_eq!(ping(&house, "real-0001").await, b"NULL\n");
    let device = house.register(DEVICE).await;
    assert_eq!(ping(&house, "real-0001").await, b"PONG\n");
    drop(device);
    house
        .happens(|what| *what == JournalEvent::Closed(Closed::Peer))
        .await;
    assert_eq!(ping(&house, "real-0001").await, b"NULL\n");
    house.shut_down().await;
}

#[tokio::test]
async fn a_line_of_200_kilobytes_is_a_line() {
    let mut house = empty().await;
    let line = format!("VESC:{}:x\n", "a".repeat(200_000));
    house.register(line.as_bytes()).await;
    house.shut_down().await;
}

#[tokio::test]
async fn the_time_runs_from_the_connection_to_the_line_feed() {
    let house = impatient(HubConfig::reference()).await;
    let start = Instant::now();
    let mut silent = house.connect().await;
    assert_closed(&mut silent).await;
    let mut unfinished = house.says(&TOOL[..TOOL.len() - 1]).await;
    assert_closed(&mut unfinished).await;
    assert!(start.elapsed() >= 2 * SHORT, "{:?}", start.elapsed());
    house.shut_down().await;
}

/// A tool whose login is complete while a later connection has said nothing.
async fn overtaken_by_silence(config: HubConfig) -> (House, Tool, Tool, Tool) {
    let mut house = impatient(config).await;
    let device = house.register(DEVICE).await;
    let mut tool = house.connect().await;
    house.happens(|what| *what == JournalEvent::Opened).await;
    let silent = house.connect().await;
    house.happens(|what| *what == JournalEvent::Opened).await;
    tool.send(TOOL).await;
    (house, device, tool, silent)
}

#[tokio::test]
async fn a_silent_connection_that_comes_later_makes_a_login_in_time_fail() {
    let (mut house, _device, mut tool, mut silent) =
        overtaken_by_silence(HubConfig::reference()).await;
    assert_closed(&mut tool).await;
    assert_closed(&mut silent).await;
    let mut reasons = Vec::new();
    for _ in 0..2 {
        let refused = |what: &JournalEvent| matches!(what, JournalEvent::LoginRefused { .. });
        reasons.push(house.happens(refused).await.to_string());
    }
    assert!(reasons[0].contains("no login line within"), "{reasons:?}");
    assert!(reasons[1].contains("held it up"), "{reasons:?}");
    house.shut_down().await;
}

#[tokio::test]
async fn an_ideal_hub_lets_it_in_at_once() {
    let (mut house, mut device, mut tool, _silent) = overtaken_by_silence(HubConfig::ideal()).await;
    house.happens(|what| *what == JournalEvent::Attached).await;
    assert_piped(&mut device, &mut tool).await;
    house.shut_down().await;
}

#[tokio::test]
async fn one_that_leaves_before_its_line_feed_holds_up_earlier_ones_all_the_same() {
    let (mut house, _device, mut tool, silent) = overtaken_by_silence(HubConfig::reference()).await;
    drop(silent);
    assert_closed(&mut tool).await;
    let refused = |what: &JournalEvent| matches!(what, JournalEvent::LoginRefused { .. });
    let reason = house.happens(refused).await.to_string();
    assert!(reason.contains("held it up"), "{reason}");
    house.shut_down().await;
}

#[tokio::test]
async fn a_silent_connection_that_came_earlier_holds_up_nobody() {
    let mut house = empty().await;
    let _silent = house.connect().await;
    house.happens(|what| *what == JournalEvent::Opened).await;
    let (mut device, mut tool) = pipe(&mut house).await;
    assert_piped(&mut device, &mut tool).await;
    house.shut_down().await;
}

/// The same client program for every hub: its login and a request in one write, then another request. What the
/// device hears of it.
async fn heard_of_login_and_request_in_one_write(config: HubConfig) -> Vec<u8> {
    let mut house = House::with(config, Vec::new()).await;
    let mut device = house.register(DEVICE).await;
    let first = frame(&[BMS, 1]);
    let mut tool = house.login(&[TOOL, &first].concat()).await;
    tool.send(&frame(&[BMS, 2])).await;
    tool.stream.shutdown().await.unwrap();
    house
        .happens(|what| *what == JournalEvent::Closed(Closed::Peer))
        .await;
    house.shut_down().await;
    device.rest().await.unwrap()
}

#[tokio::test]
async fn a_request_in_one_write_with_the_login_is_lost_at_the_reference_hub_and_not_at_an_ideal_one()
 {
    let heard = heard_of_login_and_request_in_one_write(HubConfig::reference()).await;
    assert_eq!(heard, frame(&[BMS, 2]));
    let heard = heard_of_login_and_request_in_one_write(HubConfig::ideal()).await;
    assert_eq!(heard, [frame(&[BMS, 1]), frame(&[BMS, 2])].concat());
}

#[tokio::test]
async fn the_nul_behind_a_devices_line_is_swallowed_in_one_write_and_piped_in_a_later_one() {
    for (together, expected) in [(true, &b"hello"[..]), (false, b"\0hello")] {
        let mut house = empty().await;
        let line = [DEVICE, b"\0"].concat();
        let mut device = if together {
            house.register(&line).await
        } else {
            let mut device = house.register(DEVICE).await;
            device.send(b"\0").await;
            device
        };
        let mut tool = house.login(TOOL).await;
        device.send(b"hello").await;
        device.stream.shutdown().await.unwrap();
        assert_eq!(tool.rest().await.unwrap(), expected);
        house.shut_down().await;
    }
}

#[tokio::test]
async fn a_newer_tool_takes_over_and_the_older_one_is_closed() {
    let mut house = empty().await;
    let (mut device, mut older) = pipe(&mut house).await;
    assert_piped(&mut device, &mut older).await;
    let mut newer = house.login(TOOL).await;
    assert_closed(&mut older).await;
    assert_piped(&mut device, &mut newer).await;
    house.shut_down().await;
}

#[tokio::test]
async fn what_is_said_before_the_first_tool_is_kept_and_comes_with_what_is_said_next() {
    let mut house = empty().await;
    let mut device = house.register(DEVICE).await;
    device.send(b"early, ").await;
    let mut tool = house.login(TOOL).await;
    device.send(b"next").await;
    assert_eq!(&tool.bytes::<11>().await, b"early, next");
    house.shut_down().await;
}

#[tokio::test]
async fn what_is_said_after_a_tool_has_left_is_dropped_and_the_device_is_told_nothing() {
    let mut house = empty().await;
    let (mut device, tool) = pipe(&mut house).await;
    drop(tool);
    house
        .happens(|what| *what == JournalEvent::Closed(Closed::Peer))
        .await;
    device.send(b"lost").await;
    house
        .happens(|what| *what == JournalEvent::DeviceBytesDiscarded { bytes: 4 })
        .await;
    let mut next = house.login(TOOL).await;
    assert_piped(&mut device, &mut next).await;
    house.shut_down().await;
}

#[tokio::test]
async fn a_late_reply_reaches_the_next_tool() {
    let mut house = empty().await;
    let (mut device, mut tool) = pipe(&mut house).await;
    tool.send(b"ask").await;
    assert_eq!(&device.bytes::<3>().await, b"ask");
    drop(tool);
    let mut next = house.login(TOOL).await;
    device.send(b"answer").await;
    assert_eq!(&next.bytes::<6>().await, b"answer");
    house.shut_down().await;
}

#[tokio::test]
async fn when_the_device_leaves_its_tool_is_closed_and_its_id_is_free() {
    let mut house = empty().await;
    let (device, mut tool) = pipe(&mut house).await;
    drop(device);
    assert_closed(&mut tool).await;
    assert_eq!(ping(&house, "real-0001").await, b"NULL\n");
    house.shut_down().await;
}

#[tokio::test]
async fn a_second_device_with_the_id_replaces_the_first_its_tool_and_its_password() {
    let mut house = empty().await;
    let (mut old, mut tool) = pipe(&mut house).await;
    let mut new = house.register(b"VESC:REAL-0001:another\n").await;
    assert_closed(&mut old).await;
    assert_closed(&mut tool).await;
    assert_closed(&mut house.says(TOOL).await).await;
    let mut tool = house.login(b"VESCTOOL:real-0001:another\n").await;
    assert_piped(&mut new, &mut tool).await;
    house.shut_down().await;
}

/// A device is replaced while the hub has bytes for it that it does not read; then it reads them all.
async fn replaced_with_bytes_unsent(config: HubConfig) -> (House, Tool) {
    let config = HubConfig {
        max_unsent: 1 << 30,
        ..config
    };
    let mut house = House::with(config, Vec::new()).await;
    let (mut old, mut tool) = pipe(&mut house).await;
    // More than the system's own buffers take on both sides of the hub.
    tool.send(&vec![0x55; 24 << 20]).await;
    let new = house.register(DEVICE).await;
    // All that the hub had taken from the tool by then.
    assert!(old.rest().await.unwrap().len() > 8 << 20);
    (house, new)
}

#[tokio::test]
async fn a_replaced_device_that_was_slow_to_read_takes_the_new_entry_with_it() {
    let (mut house, new) = replaced_with_bytes_unsent(HubConfig::reference()).await;
    let deleted = |what: &JournalEvent| matches!(what, JournalEvent::EntryDeleted { .. });
    house.happens(deleted).await;
    assert_eq!(ping(&house, "real-0001").await, b"NULL\n");
    assert!(new.hears_nothing(), "it is connected and reaches nobody");
    assert_closed(&mut house.says(TOOL).await).await;
    house.shut_down().await;
}

#[tokio::test]
async fn an_ideal_hub_keeps_the_new_entry() {
    let (mut house, mut new) = replaced_with_bytes_unsent(HubConfig::ideal()).await;
    assert_eq!(ping(&house, "real-0001").await, b"PONG\n");
    let mut tool = house.login(TOOL).await;
    assert_piped(&mut new, &mut tool).await;
    house.shut_down().await;
}
