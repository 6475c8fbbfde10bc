//! What a whole pack does over time, one claim a test.

use veschub_wire::number::Float;

use super::*;

mod commands;

/// Ten cells of 10 mΩ and 10 Ah, half full, without noise.
fn settings() -> BmsSettings {
    BmsSettings {
        cells: Some(10),
        cell_voltage_v: Some(3.72),
        spread_mv: Some(0.0),
        noise_mv: 0.0,
        resistance_mohm: 10.0,
        capacity_ah: 10.0,
        state_of_charge: Some(0.5),
        balancing: Balancing::Off,
        temperatures_c: vec![25.0, 20.0, 99.0, 0.0, -281.0],
        thermal_rise_c_per_w: 10.0,
        thermal_time_constant: crate::duration::Duration(600_000_000_000),
        ..BmsSettings::default()
    }
}

fn seconds(count: f64) -> Time {
    Time::ZERO + Duration::from_secs_f64(count)
}

fn segments(list: &[(f64, f64)]) -> Current {
    let segment = |&(at, current_a): &(f64, f64)| CurrentSegment {
        at: crate::duration::Duration(seconds(at).as_nanos()),
        current_a,
    };
    Current::Profile(list.iter().map(segment).collect())
}

fn pack(change: impl FnOnce(&mut BmsSettings)) -> Bms {
    let mut settings = settings();
    change(&mut settings);
    Bms::new(settings, Seed(1))
}

fn under(current: &[(f64, f64)]) -> Bms {
    pack(|settings| settings.current_a = segments(current))
}

fn total(values: &BmsValues) -> f64 {
    values.total_voltage_v.value()
}

fn totals(values: &BmsValues) -> [f64; 4] {
    let totals = values.totals.unwrap();
    [
        totals.charged_ah,
        totals.charged_wh,
        totals.discharged_ah,
        totals.discharged_wh,
    ]
    .map(Float::value)
}

fn charge(values: &BmsValues) -> f64 {
    values.state_of_charge.unwrap().value()
}

fn close(a: f64, b: f64, within: f64) {
    assert!((a - b).abs() <= within, "{a} and {b}");
}

const RIDE: &[(f64, f64)] = &[
    (0.0, 20.0),
    (30.0, -5.0),
    (45.5, 0.0),
    (60.0, 60.0),
    (200.0, -1.0),
];

#[test]
fn a_load_pulls_the_voltage_down_by_current_times_resistance_and_a_charger_lifts_it() {
    let rest = total(&under(&[]).values(Time::ZERO));
    close(rest, 37.2, 1e-5);
    for current_a in [20.0, 60.0, -5.0] {
        let loaded = total(&under(&[(0.0, current_a)]).values(Time::ZERO));
        close(rest - loaded, current_a * 10.0 * 0.010, 1e-5);
    }
}

#[test]
fn the_voltage_given_is_the_one_without_a_load() {
    let bms = under(&[(0.0, 0.0), (10.0, 50.0), (11.0, 0.0)]);
    let cell = |at| bms.values(seconds(at)).cell_voltages_v[0].value();
    close(cell(9.9), 3.72, 0.001);
    close(cell(10.0), 3.22, 0.001);
    close(cell(11.0), 3.72, 0.002);
}

#[test]
fn the_current_follows_its_profile_and_none_flows_before_it() {
    let bms = under(&[(10.0, 20.0), (30.0, -5.0)]);
    let current = |at| bms.values(seconds(at)).current_a.value();
    assert_eq!(current(0.0), 0.0);
    assert_eq!(current(9.999_999_999), 0.0);
    assert_eq!(current(10.0), 20.0);
    assert_eq!(current(30.0), -5.0);
    assert_eq!(current(1000.0), -5.0);
}

#[test]
fn the_same_moment_gives_the_same_values_in_any_order() {
    let bms = pack(|settings| {
        settings.current_a = segments(RIDE);
        settings.noise_mv = 5.0;
        settings.balancing = Balancing::Automatic;
        settings.spread_mv = Some(50.0);
    });
    let moments: Vec<Time> = (0..300).map(|at| seconds(f64::from(at) * 0.97)).collect();
    let forth: Vec<BmsValues> = moments.iter().map(|&at| bms.values(at)).collect();
    let mut back: Vec<BmsValues> = moments.iter().rev().map(|&at| bms.values(at)).collect();
    back.reverse();
    assert_eq!(forth, back);
}

