//! What a tool sees of an Express: what it says to requests, and when.

use veschub_wire::{Reply, Request, view::View};

use veschub_hub::{
    device::{Device, DeviceEvent, Out},
    rng::Seed,
    time::Time,
};
use veschub_scenario::Loaded;

/// A device described by these keys, asked as `veschub-sim encode` spells it.
struct Asked {
    device: Box<dyn Device>,
    out: Out,
    now: Time,
}

impl Asked {
    fn of(keys: &str) -> Self {
        let text = format!(
            "version: 1\ndevices:\n  - express: {{ id: demo-0001, password: not-a-secret, {keys} }}\n"
        );
        let loaded = Loaded::parse("demo.yaml", &text).unwrap();
        let mut world = loaded.build(Seed(0)).unwrap();
        Self {
            device: world.residents.remove(0).device,
            out: Out::default(),
            now: Time::ZERO,
        }
    }

    fn at(&mut self, ms: u64) -> &mut Self {
        self.now = Time::from_nanos(ms * 1_000_000);
        self.device.handle_timeout(self.now, &mut self.out);
        self
    }

    fn ask(&mut self, words: &str) -> &mut Self {
        let words: Vec<&str> = words.split(' ').collect();
        let request = Request::from_args(words[0].parse().unwrap(), &words[1..]).unwrap();
        self.device
            .handle(self.now, &request.encode(), &mut self.out);
        self
    }

    /// All that it says up to a time, with milliseconds: replies by name, the others in words.
    fn said_until(&mut self, ms: u64) -> Vec<String> {
        self.device
            .handle_timeout(Time::from_nanos(ms * 1_000_000), &mut self.out);
        let mut said = Vec::new();
        while let Some((at, event)) = self.out.pop() {
            let at = at.since_start().as_millis();
            said.push(match event {
                DeviceEvent::Reply { payload, .. } => {
                    let reply = Reply::decode(&payload).unwrap().body;
                    match reply {
                        Reply::PingCan { .. } | Reply::Print(_) => {
                            format!("{at} {} {}", reply.id(), reply.fields())
                        }
                        _ => format!("{at} {}", reply.id()),
                    }
                }
                DeviceEvent::NotAnswered { command, why } => format!("{at} {command}: {why}"),
                DeviceEvent::Raw(bytes) => format!("{at} {} bytes", bytes.len()),
                DeviceEvent::LinkDown => format!("{at} down"),
                DeviceEvent::LinkUp => format!("{at} up"),
                DeviceEvent::Note(event) => format!("{at} {event}"),
                DeviceEvent::OnCan(frame) => format!("{at} {}", frame.to_candump()),
            });
        }
        said
    }
}

const TWO: &str =
    "can: [motor: { can_id: 84 }, bms: { can_id: 10, silent_after: 5s, pack: { cells: 4 } }]";

#[test]
fn other_commands_are_answered_while_the_worker_scans_and_a_second_scan_is_dropped() {
    let mut device = Asked::of(TWO);
    let said = device
        .ask("PING_CAN")
        .ask("TERMINAL_CMD help")
        .ask("FW_VERSION")
        .said_until(9000);
    assert_eq!(
        said,
        [
            "0 TERMINAL_CMD: the worker is busy with another command",
            "55 FW_VERSION",
            "2585 PING_CAN can_ids=[10 84]",
        ]
    );
}

#[test]
fn there_is_no_qml_of_the_users_own() {
    let mut device = Asked::of("reply_after: 1ms");
    device.ask("GET_QML_UI_APP 400 0").at(1);
    let payload = device.out.pop().map(|(_, event)| match event {
        DeviceEvent::Reply { payload, .. } => payload,
        other => unreachable!("{other:?}"),
    });
    assert_eq!(payload, Some([&[118][..], &[0; 8]].concat()));
}

#[test]
fn a_restart_forgets_what_was_asked_and_comes_back_after_a_second() {
    let mut device = Asked::of("prints: [{ at: 500ms, text: lost }, { at: 2s, text: kept }]");
    device.ask("PING_CAN").ask("REBOOT");
    let said = device.at(100).ask("FW_VERSION").said_until(1900);
    assert_eq!(
        said,
        [
            "55 REBOOT: it restarts",
            "55 down",
            "100 FW_VERSION: it is restarting",
            "500 PRINT: it is restarting",
            "1055 up",
        ]
    );
    let said = device.at(1900).ask("FW_VERSION").said_until(9000);
    assert_eq!(said, ["1955 FW_VERSION", "2000 PRINT text=\"kept\""]);
}

#[test]
fn a_node_restarts_by_itself_and_its_scan_is_never_answered() {
    let mut device = Asked::of("can: [motor: { can_id: 84 }, motor: { can_id: 85 }]");
    device.ask("FORWARD_CAN 84 PING_CAN").at(100);
    device.ask("FORWARD_CAN 84 REBOOT").at(200);
    device.ask("FORWARD_CAN 84 FW_VERSION").at(1500);
    let said = device.ask("FORWARD_CAN 84 FW_VERSION").said_until(9000);
    assert_eq!(
        said,
        [
            "157 REBOOT: CAN node 84: it restarts",
            "257 FW_VERSION: nobody on the CAN bus has the id 84",
            "1557 FW_VERSION",
        ]
    );
}

