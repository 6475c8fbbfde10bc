//! For every warning a scenario that has it, with its place, and the nearest one that has not.

use crate::Loaded;

/// The codes of the warnings, each with the text that it points at, to the end of the line.
fn warnings(scenario: &str) -> Vec<(String, String)> {
    let devices = "devices: [express: { id: demo-0001, password: not-a-secret }]\n";
    let devices = if scenario.contains("devices:") {
        ""
    } else {
        devices
    };
    let text = format!("version: 1\n{devices}{scenario}\n");
    let loaded = Loaded::parse("odd.yaml", &text).unwrap();
    let findings = loaded.warnings().unwrap();
    let shown = findings.iter().map(|finding| {
        let line = text.lines().nth(finding.line().unwrap() - 1).unwrap();
        let from = finding.column().unwrap() - 1;
        let drawn = finding.to_string();
        let code = finding.code().id();
        assert!(drawn.starts_with(&format!("warning[{code}]: ")), "{drawn}");
        (code.to_owned(), line[from..].to_owned())
    });
    shown.collect()
}

#[track_caller]
fn warns(scenario: &str, code: &str, place: &str) {
    let expected = [(code.to_owned(), place.to_owned())];
    assert_eq!(warnings(scenario), expected, "{scenario}");
}

#[track_caller]
fn silent(scenario: &str) {
    assert_eq!(warnings(scenario), [], "{scenario}");
}

#[test]
fn w001_a_quirk_about_a_command_that_is_never_sent() {
    let can = "devices: [express: { id: demo-0001, password: x, can: [motor: { can_id: 84 }] }]\n";
    for quirk in [
        "session-reset: { max_gap: 1s }",
        "needs-setup: {}",
        "config-goes-elsewhere: {}",
    ] {
        let quirks = format!("quirks: [{quirk}]\n");
        let client = "client: { read-motor: { can_id: 84 } }";
        warns(
            &format!("{can}{quirks}{client}"),
            "W001",
            &format!("{quirk}]"),
        );
        silent(&format!("{quirks}client: {{ read-bms: {{}} }}"));
        // Any client may come to a hub that is served.
        silent(&format!("{can}{quirks}"));
    }
}

#[test]
fn w001_a_fault_on_a_command_that_never_passes() {
    let fault = |direction: &str, command: &str| {
        format!(
            "faults: [drop: {{ direction: {direction}, when: {{ command: {command} }} }}]\n\
             client: {{ poll-bms: {{ every: 1s, for: 2s }} }}"
        )
    };
    warns(&fault("to-device", "PING_CAN"), "W001", "PING_CAN } }]");
    warns(&fault("to-tool", "GET_VALUES"), "W001", "GET_VALUES } }]");
    silent(&fault("to-device", "BMS_GET_VALUES"));
    silent(&fault("to-tool", "FW_VERSION"));
    // A device prints when it likes.
    silent(&fault("to-tool", "PRINT"));
}

#[test]
fn w001_a_fault_on_a_later_request_than_the_last() {
    let fault = |nth: u32, before: &str| {
        format!(
            "faults: [{before} delay: {{ by: 1ms, direction: to-device, when: {{ nth: {nth} }} }}]\n\
             client: {{ read-bms: {{}} }}"
        )
    };
    warns(&fault(5, ""), "W001", "5 } }]");
    silent(&fault(4, ""));
    // What comes before may make more of them.
    silent(&fault(5, "duplicate: { direction: to-device },"));
}

#[test]
fn w001_a_fault_that_needs_frames_only_with_these_parameters() {
    let client = "client: { read-bms: {} }";
    for fault in ["split: { at: [3] }", "merge: { frames: 2 }"] {
        warns(
            &format!("faults: [drop: {{}}, {fault}]\n{client}"),
            "W001",
            &format!("{fault}]"),
        );
    }
    for fault in ["split: { every_byte: true }", "merge: { within: 1s }"] {
        silent(&format!("faults: [drop: {{}}, {fault}]\n{client}"));
    }
}

#[test]
fn w001_a_fault_behind_one_that_drops_everything() {
    let faults = |first: &str| {
        format!(
            "faults: [drop: {{ {first} }}, corrupt: {{ part: crc }}]\n\
             client: {{ read-bms: {{}} }}"
        )
    };
    warns(&faults(""), "W001", "corrupt: { part: crc }]");
    silent(&faults("when: { nth: 1 }"));
    silent(&faults("direction: to-device"));
}

