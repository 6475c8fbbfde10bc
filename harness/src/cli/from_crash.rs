//! `veschub-harness from-crash`: an input on which the fuzzer crashed becomes a regression test, a scenario and a capture.

use std::{
    fs,
    io::{self, Write as _},
    path::PathBuf,
};

use clap::Args;
use veschub_transcript::foreign::visible_lines;

use super::error::{CliError, written};
use crate::fuzz::{self, Target};

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 all three files are written, 2 bad usage, or a file is in the way"
)]
pub(super) struct FromCrashArgs {
    /// The input, such as fuzz/artifacts/stream_decoder/crash-...
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What the file holds
    #[arg(long, value_enum, default_value = "stream-decoder")]
    target: Target,
    /// The name of the files to write, which says what the crash is about; that of FILE unless given
    #[arg(long, value_name = "NAME", value_parser = name)]
    name: Option<String>,
    /// Where the input goes that `cargo test` runs from now on
    #[arg(
        long,
        value_name = "DIR",
        default_value = "fuzz/regressions/stream_decoder"
    )]
    regressions: PathBuf,
    /// Where the scenario and the capture go
    #[arg(long, value_name = "DIR", default_value = ".")]
    into: PathBuf,
    /// Write over files that are there
    #[arg(long)]
    force: bool,
}

fn name(text: &str) -> Result<String, String> {
    let is_plain = !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    match is_plain {
        true => Ok(text.to_owned()),
        false => Err("letters, digits, - and _ make a name".to_owned()),
    }
}

/// Writes the files; returns the exit code.
pub(super) fn run(args: &FromCrashArgs) -> Result<u8, CliError> {
    let input = fs::read(&args.file).map_err(CliError::read(&args.file))?;
    let stem = args.file.file_stem().unwrap_or_default().to_string_lossy();
    let own = stem.replace(
        |c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c),
        "-",
    );
    let name = args.name.clone().unwrap_or(own);
    let kept = fuzz::keep(&input, args.target, &name)
        .map_err(|error| CliError::Start(io::Error::other(error)))?;
    let files = [
        ("regression", args.regressions.join(&name), &kept.input[..]),
        (
            "scenario",
            args.into.join(format!("{name}.yaml")),
            kept.scenario.as_bytes(),
        ),
        (
            "capture",
            args.into.join(format!("{name}.pcapng")),
            &kept.capture[..],
        ),
    ];
    // All of them or none.
    if let Some((_, path, _)) = files
        .iter()
        .find(|(_, path, _)| !args.force && path.symlink_metadata().is_ok())
    {
        let problem = io::Error::new(
            io::ErrorKind::AlreadyExists,
            "it is there already; --force writes over it",
        );
        return Err(CliError::write(path)(problem));
    }
    for folder in [&args.regressions, &args.into] {
        fs::create_dir_all(folder).map_err(CliError::write(folder))?;
    }
    let mut text = match &kept.panic {
        Some(panic) => format!(
            "crashes: {}\nmade smaller: from {} bytes to {}\n",
            panic.lines().next().unwrap_or_default(),
            input.len(),
            kept.input.len()
        ),
        None if args.target == Target::StreamDecoder => {
            "this build does not crash on it, so it is kept as it is\n".to_owned()
        }
        None => String::new(),
    };
    for (what, path, bytes) in &files {
        veschub_disk::write_whole(path, bytes, args.force).map_err(CliError::write(path))?;
        text.push_str(&format!("{what}: {}\n", path.display()));
    }
    // What a crash says is made of the input.
    written(write!(io::stdout().lock(), "{}", visible_lines(&text)))?;
    Ok(0)
}
