//! What a scenario means: checks that need more than one key, and the making of hub and devices.

use std::{collections::BTreeMap, fs::File, io::BufReader, path::Path, time::Duration};

use rand::RngExt;
use veschub_transcript::{Options, Transcript};
use veschub_wire::{
    command::{ExpressConfig, FwVersion, MAX_ELEMENTS, MAX_STATUS},
    login::normalise_id,
    number::Text,
};

use super::{
    error::ScenarioError,
    schema::{self, Expectation, Scenario},
    source::{Place, Source},
    suggest::closest,
};
use crate::{
    device::{
        self, CanBus, Device, Express, ExpressIdentity, Motor, MotorSettings,
        bms::{self, Bms, BmsSettings},
        replay::{self, Recording},
    },
    hub::{Access, Hub, HubConfig, Resident},
    quirk::{Quirk, SessionReset},
    rng::Seed,
};

/// What fits the firmware's buffer of 65 bytes for the reply to FW_VERSION (`EX main/commands.c:238-290`).
const MAX_HARDWARE: usize = 36;

/// A hub with its devices, and what a client needs to know of them.
pub struct World {
    /// The hub.
    pub hub: Hub,
    /// The devices in the order of the scenario.
    pub targets: Vec<Target>,
}

/// A device as a client sees it.
#[derive(Clone, Debug)]
pub struct Target {
    /// The id to log in with.
    pub id: String,
    /// The password to log in with; any will do where there is none.
    pub password: Option<String>,
    /// What was recorded, for a device made from a recording.
    pub recording: Option<Recording>,
}

/// Checks what serde cannot: ranges, contradictions and names that must agree.
pub(super) fn check(scenario: &Scenario, source: &Source) -> Result<(), ScenarioError> {
    let root = Place::root;
    if scenario.version != 1 {
        let message = format!("version {} of the language is not known", scenario.version);
        return Err(source
            .error_at(root().key("version"), message)
            .help("this program reads version 1"));
    }
    if scenario.devices.is_empty() {
        return Err(source
            .error_at(root().key("devices"), "there is no device")
            .help("add one, e.g. `- express: { id: demo-0001, password: not-a-secret }`"));
    }
    let mut ids: BTreeMap<String, Place> = BTreeMap::new();
    for (index, device) in scenario.devices.iter().enumerate() {
        let place = root().key("devices").index(index);
        let (id, place) = match device {
            schema::Device::Express(express) => {
                let place = place.key("express");
                check_express(express, &place, source)?;
                (Some(&express.id), place)
            }
            schema::Device::Replay(replay) => {
                let place = place.key("replay");
                let given = [(&replay.id, "id"), (&replay.password, "password")];
                for (text, key) in given {
                    if let Some(text) = text {
                        check_login_part(text, key, &place, source)?;
                    }
                }
                (replay.id.as_ref(), place)
            }
        };
        if let Some(id) = id {
            take_id(&mut ids, normalise_id(id), place.key("id"), source)?;
        }
    }
    check_quirks(scenario, source)?;
    check_client(scenario, source)?;
    check_expectations(scenario, source)
}

/// Refuses an id that another device has already.
fn take_id(
    taken: &mut BTreeMap<String, Place>,
    id: String,
    place: Place,
    source: &Source,
) -> Result<(), ScenarioError> {
    let message = format!("two devices have the id `{id}`");
    match taken.insert(id, place.clone()) {
        None => Ok(()),
        Some(first) => Err(source
            .error_at(place, message)
            .label("the second one")
            .also(first, "the first one")
            .help("give each device an id of its own; hubs ignore case and blanks in ids")),
    }
}

fn check_login_part(
    text: &str,
    key: &str,
    place: &Place,
    source: &Source,
) -> Result<(), ScenarioError> {
    match login_problem(text, key) {
        Some((message, help)) => Err(source.error_at(place.clone().key(key), message).help(help)),
        None => Ok(()),
    }
}

