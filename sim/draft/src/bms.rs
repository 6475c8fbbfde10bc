//! The BMS of a draft: what was read, as pins where it stayed and as a series where it changed.
//!
//! The client of a draft polls on a grid, the recorded one skipped ticks of its own. The series stand on the draft's
//! grid, so that its n-th poll reads what the n-th recorded poll read, and step in the middle between two polls, so that
//! a poll that is a little early or late reads the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    time::Duration,
};

use veschub_wire::{
    command::{BmsValues, MAX_ELEMENTS},
    number::{F16, F32, Float, Scaled},
    view::{Value, View},
};

use super::text::scalar;
use veschub_hub::device::bms::{Field, ReplyEnd};

/// One poll that was answered.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    /// When the reply came.
    pub(super) at: Duration,
    /// What it says.
    pub(super) values: BmsValues,
    /// The length of its payload.
    pub(super) len: usize,
}

/// The moments at which the client of a draft reads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    /// When the device answers the first poll, since the start of the run.
    pub(super) first: Duration,
    /// The time from one poll to the next.
    pub(super) every: Duration,
}

impl Grid {
    /// When the value of a poll begins.
    fn step(self, poll: usize) -> Duration {
        let polls = u32::try_from(poll).unwrap_or(u32::MAX);
        (self.first + self.every.saturating_mul(polls)).saturating_sub(self.every / 2)
    }
}

/// The lines of a BMS, and the files of its series.
#[derive(Debug, Default)]
pub(super) struct Pack {
    /// Keys of `bms`, without their indentation.
    pub(super) keys: Vec<String>,
    /// Entries of `set`, with a comment where there is something to say.
    pub(super) set: Vec<String>,
    /// File names and contents.
    pub(super) tables: Vec<(String, String)>,
    /// What could not be taken over.
    pub(super) left_out: Vec<String>,
    /// Whether all cells are balanced at the start.
    balanced: bool,
    /// Cells that the list alone does not bring to their voltage.
    pinned: BTreeSet<usize>,
}

/// The part of the readings that have one shape: a draft has one number of cells.
pub(super) fn usual_shape(readings: Vec<Reading>) -> (Vec<Reading>, usize) {
    let shape = |reading: &Reading| {
        let values = &reading.values;
        (
            values.cell_voltages_v.len(),
            values.temperatures_c.len(),
            end(values).map(|end| end as u8),
        )
    };
    let mut counts = BTreeMap::new();
    for reading in &readings {
        *counts.entry(shape(reading)).or_insert(0_usize) += 1;
    }
    let usual = counts
        .into_iter()
        .max_by_key(|&(_, count)| count)
        .map(|(shape, _)| shape);
    let all = readings.len();
    let fits = |reading: &Reading| {
        Some(shape(reading)) == usual
            && reading.values.cell_voltages_v.len() <= MAX_ELEMENTS
            && reading.values.temperatures_c.len() <= MAX_ELEMENTS
            && reading.values.negative_cell_count.is_none()
            && reading.values.negative_temperature_count.is_none()
            && end(&reading.values).is_some()
    };
    let kept: Vec<Reading> = readings.into_iter().filter(fits).collect();
    let dropped = all - kept.len();
    (kept, dropped)
}

/// Where a reply ends; `None` if it ends where no firmware does.
pub(super) fn end(values: &BmsValues) -> Option<ReplyEnd> {
    let parts = [
        (ReplyEnd::StateOfHealth, values.state_of_health.is_some()),
        (ReplyEnd::CanId, values.can_id.is_some()),
        (ReplyEnd::Totals, values.totals.is_some()),
        (ReplyEnd::Pressure, values.pressure_pa.is_some()),
        (ReplyEnd::DataVersion, values.data_version.is_some()),
        (ReplyEnd::Status, values.status.is_some()),
    ];
    let there = parts.iter().take_while(|(_, there)| *there);
    let last = there
        .last()
        .map_or(ReplyEnd::HighestCellTemperature, |(end, _)| *end);
    let whole = parts.iter().all(|(end, there)| *there == (*end <= last));
    whole.then_some(last)
}

