//! What there is to see: the hub, devices, connections, numbers, the page, and what OpenAPI says.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Instant,
};

use common::{BMS, FIRMWARE, PATIENCE, Served};
use serde_json::{Value, json};
use veschub_transcript::{Kind, Options, Transcript};

#[test]
fn the_hub_its_devices_and_its_connections_can_be_seen() {
    let served = Served::start();
    let hub = served.get("/v1/hub").is(200);
    assert_eq!(hub["listening"], served.hub.to_string());
    assert_eq!(
        (&hub["accepts"], &hub["devices"]),
        (&json!(true), &json!(2))
    );
    assert_eq!(
        (&hub["paused"], &hub["scale"]),
        (&json!(false), &json!(1.0))
    );

    let mut tool = served.tool("demo-0001");
    tool.ask(FIRMWARE);
    let sessions = served.get("/v1/sessions").is(200);
    assert_eq!(sessions[0]["role"], "tool");
    assert_eq!(sessions[0]["device"], "DEMO-0001");
    assert_eq!(
        (&sessions[0]["requests"], &sessions[0]["replies"]),
        (&json!(1), &json!(1))
    );

    let devices = served.get("/v1/devices").is(200);
    assert_eq!(devices.as_array().unwrap().len(), 2);
    assert_eq!(devices[0]["id"], "DEMO-0001");
    assert_eq!(devices[0]["kind"], "express");
    assert_eq!(devices[0]["tool"], sessions[0]["connection"]);
    assert_eq!(devices[0]["nodes"][0]["hardware"], "DEMO-MOTOR");
    assert_eq!(
        (&devices[0]["plugged"], &devices[1]["tool"]),
        (&json!(true), &Value::Null)
    );

    // Ids are spelt as tools may spell them.
    let device = served.get("/v1/devices/demo-0001").is(200);
    assert_eq!(
        device["values"]["bms"]["cell_voltages_v"]
            .as_array()
            .unwrap()
            .len(),
        4
    );
    let motor = served.get("/v1/devices/demo-0001?can_id=84").is(200);
    let erpm = motor["values"]["motor"]["erpm"].as_f64().unwrap();
    // It turns, so it is not quite the same.
    assert!((erpm - 5000.0).abs() < 100.0, "{erpm}");
}

#[test]
fn what_is_not_there_is_refused_with_what_was_probably_meant() {
    let served = Served::start();
    let refused = |path: &str| served.get(path).refused(404);
    assert!(refused("/v1/devices/demo-0003").contains("did you mean `DEMO-000"));
    assert!(refused("/v1/devices/demo-0001?can_id=85").contains("85"));
    assert!(refused("/v1/devises").contains("did you mean /v1/devices?"));
    assert!(refused("/page/other.js").contains("no file"));
    assert!(served.delete("/v1/hub").refused(405).contains("DELETE"));
    assert!(served.delete("/v1/sessions/9").refused(404).contains('9'));
    assert!(
        served
            .delete("/v1/sessions/x")
            .refused(400)
            .contains("number of a connection")
    );
    assert!(
        served
            .get("/v1/devices/demo-0001?can=84")
            .refused(400)
            .contains("`can_id`")
    );
}

#[test]
fn numbers_for_prometheus_are_text_that_it_reads() {
    let served = Served::start();
    let mut tool = served.tool("demo-0001");
    tool.ask(BMS);
    let answer = served.get("/metrics");
    assert!(answer.headers.contains("text/plain; version=0.0.4"));
    let text = answer.text();
    for expected in [
        "veschub_devices 2\n",
        "veschub_sessions 1\n",
        "veschub_accepts 1\n",
        "veschub_events_total{kind=\"frame\"} 2\n",
    ] {
        assert!(text.contains(expected), "{expected}{text}");
    }
    let sent = text
        .lines()
        .find(|line| line.starts_with("veschub_sent_bytes_total "));
    assert!(sent.is_some_and(|line| !line.ends_with(" 0")), "{text}");
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(
            name.starts_with("veschub_") && value.parse::<f64>().is_ok(),
            "{line}"
        );
        let name = name.split('{').next().unwrap();
        assert!(text.contains(&format!("# TYPE {name} ")), "{line}");
    }
    assert_eq!(served.get("/health").text(), "ok\n");
    assert_eq!(served.get("/ready").text(), "ready\n");
}

#[test]
fn the_catalogue_has_every_fault_and_quirk_with_an_example() {
    let served = Served::start();
    let catalogue = served.get("/v1/catalogue").is(200);
    let delay = catalogue["faults"].as_array().unwrap();
    let delay = delay.iter().find(|fault| fault["name"] == "delay").unwrap();
    assert_eq!(delay["harm"], "late");
    assert!(delay["schema"]["properties"]["by"].is_object());
    assert!(delay["example"].as_str().unwrap().starts_with("- delay:"));
    let quirks = catalogue["quirks"].as_array().unwrap();
    assert!(
        quirks
            .iter()
            .any(|quirk| quirk["name"] == "session-reset" && quirk["provenance"].is_string())
    );
}

