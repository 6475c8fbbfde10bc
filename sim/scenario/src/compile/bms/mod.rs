//! A BMS made from its description.

mod check;
mod series;
mod set;
#[cfg(test)]
mod tests;

pub(super) use check::{check, check_set_ends};
pub(super) use series::Files;

use super::duration;
use crate::{error::ScenarioError, schema, source::Place};
use veschub_hub::{
    device::bms::{self, BmsSettings},
    time::Time,
};

/// What a broken sensor reads, °C.
const BROKEN_C: f64 = -281.0;
/// What a filler in the list of sensors reads, °C.
const FILLER_C: f64 = 99.0;

/// A BMS whose firmware ends its replies there; `place` is where its keys stand.
pub(super) fn bms_settings(
    bms: &schema::Bms,
    end: bms::ReplyEnd,
    place: &Place,
    files: &Files<'_>,
) -> Result<BmsSettings, ScenarioError> {
    let usual = BmsSettings::default();
    let chemistry = match bms.chemistry {
        schema::Chemistry::LiIon => bms::Chemistry::LiIon,
        schema::Chemistry::Lifepo4 => bms::Chemistry::LiFePo4,
    };
    let (current_a, current_changes) = current(bms.current_a.as_ref());
    Ok(BmsSettings {
        chemistry,
        cells: bms.cells.unwrap_or(usual.cells),
        cell_voltage_v: bms
            .cell_voltage_v
            .unwrap_or_else(|| usual_voltage_v(chemistry, bms.state_of_charge)),
        spread_v: milli(bms.spread_mv).unwrap_or(usual.spread_v),
        cell_voltages_v: bms.cell_voltages_v.clone(),
        noise_v: milli(bms.noise_mv).unwrap_or(usual.noise_v),
        resistance_ohm: milli(bms.resistance_mohm).unwrap_or(usual.resistance_ohm),
        weak_cell: bms.weak_cell.as_ref().map(|weak| bms::WeakCell {
            index: weak.cell.saturating_sub(1),
            capacity: weak.capacity,
            resistance_ohm: weak.resistance_mohm / 1000.0,
        }),
        current_a,
        current_changes,
        chip_offset_a: bms.chip_offset_a.unwrap_or(usual.chip_offset_a),
        capacity_ah: bms.capacity_ah.unwrap_or(usual.capacity_ah),
        state_of_charge: bms.state_of_charge,
        state_of_health: bms.state_of_health.unwrap_or(usual.state_of_health),
        charge_voltage_v: bms.charge_voltage_v.unwrap_or(usual.charge_voltage_v),
        balancing: match bms.balancing {
            schema::Balancing::Off => bms::Balancing::Off,
            schema::Balancing::All => bms::Balancing::All,
            schema::Balancing::Automatic => bms::Balancing::Automatic,
        },
        temperatures_c: temperatures_c(bms),
        thermal: bms::Thermal {
            ambient_c: bms.ambient_c,
            rise_c_per_w: bms
                .thermal_rise_c_per_w
                .unwrap_or(usual.thermal.rise_c_per_w),
            time_constant: bms
                .thermal_time_constant
                .map_or(usual.thermal.time_constant, duration),
        },
        chip_temperature_c: bms.chip_temperature_c.unwrap_or(usual.chip_temperature_c),
        humidity_temperature_c: bms
            .humidity_temperature_c
            .unwrap_or(usual.humidity_temperature_c),
        humidity_percent: bms.humidity_percent.unwrap_or(usual.humidity_percent),
        pressure_pa: bms.pressure_pa.unwrap_or(usual.pressure_pa),
        can_id: bms.can_id.unwrap_or(usual.can_id),
        data_version: bms.data_version.unwrap_or(usual.data_version),
        status: bms.status.clone().unwrap_or(usual.status),
        reply_end: bms.reply_ends_after.map_or(end, reply_end),
        set: set::settings(&bms.set, place, files)?,
    })
}

fn milli(value: Option<f64>) -> Option<f64> {
    value.map(|value| value / 1000.0)
}

fn usual_voltage_v(chemistry: bms::Chemistry, state_of_charge: Option<f64>) -> f64 {
    match (state_of_charge, chemistry) {
        (Some(charge), _) => chemistry.open_circuit_v(charge),
        (None, bms::Chemistry::LiIon) => 3.9,
        (None, bms::Chemistry::LiFePo4) => 3.3,
    }
}

/// The current from the start on, A, and what it becomes later.
fn current(current: Option<&schema::BmsCurrent>) -> (f64, Vec<bms::Segment>) {
    let segment = |segment: &schema::CurrentSegment| bms::Segment {
        at: Time::from_nanos(segment.at.0),
        current_a: segment.current_a,
    };
    match current {
        None => (0.0, Vec::new()),
        Some(&schema::BmsCurrent::Constant(current_a)) => (current_a, Vec::new()),
        Some(schema::BmsCurrent::Profile(list)) => (0.0, list.iter().map(segment).collect()),
    }
}

fn temperatures_c(bms: &schema::Bms) -> Vec<f64> {
    let given = bms.temperatures_c.clone();
    let mut sensors = given.unwrap_or_else(|| BmsSettings::default().temperatures_c);
    let broken = bms.broken_sensor.and_then(|number| number.checked_sub(1));
    if let Some(sensor) = broken.and_then(|index| sensors.get_mut(index)) {
        *sensor = BROKEN_C;
    }
    let fillers = bms.filler_sensors.unwrap_or(0);
    sensors.extend(std::iter::repeat_n(FILLER_C, fillers));
    sensors
}

pub(super) fn reply_end(end: schema::ReplyEnd) -> bms::ReplyEnd {
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
