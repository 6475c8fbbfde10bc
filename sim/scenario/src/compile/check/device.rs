//! Checks of a device's description: names, numbers, and ids that must not meet on one CAN bus.

use std::collections::BTreeMap;

use super::check_login_part;
use crate::{
    compile::{definition::check_definition, device::ids, id_pattern::IdPattern},
    error::{Mistakes, ScenarioError},
    schema::{self, Outfit},
    source::{Place, Source},
};
use veschub_hub::device::{
    FileSettings, LispOn, NodeSettings,
    identity::{MAX_HARDWARE, check_can_id, check_hardware},
    service::check_services,
};

/// The most devices that one description can stand for.
const MAX_DEVICES: usize = 10_000;

pub(super) fn check_device(
    device: &schema::Device,
    outfit: &Outfit<'_>,
    place: &Place,
    source: &Source,
    mistakes: &mut Mistakes,
) {
    mistakes.note(check_number_of_devices(outfit, place, source));
    // The first is the shortest of them.
    if let Some(id) = ids(outfit).first() {
        mistakes.note(check_login_part(id, "id", place, source));
    }
    if let Some(password) = outfit.password {
        mistakes.note(check_login_part(password, "password", place, source));
    }
    match device {
        schema::Device::Express(express) => check_express(express, place, source, mistakes),
        schema::Device::Motor(motor) => check_definition(place, source, mistakes, |mistakes| {
            motor.node.check(mistakes);
        }),
        schema::Device::Bms(bms) => check_definition(place, source, mistakes, |mistakes| {
            bms.node.check(mistakes);
        }),
        schema::Device::Replay(_) => {}
    }
    if let Some(link) = outfit.link {
        let place = place.clone().key("link");
        check_definition(&place, source, mistakes, |mistakes| link.check(mistakes));
    }
    check_bus(outfit, place, source, mistakes);
}

/// That id and password go together, and that a device without both is alone.
pub(super) fn check_login(
    outfit: &Outfit<'_>,
    scenario: &schema::Scenario,
    place: &Place,
    source: &Source,
) -> Result<(), ScenarioError> {
    let at = |key: &str| place.clone().key(key);
    let kind = match outfit.kind {
        "express" => "Express",
        "motor" => "motor controller",
        _ => "BMS",
    };
    match (outfit.id, outfit.password) {
        (Some(_), Some(_)) => Ok(()),
        (Some(_), None) => Err(ScenarioError::at(
            source,
            at("id").at_key(),
            format!("the {kind} has an id and no password"),
        )
        .help("a hub wants both: add a `password`, or leave out the id for a device without a hub")),
        (None, Some(_)) => Err(ScenarioError::at(
            source,
            at("password").at_key(),
            format!("the {kind} has a password and no id"),
        )
        .help("a hub wants both: add an `id`, or leave out the password for a device without a hub")),
        (None, None) if outfit.count.is_some() => Err(ScenarioError::at(
            source,
            at("count"),
            "many devices need a hub, and each an id",
        )
        .help("add an `id` with `{n}` in it, and a `password`")),
        (None, None) if scenario.devices.len() > 1 => Err(ScenarioError::at(
            source,
            place.clone(),
            format!("the {kind} has neither id nor password, and is not the only device"),
        )
        .help("add both, so that tools can log in to it at the hub; only a device that is alone can do without a hub")),
        (None, None) => Ok(()),
    }
}

fn check_express(
    express: &schema::Express,
    place: &Place,
    source: &Source,
    mistakes: &mut Mistakes,
) {
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
        let end = express.firmware.profile().bms_end;
        check_definition(&place, source, mistakes, |mistakes| {
            bms.check(end, mistakes);
        });
    }
    check_definition(place, source, mistakes, |mistakes| {
        check_can_id(express.can_id, mistakes);
        mistakes.inside("lisp", |mistakes| {
            express.lisp.check(LispOn::Express, mistakes)
        });
        mistakes.inside("qml", |mistakes| express.qml.check(mistakes));
        mistakes.inside("files", |mistakes| {
            FileSettings::check_all(express.files.as_deref().unwrap_or_default(), mistakes);
        });
    });
    check_definition(place, source, mistakes, |mistakes| {
        check_services(
            &express.app,
            &express.io_boards,
            express.gnss.as_ref(),
            mistakes,
        );
    });
}

