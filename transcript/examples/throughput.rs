//! How fast a long capture is read, and in how much memory.
//!
//! ```text
//! cargo run --release -p veschub-transcript --example throughput -- make FILE MEGABYTES
//! cargo run --release -p veschub-transcript --example throughput -- records|entries|text|json|stats FILE
//! ```
//!
//! The file is the recorded session over and over, each time later and on another port.

use std::error::Error;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use std::time::Instant;

use veschub_transcript::read::pcap::Records;
use veschub_transcript::read::read_capture;
use veschub_transcript::render::{JsonWriter, Stats, TextOptions, TextWriter};
use veschub_transcript::{Connection, Entry, EntrySink, Options};

const SESSION: &[u8] = include_bytes!("../../captures/vesctool-session-rebuilt.pcapng");
const SESSION_NS: u64 = 60_000_000_000;

/// Counts what it is told.
#[derive(Default)]
struct Count {
    connections: u64,
    entries: u64,
}

impl EntrySink for Count {
    fn connection(&mut self, _: &Connection) -> io::Result<()> {
        self.connections += 1;
        Ok(())
    }

    fn entry(&mut self, _: Entry) -> io::Result<()> {
        self.entries += 1;
        Ok(())
    }
}

/// The session's packets again and again as a pcap file with nanoseconds.
fn make(path: &str, megabytes: u64) -> Result<(), Box<dyn Error>> {
    let records: Vec<_> = Records::new(SESSION)?.collect::<Result<_, _>>()?;
    let mut out = BufWriter::new(File::create(path)?);
    for number in [0xA1B2_3C4D_u32, 0x0004_0002, 0, 0, 0x4_0000, 1] {
        out.write_all(&number.to_le_bytes())?;
    }
    let mut written = 24;
    let mut round = 0;
    while written < megabytes * 1_000_000 {
        for record in &records {
            let at = record.at_ns + round * SESSION_NS;
            let len = record.data.len() as u32;
            let (s, ns) = (at / 1_000_000_000, at % 1_000_000_000);
            for number in [s as u32, ns as u32, len, record.original_len] {
                out.write_all(&number.to_le_bytes())?;
            }
            let mut data = record.data.clone();
            // The tool's port, behind 14 bytes of Ethernet and 20 of IP; checksums are not looked at.
            let port = (30_000 + round % 30_000) as u16;
            let to_tool = data.get(34..36) == Some(&65_101u16.to_be_bytes());
            let place = if to_tool { 36 } else { 34 };
            data[place..place + 2].copy_from_slice(&port.to_be_bytes());
            out.write_all(&data)?;
            written += 16 + data.len() as u64;
        }
        round += 1;
    }
    Ok(out.flush()?)
}

fn run(how: &str, path: &str) -> Result<(), Box<dyn Error>> {
    let file = File::open(path)?;
    let bytes = file.metadata()?.len();
    let options = Options::default();
    let start = Instant::now();
    let mut count = Count::default();
    match how {
        "records" => {
            let mut records = Records::new(file)?;
            while records.next_record()?.is_some() {
                count.entries += 1;
            }
        }
        "entries" => {
            read_capture(file, &options, &mut count)?;
        }
        "text" => {
            let mut writer = TextWriter::new(BufWriter::new(io::sink()), TextOptions::default());
            read_capture(file, &options, &mut writer)?;
            writer.finish()?;
        }
        "json" => {
            let mut writer = JsonWriter::new(BufWriter::new(io::sink()));
            read_capture(file, &options, &mut writer)?;
            writer.finish()?;
        }
        "stats" => {
            let mut stats = Stats::default();
            read_capture(file, &options, &mut stats)?;
            stats.text(&mut io::stdout())?;
        }
        _ => return Err("what to do? see the head of this example".into()),
    }
    let took = start.elapsed().as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM"));
    println!(
        "{how}: {:.0} MB/s ({bytes} bytes in {took:.3} s), {} connections, {} entries or records, {}",
        bytes as f64 / took / 1e6,
        count.connections,
        count.entries,
        peak.unwrap_or("peak unknown")
    );
    Ok(())
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        ["make", path, megabytes] => megabytes
            .parse()
            .map_err(Into::into)
            .and_then(|megabytes| make(path, megabytes)),
        [how, path] => run(how, path),
        _ => Err("what to do? see the head of this example".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
