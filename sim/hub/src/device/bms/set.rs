//! Values that somebody sets: pinned, ramped or given as a series, whatever the pack does.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use veschub_wire::{
    command::{BmsTotals, BmsValues},
    number::{F16, F32, Float, Scaled},
};

use super::{field::Field, settings::SetValue};
use crate::time::Time;

/// Moments since a series was set, earliest first, and the values then; many packs may play one series.
pub type Points = Arc<[(Duration, f64)]>;

/// The series that packs play, by the files that scenarios name.
pub type Series = BTreeMap<String, Points>;

/// How a value goes on from the moment it is set.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Course {
    /// The same from now on.
    Pinned(f64),
    /// From one value to another, then the same from then on.
    Ramp {
        /// The first value.
        from: f64,
        /// The last value.
        to: f64,
        /// The time between them.
        over: Duration,
    },
    /// Through these points, earliest first, straight from each to the next, then the last one's value.
    Series(Points),
}

impl Course {
    /// The value this long after it was set; `None` before a series begins.
    fn value(&self, since: Duration) -> Option<f64> {
        match self {
            Self::Pinned(value) => Some(*value),
            Self::Ramp { from, to, over } if since < *over => {
                let share = since.as_secs_f64() / over.as_secs_f64();
                Some(from + (to - from) * share)
            }
            Self::Ramp { to, .. } => Some(*to),
            Self::Series(points) => {
                let after = points.partition_point(|(at, _)| *at <= since);
                let (start, from) = *points.get(after.checked_sub(1)?)?;
                let Some((end, to)) = points.get(after) else {
                    return Some(from);
                };
                let share = (since - start).as_secs_f64() / (*end - start).as_secs_f64();
                Some(from + (to - from) * share)
            }
        }
    }
}

/// A field that is set from a moment on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Setting {
    field: Field,
    /// Which element of a list, the first is 0; `None` is all of them.
    item: Option<usize>,
    at: Time,
    course: Course,
}

impl Setting {
    /// What a scenario sets. A series that is not among these never begins.
    pub(super) fn new(value: &SetValue, series: &Series) -> Self {
        let course = match (&value.series, value.from, value.to, value.over) {
            (Some(file), ..) => {
                Course::Series(series.get(file).cloned().unwrap_or_else(|| Arc::new([])))
            }
            (None, Some(from), Some(to), Some(over)) => Course::Ramp {
                from,
                to,
                over: over.into(),
            },
            (None, _, to, _) => Course::Pinned(to.unwrap_or_default()),
        };
        Self {
            field: value.field,
            item: value.item,
            at: value.at.get().into(),
            course,
        }
    }

    fn value(&self, now: Time) -> Option<f64> {
        if now < self.at {
            return None;
        }
        self.course.value(now - self.at)
    }
}

/// Sets the elements of a list; of several settings for one element, the last one wins.
pub(super) fn set_list(settings: &[Setting], field: Field, now: Time, list: &mut [f64]) {
    for setting in settings.iter().filter(|setting| setting.field == field) {
        let Some(value) = setting.value(now) else {
            continue;
        };
        match setting.item {
            None => list.fill(value),
            Some(item) => list.iter_mut().skip(item).take(1).for_each(|e| *e = value),
        }
    }
}

/// Sets everything but cells and temperatures, encoded like any other value; what the reply does not hold stays out.
pub(super) fn set_values(settings: &[Setting], now: Time, values: &mut BmsValues) {
    for setting in settings {
        if let Some(value) = setting.value(now) {
            set(values, setting.field, setting.item, value);
        }
    }
}

fn set(values: &mut BmsValues, field: Field, item: Option<usize>, value: f64) {
    fn present<T>(place: &mut Option<T>, value: T) {
        if let Some(place) = place {
            *place = value;
        }
    }
    match field {
        // Others are computed from these, so they were set before.
        Field::CellVoltages | Field::Temperatures => {}
        Field::TotalVoltage => values.total_voltage_v = F32::truncated(value),
        Field::ChargeVoltage => values.charge_voltage_v = F32::truncated(value),
        Field::Current => values.current_a = F32::truncated(value),
        Field::ChipCurrent => values.chip_current_a = F32::truncated(value),
        Field::CounterAh => values.counter_ah = F32::truncated(value),
        Field::CounterWh => values.counter_wh = F32::truncated(value),
        Field::Balancing => {
            let flag = u8::from(value != 0.0);
            let (skipped, taken) = item.map_or((0, usize::MAX), |item| (item, 1));
            let flags = values.balancing.iter_mut().skip(skipped).take(taken);
            flags.for_each(|place| *place = flag);
        }
        Field::ChipTemperature => values.chip_temperature_c = F16::truncated(value),
        Field::HumidityTemperature => values.humidity_temperature_c = F16::truncated(value),
        Field::Humidity => values.humidity_percent = F16::truncated(value),
        Field::HighestCellTemperature => {
            values.highest_cell_temperature_c = F16::truncated(value);
        }
        Field::StateOfCharge => present(&mut values.state_of_charge, F16::truncated(value)),
        Field::StateOfHealth => present(&mut values.state_of_health, F16::truncated(value)),
        Field::CanId => present(&mut values.can_id, value as u8),
        Field::TotalChargedAh
        | Field::TotalChargedWh
        | Field::TotalDischargedAh
        | Field::TotalDischargedWh => {
            if let Some(totals) = &mut values.totals {
                set_total(totals, field, Float::packed(value));
            }
        }
        Field::Pressure => present(&mut values.pressure_pa, Scaled::truncated(value)),
        Field::DataVersion => present(&mut values.data_version, value as u8),
    }
}

