use veschub_hub::{
    duration::Duration,
    hub::{
        Output,
        steer::{Origin, Pinned, Release, SetCommand, SteerErrorKind},
    },
};
use veschub_wire::{Reply, view::View};

use super::*;

const MOTOR: &str = "version: 1\ndevices:\n  - motor: { can_id: 5, second_can_id: 6, noise: 0, input_voltage_v: 40, can: [ { bms: { can_id: 10, pack: { cells: 3, noise_mv: 0 } } } ] }\n";

fn pin(field: &str, item: Option<usize>, to: f64) -> SetCommand {
    SetCommand::pin(field, item, to)
}

fn ramp(field: &str, from: f64, to: f64, seconds: u64) -> SetCommand {
    SetCommand {
        from: Some(from),
        over: Some(Duration::from_millis(seconds * 1000)),
        ..pin(field, None, to)
    }
}

/// The field of the last reply, as it is shown.
fn last(bench: &Bench, conn: ConnId, field: &str) -> String {
    let replies = bench.replies(conn);
    let reply = Reply::decode(replies.last().unwrap()).unwrap().body;
    let fields = reply.fields();
    let found = fields.iter().find(|(name, _)| *name == field);
    found
        .map(|(_, value)| value.to_string())
        .unwrap_or_default()
}

/// What a request is answered with 500 ms later, in one field.
fn read(bench: &mut Bench, conn: ConnId, request: &[u8], field: &str) -> String {
    bench.ask(conn, request);
    bench.until(bench.now + std::time::Duration::from_millis(500));
    last(bench, conn, field)
}

fn set(bench: &mut Bench, can_id: Option<u8>, command: &SetCommand) {
    bench
        .steer(|hub, now| hub.set(now, "demo-0001", can_id, command))
        .unwrap();
}

#[test]
fn a_cell_is_pinned_and_released_and_what_the_scenario_sets_comes_back() {
    let mut bench = battery("set: [ { field: cell_voltages_v, item: 1, to: 3.5 } ]", "");
    let tool = bench.login();
    let before = read(&mut bench, tool, &[96], "cell_voltages_v");
    set(&mut bench, None, &pin("cell_voltages_v", Some(1), 3.1));
    let pinned = read(&mut bench, tool, &[96], "cell_voltages_v");
    assert_ne!(before, pinned);
    assert!(
        before.contains("3.5") && pinned.contains("3.1"),
        "{before} {pinned}"
    );
    let view = bench.hub.device(bench.now, "demo-0001", None).unwrap();
    let set = |to, by| Pinned {
        field: "cell_voltages_v",
        item: Some(1),
        to,
        by,
    };
    assert_eq!(
        view.pinned,
        [set(3.5, Origin::Scenario), set(3.1, Origin::Control)]
    );
    let cell = &view.values.bms.unwrap()["cell_voltages_v"][1];
    assert_eq!(cell.as_f64().unwrap(), 3.1);
    let release = Release {
        field: Some("cell_voltages_v".to_owned()),
        item: Some(1),
    };
    bench
        .steer(|hub, now| hub.release(now, "demo-0001", None, &release))
        .unwrap();
    assert_eq!(read(&mut bench, tool, &[96], "cell_voltages_v"), before);
    let (message, kind) = bench.refused(|hub, now| hub.release(now, "demo-0001", None, &release));
    assert_eq!(
        message,
        "control has not set cell_voltages_v; what a scenario sets stays"
    );
    assert_eq!(kind, SteerErrorKind::NotFound);
    let expected = [
        "pinned cell_voltages_v[1] to 3.1",
        "released cell_voltages_v[1]",
    ];
    assert_eq!(bench.steered(), expected);
    // Nothing to release is fine where everything is meant.
    bench
        .steer(|hub, now| hub.release(now, "demo-0001", None, &Release::default()))
        .unwrap();
}