#[test]
fn the_counters_are_the_integral_of_current_and_power_whatever_the_polling() {
    // The smaller pack's weak cell is empty before the end.
    for capacity_ah in [10.0, 4.0] {
        let bms = pack(|settings| {
            settings.current_a = segments(RIDE);
            settings.balancing = Balancing::Automatic;
            settings.spread_mv = Some(50.0);
            settings.weak_cell = Some(WeakCell {
                cell: 4,
                capacity: 0.6,
                resistance_mohm: 30.0,
            });
            settings.capacity_ah = capacity_ah;
        });
        let end = 250.0;
        let steps = 25_000;
        let width = end / f64::from(steps);
        let [mut ah, mut ah_in, mut wh, mut wh_in] = [0.0; 4];
        for step in 0..steps {
            let values = bms.values(seconds((f64::from(step) + 0.5) * width));
            let moved_ah = values.current_a.value() * width / 3600.0;
            let moved_wh = moved_ah * total(&values);
            ah += moved_ah;
            wh += moved_wh;
            ah_in += (-moved_ah).max(0.0);
            wh_in += (-moved_wh).max(0.0);
        }
        let values = bms.values(seconds(end));
        close(values.counter_ah.value(), ah, 0.0011);
        close(values.counter_wh.value(), wh, 0.01);
        let [charged_ah, charged_wh, discharged_ah, discharged_wh] = totals(&values);
        close(charged_ah, ah_in, 1e-4);
        close(charged_wh, wh_in, 1e-3);
        close(discharged_ah - charged_ah, ah, 1e-4);
        close(discharged_wh - charged_wh, wh, 0.01);
        close(charge(&values), 0.5 - ah / capacity_ah, 0.0011);
    }
}

#[test]
fn the_counters_of_a_profile_are_exact() {
    let [charged_ah, _, discharged_ah, _] = totals(&under(RIDE).values(seconds(250.0)));
    close(charged_ah, (5.0 * 15.5 + 50.0) / 3600.0, 1e-7);
    close(discharged_ah, (20.0 * 30.0 + 60.0 * 140.0) / 3600.0, 1e-6);
}

#[test]
fn a_discharge_ends_when_the_pack_is_empty_and_a_charge_when_it_is_full() {
    // Half of 10 Ah at 60 A: 300 s.
    let bms = under(&[(0.0, 60.0), (1000.0, -60.0)]);
    let at = |time| bms.values(seconds(time));
    assert_eq!(at(299.999).current_a.value(), 60.0);
    assert_eq!(at(300.0).current_a.value(), 0.0);
    assert_eq!(charge(&at(300.0)), 0.0);
    assert_eq!(at(900.0).counter_ah.value(), 5.0);
    assert_eq!(at(1000.0).current_a.value(), -60.0);
    assert_eq!(at(1599.0).current_a.value(), -60.0);
    assert_eq!(at(1600.0).current_a.value(), 0.0);
    assert_eq!(charge(&at(1e9)), 1.0);
    assert_eq!(totals(&at(1e9))[0], 10.0);
    assert_eq!(totals(&at(1e9))[2], 5.0);
}

#[test]
fn a_full_pack_takes_no_more_and_an_empty_one_gives_no_more() {
    let full = pack(|settings| {
        settings.state_of_charge = Some(1.0);
        settings.current_a = segments(&[(0.0, -5.0)]);
    });
    assert_eq!(full.values(Time::ZERO).current_a.value(), 0.0);
    let empty = pack(|settings| {
        settings.state_of_charge = Some(0.0);
        settings.current_a = segments(&[(0.0, 5.0)]);
    });
    assert_eq!(empty.values(seconds(9.0)).current_a.value(), 0.0);
    assert_eq!(empty.values(seconds(9.0)).counter_ah.raw(), 0);
}