fn set_total(totals: &mut BmsTotals, field: Field, value: Float) {
    match field {
        Field::TotalChargedAh => totals.charged_ah = value,
        Field::TotalChargedWh => totals.charged_wh = value,
        Field::TotalDischargedAh => totals.discharged_ah = value,
        _ => totals.discharged_wh = value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: f64) -> Time {
        Time::ZERO + Duration::from_secs_f64(count)
    }

    fn setting(field: Field, at: f64, course: Course) -> Setting {
        Setting {
            field,
            item: None,
            at: seconds(at),
            course,
        }
    }

    #[test]
    fn a_ramp_begins_at_its_time_goes_straight_and_holds_its_end() {
        let ramp = Course::Ramp {
            from: 4.0,
            to: 3.0,
            over: Duration::from_secs(10),
        };
        let ramp = setting(Field::CellVoltages, 5.0, ramp);
        assert_eq!(ramp.value(seconds(4.999)), None);
        assert_eq!(ramp.value(seconds(5.0)), Some(4.0));
        assert_eq!(ramp.value(seconds(10.0)), Some(3.5));
        assert_eq!(ramp.value(seconds(15.0)), Some(3.0));
        assert_eq!(ramp.value(seconds(1e9)), Some(3.0));
    }

    #[test]
    fn a_series_goes_straight_from_point_to_point_and_holds_the_last() {
        let point = |at, value| (Duration::from_secs(at), value);
        let points = vec![point(1, 0.0), point(3, 10.0), point(3, 20.0), point(5, 0.0)];
        let series = setting(Field::Current, 1.0, Course::Series(points.into()));
        assert_eq!(series.value(seconds(1.5)), None);
        assert_eq!(series.value(seconds(2.0)), Some(0.0));
        assert_eq!(series.value(seconds(3.0)), Some(5.0));
        assert_eq!(series.value(seconds(4.0)), Some(20.0));
        assert_eq!(series.value(seconds(5.0)), Some(10.0));
        assert_eq!(series.value(seconds(99.0)), Some(0.0));
    }

    #[test]
    fn of_several_settings_the_last_one_that_began_wins() {
        let settings = [
            setting(Field::Temperatures, 0.0, Course::Pinned(20.0)),
            Setting {
                item: Some(1),
                ..setting(Field::Temperatures, 2.0, Course::Pinned(80.0))
            },
            Setting {
                item: Some(9),
                ..setting(Field::Temperatures, 0.0, Course::Pinned(50.0))
            },
        ];
        let at = |time| {
            let mut list = [1.0, 1.0, 1.0];
            set_list(&settings, Field::Temperatures, seconds(time), &mut list);
            list
        };
        assert_eq!(at(1.0), [20.0, 20.0, 20.0]);
        assert_eq!(at(2.0), [20.0, 80.0, 20.0]);
    }

    #[test]
    fn what_the_reply_does_not_hold_stays_out() {
        let mut values = BmsValues::default();
        let settings: Vec<Setting> = Field::ALL
            .iter()
            .map(|&(_, field)| setting(field, 0.0, Course::Pinned(1.5)))
            .collect();
        set_values(&settings, Time::ZERO, &mut values);
        assert_eq!(values.state_of_charge, None);
        assert_eq!(values.totals, None);
        assert_eq!(values.data_version, None);
        assert_eq!(values.current_a.value(), 1.5);
    }

    #[test]
    fn set_values_are_truncated_and_stop_at_the_end_of_the_range() {
        let mut values = BmsValues {
            can_id: Some(7),
            totals: Some(BmsTotals::default()),
            balancing: vec![0, 0],
            ..BmsValues::default()
        };
        for (field, value) in [
            (Field::HumidityTemperature, 1.239),
            (Field::TotalVoltage, 1e9),
            (Field::CanId, 300.0),
            (Field::TotalDischargedWh, 1234.5),
            (Field::Balancing, 1.0),
        ] {
            set(&mut values, field, None, value);
        }
        set(&mut values, Field::Balancing, Some(0), 0.0);
        assert_eq!(values.humidity_temperature_c.raw(), 123);
        assert_eq!(values.total_voltage_v.raw(), i32::MAX);
        assert_eq!(values.can_id, Some(255));
        assert_eq!(values.totals.unwrap().discharged_wh.value(), 1234.5);
        assert_eq!(values.balancing, [0, 1]);
    }
}
