//! A correct client passes however it drives, and each mistake is told with its bytes.

use veschub_hub::{
    journal::{JournalEntry, JournalEvent},
    time::Time,
};
use veschub_scenario::Loaded;

use super::*;

const MS: Duration = Duration::from_millis(1);

fn scenario(task: &str) -> Scenario {
    let text = format!(
        "version: 1\ndevices:\n  - express: {{ id: demo-0001, password: not-a-secret }}\nclient:\n  {task}\n"
    );
    Loaded::parse("test", &text).unwrap().scenario
}

/// What reached a motor at CAN id 84: each with its time in milliseconds.
fn journal(sent: impl IntoIterator<Item = (u64, Vec<u8>)>) -> Vec<JournalEntry> {
    let entry = |(at, inner): (u64, Vec<u8>)| {
        let mut payload = vec![34, 84];
        payload.extend(inner);
        JournalEntry {
            at: Time::from(at as u32 * MS),
            conn: None,
            device: None,
            event: JournalEvent::Request(payload),
        }
    };
    sent.into_iter().map(entry).collect()
}

fn set(id: u8, raw: i32) -> Vec<u8> {
    let mut payload = vec![id];
    payload.extend(raw.to_be_bytes());
    payload
}

const DRIVE: &str = "drive: { can_id: 84, current_a: 8, every: 100ms, for: 1s }";

/// Ten set commands of this many milliamperes, then the stop.
fn drive(raws: [i32; 10]) -> Vec<(u64, Vec<u8>)> {
    let sets = raws.into_iter().zip(0..);
    let mut sent: Vec<(u64, Vec<u8>)> = sets.map(|(raw, tick)| (100 * tick, set(6, raw))).collect();
    sent.push((1000, set(6, 0)));
    sent
}

fn found(task: &str, sent: Vec<(u64, Vec<u8>)>) -> Vec<(Kind, String)> {
    let findings = findings(&scenario(task), &journal(sent), false);
    let told = |found: Finding| {
        let Difference {
            truth,
            decoded,
            why,
            ..
        } = found.difference;
        (found.kind, format!("{truth} | {decoded} | {why}"))
    };
    findings.into_iter().map(told).collect()
}

#[test]
fn a_client_that_does_what_it_is_told_passes() {
    assert_eq!(found(DRIVE, drive([8000; 10])), []);
    // By a ramp, from a stop, off by rounding, and with a brake at the end.
    let mut ramp = drive([0, 1000, 2500, 4000, 6000, 7000, 7990, 8000, 8000, 8000]);
    ramp.push((1010, set(7, 3000)));
    assert_eq!(found(DRIVE, ramp), []);
    assert_eq!(found(DRIVE, drive([7999; 10])), []);
    // One that reads, and one that lets go.
    let reads = vec![(0, vec![0]), (10, vec![4]), (20, set(6, 0))];
    assert_eq!(found("read-motor: { can_id: 84 }", reads), []);
}

#[test]
fn another_motor_than_the_one_that_was_meant_is_never_driven() {
    let at = |can_id: Option<u8>, task: &str| {
        let mut journal = journal(drive([8000; 10]));
        let requests = journal.iter_mut().map(|entry| &mut entry.event);
        for request in requests {
            if let JournalEvent::Request(payload) = request {
                match can_id {
                    Some(id) => payload[1] = id,
                    None => drop(payload.drain(..2)),
                }
            }
        }
        let found = findings(&scenario(task), &journal, false);
        found.into_iter().map(|one| one.difference.decoded).next()
    };
    let own = "drive: { current_a: 8, every: 100ms, for: 1s }";
    for (can_id, task, seen) in [
        (Some(84), DRIVE, None),
        (Some(85), DRIVE, Some("the node with CAN id 85")),
        (Some(255), DRIVE, Some("all nodes on the CAN bus (id 255)")),
        (None, DRIVE, Some("the device itself (id 2)")),
        (None, own, None),
        // The device's own id.
        (Some(2), own, None),
        (Some(84), own, Some("the node with CAN id 84")),
    ] {
        let seen = seen.map(|seen| format!("SET_CURRENT 8 A (06 00 00 1f 40) to {seen}"));
        assert_eq!(at(can_id, task), seen, "{can_id:?} {task}");
    }
}

#[test]
fn one_command_to_another_motor_is_told_alone() {
    // One to the device itself, and then all is right.
    let mut journal = journal(drive([8000; 10]));
    if let JournalEvent::Request(payload) = &mut journal[0].event {
        payload.drain(..2);
    }
    let found = findings(&scenario(DRIVE), &journal, false);
    let [
        Finding {
            kind: Kind::Value,
            difference,
        },
    ] = &found[..]
    else {
        unreachable!("{found:?}");
    };
    assert_eq!(difference.truth, "only to the node with CAN id 84");
    assert!(
        difference
            .why
            .ends_with("send it inside FORWARD_CAN, behind 22 54")
    );
}

