//! Checks of a device's description: names, numbers, and ids that must not meet on one CAN bus.

use std::collections::BTreeMap;

use super::{check_bms, check_login_part, check_range, check_tail};
use crate::{
    compile::{
        device::{express_profile, ids},
        id_pattern::IdPattern,
    },
    error::{Mistakes, ScenarioError},
    schema,
    source::{Place, Source},
};
use veschub_hub::device::profile::Profile;

/// What fits the firmware's buffer of 65 bytes for the reply to FW_VERSION (`EX main/commands.c:238-290`).
const MAX_HARDWARE: usize = 36;
/// The longest hardware name of a BMS (`BM commands.c:94-124`).
const MAX_BMS_HARDWARE: usize = 16;
/// The most devices that one description can stand for.
const MAX_DEVICES: usize = 10_000;

pub(super) fn check_express(
    express: &schema::Express,
    place: &Place,
    source: &Source,
    mistakes: &mut Mistakes,
) {
    mistakes.note(check_number_of_devices(express, place, source));
    // The first is the shortest of them.
    if let Some(id) = ids(express).first() {
        mistakes.note(check_login_part(id, "id", place, source));
    }
    mistakes.note(check_login_part(
        &express.password,
        "password",
        place,
        source,
    ));
    mistakes.note(check_hardware(
        &express.hardware,
        MAX_HARDWARE,
        place,
        source,
    ));
    if express.custom_configs > 1 {
        let place = place.clone().key("custom_configs");
        let error = source.error_at(place, "an Express has one custom config at most");
        mistakes.push(error.help("write 1, or 0 for a device that has none"));
    }
    if let Some(bms) = &express.bms {
        let place = place.clone().key("bms");
        mistakes.note(check_bms(bms, &place, source));
        let end = express_profile(express.firmware).bms_end;
        mistakes.note(check_tail(bms, end, &place, source));
    }
    mistakes.note(check_can_id(express.can_id, place, source));
    check_bus(express, place, source, mistakes);
}

fn check_number_of_devices(
    express: &schema::Express,
    place: &Place,
    source: &Source,
) -> Result<(), ScenarioError> {
    let at = |key: &str| place.clone().key(key);
    match (express.count, IdPattern::parse(&express.id)) {
        (None, Err(_)) => Ok(()),
        (None, Ok(_)) => Err(source
            .error_at(at("id"), "the id has a place for a number, and no `count`")
            .help("add e.g. `count: 10` to the device for ten of them")),
        (Some(count), _) if !(1..=MAX_DEVICES).contains(&count) => {
            let message = format!("{count} devices are out of range: wanted 1 to {MAX_DEVICES}");
            Err(source.error_at(at("count"), message))
        }
        (Some(_), Ok(_)) => Ok(()),
        (Some(_), Err(error)) => Err(source
            .error_at(at("id"), error.to_string())
            .also(at("count").at_key(), "makes several, and each needs an id")
            .help("write `{n}` where the number is to stand, or `{n:03}` for 001, 002 and so on")),
    }
}

/// Every node by itself, and that no two have one id; the Express is one of them.
fn check_bus(express: &schema::Express, place: &Place, source: &Source, mistakes: &mut Mistakes) {
    let mut taken: BTreeMap<u8, Place> = BTreeMap::new();
    for (index, node) in express.can.iter().enumerate() {
        let place = place.clone().key("can").index(index);
        let (can_id, place) = match node {
            schema::CanNode::Motor(motor) => {
                let place = place.key("motor");
                mistakes.note(check_motor(motor, &place, source));
                (motor.can_id, place.key("can_id"))
            }
            schema::CanNode::Bms(bms) => {
                let place = place.key("bms");
                mistakes.note(check_bms_node(bms, &place, source));
                (bms.can_id, place.key("can_id"))
            }
        };
        if can_id == express.can_id {
            let message = format!("the node has the CAN id {can_id}, which is the Express' own");
            let error = source.error_at(place, message);
            mistakes.push(error.help("take another one, or give the Express another `can_id`"));
            continue;
        }
        if let Some(first) = taken.insert(can_id, place.clone()) {
            mistakes.push(
                source
                    .error_at(place, format!("two CAN nodes have the id {can_id}"))
                    .label("the second one")
                    .also(first, "the first one")
                    .help("give each node an id of its own"),
            );
        }
    }
}

fn check_hardware(
    name: &str,
    limit: usize,
    place: &Place,
    source: &Source,
) -> Result<(), ScenarioError> {
    if name.len() > limit || name.contains('\0') {
        let message = format!("the hardware name has {} bytes", name.len());
        return Err(source
            .error_at(place.clone().key("hardware"), message)
            .help(format!("firmware holds up to {limit} bytes, and no NUL")));
    }
    Ok(())
}

fn check_can_id(can_id: u8, place: &Place, source: &Source) -> Result<(), ScenarioError> {
    if can_id == 255 {
        return Err(source
            .error_at(
                place.clone().key("can_id"),
                "255 addresses all nodes and cannot be one node's id",
            )
            .help("take an id from 0 to 254"));
    }
    Ok(())
}

