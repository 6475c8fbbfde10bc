//! What is said about mistakes in a battery's description, and what its keys make of a pack.

use std::{path::Path, sync::Arc};

use insta::assert_snapshot;

use crate::{Loaded, Scenario, ScenarioError, files::memory::Memory, schema};
use veschub_hub::{
    device::bms::{Bms, BmsSettings},
    rng::Seed,
    time::Time,
};

fn text(bms: &str) -> String {
    format!(
        "version: 1\ndevices:\n  - express:\n      id: demo-0001\n      password: not-a-secret\n      bms: {bms}\n"
    )
}

/// Reads and builds it: a mistake may show in either.
fn tried(bms: &str, files: &[(&str, &str)]) -> Result<Scenario, ScenarioError> {
    let files = Arc::new(Memory::of(files));
    let loaded = Loaded::read(files, "pack.yaml", &text(bms), Path::new("."), &[])?;
    loaded.build(Seed(0))?;
    Ok(loaded.scenario)
}

fn refused(bms: &str) -> ScenarioError {
    match tried(bms, &[]) {
        Ok(_) => panic!("accepted: {bms}"),
        Err(error) => error,
    }
}

fn settings(bms: &str) -> BmsSettings {
    let loaded = Loaded::parse("pack.yaml", &text(bms)).unwrap();
    let Some(schema::Device::Express(express)) = loaded.scenario.devices.into_iter().next() else {
        panic!("no Express");
    };
    express.bms.unwrap()
}