#[test]
fn a_ramp_begins_when_it_is_set() {
    let mut bench = battery("", "");
    bench.until(ms(10_000));
    set(&mut bench, None, &ramp("current_a", 10.0, 20.0, 10));
    for (at, current) in [
        (10_000, 10.0),
        (15_000, 15.0),
        (20_000, 20.0),
        (99_000, 20.0),
    ] {
        bench.until(ms(at));
        let view = bench.hub.device(ms(at), "demo-0001", None).unwrap();
        assert_eq!(view.values.bms.unwrap()["current_a"], current);
        assert_eq!(view.pinned[0].to, current);
    }
    assert_eq!(bench.steered(), ["ramped current_a from 10 to 20 over 10s"]);
    // A pin takes the place of a ramp, and a whole list that of its items.
    set(&mut bench, None, &pin("current_a", None, 1.0));
    set(&mut bench, None, &pin("cell_voltages_v", Some(0), 3.0));
    set(&mut bench, None, &pin("cell_voltages_v", None, 4.0));
    let view = bench.hub.device(bench.now, "demo-0001", None).unwrap();
    let pinned: Vec<_> = view
        .pinned
        .iter()
        .map(|one| (one.field, one.item, one.to))
        .collect();
    assert_eq!(
        pinned,
        [("current_a", None, 1.0), ("cell_voltages_v", None, 4.0)]
    );
}

#[test]
fn mistakes_are_told_in_the_words_of_a_scenario() {
    let mut bench = battery("", "");
    for (command, expected) in [
        (
            pin("cell_voltage_v", None, 3.0),
            "no value is called `cell_voltage_v`; did you mean `cell_voltages_v`?",
        ),
        (
            pin("cell_voltages_v", Some(3), 3.0),
            "`item`: `cell_voltages_v` has 3 items, and none with the number 3; the first item is 0",
        ),
        (
            pin("current_a", Some(0), 3.0),
            "`item`: `current_a` is one value and has no items",
        ),
        (
            pin("current_a", None, f64::NAN),
            "`to`: not a finite number",
        ),
        (
            SetCommand {
                field: "current_a".to_owned(),
                ..SetCommand::default()
            },
            "this says neither a value nor a ramp; pin it with `to`, or ramp it with `from`, `to` and `over`",
        ),
    ] {
        let (message, kind) = bench.refused(|hub, now| hub.set(now, "demo-0001", None, &command));
        assert_eq!((message.as_str(), kind), (expected, SteerErrorKind::Wrong));
    }
    let nowhere = pin("current_a", None, 3.0);
    let (message, kind) = bench.refused(|hub, now| hub.set(now, "demo-0001", Some(77), &nowhere));
    assert!(
        message.starts_with("no node has the CAN id 77; `can_id` may be "),
        "{message}"
    );
    assert_eq!(kind, SteerErrorKind::NotFound);
    assert!(bench.steered().is_empty());
}

#[test]
fn both_motors_and_a_pack_on_the_bus_are_set_each_for_itself() {
    let mut bench = Bench::of_scenario(MOTOR);
    let id = bench.hub.device_ids().next().unwrap().to_owned();
    let tool = bench.open();
    let second = [34, 6, 4];
    for (can_id, field, to) in [
        (None, "erpm", 1000.0),
        (Some(6), "erpm", 2000.0),
        (Some(10), "current_a", 7.0),
    ] {
        let command = pin(field, None, to);
        bench
            .steer(|hub, now| hub.set(now, &id, can_id, &command))
            .unwrap();
    }
    assert_eq!(read(&mut bench, tool, &[4], "erpm"), "1000");
    assert_eq!(read(&mut bench, tool, &second, "erpm"), "2000");
    assert_eq!(read(&mut bench, tool, &[96], "current_a"), "7");
    let about = bench.hub.devices().remove(0).about;
    assert_eq!((about.kind, about.can_id), ("motor", Some(5)));
    let nodes: Vec<_> = about
        .nodes
        .iter()
        .map(|node| (node.can_id, node.kind))
        .collect();
    assert_eq!(nodes, [(6, "motor"), (10, "bms")]);
    let now = bench.now;
    let motor = bench
        .hub
        .device(now, &id, Some(6))
        .unwrap()
        .values
        .motor
        .unwrap();
    assert_eq!(motor["erpm"], 2000.0);
    assert!(motor["speed_m_s"].is_number() && motor["odometer_m"].is_number());
    bench
        .steer(|hub, now| hub.release(now, &id, Some(6), &Release::default()))
        .unwrap();
    bench.until(ms(100_000));
    assert_ne!(read(&mut bench, tool, &second, "erpm"), "2000");
    assert_eq!(bench.steered()[1], "pinned erpm to 2000 of CAN id 6");
}

