//! What is wrong with a client in a try.
//!
//! A client may give up, report nothing, or exit with an error: what it is sent may be nonsense. It must not crash, hang,
//! spin or take ever more memory, and must not report a value that nobody sent. For that, every whole frame counts
//! that stands anywhere in the stream, in whichever order: so a client that looks for the next frame in another way than
//! ours is never accused.

use std::{collections::BTreeSet, fmt, time::Duration};

use veschub_hub::{
    journal::{JournalEntry, JournalEvent},
    time::Time,
};
use veschub_wire::{CommandId, Reply, crc16, view::Value};

use super::case::Case;
use crate::{
    judge::{
        Played,
        compare::{self, FieldUnderstood, Judgement, Tolerance, Understood},
        reading::Reading,
        readings,
    },
    outside::{
        ending::{CutShort, ProcessEnd},
        output::MAX_STDOUT,
        slip::is_slip,
    },
};

/// More CPU time than this in one try is a spin, if it is most of the time that the try took.
const SPIN: Duration = Duration::from_secs(1);

/// What a client does that no input may make it do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It crashes.
    Crash,
    /// It is still running at the time limit.
    Hang,
    /// It is still running at the time limit and computes all the time, or computes for very long.
    Spin,
    /// It takes very much memory.
    Memory,
    /// It reports a value that nobody sent.
    Wrong,
}

impl Kind {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Hang => "hang",
            Self::Spin => "spin",
            Self::Memory => "memory",
            Self::Wrong => "wrong",
        }
    }
}

/// Something that is wrong with a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) kind: Kind,
    /// What happened, in words.
    pub(super) words: String,
    /// What tells this trouble from another one of its kind: two with the same are one.
    pub(super) key: String,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

/// What was seen of a client in a try.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) played: Played,
    /// The CPU time that it took.
    pub(crate) cpu: Duration,
    /// How long the try took.
    pub(crate) wall: Duration,
    /// By how much its memory was larger than ever before, KiB.
    pub(crate) grown_kib: u64,
}

/// What is wrong with the client in this try, if something is.
pub(super) fn trouble(case: &Case, seen: &Seen, most_kib: u64) -> Option<Trouble> {
    let played = &seen.played;
    let trouble = |kind, words: String, key: String| Some(Trouble { kind, words, key });
    let spins = seen.cpu > seen.wall / 2;
    match (&played.report.how, played.report.how.cut_short()) {
        (ProcessEnd::Panicked { report, .. }, _) if !is_slip(report) => {}
        (how, Some(CutShort::Crash)) => {
            let key = match how {
                ProcessEnd::Panicked { report, .. } => without_numbers(report),
                other => other.to_string(),
            };
            return trouble(Kind::Crash, format!("your client {how}"), key);
        }
        // Who is told of hundreds of nodes asks each of them, and waits for each.
        (_, Some(CutShort::TimeUp)) if !spins && still_asks(played) => return None,
        (_, Some(CutShort::TimeUp)) if spins => {
            let words = format!(
                "your client was still running after {:.1} s, and computed for {:.1} s of them",
                seen.wall.as_secs_f64(),
                seen.cpu.as_secs_f64()
            );
            return trouble(Kind::Spin, words, case.job.name().to_owned());
        }
        (_, Some(CutShort::TimeUp)) => {
            let words = format!(
                "your client was still running after {:.1} s",
                seen.wall.as_secs_f64()
            );
            return trouble(Kind::Hang, words, case.job.name().to_owned());
        }
        _ => {}
    }
    if played.printed >= MAX_STDOUT {
        let words = "your client prints without an end".to_owned();
        return trouble(Kind::Hang, words, "prints".to_owned());
    }
    if seen.cpu > SPIN && spins {
        let words = format!("your client computed for {:.1} s", seen.cpu.as_secs_f64());
        return trouble(Kind::Spin, words, case.job.name().to_owned());
    }
    if seen.grown_kib > most_kib {
        let words = format!(
            "your client took {} MiB more memory than before",
            seen.grown_kib >> 10
        );
        return trouble(Kind::Memory, words, case.job.name().to_owned());
    }
    let (words, key) = wrong(case, played)?;
    trouble(Kind::Wrong, words, key)
}

/// So many requests nobody needs, however many nodes there are.
const MOST_REQUESTS: usize = 1000;
/// Who has not asked for this long at the time limit does not wait for a reply any more.
const QUIET: Duration = Duration::from_secs(1);

/// Whether the client was at work, asking one thing after the other, when its time was up.
fn still_asks(played: &Played) -> bool {
    let asked = || {
        let requests = played.journal.iter();
        requests.filter(|entry| matches!(entry.event, JournalEvent::Request(_)))
    };
    let last = asked().next_back().map(|entry| entry.at.since_start());
    asked().count() < MOST_REQUESTS && last.is_some_and(|last| last + QUIET >= played.limit)
}

