//! What an Express holds of a BMS that it hears on the CAN bus.
//!
//! The BMS broadcasts its values in frames (`EX main/bms.c:59-287`). Voltages of the pack, currents and counters come
//! as singles and stay what they were. The rest comes as scaled integers; the Express turns them into singles, and
//! encodes these again when a tool asks. Both steps cut off, so some integers come out one lower.

use veschub_wire::{
    command::BmsValues,
    number::{F16, Raw, Scaled},
};

/// How many steps a state of charge or health has on the bus.
const STEPS: f32 = 255.0;

/// What an Express reports of a pack that reports these values itself: cells and sensors may lose a count, states of
/// charge and health come in 255ths, the highest cell temperature in whole °C, the data version in four bits.
pub(in crate::device) fn over_can(values: &BmsValues) -> BmsValues {
    BmsValues {
        cell_voltages_v: values.cell_voltages_v.iter().map(relayed).collect(),
        // One bit a cell.
        balancing: values.balancing.iter().map(|&b| u8::from(b != 0)).collect(),
        temperatures_c: values.temperatures_c.iter().map(relayed).collect(),
        chip_temperature_c: relayed(&values.chip_temperature_c),
        humidity_temperature_c: relayed(&values.humidity_temperature_c),
        humidity_percent: relayed(&values.humidity_percent),
        highest_cell_temperature_c: {
            let whole = values.highest_cell_temperature_c.value() as i8;
            F16::truncated(f64::from(whole))
        },
        state_of_charge: values.state_of_charge.map(in_steps),
        state_of_health: values.state_of_health.map(in_steps),
        pressure_pa: values.pressure_pa.as_ref().map(relayed),
        data_version: values.data_version.map(|version| version & 0x0F),
        ..values.clone()
    }
}

/// Decoded into a single by who hears it, and encoded from that again.
fn relayed<R: Raw, const PER_UNIT: u32, const UNITS: u32>(
    value: &Scaled<R, PER_UNIT, UNITS>,
) -> Scaled<R, PER_UNIT, UNITS> {
    let raw: f64 = value.raw().into();
    let scale = (f64::from(PER_UNIT) / f64::from(UNITS)) as f32;
    Scaled::truncated(f64::from(raw as f32 / scale))
}

fn in_steps(value: F16<1000>) -> F16<1000> {
    let steps = (value.value() as f32 * STEPS) as u8;
    F16::truncated(f64::from(f32::from(steps) / STEPS))
}

#[cfg(test)]
mod tests {
    use veschub_wire::number::F32;

    use super::*;

    #[test]
    fn of_all_cell_values_740_lose_one_count() {
        let cells: Vec<F16<1000>> = (i16::MIN..=i16::MAX).map(F16::from_raw).collect();
        let values = BmsValues {
            cell_voltages_v: cells.clone(),
            ..BmsValues::default()
        };
        let heard = over_can(&values).cell_voltages_v;
        let lost: Vec<(i16, i16)> = cells
            .iter()
            .zip(&heard)
            .map(|(sent, heard)| (sent.raw(), heard.raw()))
            .filter(|(sent, heard)| sent != heard)
            .collect();
        assert_eq!(lost.len(), 740);
        assert!(
            lost.iter()
                .all(|(sent, heard)| sent.abs() - heard.abs() == 1)
        );
        assert!(lost.contains(&(4002, 4001)) && lost.contains(&(4015, 4014)));
        assert!(!lost.iter().any(|(sent, _)| [3999, 4182].contains(sent)));
    }

    #[test]
    fn of_all_temperatures_4582_lose_one_count_and_no_pressure_does() {
        let all = || i16::MIN..=i16::MAX;
        let sensor = |raw| relayed(&F16::<100>::from_raw(raw)).raw() != raw;
        let pressure = |raw| relayed(&Scaled::<i16, 1, 10>::from_raw(raw)).raw() != raw;
        assert_eq!(all().filter(|&raw| sensor(raw)).count(), 4582);
        assert_eq!(all().filter(|&raw| pressure(raw)).count(), 0);
    }

    #[test]
    fn states_come_in_255ths_and_the_highest_temperature_in_whole_degrees() {
        let values = BmsValues {
            state_of_charge: Some(F16::truncated(0.82)),
            state_of_health: Some(F16::truncated(1.0)),
            highest_cell_temperature_c: F16::truncated(-3.9),
            data_version: Some(0x21),
            ..BmsValues::default()
        };
        let heard = over_can(&values);
        // 209 of 255.
        assert_eq!(heard.state_of_charge.unwrap().raw(), 819);
        assert_eq!(heard.state_of_health.unwrap().raw(), 1000);
        assert_eq!(heard.highest_cell_temperature_c.raw(), -300);
        assert_eq!(heard.data_version, Some(1));
    }

    #[test]
    fn a_temperature_that_no_byte_holds_stops_at_the_end_of_the_range() {
        let values = BmsValues {
            highest_cell_temperature_c: F16::truncated(250.0),
            ..BmsValues::default()
        };
        assert_eq!(over_can(&values).highest_cell_temperature_c.raw(), 12_700);
    }

    #[test]
    fn what_travels_as_a_single_stays_what_it_was() {
        let values = BmsValues {
            total_voltage_v: F32::truncated(83.774),
            current_a: F32::truncated(-12.345_678),
            counter_ah: F32::truncated(1.234),
            balancing: vec![0, 1, 7],
            can_id: Some(10),
            ..BmsValues::default()
        };
        let heard = over_can(&values);
        assert_eq!(heard.total_voltage_v, values.total_voltage_v);
        assert_eq!(heard.current_a, values.current_a);
        assert_eq!(heard.counter_ah, values.counter_ah);
        assert_eq!(heard.balancing, [0, 1, 1]);
        assert_eq!(heard.can_id, Some(10));
        assert_eq!(heard.state_of_charge, None);
    }
}