fn check_number_of_devices(
    outfit: &Outfit<'_>,
    place: &Place,
    source: &Source,
) -> Result<(), ScenarioError> {
    let at = |key: &str| place.clone().key(key);
    let Some(id) = outfit.id else {
        return Ok(());
    };
    match (outfit.count, IdPattern::parse(id)) {
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

/// Every node by itself, and that no two have one id; the device is one of them.
fn check_bus(outfit: &Outfit<'_>, place: &Place, source: &Source, mistakes: &mut Mistakes) {
    let own: Vec<u8> = outfit.can_ids.iter().flatten().map(|(id, _)| *id).collect();
    let owner = match outfit.kind {
        "express" => "the Express'",
        "motor" => "the motor controller's",
        _ => "the BMS'",
    };
    let mut taken: BTreeMap<u8, Place> = BTreeMap::new();
    for (index, node) in outfit.can.iter().enumerate() {
        let place = place.clone().key("can").index(index).only();
        let settings = node.settings();
        check_definition(&place, source, mistakes, |mistakes| {
            settings.check(mistakes);
        });
        let second = settings.second_can_id().map(|id| (id, "second_can_id"));
        for (can_id, key) in [Some((settings.can_id(), "can_id")), second]
            .into_iter()
            .flatten()
        {
            let place = place.clone().key(key);
            if own.contains(&can_id) {
                let message = format!("the node has the CAN id {can_id}, which is {owner} own");
                let error = ScenarioError::at(source, place, message);
                let other = match outfit.kind {
                    "express" => "take another one, or give the Express another `can_id`",
                    _ => "take another one, or give the device another `can_id`",
                };
                mistakes.push(error.help(other));
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
                "id: demo, files: [{ path: a.txt }, { path: ../b.txt }]",
                "3: `../b.txt` is no path",
            ),
            (
                "id: demo, lisp: { cpu_percent: 101 }",
                "3: 101 is out of range: wanted 0 to 100",
            ),
            (
                "id: demo, can: [motor: { can_id: 9, lisp: { code: \"\" } }]",
                "3: the script has 0 bytes",
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
    fn a_rule_of_an_app_with_a_mistake_is_refused_with_the_reason() {
        for (rule, message) in [
            (
                "reply: [{ erpmm: i16 }]",
                "3: unknown name `erpmm` in `reply`",
            ),
            (
                "reply: [{ erpm: f16 }]",
                "3: `f16` does not say how many counts make a unit, e.g. `f16x10`",
            ),
            (
                "reply: [{ erpm: i17 }]",
                "3: `i17` is no way to write a number",
            ),
            (
                "reply: [{ erpm: i16, duty: f16x1000 }]",
                "3: one value a piece, e.g. `{ erpm: i16 }`",
            ),
            ("reply: [\"0g\"]", "3: `g` is not a hex digit"),
            ("repli: []", "3: unknown key `repli` in item 1 of `rules`"),
        ] {
            let keys = format!("id: demo, app: {{ rules: [{{ request: \"01\", {rule} }}] }}");
            assert_eq!(refused(&keys), message);
        }
        for (keys, message) in [
            (
                "app: { refloat: { pitch_deg: 400 } }",
                "3: 400 is out of range: wanted -360 to 360",
            ),
            (
                "io_boards: [{ id: 1, inputs_on: [65] }]",
                "3: 65 is out of range: wanted 1 to 64",
            ),
            (
                "gnss: { latitude_deg: 91 }",
                "3: 91 is out of range: wanted -90 to 90",
            ),
            (
                "can: [motor: { can_id: 9, inputs: { ppm: 2 } }]",
                "3: 2 is out of range: wanted -1 to 1",
            ),
            (
                "can: [motor: { can_id: 9, plots: [{ at: 1s, for: 1s, graphs: [] }] }]",
                "3: a plot has at least one graph",
            ),
        ] {
            assert_eq!(refused(&format!("id: demo, {keys}")), message);
        }
    }

    #[test]
    fn a_motor_without_a_hub_is_alone_and_has_neither_id_nor_password() {
        let alone = |keys: &str| {
            let loaded = load(&format!("  - motor: {{ can_id: 84{keys} }}\n"));
            loaded.map(|loaded| loaded.scenario.is_direct())
        };
        assert_eq!(alone(""), Ok(true));
        assert_eq!(alone(", id: demo-0001, password: x"), Ok(false));
        for (keys, message) in [
            (
                ", id: demo-0001",
                "3: the motor controller has an id and no password",
            ),
            (
                ", password: x",
                "3: the motor controller has a password and no id",
            ),
            (", count: 2", "3: many devices need a hub, and each an id"),
            (
                ", second_can_id: 84",
                "3: the second motor needs an id of its own",
            ),
            (
                ", can: [motor: { can_id: 84 }]",
                "3: the node has the CAN id 84, which is the motor controller's own",
            ),
            (
                ", second_can_id: 85, can: [motor: { can_id: 85 }]",
                "3: the node has the CAN id 85, which is the motor controller's own",
            ),
            (", pasword: x", "3: unknown key `pasword` in `motor`"),
        ] {
            assert_eq!(alone(keys), Err(message.to_owned()), "{keys}");
        }
        let two = "  - motor: { can_id: 84 }\n  - bms: { can_id: 10 }\n";
        assert_eq!(
            load(two).map(|_| ()),
            Err(
                "3: the motor controller has neither id nor password, and is not the only device"
                    .to_owned()
            )
        );
        let typo = load("  - motor: { can_id: 84, pasword: x }\n");
        assert!(typo.is_err());
    }

    #[test]
    fn a_motor_at_a_hub_may_be_many() {
        let world = load("  - motor: { can_id: 84, id: \"m-{n}\", password: x, count: 3 }\n")
            .unwrap()
            .build(Seed(0))
            .unwrap();
        assert_eq!((world.targets.len(), world.is_direct), (3, false));
        assert_eq!(world.targets[2].id, "M-3");
    }

    #[test]
    fn a_scripted_reply_that_is_no_hex_is_refused_where_it_stands() {
        let keys = "id: demo, replies: [{ request: \"24 *\", reply: [\"2g\"] }]";
        assert_eq!(refused(keys), "3: `g` is not a hex digit");
    }
}
