//! A synthesised battery: what its BMS reports as a function of time.
//!
//! Every value is computed from the time since the start of the run, never stepped: however often a client asks, and
//! in whatever order, the same moment gives the same values. Positive currents discharge the pack, as in the BMS
//! firmware (`BM main.c`).

use std::time::Duration;

use rand::RngExt;
use veschub_wire::{
    command::{BmsTotals, BmsValues},
    number::{F16, F32, Float, Scaled, Text},
};

use crate::{rng::Seed, time::Time};

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Balancing {
    /// None.
    Off,
    /// All, as some devices report it.
    All,
    /// The cells above the lowest one by more than [`BALANCE_MARGIN_V`], which slowly come down.
    Automatic,
}

/// How far above the lowest cell automatic balancing begins, V.
pub const BALANCE_MARGIN_V: f64 = 0.005;
/// How fast a balanced cell comes down, V per second.
const BLEED_V_PER_S: f64 = 0.001 / 60.0;
/// Measurements change this often: about three times a second on the device that was measured.
const SAMPLE_TIME: Duration = Duration::from_millis(333);

/// What a pack is like at the start of the run.
#[derive(Clone, Debug, PartialEq)]
pub struct BmsSettings {
    /// How many cells are in series.
    pub cells: usize,
    /// Mean open-circuit cell voltage, V.
    pub cell_voltage_v: f64,
    /// Distance between the lowest and the highest cell, V.
    pub spread_v: f64,
    /// Cell voltages given one by one, V; they replace the two above.
    pub cell_voltages_v: Option<Vec<f64>>,
    /// Random part of each cell measurement, ± V.
    pub noise_v: f64,
    /// Current, A; positive discharges.
    pub current_a: f64,
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
}

/// A simulated BMS.
#[derive(Clone, Debug)]
pub struct Bms {
    settings: BmsSettings,
    seed: Seed,
    /// Each cell's distance from the mean at the start, V.
    offsets: Vec<f64>,
    mean_v: f64,
    /// State of charge at the start that the cell voltage stands for.
    start: f64,
}

impl Bms {
    /// A BMS; the seed decides how the cells differ and what the noise is.
    #[must_use]
    pub fn new(settings: BmsSettings, seed: Seed) -> Self {
        let (mean_v, offsets) = match &settings.cell_voltages_v {
            Some(cells) => {
                let mean = cells.iter().sum::<f64>() / cells.len().max(1) as f64;
                (mean, cells.iter().map(|cell| cell - mean).collect())
            }
            None => {
                let spread = spread(settings.cells, settings.spread_v, seed);
                (settings.cell_voltage_v, spread)
            }
        };
        let start = settings
            .state_of_charge
            .unwrap_or_else(|| charge_at(mean_v));
        Self {
            settings,
            seed: seed.derive("noise"),
            offsets,
            mean_v,
            start,
        }
    }

    /// What the BMS reports at this moment.
    #[must_use]
    pub fn values(&self, at: Time) -> BmsValues {
        let settings = &self.settings;
        let mut noise = self.noise_at(at);
        let drawn_ah = settings.current_a * at.as_secs_f64() / 3600.0;
        let charge = (self.start - drawn_ah / settings.capacity_ah).clamp(0.0, 1.0);
        let (levels, balancing) = self.cells(at, charge);
        let cells: Vec<f64> = levels
            .iter()
            .map(|level| level + noise(settings.noise_v))
            .collect();
        let total_v: f64 = cells.iter().sum();
        // The mean voltage on the way is close enough to the voltage now for a counter.
        let drawn_wh = drawn_ah * total_v;
        let temperatures: Vec<f64> = settings
            .temperatures_c
            .iter()
            .map(|&sensor| {
                if is_dummy(sensor) {
                    sensor
                } else {
                    sensor + noise(0.02)
                }
            })
            .collect();
        let sensed = temperatures.iter().copied().filter(|&c| !is_dummy(c));
        let highest = sensed.fold(f64::NEG_INFINITY, f64::max);
        let mut values = BmsValues {
            total_voltage_v: F32::truncated(total_v),
            charge_voltage_v: F32::truncated(settings.charge_voltage_v),
            current_a: F32::truncated(settings.current_a),
            chip_current_a: F32::truncated(settings.current_a + noise(0.01)),
            counter_ah: F32::truncated(drawn_ah),
            counter_wh: F32::truncated(drawn_wh),
            cell_voltages_v: cells.iter().map(|&cell| F16::truncated(cell)).collect(),
            balancing: balancing.into_iter().map(u8::from).collect(),
            temperatures_c: temperatures.iter().map(|&c| F16::truncated(c)).collect(),
            chip_temperature_c: F16::truncated(settings.chip_temperature_c + noise(0.1)),
            humidity_temperature_c: F16::truncated(settings.humidity_temperature_c),
            humidity_percent: F16::truncated(settings.humidity_percent),
            highest_cell_temperature_c: F16::truncated(if highest.is_finite() {
                highest
            } else {
                0.0
            }),
            ..BmsValues::default()
        };
        self.add_tail(&mut values, charge, drawn_ah, drawn_wh);
        values
    }

