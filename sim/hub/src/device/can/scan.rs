//! PING_CAN: asking every id on the bus whether somebody is there.
//!
//! ```text
//!  PING 0 | 10 ms | PING 1 | 10 ms | ... PING 84, PONG | PING 85 | 10 ms | ... PING 254
//! ```
//!
//! A PONG after more than 10 ms comes while another id is asked. Who takes it is a matter of the firmware:
//! [`LatePong`].

use std::{collections::BTreeMap, time::Duration};

use crate::{device::profile::LatePong, time::Time};

/// How long an id is waited for (`EX main/comm_can.c:1133-1151`).
const PING_TIMEOUT: Duration = Duration::from_millis(10);
/// The last id that is asked, from 0 on (`EX main/commands.c:153-158`).
const LAST_ID: u8 = 254;

/// What a scan found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::device) struct Scan {
    /// The ids that seemed to answer, ascending.
    pub(in crate::device) can_ids: Vec<u8>,
    /// How long it took.
    pub(in crate::device) took: Duration,
    /// PONGs that were under way when it ended.
    pub(super) under_way: Vec<Time>,
    /// When each id was asked, from 0 on.
    pub(super) asked: Vec<Time>,
}

/// Scans a bus on which each of these ids answers after a time; `under_way` are PONGs of an earlier scan.
pub(super) fn scan(
    start: Time,
    answer_after: &BTreeMap<u8, Duration>,
    late: LatePong,
    mut under_way: Vec<Time>,
) -> Scan {
    let mut now = start;
    let mut can_ids = Vec::new();
    let mut asked = Vec::with_capacity(usize::from(LAST_ID) + 1);
    for id in 0..=LAST_ID {
        asked.push(now);
        let delay = answer_after.get(&id).copied();
        if late == LatePong::Ignored {
            match delay.filter(|&delay| delay <= PING_TIMEOUT) {
                Some(delay) => {
                    can_ids.push(id);
                    now = now + delay;
                }
                None => now = now + PING_TIMEOUT,
            }
            continue;
        }
        // A flag, not a counter: several PONGs before the question are one.
        let waiting = under_way.len();
        under_way.retain(|&at| at > now);
        let flagged = under_way.len() < waiting && late == LatePong::ForTheNextId;
        under_way.extend(delay.map(|delay| now + delay));
        if flagged {
            can_ids.push(id);
            continue;
        }
        let first = under_way.iter().copied().min();
        match first.filter(|&at| at <= now + PING_TIMEOUT) {
            Some(at) => {
                under_way.retain(|&other| other != at);
                can_ids.push(id);
                now = at;
            }
            None => now = now + PING_TIMEOUT,
        }
    }
    Scan {
        can_ids,
        took: now - start,
        under_way,
        asked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn found(nodes: &[(u8, u32)], late: LatePong) -> (Vec<u8>, Duration) {
        let nodes = nodes.iter().map(|&(id, ms)| (id, MS * ms)).collect();
        let scan = scan(Time::ZERO, &nodes, late, Vec::new());
        (scan.can_ids, scan.took)
    }

    #[test]
    fn a_scan_takes_10_ms_for_each_id_that_does_not_answer() {
        for nodes in [&[][..], &[(84, 0)], &[(0, 0), (254, 0), (7, 0)]] {
            let (ids, took) = found(nodes, LatePong::ForTheNextId);
            assert_eq!(ids.len(), nodes.len());
            assert_eq!(took, 10 * MS * (255 - nodes.len() as u32));
        }
        let all: Vec<(u8, u32)> = (0..=254).map(|id| (id, 0)).collect();
        let (ids, took) = found(&all, LatePong::ForTheNextId);
        assert_eq!((ids.len(), took), (255, Duration::ZERO));
    }

    #[test]
    fn a_late_pong_counts_for_the_next_id_unless_the_id_is_compared() {
        assert_eq!(found(&[(84, 12)], LatePong::ForTheNextId).0, [85]);
        assert_eq!(found(&[(84, 12)], LatePong::ForTheIdAsked).0, [85]);
        assert_eq!(found(&[(84, 12)], LatePong::Ignored).0, [0_u8; 0]);
        assert_eq!(found(&[(84, 10)], LatePong::ForTheNextId).0, [84]);
        assert_eq!(found(&[(84, 35)], LatePong::ForTheNextId).0, [87]);
    }

    #[test]
    fn a_late_pong_goes_past_an_id_that_answers_by_itself() {
        // 85 answers at once, so that the PONG of 84 comes while 86 is asked.
        let (ids, _) = found(&[(84, 12), (85, 0)], LatePong::ForTheNextId);
        assert_eq!(ids, [85, 86]);
    }

    #[test]
    fn a_pong_that_is_under_way_at_the_end_counts_for_the_first_id_of_the_next_scan() {
        let nodes = BTreeMap::from([(254, 15 * MS)]);
        let first = scan(Time::ZERO, &nodes, LatePong::ForTheNextId, Vec::new());
        assert_eq!((first.can_ids.len(), first.under_way.len()), (0, 1));
        let later = Time::ZERO + 5000 * MS;
        let next = scan(
            later,
            &nodes,
            LatePong::ForTheNextId,
            first.under_way.clone(),
        );
        assert_eq!(next.can_ids, [0]);
        let next = scan(later, &nodes, LatePong::ForTheIdAsked, first.under_way);
        assert_eq!(next.can_ids, [0_u8; 0]);
    }
}