/// The name of an end in scenarios.
pub(super) fn end_name(end: ReplyEnd) -> &'static str {
    match end {
        ReplyEnd::HighestCellTemperature => "highest_cell_temperature",
        ReplyEnd::StateOfHealth => "state_of_health",
        ReplyEnd::CanId => "can_id",
        ReplyEnd::Totals => "totals",
        ReplyEnd::Pressure => "pressure",
        ReplyEnd::DataVersion => "data_version",
        ReplyEnd::Status => "status",
    }
}

/// The numbers of a field in a reply, one unless it is a list.
fn numbers(values: &BmsValues, field: Field) -> Vec<f64> {
    let number = |value: &Value| match value {
        Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
        Value::Int(number) => Some(*number as f64),
        Value::Number(number) => Some(*number),
        _ => None,
    };
    match values.fields().get(field.name()) {
        Some(Value::List(items)) => items.iter().filter_map(number).collect(),
        Some(value) => number(value).into_iter().collect(),
        None => Vec::new(),
    }
}

/// What a reply says when a field is set to this: firmware multiplies in single precision and cuts off.
fn encoded(field: Field, value: f64) -> f64 {
    match field {
        Field::TotalVoltage | Field::ChargeVoltage | Field::Current | Field::ChipCurrent => {
            F32::<1_000_000>::truncated(value).value()
        }
        Field::CounterAh | Field::CounterWh => F32::<1000>::truncated(value).value(),
        Field::CellVoltages | Field::StateOfCharge | Field::StateOfHealth => {
            F16::<1000>::truncated(value).value()
        }
        Field::Temperatures
        | Field::ChipTemperature
        | Field::HumidityTemperature
        | Field::Humidity
        | Field::HighestCellTemperature => F16::<100>::truncated(value).value(),
        Field::Pressure => Scaled::<i16, 1, 10>::truncated(value).value(),
        Field::TotalChargedAh
        | Field::TotalChargedWh
        | Field::TotalDischargedAh
        | Field::TotalDischargedWh => match Value::from(Float::packed(value)) {
            Value::Number(number) => number,
            _ => value,
        },
        Field::Balancing | Field::CanId | Field::DataVersion => value,
    }
}

fn step(field: Field) -> f64 {
    match field {
        Field::TotalVoltage | Field::ChargeVoltage | Field::Current | Field::ChipCurrent => 1e-6,
        Field::CounterAh
        | Field::CounterWh
        | Field::CellVoltages
        | Field::StateOfCharge
        | Field::StateOfHealth => 1e-3,
        Field::Pressure => 10.0,
        _ => 1e-2,
    }
}

/// The shortest number that a reply says as this value; where single precision has none, the nearest.
fn written(field: Field, value: f64) -> String {
    let exact = format!("{value}");
    let says = |text: &str| {
        text.parse()
            .map_or(f64::NAN, |number| encoded(field, number))
    };
    if says(&exact) == value || !value.is_finite() {
        return exact;
    }
    let step = step(field);
    let decimals = usize::try_from(1 - step.log10().round() as i32).unwrap_or(0);
    // Away from 0 first: the fraction that is cut off lies there.
    let nudges = (1..=80)
        .map(|tenths| f64::from(tenths) * step / 10.0)
        .flat_map(|nudge| [nudge, -nudge]);
    let tried = nudges.map(|nudge| format!("{:.decimals$}", value + nudge.copysign(nudge * value)));
    let mut best = exact;
    for text in tried {
        if (says(&text) - value).abs() < (says(&best) - value).abs() {
            best = text;
        }
        if says(&best) == value {
            break;
        }
    }
    best
}

/// How a field gets its value in a scenario.
enum Key {
    /// By a key of its own, left out where the value is this; within these limits.
    Own(f64, f64, f64),
    /// By `set` alone, left out where the value is this.
    Set(Option<f64>),
}

