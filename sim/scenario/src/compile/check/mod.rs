//! Checks what serde cannot: ranges, contradictions and names that must agree.

mod device;

use std::collections::BTreeMap;

use veschub_wire::login::normalise_id;

use super::fault::check_faults;
use crate::{
    code::Code,
    duration::Duration,
    error::{Broken, Mistakes, ScenarioError},
    schema::{self, Expectation, Scenario, Setting},
    source::{Place, Source},
    suggest::closest,
};
use device::{check_device, check_login};
use veschub_hub::quirk::catalogue;

/// All mistakes of a scenario. What could not be read of it is `broken`, and not compared with the rest.
pub(crate) fn check(scenario: &Scenario, source: &Source, broken: &[Broken]) -> Mistakes {
    let root = Place::root;
    let is_whole = |sections: &[&str]| {
        !broken
            .iter()
            .any(|broken| sections.contains(&broken.section.as_str()))
    };
    let mut mistakes = Mistakes::default();
    if scenario.version != 1 {
        let message = format!("version {} of the language is not known", scenario.version);
        let error = ScenarioError::at(source, root().key("version"), message);
        mistakes.push(error.help("this program reads version 1"));
        return mistakes;
    }
    if scenario.devices.is_empty() && is_whole(&["devices"]) {
        let error = ScenarioError::at(source, root().key("devices"), "there is no device");
        mistakes.push(
            error.help("add one, e.g. `- express: { id: demo-0001, password: not-a-secret }`"),
        );
    }
    let mut ids: BTreeMap<String, Place> = BTreeMap::new();
    for (index, device) in scenario.devices.iter().enumerate() {
        let place = root().key("devices").index(index);
        let (given, place) = match (device, device.outfit()) {
            (schema::Device::Replay(replay), _) => {
                let place = place.key("replay");
                let given = [(&replay.id, "id"), (&replay.password, "password")];
                for (text, key) in given {
                    if let Some(text) = text {
                        mistakes.note(check_login_part(text, key, &place, source));
                    }
                }
                mistakes.note(check_speed(replay, &place, source));
                (replay.id.iter().cloned().collect(), place)
            }
            (_, Some(outfit)) => {
                let place = place.key(outfit.kind);
                check_device(device, &outfit, &place, source, &mut mistakes);
                mistakes.note(check_login(&outfit, scenario, &place, source));
                (super::device::ids(&outfit), place)
            }
            _ => continue,
        };
        // Of many devices that meet others, the first says it all.
        let place = place.key("id");
        let mut given = given.iter();
        let taken =
            given.try_for_each(|id| take_id(&mut ids, normalise_id(id), place.clone(), source));
        mistakes.note(taken);
    }
    check_quirks(scenario, source, &mut mistakes);
    if is_whole(&["faults"]) {
        check_faults(
            &scenario.faults,
            &root().key("faults"),
            source,
            &mut mistakes,
        );
    }
    if is_whole(&["client", "devices"]) {
        mistakes.note(check_client(scenario, source));
    }
    for (index, expectation) in scenario.expect.iter().enumerate() {
        let place = root().key("expect").index(index);
        let concerns: &[&str] = match expectation {
            Expectation::Fired(_) => &["quirks", "faults"],
            Expectation::SameAsRecording => &["client"],
            _ => &[],
        };
        if is_whole(concerns) {
            mistakes.note(check_expectation(expectation, scenario, place, source));
        }
    }
    mistakes
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
        Some(first) => Err(ScenarioError::at(source, place, message)
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
        Some((message, help)) => {
            Err(ScenarioError::at(source, place.clone().key(key), message).help(help))
        }
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
        return Err(
            ScenarioError::at(source, place, format!("a speed of {speed} is none"))
                .help("wanted a number above 0: 2 is twice as fast, 0.5 half as fast"),
        );
    }
    if replay.pace == schema::Pace::Immediate {
        return Err(ScenarioError::at(
            source,
            place,
            "a speed means nothing with `pace: immediate`",
        )
        .help("take `pace: recorded`, or no speed"));
    }
    Ok(())
}

fn check_quirks(scenario: &Scenario, source: &Source, mistakes: &mut Mistakes) {
    let mut seen: BTreeMap<&str, Place> = BTreeMap::new();
    for (index, quirk) in scenario.quirks.iter().enumerate() {
        let name = quirk.info().name;
        let place = Place::root().key("quirks").index(index);
        let Some(first) = seen.insert(name, place.clone()) else {
            continue;
        };
        mistakes.push(
            ScenarioError::at(
                source,
                place,
                format!("the quirk `{name}` stands here twice"),
            )
            .label("the second one")
            .also(first, "the first one")
            .help("keep one of them"),
        );
    }
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
            Err(ScenarioError::at(source, place, "there is no recording to play")
                .help("`play-recording` sends the requests of the first device's recording: make it a `replay`"))
        }
        schema::Client::PollBms(poll) => check_poll(
            Some(poll.every),
            Some(poll.lasts),
            place.key("poll-bms"),
            source,
        ),
        schema::Client::ReadMotor(read) => {
            check_poll(read.every, read.lasts, place.key("read-motor"), source)
        }
        schema::Client::Read(read) => {
            check_poll(read.every, read.lasts, place.key("read"), source)
        }
        schema::Client::ReadApp(read) => {
            check_poll(read.every, read.lasts, place.key("read-app"), source)
        }
        schema::Client::Drive(drive) => {
            let place = place.key("drive");
            check_poll(Some(drive.every), Some(drive.lasts), place.clone(), source)?;
            check_setting(drive.setting(), place, source)
        }
        schema::Client::KeepAlive(keep) => {
            let place = place.key("keep-alive");
            check_poll(Some(keep.every), Some(keep.lasts), place.clone(), source)?;
            check_setting(keep.setting(), place, source)
        }
        _ => Ok(()),
    }
}

