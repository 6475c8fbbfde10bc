//! Checks of a battery's description that serde cannot make.

use veschub_wire::command::MAX_ELEMENTS;

use crate::{
    compile::check::check_range,
    error::ScenarioError,
    schema,
    source::{Place, Source},
};
use veschub_hub::device::bms::{BmsSettings, Field, ReplyEnd};

/// The most segments of a current's profile.
const MAX_SEGMENTS: usize = 1000;
/// The most currents, A, that the wire can carry, either way.
const MAX_CURRENT_A: f64 = 2147.0;

type Checked = Result<(), ScenarioError>;

/// What a pack does over time: current, weak cell, sensors and values that are set.
pub(in crate::compile) fn check(bms: &schema::Bms, place: &Place, source: &Source) -> Checked {
    let at = |key: &str| place.clone().key(key);
    for (value, key, range) in [
        (bms.resistance_mohm, "resistance_mohm", 0.0..=10_000.0),
        (
            bms.chip_offset_a,
            "chip_offset_a",
            -MAX_CURRENT_A..=MAX_CURRENT_A,
        ),
        (bms.ambient_c, "ambient_c", -273.0..=327.0),
        (
            bms.thermal_rise_c_per_w,
            "thermal_rise_c_per_w",
            0.0..=10_000.0,
        ),
    ] {
        check_range(value, range, at(key), source)?;
    }
    if let Some(current) = &bms.current_a {
        check_current(current, &at("current_a"), source)?;
    }
    if let Some(weak) = &bms.weak_cell {
        check_weak_cell(weak, cells(bms), &at("weak_cell"), source)?;
    }
    check_sensors(bms, place, source)?;
    for (index, value) in bms.set.iter().enumerate() {
        check_set(value, bms, &at("set").index(index), source)?;
    }
    Ok(())
}

fn cells(bms: &schema::Bms) -> usize {
    let given = bms.cell_voltages_v.as_ref().map(Vec::len);
    given
        .or(bms.cells)
        .unwrap_or_else(|| BmsSettings::default().cells)
}

/// Sensors in `temperatures_c`, without the fillers.
fn sensors(bms: &schema::Bms) -> usize {
    let given = bms.temperatures_c.as_ref().map(Vec::len);
    given.unwrap_or_else(|| BmsSettings::default().temperatures_c.len())
}

fn check_current(current: &schema::BmsCurrent, place: &Place, source: &Source) -> Checked {
    let range = -MAX_CURRENT_A..=MAX_CURRENT_A;
    let segments = match current {
        schema::BmsCurrent::Constant(current_a) => {
            return check_range(Some(*current_a), range, place.clone(), source);
        }
        schema::BmsCurrent::Profile(segments) => segments,
    };
    if segments.is_empty() || segments.len() > MAX_SEGMENTS {
        let count = segments.len();
        let message = format!("a profile of {count} currents: wanted 1 to {MAX_SEGMENTS}");
        return Err(source.error_at(place.clone(), message));
    }
    for (index, segment) in segments.iter().enumerate() {
        let place = place.clone().index(index);
        let current_place = place.clone().key("current_a");
        check_range(
            Some(segment.current_a),
            range.clone(),
            current_place,
            source,
        )?;
        let before = index.checked_sub(1).map(|before| segments[before].at);
        if let Some(before) = before.filter(|&before| before >= segment.at) {
            let message = format!("{} does not lie after {before}", segment.at);
            return Err(source
                .error_at(place.key("at"), message)
                .help("order the currents by their beginning"));
        }
    }
    Ok(())
}

fn check_weak_cell(
    weak: &schema::WeakCell,
    cells: usize,
    place: &Place,
    source: &Source,
) -> Checked {
    let at = |key: &str| place.clone().key(key);
    check_number(weak.cell, cells, "cell", at("cell"), source)?;
    check_range(Some(weak.capacity), 0.001..=1.0, at("capacity"), source)?;
    check_range(
        Some(weak.resistance_mohm),
        0.0..=10_000.0,
        at("resistance_mohm"),
        source,
    )
}

/// Refuses a number that counts from 1 and names nothing.
fn check_number(number: usize, count: usize, what: &str, place: Place, source: &Source) -> Checked {
    if (1..=count).contains(&number) {
        return Ok(());
    }
    let message = format!("there is no {what} {number} among {count}");
    Err(source
        .error_at(place, message)
        .help(format!("the first {what} is 1")))
}

fn check_sensors(bms: &schema::Bms, place: &Place, source: &Source) -> Checked {
    let at = |key: &str| place.clone().key(key);
    let sensors = sensors(bms);
    if let Some(number) = bms.broken_sensor {
        check_number(number, sensors, "sensor", at("broken_sensor"), source)?;
    }
    let all = sensors.saturating_add(bms.filler_sensors.unwrap_or(0));
    if all > MAX_ELEMENTS {
        let message = format!("{all} sensors are too many: firmware holds up to {MAX_ELEMENTS}");
        return Err(source.error_at(at("filler_sensors"), message));
    }
    Ok(())
}

fn check_set(
    value: &schema::SetValue,
    bms: &schema::Bms,
    place: &Place,
    source: &Source,
) -> Checked {
    let at = |key: &str| place.clone().key(key);
    let field = value.field.0;
    if let Some(item) = value.item {
        let count = match field {
            Field::Temperatures => sensors(bms).saturating_add(bms.filler_sensors.unwrap_or(0)),
            _ => cells(bms),
        };
        let name = field.name();
        if !field.is_list() {
            let message = format!("`{name}` is one value and has no items");
            return Err(source.error_at(at("item").at_key(), message));
        }
        if item >= count {
            let message = format!("`{name}` has {count} items, and none with the number {item}");
            return Err(source
                .error_at(at("item"), message)
                .help("the first item is 0"));
        }
    }
    for (key, number) in [("to", value.to), ("from", value.from)] {
        if number.is_some_and(|number| !number.is_finite()) {
            return Err(source.error_at(at(key), "not a finite number"));
        }
    }
    let given = (
        value.to.is_some(),
        value.from.is_some(),
        value.over.is_some(),
        value.series.is_some(),
    );
    match given {
        (true, false, false, false) | (true, true, true, false) | (false, false, false, true) => {
            Ok(())
        }
        _ => Err(source
            .error_at(place.clone(), "this says neither a value, a ramp nor a series")
            .help("pin it with `to`, ramp it with `from`, `to` and `over`, or name a CSV file with `series`")),
    }
}

/// Refuses values that are set behind the end of the reply.
pub(in crate::compile) fn check_set_ends(
    set: &[schema::SetValue],
    end: ReplyEnd,
    place: &Place,
    source: &Source,
) -> Checked {
    for (index, value) in set.iter().enumerate() {
        let field = value.field.0;
        if field.needs() > end {
            let message = format!(
                "`{}` stands behind the end of the reply, so no tool ever sees it",
                field.name()
            );
            let place = place.clone().key("set").index(index).key("field");
            return Err(source.error_at(place, message).help(
                "let the reply end later with `reply_ends_after`, or take a newer firmware",
            ));
        }
    }
    Ok(())
}
