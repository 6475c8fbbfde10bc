//! Reading captures that repeat the recorded session.

use std::{
    error::Error,
    fs::File,
    io::{self, BufWriter},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use criterion::{BenchmarkId, Criterion, Throughput};
use veschub_bench::long_capture;
use veschub_transcript::{
    Connection, Entry, EntrySink, Options,
    read::read_capture,
    render::{JsonWriter, TextOptions, TextWriter},
};

use crate::is_wanted;

/// Sizes of the files, in bytes.
pub(crate) const SIZES: [u64; 4] = [100_000, 1_000_000, 10_000_000, 100_000_000];
/// The size that peers read.
pub(crate) const COMPARED: u64 = 10_000_000;

/// Counts what it is told.
#[derive(Default)]
struct Count(u64);

impl EntrySink for Count {
    fn connection(&mut self, _: &Connection) -> io::Result<()> {
        self.0 += 1;
        Ok(())
    }

    fn entry(&mut self, _: Entry) -> io::Result<()> {
        self.0 += 1;
        Ok(())
    }
}

fn entries(path: &Path) -> Option<u64> {
    let mut count = Count::default();
    read_capture(File::open(path).ok()?, &Options::default(), &mut count).ok()?;
    Some(count.0)
}

fn text(path: &Path) -> Option<()> {
    let mut writer = TextWriter::new(BufWriter::new(io::sink()), TextOptions::default());
    read_capture(File::open(path).ok()?, &Options::default(), &mut writer).ok()?;
    writer.finish().map(drop).ok()
}

fn json(path: &Path) -> Option<()> {
    let mut writer = JsonWriter::new(BufWriter::new(io::sink()));
    read_capture(File::open(path).ok()?, &Options::default(), &mut writer).ok()?;
    writer.finish().map(drop).ok()
}

/// Reads the file with reassembly, and prints a line for each packet to nobody.
fn tshark(path: &Path) -> bool {
    let mut command = Command::new("tshark");
    command
        .arg("-r")
        .arg(path)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

pub(crate) fn measure(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    if !is_wanted("captures") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let mut group = criterion.benchmark_group("captures");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    for size in SIZES {
        let path = folder.path().join(format!("{size}.pcap"));
        long_capture::make(&path, size)?;
        group.throughput(Throughput::Bytes(size));
        group.bench_with_input(BenchmarkId::new("entries", size), &path, |bench, path| {
            bench.iter(|| entries(path));
        });
        if size == COMPARED {
            group.bench_function("text", |bench| bench.iter(|| text(&path)));
            group.bench_function("json", |bench| bench.iter(|| json(&path)));
            if tshark(&path) {
                group.bench_function("tshark", |bench| bench.iter(|| tshark(&path)));
            }
        }
    }
    group.finish();
    Ok(())
}
