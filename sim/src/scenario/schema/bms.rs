//! The battery behind a device: what its BMS reports.

use schemars::JsonSchema;
use serde::Deserialize;

/// A BMS.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Bms {
    /// How many cells are in series: 0 to 50.
    pub cells: Option<usize>,
    /// Mean cell voltage at the start, V.
    pub cell_voltage_v: Option<f64>,
    /// Distance between the lowest and the highest cell, mV.
    pub spread_mv: Option<f64>,
    /// Each cell's voltage at the start, V, instead of the three above.
    pub cell_voltages_v: Option<Vec<f64>>,
    /// Random part of a cell measurement, ± mV.
    pub noise_mv: Option<f64>,
    /// Current, A; positive discharges, negative charges.
    pub current_a: Option<f64>,
    /// Charge between empty and full, Ah.
    pub capacity_ah: Option<f64>,
    /// Reported state of charge at the start, 0 to 1; without it, 0 is reported all the time.
    pub state_of_charge: Option<f64>,
    /// Reported state of health, 0 to 1.
    pub state_of_health: Option<f64>,
    /// Voltage at the charge input, V.
    pub charge_voltage_v: Option<f64>,
    /// Which cells are being balanced.
    pub balancing: Balancing,
    /// The temperature sensors, °C: up to 50.
    pub temperatures_c: Option<Vec<f64>>,
    /// Temperature of the BMS chip, °C.
    pub chip_temperature_c: Option<f64>,
    /// Temperature of the humidity sensor, °C.
    pub humidity_temperature_c: Option<f64>,
    /// Humidity, %.
    pub humidity_percent: Option<f64>,
    /// Air pressure, Pa.
    pub pressure_pa: Option<f64>,
    /// CAN id of the BMS; 255, the default, is none.
    pub can_id: Option<u8>,
    /// Version of the data's meaning, from firmware 6.06 on.
    pub data_version: Option<u8>,
    /// What the BMS says of itself, up to 40 bytes, from firmware 6.06 on.
    pub status: Option<String>,
    /// Where replies end, if not where the device's firmware ends them.
    pub reply_ends_after: Option<ReplyEnd>,
}

/// Which cells are being balanced.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Balancing {
    /// None.
    Off,
    /// All of them.
    All,
    /// Those above the lowest, which slowly come down.
    #[default]
    Automatic,
}

/// Where a BMS reply ends.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReplyEnd {
    /// Before 5.02.
    HighestCellTemperature,
    /// 5.02.
    StateOfHealth,
    /// 5.03 test 6.
    CanId,
    /// 5.03 test 18.
    Totals,
    /// 6.05.
    Pressure,
    /// 6.06 test 3.
    DataVersion,
    /// 6.06.
    Status,
}
