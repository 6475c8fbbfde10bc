//! The pack as it is built: its cells, what they hold and how much they resist. Nothing here changes during a run.

use rand::RngExt;

use super::{curve::Curve, settings::BmsSettings};
use crate::rng::Seed;

/// What does not change about a pack.
#[derive(Clone, Debug)]
pub(super) struct Pack {
    curve: Curve,
    /// Mean open-circuit cell voltage at the start, V.
    mean_v: f64,
    /// State of charge at the start that the cells' voltage stands for.
    pub(super) start: f64,
    /// Charge between empty and full, Ah.
    capacity_ah: f64,
    cells: Vec<Cell>,
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    /// Its share of the pack's capacity.
    capacity: f64,
    resistance_ohm: f64,
}

impl Pack {
    /// The pack, and each cell's distance from its mean at the start, V.
    pub(super) fn new(settings: &BmsSettings, seed: Seed) -> (Self, Vec<f64>) {
        let (mean_v, levels) = match &settings.cell_voltages_v {
            Some(cells) => {
                let mean = cells.iter().sum::<f64>() / cells.len().max(1) as f64;
                (mean, cells.iter().map(|cell| cell - mean).collect())
            }
            None => {
                let spread = spread(settings.cells(), settings.spread_v(), seed);
                (settings.mean_voltage_v(), spread)
            }
        };
        let curve = Curve::of(settings.chemistry);
        let start = settings
            .state_of_charge
            .unwrap_or_else(|| curve.charge_at(mean_v));
        let usual = Cell {
            capacity: 1.0,
            resistance_ohm: settings.resistance_mohm / 1000.0,
        };
        let mut cells = vec![usual; levels.len()];
        if let Some(weak) = &settings.weak_cell
            && let Some(cell) = cells.get_mut(weak.cell.saturating_sub(1))
        {
            *cell = Cell {
                capacity: weak.capacity,
                resistance_ohm: weak.resistance_mohm / 1000.0,
            };
        }
        let pack = Self {
            curve,
            mean_v,
            start,
            capacity_ah: settings.capacity_ah,
            cells,
        };
        (pack, levels)
    }

    /// State of charge of the pack, 0 to 1, after this charge was drawn, Ah.
    pub(super) fn charge(&self, drawn_ah: f64) -> f64 {
        (self.start - drawn_ah / self.capacity_ah).clamp(0.0, 1.0)
    }

    /// Voltage of every cell at its terminals, V, apart from its level.
    pub(super) fn voltages_v(&self, drawn_ah: f64, current_a: f64) -> impl Iterator<Item = f64> {
        // All cells but a weak one share one state of charge.
        let usual = self.open_circuit_v(1.0, drawn_ah);
        self.cells.iter().map(move |cell| {
            let open = if cell.capacity == 1.0 {
                usual
            } else {
                self.open_circuit_v(cell.capacity, drawn_ah)
            };
            open - current_a * cell.resistance_ohm
        })
    }

    fn open_circuit_v(&self, capacity: f64, drawn_ah: f64) -> f64 {
        let charge = self.start - drawn_ah / (self.capacity_ah * capacity);
        self.mean_v + self.curve.voltage_v(charge) - self.curve.voltage_v(self.start)
    }

    /// How much charge can be drawn since the start until the first cell is empty, and, negative, taken in until the
    /// first one is full, Ah.
    pub(super) fn limits_ah(&self) -> (f64, f64) {
        let shares = self.cells.iter().map(|cell| cell.capacity);
        let usable_ah = self.capacity_ah * shares.fold(1.0, f64::min);
        ((self.start - 1.0) * usable_ah, self.start * usable_ah)
    }

    /// Energy that the cells gave between two charges drawn, Wh, apart from their levels; negative if they took it in.
    pub(super) fn energy_wh(&self, from_ah: f64, to_ah: f64, current_a: f64) -> f64 {
        let ah = to_ah - from_ah;
        let shift = self.mean_v - self.curve.voltage_v(self.start);
        let cell_wh = |capacity: f64| {
            let capacity_ah = self.capacity_ah * capacity;
            let charge = |drawn_ah: f64| self.start - drawn_ah / capacity_ah;
            capacity_ah * self.curve.integral(charge(to_ah), charge(from_ah)) + shift * ah
        };
        let usual = cell_wh(1.0);
        let cells = self.cells.iter().map(|cell| {
            let open = if cell.capacity == 1.0 {
                usual
            } else {
                cell_wh(cell.capacity)
            };
            open - current_a * cell.resistance_ohm * ah
        });
        cells.sum()
    }

    /// Heat in the mean cell under a current, W.
    pub(super) fn heat_w(&self, current_a: f64) -> f64 {
        let resistances = self.cells.iter().map(|cell| cell.resistance_ohm);
        current_a * current_a * resistances.sum::<f64>() / self.cells.len().max(1) as f64
    }
}

/// Levels between -half and +half of the spread, both ends taken where there are two cells or more.
fn spread(cells: usize, spread_v: f64, seed: Seed) -> Vec<f64> {
    let mut rng = seed.derive("cells").stream(0);
    let mut levels: Vec<f64> = (0..cells).map(|_| rng.random::<f64>()).collect();
    let low = levels.iter().copied().fold(f64::INFINITY, f64::min);
    let high = levels.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let range = high - low;
    for level in &mut levels {
        let share = if range > 0.0 {
            (*level - low) / range
        } else {
            0.5
        };
        *level = (share - 0.5) * spread_v;
    }
    levels
}