#[test]
fn w001_a_fault_that_waits_for_what_the_client_never_does() {
    let when = |when: &str, login: &str| {
        format!(
            "faults: [drop: {{ when: {when} }}]\n\
             client: {{ read-bms: {{ login: {login} }} }}"
        )
    };
    warns(&when("{ probability: 0 }", "{}"), "W001", "0 } }]");
    warns(
        &when("{ client: { session: 2 } }", "{}"),
        "W001",
        "2 } } }]",
    );
    warns(
        &when("{ client: { attached_twice: true } }", "{}"),
        "W001",
        "true } } }]",
    );
    warns(
        &when("{ client: { wrote_with_login: true } }", "{}"),
        "W001",
        "true } } }]",
    );
    silent(&when("{ probability: 0.01 }", "{}"));
    silent(&when("{ client: { session: 1 } }", "{}"));
    silent(&when(
        "{ client: { wrote_with_login: true } }",
        "{ pause_after: 0ms }",
    ));
}

#[test]
fn w002_a_reply_that_is_never_asked_for() {
    let expect = |expectation: &str| format!("expect: [{expectation}]");
    for odd in [
        "reply-to: GET_VALUES",
        "no-reply-to: GET_VALUES",
        "reply-order: [GET_VALUES]",
        "reply-length: { of: GET_VALUES, is: 3 }",
        "trend: { of: GET_VALUES, field: erpm, rises_by: 1 }",
        "requests: [GET_VALUES]",
        "request-count: { of: GET_VALUES, at_least: 1 }",
    ] {
        let found = warnings(&expect(odd));
        assert_eq!(found.len(), 1, "{odd}");
        assert_eq!(found[0].0, "W002", "{odd}");
    }
    silent(&expect("reply-to: BMS_GET_VALUES"));
    silent(&expect("reply-order: [FW_VERSION, PING_CAN]"));
    silent(&expect(
        "requests: [FW_VERSION, GET_CUSTOM_CONFIG, PING_CAN, BMS_GET_VALUES]",
    ));
}

#[test]
fn w002_more_requests_than_the_client_sends() {
    let count = |least: u32, faults: &str| {
        format!(
            "{faults}client: {{ poll-bms: {{ every: 100ms, for: 1s }} }}\n\
             expect: [request-count: {{ of: BMS_GET_VALUES, at_least: {least} }}]"
        )
    };
    warns(&count(11, ""), "W002", "11 }]");
    silent(&count(10, ""));
    silent(&count(
        11,
        "faults: [duplicate: { direction: to-device }]\n",
    ));
    warns(
        "expect: [requests: [FW_VERSION, FW_VERSION]]",
        "W002",
        "FW_VERSION]]",
    );
}

#[test]
fn w002_a_field_that_the_reply_has_not_at_this_firmware() {
    let value = |firmware: &str, field: &str| {
        format!(
            "devices: [express: {{ id: demo-0001, password: x, firmware: \"{firmware}\" }}]\n\
             expect: [value: {{ field: {field}, is: 0 }}]"
        )
    };
    warns(
        &value("6.05", "data_version"),
        "W002",
        "data_version, is: 0 }]",
    );
    silent(&value("6.06", "data_version"));
    warns(
        "expect: [trend: { field: total_voltage, falls_by: 1 }]",
        "W002",
        "total_voltage, falls_by: 1 }]",
    );
    // A scripted reply may say anything.
    silent(
        "devices: [express: { id: demo-0001, password: x, replies: [{ request: \"60\", reply: [\"60\"] }] }]\n\
         expect: [value: { field: anything, is: 0 }]",
    );
}

#[test]
fn w002_a_value_that_its_field_can_never_have() {
    let value = |rest: &str| {
        format!(
            "devices: [express: {{ id: demo-0001, password: x, bms: {{ cells: 4 }} }}]\n\
             expect: [value: {{ {rest} }}]"
        )
    };
    warns(&value("field: current_a, is: much"), "W002", "much }]");
    warns(&value("field: current_a, length: 1"), "W002", "1 }]");
    warns(&value("field: cell_voltages_v, is: 4"), "W002", "4 }]");
    warns(
        &value("field: cell_voltages_v, item: 4, is: 4"),
        "W002",
        "4, is: 4 }]",
    );
    warns(
        &value("of: FW_VERSION, field: hardware, is: 5"),
        "W002",
        "5 }]",
    );
    silent(&value("field: cell_voltages_v, item: 3, is: 4, within: 9"));
    silent(&value("field: cell_voltages_v, length: 4"));
    silent(&value("of: FW_VERSION, field: hardware, is: VESC"));
}

#[test]
fn w002_a_time_shorter_than_the_clients_own_pauses() {
    let within = |client: &str, limit: &str| format!("client: {client}\nexpect: [within: {limit}]");
    warns(&within("{ read-bms: {} }", "49ms"), "W002", "49ms]");
    silent(&within("{ read-bms: {} }", "50ms"));
    silent(&within(
        "{ read-bms: { login: { pause_after: 1ms } } }",
        "49ms",
    ));
    let poll = "{ poll-bms: { every: 1s, for: 10s } }";
    warns(&within(poll, "9s"), "W002", "9s]");
    silent(&within(poll, "9.05s"));
}