fn key(field: Field) -> Key {
    match field {
        Field::ChargeVoltage => Key::Own(0.0, 0.0, 2147.0),
        Field::HumidityTemperature => Key::Own(0.0, -327.0, 327.0),
        Field::Humidity => Key::Own(0.0, 0.0, 100.0),
        Field::StateOfHealth => Key::Own(1.0, 0.0, 1.0),
        Field::CanId => Key::Own(255.0, 0.0, 255.0),
        Field::DataVersion => Key::Own(0.0, 0.0, 255.0),
        Field::Pressure => Key::Own(0.0, 0.0, 327_670.0),
        Field::Current
        | Field::CounterAh
        | Field::CounterWh
        | Field::StateOfCharge
        | Field::TotalChargedAh
        | Field::TotalChargedWh
        | Field::TotalDischargedAh
        | Field::TotalDischargedWh => Key::Set(Some(0.0)),
        _ => Key::Set(None),
    }
}

/// Sensors at which the device adds nothing of its own.
fn is_filler(value: f64) -> bool {
    value == 99.0 || value == 0.0 || value <= -280.0
}

/// A BMS that reads as the readings; `grid` is none where everything is to be pinned to the last one. These cells are
/// pinned where they do not change.
pub(super) fn pack(
    readings: &[Reading],
    end_here: ReplyEnd,
    grid: Option<Grid>,
    folder: &str,
    pinned: BTreeSet<usize>,
) -> Pack {
    let mut pack = Pack {
        pinned,
        ..Pack::default()
    };
    let (Some(first), Some(last)) = (readings.first(), readings.last()) else {
        return pack;
    };
    let start = if grid.is_some() {
        &first.values
    } else {
        &last.values
    };
    pack.lists(start);
    for (_, field) in Field::ALL {
        let columns: Vec<Vec<f64>> = match grid {
            Some(_) => readings
                .iter()
                .map(|reading| numbers(&reading.values, field))
                .collect(),
            None => vec![numbers(&last.values, field)],
        };
        let items = columns.first().map_or(0, Vec::len);
        for item in 0..items {
            let course: Vec<f64> = columns
                .iter()
                .filter_map(|column| column.get(item).copied())
                .collect();
            pack.field(
                field,
                field.is_list().then_some(item),
                &course,
                grid,
                folder,
            );
        }
    }
    let status = last.values.status.as_ref().map(ToString::to_string);
    if let Some(status) = status.filter(|status| !status.is_empty()) {
        let status: String = status.chars().filter(|c| *c != '\0').collect();
        pack.keys.push(format!("status: {}", scalar(&status)));
        if readings
            .iter()
            .any(|reading| reading.values.status != last.values.status)
        {
            pack.left_out
                .push("the status changed; it stays as it was at the end".to_owned());
        }
    }
    if end(&first.values) != Some(end_here)
        && let Some(end) = end(&first.values)
    {
        pack.keys
            .push(format!("reply_ends_after: {}", end_name(end)));
    }
    pack
}

impl Pack {
    /// What is there, and how the lists begin.
    fn lists(&mut self, start: &BmsValues) {
        let cells = numbers(start, Field::CellVoltages);
        if cells.is_empty() {
            self.keys.push("cells: 0".to_owned());
        } else {
            let volts = cells
                .iter()
                .map(|&volts| written(Field::CellVoltages, volts.clamp(0.0, 32.7)));
            let volts = volts.collect::<Vec<_>>().join(", ");
            self.keys.push(format!("cell_voltages_v: [{volts}]"));
            self.keys.push("noise_mv: 0".to_owned());
            let flags = numbers(start, Field::Balancing);
            self.balanced = flags.iter().all(|&flag| flag == 1.0);
            let word = if self.balanced { "all" } else { "off" };
            self.keys.push(format!("balancing: {word}"));
        }
        let sensors = numbers(start, Field::Temperatures);
        let sensors = sensors
            .iter()
            .map(|&c| written(Field::Temperatures, c.clamp(-327.0, 327.0)));
        let sensors = sensors.collect::<Vec<_>>().join(", ");
        self.keys.push(format!("temperatures_c: [{sensors}]"));
    }

