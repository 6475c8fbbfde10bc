//! A synthesised battery: what its BMS reports as a function of time.
//!
//! Every value is computed from the time since the start of the run and the commands so far, never stepped: however
//! often a client asks, the same moment gives the same values. Positive currents discharge the pack, as in the BMS
//! firmware (`BM main.c`).
//!
//! ```text
//! settings ─> pack (cells, limits) ─┐
//! commands ─> balance, charging ────┼─> timeline (current, Ah, Wh, heat) ─> values ─> set ─> encoded
//!             curve, thermal ───────┘                                                           └─> over_can
//! ```

mod balance;
mod broadcast;
mod curve;
mod field;
mod over_can;
mod pack;
mod reply_end;
mod set;
mod settings;
#[cfg(test)]
mod tests;
mod thermal;
mod timeline;

use std::{mem, time::Duration};

use rand::RngExt;
use veschub_wire::{
    command::{BmsCommand, BmsTotals, BmsValues},
    number::{F16, F32, Float, Scaled, Text},
};

use self::{
    balance::Balance,
    pack::Pack,
    set::{Setting, set_list, set_values},
    thermal::is_dummy,
    timeline::{Flow, Rules, Segment, Timeline},
};
pub use self::{
    balance::{BALANCE_MARGIN_V, Balancing},
    curve::Chemistry,
    field::Field,
    reply_end::ReplyEnd,
    settings::{BmsSettings, Current, CurrentSegment, SetValue, WeakCell},
};
pub use super::course::{Points, Series};
use super::{
    course::Settings,
    steer::{Pinned, Release, SetCommand, SetError},
};
pub(super) use broadcast::broadcast;
pub(super) use curve::Curve;
pub(super) use over_can::over_can;
pub(super) use thermal::Thermal;

use crate::{rng::Seed, time::Time};

/// Measurements change this often: about three times a second on the device that was measured.
const SAMPLE_TIME: Duration = Duration::from_millis(333);

/// A simulated BMS.
#[derive(Clone, Debug)]
pub struct Bms {
    settings: BmsSettings,
    seed: Seed,
    pack: Pack,
    /// What the sensors show at the start, °C.
    sensors_c: Vec<f64>,
    thermal: Thermal,
    reply_end: ReplyEnd,
    /// Values that are reported whatever the pack does.
    set: Settings<Field>,
    /// The current that the load and the charger want.
    profile: Vec<Segment>,
    balance: Balance,
    charge_allowed: bool,
    /// Error of the chip's current measurement, A.
    chip_offset_a: f64,
    timeline: Timeline,
    last_command: Time,
    /// What had been drawn when the charge counter was reset, Ah.
    reset_ah: f64,
    /// The same for the energy counter, Wh.
    reset_wh: f64,
}

impl Bms {
    /// A BMS; the seed decides how the cells differ and what the noise is.
    #[must_use]
    pub fn new(settings: BmsSettings, seed: Seed) -> Self {
        let (pack, levels) = Pack::new(&settings, seed);
        let balance = Balance::new(settings.balancing, levels);
        let profile = Segment::of(&settings.current_a);
        let thermal = Thermal {
            ambient_c: settings.ambient_c,
            rise_c_per_w: settings.thermal_rise_c_per_w,
            time_constant: settings.thermal_time_constant.into(),
        };
        let rules = Rules {
            pack: &pack,
            balance: &balance,
            thermal: &thermal,
            profile: &profile,
            charge_allowed: true,
        };
        let timeline = Timeline::plan(rules, Time::ZERO, Flow::default());
        Self {
            seed: seed.derive("noise"),
            chip_offset_a: settings.chip_offset_a,
            sensors_c: settings.sensors_c(),
            reply_end: settings.reply_ends_after.unwrap_or(ReplyEnd::Status),
            set: Self::set(&settings, &Series::new()),
            settings,
            pack,
            thermal,
            profile,
            balance,
            charge_allowed: true,
            timeline,
            last_command: Time::ZERO,
            reset_ah: 0.0,
            reset_wh: 0.0,
        }
    }

    /// The same BMS with firmware that ends its replies there, unless the settings say something else.
    #[must_use]
    pub fn ending_at(mut self, firmware_end: ReplyEnd) -> Self {
        self.reply_end = self.settings.reply_ends_after.unwrap_or(firmware_end);
        self
    }

    /// The same BMS with what the files hold that its settings name.
    #[must_use]
    pub fn with_series(mut self, series: &Series) -> Self {
        self.set = Self::set(&self.settings, series);
        self
    }

    fn set(settings: &BmsSettings, series: &Series) -> Settings<Field> {
        let values = settings.set.iter();
        let set: Vec<Setting> = values.map(|value| Setting::new(value, series)).collect();
        set.into()
    }

    /// Sets a value from now on, whatever the pack does.
    pub(in crate::device) fn steer(
        &mut self,
        now: Time,
        command: &SetCommand,
    ) -> Result<(), SetError> {
        let value = SetValue::steered(command, now)?;
        command.check(|mistakes| self.settings.check_set(&value, self.reply_end, mistakes))?;
        self.set.set(&value);
        Ok(())
    }

    /// Releases what was set while it ran.
    pub(in crate::device) fn release(&mut self, release: &Release) -> Result<(), SetError> {
        self.set.release(release)
    }

