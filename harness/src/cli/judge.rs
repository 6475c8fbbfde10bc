//! `veschub-harness judge`: compares the readings of a client with the replies in a hub's journal.

use std::{
    fs::File,
    io::{self, BufReader, Write},
    path::{Path, PathBuf},
};

use clap::Args;

use super::error::{CliError, written};

use crate::{
    judge::{Outcome, Verdict, compare::Tolerance, readings},
    outside::journal::{self, JudgeInput},
    report::{differences, scenario_json},
};

#[derive(Debug, Args)]
#[command(
    after_help = "A line with a `kind` is an entry of the journal, as `veschub-sim serve --journal` writes it. Every other \
        line is a reading, which is compared with the replies before it.\n\n\
        Exit codes: 0 all readings are right, 1 a reading is wrong, 2 bad usage or unreadable input."
)]
pub(super) struct JudgeArgs {
    /// A journal with the readings of a client between its entries, as JSON Lines; `-` reads stdin
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// Judges the readings in a journal; returns the exit code.
pub(super) fn judge(args: &JudgeArgs) -> Result<u8, CliError> {
    let told = read(&args.file)?;
    let mut verdict = Verdict::default();
    let printed = readings::sort(&told.lines);
    readings::understand(&mut verdict, printed, &told.journal, &Tolerance::default());
    verdict.demand_values();
    let text = match (args.json, verdict.understood.as_slice()) {
        (true, _) => format!("{}\n", scenario_json::judged(&verdict)),
        (false, []) => String::new(),
        (false, wrong) => differences::table(wrong),
    };
    written(io::stdout().lock().write_all(text.as_bytes()))?;
    Ok(u8::from(verdict.outcome() == Outcome::Failed))
}

fn read(path: &Path) -> Result<JudgeInput, CliError> {
    let read = if path.as_os_str() == "-" {
        journal::read(io::stdin().lock())
    } else {
        let file = File::open(path).map_err(CliError::read(path))?;
        journal::read(BufReader::new(file))
    };
    read.map_err(|error| CliError::Journal {
        path: path.to_owned(),
        error,
    })
}
