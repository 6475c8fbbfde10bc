//! Every fault as the client's side of a real socket sees it.

use std::{
    collections::BTreeSet,
    io::ErrorKind,
    time::{Duration, Instant},
};

use tokio::{io::AsyncWriteExt, time::timeout};
use veschub_hub::{
    fault,
    journal::{Closed, JournalEvent},
};

use crate::house::{House, LOGIN, PATIENCE, Tool, frame};

const FW_VERSION: u8 = 0;
const BMS: u8 = 96;
/// Longer than any test runs: what is due then does not come.
const NEVER: &str = "1h";

/// A hub with an Express whose link has these faults, and a tool that is attached to it.
async fn tool_behind(faults: &str) -> (House, Tool) {
    tool_at_express(&format!("faults:\n  - {faults}\n")).await
}

async fn tool_at_express(more: &str) -> (House, Tool) {
    let text = format!(
        "version: 1\n\
         about: a fault\n\
         devices:\n  \
           - express: {{ id: demo-0001, password: not-a-secret, reply_after: 1ms, bms: {{ cells: 4 }} }}\n{more}"
    );
    let mut house = House::of_scenario(&text).await;
    let tool = house.login(LOGIN).await;
    (house, tool)
}

impl House {
    /// Asks, and what the device says to it before anything is done to the link, as a frame.
    async fn asked(&mut self, tool: &mut Tool, command: u8) -> Vec<u8> {
        tool.send(&frame(&[command])).await;
        self.said(command).await
    }

    async fn said(&mut self, command: u8) -> Vec<u8> {
        let said = |what: &JournalEvent| matches!(what, JournalEvent::Reply { payload, .. } if payload[0] == command);
        match self.happens(said).await.event {
            JournalEvent::Reply { payload, .. } => frame(&payload),
            _ => unreachable!(),
        }
    }

    async fn fired(&mut self, name: &str) -> String {
        let fired = |what: &JournalEvent| matches!(what, JournalEvent::FaultFired(fired) if fired.fault == name);
        self.happens(fired).await.to_string()
    }
}

impl Tool {
    async fn takes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < count {
            let [byte] = self.bytes::<1>().await;
            bytes.push(byte);
        }
        bytes
    }

    /// What one read gives.
    async fn one_read(&mut self) -> Vec<u8> {
        timeout(PATIENCE, self.stream.readable())
            .await
            .unwrap()
            .unwrap();
        let mut bytes = Vec::with_capacity(64 * 1024);
        self.stream.try_read_buf(&mut bytes).unwrap();
        bytes
    }
}

#[test]
fn every_fault_is_seen_here() {
    let source = include_str!("faults.rs");
    let named = |name: &&str| source.contains(&format!("{name}: {{"));
    let missing: BTreeSet<&str> = fault::catalogue()
        .iter()
        .map(|info| info.name)
        .filter(|name| !named(name))
        .collect();
    assert_eq!(missing, BTreeSet::new());
}

#[tokio::test]
async fn delay() {
    let (mut house, mut tool) = tool_behind("delay: { by: 60ms }").await;
    let start = Instant::now();
    let said = house.asked(&mut tool, FW_VERSION).await;
    assert!(tool.hears_nothing());
    assert_eq!(tool.takes(said.len()).await, said);
    assert!(start.elapsed() >= Duration::from_millis(60));
    house.shut_down().await;
}

#[tokio::test]
async fn delay_on_the_way_to_the_device() {
    let (mut house, mut tool) = tool_behind("delay: { by: 60ms, direction: to-device }").await;
    let start = Instant::now();
    tool.send(&frame(&[FW_VERSION])).await;
    house
        .happens(|what| *what == JournalEvent::Request(vec![FW_VERSION]))
        .await;
    assert!(start.elapsed() >= Duration::from_millis(60));
    house.shut_down().await;
}

#[tokio::test]
async fn jitter() {
    let (mut house, mut tool) = tool_behind("jitter: { up_to: 40ms }").await;
    let start = Instant::now();
    for _ in 0..8 {
        let said = house.asked(&mut tool, FW_VERSION).await;
        assert_eq!(tool.takes(said.len()).await, said);
    }
    assert!(
        start.elapsed() >= Duration::from_millis(40),
        "eight of them"
    );
    house.shut_down().await;
}

#[tokio::test]
async fn bandwidth() {
    let (mut house, mut tool) = tool_behind("bandwidth: { bytes_per_second: 1000 }").await;
    let start = Instant::now();
    let said = house.asked(&mut tool, BMS).await;
    assert_eq!(tool.takes(said.len()).await, said);
    let at_least = Duration::from_millis(said.len() as u64 - 1);
    assert!(start.elapsed() >= at_least, "{:?}", start.elapsed());
    house.shut_down().await;
}