/// The largest current that a client may be told to set, A. No controller of this kind carries more.
const MOST_CURRENT_A: f64 = 1000.0;
/// The largest electrical speed that a client may be told to set, electrical revolutions per minute.
const MOST_ERPM: i32 = 200_000;

/// Checks what a client sets: one thing, and one that a controller could do.
fn check_setting(
    setting: Option<Setting>,
    place: Place,
    source: &Source,
) -> Result<(), ScenarioError> {
    let (key, problem) = match setting {
        None => {
            let message = "a client that drives sets one of `current_a`, `duty` and `erpm`";
            return Err(ScenarioError::at(source, place, message)
                .help("write one of them, e.g. `current_a: 5`"));
        }
        Some(Setting::CurrentA(current)) if current.is_nan() || current.abs() > MOST_CURRENT_A => {
            ("current_a", format!("{current} A is no current of a motor"))
        }
        Some(Setting::Duty(duty)) if duty.is_nan() || duty.abs() > 1.0 => {
            ("duty", format!("{duty} is no duty cycle"))
        }
        Some(Setting::Erpm(erpm)) if erpm.unsigned_abs() > MOST_ERPM.unsigned_abs() => {
            ("erpm", format!("{erpm} ERPM is no speed of a motor"))
        }
        Some(_) => return Ok(()),
    };
    Err(ScenarioError::at(source, place.key(key), problem).help(format!(
        "a current is at most {MOST_CURRENT_A} A, a duty cycle -1 to 1, a speed at most {MOST_ERPM} ERPM"
    )))
}

/// Checks how often a client asks: how far apart and for how long go together.
fn check_poll(
    every: Option<Duration>,
    lasts: Option<Duration>,
    place: Place,
    source: &Source,
) -> Result<(), ScenarioError> {
    match (every, lasts) {
        (Some(Duration(0)), _) => {
            Err(
                ScenarioError::at(source, place.key("every"), "a client cannot ask every 0 s")
                    .help("VESC Tool asks every 100ms"),
            )
        }
        (Some(_), None) => Err(ScenarioError::at(
            source,
            place.key("every"),
            "`every` needs `for`, which says how long the client goes on asking",
        )
        .help("write both, e.g. `every: 100ms, for: 1s`, or none to ask once")),
        (None, Some(_)) => Err(ScenarioError::at(
            source,
            place.key("for"),
            "`for` needs `every`, the time from one request to the next",
        )
        .help("write both, e.g. `every: 100ms, for: 1s`, or none to ask once")),
        _ => Ok(()),
    }
}

fn check_expectation(
    expectation: &Expectation,
    scenario: &Scenario,
    place: Place,
    source: &Source,
) -> Result<(), ScenarioError> {
    match expectation {
        Expectation::Value(value) if value.is.is_some() == value.length.is_some() => {
            Err(ScenarioError::at(
                source,
                place.key("value"),
                "`value` wants one of `is` and `length`",
            )
            .help("`is` compares the value, `length` the number of a list's elements"))
        }
        Expectation::Trend(trend) if trend.falls_by.is_some() == trend.rises_by.is_some() => {
            Err(ScenarioError::at(
                source,
                place.key("trend"),
                "`trend` wants one of `falls_by` and `rises_by`",
            )
            .help("either says by how much at least, from the first reading to the last"))
        }
        Expectation::Value(value) if value.within.is_nan() || value.within < 0.0 => {
            let message = format!("a value cannot be within {} of another", value.within);
            Err(
                ScenarioError::at(source, place.key("value").key("within"), message)
                    .help("`within` is a distance, 0 or more"),
            )
        }
        Expectation::RequestCount(count) => check_request_count(count, place, source),
        Expectation::Fired(fired) => check_fired(fired, scenario, place, source),
        Expectation::SameAsRecording
            if !matches!(scenario.client, schema::Client::PlayRecording(_)) =>
        {
            Err(ScenarioError::at(
                source,
                place,
                "`same-as-recording` needs the client `play-recording`",
            )
            .help("write `client: { play-recording: {} }`, or expect something else"))
        }
        _ => Ok(()),
    }
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
            return Err(ScenarioError::at(
                source,
                place(),
                "`fired` wants one of `quirk` and `fault`",
            )
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
                return Err(ScenarioError::at(source, place().key("fault"), message)
                    .help("add it under `faults`"));
            }
        }
    }
    match (fired.at_least, fired.at_most) {
        (Some(least), Some(most)) if least > most => Err(ScenarioError::at(
            source,
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
        return ScenarioError::at(source, place, message).help("add it under `quirks`");
    }
    let error = ScenarioError::at(source, place, format!("no quirk is called `{name}`"))
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
        (None, None) => Err(ScenarioError::at(
            source,
            place,
            "`request-count` wants `at_least`, `at_most` or both",
        )
        .help("give the same number to both for an exact count")),
        (Some(least), Some(most)) if least > most => Err(ScenarioError::at(
            source,
            place.clone().key("at_most"),
            format!("no count is at least {least} and at most {most}"),
        )
        .also(place.key("at_least"), "contradicts it")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
