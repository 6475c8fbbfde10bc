//! Lines that tell of a reply again, although nothing new had come.
//!
//! Replies can be equal, so no single line shows which reply it was made from. But a client cannot have read a value more
//! often than it was sent: who prints more lines than replies had come prints an old value as if it were a new one.

use std::collections::BTreeMap;

use veschub_wire::CommandId;

use super::{
    compare::{Delivered, FieldUnderstood, Judgement, Understood},
    reading::Reading,
};

/// Marks the readings that cannot come from a reply that had not been told yet. A client may spread a reply over several
/// lines, so only lines that begin with the same field are counted together.
pub(super) fn mark(
    understood: &mut [Understood],
    readings: &[Reading],
    delivered: &[Delivered<'_>],
) {
    let mut told: BTreeMap<(Option<CommandId>, &str), usize> = BTreeMap::new();
    // How many replies to each command had come, and the last of them.
    let mut came: BTreeMap<CommandId, (usize, &Delivered<'_>)> = BTreeMap::new();
    let mut further = delivered.iter().peekable();
    for (one, reading) in understood.iter_mut().zip(readings) {
        while let Some(reply) = further.next_if(|reply| reply.entry < reading.after) {
            if reply.reached_the_client() {
                let (count, last) = came.entry(reply.command).or_insert((0, reply));
                (*count, *last) = (*count + 1, reply);
            }
        }
        let is_shown = |one: &&FieldUnderstood| {
            matches!(one.judgement, Judgement::Right | Judgement::Wrong(_))
        };
        let first = one.fields.iter().find(is_shown);
        let first = first.and_then(|field| reading.fields.get_key_value(&*field.field));
        let (Some(reply), Some((first, _))) = (&mut one.reply, first) else {
            continue;
        };
        let came = match reading.command {
            Some(command) => came.get(&command).map_or(0, |(count, _)| *count),
            // It may mean every reply that has such a field.
            None => {
                let has_it =
                    |(_, last): &&(usize, &Delivered<'_>)| last.fields.get(first).is_some();
                came.values().filter(has_it).map(|(count, _)| count).sum()
            }
        };
        let lines = told.entry((reading.command, first)).or_default();
        reply.repeated = *lines >= came;
        *lines += usize::from(!reply.repeated);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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

    /// What is wrong with these lines, each with how many of two equal replies had come.
    fn wrong(lines: &[(usize, &str)], once: bool) -> Vec<String> {
        let request = |_| JournalEvent::Request(vec![62]);
        let reply = |_| JournalEvent::Reply {
            payload: vec![62, 7],
            truth: None,
        };
        let journal: Vec<JournalEntry> = [0, 1]
            .into_iter()
            .flat_map(|number| [request(number), reply(number)])
            .map(|event| JournalEntry {
                at: Time::ZERO,
                conn: None,
                device: None,
                event,
            })
            .collect();
        let line = |(index, (came, fields)): (usize, &(usize, &str))| Line {
            number: index + 1,
            at: Duration::ZERO,
            after: 2 * came,
            text: format!(r#"{{{fields}}}"#).into_bytes(),
            cut: false,
        };
        let lines: Vec<Line> = lines.iter().enumerate().map(line).collect();
        let mut verdict = Verdict::default();
        let tolerance = Tolerance {
            once,
            ..Tolerance::default()
        };
        understand(&mut verdict, sort(&lines), &journal, &tolerance);
        verdict
            .understood
            .into_iter()
            .map(|one| one.why.split(':').next().unwrap_or_default().to_owned())
            .collect()
    }

    const SCAN: &str = r#""command": "PING_CAN", "fields": {"can_ids": [7]}"#;
    const UNNAMED: &str = r#""fields": {"can_ids": [7]}"#;

    #[test]
    fn a_line_for_each_reply_is_right_even_if_the_replies_are_equal() {
        for fields in [SCAN, UNNAMED] {
            assert_eq!(wrong(&[(1, fields), (2, fields)], true), [""; 0]);
            assert_eq!(wrong(&[(2, fields), (2, fields)], true), [""; 0]);
            assert_eq!(wrong(&[(2, fields)], true), [""; 0]);
        }
    }

    #[test]
    fn a_line_more_than_replies_had_come_is_a_repetition() {
        for fields in [SCAN, UNNAMED] {
            assert_eq!(wrong(&[(1, fields), (1, fields)], true), ["repeated"]);
            // It does not spoil the line about the next reply.
            let again = [(1, fields), (1, fields), (2, fields)];
            assert_eq!(wrong(&again, true), ["repeated"]);
            assert_eq!(wrong(&[(2, fields); 3], true), ["repeated"]);
        }
    }

    #[test]
    fn a_test_may_look_at_a_value_as_often_as_it_likes() {
        assert_eq!(wrong(&[(1, SCAN), (1, SCAN)], false), [""; 0]);
    }
}
