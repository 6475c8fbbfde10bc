//! How the project compares with its peers.

use std::{
    error::Error,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{captures::COMPARED, fuzz, virtual_time::EXCHANGES};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/performance.md");
const BEGIN: &str = "<!-- measured: begin -->\n";
const END: &str = "<!-- measured: end -->\n";

/// How long exchanges took.
pub(crate) struct Delays {
    what: String,
    median: Duration,
    p99: Duration,
}

impl Delays {
    /// Of these; `None` if there are none.
    pub(crate) fn of(what: String, mut took: Vec<Duration>) -> Option<Self> {
        took.sort_unstable();
        let at = |share: usize| {
            took.get((took.len() * share / 100).min(took.len().checked_sub(1)?))
                .copied()
        };
        Some(Self {
            what,
            median: at(50)?,
            p99: at(99)?,
        })
    }
}

/// A line of the table.
struct Row {
    what: &'static str,
    ours: (&'static str, &'static str),
    peer: (&'static str, &'static str),
    /// How many bytes or exchanges one measurement is, and their unit.
    amount: (f64, &'static str),
    goal: &'static str,
}

const MB: (f64, &str) = (1.0, "MB/s");

const ROWS: &[Row] = &[
    row(
        "BMS frames, 171 bytes",
        "decode/bms",
        "ours",
        "byte machine",
        MB,
        "8",
    ),
    row(
        "BMS frames, 171 bytes",
        "decode/bms",
        "ours",
        "crc alone",
        MB,
        "0.83",
    ),
    row(
        "BMS frames, 171 bytes",
        "decode/bms",
        "ours",
        "crate vesc",
        MB,
        "",
    ),
    row(
        "motor frames, 79 bytes",
        "decode/motor",
        "ours",
        "byte machine",
        MB,
        "8",
    ),
    row(
        "motor frames, 79 bytes",
        "decode/motor",
        "ours",
        "crc alone",
        MB,
        "0.83",
    ),
    row(
        "motor frames, 79 bytes",
        "decode/motor",
        "ours",
        "crate vesc",
        MB,
        "",
    ),
    row("noise", "decode/noise", "ours", "byte machine", MB, ""),
    row(
        "worst input, `03` again and again",
        "decode/worst",
        "ours",
        "byte machine",
        MB,
        "",
    ),
    row(
        "worst input, `03 27 10`",
        "decode/worst-far",
        "ours",
        "byte machine",
        MB,
        "",
    ),
    row(
        "the CRC we use, 166 bytes",
        "decode/bms",
        "crc alone",
        "crc-fast alone",
        MB,
        "",
    ),
    row(
        "the CRC we use, 74 bytes",
        "decode/motor",
        "crc alone",
        "crc-fast alone",
        MB,
        "",
    ),
    row(
        "relay, 1 pair, with a journal",
        "relay/1 pairs",
        "ours with a journal",
        "bare relay",
        (1.0, "exchanges/s"),
        "0.8",
    ),
    row(
        "relay, 50 pairs, with a journal",
        "relay/50 pairs",
        "ours with a journal",
        "bare relay",
        (50.0, "exchanges/s"),
        "0.8",
    ),
    row(
        "relay, 50 pairs, without one",
        "relay/50 pairs",
        "ours",
        "bare relay",
        (50.0, "exchanges/s"),
        "",
    ),
    row(
        "relay, 50 pairs, with the control API and nobody who uses it",
        "relay/50 pairs",
        "ours with the control API",
        "ours",
        (50.0, "exchanges/s"),
        "0.95",
    ),
    Row {
        what: "a capture of 10 MB",
        ours: ("captures", "entries/10000000"),
        peer: ("captures", "tshark"),
        amount: (COMPARED as f64 / 1e6, "MB/s"),
        goal: "50",
    },
    Row {
        what: "the same as JSON",
        ours: ("captures", "json"),
        peer: ("captures", "tshark"),
        amount: (COMPARED as f64 / 1e6, "MB/s"),
        goal: "",
    },
    row(
        "until the hub listens, and its end",
        "start",
        "serve",
        "true",
        (1.0, "starts/s"),
        "",
    ),
];

const fn row(
    what: &'static str,
    group: &'static str,
    ours: &'static str,
    peer: &'static str,
    amount: (f64, &'static str),
    goal: &'static str,
) -> Row {
    Row {
        what,
        ours: (group, ours),
        peer: (group, peer),
        amount,
        goal,
    }
}

/// The table as Markdown. What was not measured, now or before, is left out.
pub(crate) fn table(results: &Path, delays: &[Delays]) -> String {
    let mut table = String::from(
        "| what | ours | peer | its speed | ratio | goal |\n| --- | ---: | --- | ---: | ---: | ---: |\n",
    );
    for row in ROWS {
        let measured = (
            median(results, row.ours.0, row.ours.1),
            median(results, row.peer.0, row.peer.1),
        );
        if let (Some(ours), Some(peer)) = measured {
            let (amount, unit) = row.amount;
            let speed = |seconds: f64| shown(amount / seconds);
            let _ = writeln!(
                table,
                "| {} | {} {unit} | {} | {} | {:.2} | {} |",
                row.what,
                speed(ours),
                row.peer.1,
                speed(peer),
                peer / ours,
                row.goal
            );
        }
    }
    for exchanges in EXCHANGES {
        if let Some(time) = median(results, "virtual time", &format!("polling/{exchanges}")) {
            let speed = shown(exchanges as f64 / time);
            let _ = writeln!(
                table,
                "| virtual time, {exchanges} polls, judged | {speed} exchanges/s | | | | 1,000,000 |"
            );
        }
    }
    if let Some(time) = median(results, "virtual time", "a session of 3 s") {
        let _ = writeln!(
            table,
            "| a session of 3 s in virtual time | {} sessions/s | | | | 5,000 |",
            shown(1.0 / time)
        );
    }
    for (target, _) in fuzz::targets() {
        if let Some(time) = median(results, "fuzz", target) {
            let goal = fuzz::GOALS.iter().find(|(name, _)| *name == target);
            let _ = writeln!(
                table,
                "| fuzz target {target} | {} inputs/s | | | | {} |",
                shown(fuzz::count(target) as f64 / time),
                goal.map_or("", |(_, goal)| goal)
            );
        }
    }
    if !delays.is_empty() {
        table.push_str(
            "\n| how long an exchange takes through | median | p99 |\n| --- | ---: | ---: |\n",
        );
        for delay in delays {
            let _ = writeln!(
                table,
                "| {} | {} µs | {} µs |",
                delay.what,
                delay.median.as_micros(),
                delay.p99.as_micros()
            );
        }
    }
    table
}

/// The median of a measurement, in seconds.
pub(crate) fn median(results: &Path, group: &str, function: &str) -> Option<f64> {
    let folder: PathBuf = results.join(group.replace('/', "_")).join(function);
    let text = fs::read_to_string(folder.join("new/estimates.json")).ok()?;
    let estimates: serde_json::Value = serde_json::from_str(&text).ok()?;
    Some(estimates["median"]["point_estimate"].as_f64()? / 1e9)
}

/// Keeps a median that criterion did not measure, in seconds.
pub(crate) fn put(results: &Path, group: &str, function: &str, seconds: f64) -> io::Result<()> {
    let folder = results
        .join(group.replace('/', "_"))
        .join(function)
        .join("new");
    fs::create_dir_all(&folder)?;
    let estimates = serde_json::json!({ "median": { "point_estimate": seconds * 1e9 } });
    fs::write(folder.join("estimates.json"), estimates.to_string())
}

/// A number with as many digits as it deserves.
fn shown(number: f64) -> String {
    let digits = if number < 10.0 { 1 } else { 0 };
    let text = format!("{number:.digits$}");
    let (whole, rest) = text
        .split_once('.')
        .map_or((&*text, ""), |(whole, _)| (whole, &text[whole.len()..]));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + rest
}

/// Writes the table into the page.
pub(crate) fn keep(table: &str) -> Result<(), Box<dyn Error>> {
    let page = fs::read_to_string(PAGE)?;
    let (before, rest) = page
        .split_once(BEGIN)
        .ok_or("the page has no place for the table")?;
    let (_, after) = rest
        .split_once(END)
        .ok_or("the page has no end of the table")?;
    fs::write(PAGE, format!("{before}{BEGIN}\n{table}\n{END}{after}"))?;
    Ok(())
}