#[test]
fn an_express_without_a_pack_says_whose_values_can_be_set() {
    let mut bench = Bench::of_scenario(
        "version: 1\ndevices:\n  - express: { id: demo-0001, password: not-a-secret, can: [ { bms: { can_id: 10 } }, { motor: { can_id: 84 } } ] }\n",
    );
    let command = pin("current_a", None, 1.0);
    let (message, kind) = bench.refused(|hub, now| hub.set(now, "demo-0001", None, &command));
    assert!(
        message.ends_with("has no values of its own that can be set; `can_id` may be 10, 84"),
        "{message}"
    );
    assert_eq!(kind, SteerErrorKind::Conflict);
}

/// What a client is sent that reads a motor and its pack for a while; `look` is called in between.
fn reads(look: impl Fn(&mut Hub, Time)) -> Vec<u8> {
    let mut bench =
        Bench::of_scenario(&MOTOR.replace("noise: 0, ", "").replace(", noise_mv: 0", ""));
    let tool = bench.open();
    // SET_CURRENT 8 A: it speeds up, so averages differ from what is there at the moment.
    bench.ask(tool, &[6, 0, 0, 0x1F, 0x40]);
    for step in 1..40 {
        for part in 0..10 {
            bench.until(ms(step * 100 + part * 10));
            look(&mut bench.hub, bench.now);
            bench.settle();
        }
        for request in [&[4][..], &[47], &[96], &[34, 6, 4]] {
            bench.ask(tool, request);
        }
        if step == 20 {
            bench.ask(tool, &[6, 0, 0, 0, 0]);
        }
    }
    assert_eq!(bench.ended.get(&tool), None::<&Output>);
    bench.heard.remove(&tool).unwrap()
}

#[test]
fn looking_changes_nothing_that_a_client_reads() {
    let unseen = reads(|_, _| {});
    let seen = reads(|hub, now| {
        let id = hub.device_ids().next().unwrap().to_owned();
        for can_id in [None, Some(6), Some(10)] {
            let view = hub.device(now, &id, can_id).unwrap();
            assert!(
                serde_json::to_string(&view)
                    .unwrap()
                    .contains("\"values\":{\"bms\":{")
            );
        }
        assert_eq!(hub.sessions().len(), 1);
        assert_eq!(hub.quirks(&id).unwrap().len(), 5);
        assert_eq!(
            hub.faults().len() + hub.breakpoints().len() + hub.held().len(),
            0
        );
    });
    assert!(seen == unseen, "the replies differ");
}

#[test]
fn what_is_seen_is_what_a_reply_would_say() {
    let mut bench = Bench::of_scenario(MOTOR);
    let tool = bench.open();
    let id = bench.hub.device_ids().next().unwrap().to_owned();
    bench.ask(tool, &[6, 0, 0, 0x1F, 0x40]);
    bench.until(ms(2000));
    bench.ask(tool, &[4]);
    let due = bench.hub.poll_timeout().unwrap();
    let seen = bench
        .hub
        .device(due, &id, None)
        .unwrap()
        .values
        .motor
        .unwrap();
    bench.until(ms(3000));
    let reply = bench.replies(tool).pop().unwrap();
    let reply = Reply::decode(&reply).unwrap().body;
    let fields = serde_json::to_value(veschub_transcript::render::FieldsJson(&reply.fields()));
    let fields = fields.unwrap();
    for (name, value) in fields.as_object().unwrap() {
        assert_eq!(seen[name], *value, "{name}");
    }
    assert!(seen["motor_current_a"].as_f64().unwrap() > 0.0);
}