/// Why no tool could ever log in with this `id` or `password`, and what to know about it.
pub(crate) fn login_problem(text: &str, key: &str) -> Option<(String, &'static str)> {
    if text.contains([':', '\n', '\0']) {
        return Some((
            format!("the {key} holds a colon, a line feed or a NUL"),
            "a hub cuts the login line at every colon: such a login can never succeed",
        ));
    }
    if key == "id" && normalise_id(text).encode_utf16().count() < 3 {
        return Some((
            format!("the id `{text}` has fewer than 3 characters"),
            "hubs refuse shorter ids; blanks do not count",
        ));
    }
    None
}

fn check_express(
    express: &schema::Express,
    place: &Place,
    source: &Source,
) -> Result<(), ScenarioError> {
    check_login_part(&express.id, "id", place, source)?;
    check_login_part(&express.password, "password", place, source)?;
    check_hardware(&express.hardware, place, source)?;
    if let Some(bms) = &express.bms {
        let place = place.clone().key("bms");
        check_bms(bms, &place, source)?;
        check_tail(bms, express.firmware, &place, source)?;
    }
    let mut ids: BTreeMap<u8, Place> = BTreeMap::new();
    for (index, node) in express.can.iter().enumerate() {
        let schema::CanNode::Motor(motor) = node;
        let place = place.clone().key("can").index(index).key("motor");
        check_motor(motor, &place, source)?;
        let place = place.key("can_id");
        if let Some(first) = ids.insert(motor.can_id, place.clone()) {
            let message = format!("two CAN nodes have the id {}", motor.can_id);
            return Err(source
                .error_at(place, message)
                .label("the second one")
                .also(first, "the first one")
                .help("give each node an id of its own"));
        }
    }
    Ok(())
}

fn check_hardware(name: &str, place: &Place, source: &Source) -> Result<(), ScenarioError> {
    if name.len() > MAX_HARDWARE || name.contains('\0') {
        let message = format!("the hardware name has {} bytes", name.len());
        return Err(source
            .error_at(place.clone().key("hardware"), message)
            .help(format!(
                "firmware holds up to {MAX_HARDWARE} bytes, and no NUL"
            )));
    }
    Ok(())
}

/// Refuses a number outside of what the wire can carry.
fn check_range(
    value: Option<f64>,
    range: std::ops::RangeInclusive<f64>,
    place: Place,
    source: &Source,
) -> Result<(), ScenarioError> {
    match value {
        Some(value) if !range.contains(&value) => {
            let (low, high) = (range.start(), range.end());
            let message = format!("{value} is out of range: wanted {low} to {high}");
            Err(source.error_at(place, message))
        }
        _ => Ok(()),
    }
}

