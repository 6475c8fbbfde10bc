//! What each command cost: how often, how many bytes, how long until the reply, how often a second.
//!
//! Memory does not grow with the session: up to 512 times are kept and sorted; beyond them they are counted in
//! classes a sixteenth of an octave wide, so that a median is off by three per cent at the most.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::{Serialize, Serializer};
use veschub_wire::Nearly;

use super::tally::Tally;
use super::timing::Clock;
use super::unit::{self, tenths_of_ms};
use crate::entry::{Direction, Entry, Kind};
use crate::exchange::Asked;
use crate::transcript::{Connection, EntrySink};

/// So many times are kept as they are.
const EXACT: usize = 512;
/// Commands beyond this many different ones are counted together.
const MAX_ROWS: usize = 256;

/// Adds up what was said, by direction and command.
#[derive(Debug, Default)]
pub struct Stats {
    clock: Clock,
    tally: Tally,
    rows: BTreeMap<(Direction, Option<Asked>), Counted>,
    /// Noise, by what it nearly was.
    noise: BTreeMap<(Direction, &'static str), Counted>,
}

#[derive(Debug, Default)]
struct Counted {
    count: u64,
    late: u64,
    bytes: u64,
    answered: u64,
    latency: Times,
    period: Times,
    /// When it was said last, and on which connection.
    last: Option<(u32, u64)>,
}

/// One command in one direction.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Which way it went.
    #[serde(serialize_with = "as_str")]
    pub direction: Direction,
    /// The command, for FORWARD_CAN with the one inside; `others` for all beyond the 256 first. For bytes that belong to
    /// no frame `noise`, with what they nearly were if that is known: `noise: wrong-checksum`.
    pub command: String,
    /// How many frames, or pieces of noise.
    pub count: u64,
    /// What they took on the wire, head and tail included.
    pub bytes: u64,
    /// Of requests: how many got a reply.
    pub answered: Option<u64>,
    /// Of requests that got a reply: how long that took.
    pub latency: Option<Spread>,
    /// The median of the times from one to the next on the same connection, in nanoseconds; in JSON in seconds.
    #[serde(rename = "period", serialize_with = "maybe_seconds")]
    pub period_ns: Option<u64>,
    /// How many of the frames were found only because the stream ended; not in JSON if 0.
    #[serde(skip_serializing_if = "is_zero")]
    pub late: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Times from the shortest to the longest, in nanoseconds; in JSON in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Spread {
    /// The shortest.
    #[serde(rename = "min", serialize_with = "seconds")]
    pub min_ns: u64,
    /// Half of them took no longer.
    #[serde(rename = "median", serialize_with = "seconds")]
    pub median_ns: u64,
    /// 95 of 100 took no longer.
    #[serde(rename = "p95", serialize_with = "seconds")]
    pub p95_ns: u64,
    /// The longest.
    #[serde(rename = "max", serialize_with = "seconds")]
    pub max_ns: u64,
}

fn as_str<S: Serializer>(direction: &Direction, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(direction.as_str())
}

fn seconds<S: Serializer>(ns: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(unit::seconds(*ns))
}

fn maybe_seconds<S: Serializer>(ns: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
    ns.map(unit::seconds).serialize(serializer)
}

impl EntrySink for Stats {
    fn connection(&mut self, _: &Connection) -> io::Result<()> {
        Ok(())
    }

