//! What is changed here is what a tool sees.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
};

use common::{BMS, FIRMWARE, SCENARIO, Served, fields};
use serde_json::{Value, json};
use veschub_scenario::Loaded;

#[test]
fn a_cell_that_is_pinned_is_what_the_tool_reads_until_it_is_released() {
    let served = Served::start();
    let mut tool = served.tool("demo-0001");
    let path = "/v1/devices/demo-0001/values";
    served
        .post(
            path,
            r#"{"field": "cell_voltages_v", "item": 3, "to": 3.1}"#,
        )
        .is(204);
    assert_eq!(tool.ask(BMS)["cell_voltages_v"][3], 3.1);
    let device = served.get("/v1/devices/demo-0001").is(200);
    assert_eq!(device["values"]["bms"]["cell_voltages_v"][3], 3.1);
    let pinned = json!([{"field": "cell_voltages_v", "item": 3, "to": 3.1, "by": "control"}]);
    assert_eq!(device["pinned"], pinned);
    served
        .delete(&format!("{path}?field=cell_voltages_v&item=3"))
        .is(204);
    assert_ne!(tool.ask(BMS)["cell_voltages_v"][3], 3.1);
    assert!(
        served
            .delete(&format!("{path}?field=cell_voltages_v"))
            .status
            == 404
    );
    let steered = served.get("/v1/journal?kind=steered").is(200);
    assert!(
        steered["entries"][0]["text"]
            .as_str()
            .unwrap()
            .contains("cell_voltages_v")
    );

    // A node on the bus, and a ramp.
    served
        .post(path, r#"{"field": "erpm", "can_id": 84, "to": 1234}"#)
        .is(204);
    let erpm = tool.ask(&[34, 84, 4])["erpm"].as_f64().unwrap();
    assert!((erpm - 1234.0).abs() < 5.0, "{erpm}");
    served
        .post(
            path,
            r#"{"field":"current_a","from":0,"to":10,"over":"1h"}"#,
        )
        .is(204);
    assert!(tool.ask(BMS)["current_a"].as_f64().unwrap() < 1.0);
}

#[test]
fn a_value_that_cannot_be_is_refused_at_its_place() {
    let served = Served::start();
    let path = "/v1/devices/demo-0001/values";
    let refused = served
        .post(path, "{\n  \"field\": \"cell_voltage_v\", \"to\": 3 }")
        .is(400);
    assert!(
        refused["help"]
            .as_str()
            .unwrap()
            .contains("cell_voltages_v"),
        "{refused}"
    );
    assert_eq!(refused["where"]["line"], 2);
    assert_eq!(refused["code"], "no-such-field");
    let refused = |body: &str| served.post(path, body).refused(400);
    assert!(refused(r#"{"field": "cell_voltages_v", "item": 4, "to": 3}"#).contains('4'));
    assert!(refused(r#"{"field": "current_a", "to": "much"}"#).contains("`to`"));
    assert!(refused(r#"{"field": "current_a", "to": 1, "over": 5}"#).contains("`over`"));
    assert!(refused(r#"{"field": "current_a", "too": 1}"#).contains("did you mean `to`?"));
    assert!(refused(r#"{"to": 1}"#).contains("`field` is missing"));
    assert!(refused(r#"{"field": "current_a"}"#).len() > 10);
    let body = r#"{"field": "erpm", "can_id": 85, "to": 1}"#;
    assert!(served.post(path, body).refused(404).contains("85"));
    let other = served.post(
        "/v1/devices/nobody/values",
        r#"{"field": "current_a", "to": 1}"#,
    );
    other.refused(404);
}

#[test]
fn a_device_that_is_unplugged_is_gone_until_it_is_plugged_in() {
    let served = Served::start();
    let mut tool = served.tool("demo-0001");
    served.post("/v1/devices/demo-0001/unplug", "").is(204);
    assert!(tool.is_over());
    assert_eq!(
        served.get("/v1/devices/demo-0001").is(200)["plugged"],
        false
    );
    let mut late = TcpStream::connect(served.hub).unwrap();
    late.write_all(b"VESCTOOL:demo-0001:not-a-secret\n")
        .unwrap();
    let refused = served.get("/v1/journal/wait?kind=login-refused&within=30s");
    refused.is(200);
    assert_eq!(late.read(&mut [0; 16]).unwrap(), 0);
    served.post("/v1/devices/demo-0001/plug", "").is(204);
    served.tool("demo-0001").ask(FIRMWARE);
    // The other device saw nothing of it.
    assert_eq!(
        served.get("/v1/journal/count?device=demo-0002").is(200),
        json!({"count": 0})
    );
    served.post("/v1/devices/demo-0009/plug", "").refused(404);
}

#[test]
fn a_hub_stops_and_listens_again_at_the_same_port() {
    let served = Served::start();
    let mut tool = served.tool("demo-0001");
    assert_eq!(
        served.post("/v1/hub/stop", "{\"drop\": false}").is(200)["accepts"],
        false
    );
    // Who is connected stays.
    tool.ask(FIRMWARE);
    let error = TcpStream::connect(served.hub).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    assert_eq!(served.get("/ready").status, 503);
    assert_eq!(served.post("/v1/hub/start", "").is(200)["accepts"], true);
    served.tool("demo-0002").ask(FIRMWARE);
    served.post("/v1/hub/stop", "").is(200);
    assert!(tool.is_over());
    served.post("/v1/hub/start", "").is(200);
    served.tool("demo-0001").ask(FIRMWARE);
    assert!(
        served
            .post("/v1/hub/stop", "{\"drop\": 1}")
            .refused(400)
            .contains("`drop`")
    );
}

#[test]
fn a_connection_that_is_kicked_is_closed() {
    let served = Served::start();
    let mut tool = served.tool("demo-0001");
    let connection = served.get("/v1/sessions").is(200)[0]["connection"].clone();
    served.delete(&format!("/v1/sessions/{connection}")).is(204);
    assert!(tool.is_over());
    let closed = served.get("/v1/journal?kind=closed").is(200);
    assert_eq!(closed["entries"][0]["why"], "kicked");
}

#[test]
fn a_device_can_be_created_with_its_faults_and_removed() {
    let served = Served::start();
    let body = r#"{"device":{"express":{"reply_after":"1ms","bms":{"cells":3}}},"faults":[{"duplicate":{}}],"quirks":[{"session-reset":{}}]}"#;
    let created = served.post("/v1/devices", body).is(201);
    assert_eq!(
        created,
        json!({"id": "DEVICE-0001", "password": "not-a-secret"})
    );
    assert_eq!(
        served.post("/v1/devices", body).is(201)["id"],
        "DEVICE-0002"
    );
    let mut tool = served.tool("device-0001");
    tool.send(FIRMWARE);
    assert_eq!(tool.payload(), tool.payload());
    let faults = served.get("/v1/faults").is(200);
    assert_eq!(faults[0]["device"], "DEVICE-0001");
    assert!(faults[0]["fired"].as_u64().unwrap() >= 1, "{faults}");
    let quirks = served.get("/v1/devices/device-0001/quirks").is(200);
    let on = quirks
        .as_array()
        .unwrap()
        .iter()
        .filter(|quirk| quirk["on"] == true);
    assert_eq!(on.count(), 1);
    // Those at other devices are as they were.
    let mut other = served.tool("demo-0001");
    other.send(FIRMWARE);
    other.payload();
    other.send(BMS);
    assert_eq!(other.payload()[0], BMS[0]);
    served.delete("/v1/devices/device-0001").is(204);
    assert!(tool.is_over());
    served.get("/v1/devices/device-0001").refused(404);
    assert_eq!(
        served.get("/v1/faults").is(200).as_array().unwrap().len(),
        1
    );

    let taken = r#"{"device": {"express": {"id": "demo-0001"}}}"#;
    assert!(
        served
            .post("/v1/devices", taken)
            .refused(409)
            .contains("DEMO-0001 already")
    );
    let pack = r#"{"device": {"bms": {"id": "pack", "password": "p", "can_id": 9, "pack": {"cells": 3}}}}"#;
    assert_eq!(served.post("/v1/devices", pack).is(201)["password"], "p");
}

#[test]
fn a_mistake_in_a_device_gets_the_message_of_a_scenario_at_its_place() {
    let served = Served::start();
    let refused = served
        .post(
            "/v1/devices",
            "{\"device\": {\"express\": {\n  \"bms\": {\"cels\": 3}}}}",
        )
        .is(400);
    assert_eq!(refused["where"]["line"], 2, "{refused}");
    assert_eq!(refused["where"]["text"], "\"cels\": 3}}}}");
    assert!(
        refused["help"].as_str().unwrap().contains("`cells`"),
        "{refused}"
    );
    assert!(refused["code"].is_string());
    let body = r#"{"device": {"express": {}}, "faults": [{"delay": {"by": "0s"}}]}"#;
    let refused = served.post("/v1/devices", body).is(400);
    assert_eq!(refused["error"], "a time of 0 s does no harm");
    assert!(
        refused["where"]["text"]
            .as_str()
            .unwrap()
            .starts_with("\"0s\""),
        "{refused}"
    );
    for body in [
        "{}",
        r#"{"device": 1}"#,
        r#"{"device": {}}"#,
        r#"{"device": {"toaster": {}}}"#,
        r#"{"device": {"express": {"id": "a-{n}", "count": 2}}}"#,
        r#"{"device": {"replay": {"capture": "/etc/hostname"}}}"#,
        r#"{"device": {"express": []}}"#,
        r#"{"device": {"express": {}, "motor": {}}}"#,
    ] {
        assert_eq!(served.post("/v1/devices", body).status, 400, "{body}");
    }
    assert_eq!(
        served.get("/v1/devices").is(200).as_array().unwrap().len(),
        2
    );
}

#[test]
fn a_fault_acts_at_once_and_is_gone_with_its_number() {
    let served = Served::start();
    let mut tool = served.tool("demo-0001");
    let once = tool.ask(FIRMWARE);
    let body = r#"{"device":"demo-0001","fault":{"duplicate":{"times":1}}}"#;
    let id = served.post("/v1/faults", body).is(201)["id"].clone();
    tool.send(FIRMWARE);
    assert_eq!(
        (fields(&tool.payload()), fields(&tool.payload())),
        (once.clone(), once.clone())
    );
    let faults = served.get("/v1/faults").is(200);
    assert_eq!(
        (&faults[0]["id"], &faults[0]["name"]),
        (&id, &json!("duplicate"))
    );
    assert_eq!(
        (&faults[0]["by"], &faults[0]["fired"]),
        (&json!("control"), &json!(1))
    );
    assert_eq!(faults[0]["parameters"]["times"], 1);
    served.delete(&format!("/v1/faults/{id}")).is(204);
    assert_eq!(served.get("/v1/faults").is(200), json!([]));
    tool.send(FIRMWARE);
    tool.payload();
    tool.send(BMS);
    assert_eq!(tool.payload()[0], BMS[0], "the fault still acts");
    served.delete(&format!("/v1/faults/{id}")).refused(404);

    for _ in 0..3 {
        served
            .post("/v1/faults", r#"{"fault":{"jitter":{"up_to":"1ms"}}}"#)
            .is(201);
    }
    assert_eq!(served.delete("/v1/faults").is(200), json!({"removed": 3}));
    let refused = served
        .post("/v1/faults", r#"{"fault":{"delai":{}}}"#)
        .is(400);
    assert!(
        refused["help"].as_str().unwrap().contains("`delay`"),
        "{refused}"
    );
    let refused = served.post(
        "/v1/faults",
        r#"{"device":"demo-0003","fault":{"drop":{}}}"#,
    );
    assert_eq!(refused.is(404)["where"]["column"], 11);
}

#[test]
fn a_query_where_a_body_is_wanted_is_refused_and_not_ignored() {
    let served = Served::start();
    let refused = served
        .post(
            "/v1/devices/demo-0001/values?item=3",
            r#"{"field":"cell_voltages_v","to":3.1}"#,
        )
        .is(400);
    assert_eq!(
        refused["error"],
        "this request takes no query, here ?item=3"
    );
}

#[test]
fn a_quirk_can_be_switched_on_and_off() {
    let served = Served::start();
    let path = "/v1/devices/demo-0001/quirks/needs-setup";
    served.put(path, "").is(204);
    let on = |served: &Served| {
        let quirks = served.get("/v1/devices/demo-0001/quirks").is(200);
        let quirks = quirks.as_array().unwrap().clone();
        quirks
            .into_iter()
            .find(|quirk| quirk["name"] == "needs-setup")
            .unwrap()
    };
    assert_eq!(
        (&on(&served)["on"], &on(&served)["by"]),
        (&json!(true), &json!("control"))
    );
    served.delete(path).is(204);
    assert_eq!(on(&served)["on"], false);
    served.delete(path).refused(404);
    let refused = served.put(path, "{\"bogus\": 1}").is(400);
    assert_eq!(refused["where"]["column"], 2, "{refused}");
    let near = served.put("/v1/devices/demo-0001/quirks/needs-setups", "{}");
    assert!(near.refused(404).contains("`needs-setup`"));
    served
        .put("/v1/devices/demo-0007/quirks/needs-setup", "{}")
        .refused(404);
}

#[test]
fn a_request_to_a_node_is_a_forward_can_for_breakpoints_faults_and_counts() {
    let served = Served::start();
    let inner = r#"{"command":"GET_VALUES","device":"demo-0001"}"#;
    served.post("/v1/breakpoints", inner).is(201);
    let drop = r#"{"fault":{"drop":{"direction":"to-device","when":{"command":"GET_VALUES"}}}}"#;
    served.post("/v1/faults", drop).is(201);
    let mut tool = served.tool("demo-0001");
    assert_eq!(tool.ask(&[34, 84, 4])["can_id"], 84);
    let count = |words: &str| {
        let path = format!("/v1/journal/count?kind=frame&{words}");
        served.get(&path).is(200)["count"].clone()
    };
    assert_eq!(count("command=FORWARD_CAN&direction=to-device"), 1);
    assert_eq!(count("command=GET_VALUES&direction=to-device"), 0);
    assert_eq!(count("command=GET_VALUES&direction=to-tool"), 1);
    let outer = r#"{"command":"FORWARD_CAN","device":"demo-0001"}"#;
    served.post("/v1/breakpoints", outer).is(201);
    tool.send(&[34, 84, 4]);
    let path = "/v1/journal/wait?kind=held&within=30s";
    assert_eq!(served.get(path).status, 200);
}

#[test]
fn a_breakpoint_holds_a_request_until_somebody_says_what_becomes_of_it() {
    let served = Served::start();
    let mut tool = served.tool("demo-0001");
    let firmware = tool.ask(FIRMWARE);
    let body = r#"{"device": "demo-0001", "command": "BMS_GET_VALUES"}"#;
    let id = served.post("/v1/breakpoints", body).is(201)["id"].clone();
    let hold = |tool: &mut common::Tool| -> Value {
        tool.send(BMS);
        served.get("/v1/held?wait=30s").is(200)[0].clone()
    };
    let held = hold(&mut tool);
    assert_eq!(
        (&held["command"], &held["breakpoint"]),
        (&json!("BMS_GET_VALUES"), &id)
    );
    // What comes behind it goes on.
    assert_eq!(tool.ask(FIRMWARE), firmware);
    let go = |held: &Value, body: &str| served.post(&format!("/v1/held/{}", held["id"]), body);
    assert!(
        go(&held, r#"{"do": "eat"}"#)
            .refused(400)
            .contains("pass, drop, change or answer")
    );
    assert!(
        go(&held, r#"{"do": "pass", "payload": "00"}"#)
            .refused(400)
            .contains("`payload`")
    );
    assert!(
        go(&held, r#"{"do": "change", "payload": "xy"}"#)
            .refused(400)
            .contains("`payload`")
    );
    go(&held, r#"{"do": "change", "payload": "00"}"#).is(204);
    assert_eq!(fields(&tool.payload()), firmware);
    go(&held, r#"{"do": "pass"}"#).refused(404);

    go(
        &hold(&mut tool),
        r#"{"do": "answer", "replies": ["00 06 06"]}"#,
    )
    .is(204);
    assert_eq!(tool.payload(), [0, 6, 6]);
    go(&hold(&mut tool), r#"{"do": "drop"}"#).is(204);
    assert_eq!(tool.ask(FIRMWARE), firmware);
    go(&hold(&mut tool), r#"{"do": "pass"}"#).is(204);
    assert_eq!(tool.payload()[0], BMS[0]);
    let breakpoints = served.get("/v1/breakpoints").is(200);
    assert_eq!(breakpoints[0]["hits"], 4, "{breakpoints}");
    let held = hold(&mut tool);
    served.delete(&format!("/v1/breakpoints/{id}")).is(204);
    assert_eq!(tool.payload()[0], BMS[0], "{held} did not pass");
    assert_eq!(served.get("/v1/held").is(200), json!([]));
    served.delete(&format!("/v1/breakpoints/{id}")).refused(404);
    let wrong = served
        .post("/v1/breakpoints", r#"{"command": "BMS_GET_VALUE"}"#)
        .is(400);
    assert!(wrong["help"].as_str().unwrap().contains("BMS_GET_VALUES"));
}

#[test]
fn the_clock_stands_still_and_jumps() {
    let served = Served::start();
    let paused = served.post("/v1/clock", r#"{"paused": true}"#).is(200);
    let at = paused["at"].as_f64().unwrap();
    assert_eq!(served.get("/v1/clock").is(200), paused);
    let stepped = served.post("/v1/clock", r#"{"step": "1h"}"#).is(200);
    assert_eq!(stepped["at"].as_f64().unwrap(), at + 3600.0);
    let scaled = served
        .post("/v1/clock", r#"{"scale": 2, "paused": false}"#)
        .is(200);
    assert_eq!(
        (&scaled["scale"], &scaled["paused"]),
        (&json!(2.0), &json!(false))
    );
    let refused = served.post("/v1/clock", r#"{"scale": 0}"#).is(400);
    assert_eq!(refused["where"]["column"], 11);
    assert!(
        served
            .post("/v1/clock", r#"{"step": 5}"#)
            .refused(400)
            .contains("`step`")
    );
}

#[test]
fn a_run_that_was_steered_can_be_saved_and_played_again() {
    let served = Served::start();
    let cell = r#"{"field": "cell_voltages_v", "item": 3, "to": 3.1}"#;
    served.post("/v1/devices/demo-0001/values", cell).is(204);
    served.post("/v1/devices/demo-0001/unplug", "").is(204);
    let body = r#"{"device": {"express": {"id": "pack-7", "bms": {"cells": 3}}}}"#;
    served.post("/v1/devices", body).is(201);
    let saved = served.get("/v1/scenario.yaml");
    let text = saved.text();
    assert!(text.contains("DEMO-0001 was unplugged"), "{text}");
    drop(served);

    // The clock of the new hub stands behind the moment at which the cell was pinned.
    let again = Served::of(text, None);
    again.post("/v1/clock", r#"{"step": "60s"}"#).is(200);
    assert_eq!(again.tool("demo-0001").ask(BMS)["cell_voltages_v"][3], 3.1);
    assert_eq!(
        again.get("/v1/devices").is(200).as_array().unwrap().len(),
        3
    );
    let untouched = Loaded::parse("test.yaml", SCENARIO).unwrap();
    let plain = untouched.written().to_string();
    assert!(plain.len() < text.len());
}
