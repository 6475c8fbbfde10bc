//! One test for each mistake that only shows when keys are seen together: what is said about it, and where.

use std::path::Path;

use crate::{Loaded, ScenarioError};

const DEVICE: &str =
    "version: 1\ndevices:\n  - express: { id: demo-0001, password: not-a-secret }\n";

fn refused(text: &str) -> ScenarioError {
    match Loaded::parse("demo.yaml", text, Path::new(".")) {
        Ok(_) => panic!("accepted:\n{text}"),
        Err(error) => error,
    }
}

fn accepted(text: &str) {
    if let Err(error) = Loaded::parse("demo.yaml", text, Path::new(".")) {
        panic!("{error}");
    }
}

/// A scenario with one device that has these further keys.
fn with(keys: &str) -> String {
    format!(
        "version: 1\ndevices:\n  - express:\n      id: demo-0001\n      password: not-a-secret\n      {keys}\n"
    )
}

/// A scenario with one good device and these further keys.
fn and(keys: &str) -> String {
    format!("{DEVICE}{keys}\n")
}

#[test]
fn the_demo_is_good() {
    Loaded::demo().unwrap();
}

#[test]
fn another_version_of_the_language() {
    insta::assert_snapshot!(refused("version: 2\ndevices: []\n"), @"
    error[E010]: version 2 of the language is not known
     --> demo.yaml:1:10
      |
    1 | version: 2
      |          ^
      |
      = help: this program reads version 1
    ");
}

#[test]
fn no_device() {
    insta::assert_snapshot!(refused("version: 1\ndevices: []\n"), @"
    error[E010]: there is no device
     --> demo.yaml:2:10
      |
    2 | devices: []
      |          ^^
      |
      = help: add one, e.g. `- express: { id: demo-0001, password: not-a-secret }`
    ");
}

#[test]
fn two_devices_with_one_id() {
    let text = "version: 1\ndevices:\n  - express: { id: demo-0001, password: a }\n  \
                - replay: { capture: a.pcap, id: Demo - 0001 }\n";
    insta::assert_snapshot!(refused(text), @"
    error[E010]: two devices have the id `DEMO-0001`
     --> demo.yaml:4:36
      |
    3 |   - express: { id: demo-0001, password: a }
      |                    --------- the first one
    4 |   - replay: { capture: a.pcap, id: Demo - 0001 }
      |                                    ^^^^^^^^^^^ the second one
      |
      = help: give each device an id of its own; hubs ignore case and blanks in ids
    ");
}

#[test]
fn an_id_that_no_login_line_can_hold() {
    insta::assert_snapshot!(
        refused("version: 1\ndevices:\n  - express: { id: 'demo:1', password: a }\n"), @"
    error[E010]: the id holds a colon, a line feed or a NUL
     --> demo.yaml:3:20
      |
    3 |   - express: { id: 'demo:1', password: a }
      |                    ^^^^^^^^
      |
      = help: a hub cuts the login line at every colon: such a login can never succeed
    ");
    insta::assert_snapshot!(
        refused("version: 1\ndevices:\n  - replay: { capture: a.pcap, password: \"a\\nb\" }\n"), @r#"
    error[E010]: the password holds a colon, a line feed or a NUL
     --> demo.yaml:3:42
      |
    3 |   - replay: { capture: a.pcap, password: "a\nb" }
      |                                          ^^^^^^
      |
      = help: a hub cuts the login line at every colon: such a login can never succeed
    "#);
}

#[test]
fn a_speed_that_is_none() {
    for (keys, says) in [
        ("speed: 0", "a speed of 0 is none"),
        ("speed: .nan", "a speed of NaN is none"),
        (
            "pace: immediate, speed: 2",
            "a speed means nothing with `pace: immediate`",
        ),
    ] {
        let text =
            format!("version: 1\ndevices:\n  - replay: {{ capture: a.pcap, id: abc, {keys} }}\n");
        assert_eq!(refused(&text).message(), says);
    }
}

#[test]
fn an_id_that_hubs_refuse() {
    insta::assert_snapshot!(
        refused("version: 1\ndevices:\n  - express: { id: ' a b ', password: a }\n"), @"
    error[E010]: the id ` a b ` has fewer than 3 characters
     --> demo.yaml:3:20
      |
    3 |   - express: { id: ' a b ', password: a }
      |                    ^^^^^^^
      |
      = help: hubs refuse shorter ids; blanks do not count
    ");
}

#[test]
fn a_hardware_name_that_firmware_cannot_hold() {
    let name = "VESC".repeat(10);
    insta::assert_snapshot!(refused(&with(&format!("hardware: {name}"))), @"
    error[E010]: the hardware name has 40 bytes
     --> demo.yaml:6:17
      |
    6 |       hardware: VESCVESCVESCVESCVESCVESCVESCVESCVESCVESC
      |                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: firmware holds up to 36 bytes, and no NUL
    ");
    insta::assert_snapshot!(
        refused(&with(r#"can: [motor: { can_id: 84, hardware: "a\0b" }]"#)), @r#"
    error[E010]: the hardware name has 3 bytes
     --> demo.yaml:6:44
      |
    6 |       can: [motor: { can_id: 84, hardware: "a\0b" }]
      |                                            ^^^^^^
      |
      = help: firmware holds up to 36 bytes, and no NUL
    "#);
    accepted(&with(&format!("hardware: {}", &name[..36])));
}

#[test]
fn a_number_out_of_its_range() {
    insta::assert_snapshot!(refused(&with("bms: { cell_voltage_v: 33 }")), @"
    error[E010]: 33 is out of range: wanted 0 to 32.7
     --> demo.yaml:6:30
      |
    6 |       bms: { cell_voltage_v: 33 }
      |                              ^^
    ");
    insta::assert_snapshot!(refused(&with("bms: { temperatures_c: [25, -400] }")), @"
    error[E010]: -400 is out of range: wanted -327 to 327
     --> demo.yaml:6:35
      |
    6 |       bms: { temperatures_c: [25, -400] }
      |                                   ^^^^
    ");
    insta::assert_snapshot!(refused(&with("bms: { current_a: .nan }")), @"
    error[E010]: NaN is out of range: wanted -2147 to 2147
     --> demo.yaml:6:25
      |
    6 |       bms: { current_a: .nan }
      |                         ^^^^
    ");
}

#[test]
fn every_number_of_a_pack_has_a_range() {
    for (key, good, bad) in [
        ("cell_voltage_v", "0", "-0.1"),
        ("spread_mv", "5000", "5001"),
        ("noise_mv", "0", "-1"),
        ("current_a", "-2147", "2148"),
        ("capacity_ah", "0.001", "0"),
        ("state_of_charge", "1", "1.01"),
        ("state_of_health", "0", "-0.01"),
        ("charge_voltage_v", "2147", "2148"),
        ("chip_temperature_c", "-327", "328"),
        ("humidity_temperature_c", "327", "-328"),
        ("humidity_percent", "100", "101"),
        ("pressure_pa", "327670", ".inf"),
    ] {
        accepted(&with(&format!("bms: {{ {key}: {good} }}")));
        let error = refused(&with(&format!("bms: {{ {key}: {bad} }}")));
        let column = "      bms: { ".len() + key.len() + ": ".len() + 1;
        assert_eq!(
            (error.line(), error.column()),
            (Some(6), Some(column)),
            "{error}"
        );
        assert!(error.message().contains("out of range"), "{error}");
    }
}

#[test]
fn every_number_of_a_motor_has_a_range() {
    for (key, bad) in [
        ("fet_temperature_c", "4000"),
        ("motor_temperature_c", "-4000"),
        ("motor_current_a", "10001"),
        ("input_current_a", "-10001"),
        ("duty", "1.1"),
        ("erpm", "1e7"),
        ("speed_m_s", "-1001"),
        ("input_voltage_v", "4000"),
        ("battery_level", "80"),
    ] {
        let error = refused(&with(&format!(
            "can: [motor: {{ can_id: 84, {key}: {bad} }}]"
        )));
        let column = "      can: [motor: { can_id: 84, ".len() + key.len() + ": ".len() + 1;
        assert_eq!(
            (error.line(), error.column()),
            (Some(6), Some(column)),
            "{error}"
        );
    }
}

#[test]
fn more_than_firmware_holds() {
    let list = |count: usize| vec!["3.7"; count].join(", ");
    insta::assert_snapshot!(refused(&with("bms: { cells: 51 }")), @"
    error[E010]: 51 cells are too many: firmware holds up to 50
     --> demo.yaml:6:21
      |
    6 |       bms: { cells: 51 }
      |                     ^^
    ");
    let cells = refused(&with(&format!(
        "bms: {{ cell_voltages_v: [{}] }}",
        list(51)
    )));
    assert_eq!(
        cells.message(),
        "51 cells are too many: firmware holds up to 50"
    );
    let sensors = refused(&with(&format!("bms: {{ temperatures_c: [{}] }}", list(51))));
    assert_eq!(
        sensors.message(),
        "51 sensors are too many: firmware holds up to 50"
    );
    accepted(&with(&format!(
        "bms: {{ cell_voltages_v: [{}] }}",
        list(50)
    )));
    accepted(&with("bms: { cells: 50 }"));
    accepted(&with("bms: { cells: 0, temperatures_c: [] }"));
}

#[test]
fn cells_described_twice() {
    insta::assert_snapshot!(refused(&with("bms: { spread_mv: 8, cell_voltages_v: [4.1, 4.2] }")), @"
    error[E010]: `spread_mv` and `cell_voltages_v` contradict each other
     --> demo.yaml:6:14
      |
    6 |       bms: { spread_mv: 8, cell_voltages_v: [4.1, 4.2] }
      |              ^^^^^^^^^     --------------- the list of all cells
      |              |
      |              says what the list says already
      |
      = help: keep one of them
    ");
    insta::assert_snapshot!(refused(&with("bms: { cell_voltages_v: [4.1, 4.2], cells: 2 }")), @"
    error[E010]: `cells` and `cell_voltages_v` contradict each other
     --> demo.yaml:6:43
      |
    6 |       bms: { cell_voltages_v: [4.1, 4.2], cells: 2 }
      |              ---------------              ^^^^^ says what the list says already
      |              |
      |              the list of all cells
      |
      = help: keep one of them
    ");
}

#[test]
fn a_status_that_firmware_cannot_hold() {
    let status = "parked ".repeat(6);
    let keys = format!("firmware: \"6.06\"\n      bms: {{ status: '{status}' }}");
    insta::assert_snapshot!(refused(&with(&keys)), @"
    error[E010]: the status has 42 bytes
     --> demo.yaml:7:22
      |
    7 |       bms: { status: 'parked parked parked parked parked parked ' }
      |                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: firmware holds up to 40 bytes, and no NUL
    ");
}

#[test]
fn values_behind_the_end_of_the_reply() {
    insta::assert_snapshot!(refused(&with("bms: { status: parked }")), @r#"
    error[E010]: `status` stands behind the end of the reply, so no tool ever sees it
     --> demo.yaml:6:14
      |
    6 |       bms: { status: parked }
      |              ^^^^^^
      |
      = help: replies hold it from firmware 6.06 on: add `firmware: "6.06"` to the device
    "#);
    insta::assert_snapshot!(
        refused(&with("bms: { can_id: 10, reply_ends_after: state_of_health }")), @"
    error[E010]: `can_id` stands behind the end of the reply, so no tool ever sees it
     --> demo.yaml:6:14
      |
    6 |       bms: { can_id: 10, reply_ends_after: state_of_health }
      |              ^^^^^^                        --------------- ends before it
      |
      = help: keep one of them
    ");
    for keys in [
        "firmware: \"7.00\"\n      bms: { status: parked, data_version: 1 }",
        "bms: { data_version: 1, reply_ends_after: data_version }",
        "bms: { pressure_pa: 100000, can_id: 10, state_of_charge: 0.5 }",
    ] {
        accepted(&with(keys));
    }
}

#[test]
fn the_address_of_all_nodes_as_one_nodes_id() {
    insta::assert_snapshot!(refused(&with("can: [motor: { can_id: 255 }]")), @"
    error[E010]: 255 addresses all nodes and cannot be one node's id
     --> demo.yaml:6:30
      |
    6 |       can: [motor: { can_id: 255 }]
      |                              ^^^
      |
      = help: take an id from 0 to 254
    ");
}

#[test]
fn two_can_nodes_with_one_id() {
    let keys =
        "can:\n        - motor: { can_id: 84 }\n        - motor: { can_id: 84, hardware: OTHER }";
    insta::assert_snapshot!(refused(&with(keys)), @"
    error[E010]: two CAN nodes have the id 84
     --> demo.yaml:8:28
      |
    7 |         - motor: { can_id: 84 }
      |                            -- the first one
    8 |         - motor: { can_id: 84, hardware: OTHER }
      |                            ^^ the second one
      |
      = help: give each node an id of its own
    ");
}

#[test]
fn one_quirk_twice() {
    insta::assert_snapshot!(refused(&and("quirks:\n  - session-reset: {}\n  - session-reset: { max_gap: 1s }")), @"
    error[E010]: the quirk `session-reset` stands here twice
     --> demo.yaml:6:5
      |
    5 |   - session-reset: {}
      |     ----------------- the first one
    6 |   - session-reset: { max_gap: 1s }
      |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the second one
      |
      = help: keep one of them
    ");
}

#[test]
fn a_recording_to_play_where_none_is_replayed() {
    insta::assert_snapshot!(refused(&and("client:\n  play-recording: {}")), @"
    error[E010]: there is no recording to play
     --> demo.yaml:5:3
      |
    5 |   play-recording: {}
      |   ^^^^^^^^^^^^^^^^^^
      |
      = help: `play-recording` sends the requests of the first device's recording: make it a `replay`
    ");
}

#[test]
fn a_client_that_asks_all_the_time() {
    insta::assert_snapshot!(refused(&and("client:\n  poll-bms: { every: 0s, for: 1s }")), @"
    error[E010]: a client cannot ask every 0 s
     --> demo.yaml:5:22
      |
    5 |   poll-bms: { every: 0s, for: 1s }
      |                      ^^
      |
      = help: VESC Tool asks every 100ms
    ");
}

#[test]
fn a_value_that_is_expected_in_two_ways_or_none() {
    insta::assert_snapshot!(refused(&and("expect:\n  - value: { field: can_id }")), @"
    error[E010]: `value` wants one of `is` and `length`
     --> demo.yaml:5:12
      |
    5 |   - value: { field: can_id }
      |            ^^^^^^^^^^^^^^^^^
      |
      = help: `is` compares the value, `length` the number of a list's elements
    ");
    insta::assert_snapshot!(
        refused(&and("expect:\n  - value: { field: can_id, is: 255, length: 1 }")), @"
    error[E010]: `value` wants one of `is` and `length`
     --> demo.yaml:5:12
      |
    5 |   - value: { field: can_id, is: 255, length: 1 }
      |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: `is` compares the value, `length` the number of a list's elements
    ");
}

#[test]
fn a_distance_below_zero() {
    insta::assert_snapshot!(
        refused(&and("expect:\n  - value: { field: can_id, is: 255, within: -1 }")), @"
    error[E010]: a value cannot be within -1 of another
     --> demo.yaml:5:46
      |
    5 |   - value: { field: can_id, is: 255, within: -1 }
      |                                              ^^
      |
      = help: `within` is a distance, 0 or more
    ");
}

#[test]
fn a_trend_that_goes_both_ways_or_none() {
    insta::assert_snapshot!(refused(&and("expect:\n  - trend: { field: total_voltage_v }")), @"
    error[E010]: `trend` wants one of `falls_by` and `rises_by`
     --> demo.yaml:5:12
      |
    5 |   - trend: { field: total_voltage_v }
      |            ^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: either says by how much at least, from the first reading to the last
    ");
    insta::assert_snapshot!(
        refused(&and("expect:\n  - trend: { field: total_voltage_v, falls_by: 1, rises_by: 1 }")), @"
    error[E010]: `trend` wants one of `falls_by` and `rises_by`
     --> demo.yaml:5:12
      |
    5 |   - trend: { field: total_voltage_v, falls_by: 1, rises_by: 1 }
      |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: either says by how much at least, from the first reading to the last
    ");
}

#[test]
fn a_count_that_nothing_or_everything_meets() {
    insta::assert_snapshot!(refused(&and("expect:\n  - request-count: { of: PING_CAN }")), @"
    error[E010]: `request-count` wants `at_least`, `at_most` or both
     --> demo.yaml:5:20
      |
    5 |   - request-count: { of: PING_CAN }
      |                    ^^^^^^^^^^^^^^^^
      |
      = help: give the same number to both for an exact count
    ");
    insta::assert_snapshot!(
        refused(&and("expect:\n  - request-count: { of: PING_CAN, at_least: 3, at_most: 2 }")), @"
    error[E010]: no count is at least 3 and at most 2
     --> demo.yaml:5:58
      |
    5 |   - request-count: { of: PING_CAN, at_least: 3, at_most: 2 }
      |                                              -           ^
      |                                              |
      |                                              contradicts it
    ");
}

#[test]
fn a_quirk_that_cannot_fire() {
    insta::assert_snapshot!(refused(&and("expect:\n  - fired: { quirk: session-reset }")), @"
    error[E010]: the quirk `session-reset` is not switched on here
     --> demo.yaml:5:21
      |
    5 |   - fired: { quirk: session-reset }
      |                     ^^^^^^^^^^^^^
      |
      = help: add it under `quirks`
    ");
    insta::assert_snapshot!(refused(&and("expect:\n  - fired: { quirk: sesion-reset }")), @"
    error[E004]: no quirk is called `sesion-reset`
     --> demo.yaml:5:21
      |
    5 |   - fired: { quirk: sesion-reset }
      |                     ^^^^^^^^^^^^
      |
      = help: did you mean `session-reset`?
    ");
    insta::assert_snapshot!(refused(&and("expect:\n  - fired: { quirk: gremlins }")), @"
    error[E004]: no quirk is called `gremlins`
     --> demo.yaml:5:21
      |
    5 |   - fired: { quirk: gremlins }
      |                     ^^^^^^^^
      |
      = help: known here: `session-reset`, `needs-setup`, `stale-reply`, `config-goes-elsewhere`
    ");
    accepted(&and(
        "quirks: [session-reset: {}]\nexpect:\n  - fired: { quirk: session-reset }",
    ));
}

#[test]
fn a_recording_to_compare_with_where_none_is_played() {
    insta::assert_snapshot!(refused(&and("expect:\n  - same-as-recording")), @"
    error[E010]: `same-as-recording` needs the client `play-recording`
     --> demo.yaml:5:5
      |
    5 |   - same-as-recording
      |     ^^^^^^^^^^^^^^^^^
      |
      = help: write `client: { play-recording: {} }`, or expect something else
    ");
}

#[test]
fn a_command_that_does_not_exist() {
    insta::assert_snapshot!(refused(&and("expect:\n  - reply-to: BMS_GET_VALUE")), @"
    error[E004]: no command is called `BMS_GET_VALUE`
     --> demo.yaml:5:15
      |
    5 |   - reply-to: BMS_GET_VALUE
      |               ^^^^^^^^^^^^^
      |
      = help: did you mean `BMS_GET_VALUES`?
    ");
    insta::assert_snapshot!(refused(&and("expect:\n  - reply-to: MAKE_COFFEE")), @"
    error[E004]: no command is called `MAKE_COFFEE`; wanted a name such as BMS_GET_VALUES or a number from 0 to 255
     --> demo.yaml:5:15
      |
    5 |   - reply-to: MAKE_COFFEE
      |               ^^^^^^^^^^^
    ");
    accepted(&and(
        "expect:\n  - reply-to: 0x60\n  - no-reply-to: bms-get-values",
    ));
}
