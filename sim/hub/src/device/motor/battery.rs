//! The battery that feeds a motor: cells in series with one resistance, whose voltage falls with the load and with what was
//! drawn.

use serde::Deserialize;

use crate::{
    device::bms::{Chemistry, Curve},
    mistake::Mistakes,
};

/// A battery.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Battery {
    /// What the cells are made of.
    pub chemistry: Chemistry,
    /// How many cells are in series.
    pub cells: u16,
    /// Charge left at the start, 0 to 1.
    pub level: f64,
    /// Energy of the full battery, Wh.
    pub capacity_wh: f64,
    /// Resistance of the whole battery and its cables, ohms: a load lowers the voltage by that much for each ampere.
    pub resistance_ohm: f64,
}

/// 20 lithium-ion cells, 80 V without a load.
impl Default for Battery {
    fn default() -> Self {
        Self {
            chemistry: Chemistry::LiIon,
            cells: 20,
            level: 0.8,
            capacity_wh: 500.0,
            resistance_ohm: 0.05,
        }
    }
}

/// What feeds a motor at a moment: a voltage behind a resistance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Supply {
    /// Voltage without a load, V.
    pub(super) open_v: f64,
    /// Resistance, ohms.
    pub(super) resistance_ohm: f64,
}

impl Battery {
    pub(super) fn check(&self, mistakes: &mut Mistakes) {
        mistakes.range("cells", f64::from(self.cells), 1.0..=700.0);
        mistakes.range("level", self.level, 0.0..=1.0);
        mistakes.range("capacity_wh", self.capacity_wh, 0.001..=1e6);
        mistakes.range("resistance_ohm", self.resistance_ohm, 0.0..=100.0);
    }

    /// The voltage of a cell by its charge.
    pub(super) fn curve(&self) -> Curve {
        Curve::of(self.chemistry)
    }

    /// What it is at a level of charge.
    pub(super) fn supply(&self, curve: &Curve, level: f64) -> Supply {
        Supply {
            open_v: f64::from(self.cells) * curve.voltage_v(level),
            resistance_ohm: self.resistance_ohm,
        }
    }

    /// The level after a current flowed out of it.
    pub(super) fn drained(&self, level: f64, energy_wh: f64) -> f64 {
        (level - energy_wh / self.capacity_wh).clamp(0.0, 1.0)
    }
}

impl Supply {
    /// Current, A, at which the load takes a power, W; negative if it gives some. A power that is too high takes what
    /// the supply can give.
    ///
    /// P = (U0 - R I) I, the smaller of both solutions.
    pub(super) fn current_a(&self, power_w: f64) -> f64 {
        let Self {
            open_v,
            resistance_ohm,
        } = *self;
        if resistance_ohm <= 0.0 {
            return if open_v > 0.0 { power_w / open_v } else { 0.0 };
        }
        let root = (open_v * open_v - 4.0 * resistance_ohm * power_w)
            .max(0.0)
            .sqrt();
        (open_v - root) / (2.0 * resistance_ohm)
    }

    /// Voltage, V, while a current flows.
    pub(super) fn voltage_v(&self, current_a: f64) -> f64 {
        self.open_v - self.resistance_ohm * current_a
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(level: f64) -> Supply {
        let battery = Battery::default();
        battery.supply(&battery.curve(), level)
    }

    #[test]
    fn a_battery_at_its_start_has_its_voltage_and_sags_under_load() {
        let supply = at(0.8);
        assert_eq!(supply.voltage_v(0.0), 80.0);
        let current = supply.current_a(1200.0);
        let voltage = supply.voltage_v(current);
        assert!((current * voltage - 1200.0).abs() < 1e-9);
        assert!((79.2..79.3).contains(&voltage), "{voltage}");
    }

    #[test]
    fn what_comes_back_raises_the_voltage() {
        let supply = at(0.8);
        let current = supply.current_a(-400.0);
        assert!(current < 0.0 && supply.voltage_v(current) > 80.0);
    }

    #[test]
    fn more_than_it_can_give_is_not_given() {
        let supply = at(0.8);
        assert_eq!(supply.current_a(1e9), 800.0);
        let stiff = Supply {
            open_v: 40.0,
            resistance_ohm: 0.0,
        };
        assert_eq!(stiff.current_a(400.0), 10.0);
    }

    #[test]
    fn a_battery_falls_with_what_is_drawn_and_not_below_empty() {
        let battery = Battery::default();
        assert!((battery.drained(0.8, 50.0) - 0.7).abs() < 1e-12);
        assert_eq!(battery.drained(0.1, 500.0), 0.0);
        assert!(at(0.3).open_v < 74.0);
    }
}
