//! Memory, and its course over time.

use serde::Serialize;

/// A measurement of memory.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sample {
    /// Since the start, seconds.
    pub at_s: f64,
    /// Resident memory of the process, KiB.
    pub rss_kib: u64,
}

/// How memory went, after a first part of the time in which buffers and caches fill.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Course {
    /// At the start, KiB.
    pub start_kib: u64,
    /// When it counts from, KiB.
    pub warm_kib: u64,
    /// At the end, KiB.
    pub end_kib: u64,
    /// The straight line through what counts, KiB a minute.
    pub slope_kib_per_min: f64,
    /// How much that line rises over the time that counts, KiB.
    pub growth_kib: f64,
}

/// The part of the time that does not count.
const WARM_UP: f64 = 0.3;

impl Course {
    /// The course of these samples; `None` if they are too few for a line.
    pub(super) fn of(samples: &[Sample]) -> Option<Self> {
        let (first, last) = (samples.first()?, samples.last()?);
        let from = first.at_s + (last.at_s - first.at_s) * WARM_UP;
        let counted: Vec<&Sample> = samples.iter().filter(|one| one.at_s >= from).collect();
        let warm = counted.first()?;
        let n = counted.len() as f64;
        let mean = |pick: fn(&Sample) -> f64| counted.iter().map(|one| pick(one)).sum::<f64>() / n;
        let (x, y) = (mean(|one| one.at_s), mean(|one| one.rss_kib as f64));
        let off = |one: &Sample| (one.at_s - x, one.rss_kib as f64 - y);
        let xx: f64 = counted.iter().map(|one| off(one).0.powi(2)).sum();
        let xy: f64 = counted.iter().map(|one| off(one).0 * off(one).1).sum();
        let slope = if xx > 0.0 { xy / xx } else { return None };
        Some(Self {
            start_kib: first.rss_kib,
            warm_kib: warm.rss_kib,
            end_kib: last.rss_kib,
            slope_kib_per_min: slope * 60.0,
            growth_kib: slope * (last.at_s - warm.at_s),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn course(rss: impl Fn(u32) -> u64) -> Course {
        let samples: Vec<Sample> = (0..=100)
            .map(|second| Sample {
                at_s: second.into(),
                rss_kib: rss(second),
            })
            .collect();
        Course::of(&samples).unwrap()
    }

    #[test]
    fn memory_that_fills_at_first_and_then_stays_does_not_grow() {
        let flat = course(|second| 1000 + 100 * u64::from(second.min(25)));
        assert_eq!(
            (flat.start_kib, flat.warm_kib, flat.end_kib),
            (1000, 3500, 3500)
        );
        assert!(flat.growth_kib.abs() < 0.001);
    }

    #[test]
    fn memory_that_grows_all_the_time_has_a_slope() {
        let leak = course(|second| 1000 + 10 * u64::from(second));
        assert!((leak.slope_kib_per_min - 600.0).abs() < 0.001);
        assert!((leak.growth_kib - 700.0).abs() < 0.001);
    }
}
