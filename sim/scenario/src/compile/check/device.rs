//! Checks of a device's description: names, numbers, and ids that must not meet on one CAN bus.

use std::collections::BTreeMap;

use super::check_login_part;
use crate::{
    compile::{
        definition::check_definition,
        device::{express_profile, ids},
        id_pattern::IdPattern,
    },
    error::{Mistakes, ScenarioError},
    schema,
    source::{Place, Source},
};
use veschub_hub::device::identity::{MAX_HARDWARE, check_can_id, check_hardware};

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
    check_definition(place, source, mistakes, |mistakes| {
        check_hardware(&express.hardware, MAX_HARDWARE, mistakes);
    });
    if express.custom_configs > 1 {
        let place = place.clone().key("custom_configs");
        let error = ScenarioError::at(source, place, "an Express has one custom config at most");
        mistakes.push(error.help("write 1, or 0 for a device that has none"));
    }
    if let Some(bms) = &express.bms {
        let place = place.clone().key("bms");
        let end = express_profile(express.firmware).bms_end;
        check_definition(&place, source, mistakes, |mistakes| {
            bms.check(end, mistakes);
        });
    }
    check_definition(place, source, mistakes, |mistakes| {
        check_can_id(express.can_id, mistakes);
    });
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
        (None, Ok(_)) => Err(ScenarioError::at(
            source,
            at("id"),
            "the id has a place for a number, and no `count`",
        )
        .help("add e.g. `count: 10` to the device for ten of them")),
        (Some(count), _) if !(1..=MAX_DEVICES).contains(&count) => {
            let message = format!("{count} devices are out of range: wanted 1 to {MAX_DEVICES}");
            Err(ScenarioError::at(source, at("count"), message))
        }
        (Some(_), Ok(_)) => Ok(()),
        (Some(_), Err(error)) => Err(ScenarioError::at(source, at("id"), error.to_string())
            .also(at("count").at_key(), "makes several, and each needs an id")
            .help("write `{n}` where the number is to stand, or `{n:03}` for 001, 002 and so on")),
    }
}

/// Every node by itself, and that no two have one id; the Express is one of them.
fn check_bus(express: &schema::Express, place: &Place, source: &Source, mistakes: &mut Mistakes) {
    let mut taken: BTreeMap<u8, Place> = BTreeMap::new();
    for (index, node) in express.can.iter().enumerate() {
        let place = place.clone().key("can").index(index).only();
        let settings = node.settings();
        check_definition(&place, source, mistakes, |mistakes| {
            settings.check(mistakes);
        });
        let (can_id, place) = (settings.can_id(), place.key("can_id"));
        if can_id == express.can_id {
            let message = format!("the node has the CAN id {can_id}, which is the Express' own");
            let error = ScenarioError::at(source, place, message);
            mistakes.push(error.help("take another one, or give the Express another `can_id`"));
            continue;
        }
        if let Some(first) = taken.insert(can_id, place.clone()) {
            mistakes.push(
                ScenarioError::at(source, place, format!("two CAN nodes have the id {can_id}"))
                    .label("the second one")
                    .also(first, "the first one")
                    .help("give each node an id of its own"),
            );
        }
    }
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
