use std::time::Duration;

use veschub_hub::{
    fault::FaultEntry,
    hub::steer::{Origin, SteerErrorKind},
    journal::{Closed, JournalEvent},
};

use super::*;

fn fault(text: &str) -> FaultEntry {
    serde_json::from_str(text).unwrap()
}

fn faults(bench: &Bench) -> Vec<(u32, &'static str, Origin)> {
    let faults = bench.hub.faults();
    faults
        .iter()
        .map(|fault| (fault.id.0, fault.name, fault.by))
        .collect()
}

#[test]
fn a_scenario_that_is_taken_anew_takes_its_own_devices_and_faults_along_and_nothing_else() {
    let mut bench = battery("", "faults:\n- drop: {}\n");
    let tool = bench.login();
    let delay = fault(r#"{"delay": {"by": "1s"}}"#);
    bench
        .steer(|hub, now| hub.add_fault(now, None, delay))
        .unwrap();
    let before = [(1, "drop", Origin::Scenario), (2, "delay", Origin::Control)];
    assert_eq!(faults(&bench), before);

    let split = fault(r#"{"split": {"pieces": 3}}"#);
    bench
        .steer(|hub, now| hub.renew(now, vec![resident("demo-0002", "x")], vec![split]))
        .unwrap();
    let after = [
        (2, "delay", Origin::Control),
        (3, "split", Origin::Scenario),
    ];
    assert_eq!(faults(&bench), after);
    // The delay holds the end of the connection up as well.
    bench.until(bench.now + Duration::from_secs(2));
    assert!(bench.happened(tool, &JournalEvent::Closed(Closed::DeviceLeft)));
    let devices: Vec<String> = bench.hub.devices().into_iter().map(|one| one.id).collect();
    assert_eq!(devices, ["DEMO-0002"]);
}

#[test]
fn a_scenario_with_too_many_faults_changes_nothing() {
    let mut bench = battery("", "faults:\n- drop: {}\n");
    let many = vec![fault(r#"{"drop": {}}"#); 10_000];
    let (_, kind) = bench.refused(|hub, now| hub.renew(now, Vec::new(), many));
    assert_eq!(kind, SteerErrorKind::Conflict);
    assert_eq!(faults(&bench), [(1, "drop", Origin::Scenario)]);
    assert_eq!(bench.hub.devices().len(), 1);
}