/// A crash at another place is another one, but not with another number.
fn without_numbers(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// The first value that the client reports and nobody sent.
fn wrong(case: &Case, played: &Played) -> Option<(String, String)> {
    let journal = told(case, &played.journal);
    let delivered = compare::delivered(&journal);
    let unclear: BTreeSet<CommandId> = delivered
        .iter()
        .filter(|reply| Reply::decode(reply.payload).is_err())
        .map(|reply| reply.command)
        .collect();
    let printed = readings::sort(&played.lines);
    printed.readings.into_iter().find_map(|reading| {
        // When a line was printed does not matter here.
        let reading = Reading {
            after: usize::MAX,
            can_id: None,
            ..reading
        };
        let understood = compare::compare(&reading, &delivered, true, &Tolerance::default());
        // What a client makes of a reply that ends too early is its own affair.
        let is_unclear = match reading.command.or(understood.command) {
            Some(command) => unclear.contains(&command),
            None => !unclear.is_empty(),
        };
        if is_unclear {
            None
        } else {
            wrong_in(&understood)
        }
    })
}

fn wrong_in(understood: &Understood) -> Option<(String, String)> {
    let command = understood
        .command
        .map_or_else(|| "a reading".to_owned(), |command| command.to_string());
    if understood.reply.is_none() {
        let words =
            format!("your client reports {command}, and no whole frame of that command was sent");
        return Some((words, command));
    }
    let field = understood.fields.iter().find(|field| is_wrong(field))?;
    let (item, truth, decoded) = readings::shown(field.truth.as_ref(), field.decoded.as_ref());
    let name = format!("{command}.{}", field.field);
    let why = readings::why(&field.judgement).unwrap_or_default();
    let words =
        format!("your client reports {name}{item} as {decoded}, and {truth} was sent: {why}");
    Some((words, name))
}

fn is_wrong(field: &FieldUnderstood) -> bool {
    let is_clear = match &field.truth {
        // How odd bytes become text differs from language to language.
        Some(Value::Text(text)) => text.chars().all(|c| c.is_ascii_graphic() || c == ' '),
        // No measurement is that small, and a float that an IEEE reader takes for another one is.
        Some(Value::Number(number)) => {
            number.is_finite() && (*number == 0.0 || number.abs() > 1e-30)
        }
        Some(Value::List(values)) => values
            .iter()
            .all(|value| !matches!(value, Value::Number(n) if !n.is_finite())),
        Some(_) => true,
        None => false,
    };
    is_clear && matches!(field.judgement, Judgement::Wrong(_))
}

/// The journal of a session in which every whole frame arrived that stands anywhere in the stream.
fn told(case: &Case, journal: &[JournalEntry]) -> Vec<JournalEntry> {
    let requests = journal
        .iter()
        .filter(|entry| matches!(entry.event, JournalEvent::Request(_)));
    let mut told: Vec<JournalEntry> = requests.cloned().collect();
    let at = told.last().map_or(Time::ZERO, |entry| entry.at);
    told.extend(
        frames(&case.stream(journal))
            .into_iter()
            .map(|payload| JournalEntry {
                at,
                conn: None,
                device: None,
                event: JournalEvent::Reply {
                    payload,
                    truth: None,
                },
            }),
    );
    told
}

/// The payloads of all frames that stand in these bytes, those within others too.
fn frames(bytes: &[u8]) -> Vec<Vec<u8>> {
    let at = |start: usize| {
        let head = usize::from(*bytes.get(start)?);
        if !(2..=4).contains(&head) {
            return None;
        }
        let length = bytes.get(start + 1..start + head)?;
        let length = length
            .iter()
            .fold(0, |length, byte| length << 8 | usize::from(*byte));
        let payload = bytes.get(start + head..start + head + length)?;
        let tail = bytes.get(start + head + length..start + head + length + 3)?;
        let [high, low] = crc16(payload).to_be_bytes();
        (length > 0 && tail == [high, low, 3]).then(|| payload.to_vec())
    };
    (0..bytes.len()).filter_map(at).collect()
}

#[cfg(test)]
mod tests {
    use veschub_wire::encode;

    use super::*;

    #[test]
    fn a_frame_within_a_broken_one_counts_too() {
        let inner = encode(&[62, 7]).unwrap();
        let outer = [&[2, 0x20][..], &inner, &[1, 2, 3]].concat();
        assert_eq!(frames(&outer), [vec![62, 7]]);
        let mut broken = inner.clone();
        broken[4] ^= 1;
        assert_eq!(frames(&[broken, inner].concat()), [vec![62, 7]]);
        assert!(frames(&[2, 0, 0, 0, 3]).is_empty());
    }
}
