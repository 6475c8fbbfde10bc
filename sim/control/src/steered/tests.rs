//! What was done to a hub, as a scenario that can be read again.

use std::time::Duration as Span;

use serde_json::json;

use super::*;

fn at(seconds: f64) -> Time {
    Time::ZERO + Span::from_secs_f64(seconds)
}

#[test]
fn a_scenario_that_is_taken_anew_is_what_is_saved_with_the_faults_that_stay() {
    let steered = Steered::new(Some(&Loaded::demo().unwrap()));
    let cell = json!({"field": "cell_voltages_v", "to": 3.1});
    steered.set(at(1.0), "DEMO-0001", None, &cell);
    steered.remark(at(1.0), "DEMO-0001 was unplugged");
    let delay = |by| Written::from(&json!({"delay": {"by": by}}));
    steered.fault_came(at(2.0), 1, Some("DEMO-0001".to_owned()), None, delay("1s"));
    steered.fault_came(at(2.0), 2, None, None, delay("2s"));
    steered.fault_came(at(2.0), 3, None, None, delay("3s"));
    steered.fault_went(at(3.0), 3);
    let cells = ["devices.0.express.bms.cells=7".to_owned()];
    steered.begin_anew(&Loaded::demo_with(&cells).unwrap());
    let text = steered.scenario();
    let saved =
        Loaded::parse("saved.yaml", &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert!(text.contains("cells: 7"), "{text}");
    assert!(
        !text.contains("cell_voltages_v") && !text.contains("unplugged"),
        "{text}"
    );
    assert_eq!(saved.scenario.faults.len(), 1, "{text}");
    assert!(text.contains("by: \"2s\""), "{text}");
}

#[test]
fn what_was_steered_is_a_scenario_that_can_be_read() {
    let loaded = Loaded::demo().unwrap();
    let steered = Steered::new(Some(&loaded));
    let cell =
        json!({"field": "cell_voltages_v", "item": 3, "to": 3.1, "from": null, "over": null});
    steered.set(at(1.5), "DEMO-0001", None, &cell);
    let speed = json!({"field": "erpm", "item": null, "to": 1000.0, "from": null, "over": null});
    steered.set(at(2.0), "DEMO-0001", Some(84), &speed);
    steered.set(at(2.0), "DEMO-0001", Some(99), &speed);
    let delay = Written::from(&json!({"delay": {"by": "250ms"}}));
    steered.fault_came(
        at(3.0),
        1,
        Some("DEMO-0001".to_owned()),
        Some(2.5),
        delay.clone(),
    );
    steered.fault_went(at(4.0), 1);
    steered.fault_came(at(5.0), 2, None, None, delay);
    steered.remark(at(6.0), "DEMO-0001 was unplugged");
    let text = steered.scenario();
    let again =
        Loaded::parse("saved.yaml", &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(again.scenario.faults.len(), 2, "{text}");
    for expected in [
        "field: \"cell_voltages_v\"",
        "at: 1.5s",
        "after: 2.5s",
        "for: 1s",
        "# - 6s: DEMO-0001 was unplugged",
        "# - 2s: DEMO-0001: a value was set that has no place here",
        "# - 5s: delay: by: \"250ms\" was switched on; here it is on from when a session begins",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
}

#[test]
fn a_quirk_stands_in_a_saved_scenario_once_and_not_at_all_after_it_was_switched_off() {
    let steered = Steered::new(Some(&Loaded::demo().unwrap()));
    let reset = |gap| Some(Written::from(&json!({"session-reset": {"max_gap": gap}})));
    let saved = || {
        let text = steered.scenario();
        let loaded = Loaded::parse("saved.yaml", &text);
        let loaded = loaded.unwrap_or_else(|error| panic!("{error}\n{text}"));
        (loaded.scenario.quirks.len(), text)
    };
    steered.quirk_came(at(1.0), "DEMO-0001", reset("1s"));
    steered.quirk_came(at(2.0), "DEMO-0001", reset("250ms"));
    let (quirks, text) = saved();
    assert_eq!(quirks, 1, "{text}");
    assert!(
        text.contains("max_gap: \"250ms\"") && !text.contains("max_gap: \"1s\"\n"),
        "{text}"
    );
    steered.quirk_went(at(3.0), "DEMO-0001", "session-reset");
    let (quirks, text) = saved();
    assert_eq!(quirks, 0, "{text}");
    assert!(
        text.contains("# - 3s: DEMO-0001: the quirk session-reset was switched off"),
        "{text}"
    );
}

#[test]
fn a_device_that_came_again_stands_there_once_and_of_many_faults_the_rest_is_told() {
    let steered = Steered::new(None);
    let device = |cells: u8| {
        let keys = json!({"express": {"id": "bike", "password": "b", "bms": {"cells": cells}}});
        Some(Written::from(&keys))
    };
    let reset = || vec![Written::from(&json!({"session-reset": {}}))];
    for cells in [3, 7] {
        steered.device_came(at(1.0), "BIKE", device(cells), Vec::new(), reset());
    }
    for number in 1..=40 {
        let delay = Written::from(&json!({"delay": {"by": format!("{number}ms")}}));
        steered.fault_came(at(2.0), number, None, None, delay);
    }
    let text = steered.scenario();
    let saved = Loaded::parse("saved.yaml", &text);
    let saved = saved
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
        .scenario;
    assert_eq!(
        (saved.devices.len(), saved.faults.len(), saved.quirks.len()),
        (1, MAX_FAULTS, 1)
    );
    assert!(
        text.contains("cells: 7") && text.contains("BIKE came again"),
        "{text}"
    );
    let told = "by: \"40ms\" was switched on; a scenario has at most 32 faults";
    assert!(text.contains(told), "{text}");
}

#[test]
fn a_hub_without_a_scenario_is_saved_with_what_came() {
    let steered = Steered::new(None);
    let device = Written::from(&json!({"express": {"id": "somebody", "password": "b"}}));
    steered.device_came(at(1.0), "SOMEBODY", Some(device), Vec::new(), Vec::new());
    let text = steered.scenario();
    assert_eq!(
        Loaded::parse("saved.yaml", &text)
            .unwrap()
            .scenario
            .devices
            .len(),
        1
    );
}
