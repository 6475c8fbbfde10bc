//! Open-circuit voltage by state of charge: what a cell shows while no current flows.
//!
//! The tables are our own: typical of their chemistry, no maker's cell. Between their points runs a smooth curve
//! that rises wherever the points do (piecewise cubic, slopes after Fritsch and Butland), so a state of charge can be
//! found for every voltage, and the energy between two of them is exact.

use serde::Deserialize;

/// What cells are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Chemistry {
    /// Lithium-ion: 3.0 V empty, 4.2 V full.
    #[default]
    LiIon,
    /// Lithium iron phosphate: 2.5 V empty, 3.6 V full, almost level between.
    #[serde(rename = "lifepo4")]
    LiFePo4,
}

impl Chemistry {
    /// Open-circuit voltage, V, of a cell at this state of charge, 0 to 1.
    pub(super) fn open_circuit_v(self, charge: f64) -> f64 {
        Curve::of(self).voltage_v(charge)
    }
}

/// State of charge, 0 to 1, and open-circuit voltage, V.
type Point = (f64, f64);

const LI_ION: &[Point] = &[
    (0.00, 3.00),
    (0.02, 3.17),
    (0.05, 3.32),
    (0.10, 3.42),
    (0.20, 3.55),
    (0.30, 3.61),
    (0.40, 3.66),
    (0.50, 3.72),
    (0.60, 3.81),
    (0.70, 3.91),
    (0.80, 4.00),
    (0.90, 4.09),
    (1.00, 4.20),
];

const LI_FE_PO4: &[Point] = &[
    (0.00, 2.50),
    (0.02, 2.86),
    (0.05, 3.06),
    (0.10, 3.19),
    (0.20, 3.25),
    (0.30, 3.28),
    (0.40, 3.292),
    (0.50, 3.300),
    (0.60, 3.308),
    (0.70, 3.324),
    (0.80, 3.332),
    (0.90, 3.340),
    (0.95, 3.360),
    (0.98, 3.42),
    (1.00, 3.60),
];

/// A chemistry's open-circuit voltage as a function of the state of charge.
#[derive(Clone, Debug)]
pub(in crate::device) struct Curve {
    points: &'static [Point],
    /// V per unit of charge, at each point.
    slopes: Vec<f64>,
}

impl Curve {
    pub(in crate::device) fn of(chemistry: Chemistry) -> Self {
        let points = match chemistry {
            Chemistry::LiIon => LI_ION,
            Chemistry::LiFePo4 => LI_FE_PO4,
        };
        let secants: Vec<f64> = points
            .windows(2)
            .map(|ends| (ends[1].1 - ends[0].1) / (ends[1].0 - ends[0].0))
            .collect();
        let last = secants.len();
        let slopes = (0..=last)
            .map(|index| match (index.checked_sub(1), index < last) {
                // The harmonic mean lets no piece overshoot.
                (Some(before), true) => 2.0 / (1.0 / secants[before] + 1.0 / secants[index]),
                (Some(before), false) => secants[before],
                (None, _) => secants[index],
            })
            .collect();
        Self { points, slopes }
    }

    /// Open-circuit voltage, V, at a state of charge; below 0 and above 1 as at these.
    pub(in crate::device) fn voltage_v(&self, charge: f64) -> f64 {
        let charge = charge.clamp(0.0, 1.0);
        let after = self.points.partition_point(|&(c, _)| c <= charge);
        let right = after.clamp(1, self.points.len() - 1);
        let ((c0, v0), (c1, v1)) = (self.points[right - 1], self.points[right]);
        let width = c1 - c0;
        let (s0, s1) = (self.slopes[right - 1] * width, self.slopes[right] * width);
        let x = (charge - c0) / width;
        let rise = v1 - v0;
        // Hermite's cubic, written so that its ends are exact.
        v0 + x * (s0 + x * ((3.0 * rise - 2.0 * s0 - s1) + x * (s0 + s1 - 2.0 * rise)))
    }

