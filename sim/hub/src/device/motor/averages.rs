//! Currents and voltages of GET_VALUES: averages since the last read, whoever read last.
//!
//! A read resets what it read (`bldc motor/mc_interface.c:1381-1445`). Of GET_VALUES_SELECTIVE only the chosen ones are
//! read. Two reads within one cycle of the control have nothing between them: the firmware sends 0 then.

use std::time::Duration;

use crate::time::Time;

/// A cycle of the control.
const CYCLE: Duration = Duration::from_micros(50);

/// What is averaged.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Averaged<T> {
    pub(super) motor_current: T,
    pub(super) input_current: T,
    pub(super) id_current: T,
    pub(super) iq_current: T,
    pub(super) vd: T,
    pub(super) vq: T,
}

impl<T> Averaged<T> {
    fn zip<U>(self, other: Averaged<U>) -> Averaged<(T, U)> {
        Averaged {
            motor_current: (self.motor_current, other.motor_current),
            input_current: (self.input_current, other.input_current),
            id_current: (self.id_current, other.id_current),
            iq_current: (self.iq_current, other.iq_current),
            vd: (self.vd, other.vd),
            vq: (self.vq, other.vq),
        }
    }

    fn map<U>(self, mut each: impl FnMut(T) -> U) -> Averaged<U> {
        Averaged {
            motor_current: each(self.motor_current),
            input_current: each(self.input_current),
            id_current: each(self.id_current),
            iq_current: each(self.iq_current),
            vd: each(self.vd),
            vq: each(self.vq),
        }
    }
}

/// What has added up since the start, in units times seconds.
pub(super) type Sums = Averaged<f64>;

impl Sums {
    /// Goes on with these values for a time.
    pub(super) fn add(&mut self, values: Self, seconds: f64) {
        *self = self.zip(values).map(|(sum, value)| sum + value * seconds);
    }
}

/// The bits of GET_VALUES that are averages, in the order of [`Averaged`].
const BITS: Averaged<u32> = Averaged {
    motor_current: 2,
    input_current: 3,
    id_current: 4,
    iq_current: 5,
    vd: 19,
    vq: 20,
};

/// When each was read last, and what had added up by then.
#[derive(Clone, Debug, Default)]
pub(super) struct Reads(Averaged<(Time, f64)>);

impl Reads {
    /// All of them read at this moment, with nothing added up.
    pub(super) fn begun(at: Time) -> Self {
        Self(Averaged::default().map(|()| (at, 0.0)))
    }

    /// Reads those that a mask of GET_VALUES chooses, and resets them; the others are 0.
    pub(super) fn read(&mut self, now: Time, sums: Sums, mask: u32) -> Averaged<f64> {
        let mut averages = Averaged::default().zip(self.0).zip(sums).zip(BITS);
        averages = averages.map(|(((_, (at, before)), sum), bit)| {
            if mask >> bit & 1 == 0 {
                return (((0.0, (at, before)), sum), bit);
            }
            let span = now - at;
            let average = match span < CYCLE {
                true => 0.0,
                false => (sum - before) / span.as_secs_f64(),
            };
            (((average, (now, sum)), sum), bit)
        });
        self.0 = averages.map(|(((_, read), _), _)| read);
        averages.map(|(((average, _), _), _)| average)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: u64) -> Time {
        Time::ZERO + Duration::from_secs(count)
    }

    fn current(motor_current: f64) -> Sums {
        Sums {
            motor_current,
            vq: 2.0 * motor_current,
            ..Sums::default()
        }
    }

    #[test]
    fn a_read_gives_the_average_since_the_last_one_and_resets_it() {
        let mut reads = Reads::default();
        let mut sums = Sums::default();
        sums.add(current(10.0), 1.0);
        sums.add(current(20.0), 1.0);
        let read = reads.read(seconds(2), sums, u32::MAX);
        assert_eq!((read.motor_current, read.vq), (15.0, 30.0));
        sums.add(current(-4.0), 3.0);
        assert_eq!(reads.read(seconds(5), sums, u32::MAX).motor_current, -4.0);
    }

    #[test]
    fn what_a_mask_does_not_choose_goes_on() {
        let mut reads = Reads::default();
        let mut sums = Sums::default();
        sums.add(current(10.0), 1.0);
        let read = reads.read(seconds(1), sums, 1 << 2);
        assert_eq!((read.motor_current, read.vq), (10.0, 0.0));
        sums.add(current(0.0), 1.0);
        let read = reads.read(seconds(2), sums, 1 << 2 | 1 << 20);
        assert_eq!((read.motor_current, read.vq), (0.0, 10.0));
    }

    #[test]
    fn two_reads_at_once_leave_nothing_to_average() {
        let mut reads = Reads::default();
        let mut sums = Sums::default();
        sums.add(current(10.0), 1.0);
        reads.read(seconds(1), sums, u32::MAX);
        assert_eq!(reads.read(seconds(1), sums, u32::MAX).motor_current, 0.0);
    }
}