fn check_bms(bms: &schema::Bms, place: &Place, source: &Source) -> Result<(), ScenarioError> {
    let at = |key: &str| place.clone().key(key);
    for (value, key, range) in [
        (bms.cell_voltage_v, "cell_voltage_v", 0.0..=32.7),
        (bms.spread_mv, "spread_mv", 0.0..=5000.0),
        (bms.noise_mv, "noise_mv", 0.0..=1000.0),
        (bms.current_a, "current_a", -2147.0..=2147.0),
        (bms.capacity_ah, "capacity_ah", 0.001..=100_000.0),
        (bms.state_of_charge, "state_of_charge", 0.0..=1.0),
        (bms.state_of_health, "state_of_health", 0.0..=1.0),
        (bms.charge_voltage_v, "charge_voltage_v", 0.0..=2147.0),
        (bms.chip_temperature_c, "chip_temperature_c", -327.0..=327.0),
        (
            bms.humidity_temperature_c,
            "humidity_temperature_c",
            -327.0..=327.0,
        ),
        (bms.humidity_percent, "humidity_percent", 0.0..=100.0),
        (bms.pressure_pa, "pressure_pa", 0.0..=327_670.0),
    ] {
        check_range(value, range, at(key), source)?;
    }
    let lists = [
        (&bms.cell_voltages_v, "cell_voltages_v", "cells", 0.0..=32.7),
        (
            &bms.temperatures_c,
            "temperatures_c",
            "sensors",
            -327.0..=327.0,
        ),
    ];
    for (list, key, what, range) in lists {
        for (index, &value) in list.iter().flatten().enumerate() {
            check_range(Some(value), range.clone(), at(key).index(index), source)?;
        }
        let count = list.as_ref().map_or(0, Vec::len);
        check_count(count, what, at(key), source)?;
    }
    check_count(bms.cells.unwrap_or_default(), "cells", at("cells"), source)?;
    for (key, given) in [
        ("cells", bms.cells.is_some()),
        ("cell_voltage_v", bms.cell_voltage_v.is_some()),
        ("spread_mv", bms.spread_mv.is_some()),
    ] {
        if given && bms.cell_voltages_v.is_some() {
            let message = format!("`{key}` and `cell_voltages_v` contradict each other");
            return Err(source
                .error_at(at(key).at_key(), message)
                .label("says what the list says already")
                .also(at("cell_voltages_v").at_key(), "the list of all cells")
                .help("keep one of them"));
        }
    }
    if let Some(status) = &bms.status
        && (status.len() > MAX_STATUS || status.contains('\0'))
    {
        let message = format!("the status has {} bytes", status.len());
        return Err(source.error_at(at("status"), message).help(format!(
            "firmware holds up to {MAX_STATUS} bytes, and no NUL"
        )));
    }
    Ok(())
}

/// Refuses values that stand behind the end of the reply.
fn check_tail(
    bms: &schema::Bms,
    firmware: schema::ExpressFirmware,
    place: &Place,
    source: &Source,
) -> Result<(), ScenarioError> {
    use bms::ReplyEnd::{CanId, DataVersion, Pressure, StateOfHealth, Status};
    let end = bms
        .reply_ends_after
        .map_or_else(|| firmware_end(firmware), reply_end);
    for (key, given, needed) in [
        (
            "state_of_charge",
            bms.state_of_charge.is_some(),
            StateOfHealth,
        ),
        (
            "state_of_health",
            bms.state_of_health.is_some(),
            StateOfHealth,
        ),
        ("can_id", bms.can_id.is_some(), CanId),
        ("pressure_pa", bms.pressure_pa.is_some(), Pressure),
        ("data_version", bms.data_version.is_some(), DataVersion),
        ("status", bms.status.is_some(), Status),
    ] {
        if given && needed > end {
            let place = |key| place.clone().key(key);
            let message =
                format!("`{key}` stands behind the end of the reply, so no tool ever sees it");
            let error = source.error_at(place(key).at_key(), message);
            return Err(match bms.reply_ends_after {
                Some(_) => error
                    .also(place("reply_ends_after"), "ends before it")
                    .help("keep one of them"),
                None => error.help(
                    "replies hold it from firmware 6.06 on: add `firmware: \"6.06\"` to the device",
                ),
            });
        }
    }
    Ok(())
}

fn check_count(
    count: usize,
    what: &str,
    place: Place,
    source: &Source,
) -> Result<(), ScenarioError> {
    if count > MAX_ELEMENTS {
        let message = format!("{count} {what} are too many: firmware holds up to {MAX_ELEMENTS}");
        return Err(source.error_at(place, message));
    }
    Ok(())
}

