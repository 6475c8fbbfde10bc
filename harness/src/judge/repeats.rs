//! Lines that tell of a reply again, although nothing new had come.
//!
//! Replies can be equal, so no single line shows which reply it was made from. But a client cannot have read a value more
//! often than it was sent. A line repeats a reply if each value in it had been told as often as replies with it had come:
//! it shows old values as if they were new. A client may spread a reply over several lines, so each field is counted by
//! itself, and one that is new is enough.

use std::collections::HashMap;

use veschub_wire::CommandId;

use super::{
    compare::{Delivered, Understood},
    reading::Reading,
};

/// Marks the readings that repeat a reply.
pub(super) fn mark(
    understood: &mut [Understood],
    readings: &[Reading],
    delivered: &[Delivered<'_>],
) {
    // Most clients print at most a line for each reply, and then there is nothing to count field by field.
    if has_more_lines_than_replies(readings, delivered) {
        mark_fields(understood, readings, delivered);
    }
}

fn has_more_lines_than_replies(readings: &[Reading], delivered: &[Delivered<'_>]) -> bool {
    let mut left: HashMap<Option<CommandId>, i64> = HashMap::new();
    let mut further = came(delivered);
    readings.iter().any(|reading| {
        while let Some(reply) = further.next_if(|reply| reply.entry < reading.after) {
            for kind in [Some(reply.command), None] {
                *left.entry(kind).or_default() += 1;
            }
        }
        // Who does not name the command may mean any reply.
        let kinds = reading.command.map(Some).into_iter().chain([None]);
        let mut is_more = false;
        for kind in kinds {
            let left = left.entry(kind).or_default();
            *left -= 1;
            is_more |= *left < 0;
        }
        is_more
    })
}

/// The replies that no fault took away.
fn came<'a, 'b>(
    delivered: &'a [Delivered<'b>],
) -> std::iter::Peekable<impl Iterator<Item = &'a Delivered<'b>>> {
    let came = delivered.iter().filter(|reply| reply.reached_the_client());
    came.peekable()
}

/// How often a field came and was told: in replies to a command, or in any.
type Counts<'a> = HashMap<(Option<CommandId>, &'a str), usize>;

fn mark_fields(understood: &mut [Understood], readings: &[Reading], delivered: &[Delivered<'_>]) {
    // How often more it came than it was told.
    let mut left: Counts<'_> = HashMap::new();
    let mut further = came(delivered);
    for (one, reading) in understood.iter_mut().zip(readings) {
        while let Some(reply) = further.next_if(|reply| reply.entry < reading.after) {
            for (name, _) in reply.fields.iter() {
                *left.entry((Some(reply.command), name)).or_default() += 1;
                *left.entry((None, name)).or_default() += 1;
            }
        }
        let Some(reply) = &mut one.reply else {
            continue;
        };
        let given = reading.fields.iter().filter(|(_, given)| !given.is_null());
        let names: Vec<&str> = given.map(|(name, _)| name.as_str()).collect();
        // Who does not name the command may mean every reply that has such a field. What no reply has, such as the names
        // in a configuration, is not counted.
        let is_new = |name: &&str| {
            let left = left.get(&(reading.command, name));
            left.is_none_or(|left| *left > 0)
        };
        reply.repeated = !names.iter().any(is_new);
        if !reply.repeated {
            for name in names {
                for kind in reading.command.map(Some).into_iter().chain([None]) {
                    // Not below 0: another line about the same reply may have shown the field before.
                    if let Some(left) = left.get_mut(&(kind, name)) {
                        *left = left.saturating_sub(1);
                    }
                }
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

    const VERSION: &[u8] = b"\x00\x06\x05demo\x00abcdefghijkl\x01";

    fn wrong(lines: &[(usize, &str)], once: bool) -> Vec<String> {
        wrong_of(&[62, 7], lines, once)
    }

    /// What is wrong with these lines, each with how many of two equal replies had come.
    fn wrong_of(payload: &[u8], lines: &[(usize, &str)], once: bool) -> Vec<String> {
        let request = |_| JournalEvent::Request(payload[..1].to_vec());
        let reply = |_| JournalEvent::Reply {
            payload: payload.to_vec(),
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
    fn a_reply_may_be_spread_over_lines_that_share_a_field() {
        let version = |fields: &str| format!(r#""command": "FW_VERSION", "fields": {{{fields}}}"#);
        let whole = version(r#""firmware": "6.05", "hardware": "demo", "paired": true"#);
        let parts = [
            r#""firmware": "6.05", "hardware": "demo""#,
            r#""firmware": "6.05", "paired": true"#,
        ];
        let parts = parts.map(version);
        let spread = [(1, &*parts[0]), (1, &*parts[1])];
        assert_eq!(wrong_of(VERSION, &spread, true), [""; 0]);
        let again = [(1, &*whole), (1, &*parts[1])];
        assert_eq!(wrong_of(VERSION, &again, true), ["repeated"]);
        // Without its first field, or without its command, it is still the same.
        let unnamed = format!(
            r#""fields": {{{}}}"#,
            r#""hardware": "demo", "paired": true"#
        );
        let again = [(1, &*whole), (1, &*unnamed)];
        assert_eq!(wrong_of(VERSION, &again, true), ["repeated"]);
    }

    #[test]
    fn lines_that_grow_by_a_field_are_no_repetitions() {
        let fields = [
            r#""firmware": "6.05""#,
            r#""hardware": "demo""#,
            r#""paired": true"#,
        ];
        let line = |count: usize| {
            let fields = fields[..count].join(", ");
            format!(r#""command": "FW_VERSION", "fields": {{{fields}}}"#)
        };
        let lines = [1, 2, 3].map(line);
        let of_each = [1, 2].map(|came| lines.each_ref().map(|line| (came, line.as_str())));
        assert_eq!(wrong_of(VERSION, of_each.as_flattened(), true), [""; 0]);
        let again = [of_each.as_flattened(), &[(2, lines[2].as_str())]].concat();
        assert_eq!(wrong_of(VERSION, &again, true), ["repeated"]);
    }

    #[test]
    fn a_test_may_look_at_a_value_as_often_as_it_likes() {
        assert_eq!(wrong(&[(1, SCAN), (1, SCAN)], false), [""; 0]);
    }
}
