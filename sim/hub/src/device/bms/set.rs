//! Values that somebody sets: pinned, ramped or given as a series, whatever the pack does.

use veschub_wire::{
    command::{BmsTotals, BmsValues},
    number::{F16, F32, Float, Scaled},
};

use super::field::Field;
use crate::{device::course, time::Time};

/// A field that is set from a moment on.
pub(super) type Setting = course::Setting<Field>;

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
    use std::time::Duration;

    use super::*;
    use crate::device::course::Course;

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
