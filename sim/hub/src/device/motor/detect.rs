//! SET_DETECT: a stream of rotor positions, every 10 ms until another mode ends it (`bldc main.c:165-215`).

use std::time::Duration;

use veschub_wire::{Reply, number::F32};

use crate::time::Time;

/// How often a position is sent.
const EVERY: Duration = Duration::from_millis(10);

/// Which position a mode shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shows {
    /// The angle of the rotor's field.
    Electrical,
    /// The angle of the rotor.
    Rotor,
    /// Differences that an ideal sensor does not have.
    Nothing,
}

/// The stream, while it runs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Detection(Option<(Shows, Time)>);

impl Detection {
    /// Takes in a mode.
    pub(super) fn set(&mut self, at: Time, mode: u8) {
        let shows = match mode {
            2 => Some(Shows::Electrical),
            3 | 4 => Some(Shows::Rotor),
            5..=7 => Some(Shows::Nothing),
            _ => None,
        };
        self.0 = shows.map(|shows| (shows, at + EVERY));
    }

    /// When the next position is due.
    pub(super) fn next(&self) -> Option<Time> {
        self.0.map(|(_, at)| at)
    }

    /// The next position, if it is due by now; `angle_deg` tells that of the rotor.
    pub(super) fn pop(
        &mut self,
        now: Time,
        pole_pairs: f64,
        angle_deg: impl FnOnce(Time) -> f64,
    ) -> Option<(Time, Reply)> {
        let (shows, at) = self.0.filter(|&(_, at)| at <= now)?;
        self.0 = Some((shows, at + EVERY));
        let position = match shows {
            Shows::Electrical => (angle_deg(at) * pole_pairs).rem_euclid(360.0),
            Shows::Rotor => angle_deg(at),
            Shows::Nothing => 0.0,
        };
        let position_deg = F32::truncated(position);
        Some((at, Reply::RotorPosition { position_deg }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(count: u64) -> Time {
        Time::ZERO + Duration::from_millis(count)
    }

    #[test]
    fn a_position_comes_every_10_ms_until_mode_0() {
        let mut detection = Detection::default();
        detection.set(ms(3), 2);
        let mut said = Vec::new();
        while let Some((at, reply)) = detection.pop(ms(40), 7.0, |_| 100.0) {
            let position_deg = F32::truncated(340.0);
            assert_eq!(reply, Reply::RotorPosition { position_deg });
            said.push(at);
        }
        assert_eq!(said, [ms(13), ms(23), ms(33)]);
        detection.set(ms(41), 0);
        assert_eq!(detection.next(), None);
    }
}