#[test]
fn a_bms_command_is_sent_on_while_the_data_are_fresh() {
    let mut device = Asked::of(TWO);
    let said = device.ask("BMS_FORCE_BALANCE 1").said_until(100);
    let taken = |ms| {
        format!(
            "{ms} BMS_FORCE_BALANCE: CAN node 10: the pack took it; \
             such commands are never acknowledged"
        )
    };
    assert_eq!(said, [taken(57)]);
    // Heard for the last time at 4.9 s.
    let said = device.at(6800).ask("BMS_FORCE_BALANCE 0").said_until(6899);
    assert_eq!(said, [taken(6857)]);
    let said = device.at(6900).ask("BMS_FORCE_BALANCE 0").said_until(7000);
    assert_eq!(
        said,
        [
            "6955 BMS_FORCE_BALANCE: the data of BMS 10 are 2.1 s old, and only within 2 s a command is sent on"
        ]
    );
    let mut alone = Asked::of("can: [motor: { can_id: 84 }]");
    let said = alone.ask("BMS_FORCE_BALANCE 1").said_until(100);
    assert_eq!(said, ["55 BMS_FORCE_BALANCE: no BMS was ever heard"]);
}

#[test]
fn the_first_bms_that_is_fresh_is_the_one_that_counts() {
    let mut device = Asked::of(
        "can: [bms: { can_id: 10, silent_after: 1s, pack: { cells: 3 } }, bms: { can_id: 20, pack: { cells: 5 } }]",
    );
    let mut cells = |ms| {
        device.at(ms).ask("BMS_GET_VALUES").at(ms + 60);
        match device.out.pop() {
            Some((
                _,
                DeviceEvent::Reply {
                    truth: Some(truth), ..
                },
            )) => match *truth {
                Reply::BmsValues(values) => (values.cell_voltages_v.len(), values.can_id),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(cells(500), (3, Some(10)));
    assert_eq!(cells(2800), (3, Some(10)), "its last values");
    assert_eq!(cells(3000), (5, Some(20)));
}

#[test]
fn a_request_inside_a_request_comes_out_at_the_far_end() {
    let mut device = Asked::of("can_id: 7, can: [motor: { can_id: 84 }, motor: { can_id: 85 }]");
    let said = device
        .ask("FORWARD_CAN 84 FORWARD_CAN 85 FW_VERSION")
        .ask("FORWARD_CAN 84 FORWARD_CAN 84 FW_VERSION")
        .ask("FORWARD_CAN 84 FORWARD_CAN 7 GET_VALUES")
        .ask("FORWARD_CAN 84 FORWARD_CAN 255 FW_VERSION")
        .said_until(9000);
    assert_eq!(
        said,
        [
            "57 FORWARD_CAN: a node's broadcast is not played here",
            "59 FW_VERSION: 84 is its own id, and what it sends to the bus does not come back",
            "59 FW_VERSION",
            "114 GET_VALUES: Express 6.05 does not handle it",
        ]
    );
}

#[test]
fn nothing_gets_through_a_bus_that_is_off() {
    let mut device = Asked::of("bus: \"off\", can: [bms: { can_id: 10, pack: { cells: 4 } }]");
    let said = device
        .ask("PING_CAN")
        .ask("FORWARD_CAN 10 FW_VERSION")
        .ask("BMS_FORCE_BALANCE 1")
        .said_until(9000);
    assert_eq!(
        said,
        [
            "55 PING_CAN can_ids=[]",
            "55 BMS_FORCE_BALANCE: no BMS was ever heard",
            "57 FW_VERSION: the CAN driver is not started",
        ]
    );
}

#[test]
fn a_scripted_reply_goes_before_the_built_in_one_even_for_what_is_no_request() {
    let mut device = Asked::of(
        "replies: [{ request: \"00\", reply: [\"3e 05\"] }, { request: \"22\", reply: [\"3e 06\"], after: 1ms }]",
    );
    device.device.handle(Time::ZERO, &[0x22], &mut device.out);
    let said = device.ask("FW_VERSION").said_until(100);
    assert_eq!(said, ["1 PING_CAN can_ids=[6]", "55 PING_CAN can_ids=[5]"]);
}

#[test]
fn new_bit_rates_are_answered_after_half_a_second_and_impossible_ones_at_once() {
    let mut device = Asked::of("firmware: \"6.06\"");
    // 500 kbit/s after 100 ms; then 501 kbit/s.
    let said = device.ask("CAN_UPDATE_BAUD_ALL 01f40064").said_until(1000);
    assert_eq!(said, ["655 CAN_UPDATE_BAUD_ALL"]);
    let said = device
        .at(1000)
        .ask("CAN_UPDATE_BAUD_ALL 01f50064")
        .said_until(2000);
    assert_eq!(said, ["1055 CAN_UPDATE_BAUD_ALL"]);
}

#[test]
fn what_changes_the_pack_is_done_even_if_nobody_waits_any_more() {
    let mut device = Asked::of("bms: { cells: 4 }");
    device
        .ask("FW_VERSION")
        .ask("BMS_FORCE_BALANCE 1")
        .ask("PING_CAN");
    device.device.drop_pending();
    let said = device.said_until(9000);
    assert_eq!(
        said,
        ["55 BMS_FORCE_BALANCE: the pack took it; such commands are never acknowledged"]
    );
    let said = device.at(9000).ask("PING_CAN").said_until(12_000);
    assert_eq!(said.len(), 1, "the worker is free: {said:?}");
}

#[test]
fn a_flood_of_broadcasts_is_cut_off() {
    let nodes: Vec<String> = (100..200)
        .map(|id| format!("motor: {{ can_id: {id} }}"))
        .collect();
    let mut device = Asked::of(&format!("can: [{}]", nodes.join(", ")));
    for _ in 0..200 {
        device.ask("FORWARD_CAN 255 FW_VERSION");
    }
    let said = device.said_until(9000);
    let answered = said
        .iter()
        .filter(|line| line.ends_with("FW_VERSION"))
        .count();
    assert!((3000..5000).contains(&answered), "{answered}");
}
