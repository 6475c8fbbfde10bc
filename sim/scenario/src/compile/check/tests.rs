//! The bounds of what is accepted; what is said about the rest is in `tests/mistakes`.

use crate::{Loaded, ScenarioError};

const DEVICE: &str =
    "version: 1\ndevices:\n  - express: { id: demo-0001, password: not-a-secret }\n";

fn refused(text: &str) -> ScenarioError {
    match Loaded::parse("demo.yaml", text) {
        Ok(_) => panic!("accepted:\n{text}"),
        Err(error) => error,
    }
}

fn accepted(text: &str) {
    if let Err(error) = Loaded::parse("demo.yaml", text) {
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
fn a_hardware_name_that_firmware_cannot_hold() {
    let name = "VESC".repeat(10);
    accepted(&with(&format!("hardware: {}", &name[..36])));
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
fn values_before_the_end_of_the_reply_are_good() {
    for keys in [
        "firmware: \"7.00\"\n      bms: { status: parked, data_version: 1 }",
        "bms: { data_version: 1, reply_ends_after: data_version }",
        "bms: { pressure_pa: 100000, can_id: 10, state_of_charge: 0.5 }",
    ] {
        accepted(&with(keys));
    }
}

#[test]
fn a_quirk_that_is_switched_on_can_fire() {
    accepted(&and(
        "quirks: [session-reset: {}]\nexpect:\n  - fired: { quirk: session-reset }",
    ));
}

#[test]
fn a_command_has_a_name_or_a_number() {
    accepted(&and(
        "expect:\n  - reply-to: 0x60\n  - no-reply-to: bms-get-values",
    ));
}