fn check_motor(motor: &schema::Motor, place: &Place, source: &Source) -> Result<(), ScenarioError> {
    let at = |key: &str| place.clone().key(key);
    check_hardware(&motor.hardware, place, source)?;
    if motor.can_id == 255 {
        return Err(source
            .error_at(
                at("can_id"),
                "255 addresses all nodes and cannot be one node's id",
            )
            .help("take an id from 0 to 254"));
    }
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

fn check_quirks(scenario: &Scenario, source: &Source) -> Result<(), ScenarioError> {
    let mut seen: BTreeMap<&str, Place> = BTreeMap::new();
    for (index, quirk) in scenario.quirks.iter().enumerate() {
        let name = quirk_name(quirk);
        let place = Place::root().key("quirks").index(index);
        if let Some(first) = seen.insert(name, place.clone()) {
            return Err(source
                .error_at(place, format!("the quirk `{name}` stands here twice"))
                .label("the second one")
                .also(first, "the first one")
                .help("keep one of them"));
        }
    }
    Ok(())
}

/// The names of all quirks.
const QUIRKS: [&str; 1] = ["session-reset"];

fn quirk_name(quirk: &schema::Quirk) -> &'static str {
    match quirk {
        schema::Quirk::SessionReset(_) => QUIRKS[0],
    }
}

fn check_client(scenario: &Scenario, source: &Source) -> Result<(), ScenarioError> {
    let place = Place::root().key("client");
    match &scenario.client {
        schema::Client::PlayRecording(_)
            if !matches!(scenario.devices.first(), Some(schema::Device::Replay(_))) =>
        {
            Err(source
                .error_at(place, "there is no recording to play")
                .help("`play-recording` sends the requests of the first device's recording: make it a `replay`"))
        }
        schema::Client::PollBms(poll) if poll.every.0 == 0 => Err(source
            .error_at(
                place.key("poll-bms").key("every"),
                "a client cannot ask every 0 s",
            )
            .help("VESC Tool asks every 100ms")),
        _ => Ok(()),
    }
}

fn check_expectations(scenario: &Scenario, source: &Source) -> Result<(), ScenarioError> {
    for (index, expectation) in scenario.expect.iter().enumerate() {
        let place = Place::root().key("expect").index(index);
        match expectation {
            Expectation::Value(value) if value.is.is_some() == value.length.is_some() => {
                return Err(source
                    .error_at(place.key("value"), "`value` wants one of `is` and `length`")
                    .help("`is` compares the value, `length` the number of a list's elements"));
            }
            Expectation::Trend(trend) if trend.falls_by.is_some() == trend.rises_by.is_some() => {
                return Err(source
                    .error_at(
                        place.key("trend"),
                        "`trend` wants one of `falls_by` and `rises_by`",
                    )
                    .help("either says by how much at least, from the first reading to the last"));
            }
            Expectation::Value(value) if value.within.is_nan() || value.within < 0.0 => {
                let message = format!("a value cannot be within {} of another", value.within);
                return Err(source
                    .error_at(place.key("value").key("within"), message)
                    .help("`within` is a distance, 0 or more"));
            }
            Expectation::RequestCount(count) => check_request_count(count, place, source)?,
            Expectation::Fired(fired)
                if !scenario
                    .quirks
                    .iter()
                    .any(|quirk| quirk_name(quirk) == fired.quirk) =>
            {
                return Err(quirk_that_cannot_fire(&fired.quirk, place, source));
            }
            Expectation::SameAsRecording
                if !matches!(scenario.client, schema::Client::PlayRecording(_)) =>
            {
                return Err(source
                    .error_at(
                        place,
                        "`same-as-recording` needs the client `play-recording`",
                    )
                    .help("write `client: { play-recording: {} }`, or expect something else"));
            }
            _ => {}
        }
    }
    Ok(())
}

fn quirk_that_cannot_fire(name: &str, place: Place, source: &Source) -> ScenarioError {
    let place = place.key("fired").key("quirk");
    if QUIRKS.contains(&name) {
        let message = format!("the quirk `{name}` is not switched on here");
        return source
            .error_at(place, message)
            .help("add it under `quirks`");
    }
    let error = source.error_at(place, format!("no quirk is called `{name}`"));
    match closest(name, QUIRKS) {
        Some(meant) => error.help(format!("did you mean `{meant}`?")),
        None => error.help(format!("known here: `{}`", QUIRKS.join("`, `"))),
    }
}