    /// The state of charge at which a cell has this open-circuit voltage; 0 or 1 beyond the curve.
    pub(in crate::device) fn charge_at(&self, voltage_v: f64) -> f64 {
        if voltage_v >= self.voltage_v(1.0) {
            return 1.0;
        }
        let (mut low, mut high) = (0.0, 1.0);
        // A double has no more bits to decide.
        for _ in 0..60 {
            let middle = (low + high) / 2.0;
            if self.voltage_v(middle) <= voltage_v {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The integral of the voltage over the state of charge between two of them, V; negative if `to` lies below.
    pub(in crate::device) fn integral(&self, from: f64, to: f64) -> f64 {
        let (low, high) = (from.min(to).clamp(0.0, 1.0), from.max(to).clamp(0.0, 1.0));
        let pieces = self.points.windows(2).map(|ends| {
            let (left, right) = (ends[0].0.max(low), ends[1].0.min(high));
            if right <= left {
                return 0.0;
            }
            // Two points after Gauss are exact for a cubic, and nothing cancels out.
            let (middle, half) = ((left + right) / 2.0, (right - left) / 2.0);
            let off = half / 3.0_f64.sqrt();
            half * (self.voltage_v(middle - off) + self.voltage_v(middle + off))
        });
        let sum: f64 = pieces.sum();
        if to < from { -sum } else { sum }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [Chemistry; 2] = [Chemistry::LiIon, Chemistry::LiFePo4];

    #[test]
    fn a_fuller_cell_always_has_the_higher_voltage() {
        for chemistry in BOTH {
            let curve = Curve::of(chemistry);
            let levels: Vec<f64> = (0..=10_000)
                .map(|step| curve.voltage_v(f64::from(step) / 10_000.0))
                .collect();
            assert!(
                levels.windows(2).all(|pair| pair[0] < pair[1]),
                "{chemistry:?}"
            );
        }
    }

    #[test]
    fn the_curve_has_no_corner() {
        for chemistry in BOTH {
            let curve = Curve::of(chemistry);
            for &(charge, _) in &curve.points[1..curve.points.len() - 1] {
                let step = 1e-6;
                let slope = |a: f64, b: f64| (curve.voltage_v(b) - curve.voltage_v(a)) / (b - a);
                let (left, right) = (slope(charge - step, charge), slope(charge, charge + step));
                assert!((left - right).abs() < 0.02, "{chemistry:?} {charge}");
            }
        }
    }

    #[test]
    fn the_curve_goes_through_its_points() {
        for chemistry in BOTH {
            let curve = Curve::of(chemistry);
            for &(charge, voltage) in curve.points {
                assert!((curve.voltage_v(charge) - voltage).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn lifepo4_is_level_where_li_ion_is_steep() {
        let between = |chemistry| {
            let curve = Curve::of(chemistry);
            curve.voltage_v(0.9) - curve.voltage_v(0.3)
        };
        assert!(between(Chemistry::LiFePo4) < 0.07);
        assert!(between(Chemistry::LiIon) > 0.4);
    }

    #[test]
    fn a_voltage_finds_its_state_of_charge() {
        for chemistry in BOTH {
            let curve = Curve::of(chemistry);
            for step in 0..=100 {
                let charge = f64::from(step) / 100.0;
                let found = curve.charge_at(curve.voltage_v(charge));
                assert!((found - charge).abs() < 1e-9, "{chemistry:?} {charge}");
            }
            assert_eq!(curve.charge_at(0.0), 0.0);
            assert_eq!(curve.charge_at(5.0), 1.0);
            assert_eq!(curve.charge_at(f64::NAN), 0.0);
        }
    }

    #[test]
    fn the_integral_is_the_area_under_the_curve() {
        for chemistry in BOTH {
            let curve = Curve::of(chemistry);
            for (from, to) in [(0.0, 1.0), (0.013, 0.871), (0.4, 0.41), (0.9, 0.2)] {
                let steps = 100_000;
                let width = (to - from) / f64::from(steps);
                let area: f64 = (0..steps)
                    .map(|step| curve.voltage_v(from + (f64::from(step) + 0.5) * width) * width)
                    .sum();
                assert!((curve.integral(from, to) - area).abs() < 1e-7);
            }
            assert_eq!(curve.integral(0.5, 0.5), 0.0);
        }
    }

    #[test]
    fn a_tiny_step_of_the_integral_keeps_its_digits() {
        let curve = Curve::of(Chemistry::LiIon);
        let (from, width) = (0.55, 2f64.powi(-40));
        let mean = curve.integral(from, from + width) / ((from + width) - from);
        assert!((mean - curve.voltage_v(from)).abs() < 1e-9);
    }
}
