//! Checks what serde cannot: ranges, contradictions and names that must agree.

mod device;

use std::collections::BTreeMap;

use veschub_wire::{
    command::{MAX_ELEMENTS, MAX_STATUS},
    login::normalise_id,
};

use super::{
    bms::{check_set_ends, reply_end},
    fault::check_faults,
};
use crate::{
    code::Code,
    error::ScenarioError,
    schema::{self, Expectation, Scenario},
    source::{Place, Source},
    suggest::closest,
};
use device::check_express;
use veschub_hub::{device::bms, quirk::catalogue};

/// The first mistake of a scenario, if there is one.
pub(crate) fn check(scenario: &Scenario, source: &Source) -> Result<(), ScenarioError> {
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
        let (given, place) = match device {
            schema::Device::Express(express) => {
                let place = place.key("express");
                check_express(express, &place, source)?;
                (super::device::ids(express), place)
            }
            schema::Device::Replay(replay) => {
                let place = place.key("replay");
                let given = [(&replay.id, "id"), (&replay.password, "password")];
                for (text, key) in given {
                    if let Some(text) = text {
                        check_login_part(text, key, &place, source)?;
                    }
                }
                check_speed(replay, &place, source)?;
                (replay.id.iter().cloned().collect(), place)
            }
        };
        for id in given {
            take_id(&mut ids, normalise_id(&id), place.clone().key("id"), source)?;
        }
    }
    check_quirks(scenario, source)?;
    check_faults(&scenario.faults, &Place::root().key("faults"), source)?;
    check_client(scenario, source)?;
    check_expectations(scenario, source)
}

/// Refuses an id that another device has already.
pub(super) fn take_id(
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
pub fn login_problem(text: &str, key: &str) -> Option<(String, &'static str)> {
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

/// Refuses a number outside of what the wire can carry.
pub(super) fn check_range(
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
    super::bms::check(bms, place, source)
}

/// Refuses values that stand behind the end of the reply.
fn check_tail(
    bms: &schema::Bms,
    firmware_end: bms::ReplyEnd,
    place: &Place,
    source: &Source,
) -> Result<(), ScenarioError> {
    use bms::ReplyEnd::{CanId, DataVersion, Pressure, StateOfHealth, Status};
    let end = bms.reply_ends_after.map_or(firmware_end, reply_end);
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
    check_set_ends(&bms.set, end, place, source)
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

fn check_speed(
    replay: &schema::Replay,
    place: &Place,
    source: &Source,
) -> Result<(), ScenarioError> {
    let Some(speed) = replay.speed else {
        return Ok(());
    };
    let place = place.clone().key("speed");
    if !(speed > 0.0 && speed.is_finite()) {
        return Err(source
            .error_at(place, format!("a speed of {speed} is none"))
            .help("wanted a number above 0: 2 is twice as fast, 0.5 half as fast"));
    }
    if replay.pace == schema::Pace::Immediate {
        return Err(source
            .error_at(place, "a speed means nothing with `pace: immediate`")
            .help("take `pace: recorded`, or no speed"));
    }
    Ok(())
}

fn check_quirks(scenario: &Scenario, source: &Source) -> Result<(), ScenarioError> {
    let mut seen: BTreeMap<&str, Place> = BTreeMap::new();
    for (index, quirk) in scenario.quirks.iter().enumerate() {
        let name = quirk.info().name;
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

/// The names that can stand under `quirks`.
fn quirk_names() -> Vec<&'static str> {
    catalogue().iter().map(|quirk| quirk.name).collect()
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
            Expectation::Fired(fired) => check_fired(fired, scenario, place, source)?,
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

fn check_fired(
    fired: &schema::Fired,
    scenario: &Scenario,
    place: Place,
    source: &Source,
) -> Result<(), ScenarioError> {
    let place = || place.clone().key("fired");
    match (&fired.quirk, &fired.fault) {
        (Some(_), Some(_)) | (None, None) => {
            return Err(source
                .error_at(place(), "`fired` wants one of `quirk` and `fault`")
                .help("e.g. `fired: { quirk: session-reset }`"));
        }
        (Some(name), None) => {
            let mut quirks = scenario.quirks.iter();
            if !quirks.any(|quirk| quirk.info().name == name) {
                return Err(quirk_that_cannot_fire(name, place(), source));
            }
        }
        (None, Some(name)) => {
            let mut faults = scenario.faults.iter();
            if !faults.any(|fault| fault.info().name == name) {
                let message = format!("there is no fault `{name}` here");
                return Err(source
                    .error_at(place().key("fault"), message)
                    .help("add it under `faults`"));
            }
        }
    }
    match (fired.at_least, fired.at_most) {
        (Some(least), Some(most)) if least > most => Err(source.error_at(
            place().key("at_most"),
            format!("nothing fires at least {least} and at most {most} times"),
        )),
        _ => Ok(()),
    }
}

fn quirk_that_cannot_fire(name: &str, place: Place, source: &Source) -> ScenarioError {
    let place = place.key("quirk");
    let known = quirk_names();
    if known.contains(&name) {
        let message = format!("the quirk `{name}` is not switched on here");
        return source
            .error_at(place, message)
            .help("add it under `quirks`");
    }
    let error = source
        .error_at(place, format!("no quirk is called `{name}`"))
        .coded(Code::UnknownName);
    match closest(name, known.iter().copied()) {
        Some(meant) => error.help(format!("did you mean `{meant}`?")),
        None => error.help(format!("known here: `{}`", known.join("`, `"))),
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

#[cfg(test)]
mod tests;