#[tokio::test]
async fn split() {
    let (mut house, mut tool) = tool_behind(&format!("split: {{ at: [10], gap: {NEVER} }}")).await;
    let said = house.asked(&mut tool, BMS).await;
    assert_eq!(tool.takes(10).await, said[..10]);
    assert!(tool.hears_nothing());
    house.shut_down().await;
}

#[tokio::test]
async fn split_into_single_bytes() {
    let (mut house, mut tool) = tool_behind("split: { every_byte: true, gap: 1ms }").await;
    let start = Instant::now();
    let said = house.asked(&mut tool, BMS).await;
    assert_eq!(tool.takes(said.len()).await, said);
    let at_least = Duration::from_millis(said.len() as u64 - 1);
    assert!(start.elapsed() >= at_least, "{:?}", start.elapsed());
    house.shut_down().await;
}

#[tokio::test]
async fn merge() {
    let (mut house, mut tool) =
        tool_behind(&format!("merge: {{ frames: 3, within: {NEVER} }}")).await;
    let mut said = house.asked(&mut tool, FW_VERSION).await;
    said.extend(house.asked(&mut tool, BMS).await);
    assert!(tool.hears_nothing());
    said.extend(house.asked(&mut tool, FW_VERSION).await);
    assert_eq!(tool.one_read().await, said);
    house.shut_down().await;
}

#[tokio::test]
async fn corrupt() {
    for part in ["payload", "crc", "length", "stop"] {
        let (mut house, mut tool) =
            tool_behind(&format!("corrupt: {{ part: {part}, when: {{ nth: 1 }} }}")).await;
        let said = house.asked(&mut tool, BMS).await;
        let got = tool.takes(said.len()).await;
        let bits = |(a, b): (&u8, &u8)| (a ^ b).count_ones();
        let flipped: u32 = said.iter().zip(&got).map(bits).sum();
        assert_eq!(flipped, 1, "{part}");
        house.shut_down().await;
    }
}

#[tokio::test]
async fn drop() {
    let (mut house, mut tool) = tool_behind("drop: { when: { nth: 1 } }").await;
    house.asked(&mut tool, FW_VERSION).await;
    house.fired("drop").await;
    let said = house.asked(&mut tool, BMS).await;
    assert_eq!(tool.takes(said.len()).await, said);
    house.shut_down().await;
}

#[tokio::test]
async fn drop_on_the_way_to_the_device() {
    let (mut house, mut tool) =
        tool_behind("drop: { direction: to-device, when: { nth: 1 } }").await;
    tool.send(&[frame(&[FW_VERSION]), frame(&[BMS])].concat())
        .await;
    let request = house
        .happens(|what| matches!(what, JournalEvent::Request(_)))
        .await;
    assert_eq!(request.event, JournalEvent::Request(vec![BMS]));
    house.shut_down().await;
}

#[tokio::test]
async fn duplicate() {
    let (mut house, mut tool) = tool_behind("duplicate: { times: 2 }").await;
    let said = house.asked(&mut tool, BMS).await;
    assert_eq!(tool.takes(3 * said.len()).await, said.repeat(3));
    house.shut_down().await;
}

#[tokio::test]
async fn reorder() {
    let (mut house, mut tool) =
        tool_behind("reorder: { behind: 1, when: { command: FW_VERSION } }").await;
    let first = house.asked(&mut tool, FW_VERSION).await;
    assert!(tool.hears_nothing());
    let second = house.asked(&mut tool, BMS).await;
    let both = [second, first].concat();
    assert_eq!(tool.takes(both.len()).await, both);
    house.shut_down().await;
}

#[tokio::test]
async fn truncate() {
    let (mut house, mut tool) = tool_behind("truncate: { keep: 7, when: { nth: 1 } }").await;
    let first = house.asked(&mut tool, BMS).await;
    let second = house.asked(&mut tool, FW_VERSION).await;
    let expected = [&first[..7], &second].concat();
    assert_eq!(tool.takes(expected.len()).await, expected);
    house.shut_down().await;
}

#[tokio::test]
async fn garbage() {
    for (kind, before) in [
        ("kind: false-start", &[0x02, 0xFF][..]),
        ("hex: \"0102\"", &[1, 2]),
    ] {
        let (mut house, mut tool) = tool_behind(&format!("garbage: {{ {kind} }}")).await;
        let said = house.asked(&mut tool, BMS).await;
        let expected = [before, &said].concat();
        assert_eq!(tool.takes(expected.len()).await, expected);
        house.shut_down().await;
    }
}

#[tokio::test]
async fn stall_for_a_while() {
    let (mut house, mut tool) = tool_behind("stall: { for: 60ms, when: { nth: 1 } }").await;
    let start = Instant::now();
    let mut said = house.asked(&mut tool, FW_VERSION).await;
    said.extend(house.asked(&mut tool, BMS).await);
    assert_eq!(tool.takes(said.len()).await, said);
    assert!(start.elapsed() >= Duration::from_millis(60));
    house.shut_down().await;
}

