//! Balancing: which cells are bled, and how far each cell stands from the pack's mean because of it.

use serde::Deserialize;

use crate::time::Time;

/// How far above the lowest cell automatic balancing ends, V.
pub const BALANCE_MARGIN_V: f64 = 0.005;
/// How far below the pack's mean a cell comes that somebody forces to bleed, V.
pub(super) const FORCED_BLEED_LIMIT_V: f64 = 1.0;
/// How fast a balanced cell comes down, V per second.
pub(super) const BLEED_V_PER_S: f64 = 0.001 / 60.0;

/// Which cells are being balanced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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

/// Who decides about one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Override {
    Automatic,
    Off,
    On,
}

/// What happens to one cell.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Bleed {
    Off,
    /// Reported, as some devices do, but without an effect.
    Shown,
    /// Down to this level, then no more.
    Until(f64),
    /// Reported for good, down to this level.
    Forced(f64),
}

/// The cells' levels over time, since the last command that changed something.
#[derive(Clone, Debug)]
pub(super) struct Balance {
    /// What the pack does when nobody interferes, as configured.
    configured: Balancing,
    /// What it does now.
    mode: Balancing,
    overrides: Vec<Override>,
    since: Time,
    /// Each cell's distance from the pack's mean at that time, V.
    levels: Vec<f64>,
    plan: Vec<Bleed>,
}

impl Balance {
    pub(super) fn new(mode: Balancing, levels: Vec<f64>) -> Self {
        let mut this = Self {
            configured: mode,
            mode,
            overrides: vec![Override::Automatic; levels.len()],
            since: Time::ZERO,
            plan: Vec::new(),
            levels,
        };
        this.plan();
        this
    }

    /// Takes one cell out of the pack's hands, or gives it back; false if that changes nothing.
    pub(super) fn override_cell(&mut self, at: Time, cell: u8, mode: u8) -> bool {
        let wanted = match mode {
            1 => Override::Off,
            2 => Override::On,
            // As in the firmware, which acts on 1 and 2 only (`BM/bms_if.c:227-240`).
            _ => Override::Automatic,
        };
        let cell = usize::from(cell);
        if self.overrides.get(cell).is_none_or(|&now| now == wanted) {
            return false;
        }
        self.settle(at);
        self.overrides[cell] = wanted;
        self.plan();
        true
    }

    /// Starts or stops balancing, whatever was configured; false if that changes nothing.
    pub(super) fn force(&mut self, at: Time, enabled: bool) -> bool {
        let mode = match (enabled, self.configured) {
            (false, _) => Balancing::Off,
            (true, Balancing::All) => Balancing::All,
            (true, _) => Balancing::Automatic,
        };
        if mode == self.mode {
            return false;
        }
        self.settle(at);
        self.mode = mode;
        self.plan();
        true
    }

    /// Each cell's distance from the pack's mean, V, and whether it is being balanced.
    pub(super) fn cells(&self, at: Time) -> impl Iterator<Item = (f64, bool)> {
        let seconds = (at - self.since).as_secs_f64();
        self.levels
            .iter()
            .zip(&self.plan)
            .map(move |(&level, bleed)| {
                let now = bleed.level(level, seconds);
                let shown = match *bleed {
                    Bleed::Off => false,
                    Bleed::Shown | Bleed::Forced(_) => true,
                    Bleed::Until(floor) => now > floor,
                };
                (now, shown)
            })
    }

    /// The integral of all cells' levels over time, V·s.
    pub(super) fn volt_seconds(&self, from: Time, to: Time) -> f64 {
        let (from, to) = (from.max(self.since), to.max(self.since));
        let (a, b) = (
            (from - self.since).as_secs_f64(),
            (to - self.since).as_secs_f64(),
        );
        self.levels
            .iter()
            .zip(&self.plan)
            .map(|(&level, bleed)| {
                let (start, end) = (bleed.level(level, a), bleed.level(level, b));
                // A slope and then a level: a trapezoid and a rectangle.
                let slope = ((start - end) / BLEED_V_PER_S).min(b - a);
                (start + end) / 2.0 * slope + end * (b - a - slope)
            })
            .sum()
    }

    /// Starts anew from the levels of this moment.
    fn settle(&mut self, at: Time) {
        self.levels = self.cells(at).map(|(level, _)| level).collect();
        self.since = at;
    }

    fn plan(&mut self) {
        let lowest = self.levels.iter().copied().fold(f64::INFINITY, f64::min);
        let ceiling = lowest + BALANCE_MARGIN_V;
        // One cell in somebody's hands takes the whole pack out of the automatic's.
        let overridden = self.overrides.iter().any(|&o| o != Override::Automatic);
        self.plan = self
            .levels
            .iter()
            .zip(&self.overrides)
            .map(|(&level, over)| match (over, self.mode) {
                (Override::On, _) => Bleed::Forced(level.min(-FORCED_BLEED_LIMIT_V)),
                _ if overridden => Bleed::Off,
                (_, Balancing::All) => Bleed::Shown,
                (_, Balancing::Automatic) if level > ceiling => Bleed::Until(ceiling),
                _ => Bleed::Off,
            })
            .collect();
    }
}