#[test]
fn a_value_to_set_that_has_no_such_name() {
    assert_snapshot!(refused("{ set: [{ field: cell_voltage_v, to: 4 }] }"), @"
    error[E004]: unknown name `cell_voltage_v` in `field`
     --> pack.yaml:6:29
      |
    6 |       bms: { set: [{ field: cell_voltage_v, to: 4 }] }
      |                             ^^^^^^^^^^^^^^ not a name that is known here
      |
      = help: did you mean `cell_voltages_v`?
      = help: known here: `total_voltage_v`, `charge_voltage_v`, `current_a`, `chip_current_a`, `counter_ah`, `counter_wh`, `cell_voltages_v`, `balancing`, `temperatures_c`, `chip_temperature_c`, `humidity_temperature_c`, `humidity_percent`, `highest_cell_temperature_c`, `state_of_charge`, `state_of_health`, `can_id`, `total_charged_ah`, `total_charged_wh`, `total_discharged_ah`, `total_discharged_wh`, `pressure_pa`, `data_version`
    ");
    assert_snapshot!(refused("{ set: [{ field: status, to: 4 }] }"), @"
    error[E004]: no value of a BMS is called `status`
     --> pack.yaml:6:29
      |
    6 |       bms: { set: [{ field: status, to: 4 }] }
      |                             ^^^^^^
      |
      = help: the status is a text: give it as `status` of the BMS
    ");
}

#[test]
fn a_value_to_set_that_is_neither_pinned_ramped_nor_read() {
    assert_snapshot!(refused("{ set: [{ field: current_a }] }"), @"
    error[E010]: this says neither a value, a ramp nor a series
     --> pack.yaml:6:20
      |
    6 |       bms: { set: [{ field: current_a }] }
      |                    ^^^^^^^^^^^^^^^^^^^^
      |
      = help: pin it with `to`, ramp it with `from`, `to` and `over`, or name a CSV file with `series`
    ");
    for shape in [
        "from: 1, to: 2",
        "to: 2, over: 3s",
        "from: 1, over: 3s",
        "to: 2, series: a.csv",
    ] {
        let error = refused(&format!("{{ set: [{{ field: current_a, {shape} }}] }}"));
        assert_eq!(
            error.message(),
            "this says neither a value, a ramp nor a series",
            "{shape}"
        );
    }
}

#[test]
fn an_item_that_is_not_there() {
    assert_snapshot!(refused("{ cells: 4, set: [{ field: cell_voltages_v, item: 4, to: 4 }] }"), @"
    error[E010]: `cell_voltages_v` has 4 items, and none with the number 4
     --> pack.yaml:6:62
      |
    6 |       bms: { cells: 4, set: [{ field: cell_voltages_v, item: 4, to: 4 }] }
      |                                                              ^
      |
      = help: the first item is 0
    ");
    assert_snapshot!(refused("{ set: [{ field: current_a, item: 0, to: 4 }] }"), @"
    error[E010]: `current_a` is one value and has no items
     --> pack.yaml:6:40
      |
    6 |       bms: { set: [{ field: current_a, item: 0, to: 4 }] }
      |                                        ^^^^
    ");
    let fillers = "{ filler_sensors: 3, set: [{ field: temperatures_c, item: 5, to: 4 }] }";
    assert_eq!(
        refused(fillers).message(),
        "`temperatures_c` has 5 items, and none with the number 5"
    );
}

#[test]
fn a_value_to_set_behind_the_end_of_the_reply() {
    assert_snapshot!(refused("{ set: [{ field: data_version, to: 1 }] }"), @"
    error[E010]: `data_version` stands behind the end of the reply, so no tool ever sees it
     --> pack.yaml:6:29
      |
    6 |       bms: { set: [{ field: data_version, to: 1 }] }
      |                             ^^^^^^^^^^^^
      |
      = help: let the reply end later with `reply_ends_after`, or take a newer firmware
    ");
}

#[test]
fn a_number_that_is_none() {
    let error = refused("{ set: [{ field: current_a, to: .nan }] }");
    assert_eq!(error.message(), "not a finite number");
    let error = refused("{ ambient_c: .nan }");
    assert_eq!(error.message(), "NaN is out of range: wanted -273 to 327");
}

#[test]
fn a_series_that_is_not_there_or_not_a_series() {
    let bms = "{ set: [{ field: current_a, series: ride.csv }] }";
    let missing = tried(bms, &[]).unwrap_err();
    assert!(missing.message().starts_with("cannot open "));
    let wrong = tried(bms, &[("ride.csv", "time_s,value\n0,1\n1,x\n")]).unwrap_err();
    assert!(
        wrong
            .message()
            .ends_with("ride.csv: line 3: `x` is not a number"),
        "{wrong}"
    );
    tried(bms, &[("ride.csv", "time_s,value\n0,1\n1,2\n")]).unwrap();
}

#[test]
fn a_profile_that_is_out_of_order_or_out_of_range() {
    assert_snapshot!(refused("{ current_a: [{ at: 5s, current_a: 1 }, { at: 5s, current_a: 2 }] }"), @"
    error[E010]: 5s does not lie after 5s
     --> pack.yaml:6:58
      |
    6 |       bms: { current_a: [{ at: 5s, current_a: 1 }, { at: 5s, current_a: 2 }] }
      |                                                          ^^
      |
      = help: order the currents by their beginning
    ");
    assert_snapshot!(refused("{ current_a: [{ at: 0s, current_a: 3000 }] }"), @"
    error[E010]: 3000 is out of range: wanted -2147 to 2147
     --> pack.yaml:6:47
      |
    6 |       bms: { current_a: [{ at: 0s, current_a: 3000 }] }
      |                                               ^^^^
    ");
    assert_snapshot!(refused("{ current_a: [] }"), @"
    error[E010]: a profile of 0 currents: wanted 1 to 1000
     --> pack.yaml:6:25
      |
    6 |       bms: { current_a: [] }
      |                         ^^
    ");
    assert_snapshot!(refused("{ current_a: lots }"), @r#"
    error[E006]: wrong type for `current_a`: wanted a number or a list of `{ at, current_a }`, found the text "lots"
     --> pack.yaml:6:25
      |
    6 |       bms: { current_a: lots }
      |                         ^^^^ wanted a number or a list of `{ at, current_a }`
    "#);
    assert_snapshot!(refused("{ current_a: [{ at: 0s, curent_a: 1 }] }"), @"
    error[E003]: unknown key `curent_a` in item 1 of `current_a`
     --> pack.yaml:6:36
      |
    6 |       bms: { current_a: [{ at: 0s, curent_a: 1 }] }
      |                                    ^^^^^^^^ not a key of this item
      |
      = help: did you mean `current_a`?
      = help: keys of an item: `at`, `current_a`
    ");
}

#[test]
fn a_cell_or_sensor_that_is_not_there() {
    assert_snapshot!(refused("{ cells: 6, weak_cell: { cell: 7 } }"), @"
    error[E010]: there is no cell 7 among 6
     --> pack.yaml:6:43
      |
    6 |       bms: { cells: 6, weak_cell: { cell: 7 } }
      |                                           ^
      |
      = help: the first cell is 1
    ");
    assert_snapshot!(refused("{ broken_sensor: 0 }"), @"
    error[E010]: there is no sensor 0 among 2
     --> pack.yaml:6:29
      |
    6 |       bms: { broken_sensor: 0 }
      |                             ^
      |
      = help: the first sensor is 1
    ");
    assert_snapshot!(refused("{ filler_sensors: 49 }"), @"
    error[E010]: 51 sensors are too many: firmware holds up to 50
     --> pack.yaml:6:30
      |
    6 |       bms: { filler_sensors: 49 }
      |                              ^^
    ");
    let error = refused("{ weak_cell: { cell: 1, capacity: 0 } }");
    assert_eq!(error.message(), "0 is out of range: wanted 0.001 to 1");
}

#[test]
fn a_pack_of_which_nothing_is_said_is_the_usual_one() {
    assert_eq!(settings("{}"), BmsSettings::default());
}

#[test]
fn a_cell_without_a_voltage_has_what_its_chemistry_has_at_that_charge() {
    let volts = |bms| settings(bms).mean_voltage_v();
    assert_eq!(volts("{ chemistry: lifepo4 }"), 3.3);
    assert!((volts("{ state_of_charge: 1 }") - 4.2).abs() < 1e-9);
    assert!((volts("{ chemistry: lifepo4, state_of_charge: 0 }") - 2.5).abs() < 1e-9);
    assert_eq!(volts("{ cell_voltage_v: 3.5, state_of_charge: 1 }"), 3.5);
}

#[test]
fn sensors_are_broken_and_filled_as_numbered_from_1() {
    let pack = "{ temperatures_c: [20, 21], broken_sensor: 2, filler_sensors: 2 }";
    assert_eq!(settings(pack).sensors_c(), [20.0, -281.0, 99.0, 99.0]);
}

#[test]
fn a_thousand_segments_are_enough() {
    let list = |count: usize| {
        let segments = (0..count).map(|at| format!("{{ at: {at}s, current_a: 1 }}"));
        let segments: Vec<String> = segments.collect();
        format!("{{ current_a: [{}] }}", segments.join(", "))
    };
    let bms = Bms::new(settings(&list(1000)), Seed(0));
    assert_eq!(bms.values(Time::ZERO).current_a.value(), 1.0);
    let error = refused(&list(1001));
    assert_eq!(
        error.message(),
        "a profile of 1001 currents: wanted 1 to 1000"
    );
}
