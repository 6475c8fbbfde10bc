//! Listens to a bus: the frames that a simulated bus would carry, for a log of it.
//!
//! Without a listener no frame is made. With one, the nodes tell their values at the rates of the scenario, and each
//! command that is passed on becomes its fragments. Each frame takes its time at 500 kbit/s, so that two are never at one
//! time; who waits for a reply is told it when the node says it, a little before its fragments are all over.

use std::{collections::BTreeMap, time::Duration};

use veschub_transcript::{
    Direction,
    can::{Frame, SendType, fragments},
    masking,
};

use crate::{device::node::Telling, time::Time};

/// The most frames that may wait for their time; further ones are not told.
const MAX_WAITING: usize = 65_536;
/// Bits of a frame with 29 bits of id but for the data, with those that are stuffed in between frames as a rule.
const HEAD_BITS: u64 = 67 + 12;
/// A bit at 500 kbit/s.
const BIT_NS: u64 = 2_000;

/// A node that tells something again and again.
#[derive(Clone, Copy, Debug)]
pub(in crate::device) struct Due {
    /// The node; none for the device whose bus it is.
    pub(in crate::device) node: Option<u8>,
    /// Which messages.
    pub(in crate::device) mask: u8,
    every: Duration,
    next: Time,
}

/// The frames of a bus on their way to a log.
#[derive(Debug, Default)]
pub(in crate::device) struct Tap {
    waiting: BTreeMap<(Time, u64), Frame>,
    count: u64,
    free_at: Time,
    telling: Vec<Due>,
}

impl Tap {
    /// A node tells something from now on.
    pub(in crate::device) fn tells(&mut self, node: Option<u8>, telling: Telling) {
        if telling.mask != 0 && !telling.every.is_zero() {
            self.telling.push(Due {
                node,
                mask: telling.mask,
                every: telling.every,
                next: Time::ZERO + telling.every,
            });
        }
    }

    /// A frame goes at that time at the earliest.
    pub(in crate::device) fn frame(&mut self, at: Time, frame: Frame) {
        if self.waiting.len() < MAX_WAITING {
            self.waiting.insert((at, self.count), frame);
            self.count += 1;
        }
    }

    /// A command goes over the bus, in as many frames as it takes.
    pub(in crate::device) fn command(
        &mut self,
        at: Time,
        (from, to): (u8, u8),
        send_type: SendType,
        payload: &[u8],
    ) {
        // A log may be shown around: no password is in it.
        let direction = match send_type.is_reply() {
            true => Direction::ToTool,
            false => Direction::ToDevice,
        };
        let payload = masking::payload(payload, direction);
        for frame in fragments(from, to, send_type, &payload) {
            self.frame(at, frame);
        }
    }

    /// When there is something to tell.
    pub(in crate::device) fn poll_timeout(&self) -> Option<Time> {
        let frame = self.waiting.keys().next().map(|&(at, _)| at);
        let telling = self.telling.iter().map(|due| due.next).min();
        frame.into_iter().chain(telling).min()
    }

    /// The next node that tells something by that time, and when it does.
    pub(in crate::device) fn next_telling(&mut self, now: Time) -> Option<(Time, Due)> {
        let telling = self.telling.iter_mut().filter(|due| due.next <= now);
        let due = telling.min_by_key(|due| due.next)?;
        let at = due.next;
        due.next = at + due.every;
        Some((at, *due))
    }

    /// The frames that have gone by that time, each when the bus was free for it.
    pub(in crate::device) fn release(&mut self, now: Time) -> Vec<(Time, Frame)> {
        let mut gone = Vec::new();
        while let Some(entry) = self.waiting.first_entry()
            && entry.key().0 <= now
        {
            let ((at, _), frame) = entry.remove_entry();
            let at = at.max(self.free_at);
            let bits = HEAD_BITS + 8 * frame.data().len() as u64;
            self.free_at = at + Duration::from_nanos(bits * BIT_NS);
            gone.push((at, frame));
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use veschub_transcript::can::Packet;

    use super::*;

    fn ms(ms: u64) -> Time {
        Time::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn frames_go_in_the_order_of_their_times_and_one_after_the_other() {
        let mut tap = Tap::default();
        let frame = |node| Frame::new(Packet::PING, node, &[2]);
        tap.frame(ms(20), frame(3));
        tap.frame(ms(10), frame(1));
        tap.frame(ms(10), frame(2));
        assert_eq!(tap.poll_timeout(), Some(ms(10)));
        let gone = tap.release(ms(15));
        // 87 bits of 2 µs.
        let next = ms(10) + Duration::from_micros(174);
        assert_eq!(gone, [(ms(10), frame(1)), (next, frame(2))]);
        assert_eq!(tap.release(ms(20)), [(ms(20), frame(3))]);
        assert_eq!(tap.poll_timeout(), None);
    }

    #[test]
    fn what_is_told_again_and_again_comes_at_its_rate() {
        let mut tap = Tap::default();
        let telling = |every, mask| Telling {
            every: Duration::from_millis(every),
            mask,
        };
        tap.tells(Some(84), telling(20, 1));
        tap.tells(None, telling(50, 2));
        tap.tells(None, telling(0, 2));
        tap.tells(None, telling(50, 0));
        let mut told = Vec::new();
        while let Some((at, due)) = tap.next_telling(ms(100)) {
            told.push((at.as_nanos() / 1_000_000, due.node));
        }
        let (one, own) = (Some(84), None);
        assert_eq!(
            told,
            [
                (20, one),
                (40, one),
                (50, own),
                (60, one),
                (80, one),
                (100, one),
                (100, own)
            ]
        );
    }
}