#[test]
fn a_client_that_feeds_by_alive_passes() {
    let mut sent = vec![(0, set(6, 8000))];
    sent.extend((1..15).map(|tick| (200 * tick, vec![30])));
    sent.push((3000, set(6, 0)));
    let task = "keep-alive: { can_id: 84, current_a: 8, for: 3s }";
    assert_eq!(found(task, sent), []);
}

#[test]
fn a_unit_is_named_with_the_bytes_that_were_meant_and_sent() {
    let found = found(DRIVE, drive([8_000_000; 10]));
    let [(Kind::Value, told)] = &found[..] else {
        unreachable!("{found:?}")
    };
    assert!(told.starts_with("SET_CURRENT 8 A (06 00 00 1f 40) | SET_CURRENT 8000 A (06 00 7a 12 00) | 1000 times too large"));
}

#[test]
fn one_number_alone_is_no_known_mistake() {
    // Ten times too large, but once among others: that may be a slip of the hand as well as of a unit.
    let once = found(
        DRIVE,
        drive([8000, 80_000, 8000, 8000, 8000, 8000, 8000, 8000, 8000, 8000]),
    );
    let [(Kind::Limit, told)] = &once[..] else {
        unreachable!("{once:?}")
    };
    assert!(told.contains("was told 8 A and set more") && !told.contains("times too"));
    // What never comes near, and has no name.
    let half = found(DRIVE, drive([4321; 10]));
    let [(Kind::Value, told)] = &half[..] else {
        unreachable!("{half:?}")
    };
    assert!(told.contains("never set as much"));
}

#[test]
fn a_command_that_is_too_short_or_another_one_is_told() {
    let short = found(DRIVE, vec![(0, vec![6, 0x1F, 0x40]), (100, set(6, 0))]);
    assert!(
        short
            .iter()
            .any(|(_, told)| told.contains("ends too early"))
    );
    let other = found(DRIVE, vec![(0, set(8, 8000)), (1000, set(6, 0))]);
    assert!(
        other[0]
            .1
            .contains("SET_RPM 8000 ERPM (08 00 00 1f 40) | the client sets something else")
    );
}

#[test]
fn what_comes_behind_the_stop_and_what_does_not_come_at_the_end_is_told() {
    let mut sent = drive([8000; 10]);
    sent.push((1100, set(6, 8000)));
    let kinds: Vec<Kind> = found(DRIVE, sent)
        .into_iter()
        .map(|(kind, _)| kind)
        .collect();
    assert_eq!(kinds, [Kind::End, Kind::Stop]);
    let mut sent = drive([8000; 10]);
    sent.pop();
    let kinds: Vec<Kind> = found(DRIVE, sent)
        .into_iter()
        .map(|(kind, _)| kind)
        .collect();
    assert_eq!(kinds, [Kind::Stop]);
}

#[test]
fn a_client_without_a_pause_is_told_what_the_link_carries() {
    let sent = (0..2000).map(|tick| (tick / 2, set(6, 8000)));
    let mut sent: Vec<_> = sent.collect();
    sent.push((1000, set(6, 0)));
    let kinds: Vec<Kind> = found(DRIVE, sent)
        .into_iter()
        .map(|(kind, _)| kind)
        .collect();
    assert_eq!(kinds, [Kind::Rate]);
    // Ten times as often as most do is still well.
    let task = "drive: { can_id: 84, current_a: 8, every: 10ms, for: 1s }";
    let mut sent: Vec<_> = (0..100).map(|tick| (10 * tick, set(6, 8000))).collect();
    sent.push((1000, set(6, 0)));
    assert_eq!(found(task, sent), []);
}

#[test]
fn a_motor_that_times_out_meanwhile_is_told() {
    let task = "drive: { can_id: 84, current_a: 8, every: 200ms, for: 4s }";
    let found = found(task, vec![(0, set(6, 8000)), (4000, set(6, 0))]);
    let [(Kind::Feed, told)] = &found[..] else {
        unreachable!("{found:?}")
    };
    assert!(told.contains("nothing from 0.000 s on"));
}

#[test]
fn what_feeds_after_the_death_is_told_and_a_word_on_its_way_is_not() {
    let sent = |late: u64| {
        journal([
            (0, set(6, 8000)),
            (800, set(6, 8000)),
            (1000, vec![30]),
            (late, vec![30]),
        ])
    };
    assert_eq!(after(Death::Killed(900 * MS), &sent(1100)), None);
    let found = after(Death::Killed(900 * MS), &sent(1500)).unwrap();
    assert_eq!(
        found.difference.decoded,
        "ALIVE (1e) 0.600 s after its death, and 0 more"
    );
}

#[test]
fn a_client_that_is_told_to_end_must_stop_the_motor_soon() {
    let sent = |more: Option<u64>| {
        let mut sent = vec![(0, set(6, 8000))];
        sent.extend(more.map(|at| (at, set(6, 0))));
        journal(sent)
    };
    assert_eq!(after(Death::Told(500 * MS), &sent(Some(600))), None);
    assert!(after(Death::Told(500 * MS), &sent(Some(3000))).is_some());
    assert!(after(Death::Told(500 * MS), &sent(None)).is_some());
    assert!(after(Death::Itself, &sent(None)).is_some());
}
