//! `veschub-sim scrub`: a capture without what names people; and what `check` finds in one that was not scrubbed.

use std::fmt::{Display, Write as _};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use veschub_scrub::{self as scrub, Counted, Keep, ScrubReport};

use super::{Failure, capture::open, written};
use veschub_disk::{is_same_file, write_whole};
use veschub_scenario::{Code, ScenarioError};
use veschub_transcript::foreign::visible_lines;

#[derive(Debug, Args)]
#[command(after_help = "\
Replaced by placeholders of the same length, the same one everywhere, so that a replay still works:\n\
login ids and passwords, Wi-Fi names and keys, the host and login of a hub in configs, Bluetooth\n\
names and pins, UUIDs, MAC and IP addresses; also where the same text stands in another payload: in\n\
any case, split over two frames, as hex, base64 or numbers, and in the compressed XML of a config.\n\
The recording begins at 2026-01-01 00:00 UTC; the times between packets stay exact. TCP timestamps,\n\
the numbers of IPv4 packets and the labels of IPv6 flows are removed.\n\
Left out: packets that belong to no VESC session or discovery; comments and names in a pcapng.\n\
Zeroed: bytes outside of frames, unknown commands and configs, unless you keep them.\n\
Kept: ports, device and firmware names, CAN ids, measured values. Free text (PRINT, TERMINAL_CMD)\n\
is kept, except for secrets that also stand in a field: read it before you share the capture:\n  \
veschub-sim scrub recorded.pcap captures/my-session.pcap\n  \
veschub-sim decode --full captures/my-session.pcap\n\
Scrubbing a scrubbed file changes nothing. A text that begins with demo-, not-a- or not-an-, or ends\n\
with .invalid, .example or .test, counts as a placeholder; so do addresses for documentation.")]
pub(super) struct ScrubArgs {
    /// The recording, a pcap or pcapng file; `-` reads stdin
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The file to write, of the same format
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// Overwrite OUT if it exists
    #[arg(long)]
    force: bool,
    /// Keep bytes outside of frames, such as junk and broken frames; a broken frame may contain secrets
    #[arg(long)]
    keep_noise: bool,
    /// Keep the bytes of unknown commands, bytes after the known fields of others, and unknown configs
    #[arg(long)]
    keep_unknown: bool,
    /// Print the report as one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn scrub(args: &ScrubArgs) -> Result<(), Failure> {
    let name = args.input.display();
    let input = open(&args.input)?;
    check_output(args)?;
    let keep = Keep {
        noise: args.keep_noise,
        unknown: args.keep_unknown,
    };
    let scrubbed =
        scrub::scrub(input, keep).map_err(|error| Failure::Text(format!("{name}: {error}")))?;
    write_whole(&args.output, &scrubbed.file, args.force)
        .map_err(|error| cannot_write(&args.output, &error))?;
    let report = &scrubbed.report;
    let told = match args.json {
        true => serde_json::to_string(report).unwrap_or_default() + "\n",
        false => visible_lines(&tell(&args.output, report)),
    };
    written(io::stdout().lock().write_all(told.as_bytes()))?;
    match &report.truncated {
        Some(truncated) => Err(Failure::Text(format!(
            "{name}: {truncated}; everything before that was scrubbed and written"
        ))),
        None => Ok(()),
    }
}

/// Refuses to write over anything that was not meant.
fn check_output(args: &ScrubArgs) -> Result<(), Failure> {
    let (input, output) = (&args.input, &args.output);
    let name = output.display();
    if is_same_file(input, output) {
        return Err(Failure::Text(format!(
            "{name}: IN and OUT are the same file: choose another OUT, so that the recording is kept"
        )));
    }
    if output.symlink_metadata().is_ok() && !args.force {
        return Err(Failure::Text(format!(
            "{name} exists already: choose another name, or add --force to overwrite it"
        )));
    }
    if output.is_dir() {
        return Err(Failure::Text(format!(
            "{name} is a directory: name a file in it"
        )));
    }
    Ok(())
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::Text(format!("cannot write {}: {error}", path.display()))
}

/// The report for people.
fn tell(output: &Path, report: &ScrubReport) -> String {
    let mut told = String::new();
    let packets = counted(report.packets, "packet");
    let _ = writeln!(told, "{}: {packets}", output.display());
    for replaced in &report.replaced {
        let scrub::Replaced {
            what,
            place,
            distinct,
            count,
        } = replaced;
        let _ = writeln!(
            told,
            "  replaced  {what:<13} {count:>6} in {place} ({distinct} different)"
        );
    }
    list(&mut told, "zeroed", "bytes ", &report.blanked_bytes);
    list(&mut told, "left out", "packets ", &report.dropped_packets);
    list(&mut told, "left out", "", &report.removed);
    if report.is_clean() && report.blanked_bytes.is_empty() {
        told.push_str("  nothing to replace\n");
    }
    told
}

fn list<T: Display>(told: &mut String, verb: &str, unit: &str, counts: &[Counted<T>]) {
    for Counted { what, count } in counts {
        let _ = writeln!(told, "  {verb:<9} {count:>20} {unit}{what}");
    }
}

fn counted(count: u64, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

/// Whether an argument of `check` is a capture, by its name.
pub(super) fn is_capture(path: &Path) -> bool {
    let name = path.to_string_lossy().to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    name.ends_with(".pcap") || name.ends_with(".pcapng")
}

/// What `check` finds in a capture.
pub(super) fn findings(path: &Path) -> Vec<ScenarioError> {
    let file = match open(path) {
        Ok(file) => file,
        Err(Failure::Text(text)) => return vec![unreadable(path, &text)],
        Err(_) => return Vec::new(),
    };
    let report = match scrub::audit(file) {
        Ok(report) => report,
        Err(error) => return vec![unreadable(path, &error.to_string())],
    };
    if report.is_clean() {
        return Vec::new();
    }
    let replaced = report
        .replaced
        .iter()
        .map(|found| format!("{} in {} ({})", found.what, found.place, found.count));
    let dropped = report.dropped_packets.iter().map(|dropped| {
        let packets = counted(dropped.count, "packet");
        format!("{packets} {}", dropped.what)
    });
    let removed = report.removed.iter();
    let removed = removed.map(|removed| format!("{} ({})", removed.what, removed.count));
    let found: Vec<String> = replaced.chain(dropped).chain(removed).collect();
    let message = format!("the capture was not scrubbed: {}", found.join(", "));
    let help = format!(
        "`veschub-sim scrub {} OUT` replaces them with placeholders",
        path.display()
    );
    let finding = ScenarioError::of_file(path, Code::Unscrubbed, message);
    vec![finding.help(help)]
}

fn unreadable(path: &Path, cause: &str) -> ScenarioError {
    let prefix = format!("{}: ", path.display());
    let cause = cause.strip_prefix(&prefix).unwrap_or(cause);
    ScenarioError::of_file(path, Code::Unreadable, cause)
}