fn check_motor(motor: &schema::Motor, place: &Place, source: &Source) -> Result<(), ScenarioError> {
    let at = |key: &str| place.clone().key(key);
    check_hardware(&motor.hardware, MAX_HARDWARE, place, source)?;
    check_can_id(motor.can_id, place, source)?;
    for (value, key, limit) in [
        (motor.fet_temperature_c, "fet_temperature_c", 3276.0),
        (motor.motor_temperature_c, "motor_temperature_c", 3276.0),
        (motor.motor_current_a, "motor_current_a", 10_000.0),
        (motor.input_current_a, "input_current_a", 10_000.0),
        (motor.duty, "duty", 1.0),
        (motor.erpm, "erpm", 1_000_000.0),
        (motor.speed_m_s, "speed_m_s", 1000.0),
        (motor.input_voltage_v, "input_voltage_v", 3276.0),
        (motor.battery_level, "battery_level", 1.0),
    ] {
        check_range(Some(value), -limit..=limit, at(key), source)?;
    }
    Ok(())
}

fn check_bms_node(
    node: &schema::BmsNode,
    place: &Place,
    source: &Source,
) -> Result<(), ScenarioError> {
    check_can_id(node.can_id, place, source)?;
    check_hardware(&node.hardware, MAX_BMS_HARDWARE, place, source)?;
    let pack = place.clone().key("pack");
    check_bms(&node.pack, &pack, source)?;
    let schema::BmsFirmware::V6_00 = node.firmware;
    check_tail(&node.pack, Profile::BMS_6_00.bms_end, &pack, source)?;
    if node.pack.can_id.is_some() {
        let message = "a pack has no CAN id but that of its BMS";
        return Err(source
            .error_at(pack.key("can_id").at_key(), message)
            .also(place.clone().key("can_id"), "this one")
            .help("leave it out"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::Loaded;
    use veschub_hub::rng::Seed;

    fn load(devices: &str) -> Result<Loaded, String> {
        let text = format!("version: 1\ndevices:\n{devices}");
        Loaded::parse("demo.yaml", &text)
            .map_err(|error| format!("{}: {}", error.line().unwrap(), error.message()))
    }

    fn refused(keys: &str) -> String {
        let device = format!("  - express: {{ password: not-a-secret, {keys} }}\n");
        load(&device).map(|_| keys).unwrap_err()
    }

    #[test]
    fn a_description_with_a_count_makes_that_many_devices() {
        let many = "  - express: { id: \"pack-{n:04}\", count: 1000, password: not-a-secret, bms: { cells: 20 } }\n";
        let world = load(many).unwrap().build(Seed(0)).unwrap();
        let ids: Vec<&str> = world
            .targets
            .iter()
            .map(|target| target.id.as_str())
            .collect();
        assert_eq!(
            (ids.len(), ids[0], ids[999]),
            (1000, "PACK-0001", "PACK-1000")
        );
    }

    #[test]
    fn many_devices_and_one_that_has_an_id_of_theirs_are_refused() {
        let meeting = "  - express: { id: \"pack-{n}\", count: 3, password: not-a-secret }\n  \
            - express: { id: PACK-2, password: not-a-secret }\n";
        assert_eq!(
            load(meeting).map(|_| ()).unwrap_err(),
            "4: two devices have the id `PACK-2`"
        );
    }

    #[test]
    fn a_count_without_a_place_for_the_number_and_the_reverse_are_refused() {
        for (keys, message) in [
            ("id: demo, count: 2", "3: `demo` has no place for a number"),
            (
                "id: \"d-{n:x}\", count: 2",
                "3: `{n:x}` is no place for a number",
            ),
            (
                "id: \"demo-{n}\"",
                "3: the id has a place for a number, and no `count`",
            ),
            (
                "id: \"demo-{n}\", count: 0",
                "3: 0 devices are out of range: wanted 1 to 10000",
            ),
            (
                "id: \"{n}\", count: 2",
                "3: the id `1` has fewer than 3 characters",
            ),
        ] {
            assert_eq!(refused(keys), message);
        }
    }

    #[test]
    fn nodes_that_cannot_be_on_one_bus_are_refused() {
        for (keys, message) in [
            (
                "id: demo, can: [motor: { can_id: 2 }]",
                "3: the node has the CAN id 2, which is the Express' own",
            ),
            (
                "id: demo, can: [motor: { can_id: 9 }, bms: { can_id: 9 }]",
                "3: two CAN nodes have the id 9",
            ),
            (
                "id: demo, can: [bms: { can_id: 9, pack: { can_id: 9 } }]",
                "3: a pack has no CAN id but that of its BMS",
            ),
            (
                "id: demo, custom_configs: 2",
                "3: an Express has one custom config at most",
            ),
        ] {
            assert_eq!(refused(keys), message);
        }
    }

    #[test]
    fn a_scripted_reply_that_is_no_hex_is_refused_where_it_stands() {
        let keys = "id: demo, replies: [{ request: \"24 *\", reply: [\"2g\"] }]";
        assert_eq!(refused(keys), "3: `g` is not a hex digit");
    }
}
