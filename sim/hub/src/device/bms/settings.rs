//! What a battery is like at the start of a run, and what is to happen to it.

use std::time::Duration;

use super::{curve::Chemistry, set::Setting};
use crate::time::Time;

/// Where a reply ends: firmware has lengthened it over the years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReplyEnd {
    /// After the highest cell temperature: before 5.02.
    HighestCellTemperature,
    /// After the state of health: 5.02.
    StateOfHealth,
    /// After the CAN id: 5.03 test 6.
    CanId,
    /// After the four totals: 5.03 test 18.
    Totals,
    /// After the pressure: 6.05.
    Pressure,
    /// After the data version: 6.06 test 3.
    DataVersion,
    /// After the status text: 6.06.
    Status,
}

/// Which cells are being balanced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Balancing {
    /// None.
    Off,
    /// All, as some devices report it; none of them comes down.
    All,
    /// The cells above the lowest one by more than [`BALANCE_MARGIN_V`](super::BALANCE_MARGIN_V), which slowly come
    /// down.
    Automatic,
}

/// A current that flows from a moment on, until the next one begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segment {
    /// When it begins.
    pub at: Time,
    /// The current, A; positive discharges.
    pub current_a: f64,
}

/// A cell that holds less than the others and resists more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeakCell {
    /// Which one; the first is 0.
    pub index: usize,
    /// Its share of the others' capacity, above 0 and up to 1.
    pub capacity: f64,
    /// Its internal resistance, Ω.
    pub resistance_ohm: f64,
}

/// How a pack warms up and cools down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thermal {
    /// What the sensors settle at without a load, °C; `None` is where each of them starts.
    pub ambient_c: Option<f64>,
    /// How much warmer than its surroundings a cell ends up for each watt of heat in it, °C.
    pub rise_c_per_w: f64,
    /// After this time, 63 % of a change are done.
    pub time_constant: Duration,
}

/// What a pack is like at the start of the run, and what is to happen to it.
#[derive(Clone, Debug, PartialEq)]
pub struct BmsSettings {
    /// What the cells are made of.
    pub chemistry: Chemistry,
    /// How many cells are in series.
    pub cells: usize,
    /// Mean open-circuit cell voltage, V.
    pub cell_voltage_v: f64,
    /// Distance between the lowest and the highest cell, V.
    pub spread_v: f64,
    /// Cell voltages given one by one, V; they replace the three above.
    pub cell_voltages_v: Option<Vec<f64>>,
    /// Random part of each cell measurement, ± V.
    pub noise_v: f64,
    /// Internal resistance of each cell, Ω.
    pub resistance_ohm: f64,
    /// A cell that is worse than the others.
    pub weak_cell: Option<WeakCell>,
    /// Current from the start on, A; positive discharges.
    pub current_a: f64,
    /// What the current becomes later, earliest first.
    pub current_changes: Vec<Segment>,
    /// Error of the BMS chip's own current measurement, A.
    pub chip_offset_a: f64,
    /// Charge between empty and full, Ah.
    pub capacity_ah: f64,
    /// Reported state of charge, 0 to 1; `None` reports 0 as devices do where nobody computes it.
    pub state_of_charge: Option<f64>,
    /// Reported state of health, 0 to 1.
    pub state_of_health: f64,
    /// Voltage at the charge input, V.
    pub charge_voltage_v: f64,
    /// Which cells are being balanced.
    pub balancing: Balancing,
    /// The temperature sensors, °C.
    pub temperatures_c: Vec<f64>,
    /// How the sensors follow the load.
    pub thermal: Thermal,
    /// Temperature of the BMS chip, °C.
    pub chip_temperature_c: f64,
    /// Temperature of the humidity sensor, °C.
    pub humidity_temperature_c: f64,
    /// Humidity, %.
    pub humidity_percent: f64,
    /// Air pressure, Pa.
    pub pressure_pa: f64,
    /// CAN id of the BMS, 255 for none.
    pub can_id: u8,
    /// Version of the data's meaning.
    pub data_version: u8,
    /// What the BMS says of itself.
    pub status: String,
    /// Where the reply ends.
    pub reply_end: ReplyEnd,
    /// Values that are reported whatever the pack does.
    pub set: Vec<Setting>,
}

/// A pack of 20 lithium-ion cells at rest, as a scenario has it that says no more.
impl Default for BmsSettings {
    fn default() -> Self {
        Self {
            chemistry: Chemistry::LiIon,
            cells: 20,
            cell_voltage_v: 3.9,
            spread_v: 0.008,
            cell_voltages_v: None,
            noise_v: 0.0005,
            // Several cylindrical cells beside one another, as 20 Ah take.
            resistance_ohm: 0.003,
            weak_cell: None,
            current_a: 0.0,
            current_changes: Vec::new(),
            chip_offset_a: 0.0,
            capacity_ah: 20.0,
            state_of_charge: None,
            state_of_health: 1.0,
            charge_voltage_v: 0.0,
            balancing: Balancing::Automatic,
            temperatures_c: vec![25.0, 24.5],
            thermal: Thermal::default(),
            chip_temperature_c: 32.0,
            humidity_temperature_c: 0.0,
            humidity_percent: 0.0,
            pressure_pa: 0.0,
            can_id: 255,
            data_version: 0,
            status: String::new(),
            reply_end: ReplyEnd::Status,
            set: Vec::new(),
        }
    }
}

/// Sensors that stay where they start without a load, and get 22 °C warmer under 30 A with the default resistance.
impl Default for Thermal {
    fn default() -> Self {
        Self {
            ambient_c: None,
            rise_c_per_w: 8.0,
            time_constant: Duration::from_secs(20 * 60),
        }
    }
}