fn check_request_count(
    count: &schema::RequestCount,
    place: Place,
    source: &Source,
) -> Result<(), ScenarioError> {
    let place = place.key("request-count");
    match (count.at_least, count.at_most) {
        (None, None) => Err(source
            .error_at(place, "`request-count` wants `at_least`, `at_most` or both")
            .help("give the same number to both for an exact count")),
        (Some(least), Some(most)) if least > most => Err(source
            .error_at(
                place.clone().key("at_most"),
                format!("no count is at least {least} and at most {most}"),
            )
            .also(place.key("at_least"), "contradicts it")),
        _ => Ok(()),
    }
}

/// Makes the hub and its devices.
pub(super) fn build(
    scenario: &Scenario,
    source: &Source,
    folder: &Path,
    seed: Seed,
) -> Result<World, ScenarioError> {
    let mut residents = Vec::new();
    let mut targets = Vec::new();
    let mut ids = BTreeMap::new();
    for (index, device) in scenario.devices.iter().enumerate() {
        let (target, device): (_, Box<dyn Device>) = match device {
            schema::Device::Express(express) => {
                let seed = seed.derive(&normalise_id(&express.id));
                let target = Target {
                    id: normalise_id(&express.id),
                    password: Some(express.password.clone()),
                    recording: None,
                };
                (target, Box::new(build_express(express, seed)))
            }
            schema::Device::Replay(replay) => {
                let place = Place::root().key("devices").index(index).key("replay");
                let recording = open_recording(&folder.join(&replay.capture))
                    .map_err(|message| source.error_at(place.clone().key("capture"), message))?;
                let target = replay_target(
                    recording.clone(),
                    replay.id.as_deref(),
                    replay.password.as_deref(),
                )
                .ok_or_else(|| {
                    source
                        .error_at(
                            place,
                            "the recording holds no login, so the device has no id",
                        )
                        .help("give it an `id`")
                })?;
                (
                    target,
                    Box::new(device::Replay::new(recording, pace(replay.pace))),
                )
            }
        };
        // A recording brings its own id, which no check of the text can know.
        let place = Place::root().key("devices").index(index).only().key("id");
        take_id(&mut ids, target.id.clone(), place, source)?;
        let access = target
            .password
            .clone()
            .map_or(Access::Anyone, Access::Password);
        residents.push(Resident {
            id: target.id.clone(),
            access,
            device,
            quirks: scenario.quirks.iter().map(build_quirk).collect(),
        });
        targets.push(target);
    }
    let mut config = HubConfig::default();
    if let Some(timeout) = scenario.hub.login_timeout {
        config.login_timeout = duration(timeout);
    }
    Ok(World {
        hub: Hub::new(config, residents),
        targets,
    })
}

/// The recording in a capture file, or why there is none, in words.
fn open_recording(path: &Path) -> Result<Recording, String> {
    let shown = path.display();
    let file = File::open(path).map_err(|error| format!("cannot open {shown}: {error}"))?;
    let transcript = Transcript::from_capture(BufReader::new(file), &Options::default())
        .map_err(|error| format!("cannot read {shown}: {error}"))?;
    let recording = Recording::from_transcript(&transcript);
    if recording.requests.is_empty() {
        return Err(format!("{shown} holds no request to a VESC device"));
    }
    Ok(recording)
}

/// Who may talk to a replayed device: as recorded, unless said otherwise; `None` without any id.
#[must_use]
pub fn replay_target(
    recording: Recording,
    id: Option<&str>,
    password: Option<&str>,
) -> Option<Target> {
    let login = recording.login.as_ref();
    let recorded = login.map(|login| login.password.reveal());
    Some(Target {
        id: id.map(normalise_id).or_else(|| Some(login?.id.clone()))?,
        password: password.or(recorded).map(str::to_owned),
        recording: Some(recording),
    })
}

fn pace(pace: schema::Pace) -> replay::Pace {
    match pace {
        schema::Pace::Recorded => replay::Pace::Recorded,
        schema::Pace::Immediate => replay::Pace::Immediate,
    }
}