#[test]
fn w002_a_login_that_ends_the_other_way() {
    let login = |login: &str, expectation: &str| {
        format!("client: {{ read-bms: {{ login: {login} }} }}\nexpect: [{expectation}]")
    };
    warns(&login("{}", "login-refused"), "W002", "login-refused]");
    silent(&login("{ password: wrong }", "login-refused"));
    warns(
        &login("{ password: wrong }", "reply-to: FW_VERSION"),
        "W002",
        "FW_VERSION]",
    );
    warns(
        &login("{ id: demo-0002 }", "value: { field: current_a, is: 0 }"),
        "W002",
        "{ field: current_a, is: 0 }]",
    );
    silent(&login("{ id: \"D E M O - 0001\" }", "reply-to: FW_VERSION"));
}

#[test]
fn w003_what_is_said_of_cells_where_there_are_none() {
    let bms = |bms: &str| {
        format!("devices: [express: {{ id: demo-0001, password: x, bms: {{ {bms} }} }}]")
    };
    for key in [
        "cell_voltage_v: 4",
        "spread_mv: 3",
        "noise_mv: 1",
        "balancing: all",
    ] {
        warns(
            &bms(&format!("cells: 0, {key}")),
            "W003",
            &format!("{key} }} }}]"),
        );
        silent(&bms(&format!("cells: 1, {key}")));
    }
    silent(&bms("cells: 0, current_a: 3"));
}

#[test]
fn w003_an_answer_that_an_earlier_one_takes_away() {
    let device =
        |keys: &str| format!("devices: [express: {{ id: demo-0001, password: x, {keys} }}]");
    let replies = |first: &str, second: &str| {
        device(&format!(
            "replies: [{{ request: \"{first}\", reply: [] }}, {{ request: \"{second}\", reply: [] }}]"
        ))
    };
    for (first, second) in [("24 *", "24 01"), ("*", "24 *")] {
        warns(
            &replies(first, second),
            "W003",
            &format!("\"{second}\", reply: [] }}] }}]"),
        );
    }
    // These are used in turn.
    silent(&replies("24 01", "2401"));
    silent(&replies("24 01", "24 *"));
    silent(&replies("24 01", "24 02"));
    let terminal = |first: &str| {
        device(&format!(
            "terminal: [{{ command: {first} }}, {{ command: help }}]"
        ))
    };
    warns(&terminal("help"), "W003", "help }] }]");
    silent(&terminal("version"));
}

#[test]
fn w004_a_request_that_nobody_answers() {
    let motor = |can_id: u8, expect: &str| {
        format!(
            "devices: [express: {{ id: demo-0001, password: x, can: [motor: {{ can_id: 84 }}] }}]\n\
             client: {{ read-motor: {{ can_id: {can_id} }} }}\n{expect}"
        )
    };
    warns(&motor(11, ""), "W004", "{ read-motor: { can_id: 11 } }");
    silent(&motor(84, ""));
    silent(&motor(
        11,
        "expect: [no-reply-to: FW_VERSION, no-reply-to: GET_VALUES, no-reply-to: GET_VALUES_SETUP]",
    ));
    // The client does not ask an old firmware for what that does not know.
    let old = |firmware: &str, expect: &str| {
        format!(
            "devices: [motor: {{ can_id: 12, firmware: \"{firmware}\" }}]\nclient: {{ read-motor: {{}} }}\n{expect}"
        )
    };
    silent(&old("2.18", ""));
    silent(&old("3.40", ""));
    silent(&old("3.66", ""));
    warns(
        &old("2.18", "expect: [no-reply-to: GET_VALUES_SETUP]"),
        "W002",
        "GET_VALUES_SETUP]",
    );
    let config = |configs: u8| {
        format!(
            "devices: [express: {{ id: demo-0001, password: x, custom_configs: {configs} }}]\n\
             client: {{ read-bms: {{}} }}"
        )
    };
    warns(&config(0), "W004", "{ read-bms: {} }");
    silent(&config(1));
}

#[test]
fn w005_a_command_number_that_has_no_name() {
    let fault = |command: &str| format!("faults: [drop: {{ when: {{ command: {command} }} }}]");
    warns(&fault("200"), "W005", "200 } }]");
    warns(&fault("0xc8"), "W005", "0xc8 } }]");
    silent(&fault("96"));
    let quirk = |command: &str| format!("quirks: [stale-reply: {{ command: {command} }}]");
    warns(&quirk("200"), "W005", "200 }]");
    silent(&quirk("GET_VALUES"));
}

#[test]
fn the_demo_and_an_empty_hub_are_not_odd() {
    assert!(Loaded::demo().unwrap().warnings().unwrap().is_empty());
    silent("hub: { profile: ideal }");
}