#[test]
fn a_weak_cell_runs_away_under_load_and_ends_the_discharge() {
    let bms = pack(|settings| {
        settings.current_a = segments(&[(0.0, 20.0)]);
        settings.weak_cell = Some(WeakCell {
            cell: 7,
            capacity: 0.5,
            resistance_mohm: 15.0,
        });
    });
    let behind = |at| {
        let values = bms.values(seconds(at));
        let cells = values.cell_voltages_v;
        assert!(
            cells
                .iter()
                .enumerate()
                .all(|(i, &cell)| i == 6 || cell == cells[0])
        );
        cells[0].value() - cells[6].value()
    };
    close(behind(0.0), 20.0 * 0.005, 0.001);
    assert!(behind(200.0) > behind(0.0) + 0.03);
    assert!(behind(440.0) > 0.5);
    // It holds 2.5 Ah at the start, and so much the pack gives.
    assert_eq!(bms.values(seconds(449.0)).current_a.value(), 20.0);
    let ended = bms.values(seconds(451.0));
    assert_eq!(ended.current_a.value(), 0.0);
    assert_eq!(ended.counter_ah.value(), 2.5);
    assert_eq!(charge(&ended), 0.25);
}

#[test]
fn a_load_warms_the_sensors_late_and_dummies_never() {
    // 20 A in 10 mΩ are 4 W a cell, 40 °C in the end.
    let bms = under(&[(0.0, 20.0), (600.0, 0.0)]);
    let sensors = |at| {
        let values = bms.values(seconds(at));
        values
            .temperatures_c
            .iter()
            .map(|c| c.value())
            .collect::<Vec<f64>>()
    };
    close(sensors(0.0)[0], 25.0, 0.03);
    close(sensors(600.0)[0], 25.0 + 40.0 * 0.632, 0.05);
    close(sensors(600.0)[1], 20.0 + 40.0 * 0.632, 0.05);
    close(sensors(1200.0)[0], 25.0 + 40.0 * 0.632 * 0.368, 0.05);
    assert_eq!(sensors(600.0)[2..], [99.0, 0.0, -281.0]);
    let values = bms.values(seconds(600.0));
    assert_eq!(values.highest_cell_temperature_c, values.temperatures_c[0]);
}

#[test]
fn set_values_win_and_what_is_computed_from_them_follows() {
    let pinned = |field, item, value| SetValue {
        field,
        item,
        at: crate::duration::Duration(0),
        to: Some(value),
        from: None,
        over: None,
        series: None,
    };
    let bms = pack(|settings| {
        settings.set = vec![
            pinned(Field::CellVoltages, Some(3), 3.2),
            pinned(Field::Temperatures, Some(1), 61.0),
            pinned(Field::StateOfHealth, None, 0.876_9),
        ];
    });
    let values = bms.values(seconds(5.0));
    assert_eq!(values.cell_voltages_v[3].raw(), 3200);
    close(total(&values), 9.0 * 3.72 + 3.2, 1e-4);
    assert_eq!(values.highest_cell_temperature_c.raw(), 6100);
    assert_eq!(values.state_of_health.unwrap().raw(), 876);
    let both = pack(|settings| {
        settings.set = vec![
            pinned(Field::TotalVoltage, None, 50.4),
            pinned(Field::CellVoltages, None, 1.0),
        ];
    });
    assert_eq!(both.values(seconds(5.0)).total_voltage_v.raw(), 50_400_000);
}

#[test]
fn years_and_extremes_stop_at_the_end_of_the_range() {
    let bms = pack(|settings| {
        settings.current_a = segments(&[(0.0, 2147.0)]);
        settings.capacity_ah = 100_000.0;
        settings.resistance_mohm = 10_000.0;
        settings.balancing = Balancing::Automatic;
        settings.spread_mv = Some(5000.0);
    });
    for at in [
        Time::ZERO,
        seconds(3600.0),
        seconds(1e9),
        Time::from_nanos(u64::MAX),
    ] {
        let values = bms.values(at);
        assert_eq!(values.cell_voltages_v.len(), 10);
        assert!(totals(&values).iter().all(|total| total.is_finite()));
        assert!((0.0..=1.0).contains(&charge(&values)));
    }
    let hour = bms.values(seconds(3600.0));
    assert_eq!(hour.cell_voltages_v[0].raw(), i16::MIN);
    assert_eq!(hour.temperatures_c[0].raw(), i16::MAX);
}

#[test]
fn a_pack_of_no_cells_has_no_voltage_and_no_trouble() {
    let bms = pack(|settings| {
        settings.cells = Some(0);
        settings.current_a = segments(&[(0.0, 5.0)]);
    });
    let values = bms.values(seconds(10.0));
    assert_eq!(total(&values), 0.0);
    assert_eq!(values.counter_wh.raw(), 0);
}
