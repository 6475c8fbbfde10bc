//! The frames in which a BMS tells the bus its values (`vesc_express main/bms.c:59-287` reads them).

use veschub_transcript::can::{Frame, Packet, measured};
use veschub_wire::command::BmsValues;

/// Cells or sensors of one frame.
const A_FRAME: usize = 3;
/// Bytes of the status of one frame.
const A_TEXT: usize = 8;

/// All frames of one round, in the order of their numbers.
pub(in crate::device) fn broadcast(node: u8, values: &BmsValues) -> Vec<Frame> {
    let told = |packet, values: &[f64]| measured(packet, node, values);
    let mut frames = vec![
        told(
            Packet::BMS_V_TOT,
            &[
                values.total_voltage_v.value(),
                values.charge_voltage_v.value(),
            ],
        ),
        told(
            Packet::BMS_I,
            &[values.current_a.value(), values.chip_current_a.value()],
        ),
        told(
            Packet::BMS_AH_WH,
            &[values.counter_ah.value(), values.counter_wh.value()],
        ),
    ];
    let cells: Vec<i16> = values
        .cell_voltages_v
        .iter()
        .map(|cell| cell.raw())
        .collect();
    frames.extend(listed(Packet::BMS_V_CELL, node, &cells));
    let mask = values.balancing.iter().enumerate().take(56);
    let mask = mask.fold(0_u64, |mask, (cell, &on)| mask | u64::from(on != 0) << cell);
    let mut balancing = mask.to_be_bytes();
    // 56 bits are left behind the count.
    balancing[0] = cells.len() as u8;
    frames.push(Frame::new(Packet::BMS_BAL, node, &balancing));
    let sensors: Vec<i16> = values.temperatures_c.iter().map(|one| one.raw()).collect();
    frames.extend(listed(Packet::BMS_TEMPS, node, &sensors));
    let mut humidity = vec![
        values.humidity_temperature_c.value(),
        values.humidity_percent.value(),
        values.chip_temperature_c.value(),
    ];
    humidity.extend(values.pressure_pa.map(|pressure| pressure.value()));
    frames.push(told(Packet::BMS_HUM, &humidity));
    frames.push(told(Packet::BMS_SOC_SOH_TEMP_STAT, &state(values)));
    if let Some(totals) = &values.totals {
        frames.push(told(
            Packet::BMS_AH_WH_CHG_TOTAL,
            &[totals.charged_ah.value(), totals.charged_wh.value()],
        ));
        frames.push(told(
            Packet::BMS_AH_WH_DIS_TOTAL,
            &[totals.discharged_ah.value(), totals.discharged_wh.value()],
        ));
    }
    if let Some(status) = &values.status {
        let texts = status
            .as_bytes()
            .chunks(A_TEXT)
            .zip(Packet::BMS_STATUS_1.0..);
        frames.extend(texts.map(|(text, packet)| {
            let mut data = [0; A_TEXT];
            data[..text.len()].copy_from_slice(text);
            Frame::new(Packet(packet), node, &data)
        }));
    }
    frames
}

/// The lowest and the highest cell, and what is known of the pack as a whole.
fn state(values: &BmsValues) -> Vec<f64> {
    let cells = || values.cell_voltages_v.iter().map(|cell| cell.value());
    let share = |share: Option<f64>| share.unwrap_or_default();
    let is_balancing = values.balancing.iter().any(|&on| on != 0);
    vec![
        cells().reduce(f64::min).unwrap_or_default(),
        cells().reduce(f64::max).unwrap_or_default(),
        share(values.state_of_charge.map(|charge| charge.value())),
        share(values.state_of_health.map(|health| health.value())),
        values.highest_cell_temperature_c.value(),
        f64::from(u8::from(values.current_a.value() < 0.0)),
        f64::from(u8::from(is_balancing)),
        1.0,
        f64::from(values.data_version.unwrap_or_default()),
    ]
}

/// Frames with an index, how many there are in all, and up to three of them.
fn listed(packet: Packet, node: u8, values: &[i16]) -> Vec<Frame> {
    let pieces = values.chunks(A_FRAME).enumerate();
    pieces
        .map(|(index, piece)| {
            let mut data = vec![(index * A_FRAME) as u8, values.len() as u8];
            data.extend(piece.iter().flat_map(|value| value.to_be_bytes()));
            Frame::new(packet, node, &data)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use veschub_wire::number::{F16, F32, Text};

    use super::*;

    #[test]
    fn a_round_has_all_cells_and_says_what_the_pack_holds() {
        let values = BmsValues {
            total_voltage_v: F32::truncated(16.7),
            cell_voltages_v: [4180, 4181, 4170, 4190].map(F16::from_raw).to_vec(),
            balancing: vec![0, 0, 0, 1],
            temperatures_c: vec![F16::from_raw(-150)],
            state_of_charge: Some(F16::truncated(0.82)),
            status: Some(Text::from("balancing")),
            ..BmsValues::default()
        };
        let told: Vec<String> = broadcast(10, &values)
            .iter()
            .map(|frame| {
                let (packet, node) = frame.vesc().unwrap();
                assert_eq!(node, 10);
                let fields = packet.fields(frame.data());
                let fields = fields
                    .iter()
                    .map(|(name, value)| format!(" {name}={value}"));
                format!("{packet}{}", fields.collect::<String>())
            })
            .collect();
        assert_eq!(
            told,
            [
                "BMS_V_TOT total_voltage_v=16.7 charge_voltage_v=0",
                "BMS_I current_a=0 chip_current_a=0",
                "BMS_AH_WH counter_ah=0 counter_wh=0",
                "BMS_V_CELL first=0 cells=4 cell_voltages_v=[4.18 4.181 4.17]",
                "BMS_V_CELL first=3 cells=4 cell_voltages_v=[4.19]",
                "BMS_BAL cells=4 balancing=[false false false true]",
                "BMS_TEMPS first=0 sensors=1 temperatures_c=[-1.5]",
                "BMS_HUM humidity_temperature_c=0 humidity_percent=0 chip_temperature_c=0",
                "BMS_SOC_SOH_TEMP_STAT lowest_cell_v=4.17 highest_cell_v=4.19 state_of_charge=0.82 state_of_health=0 \
                 highest_cell_temperature_c=0 is_charging=false is_balancing=true is_charge_allowed=true data_version=0",
                "BMS_STATUS_1 status=\"balancin\"",
                "BMS_STATUS_2 status=\"g\"",
            ]
        );
    }
}
