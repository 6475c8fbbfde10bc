//! A hub inside a test: stops and verifies when it is dropped.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
    time::Duration,
};

use veschub_harness::{Hub, judge::Outcome};
use veschub_wire::CommandId;

const PACK: &str = "version: 1\nhub: { profile: ideal }\ndevices:\n  - express: { id: demo-0001, password: not-a-secret, bus: 'off' }\n";

/// Logs in and scans the bus, which has nobody on it.
fn scan(address: SocketAddr, password: &str) -> std::io::Result<Vec<u8>> {
    let mut client = TcpStream::connect(address)?;
    client.set_read_timeout(Some(Duration::from_secs(60)))?;
    writeln!(client, "VESCTOOL:demo-0001:{password}")?;
    client.write_all(&[2, 1, 62, 0xD7, 0x9D, 3])?;
    let mut reply = vec![0; 6];
    client.read_exact(&mut reply)?;
    Ok(reply)
}

fn hub(expect: &str) -> Hub {
    Hub::builder()
        .yaml(format!("{PACK}expect:\n  - {expect}\n"))
        .start()
        .unwrap()
}

/// What dropping the hub says.
fn dropped(hub: Hub) -> Option<String> {
    let result = catch_unwind(AssertUnwindSafe(|| drop(hub)));
    result
        .err()
        .map(|payload| payload.downcast_ref::<String>().unwrap().clone())
}

#[test]
fn a_content_hub_is_dropped_in_silence() {
    let hub = hub("requests: [PING_CAN]");
    scan(hub.address(), hub.password()).unwrap();
    assert_eq!(hub.count(CommandId::PING_CAN), 1);
    hub.reading(r#"{"command": "PING_CAN", "fields": {"can_ids": []}}"#);
    assert_eq!(dropped(hub), None);
}

#[test]
fn an_unmet_expectation_panics_with_the_report() {
    let hub = hub("requests: [FW_VERSION, PING_CAN]");
    scan(hub.address(), hub.password()).unwrap();
    let told = dropped(hub).unwrap();
    assert!(
        told.contains("request 1 PING_CAN instead of FW_VERSION"),
        "{told}"
    );
}

#[test]
fn a_wrong_reading_panics_and_an_explicit_end_gives_the_verdict() {
    let wrong = r#"{"command": "PING_CAN", "fields": {"can_ids": [7]}}"#;
    let first = hub("reply-to: PING_CAN");
    scan(first.address(), first.password()).unwrap();
    first.reading(wrong);
    assert!(dropped(first).unwrap().contains("PING_CAN.can_ids"));
    let second = hub("reply-to: PING_CAN");
    scan(second.address(), second.password()).unwrap();
    second.reading(wrong);
    let verdict = second.finish();
    assert_eq!(verdict.outcome(), Outcome::Failed);
    assert_eq!((verdict.sent.len(), verdict.understood.len()), (0, 1));
}

#[test]
fn a_test_that_is_panicking_is_not_made_worse() {
    let caught = catch_unwind(|| {
        let _hub = hub("requests: [PING_CAN]");
        panic!("the test's own");
    });
    assert_eq!(
        *caught.unwrap_err().downcast::<&str>().unwrap(),
        "the test's own"
    );
}

#[test]
fn many_hubs_run_at_once_and_know_nothing_of_each_other() {
    let scanned: Vec<_> = (0..8)
        .map(|index| {
            thread::spawn(move || {
                let hub = hub("request-count: { of: PING_CAN, at_least: 1, at_most: 1 }");
                if index % 2 == 0 {
                    scan(hub.address(), hub.password()).unwrap();
                }
                hub.finish().outcome()
            })
        })
        .collect();
    for (index, scanned) in scanned.into_iter().enumerate() {
        let passed = scanned.join().unwrap() == Outcome::Passed;
        assert_eq!(passed, index % 2 == 0);
    }
}

#[test]
fn a_refused_login_is_told() {
    let hub = hub("reply-to: PING_CAN");
    assert!(scan(hub.address(), "wrong").is_err());
    let verdict = hub.finish();
    assert_eq!(verdict.sent.len(), 1);
    assert_eq!(verdict.sent[0].field, "login");
}

#[test]
fn a_scenario_that_cannot_be_used_is_an_error_and_not_a_hub() {
    let error = Hub::builder()
        .yaml("version: 1\ndevices: 7\n")
        .start()
        .unwrap_err();
    assert!(error.to_string().contains("devices"), "{error}");
}

#[test]
fn a_reading_that_says_nothing_is_no_all_clear() {
    let why = |line: &str| {
        let hub = hub("reply-to: PING_CAN");
        scan(hub.address(), hub.password()).unwrap();
        hub.reading(line);
        let verdict = hub.finish();
        assert_eq!(verdict.outcome(), Outcome::Failed, "{line}");
        verdict.understood[0].why.clone()
    };
    for (line, told) in [
        (r#"{}"#, "an empty reading"),
        (
            r#"{"command": "PING_CAN", "fields": {}}"#,
            "an empty reading",
        ),
        (
            r#"{"command": "PING_CAN", "fields": {"can_ids": null}}"#,
            "an empty reading",
        ),
        (
            r#"{"fields": {"can_id_list": []}}"#,
            "no reply has a field of this name",
        ),
        (r#"{"fields": {"can_idz": []}}"#, "did you mean `can_ids`?"),
    ] {
        let why = why(line);
        assert!(why.contains(told), "{line}: {why}");
    }
}

/// Sets 5 A, or what it takes for that, at a motor behind the device, and lets go of it again.
fn drive(raw: i32) -> Hub {
    let hub = Hub::builder()
        .yaml("{ version: 1, devices: [express: { id: demo-0001, password: not-a-secret, can: [motor: { can_id: 84 }] }] }")
        .task("drive: { can_id: 84, current_a: 5, for: 100ms }")
        .direct()
        .start()
        .unwrap();
    let mut client = TcpStream::connect(hub.address()).unwrap();
    for raw in [raw, 0] {
        let mut payload = vec![34, 84, 6];
        payload.extend(raw.to_be_bytes());
        let frame = veschub_wire::encode(&payload).unwrap();
        client.write_all(&frame).unwrap();
    }
    // The hub has read both when it answers what comes behind them.
    client.write_all(&[2, 1, 0, 0, 0, 3]).unwrap();
    let mut start = [0; 2];
    client
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    client.read_exact(&mut start).unwrap();
    hub
}

#[test]
fn a_client_without_a_login_is_judged_by_what_it_sets() {
    assert_eq!(drive(5000).finish().outcome(), Outcome::Passed);
    let verdict = drive(5_000_000).finish();
    let told: Vec<String> = verdict.differences().map(|one| one.why.clone()).collect();
    assert!(
        told.iter()
            .any(|why| why.starts_with("1000 times too large")),
        "{told:?}"
    );
}
