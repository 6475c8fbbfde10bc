//! Lines that tell of a reply again, although nothing new had come.
//!
//! Replies can be equal, so no single line shows which reply it was made from. But a client cannot have read a value more
//! often than it was sent: who prints more lines than replies had come prints an old value as if it were a new one.

use std::collections::BTreeMap;

use veschub_wire::CommandId;

use super::{
    compare::{Delivered, Judgement, Understood},
    reading::Reading,
};

/// Marks the readings in which no value can come from a reply that had not been told yet. A client may spread a reply
/// over several lines: each field is counted by itself.
pub(super) fn mark(
    understood: &mut [Understood],
    readings: &[Reading],
    delivered: &[Delivered<'_>],
) {
    let mut told: BTreeMap<(Option<CommandId>, String), usize> = BTreeMap::new();
    for (one, reading) in understood.iter_mut().zip(readings) {
        let Some(reply) = &mut one.reply else {
            continue;
        };
        let is_shown =
            |judgement: &Judgement| matches!(judgement, Judgement::Right | Judgement::Wrong(_));
        let shown = one.fields.iter().filter(|one| is_shown(&one.judgement));
        let names: Vec<&str> = shown.map(|field| &*field.field).collect();
        // Who does not name the command may mean every reply that has these fields.
        let came = delivered.iter().filter(|reply| {
            reply.entry < reading.after
                && reply.reached_the_client()
                && match reading.command {
                    Some(command) => reply.command == command,
                    None => names.iter().all(|name| reply.fields.get(name).is_some()),
                }
        });
        let came = came.count();
        let key = |name: &str| (reading.command, name.to_owned());
        let is_new = |name: &&str| told.get(&key(name)).is_none_or(|lines| *lines < came);
        reply.repeated = !names.is_empty() && !names.iter().any(is_new);
        if !reply.repeated {
            for name in names {
                *told.entry(key(name)).or_default() += 1;
            }
        }
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
