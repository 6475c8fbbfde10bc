//! A BMS made from its description.

use crate::{
    device::bms::{self, BmsSettings},
    scenario::schema,
};

pub(super) fn bms_settings(express: &schema::Express) -> BmsSettings {
    let absent = schema::Bms {
        cells: Some(0),
        temperatures_c: Some(Vec::new()),
        chip_temperature_c: Some(0.0),
        state_of_health: Some(0.0),
        charge_voltage_v: Some(0.0),
        ..schema::Bms::default()
    };
    let bms = express.bms.as_ref().unwrap_or(&absent);
    BmsSettings {
        cells: bms.cells.unwrap_or(20),
        cell_voltage_v: bms.cell_voltage_v.unwrap_or(3.9),
        spread_v: bms.spread_mv.unwrap_or(8.0) / 1000.0,
        cell_voltages_v: bms.cell_voltages_v.clone(),
        noise_v: bms.noise_mv.unwrap_or(0.5) / 1000.0,
        current_a: bms.current_a.unwrap_or(0.0),
        capacity_ah: bms.capacity_ah.unwrap_or(20.0),
        state_of_charge: bms.state_of_charge,
        state_of_health: bms.state_of_health.unwrap_or(1.0),
        charge_voltage_v: bms.charge_voltage_v.unwrap_or(0.0),
        balancing: match bms.balancing {
            schema::Balancing::Off => bms::Balancing::Off,
            schema::Balancing::All => bms::Balancing::All,
            schema::Balancing::Automatic => bms::Balancing::Automatic,
        },
        temperatures_c: bms
            .temperatures_c
            .clone()
            .unwrap_or_else(|| vec![25.0, 24.5]),
        chip_temperature_c: bms.chip_temperature_c.unwrap_or(32.0),
        humidity_temperature_c: bms.humidity_temperature_c.unwrap_or(0.0),
        humidity_percent: bms.humidity_percent.unwrap_or(0.0),
        pressure_pa: bms.pressure_pa.unwrap_or(0.0),
        can_id: bms.can_id.unwrap_or(255),
        data_version: bms.data_version.unwrap_or(0),
        status: bms.status.clone().unwrap_or_default(),
        reply_end: bms
            .reply_ends_after
            .map_or_else(|| firmware_end(express.firmware), reply_end),
    }
}

/// Where a firmware ends its replies.
pub(super) fn firmware_end(firmware: schema::ExpressFirmware) -> bms::ReplyEnd {
    match firmware {
        schema::ExpressFirmware::V6_05 => bms::ReplyEnd::Pressure,
        schema::ExpressFirmware::V6_06 | schema::ExpressFirmware::V7_00 => bms::ReplyEnd::Status,
    }
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
