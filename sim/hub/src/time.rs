//! Time as a number: nanoseconds since a run began.
//!
//! Nothing in this crate but the server knows what time it is; everything else is told.

use std::{
    fmt,
    ops::{Add, Sub},
    time::Duration,
};

/// A moment, counted from the start of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// The start of the run.
    pub const ZERO: Self = Self(0);

    /// The moment this many nanoseconds after the start.
    #[must_use]
    pub fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the start.
    #[must_use]
    pub fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the start.
    #[must_use]
    pub fn as_secs_f64(self) -> f64 {
        Duration::from_nanos(self.0).as_secs_f64()
    }

    /// Time since the start.
    #[must_use]
    pub fn since_start(self) -> Duration {
        Duration::from_nanos(self.0)
    }

    /// The moment this long before; the start of the run, if that lies before it.
    #[must_use]
    pub fn earlier(self, by: Duration) -> Self {
        Self::from(self.since_start().saturating_sub(by))
    }
}

impl From<Duration> for Time {
    /// Runs longer than 584 years stop at their end.
    fn from(since_start: Duration) -> Self {
        Self(u64::try_from(since_start.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }
}

impl Sub for Time {
    type Output = Duration;

    /// How long ago `earlier` was; nothing if it lies ahead.
    fn sub(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} s", self.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stops_at_its_ends_instead_of_turning_over() {
        let end = Time::from_nanos(u64::MAX);
        assert_eq!(Time::from(Duration::MAX), end);
        assert_eq!(end + Duration::from_nanos(1), end);
        assert_eq!(Time::ZERO + Duration::MAX, end);
        assert_eq!(Time::ZERO - end, Duration::ZERO);
        assert_eq!(end - Time::ZERO, Duration::from_nanos(u64::MAX));
    }

    #[test]
    fn time_is_shown_in_seconds() {
        assert_eq!(Time::from_nanos(2_640_400_000).to_string(), "2.640 s");
    }
}
