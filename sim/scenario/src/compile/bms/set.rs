//! Values that a scenario sets, made from their description; their shape was checked before.

use super::{Files, duration};
use crate::{error::ScenarioError, schema, source::Place};
use veschub_hub::{
    device::bms::{Course, Setting},
    time::Time,
};

pub(super) fn settings(
    set: &[schema::SetValue],
    place: &Place,
    files: &Files<'_>,
) -> Result<Vec<Setting>, ScenarioError> {
    let mut settings = Vec::new();
    for (index, value) in set.iter().enumerate() {
        let course = match (&value.series, value.from, value.to, value.over) {
            (Some(file), ..) => {
                let place = place.clone().key("set").index(index).key("series");
                files.read(file, place)?
            }
            (None, Some(from), Some(to), Some(over)) => Course::Ramp {
                from,
                to,
                over: duration(over),
            },
            (None, _, to, _) => Course::Pinned(to.unwrap_or_default()),
        };
        settings.push(Setting {
            field: value.field.0,
            item: value.item,
            at: Time::from_nanos(value.at.0),
            course,
        });
    }
    Ok(settings)
}