fn build_quirk(quirk: &schema::Quirk) -> Box<dyn Quirk> {
    match quirk {
        schema::Quirk::SessionReset(quirk) => Box::new(SessionReset::new(duration(quirk.max_gap))),
    }
}

fn build_express(express: &schema::Express, seed: Seed) -> Express {
    let identity = ExpressIdentity {
        firmware: express_firmware(express, seed),
        config: express_config(express),
        reply_after: duration(express.reply_after),
    };
    let bms = Bms::new(bms_settings(express), seed.derive("bms"));
    let nodes = express.can.iter().map(|node| {
        let schema::CanNode::Motor(motor) = node;
        let seed = seed.derive(&format!("can {}", motor.can_id));
        Motor::new(motor_settings(motor, seed), seed)
    });
    Express::new(identity, bms, CanBus::new(nodes))
}

/// Two numbers, as in 6.05.
fn version(firmware: schema::ExpressFirmware) -> (i8, i8) {
    match firmware {
        schema::ExpressFirmware::V6_05 => (6, 5),
        schema::ExpressFirmware::V6_06 => (6, 6),
        schema::ExpressFirmware::V7_00 => (7, 0),
    }
}

/// As `EX main/commands.c:238-290` fills it in.
fn express_firmware(express: &schema::Express, seed: Seed) -> FwVersion {
    let (major, minor) = version(express.firmware);
    let mut uuid = [0; 12];
    // The chip's factory address, then zeros.
    uuid[..6].copy_from_slice(&random_bytes::<6>(seed.derive("uuid")));
    // Marked as locally administered, so that it is nobody's.
    uuid[0] = uuid[0] & !1 | 2;
    FwVersion {
        major,
        minor,
        hardware: Some(Text::from(express.hardware.as_str())),
        uuid: Some(uuid),
        paired: Some(0),
        test_version: Some(0),
        hardware_type: Some(2),
        custom_configs: Some(1),
        phase_filters: Some(0),
        qml_hardware: Some(0),
        qml_app: Some(0),
        nrf_flags: Some(0),
        firmware_name: Some(Text::default()),
        config_crc: Some(u32::from_be_bytes(random_bytes(seed.derive("config")))),
    }
}

fn random_bytes<const N: usize>(seed: Seed) -> [u8; N] {
    let mut rng = seed.stream(0);
    std::array::from_fn(|_| rng.random())
}

fn express_config(express: &schema::Express) -> ExpressConfig {
    ExpressConfig {
        can_id: 2,
        can_baud_index: 2,
        status_rate_hz: 20,
        wifi_mode: 1,
        station_ssid: Text::from("simulated-network"),
        station_key: Text::from("simulated-key"),
        access_point_ssid: Text::from("simulated-express"),
        access_point_key: Text::from("simulated-key"),
        local_tcp: 1,
        hub: 1,
        hub_url: Text::from("hub.invalid"),
        hub_port: 65101,
        hub_id: Text::from(express.id.as_str()),
        hub_password: Text::from(express.password.as_str()),
        ble_mode: 1,
        ble_name: Text::from("SIM"),
        ble_pin: 0,
        ble_service_capacity: 0,
        ble_attribute_capacity: 0,
    }
}