    /// The values that are set.
    pub(in crate::device) fn pinned(&self, now: Time) -> Vec<Pinned> {
        self.set.pinned(now)
    }

    /// Takes in a command, which changes the pack from this moment on and is never answered.
    ///
    /// Moments before the last command are forgotten: what comes from them counts as coming now.
    pub fn command(&mut self, at: Time, command: BmsCommand) {
        let at = at.max(self.last_command);
        self.last_command = at;
        let (_, flow) = self.timeline.at(self.rules(), at);
        let replan = match command {
            BmsCommand::SetChargeAllowed { allowed } => {
                let allowed = allowed != 0;
                mem::replace(&mut self.charge_allowed, allowed) != allowed
            }
            BmsCommand::SetBalanceOverride { cell, mode } => {
                self.balance.override_cell(at, cell, mode)
            }
            BmsCommand::ResetCounters { ah, wh } => {
                if ah != 0 {
                    self.reset_ah = flow.drawn_ah;
                }
                if wh != 0 {
                    self.reset_wh = flow.drawn_wh();
                }
                false
            }
            BmsCommand::ForceBalance { enabled } => self.balance.force(at, enabled != 0),
            BmsCommand::ZeroCurrentOffset => {
                self.chip_offset_a = 0.0;
                false
            }
        };
        if replan {
            self.timeline = Timeline::plan(self.rules(), at, flow);
        }
    }

    /// What the BMS reports at this moment; one before the last command is answered as of that command.
    #[must_use]
    pub fn values(&self, at: Time) -> BmsValues {
        let at = at.max(self.last_command);
        let settings = &self.settings;
        let mut noise = self.noise_at(at);
        let (current_a, flow) = self.timeline.at(self.rules(), at);
        let terminals = self.pack.voltages_v(flow.drawn_ah, current_a);
        let (mut cells, balancing): (Vec<f64>, Vec<bool>) = terminals
            .zip(self.balance.cells(at))
            .map(|(volts, (level, flag))| (volts + level + noise(settings.noise_mv / 1000.0), flag))
            .unzip();
        set_list(&self.set, Field::CellVoltages, at, &mut cells);
        let mut temperatures: Vec<f64> = self
            .sensors_c
            .iter()
            .map(|&start_c| {
                let sensor = self
                    .thermal
                    .sensor_c(start_c, flow.rise_c, at.as_secs_f64());
                if is_dummy(start_c) {
                    sensor
                } else {
                    sensor + noise(0.02)
                }
            })
            .collect();
        set_list(&self.set, Field::Temperatures, at, &mut temperatures);
        let sensed = temperatures.iter().copied().filter(|&c| !is_dummy(c));
        let highest = sensed.fold(f64::NEG_INFINITY, f64::max);
        let mut values = BmsValues {
            total_voltage_v: F32::truncated(cells.iter().sum()),
            charge_voltage_v: F32::truncated(settings.charge_voltage_v),
            current_a: F32::truncated(current_a),
            chip_current_a: F32::truncated(current_a + self.chip_offset_a + noise(0.01)),
            counter_ah: F32::truncated(flow.drawn_ah - self.reset_ah),
            counter_wh: F32::truncated(flow.drawn_wh() - self.reset_wh),
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
        self.add_tail(&mut values, &flow);
        set_values(&self.set, at, &mut values);
        values
    }

    fn add_tail(&self, values: &mut BmsValues, flow: &Flow) {
        let settings = &self.settings;
        let reaches = |end| self.reply_end >= end;
        if reaches(ReplyEnd::StateOfHealth) {
            let charge = self.pack.charge(flow.drawn_ah);
            let reported = settings.state_of_charge.map_or(0.0, |_| charge);
            values.state_of_charge = Some(F16::truncated(reported));
            values.state_of_health = Some(F16::truncated(settings.state_of_health.unwrap_or(1.0)));
        }
        if reaches(ReplyEnd::CanId) {
            values.can_id = Some(settings.can_id.unwrap_or(255));
        }
        if reaches(ReplyEnd::Totals) {
            values.totals = Some(BmsTotals {
                charged_ah: Float::packed(flow.charged_ah),
                charged_wh: Float::packed(flow.charged_wh),
                discharged_ah: Float::packed(flow.discharged_ah),
                discharged_wh: Float::packed(flow.discharged_wh),
            });
        }
        if reaches(ReplyEnd::Pressure) {
            values.pressure_pa = Some(Scaled::truncated(settings.pressure_pa.unwrap_or_default()));
        }
        if reaches(ReplyEnd::DataVersion) {
            values.data_version = Some(settings.data_version.unwrap_or_default());
        }
        if reaches(ReplyEnd::Status) {
            values.status = Some(Text::from(settings.status.as_deref().unwrap_or_default()));
        }
    }

    fn rules(&self) -> Rules<'_> {
        Rules {
            pack: &self.pack,
            balance: &self.balance,
            thermal: &self.thermal,
            profile: &self.profile,
            charge_allowed: self.charge_allowed,
        }
    }

    /// A source of noise that depends on the moment alone.
    fn noise_at(&self, at: Time) -> impl FnMut(f64) -> f64 {
        let sample = at.since_start().as_nanos() / SAMPLE_TIME.as_nanos();
        let mut rng = self.seed.stream(sample as u64);
        move |amplitude| amplitude * (rng.random::<f64>() * 2.0 - 1.0)
    }
}
