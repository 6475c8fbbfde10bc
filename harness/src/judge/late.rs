//! Lines that came late, which a client is not accused of.

use std::time::Duration;

use super::compare::{Delivered, Understood};

/// How much later than the client wrote it a line may come. On a busy machine the program that reads it has to wait.
const LATE: Duration = Duration::from_millis(250);

/// Withdraws "stale" where only the time of a line speaks for it: the newer reply was sent shortly before the line came,
/// and most lines about this command tell of the newest reply. A client that keeps old replies does so for longer, or in
/// most of its lines.
pub(super) fn excuse(readings: &mut [Understood], delivered: &[Delivered<'_>]) {
    let late: Vec<bool> = readings.iter().map(|one| is_late(one, delivered)).collect();
    let commands: Vec<_> = readings.iter().map(|one| one.command).collect();
    for (reading, _) in readings.iter_mut().zip(&late).filter(|(_, late)| **late) {
        let like_it = || {
            commands
                .iter()
                .zip(&late)
                .filter(|(one, _)| **one == reading.command)
        };
        if 2 * like_it().filter(|(_, late)| **late).count() < like_it().count()
            && let Some(reply) = &mut reading.reply
        {
            reply.stale = false;
        }
    }
}

fn is_late(reading: &Understood, delivered: &[Delivered<'_>]) -> bool {
    let Some(told) = reading.reply.filter(|reply| reply.stale) else {
        return false;
    };
    // Replies are in the order of the journal.
    let index = delivered.partition_point(|reply| reply.entry < told.entry);
    let mut from_it = delivered.iter().skip(index);
    let newer = from_it
        .next()
        .and_then(|told| from_it.find(|reply| reply.is_like(told)));
    newer.is_some_and(|newer| reading.at <= newer.at + LATE)
}

#[cfg(test)]
mod tests {
    use veschub_hub::{
        journal::{JournalEntry, JournalEvent},
        time::Time,
    };

    use crate::{
        judge::{
            Verdict,
            compare::Tolerance,
            readings::{sort, understand},
        },
        outside::output::Line,
    };

    use super::*;

    /// Replies a tenth of a second apart, each with a list of its own, and a line about each of them that comes so much
    /// later than the next reply; how many lines are stale.
    fn stale(lateness: &[Option<u64>]) -> usize {
        let journal: Vec<JournalEntry> = (0..=lateness.len() as u64)
            .map(|number| JournalEntry {
                at: Time::from_nanos(100_000_000 * number),
                conn: None,
                device: None,
                event: JournalEvent::Reply {
                    payload: vec![62, 1 + number as u8],
                    truth: None,
                },
            })
            .collect();
        let line = |(index, late): (usize, &Option<u64>)| {
            let number = index as u64;
            let at = late.map_or(100 * number + 1, |late| 100 * (number + 1) + late);
            Line {
                number: index + 1,
                at: Duration::from_millis(at),
                after: (at / 100) as usize + 1,
                text: format!(
                    r#"{{"command": "PING_CAN", "fields": {{"can_ids": [{}]}}}}"#,
                    1 + number
                )
                .into_bytes(),
                cut: false,
            }
        };
        let lines: Vec<Line> = lateness.iter().enumerate().map(line).collect();
        let mut verdict = Verdict::default();
        understand(&mut verdict, sort(&lines), &journal, &Tolerance::default());
        let readings = verdict.readings.iter();
        readings
            .filter(|one| one.reply.is_some_and(|reply| reply.stale))
            .count()
    }

    #[test]
    fn a_few_lines_that_come_shortly_after_the_next_reply_are_not_stale() {
        assert_eq!(stale(&[None; 5]), 0);
        assert_eq!(stale(&[None, Some(30), None, Some(80), None]), 0);
    }

    #[test]
    fn who_is_behind_in_most_lines_or_for_long_is_stale() {
        assert_eq!(stale(&[None, Some(30), None, Some(30), Some(30)]), 3);
        assert_eq!(stale(&[None, Some(251), None, None, None]), 1);
    }
}
