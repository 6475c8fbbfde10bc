//! How long things took: gaps between what was said, and how long replies took.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::entry::{Direction, Entry, FrameEntry, Kind};
use crate::exchange::{Asked, Exchanges, Policy};

/// Connections of which times are known; that with the lowest number is forgotten first.
const MAX_CONNECTIONS: usize = 1024;

/// How long things took, of one entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Timing {
    /// Nanoseconds since something was said last on the same connection, in either direction.
    pub(super) gap_ns: Option<u64>,
    /// For a reply: the request that it answers, and after how many nanoseconds.
    pub(super) answers: Option<(Asked, u64)>,
}

/// Follows the entries of a transcript and measures the times of each. [`Policy::measuring`] decides which request a
/// reply answers.
#[derive(Debug, Default)]
pub(super) struct Clock {
    connections: BTreeMap<u32, Followed>,
}

#[derive(Debug)]
struct Followed {
    last_ns: Option<u64>,
    exchanges: Exchanges<()>,
}

impl Clock {
    /// The times of the next entry.
    pub(super) fn time(&mut self, entry: &Entry) -> Timing {
        let said = matches!(
            entry.kind,
            Kind::Login(_) | Kind::Frame(_) | Kind::Noise(_) | Kind::Gap { .. }
        );
        let (Some(at), true) = (entry.at_ns, said) else {
            return Timing::default();
        };
        if self.connections.len() >= MAX_CONNECTIONS {
            self.connections.pop_first();
        }
        let followed = self.connections.entry(entry.connection);
        let followed = followed.or_insert_with(|| Followed {
            last_ns: None,
            exchanges: Exchanges::new(Policy::measuring()),
        });
        let last = followed.last_ns.replace(at);
        let frame = entry.frame().zip(entry.direction);
        Timing {
            gap_ns: last.map(|last| at.saturating_sub(last)),
            answers: frame.and_then(|(frame, direction)| followed.exchange(at, frame, direction)),
        }
    }
}

impl Followed {
    fn exchange(
        &mut self,
        at_ns: u64,
        frame: &FrameEntry,
        direction: Direction,
    ) -> Option<(Asked, u64)> {
        let at = Duration::from_nanos(at_ns);
        if direction == Direction::ToDevice {
            self.exchanges.ask(at, &frame.payload, ());
            return None;
        }
        let open = self.exchanges.answer(at, &frame.payload)?;
        // Times of a capture fit into 64 bits.
        let took = at.saturating_sub(open.at).as_nanos() as u64;
        Some((open.asked, took))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(at_ms: u64, direction: Direction, payload: &[u8]) -> Entry {
        Entry {
            at_ns: Some(at_ms * 1_000_000),
            connection: 1,
            direction: Some(direction),
            offset: 0,
            kind: Kind::Frame(FrameEntry {
                payload: payload.to_vec(),
                start: 2,
                waits_for: 0,
                firmware: None,
            }),
        }
    }

    /// Gap and latency in milliseconds.
    fn told(entries: &[Entry]) -> Vec<(Option<u64>, Option<u64>)> {
        let mut clock = Clock::default();
        let ms = |ns: u64| ns / 1_000_000;
        let timings = entries.iter().map(|entry| clock.time(entry));
        timings
            .map(|timing| {
                let latency = timing.answers.map(|(_, ns)| ms(ns));
                (timing.gap_ns.map(ms), latency)
            })
            .collect()
    }

    #[test]
    fn a_reply_answers_its_request_and_not_another() {
        use Direction::{ToDevice, ToTool};
        assert_eq!(
            told(&[
                frame(0, ToDevice, &[93, 0]),
                frame(26, ToDevice, &[62]),
                frame(90, ToTool, &[93]),
                frame(2_658, ToTool, &[62, 84]),
                frame(2_700, ToTool, &[62, 84]),
            ]),
            [
                (None, None),
                (Some(26), None),
                (Some(64), Some(90)),
                (Some(2_568), Some(2_632)),
                (Some(42), None),
            ]
        );
    }

    #[test]
    fn a_pipelined_poll_has_the_latency_that_its_client_measured() {
        use Direction::{ToDevice, ToTool};
        let polls = (0..100).flat_map(|poll| {
            [
                frame(20 * poll, ToDevice, &[96]),
                frame(20 * poll + 57, ToTool, &[96]),
            ]
        });
        let mut entries: Vec<Entry> = polls.collect();
        entries.sort_by_key(|entry| entry.at_ns);
        let latencies: Vec<_> = told(&entries)
            .into_iter()
            .filter_map(|(_, latency)| latency)
            .collect();
        assert_eq!(latencies, [57; 100]);
    }

    #[test]
    fn a_reply_from_the_can_bus_answers_forward_can() {
        use Direction::{ToDevice, ToTool};
        let mut clock = Clock::default();
        clock.time(&frame(0, ToDevice, &[34, 84, 0]));
        let timing = clock.time(&frame(5, ToTool, &[0, 6, 5]));
        let (asked, latency) = timing.answers.unwrap();
        assert_eq!(
            (asked.to_string().as_str(), latency),
            ("FORWARD_CAN(FW_VERSION)", 5_000_000)
        );
    }

    #[test]
    fn a_request_that_was_never_answered_does_not_slow_down_the_later_ones() {
        use Direction::{ToDevice, ToTool};
        let polls = (1..4).flat_map(|poll| {
            [
                frame(1_000 * poll, ToDevice, &[96]),
                frame(1_000 * poll + 90, ToTool, &[96]),
            ]
        });
        let entries: Vec<Entry> = [frame(0, ToDevice, &[96])]
            .into_iter()
            .chain(polls)
            .collect();
        let latencies: Vec<_> = told(&entries)
            .into_iter()
            .filter_map(|(_, latency)| latency)
            .collect();
        assert_eq!(latencies, [90, 90, 90]);
    }

    #[test]
    fn what_is_open_has_a_limit() {
        let mut clock = Clock::default();
        for connection in 0..2_000 {
            for _ in 0..100 {
                clock.time(&Entry {
                    connection,
                    ..frame(0, Direction::ToDevice, &[96])
                });
            }
        }
        assert!(clock.connections.len() <= MAX_CONNECTIONS);
    }
}
