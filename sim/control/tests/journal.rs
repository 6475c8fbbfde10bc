//! The journal: looking, counting, waiting, forgetting, and listening.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::TcpStream,
    thread,
};

use common::{BMS, FIRMWARE, PATIENCE, Served, joined};
use serde_json::{Value, json};

#[test]
fn entries_are_the_lines_of_a_journal_with_numbers() {
    let served = Served::start();
    let mut tool = served.tool("demo-0001");
    tool.ask(BMS);
    let all = served.get("/v1/journal").is(200);
    let entries = all["entries"].as_array().unwrap();
    let numbers: Vec<u64> = entries
        .iter()
        .map(|one| one["seq"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    assert_eq!(
        (&all["next"], &all["dropped"]),
        (&json!(numbers.len()), &json!(0))
    );
    let text = serde_json::to_string(&all).unwrap();
    assert!(!text.contains("not-a-secret"), "{text}");

    let path = "/v1/journal?device=demo-0001&command=bms-get-values&direction=to-tool";
    let reply = &served.get(path).is(200)["entries"][0];
    assert_eq!(reply["kind"], "frame");
    assert_eq!(
        reply["fields"]["cell_voltages_v"].as_array().unwrap().len(),
        4
    );
    assert_eq!(
        reply["truth"]["cell_voltages_v"],
        reply["fields"]["cell_voltages_v"]
    );

    let first = served.get("/v1/journal?limit=2").is(200);
    assert_eq!(first["next"], 2);
    let second = served.get("/v1/journal?limit=1&after=2").is(200);
    assert_eq!(second["entries"][0]["seq"], 3);

    assert_eq!(
        served.get("/v1/journal/count?kind=frame").is(200),
        json!({"count": 2})
    );
    assert_eq!(
        served.get("/v1/journal/count?device=demo-0002").is(200),
        json!({"count": 0})
    );
    let forgotten = served.delete("/v1/journal").is(200);
    assert_eq!(forgotten["forgotten"], numbers.len());
    assert_eq!(served.get("/v1/journal/count").is(200), json!({"count": 0}));
    tool.ask(BMS);
    let next = served.get("/v1/journal").is(200);
    assert_eq!(next["entries"][0]["seq"], numbers.len() + 1);
    assert_eq!(next["dropped"], 0);
}

#[test]
fn a_filter_that_cannot_be_is_refused_with_help() {
    let served = Served::start();
    let refused = |query: &str| served.get(&format!("/v1/journal?{query}")).refused(400);
    assert!(refused("command=BMS_GET_VALUE").contains("did you mean `BMS_GET_VALUES`?"));
    assert!(refused("kind=frames").contains("`frame`"));
    assert!(refused("direction=up").contains("to-device"));
    assert!(refused("devise=x").contains("`device`"));
    assert!(refused("connection=x").contains("query"));
    assert!(refused("limit=0").contains("wanted 1 to 10000"));
    let wait = |query: &str| {
        served
            .get(&format!("/v1/journal/wait?{query}"))
            .refused(400)
    };
    assert!(wait("within=5").contains("a duration needs a unit"));
    assert!(wait("within=2m").contains("the longest wait is 60s"));
}

#[test]
fn who_waits_is_told_as_soon_as_enough_was_seen() {
    let served = Served::start();
    let mut tool = served.tool("demo-0001");
    let next = served.get("/v1/hub").json()["journal"]["last"].clone();
    let path = format!(
        "/v1/journal/wait?command=BMS_GET_VALUES&direction=to-device&count=3&within=30s&after={next}"
    );
    thread::scope(|scope| {
        let waiting = scope.spawn(|| served.get(&path));
        for _ in 0..3 {
            tool.ask(BMS);
        }
        let seen = waiting.join().unwrap().is(200);
        assert_eq!(seen["entries"].as_array().unwrap().len(), 3);
    });
    // Without `after`, what is there already counts.
    let path = "/v1/journal/wait?command=BMS_GET_VALUES&direction=to-device&count=3&within=1ms";
    served.get(path).is(200);
}

#[test]
fn who_waits_in_vain_is_told_what_was_nearly_it() {
    let served = Served::start();
    let mut tool = served.tool("demo-0001");
    tool.ask(FIRMWARE);
    let path =
        "/v1/journal/wait?device=demo-0001&command=BMS_GET_VALUES&direction=to-device&within=1ms";
    let answer = served.get(path).is(408);
    assert_eq!(answer["seen"], 0);
    assert!(answer["error"].as_str().unwrap().starts_with("seen 0 of 1"));
    let near = &answer["near_misses"][0];
    assert_eq!(near["entry"]["command"], "FW_VERSION");
    let differs = json!([{"key": "command", "wanted": "BMS_GET_VALUES", "found": "FW_VERSION"}]);
    assert_eq!(near["differs"], differs);
}

#[test]
fn requests_without_an_answer_are_listed_with_the_reason() {
    let served = Served::start();
    let mut tool = served.tool("demo-0001");
    // A command that nobody knows, and a frame with a wrong checksum.
    tool.send(&[250]);
    tool.stream.write_all(&[2, 1, 0, 0xFF, 0xFF, 3]).unwrap();
    tool.ask(FIRMWARE);
    let near = served.get("/v1/near-misses?device=demo-0001").is(200);
    // The parser tells noise at once, and the device is busy for a moment.
    let reasons: BTreeSet<&str> = near["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["reason"].as_str().unwrap())
        .collect();
    assert_eq!(reasons, BTreeSet::from(["noise", "silence"]), "{near}");
    assert!(near.to_string().contains("wrong-checksum"), "{near}");
    assert_eq!(
        served.get("/v1/near-misses?device=demo-0002").is(200)["entries"],
        json!([])
    );
}

/// A listener, and the events that it was given.
struct Listener {
    stream: TcpStream,
    raw: Vec<u8>,
}

impl Listener {
    fn new(served: &Served, path: &str, headers: &[&str]) -> Self {
        let stream = served.open("GET", path, "", headers);
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let raw = Vec::new();
        let mut listener = Self { stream, raw };
        listener.until(|events| events.iter().any(|(kind, _)| kind == "hello"));
        listener
    }

    /// All events so far, with their kinds.
    fn events(&self) -> Vec<(String, Value)> {
        let end = self.raw.windows(4).position(|four| four == b"\r\n\r\n");
        let body = end.map_or(Vec::new(), |end| joined(&self.raw[end + 4..]));
        let text = String::from_utf8(body).unwrap();
        let (whole, _) = text.rsplit_once("\n\n").unwrap_or_default();
        let event = |block: &str| {
            let line = |start| block.lines().find_map(|line| line.strip_prefix(start));
            let kind = line("event: ")?.to_owned();
            let data: Value = serde_json::from_str(line("data: ")?).unwrap();
            if kind == "journal" {
                assert_eq!(line("id: "), Some(&*data["seq"].to_string()));
            }
            Some((kind, data))
        };
        whole.split("\n\n").filter_map(event).collect()
    }

    fn until(&mut self, enough: impl Fn(&[(String, Value)]) -> bool) -> Vec<(String, Value)> {
        let mut bytes = [0; 8192];
        loop {
            let events = self.events();
            if enough(&events) {
                return events;
            }
            let count = self.stream.read(&mut bytes).unwrap();
            assert!(count > 0, "ended: {events:?}");
            self.raw.extend_from_slice(&bytes[..count]);
        }
    }
}

fn entries(events: &[(String, Value)]) -> Vec<&Value> {
    let journal = events.iter().filter(|(kind, _)| kind == "journal");
    journal.map(|(_, data)| data).collect()
}

#[test]
fn a_listener_hears_what_happens_and_goes_on_where_it_stopped() {
    let served = Served::start();
    let mut listener = Listener::new(&served, "/v1/events?device=demo-0001&kind=frame", &[]);
    let mut all = Listener::new(&served, "/v1/events", &[]);
    let mut tool = served.tool("demo-0001");
    served.tool("demo-0002").ask(FIRMWARE);
    tool.ask(FIRMWARE);
    let events = listener.until(|events| entries(events).len() == 2);
    let last = entries(&events)[1]["seq"].clone();
    assert_eq!(entries(&events)[1]["direction"], "to-tool");

    served
        .post(
            "/v1/devices/demo-0001/values",
            "{\"field\":\"current_a\",\"to\":1}",
        )
        .is(204);
    let events = all.until(|events| {
        let told = events.iter().filter(|(kind, _)| kind == "state");
        let mut told = told.flat_map(|(_, data)| data["changed"].as_array().unwrap().clone());
        told.any(|topic| topic == "devices")
    });
    assert!(
        entries(&events)
            .iter()
            .any(|entry| entry["kind"] == "steered")
    );

    drop(listener);
    tool.ask(FIRMWARE);
    let id = format!("Last-Event-ID: {last}");
    let mut again = Listener::new(&served, "/v1/events?device=demo-0001&kind=frame", &[&id]);
    let events = again.until(|events| entries(events).len() == 2);
    assert!(
        entries(&events)
            .iter()
            .all(|entry| entry["seq"].as_u64() > last.as_u64())
    );
    // A number that is yet to come is of an earlier server: all is new.
    let mut anew = Listener::new(&served, "/v1/events", &["Last-Event-ID: 99999"]);
    let events = anew.until(|events| !entries(events).is_empty());
    assert_eq!(entries(&events)[0]["seq"], 1);
    let wrong = served.send("GET", "/v1/events", "", &["Last-Event-ID: x"]);
    assert!(wrong.refused(400).contains("Last-Event-ID"));
}
