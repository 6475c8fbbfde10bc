//! `veschub-harness judge`: compares the readings of a client with the replies in a hub's journal.

use std::{
    fs::File,
    io::{self, BufReader, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use veschub_transcript::foreign::visible_lines;

use super::error::{CliError, written};

use crate::{
    judge::{Outcome, Verdict, compare::Tolerance, readings},
    outside::journal::{self, JudgeInput},
    report::{differences, scenario_json},
};

/// The exit code if there is no reading.
const NOTHING_JUDGED: u8 = 3;

#[derive(Debug, Args)]
#[command(
    after_help = "A line with a `kind` is an entry of the journal, as `veschub-sim serve --journal` writes it. Every other \
        line is a reading, which is compared with the replies before it.\n\n\
        Exit codes: 0 all readings are right, 1 a reading is wrong, 2 bad usage or unreadable input, 3 there is no reading."
)]
pub(super) struct JudgeArgs {
    /// A journal with the readings of a client between its entries, as JSON Lines; `-` reads stdin
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,
    /// How far a field may be off, in its unit, e.g. total_voltage_v=0.05; may be given several times [default: one count
    /// of its raw scale]
    #[arg(long = "within", value_name = "FIELD=AMOUNT", value_parser = within)]
    within: Vec<(String, f64)>,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

fn within(text: &str) -> Result<(String, f64), String> {
    let wanted = "wanted the name of a field and a number from 0, e.g. total_voltage_v=0.05";
    let (field, amount) = text.split_once('=').ok_or(wanted)?;
    let amount = amount.parse().ok();
    let amount = amount.filter(|amount: &f64| *amount >= 0.0 && amount.is_finite());
    Ok((field.to_owned(), amount.ok_or(wanted)?))
}

/// Judges the readings in a journal; returns the exit code.
pub(super) fn judge(args: &JudgeArgs) -> Result<u8, CliError> {
    let told = read(&args.file)?;
    let mut verdict = Verdict::default();
    let printed = readings::sort(&told.lines);
    let fields = args.within.iter().cloned();
    let tolerance = Tolerance {
        fields: fields
            .map(|(field, amount)| (None, field, amount))
            .collect(),
        ..Tolerance::default()
    };
    readings::understand(&mut verdict, printed, &told.journal, &tolerance);
    verdict.demand_values();
    let number = verdict.readings.len();
    let text = match (args.json, verdict.understood.as_slice()) {
        (true, _) => format!("{}\n", scenario_json::judged(&verdict)),
        (false, []) if number == 0 => String::new(),
        (false, []) if number == 1 => "1 reading, and it is right\n".to_owned(),
        (false, []) => format!("{number} readings, and all are right\n"),
        (false, wrong) => visible_lines(&differences::table(wrong)),
    };
    written(io::stdout().lock().write_all(text.as_bytes()))?;
    if verdict.outcome() == Outcome::Failed {
        return Ok(1);
    }
    if number == 0 {
        eprintln!(
            "there is no reading in it, so nothing was judged: add a line for each reading, \
             such as {{\"command\": \"FW_VERSION\", \"fields\": {{\"firmware\": \"6.05\"}}}}"
        );
        return Ok(NOTHING_JUDGED);
    }
    Ok(0)
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