#[tokio::test]
async fn stall_for_ever_leaves_the_connection_open() {
    let (mut house, mut tool) = tool_behind("stall: { when: { nth: 2 } }").await;
    let said = house.asked(&mut tool, FW_VERSION).await;
    assert_eq!(tool.takes(said.len()).await, said);
    house.asked(&mut tool, BMS).await;
    // What it says still arrives at the device.
    house.asked(&mut tool, FW_VERSION).await;
    assert!(tool.hears_nothing());
    house.shut_down().await;
}

#[tokio::test]
async fn reset() {
    let (mut house, mut tool) = tool_behind("reset: { when: { command: BMS_GET_VALUES } }").await;
    let said = house.asked(&mut tool, FW_VERSION).await;
    assert_eq!(tool.takes(said.len()).await, said);
    tool.send(&frame(&[BMS])).await;
    let broken = tool.rest().await.unwrap_err();
    assert_eq!(broken.kind(), ErrorKind::ConnectionReset);
    house
        .happens(|what| *what == JournalEvent::Closed(Closed::BrokenOff))
        .await;
    // The device is still there for the next one.
    house.login(LOGIN).await;
    house.shut_down().await;
}

#[tokio::test]
async fn reset_in_the_middle_of_a_reply() {
    let (mut house, mut tool) = tool_behind("reset: { keep: 20 }").await;
    let said = house.asked(&mut tool, BMS).await;
    assert_eq!(tool.takes(20).await, said[..20]);
    assert_eq!(
        tool.rest().await.unwrap_err().kind(),
        ErrorKind::ConnectionReset
    );
    house.shut_down().await;
}

#[tokio::test]
async fn reset_by_what_the_client_sends() {
    let (house, mut tool) =
        tool_behind("reset: { direction: to-device, when: { command: BMS_GET_VALUES } }").await;
    tool.send(&frame(&[BMS])).await;
    assert_eq!(
        tool.rest().await.unwrap_err().kind(),
        ErrorKind::ConnectionReset
    );
    house.shut_down().await;
}

#[tokio::test]
async fn half_close_ends_what_is_heard_and_not_what_is_said() {
    let (mut house, mut tool) = tool_behind("half-close: { keep: 5 }").await;
    let said = house.asked(&mut tool, BMS).await;
    assert_eq!(tool.rest().await.unwrap(), said[..5]);
    // Data is still accepted, and answered with neither bytes nor a reset.
    for _ in 0..3 {
        house.asked(&mut tool, FW_VERSION).await;
    }
    assert_eq!(tool.rest().await.unwrap(), b"");
    tool.stream.shutdown().await.unwrap();
    house
        .happens(|what| *what == JournalEvent::Closed(Closed::Peer))
        .await;
    house.shut_down().await;
}

#[tokio::test]
async fn slow_close_lets_the_end_come_late() {
    let (mut house, mut tool) =
        tool_behind("half-close: { when: { nth: 1 } }\n  - slow-close: { by: 60ms }").await;
    let start = Instant::now();
    let said = house.asked(&mut tool, BMS).await;
    assert_eq!(tool.takes(said.len()).await, said);
    assert_eq!(tool.rest().await.unwrap(), b"");
    assert!(start.elapsed() >= Duration::from_millis(60));
    house.shut_down().await;
}

#[tokio::test]
async fn a_fault_that_answers_to_the_client_spares_one_that_behaves() {
    let faults = "reset: { when: { client: { wrote_with_login: true } } }";
    let (mut house, mut tool) = tool_behind(faults).await;
    let said = house.asked(&mut tool, FW_VERSION).await;
    assert_eq!(tool.takes(said.len()).await, said);
    let mut hasty = house.login(&[LOGIN, &frame(&[BMS])].concat()).await;
    hasty.send(&frame(&[FW_VERSION])).await;
    assert_eq!(
        hasty.rest().await.unwrap_err().kind(),
        ErrorKind::ConnectionReset
    );
    house.shut_down().await;
}

#[tokio::test]
async fn a_restart_closes_the_tool_and_the_device_cannot_be_reached_until_it_is_back() {
    let (mut house, mut tool) = tool_at_express("").await;
    let start = Instant::now();
    tool.send(&frame(&[29])).await;
    assert_eq!(tool.rest().await.unwrap(), b"");
    let mut ping = house.says(b"PING:demo-0001:0\n").await;
    assert_eq!(ping.rest().await.unwrap(), b"NULL\n");
    assert_eq!(house.says(LOGIN).await.rest().await.unwrap(), b"");
    house.happens(|what| *what == JournalEvent::LinkUp).await;
    assert!(start.elapsed() >= Duration::from_secs(1));
    let mut tool = house.login(LOGIN).await;
    let said = house.asked(&mut tool, FW_VERSION).await;
    assert_eq!(tool.takes(said.len()).await, said);
    house.shut_down().await;
}