fn bms_settings(express: &schema::Express) -> BmsSettings {
    let absent = schema::Bms {
        cells: Some(0),
        temperatures_c: Some(Vec::new()),
        chip_temperature_c: Some(0.0),
        state_of_health: Some(0.0),
        charge_voltage_v: Some(0.0),
        ..schema::Bms::default()
    };
    let bms = express.bms.as_ref().unwrap_or(&absent);
    BmsSettings {
        cells: bms.cells.unwrap_or(20),
        cell_voltage_v: bms.cell_voltage_v.unwrap_or(3.9),
        spread_v: bms.spread_mv.unwrap_or(8.0) / 1000.0,
        cell_voltages_v: bms.cell_voltages_v.clone(),
        noise_v: bms.noise_mv.unwrap_or(0.5) / 1000.0,
        current_a: bms.current_a.unwrap_or(0.0),
        capacity_ah: bms.capacity_ah.unwrap_or(20.0),
        state_of_charge: bms.state_of_charge,
        state_of_health: bms.state_of_health.unwrap_or(1.0),
        charge_voltage_v: bms.charge_voltage_v.unwrap_or(0.0),
        balancing: match bms.balancing {
            schema::Balancing::Off => bms::Balancing::Off,
            schema::Balancing::All => bms::Balancing::All,
            schema::Balancing::Automatic => bms::Balancing::Automatic,
        },
        temperatures_c: bms
            .temperatures_c
            .clone()
            .unwrap_or_else(|| vec![25.0, 24.5]),
        chip_temperature_c: bms.chip_temperature_c.unwrap_or(32.0),
        humidity_temperature_c: bms.humidity_temperature_c.unwrap_or(0.0),
        humidity_percent: bms.humidity_percent.unwrap_or(0.0),
        pressure_pa: bms.pressure_pa.unwrap_or(0.0),
        can_id: bms.can_id.unwrap_or(255),
        data_version: bms.data_version.unwrap_or(0),
        status: bms.status.clone().unwrap_or_default(),
        reply_end: bms
            .reply_ends_after
            .map_or_else(|| firmware_end(express.firmware), reply_end),
    }
}

/// Where a firmware ends its replies.
fn firmware_end(firmware: schema::ExpressFirmware) -> bms::ReplyEnd {
    match firmware {
        schema::ExpressFirmware::V6_05 => bms::ReplyEnd::Pressure,
        schema::ExpressFirmware::V6_06 | schema::ExpressFirmware::V7_00 => bms::ReplyEnd::Status,
    }
}

fn reply_end(end: schema::ReplyEnd) -> bms::ReplyEnd {
    match end {
        schema::ReplyEnd::HighestCellTemperature => bms::ReplyEnd::HighestCellTemperature,
        schema::ReplyEnd::StateOfHealth => bms::ReplyEnd::StateOfHealth,
        schema::ReplyEnd::CanId => bms::ReplyEnd::CanId,
        schema::ReplyEnd::Totals => bms::ReplyEnd::Totals,
        schema::ReplyEnd::Pressure => bms::ReplyEnd::Pressure,
        schema::ReplyEnd::DataVersion => bms::ReplyEnd::DataVersion,
        schema::ReplyEnd::Status => bms::ReplyEnd::Status,
    }
}

fn motor_settings(motor: &schema::Motor, seed: Seed) -> MotorSettings {
    let schema::MotorFirmware::V6_05 = motor.firmware;
    MotorSettings {
        can_id: motor.can_id,
        firmware: FwVersion {
            major: 6,
            minor: 5,
            hardware: Some(Text::from(motor.hardware.as_str())),
            uuid: Some(random_bytes(seed.derive("uuid"))),
            paired: Some(0),
            test_version: Some(0),
            hardware_type: Some(0),
            custom_configs: Some(0),
            phase_filters: Some(0),
            qml_hardware: Some(0),
            qml_app: Some(0),
            nrf_flags: Some(0),
            firmware_name: Some(Text::default()),
            config_crc: Some(u32::from_be_bytes(random_bytes(seed.derive("config")))),
        },
        fet_temperature_c: motor.fet_temperature_c,
        motor_temperature_c: motor.motor_temperature_c,
        motor_current_a: motor.motor_current_a,
        input_current_a: motor.input_current_a,
        duty: motor.duty,
        erpm: motor.erpm,
        speed_m_s: motor.speed_m_s,
        input_voltage_v: motor.input_voltage_v,
        battery_level: motor.battery_level,
        fault: motor.fault,
    }
}

fn duration(duration: super::duration::Duration) -> Duration {
    Duration::from_nanos(duration.0)
}
