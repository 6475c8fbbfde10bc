use veschub_hub::{
    hub::{
        HubConfig,
        steer::{BreakpointId, HeldId, MAX_HELD, SteerErrorKind, Verdict},
    },
    journal::JournalEvent,
};
use veschub_wire::CommandId;

use super::*;

fn stop_at(bench: &mut Bench, command: Option<CommandId>, once: bool) -> BreakpointId {
    bench
        .steer(|hub, now| hub.add_breakpoint(now, None, command, once))
        .unwrap()
}

#[test]
fn a_held_request_waits_while_those_behind_it_are_answered() {
    let mut bench = Bench::new();
    let tool = bench.login();
    let id = stop_at(&mut bench, Some(CommandId::GET_VALUES), false);
    bench.until(ms(10));
    bench.ask(tool, &[4, 1]);
    bench.ask(tool, &[0, 2]);
    bench.until(ms(1000));
    assert_eq!(bench.replies(tool), [[0, 2]]);
    let held = bench.hub.held();
    assert_eq!(held.len(), 1);
    assert_eq!((held[0].id, held[0].breakpoint), (HeldId(1), id));
    assert_eq!((held[0].at, held[0].connection), (0.01, Some(tool.0)));
    let told = (held[0].command.as_str(), held[0].payload.as_str());
    assert_eq!(told, ("GET_VALUES", "0401"));
    bench
        .steer(|hub, now| hub.let_go(now, HeldId(1), Verdict::Pass))
        .unwrap();
    bench.until(ms(1049));
    assert_eq!(bench.replies(tool).len(), 1);
    bench.until(ms(1050));
    assert_eq!(bench.replies(tool), [[0, 2], [4, 1]]);
    let (message, kind) = bench.refused(|hub, now| hub.let_go(now, HeldId(1), Verdict::Pass));
    assert!(
        message.starts_with("no request is held under the number 1"),
        "{message}"
    );
    assert_eq!(kind, SteerErrorKind::NotFound);
    assert_eq!(bench.hub.breakpoints()[0].hits, 1);
    let what = [
        "breakpoint 1 on: GET_VALUES",
        "passed the held GET_VALUES, number 1",
    ];
    assert_eq!(bench.steered(), what);
    assert_eq!(
        bench.count(|what| matches!(what, JournalEvent::Held { held: 1, .. })),
        1
    );
}

#[test]
fn a_held_request_is_changed_answered_or_dropped() {
    let mut bench = Bench::new();
    let tool = bench.login();
    stop_at(&mut bench, None, false);
    for mark in 1..=3 {
        bench.ask(tool, &[4, mark]);
    }
    let replies = vec![vec![9, 9], vec![8]];
    for (id, verdict) in [
        (1, Verdict::Change(vec![7, 7])),
        (2, Verdict::Answer(replies)),
        (3, Verdict::Drop),
    ] {
        bench
            .steer(|hub, now| hub.let_go(now, HeldId(id), verdict))
            .unwrap();
    }
    assert_eq!(bench.replies(tool), [&[9, 9][..], &[8]]);
    bench.until(ms(500));
    assert_eq!(bench.replies(tool), [&[9, 9][..], &[8], &[7, 7]]);
    let dropped = bench.told().into_iter().filter(|told| {
        told.ends_with("GET_VALUES is not answered: it was held at a breakpoint and dropped")
    });
    assert_eq!(dropped.count(), 1);
}

#[test]
fn what_cannot_be_sent_is_refused_and_the_request_is_held_on() {
    let mut bench = Bench::new();
    let tool = bench.login();
    stop_at(&mut bench, None, true);
    bench.ask(tool, &[4]);
    for verdict in [
        Verdict::Change(Vec::new()),
        Verdict::Change(vec![0; 513]),
        Verdict::Answer(vec![vec![1], vec![0; 10_001]]),
    ] {
        let (message, kind) = bench.refused(|hub, now| hub.let_go(now, HeldId(1), verdict));
        assert!(
            message.contains("cannot be sent; it may have 1 to "),
            "{message}"
        );
        assert_eq!(kind, SteerErrorKind::Wrong);
    }
    assert_eq!(bench.hub.held().len(), 1);
}

#[test]
fn once_is_once_and_a_breakpoint_that_goes_lets_all_pass() {
    let mut bench = Bench::new();
    let tool = bench.login();
    let once = stop_at(&mut bench, None, true);
    bench.ask(tool, &[1]);
    bench.ask(tool, &[2]);
    assert!(bench.hub.breakpoints().is_empty());
    bench.until(ms(100));
    assert_eq!(bench.replies(tool), [[2]]);
    bench
        .steer(|hub, now| hub.remove_breakpoint(now, once))
        .unwrap();
    bench.until(ms(200));
    assert_eq!(bench.replies(tool), [[2], [1]]);
    let (message, _) = bench.refused(|hub, now| hub.remove_breakpoint(now, once));
    assert_eq!(message, "no breakpoint has the number 1");
    let all = stop_at(&mut bench, None, false);
    for mark in [3, 4] {
        bench.ask(tool, &[mark]);
    }
    bench
        .steer(|hub, now| hub.remove_breakpoint(now, all))
        .unwrap();
    bench.until(ms(300));
    assert_eq!(bench.replies(tool), [[2], [1], [3], [4]]);
    assert!(bench.hub.held().is_empty());
}

#[test]
fn no_more_than_64_are_held_and_the_others_pass() {
    let mut bench = Bench::new();
    let tool = bench.login();
    stop_at(&mut bench, None, false);
    for _ in 0..MAX_HELD + 2 {
        bench.ask(tool, &[1]);
    }
    bench.until(ms(100));
    assert_eq!((bench.hub.held().len(), bench.replies(tool).len()), (64, 2));
    let passed = "breakpoint 1 lets a request pass: as many are held as can be";
    assert_eq!(bench.steered()[1..], [passed, passed]);
    // With their device they are gone.
    bench
        .steer(|hub, now| hub.remove(now, "demo-0001"))
        .unwrap();
    assert!(bench.hub.held().is_empty());
}

#[test]
fn a_breakpoint_of_one_device_holds_nothing_of_another() {
    let devices = vec![
        resident("demo-0001", "not-a-secret"),
        resident("demo-0002", "x"),
    ];
    let mut bench = Bench::with(HubConfig::default(), devices);
    let other = bench.say(b"VESCTOOL:demo-0002:x\n");
    let tool = bench.login();
    bench
        .steer(|hub, now| hub.add_breakpoint(now, Some("demo-0001"), None, false))
        .unwrap();
    for conn in [tool, other] {
        bench.ask(conn, &[1]);
    }
    bench.until(ms(100));
    assert_eq!(
        (bench.replies(tool).len(), bench.replies(other).len()),
        (0, 1)
    );
    // Where late replies are lost, so is what was held of an earlier tool.
    assert_eq!(bench.hub.held().len(), 1);
}

#[test]
fn where_no_late_replies_come_a_held_request_goes_with_its_tool() {
    for (config, held) in [(HubConfig::reference(), 1), (HubConfig::ideal(), 0)] {
        let mut bench = Bench::with(config, vec![resident("demo-0001", "not-a-secret")]);
        let tool = bench.login();
        stop_at(&mut bench, None, true);
        bench.ask(tool, &[1]);
        let later = bench.login();
        assert_eq!(bench.hub.held().len(), held);
        let _ = bench.steer(|hub, now| hub.let_go(now, HeldId(1), Verdict::Pass));
        bench.until(ms(100));
        assert_eq!(bench.replies(later).len(), held);
    }
}