    fn entry(&mut self, entry: Entry) -> io::Result<()> {
        self.tally.add(&entry);
        let timing = self.clock.time(&entry);
        if let Some((asked, latency)) = timing.answers {
            let counted = self.row(Direction::ToDevice, asked);
            counted.answered += 1;
            counted.latency.add(latency);
        }
        if let (Kind::Noise(noise), Some(direction)) = (&entry.kind, entry.direction) {
            let nearly = noise.nearly.as_ref().map_or("", Nearly::kind);
            let counted = self.noise.entry((direction, nearly)).or_default();
            counted.count += 1;
            counted.bytes += noise.bytes.len() as u64;
        }
        let Some((frame, direction)) = entry.frame().zip(entry.direction) else {
            return Ok(());
        };
        let asked = match direction {
            Direction::ToDevice => Asked::by(&frame.payload),
            Direction::ToTool => Asked {
                command: frame.command(),
                inner: None,
            },
        };
        let counted = self.row(direction, asked);
        counted.count += 1;
        counted.late += u64::from(frame.waits_for > 0);
        counted.bytes += frame.wire_len() as u64;
        if let Some(at) = entry.at_ns {
            let last = counted.last.replace((entry.connection, at));
            if let Some((_, last)) = last.filter(|&(connection, _)| connection == entry.connection)
            {
                counted.period.add(at.saturating_sub(last));
            }
        }
        Ok(())
    }
}

impl Stats {
    fn row(&mut self, direction: Direction, asked: Asked) -> &mut Counted {
        let known = self.rows.contains_key(&(direction, Some(asked)));
        let key = (known || self.rows.len() < MAX_ROWS).then_some(asked);
        self.rows.entry((direction, key)).or_default()
    }

    /// What was added up so far: requests first, by command, and the noise behind them.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_by_key(|((direction, asked), _)| (*direction, asked.is_none(), *asked));
        let told = rows.into_iter().map(|((direction, asked), counted)| Row {
            direction: *direction,
            command: asked.map_or_else(|| "others".to_owned(), |asked| asked.to_string()),
            count: counted.count,
            bytes: counted.bytes,
            answered: (*direction == Direction::ToDevice).then_some(counted.answered),
            latency: counted.latency.spread(),
            period_ns: counted.period.spread().map(|spread| spread.median_ns),
            late: counted.late,
        });
        let noise = self.noise.iter().map(|((direction, nearly), counted)| Row {
            direction: *direction,
            command: match *nearly {
                "" => "noise".to_owned(),
                nearly => format!("noise: {nearly}"),
            },
            count: counted.count,
            bytes: counted.bytes,
            answered: None,
            latency: None,
            period_ns: None,
            late: 0,
        });
        let mut rows: Vec<Row> = told.chain(noise).collect();
        rows.sort_by_key(|row| row.direction);
        rows
    }

    /// A table for people, times in milliseconds, and the summary.
    ///
    /// # Errors
    /// When the output refuses bytes.
    pub fn text(&self, out: &mut impl Write) -> io::Result<()> {
        let mut table = vec![HEAD.map(str::to_owned).to_vec()];
        table.extend(self.rows().iter().map(Row::cells));
        let mut widths = [0; HEAD.len()];
        for cells in &table {
            for (width, cell) in widths.iter_mut().zip(cells) {
                *width = cell.chars().count().max(*width);
            }
        }
        for cells in &table {
            let mut line = String::new();
            for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
                line += &match column {
                    0 => format!("{cell:width$}"),
                    1 => format!("  {cell:width$}"),
                    _ => format!("  {cell:>width$}"),
                };
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        writeln!(out, "{}", self.tally.line())?;
        out.flush()
    }

    /// One JSON object a row, times in seconds.
    ///
    /// # Errors
    /// When the output refuses bytes.
    pub fn json_lines(&self, out: &mut impl Write) -> io::Result<()> {
        for row in self.rows() {
            serde_json::to_writer(&mut *out, &row)?;
            writeln!(out)?;
        }
        out.flush()
    }
}

const HEAD: [&str; 10] = [
    "way",
    "command",
    "count",
    "bytes",
    "answered",
    "min ms",
    "median ms",
    "p95 ms",
    "max ms",
    "period ms",
];

impl Row {
    fn cells(&self) -> Vec<String> {
        let ms = |ns: Option<u64>| ns.map_or_else(|| "-".to_owned(), tenths_of_ms);
        let way = match self.direction {
            Direction::ToDevice => "> device",
            Direction::ToTool => "< tool",
        };
        let answered = match self.answered {
            Some(answered) => answered.to_string(),
            None => "-".to_owned(),
        };
        vec![
            way.to_owned(),
            self.command.clone(),
            self.count.to_string(),
            self.bytes.to_string(),
            answered,
            ms(self.latency.map(|spread| spread.min_ns)),
            ms(self.latency.map(|spread| spread.median_ns)),
            ms(self.latency.map(|spread| spread.p95_ns)),
            ms(self.latency.map(|spread| spread.max_ns)),
            ms(self.period_ns),
        ]
    }
}

/// Times in nanoseconds: all of them while they are few, counted in classes when they are many.
#[derive(Debug, Default)]
struct Times {
    few: Vec<u64>,
    classes: BTreeMap<u16, u64>,
    count: u64,
    min: u64,
    max: u64,
}

impl Times {
    fn add(&mut self, ns: u64) {
        self.min = if self.count == 0 {
            ns
        } else {
            self.min.min(ns)
        };
        self.max = self.max.max(ns);
        self.count += 1;
        if self.classes.is_empty() && self.few.len() < EXACT {
            self.few.push(ns);
            return;
        }
        for old in std::mem::take(&mut self.few) {
            *self.classes.entry(class(old)).or_default() += 1;
        }
        *self.classes.entry(class(ns)).or_default() += 1;
    }

