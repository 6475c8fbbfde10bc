//! Bodies of the fuzz targets, and of the test that replays what they once found.
//!
//! An input is a capture file, as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use veschub_wire::fuzzing::Target;

use crate::entry::{Direction, Entry, Kind};
use crate::read::pcap::{MAX_BLOCK, Records};
use crate::read::{ReadError, Summary, read_capture};
use crate::render::{JsonWriter, Stats, TextOptions, TextWriter};
use crate::transcript::{Choice, Connection, EntrySink, Options};

/// The targets of this crate, and what each does with an input.
pub const TARGETS: &[Target] = &[("capture_file", capture_file)];

/// How many bytes the slow reader gives at a time.
const A_FEW: usize = 7;

/// Reads a capture and checks everything that must hold for any bytes.
///
/// # Panics
/// If something does not hold.
pub fn capture_file(data: &[u8]) {
    let records = read_records(data);
    for choice in [
        Choice::ByContent,
        Choice::Port(65_101),
        Choice::Connection(1),
    ] {
        let options = Options {
            choice,
            ..Options::default()
        };
        let (summary, entries) = listen(data, &options);
        let (again, slowly) = listen(Slow(data), &options);
        assert_eq!(summary, again, "how the file is read matters");
        assert!(entries == slowly, "how the file is read matters");
        if let Some(summary) = summary {
            assert_eq!(summary.records, records);
        }
    }
    show(data);
}

/// Reads the records alone; says how many there were.
fn read_records(data: &[u8]) -> u64 {
    let Ok(mut records) = Records::new(data) else {
        return 0;
    };
    let mut number = 0;
    while let Ok(Some(record)) = records.next_record() {
        number += 1;
        assert_eq!(record.number, number);
        assert!(record.data.len() <= MAX_BLOCK);
    }
    assert!(matches!(records.next_record(), Ok(None)));
    number
}

fn listen(input: impl Read, options: &Options) -> (Option<Summary>, Vec<Entry>) {
    let mut checked = Checked::default();
    match read_capture(input, options, &mut checked) {
        Ok(summary) => {
            assert_eq!(summary.connections, checked.connections.len() as u64);
            assert_eq!(
                summary.truncated.is_some(),
                checked.ends_with_its_truncation(&summary)
            );
            (Some(summary), checked.entries)
        }
        Err(ReadError::Capture(error)) => {
            assert!(!error.to_string().is_empty());
            (None, checked.entries)
        }
        Err(ReadError::Sink(error)) => unreachable!("nothing here fails: {error}"),
    }
}

/// Checks entries as they come, and keeps them.
#[derive(Default)]
struct Checked {
    connections: BTreeSet<u32>,
    /// Up to where each direction was summary.
    ends: BTreeMap<(u32, Direction), u64>,
    entries: Vec<Entry>,
}

impl Checked {
    fn ends_with_its_truncation(&self, summary: &Summary) -> bool {
        let last = self.entries.last().map(|entry| &entry.kind);
        let text = summary.truncated.as_ref().map(ToString::to_string);
        matches!(last, Some(Kind::Notice(last)) if Some(last) == text.as_ref())
    }
}

impl EntrySink for Checked {
    fn connection(&mut self, connection: &Connection) -> io::Result<()> {
        let new = self.connections.insert(connection.number);
        assert!(new, "{connection:?} was told twice");
        Ok(())
    }

    fn entry(&mut self, entry: Entry) -> io::Result<()> {
        if entry.connection > 0 {
            assert!(self.connections.contains(&entry.connection));
            assert!(entry.at_ns.is_some());
        }
        if let Some(direction) = entry.direction
            && !matches!(entry.kind, Kind::Repeated { .. })
        {
            let end = self.ends.entry((entry.connection, direction)).or_default();
            assert_eq!(entry.offset, *end, "a hole before {entry:?}");
            *end += entry.kind.stream_len();
        }
        self.entries.push(entry);
        Ok(())
    }
}

/// Every way to show it gives text, and JSON that can be read.
fn show(data: &[u8]) {
    let options = Options::default();
    let text = TextOptions {
        hex: true,
        timing: true,
        ..TextOptions::default()
    };
    let mut page = Vec::new();
    let mut writer = TextWriter::new(&mut page, text);
    let shown = read_capture(data, &options, &mut writer);
    assert!(writer.finish().is_ok());
    assert!(String::from_utf8(page).is_ok());

    let mut lines = Vec::new();
    let mut stats = Stats::default();
    if shown.is_ok() {
        let mut writer = JsonWriter::new(&mut lines);
        assert!(read_capture(data, &options, &mut writer).is_ok());
        assert!(writer.finish().is_ok());
        assert!(read_capture(data, &options, &mut stats).is_ok());
    }
    assert!(stats.text(&mut io::sink()).is_ok());
    assert!(stats.json_lines(&mut lines).is_ok());
    let objects = serde_json::Deserializer::from_slice(&lines).into_iter::<serde_json::Value>();
    assert!(objects.into_iter().all(|object| object.is_ok()));
}

/// Gives a few bytes at a time.
struct Slow<'a>(&'a [u8]);

impl Read for Slow<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let (now, later) = self.0.split_at(out.len().min(A_FEW).min(self.0.len()));
        out[..now.len()].copy_from_slice(now);
        self.0 = later;
        Ok(now.len())
    }
}
