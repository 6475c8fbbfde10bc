//! The desk in the same process: it sees and does what the routes do, and both agree.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::Served;
use serde_json::json;
use veschub_control::Act;
use veschub_hub::fault;

#[test]
fn what_is_done_at_the_desk_is_what_the_routes_tell_and_is_saved_with_the_scenario() {
    let served = Served::start();
    let desk = &served.desk;
    assert_eq!(desk.devices().unwrap().len(), 2);
    assert_eq!(desk.hub().unwrap().devices, 2);
    let delay = Act::FaultOn {
        device: Some("demo-0001".to_owned()),
        fault: json!({ "delay": { "by": "250ms" } }),
    };
    desk.carry_out(&delay).unwrap();
    let faults = served.get("/v1/faults").is(200);
    assert_eq!(faults[0]["device"], "DEMO-0001");
    assert_eq!(faults[0]["by"], "control");
    let (device, name) = ("demo-0001".to_owned(), "session-reset".to_owned());
    let quirk = Act::QuirkOn {
        device: device.clone(),
        name: name.clone(),
        parameters: None,
    };
    desk.carry_out(&quirk).unwrap();
    let on = |of: &str| {
        let quirks = desk.quirks(of).unwrap();
        quirks
            .into_iter()
            .find(|one| one.name == "session-reset")
            .unwrap()
            .on
    };
    assert!(on("demo-0001") && !on("demo-0002"));
    desk.carry_out(&Act::QuirkOff { device, name }).unwrap();
    assert!(!on("demo-0001"));
    desk.carry_out(&Act::Unplug("demo-0002".to_owned()))
        .unwrap();
    assert!(!desk.device("demo-0002", None).unwrap().device.plugged);
    desk.carry_out(&Act::Pause(true)).unwrap();
    assert_eq!(served.get("/v1/clock").is(200)["paused"], true);
    desk.carry_out(&Act::Pause(false)).unwrap();
    desk.carry_out(&Act::Listen(false)).unwrap();
    assert_eq!(served.get("/v1/hub").is(200)["accepts"], false);
    desk.carry_out(&Act::Listen(true)).unwrap();
    let saved = String::from_utf8(served.get("/v1/scenario.yaml").body).unwrap();
    assert!(saved.contains("delay:"), "{saved}");
    assert!(saved.contains("DEMO-0002 was unplugged"), "{saved}");
    let batch = desk.entries_after(0);
    assert!(batch.is_end && batch.records.len() >= 5);
    desk.carry_out(&Act::Forget).unwrap();
    assert!(desk.entries_after(0).records.is_empty());
}

#[test]
fn every_fault_can_be_switched_on_as_in_its_example_and_again_as_it_was() {
    let served = Served::start();
    let desk = &served.desk;
    for info in fault::catalogue() {
        let example = Act::FaultAsInExample {
            device: None,
            name: info.name,
        };
        desk.carry_out(&example)
            .unwrap_or_else(|error| panic!("{}: {error}", info.name));
        let on = desk.faults().unwrap().remove(0);
        desk.carry_out(&Act::FaultOff(on.id.0)).unwrap();
        let again = Act::FaultOn {
            device: None,
            fault: json!({ info.name: on.parameters }),
        };
        desk.carry_out(&again)
            .unwrap_or_else(|error| panic!("{}: {error}", info.name));
        let same = desk.faults().unwrap().remove(0);
        assert_eq!((same.name, &same.parameters), (info.name, &on.parameters));
        desk.carry_out(&Act::FaultOff(same.id.0)).unwrap();
    }
}

#[test]
fn what_cannot_be_done_says_why_and_a_hub_that_has_ended_says_so() {
    let served = Served::start();
    let desk = served.desk.clone();
    let refused = desk
        .carry_out(&Act::Plug("demo-001".to_owned()))
        .unwrap_err();
    assert!(!refused.is_end);
    assert!(refused.to_string().contains("did you mean"), "{refused}");
    drop(served);
    assert!(desk.hub().unwrap_err().is_end);
}
