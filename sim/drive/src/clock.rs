//! The time of a hub: that of the machine, or one that goes faster or slower, stands still, or jumps ahead.

use std::time::Duration;

use tokio::time::Instant;
use veschub_hub::time::Time;

/// How slow and how fast the time of a hub may go.
pub const SCALES: std::ops::RangeInclusive<f64> = 0.001..=1000.0;

/// The time of a hub as a function of the machine's.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// From this moment of the machine on the hub's time goes as it does now.
    since: Instant,
    /// The hub's time then.
    from: Time,
    scale: f64,
    paused: bool,
}

/// What is to become of the time of a hub; what is not given stays.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ClockChange {
    /// Whether it stands still.
    pub paused: Option<bool>,
    /// How much faster than the machine's it goes.
    pub scale: Option<f64>,
    /// How far it jumps ahead; what would have happened meanwhile happens at once, each at its time.
    pub step: Option<Duration>,
}

impl ClockChange {
    /// What it does, in words; nothing, if it changes nothing.
    pub(crate) fn words(&self) -> String {
        let paused = self.paused.map(|paused| match paused {
            true => "time stands still".to_owned(),
            false => "time goes on".to_owned(),
        });
        let scale = self
            .scale
            .map(|scale| format!("time goes {scale} times as fast"));
        let step = self.step.map(|step| format!("time jumps {step:?} ahead"));
        let words: Vec<String> = [paused, scale, step].into_iter().flatten().collect();
        words.join(", ")
    }
}

/// The time of a hub, for who looks at it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClockView {
    /// What time it is.
    pub at: Time,
    /// Whether it stands still.
    pub paused: bool,
    /// How much faster than the machine's it goes when it does not.
    pub scale: f64,
}

impl Clock {
    /// It is 0 now, and goes this much faster than the machine's time; a factor out of [`SCALES`] is the nearest one there.
    #[must_use]
    pub fn starting_now(scale: f64) -> Self {
        let scale = match scale.is_nan() {
            true => 1.0,
            false => scale.clamp(*SCALES.start(), *SCALES.end()),
        };
        Self {
            since: Instant::now(),
            from: Time::ZERO,
            scale,
            paused: false,
        }
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Time {
        self.at(Instant::now())
    }

    /// The hub's time at a moment of the machine.
    fn at(&self, moment: Instant) -> Time {
        let passed = moment.saturating_duration_since(self.since);
        match (self.paused, self.scale == 1.0) {
            (true, _) => self.from,
            (false, true) => self.from + passed,
            (false, false) => {
                let passed = Duration::try_from_secs_f64(passed.as_secs_f64() * self.scale);
                self.from + passed.unwrap_or(Duration::MAX)
            }
        }
    }

    /// When it will be this time; never, while it stands still.
    pub(crate) fn when(&self, due: Time) -> Option<Instant> {
        let wait = due - self.from;
        if wait.is_zero() {
            return Some(self.since);
        }
        let wait = match (self.paused, self.scale == 1.0) {
            (true, _) => return None,
            (false, true) => wait,
            (false, false) => {
                let wait = Duration::try_from_secs_f64(wait.as_secs_f64() / self.scale).ok()?;
                // Else it would be a nanosecond too early for what is due.
                wait.saturating_add(Duration::from_nanos(1))
            }
        };
        self.since.checked_add(wait)
    }

    /// What it shows.
    #[must_use]
    pub fn view(&self) -> ClockView {
        ClockView {
            at: self.now(),
            paused: self.paused,
            scale: self.scale,
        }
    }

    /// Whether a change can be made.
    #[must_use]
    pub fn allows(change: &ClockChange) -> bool {
        change.scale.is_none_or(|scale| SCALES.contains(&scale))
    }

    /// Goes on in another way from now on; a factor out of [`SCALES`] is not taken.
    pub(crate) fn change(&mut self, change: &ClockChange) {
        self.change_at(Instant::now(), change);
    }

    fn change_at(&mut self, moment: Instant, change: &ClockChange) {
        self.from = self.at(moment) + change.step.unwrap_or_default();
        self.since = moment;
        self.paused = change.paused.unwrap_or(self.paused);
        self.scale = change
            .scale
            .filter(|scale| SCALES.contains(scale))
            .unwrap_or(self.scale);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn seconds(count: u64) -> Time {
        Time::from(Duration::from_secs(count))
    }

    #[test]
    fn it_goes_on_where_it_was_however_it_is_changed() {
        let mut clock = Clock::starting_now(1.0);
        let start = clock.since;
        let set = |clock: &mut Clock, after: u32, change: ClockChange| {
            clock.change_at(start + SECOND * after, &change);
        };
        let at = |clock: &Clock, after: u32| clock.at(start + SECOND * after);
        assert_eq!(at(&clock, 5), seconds(5));
        let scale = Some(10.0);
        set(
            &mut clock,
            5,
            ClockChange {
                scale,
                ..ClockChange::default()
            },
        );
        assert_eq!((at(&clock, 5), at(&clock, 6)), (seconds(5), seconds(15)));
        let paused = Some(true);
        set(
            &mut clock,
            6,
            ClockChange {
                paused,
                ..ClockChange::default()
            },
        );
        assert_eq!(at(&clock, 99), seconds(15));
        let step = Some(SECOND * 7);
        set(
            &mut clock,
            99,
            ClockChange {
                step,
                ..ClockChange::default()
            },
        );
        assert_eq!(at(&clock, 100), seconds(22));
        let paused = Some(false);
        set(
            &mut clock,
            100,
            ClockChange {
                paused,
                ..ClockChange::default()
            },
        );
        assert_eq!(at(&clock, 101), seconds(32));
        // A factor out of range changes nothing.
        let scale = Some(0.0);
        set(
            &mut clock,
            101,
            ClockChange {
                scale,
                ..ClockChange::default()
            },
        );
        assert_eq!(at(&clock, 102), seconds(42));
    }

    #[test]
    fn who_waits_for_a_moment_wakes_when_it_is_there_and_never_while_time_stands_still() {
        for scale in [0.001, 0.3, 1.0, 7.0, 1000.0] {
            let mut clock = Clock::starting_now(scale);
            for nanos in [1, 999, 1_000_000_007, 3_600_000_000_001] {
                let due = Time::from_nanos(nanos);
                let wakes = clock.when(due).unwrap();
                assert!(clock.at(wakes) >= due, "{scale} {nanos}");
                let late = clock.at(wakes) - due;
                assert!(
                    late.as_secs_f64() <= 1e-6 * scale.max(1.0),
                    "{scale} {late:?}"
                );
            }
            clock.change(&ClockChange {
                paused: Some(true),
                ..ClockChange::default()
            });
            assert_eq!(clock.when(clock.now() + SECOND), None);
            assert!(clock.when(clock.now()).is_some(), "what is due is done");
        }
    }
}