#[test]
fn the_page_comes_from_here_alone() {
    let served = Served::start();
    let page = served.get("/");
    assert_eq!(page.status, 200);
    let headers = page.headers.to_ascii_lowercase();
    assert!(headers.contains("content-security-policy: default-src 'none'; script-src 'self'"));
    for expected in [
        "cache-control: no-store",
        "x-content-type-options: nosniff",
        "text/html",
    ] {
        assert!(headers.contains(expected), "{headers}");
    }
    let text = page.text();
    assert!(!text.contains("://"), "asks somebody else: {text}");
    for (_, rest) in text
        .match_indices("\"/page/")
        .map(|(at, _)| text[at + 1..].split_at(0))
    {
        let path = rest.split('"').next().unwrap();
        assert_eq!(served.get(path).status, 200, "{path}");
    }
}

#[test]
fn what_went_over_the_wire_is_a_capture_without_passwords() {
    let served = Served::start();
    let mut tool = served.tool("demo-0001");
    tool.ask(BMS);
    let answer = served.get("/v1/session.pcapng");
    assert!(answer.headers.contains("application/x-pcapng"));
    assert!(
        !answer
            .body
            .windows(12)
            .any(|bytes| bytes == b"not-a-secret")
    );
    let transcript = Transcript::from_capture(&answer.body[..], &Options::default()).unwrap();
    let frames = transcript
        .entries
        .iter()
        .filter(|entry| matches!(entry.kind, Kind::Frame(_)));
    assert_eq!(frames.count(), 2);
}

#[test]
fn a_few_may_fetch_the_session_at_a_time_and_who_does_not_read_keeps_a_place_only() {
    let served = Served::start();
    let tool = served.tool("demo-0001");
    // More than the buffers of a connection hold.
    let noise = vec![b'x'; 1 << 20];
    for _ in 0..16 {
        (&tool.stream).write_all(&noise).unwrap();
    }
    let total = |served: &Served| served.get("/v1/session.pcapng").body.len();
    let start = Instant::now();
    while total(&served) < 16 << 20 {
        assert!(start.elapsed() < PATIENCE);
    }
    let open = || served.open("GET", "/v1/session.pcapng", "", &[]);
    let mut slow: Vec<TcpStream> = (0..4).map(|_| open()).collect();
    for stream in &mut slow {
        let mut first = [0; 15];
        stream.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"HTTP/1.1 200 OK");
    }
    let refused = served.get("/v1/session.pcapng").refused(429);
    assert!(refused.contains("4 fetch the session already"), "{refused}");
    // The place is free again when one of them goes.
    slow.pop();
    let start = Instant::now();
    while served.get("/v1/session.pcapng").status != 200 {
        assert!(start.elapsed() < PATIENCE);
    }
}

/// The committed document is what the code says, and every route in it is there.
#[test]
fn the_openapi_document_is_what_the_server_does() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let says = veschub_control::openapi_json();
    if std::env::var_os("VESCHUB_UPDATE").is_some() {
        std::fs::write(path, &says).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == says,
        "openapi.json is not what the code says: run with VESCHUB_UPDATE=1"
    );

    let served = Served::start();
    assert_eq!(served.get("/openapi.json").text(), says);
    let document: Value = serde_json::from_str(&says).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    let mut ids = Vec::new();
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().unwrap() {
            assert!(
                operation["summary"].is_string(),
                "{method} {path} has no summary"
            );
            ids.push(operation["operationId"].as_str().unwrap().to_owned());
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            for parameter in parameters {
                assert!(
                    parameter["description"].is_string(),
                    "{method} {path}: {parameter}"
                );
            }
            if path.ends_with("/events") || path.ends_with("/wait") {
                continue;
            }
            let path = path.replace("{id}", "99").replace("{name}", "x");
            let path = path.replace("{file}", "x").replace("{connection}", "99");
            let answer = served.send(&method.to_ascii_uppercase(), &path, "{}", &[]);
            let text = String::from_utf8_lossy(&answer.body);
            let is_there = answer.status != 405 && !text.contains("there is no route");
            assert!(is_there, "{method} {path}: {text}");
        }
    }
    ids.sort();
    let count = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), count, "an operationId is there twice");
    references(&document, &document);
}

/// Every reference leads somewhere.
fn references(document: &Value, part: &Value) {
    match part {
        Value::Object(keys) => {
            if let Some(Value::String(to)) = keys.get("$ref") {
                let found = document.pointer(to.trim_start_matches('#'));
                assert!(found.is_some(), "{to} leads nowhere");
            }
            keys.values().for_each(|value| references(document, value));
        }
        Value::Array(items) => items.iter().for_each(|item| references(document, item)),
        _ => {}
    }
}
