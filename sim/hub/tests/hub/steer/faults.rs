use veschub_hub::{
    fault::{FaultEntry, FaultId},
    hub::{
        HubConfig,
        steer::{Origin, SteerErrorKind},
    },
    quirk::QuirkEntry,
};

use super::*;

fn fault(text: &str) -> FaultEntry {
    serde_json::from_str(text).unwrap()
}

/// When each reply came, to the millisecond.
fn came(bench: &mut Bench, conn: ConnId, until: u64) -> Vec<u64> {
    let mut times = Vec::new();
    let mut known = bench.replies(conn).len();
    let from = bench.now.as_nanos() / 1_000_000;
    for at in from..=until {
        bench.until(ms(at));
        let count = bench.replies(conn).len();
        times.extend((known..count).map(|_| at));
        known = count;
    }
    times
}

#[test]
fn a_fault_acts_at_once_and_what_it_holds_comes_out_when_it_goes() {
    let mut bench = Bench::new();
    let tool = bench.login();
    bench.ask(tool, &[1]);
    bench.until(ms(10));
    let delay = fault(r#"{"delay": {"by": "1s"}}"#);
    let id = bench
        .steer(|hub, now| hub.add_fault(now, None, delay))
        .unwrap();
    // What the device is about to say is late already: it says it at 50 ms.
    assert!(came(&mut bench, tool, 500).is_empty());
    bench.ask(tool, &[2]);
    bench.until(ms(600));
    assert!(bench.replies(tool).is_empty());
    assert!(bench.hub.sessions()[0].held_bytes > 0);
    bench.steer(|hub, now| hub.remove_fault(now, id)).unwrap();
    assert_eq!(bench.replies(tool), [[1], [2]]);
    bench.ask(tool, &[3]);
    assert_eq!(came(&mut bench, tool, 900), [650]);
    assert_eq!(bench.steered(), ["fault 1 on: delay", "fault 1 off: delay"]);
    let (message, kind) = bench.refused(|hub, now| hub.remove_fault(now, id));
    assert_eq!(message, "no fault has the number 1");
    assert_eq!(kind, SteerErrorKind::NotFound);
}

#[test]
fn a_fault_of_the_scenario_has_a_number_counts_and_can_go() {
    let mut bench = battery(
        "",
        "faults:\n- drop: { when: { command: FW_VERSION } }\n- delay: { by: 100ms }\n",
    );
    let tool = bench.login();
    for _ in 0..3 {
        bench.ask(tool, &[0]);
        bench.until(bench.now + std::time::Duration::from_millis(500));
    }
    assert!(bench.replies(tool).is_empty());
    let faults = bench.hub.faults();
    let told: Vec<_> = faults
        .iter()
        .map(|one| (one.id.0, one.name, one.fired))
        .collect();
    assert_eq!(told, [(1, "drop", 3), (2, "delay", 0)]);
    assert!(faults.iter().all(|one| one.by == Origin::Scenario));
    let parameters = serde_json::to_string(&faults[0].parameters).unwrap();
    assert_eq!(
        parameters,
        r#"{"direction":"to-tool","when":{"command":"FW_VERSION"}}"#
    );
    let parameters = serde_json::to_string(&faults[1].parameters).unwrap();
    assert_eq!(parameters, r#"{"by":"100ms","direction":"to-tool"}"#);
    bench
        .steer(|hub, now| hub.remove_fault(now, FaultId(1)))
        .unwrap();
    bench.ask(tool, &[0]);
    bench.until(ms(3000));
    assert_eq!(bench.replies(tool).len(), 1);
    assert_eq!(bench.hub.faults()[0].fired, 1);
    // In the next session it is not there either.
    let tool = bench.login();
    bench.until(ms(4000));
    bench.ask(tool, &[0]);
    bench.until(ms(5000));
    assert_eq!(bench.replies(tool).len(), 1);
}

#[test]
fn a_fault_of_one_device_leaves_the_others_alone_and_stays_for_its_next_session() {
    let devices = vec![
        resident("demo-0001", "not-a-secret"),
        resident("demo-0002", "x"),
    ];
    let mut bench = Bench::with(HubConfig::default(), devices);
    let other = bench.say(b"VESCTOOL:demo-0002:x\n");
    let tool = bench.login();
    let drop = fault(r#"{"drop": {"direction": "to-device"}}"#);
    bench
        .steer(|hub, now| hub.add_fault(now, Some("demo-0001"), drop))
        .unwrap();
    for conn in [tool, other] {
        bench.ask(conn, &[1]);
    }
    bench.until(ms(100));
    assert_eq!(
        (bench.replies(tool).len(), bench.replies(other).len()),
        (0, 1)
    );
    bench.leaves(tool);
    let tool = bench.login();
    bench.ask(tool, &[1]);
    bench.until(ms(300));
    assert!(bench.replies(tool).is_empty());
    assert_eq!(bench.hub.faults()[0].fired, 2);
}

#[test]
fn in_an_open_session_the_time_of_a_fault_begins_when_it_is_added() {
    let mut bench = Bench::new();
    let tool = bench.login();
    bench.until(ms(5000));
    let stall = fault(r#"{"stall": {"for": "300ms", "when": {"after": "100ms"}}}"#);
    bench
        .steer(|hub, now| hub.add_fault(now, None, stall))
        .unwrap();
    // Said at 5.09 s, before it begins, and at 5.15 s, after it has.
    bench.until(ms(5040));
    bench.ask(tool, &[1]);
    bench.until(ms(5100));
    bench.ask(tool, &[2]);
    assert_eq!(bench.replies(tool), [[1]]);
    assert_eq!(came(&mut bench, tool, 6000), [5400]);
}

#[test]
fn frames_are_found_where_a_fault_that_needs_them_comes_in_the_middle_of_one() {
    let mut bench = Bench::new();
    let tool = bench.login();
    let request = frame(&[1, 2, 3]);
    bench.send(tool, &request[..3]);
    let drop = fault(r#"{"drop": {"direction": "to-device"}}"#);
    let id = bench
        .steer(|hub, now| hub.add_fault(now, None, drop))
        .unwrap();
    bench.send(tool, &request[3..]);
    bench.ask(tool, &[4]);
    bench.until(ms(100));
    assert_eq!(
        bench.replies(tool),
        [[1, 2, 3]],
        "only whole frames are dropped"
    );
    // What waits for the rest of a frame comes out as well.
    bench.send(tool, &request[..3]);
    bench.steer(|hub, now| hub.remove_fault(now, id)).unwrap();
    bench.send(tool, &request[3..]);
    bench.until(ms(200));
    assert_eq!(bench.replies(tool).len(), 2);
}

#[test]
fn what_a_device_that_left_said_last_comes_out_with_the_fault_that_holds_it() {
    let mut bench = Bench::new();
    let tool = bench.login();
    let delay = fault(r#"{"delay": {"by": "9s"}}"#);
    let id = bench
        .steer(|hub, now| hub.add_fault(now, None, delay))
        .unwrap();
    bench.ask(tool, &[1]);
    bench.until(ms(100));
    bench
        .steer(|hub, now| hub.remove(now, "demo-0001"))
        .unwrap();
    assert!(!bench.ended.contains_key(&tool) && bench.replies(tool).is_empty());
    bench.steer(|hub, now| hub.remove_fault(now, id)).unwrap();
    assert_eq!(bench.replies(tool), [[1]]);
    assert!(bench.ended.contains_key(&tool));
}

#[test]
fn faults_of_a_link_that_cuts_its_bytes_come_and_go_too() {
    let mut bench =
        Bench::of_scenario("version: 1\ndevices:\n  - motor: { can_id: 5, link: { kind: ble } }\n");
    let tool = bench.open();
    let delay = fault(r#"{"delay": {"by": "5s"}}"#);
    let id = bench
        .steer(|hub, now| hub.add_fault(now, None, delay))
        .unwrap();
    bench.ask(tool, &[0]);
    bench.until(ms(1000));
    assert_eq!(bench.heard.get(&tool), None);
    bench.steer(|hub, now| hub.remove_fault(now, id)).unwrap();
    bench.until(ms(1500));
    assert_eq!(bench.replies(tool).len(), 1);
    bench.ask(tool, &[0]);
    bench.until(ms(2000));
    assert_eq!(
        bench.replies(tool).len(),
        2,
        "the pieces that follow do not wait for the delay"
    );
}

#[test]
fn there_is_a_limit_to_faults() {
    let mut bench = Bench::new();
    let delay = || fault(r#"{"delay": {"by": "1ms"}}"#);
    for _ in 0..32 {
        bench
            .steer(|hub, now| hub.add_fault(now, None, delay()))
            .unwrap();
    }
    let (message, kind) = bench.refused(|hub, now| hub.add_fault(now, None, delay()));
    assert_eq!(message, "there are 32 faults already; remove one first");
    assert_eq!(kind, SteerErrorKind::Conflict);
}

#[test]
fn quirks_go_on_and_off_and_count() {
    let mut bench = battery("", "quirks:\n- needs-setup: {}\n");
    let tool = bench.login();
    let on = |bench: &mut Bench| -> Vec<(&'static str, u64, Option<Origin>)> {
        let all = bench.hub.quirks("demo-0001").unwrap();
        assert_eq!(all.len(), 5);
        let on = all.into_iter().filter(|one| one.on);
        on.map(|one| (one.name, one.fired, one.by)).collect()
    };
    bench.ask(tool, &[96]);
    bench.until(ms(500));
    let scenario = Some(Origin::Scenario);
    assert_eq!(on(&mut bench), [("needs-setup", 1, scenario)]);
    bench
        .steer(|hub, now| hub.remove_quirk(now, "demo-0001", "needs-setup"))
        .unwrap();
    bench.ask(tool, &[96]);
    bench.until(ms(1000));
    assert_eq!(bench.replies(tool).len(), 1);
    let reset: QuirkEntry =
        serde_json::from_str(r#"{"session-reset": {"max_gap": "1s"}}"#).unwrap();
    bench
        .steer(|hub, now| hub.set_quirk(now, "demo-0001", &reset))
        .unwrap();
    let view = &bench.hub.quirks("demo-0001").unwrap()[0];
    let parameters = view.parameters.as_ref().unwrap().to_string();
    assert_eq!(parameters, r#"{"max_gap":"1s"}"#);
    assert_eq!(view.provenance, "inferred");
    bench.ask(tool, &[96]);
    bench.until(ms(1500));
    assert_eq!(bench.replies(tool).len(), 1);
    assert_eq!(
        on(&mut bench),
        [("session-reset", 1, Some(Origin::Control))]
    );
    let (message, kind) =
        bench.refused(|hub, now| hub.remove_quirk(now, "demo-0001", "sesion-reset"));
    assert_eq!(
        message,
        "DEMO-0001 has no quirk `sesion-reset` that is on; did you mean `session-reset`?"
    );
    assert_eq!(kind, SteerErrorKind::NotFound);
    assert_eq!(
        bench.steered(),
        ["quirk needs-setup off", "quirk session-reset on"]
    );
}
