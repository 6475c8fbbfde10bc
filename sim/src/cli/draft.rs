//! `veschub-sim draft`: a first scenario inferred from a recorded session.

use std::{
    ffi::OsStr,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::Serialize;
use veschub_transcript::{
    Options, Transcript,
    foreign::{visible, visible_lines},
};

use super::{DraftArgs, Failure, capture::open, written};
use veschub_disk::{is_same_file, write_whole};
use veschub_draft::{self, Draft, DraftOptions, DraftedDevice, Evidence, Finding};

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    /// The scenario and the files that it needs.
    files: Vec<String>,
    devices: &'a [DraftedDevice],
    evidence: &'a [Evidence],
}

pub(super) fn draft(args: &DraftArgs) -> Result<(), Failure> {
    let shown = match args.capture.to_str() {
        Some("-") => "standard input".into(),
        _ => args.capture.to_string_lossy(),
    };
    let fail = |error: &dyn std::fmt::Display| Failure::Text(format!("{shown}: {error}"));
    let transcript = Transcript::from_capture(open(&args.capture)?, &Options::default())
        .map_err(|error| fail(&error))?;
    let name = args.capture.file_name().unwrap_or_else(|| OsStr::new("-"));
    let options = DraftOptions {
        source: visible(&name.to_string_lossy()),
        series: !args.pin,
        folder: args
            .output
            .as_deref()
            .map_or_else(|| "draft".to_owned(), folder),
    };
    let draft = veschub_draft::draft(&transcript, &options).map_err(|error| fail(&error))?;
    match &args.output {
        Some(path) => {
            let files = write(&draft, &args.capture, path, args.force)?;
            tell(&draft, &files);
            if args.json {
                print_json(&draft, &files)?;
            }
            Ok(())
        }
        None if draft.tables.is_empty() => {
            tell(&draft, &[]);
            written(io::stdout().lock().write_all(draft.yaml.as_bytes()))
        }
        None => {
            let changed = match draft.tables.len() {
                1 => "a value of the BMS changed and needs a CSV file".to_owned(),
                count => format!("{count} values of the BMS changed and need CSV files"),
            };
            Err(fail(&format!(
                "{changed}: name the scenario's file with -o, or use --pin to keep only the last reading"
            )))
        }
    }
}

/// The folder of the CSV files: named like the scenario.
fn folder(scenario: &Path) -> String {
    let stem = scenario
        .file_stem()
        .unwrap_or_else(|| OsStr::new("draft"))
        .to_string_lossy();
    if scenario.extension().is_some() {
        stem.into_owned()
    } else {
        // A file and a folder cannot have one name.
        format!("{stem}-data")
    }
}

/// Writes all files or, if one is there already or is the recording itself, none.
fn write(
    draft: &Draft,
    recording: &Path,
    path: &Path,
    force: bool,
) -> Result<Vec<PathBuf>, Failure> {
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    let tables = draft
        .tables
        .iter()
        .map(|(name, text)| (folder.join(name), text));
    let files: Vec<(PathBuf, &String)> = tables.chain([(path.to_owned(), &draft.yaml)]).collect();
    if !force && let Some((there, _)) = files.iter().find(|(file, _)| file.exists()) {
        return Err(Failure::Text(format!(
            "{} exists already: choose another name, or add --force to overwrite it",
            there.display()
        )));
    }
    if let Some((file, _)) = files.iter().find(|(file, _)| is_same_file(file, recording)) {
        return Err(Failure::Text(format!(
            "{}: the recording and the file to write are the same file: choose another name, so that the recording is kept",
            file.display()
        )));
    }
    for (file, text) in &files {
        let made = file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .map_or(Ok(()), fs::create_dir_all);
        made.and_then(|()| write_whole(file, text.as_bytes(), force))
            .map_err(|error| Failure::Text(format!("cannot write {}: {error}", file.display())))?;
    }
    Ok(files.into_iter().map(|(file, _)| file).rev().collect())
}

/// Says on stderr what was written and what the recording says of quirks.
fn tell(draft: &Draft, files: &[PathBuf]) {
    let mut text = String::new();
    if let Some((scenario, tables)) = files.split_first() {
        text += &format!("wrote {}", scenario.display());
        text += &match tables.len() {
            0 => "\n".to_owned(),
            1 => " and a CSV file beside it\n".to_owned(),
            count => format!(" and {count} CSV files beside it\n"),
        };
    }
    for device in &draft.devices {
        text += &format!("\n{}\n", device.id);
        for command in &device.commands {
            text += &format!("  {command}\n");
        }
        let (silent, told): (Vec<&Evidence>, Vec<&Evidence>) = draft
            .evidence
            .iter()
            .filter(|one| one.device == device.id)
            .partition(|one| one.finding == Finding::NoWord);
        for one in told {
            text += &format!("  {one}\n");
            for seen in &one.seen {
                text += &format!("    {seen}\n");
            }
        }
        let names: Vec<&str> = silent.iter().map(|one| one.quirk).collect();
        if !names.is_empty() {
            text += &format!("  nothing about {}\n", names.join(", "));
        }
    }
    // What cannot be said is not worth a failure.
    let _ = anstream::stderr()
        .lock()
        .write_all(visible_lines(&text).as_bytes());
}

fn print_json(draft: &Draft, files: &[PathBuf]) -> Result<(), Failure> {
    let report = Report {
        files: files
            .iter()
            .map(|file| file.display().to_string())
            .collect(),
        devices: &draft.devices,
        evidence: &draft.evidence,
    };
    let text = serde_json::to_string(&report).map_err(Failure::text)?;
    written(writeln!(io::stdout().lock(), "{text}"))
}