impl Bleed {
    fn level(self, start: f64, seconds: f64) -> f64 {
        match self {
            Self::Off | Self::Shown => start,
            Self::Until(floor) | Self::Forced(floor) => {
                (start - seconds * BLEED_V_PER_S).max(floor)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn minutes(count: u64) -> Time {
        Time::ZERO + Duration::from_secs(60 * count)
    }

    fn levels(balance: &Balance, at: Time) -> Vec<f64> {
        balance.cells(at).map(|(level, _)| level).collect()
    }

    fn flags(balance: &Balance, at: Time) -> Vec<bool> {
        balance.cells(at).map(|(_, flag)| flag).collect()
    }

    fn close(a: &[f64], b: &[f64]) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9)
    }

    #[test]
    fn high_cells_come_down_to_just_above_the_lowest() {
        let balance = Balance::new(Balancing::Automatic, vec![-0.010, -0.006, 0.010]);
        assert_eq!(flags(&balance, minutes(10)), [false, false, true]);
        assert!(close(
            &levels(&balance, minutes(10)),
            &[-0.010, -0.006, 0.0]
        ));
        assert!(close(
            &levels(&balance, minutes(60)),
            &[-0.010, -0.006, -0.005]
        ));
        assert_eq!(flags(&balance, minutes(60)), [false; 3]);
    }

    #[test]
    fn one_override_stops_the_automatic_for_the_whole_pack() {
        for mode in [1, 2] {
            let mut balance = Balance::new(Balancing::Automatic, vec![-0.02, 0.01, 0.02]);
            assert!(balance.override_cell(minutes(5), 0, mode));
            let forced = mode == 2;
            assert_eq!(flags(&balance, minutes(6)), [forced, false, false]);
            let low = if forced { -0.021 } else { -0.02 };
            assert!(close(&levels(&balance, minutes(6)), &[low, 0.005, 0.015]));
            assert!(balance.override_cell(minutes(6), 0, 0));
            assert_eq!(flags(&balance, minutes(7)), [false, true, true]);
        }
    }

    #[test]
    fn an_override_beyond_the_cells_is_ignored_and_an_unknown_one_is_automatic() {
        let mut balance = Balance::new(Balancing::Automatic, vec![-0.02, 0.02]);
        assert!(!balance.override_cell(minutes(1), 2, 2));
        assert!(!balance.override_cell(minutes(1), 255, 1));
        assert!(!balance.override_cell(minutes(1), 0, 7));
        assert_eq!(flags(&balance, minutes(2)), [false, true]);
    }

    #[test]
    fn a_forced_cell_comes_down_below_the_others_but_not_for_ever() {
        let mut balance = Balance::new(Balancing::Off, vec![0.0, 0.0]);
        balance.override_cell(minutes(0), 1, 2);
        assert!(close(&levels(&balance, minutes(100)), &[0.0, -0.1]));
        let years = minutes(60 * 24 * 365 * 50);
        assert!(close(
            &levels(&balance, years),
            &[0.0, -FORCED_BLEED_LIMIT_V]
        ));
        assert_eq!(flags(&balance, years), [false, true]);
    }

    #[test]
    fn force_starts_and_stops_balancing() {
        let mut balance = Balance::new(Balancing::Off, vec![-0.02, 0.02]);
        assert!(balance.force(minutes(1), true));
        assert_eq!(flags(&balance, minutes(2)), [false, true]);
        assert!(balance.force(minutes(2), false));
        assert!(!balance.force(minutes(3), false));
        assert!(close(&levels(&balance, minutes(50)), &[-0.02, 0.019]));
        let mut all = Balance::new(Balancing::All, vec![0.0, 0.0]);
        all.force(minutes(1), false);
        assert_eq!(flags(&all, minutes(1)), [false, false]);
        all.force(minutes(2), true);
        assert_eq!(flags(&all, minutes(2)), [true, true]);
    }

    #[test]
    fn the_integral_follows_the_levels_down_and_along() {
        let balance = Balance::new(Balancing::Automatic, vec![-0.010, 0.010, 0.003]);
        for (from, to) in [(0, 10), (3, 40), (20, 25), (7, 7)] {
            let steps = 10_000_u32;
            let width = (minutes(to) - minutes(from)) / steps;
            let area: f64 = (0..steps)
                .map(|step| {
                    let at = minutes(from) + width * step + width / 2;
                    levels(&balance, at).iter().sum::<f64>() * width.as_secs_f64()
                })
                .sum();
            assert!((balance.volt_seconds(minutes(from), minutes(to)) - area).abs() < 1e-4);
        }
    }
}
