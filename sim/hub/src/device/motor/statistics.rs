//! Averages and peaks since the statistics were reset.
//!
//! Speed, power and current count as amounts. Peaks start at 0, those of temperatures at -300 °C
//! (`bldc motor/mc_interface.c:2761-2860`).

use veschub_wire::{command::Stats, number::Float};

use crate::time::Time;

/// What is counted, in the order of the reply.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sample {
    pub(super) speed_m_s: f64,
    pub(super) power_w: f64,
    pub(super) current_a: f64,
    pub(super) fet_c: f64,
    pub(super) motor_c: f64,
}

impl Sample {
    fn zip(self, other: Self, each: impl Fn(f64, f64) -> f64) -> Self {
        Self {
            speed_m_s: each(self.speed_m_s, other.speed_m_s),
            power_w: each(self.power_w, other.power_w),
            current_a: each(self.current_a, other.current_a),
            fet_c: each(self.fet_c, other.fet_c),
            motor_c: each(self.motor_c, other.motor_c),
        }
    }
}

/// What has been counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Statistics {
    since: Time,
    /// Units times seconds.
    sums: Sample,
    peaks: Sample,
}

impl Statistics {
    pub(super) fn since(at: Time) -> Self {
        Self {
            since: at,
            sums: Sample::default(),
            peaks: Sample {
                fet_c: -300.0,
                motor_c: -300.0,
                ..Sample::default()
            },
        }
    }

    pub(super) fn add(&mut self, sample: Sample, seconds: f64) {
        let sample = Sample {
            speed_m_s: sample.speed_m_s.abs(),
            power_w: sample.power_w.abs(),
            current_a: sample.current_a.abs(),
            ..sample
        };
        self.sums = self.sums.zip(sample, |sum, value| sum + value * seconds);
        self.peaks = self.peaks.zip(sample, f64::max);
    }

    /// What the reply tells at a moment. Right after a reset an average is 0 / 0, which is written as 0.
    pub(super) fn told(&self, now: Time) -> Stats {
        let seconds = (now - self.since).as_secs_f64();
        let pair = |sum: f64, peak: f64| {
            (
                Some(Float::packed(sum / seconds)),
                Some(Float::packed(peak)),
            )
        };
        let (sums, peaks) = (&self.sums, &self.peaks);
        let (speed_average_m_s, speed_max_m_s) = pair(sums.speed_m_s, peaks.speed_m_s);
        let (power_average_w, power_max_w) = pair(sums.power_w, peaks.power_w);
        let (current_average_a, current_max_a) = pair(sums.current_a, peaks.current_a);
        let (fet_temperature_average_c, fet_temperature_max_c) = pair(sums.fet_c, peaks.fet_c);
        let (motor_temperature_average_c, motor_temperature_max_c) =
            pair(sums.motor_c, peaks.motor_c);
        Stats {
            speed_average_m_s,
            speed_max_m_s,
            power_average_w,
            power_max_w,
            current_average_a,
            current_max_a,
            fet_temperature_average_c,
            fet_temperature_max_c,
            motor_temperature_average_c,
            motor_temperature_max_c,
            time_s: Some(Float::packed(seconds)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn averages_are_over_time_and_backwards_counts_like_forwards() {
        let mut statistics = Statistics::since(Time::ZERO);
        let sample = |speed_m_s| Sample {
            speed_m_s,
            fet_c: 30.0,
            ..Sample::default()
        };
        statistics.add(sample(10.0), 1.0);
        statistics.add(sample(-2.0), 3.0);
        let told = statistics.told(Time::ZERO + Duration::from_secs(4));
        assert_eq!(told.speed_average_m_s.unwrap().value(), 4.0);
        assert_eq!(told.speed_max_m_s.unwrap().value(), 10.0);
        assert_eq!(told.fet_temperature_average_c.unwrap().value(), 30.0);
        assert_eq!(told.motor_temperature_max_c.unwrap().value(), 0.0);
        assert_eq!(told.time_s.unwrap().value(), 4.0);
    }

    #[test]
    fn right_after_a_reset_averages_are_0_and_temperatures_have_no_peak() {
        let told = Statistics::since(Time::ZERO).told(Time::ZERO);
        assert_eq!(told.power_average_w.unwrap().bits(), 0);
        assert_eq!(told.fet_temperature_max_c.unwrap().value(), -300.0);
    }
}