    fn spread(&self) -> Option<Spread> {
        (self.count > 0).then(|| {
            let mut few = self.few.clone();
            few.sort_unstable();
            Spread {
                min_ns: self.min,
                median_ns: self.rank(&few, self.count.div_ceil(2)),
                p95_ns: self.rank(&few, (self.count * 95).div_ceil(100)),
                max_ns: self.max,
            }
        })
    }

    /// The time that this many, itself included, do not exceed.
    fn rank(&self, few: &[u64], rank: u64) -> u64 {
        if let Some(ns) = few.get(rank as usize - 1) {
            return *ns;
        }
        let mut below = 0;
        for (&class, count) in &self.classes {
            below += count;
            if below >= rank {
                return middle(class).clamp(self.min, self.max);
            }
        }
        self.max
    }
}

const STEPS: u32 = 16;

/// A number that grows with the logarithm: 16 for each doubling.
fn class(ns: u64) -> u16 {
    let octave = ns.max(u64::from(STEPS)).ilog2() - STEPS.ilog2();
    (octave * STEPS) as u16 + (ns >> octave) as u16
}

/// The middle of a class.
fn middle(class: u16) -> u64 {
    let class = u64::from(class);
    let steps = u64::from(STEPS);
    if class < 2 * steps {
        return class;
    }
    let octave = class / steps - 1;
    let low = (class - octave * steps) << octave;
    low + (1 << octave) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_times_are_exact() {
        let mut times = Times::default();
        (1..=100).rev().for_each(|ms| times.add(ms * 1_000_000));
        let spread = times.spread().unwrap();
        assert_eq!(
            [
                spread.min_ns,
                spread.median_ns,
                spread.p95_ns,
                spread.max_ns
            ],
            [1, 50, 95, 100].map(|ms| ms * 1_000_000)
        );
    }

    #[test]
    fn many_times_are_off_by_three_per_cent_at_the_most() {
        let mut times = Times::default();
        (1..=100_000).for_each(|us| times.add(us * 1_000));
        assert!(times.few.is_empty() && times.classes.len() < 20 * 16);
        let spread = times.spread().unwrap();
        assert_eq!((spread.min_ns, spread.max_ns), (1_000, 100_000_000));
        for (told, right) in [(spread.median_ns, 50_000_000), (spread.p95_ns, 95_000_000)] {
            assert!(
                told.abs_diff(right) * 100 <= right * 3,
                "{told} for {right}"
            );
        }
    }

    #[test]
    fn every_time_has_a_class_with_it_in_the_middle() {
        for ns in (0..2_000)
            .chain((0..64).map(|bit| 1 << bit))
            .chain([u64::MAX])
        {
            let near = middle(class(ns));
            assert!(near.abs_diff(ns) <= ns / 32 + 1, "{ns}: {near}");
        }
        assert!((0..5_000).all(|ns| class(ns) <= class(ns + 1)));
    }
}