    /// One value over all polls.
    fn field(
        &mut self,
        field: Field,
        item: Option<usize>,
        course: &[f64],
        grid: Option<Grid>,
        folder: &str,
    ) {
        let Some(&value) = course.first() else {
            return;
        };
        let name = field.name();
        if course.iter().any(|value| !value.is_finite()) {
            self.left_out
                .push(format!("{name} was not a finite number and is left at 0"));
            return;
        }
        let which = item.map_or_else(String::new, |item| format!(", item: {item}"));
        let changes = course.iter().any(|other| *other != value);
        match grid {
            Some(grid) if changes => {
                let suffix = item.map_or_else(String::new, |item| format!("-{item}"));
                let file = format!("{folder}/{name}{suffix}.csv");
                let (low, high) = course
                    .iter()
                    .fold((value, value), |(low, high), &v| (low.min(v), high.max(v)));
                let series = scalar(&file);
                self.set.push(format!(
                    "- {{ field: {name}{which}, series: {series} }} # {low} to {high}"
                ));
                self.tables.push((file, series_of(field, course, grid)));
            }
            _ if self.is_given(field, item, value) => {}
            _ => {
                let text = written(field, value);
                match key(field) {
                    Key::Own(_, low, high) if (low..=high).contains(&value) => {
                        self.keys.push(format!("{name}: {text}"));
                    }
                    _ => self
                        .set
                        .push(format!("- {{ field: {name}{which}, to: {text} }}")),
                }
            }
        }
    }

    /// Whether a value comes out without a word about it.
    fn is_given(&self, field: Field, item: Option<usize>, value: f64) -> bool {
        match (field, key(field)) {
            (Field::Balancing, _) => (value == 1.0) == self.balanced,
            (Field::Temperatures, _) => is_filler(value),
            (Field::CellVoltages, _) => item.is_some_and(|item| !self.pinned.contains(&item)),
            (_, Key::Own(usual, ..) | Key::Set(Some(usual))) => value == usual,
            (_, Key::Set(None)) => false,
        }
    }
}

/// A series as steps in the middle between polls, a row for each end of a step.
fn series_of(field: Field, course: &[f64], grid: Grid) -> String {
    let mut rows = String::from("time_s,value\n");
    let mut row = |at: Duration, value: f64| {
        // Writing into a text cannot fail.
        let (seconds, nanos) = (at.as_secs(), at.subsec_nanos());
        let time = format!("{seconds}.{nanos:09}");
        let time = time.trim_end_matches('0').trim_end_matches('.');
        let _ = writeln!(rows, "{time},{}", written(field, value));
    };
    let mut before = None;
    for (poll, &value) in course.iter().enumerate() {
        match before {
            None => row(Duration::ZERO, value),
            Some(before) if before != value => {
                row(grid.step(poll), before);
                row(grid.step(poll), value);
            }
            Some(_) => {}
        }
        before = Some(value);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_number_says_the_count_that_was_read() {
        for raw in (i16::MIN..=i16::MAX).step_by(7) {
            for (field, value) in [
                (Field::CellVoltages, F16::<1000>::from_raw(raw).value()),
                (Field::Temperatures, F16::<100>::from_raw(raw).value()),
                (Field::Pressure, Scaled::<i16, 1, 10>::from_raw(raw).value()),
            ] {
                let text = written(field, value);
                assert_eq!(
                    encoded(field, text.parse().unwrap()),
                    value,
                    "{field:?} {raw} {text}"
                );
            }
        }
        assert_eq!(written(Field::CellVoltages, 4.182), "4.182");
        assert_eq!(written(Field::CellVoltages, 4.002), "4.0021");
    }

    #[test]
    fn a_voltage_that_single_precision_can_hold_is_written_so_that_it_comes_out() {
        // From 128 V on, singles lie more than a step of the product apart, and some counts cannot come out.
        for raw in (67_108_864..128_000_000).step_by(8 * 12_347) {
            let value = F32::<1_000_000>::from_raw(raw).value();
            let text = written(Field::TotalVoltage, value);
            assert_eq!(
                encoded(Field::TotalVoltage, text.parse().unwrap()),
                value,
                "{raw} {text}"
            );
        }
    }

    #[test]
    fn a_series_steps_in_the_middle_between_two_polls() {
        let grid = Grid {
            first: Duration::from_millis(250),
            every: Duration::from_millis(100),
        };
        assert_eq!(
            series_of(Field::CellVoltages, &[4.1, 4.1, 4.2, 4.1], grid),
            "time_s,value\n0,4.1\n0.4,4.1\n0.4,4.2\n0.5,4.2\n0.5,4.1\n"
        );
    }
}