    fn add_tail(&self, values: &mut BmsValues, charge: f64, drawn_ah: f64, drawn_wh: f64) {
        let settings = &self.settings;
        let reaches = |end| settings.reply_end >= end;
        if reaches(ReplyEnd::StateOfHealth) {
            let reported = settings.state_of_charge.map_or(0.0, |_| charge);
            values.state_of_charge = Some(F16::truncated(reported));
            values.state_of_health = Some(F16::truncated(settings.state_of_health));
        }
        if reaches(ReplyEnd::CanId) {
            values.can_id = Some(settings.can_id);
        }
        if reaches(ReplyEnd::Totals) {
            values.totals = Some(BmsTotals {
                charged_ah: Float::packed((-drawn_ah).max(0.0)),
                charged_wh: Float::packed((-drawn_wh).max(0.0)),
                discharged_ah: Float::packed(drawn_ah.max(0.0)),
                discharged_wh: Float::packed(drawn_wh.max(0.0)),
            });
        }
        if reaches(ReplyEnd::Pressure) {
            values.pressure_pa = Some(Scaled::truncated(settings.pressure_pa));
        }
        if reaches(ReplyEnd::DataVersion) {
            values.data_version = Some(settings.data_version);
        }
        if reaches(ReplyEnd::Status) {
            values.status = Some(Text::from(settings.status.as_str()));
        }
    }

    /// Cell voltages without noise, and which cells are being balanced.
    fn cells(&self, at: Time, charge: f64) -> (Vec<f64>, Vec<bool>) {
        let mean = self.mean_v + open_circuit_v(charge) - open_circuit_v(self.start);
        let lowest = self.offsets.iter().copied().fold(f64::INFINITY, f64::min);
        let ceiling = lowest + BALANCE_MARGIN_V;
        let bled = at.as_secs_f64() * BLEED_V_PER_S;
        let cell = |&offset: &f64| match self.settings.balancing {
            Balancing::Off => (mean + offset, false),
            Balancing::All => (mean + offset, true),
            Balancing::Automatic if offset <= ceiling => (mean + offset, false),
            Balancing::Automatic => {
                let level = (offset - bled).max(ceiling);
                (mean + level, level > ceiling)
            }
        };
        self.offsets.iter().map(cell).unzip()
    }

    /// A source of noise that depends on the moment alone.
    fn noise_at(&self, at: Time) -> impl FnMut(f64) -> f64 {
        let sample = at.since_start().as_nanos() / SAMPLE_TIME.as_nanos();
        let mut rng = self.seed.stream(sample as u64);
        move |amplitude| amplitude * (rng.random::<f64>() * 2.0 - 1.0)
    }
}

/// Sensors that measure nothing: broken (-280 °C and below), filler (99 °C) or absent (0 °C).
fn is_dummy(temperature_c: f64) -> bool {
    temperature_c <= -280.0 || temperature_c == 99.0 || temperature_c == 0.0
}

/// Offsets between -half and +half of the spread, both ends taken where there are two cells or more.
fn spread(cells: usize, spread_v: f64, seed: Seed) -> Vec<f64> {
    let mut rng = seed.derive("cells").stream(0);
    let mut offsets: Vec<f64> = (0..cells).map(|_| rng.random::<f64>()).collect();
    let low = offsets.iter().copied().fold(f64::INFINITY, f64::min);
    let high = offsets.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let range = high - low;
    for offset in &mut offsets {
        let share = if range > 0.0 {
            (*offset - low) / range
        } else {
            0.5
        };
        *offset = (share - 0.5) * spread_v;
    }
    offsets
}

/// A lithium-ion cell's open-circuit voltage, V, by its state of charge in tenths: a smoothed, typical curve.
const OPEN_CIRCUIT_V: [f64; 11] = [
    3.00, 3.42, 3.55, 3.61, 3.66, 3.72, 3.81, 3.91, 4.00, 4.09, 4.20,
];

fn open_circuit_v(charge: f64) -> f64 {
    let tenths = charge.clamp(0.0, 1.0) * 10.0;
    let index = (tenths as usize).min(9);
    let share = tenths - index as f64;
    OPEN_CIRCUIT_V[index] * (1.0 - share) + OPEN_CIRCUIT_V[index + 1] * share
}

/// The state of charge at which a cell has this open-circuit voltage.
fn charge_at(voltage_v: f64) -> f64 {
    let Some(index) = OPEN_CIRCUIT_V.iter().rposition(|&v| v <= voltage_v) else {
        return 0.0;
    };
    if index == 10 {
        return 1.0;
    }
    let (low, high) = (OPEN_CIRCUIT_V[index], OPEN_CIRCUIT_V[index + 1]);
    (index as f64 + (voltage_v - low) / (high - low)) / 10.0
}
