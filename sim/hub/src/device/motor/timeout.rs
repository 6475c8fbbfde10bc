//! A motor that nobody commands any more is released, or braked.
//!
//! The firmware looks every 10 ms whether more than the time-out has passed since the last command
//! (`bldc timeout.c:244`). So the stop comes up to 10 ms late, and so does the end of the flag that tells of it.

use std::time::Duration;

use crate::time::Time;

/// How often the firmware looks.
const TICK: Duration = Duration::from_millis(10);

/// Watches over the commands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Timeout {
    /// Without a command for this long, the motor stops; 0 is never.
    after: Duration,
    fed_at: Time,
    is_active: bool,
    /// When the flag goes down, after a command that came too late.
    ends_at: Option<Time>,
}

impl Timeout {
    pub(super) fn new(after: Duration, at: Time) -> Self {
        Self {
            after,
            fed_at: at,
            is_active: false,
            ends_at: None,
        }
    }

    /// Another time; the last command counts as before.
    pub(super) fn set(&mut self, after: Duration) {
        self.after = after;
    }

    /// Whether the flag is up.
    pub(super) fn is_active(&self) -> bool {
        self.is_active
    }

    /// A command came.
    pub(super) fn feed(&mut self, at: Time) {
        self.fed_at = at;
        if self.is_active && self.ends_at.is_none() {
            self.ends_at = Some(next_tick(at));
        }
    }

    /// When something changes.
    pub(super) fn next(&self) -> Option<Time> {
        if self.is_active {
            return self.ends_at;
        }
        (!self.after.is_zero()).then(|| next_tick(self.fed_at + self.after))
    }

    /// What is due by now; whether the motor stops.
    pub(super) fn run(&mut self, now: Time) -> bool {
        match self.next() {
            Some(at) if at <= now => {
                self.is_active = self.ends_at.take().is_none();
                self.is_active
            }
            _ => false,
        }
    }
}

/// The first look after a moment.
fn next_tick(at: Time) -> Time {
    let ticks = at.since_start().as_nanos() / TICK.as_nanos() + 1;
    let nanos = ticks.saturating_mul(TICK.as_nanos());
    Time::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(count: u64) -> Time {
        Time::ZERO + Duration::from_millis(count)
    }

    #[test]
    fn the_stop_comes_at_the_first_look_after_the_time() {
        let mut timeout = Timeout::new(Duration::from_secs(1), Time::ZERO);
        timeout.feed(ms(3));
        assert_eq!(timeout.next(), Some(ms(1010)));
        timeout.feed(ms(990));
        // Strictly more than the time.
        assert_eq!(timeout.next(), Some(ms(2000)));
        assert!(!timeout.run(ms(1999)));
        assert!(timeout.run(ms(2000)));
        assert!(!timeout.run(ms(2000)), "the motor stops once");
        assert!(timeout.is_active());
    }

    #[test]
    fn the_flag_goes_down_at_the_first_look_after_a_command() {
        let mut timeout = Timeout::new(Duration::from_millis(100), Time::ZERO);
        assert!(timeout.run(ms(200)));
        timeout.feed(ms(205));
        timeout.feed(ms(208));
        assert!(timeout.is_active());
        assert_eq!(timeout.next(), Some(ms(210)));
        assert!(!timeout.run(ms(210)));
        assert!(!timeout.is_active());
    }

    #[test]
    fn without_a_time_it_never_comes() {
        let mut timeout = Timeout::new(Duration::ZERO, Time::ZERO);
        assert_eq!(timeout.next(), None);
        assert!(!timeout.run(ms(1_000_000)));
    }
}
