//! `veschub-harness judge`: compares the readings of a client with the replies in a hub's journal.

use std::{
    fs::File,
    io::{self, BufReader, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;

use crate::{
    outside::{
        compare::Tolerance,
        journal::{self, Told},
        verdict::{self, Outcome, Verdict},
    },
    report::{differences, outside},
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

pub(super) fn judge(args: &JudgeArgs) -> ExitCode {
    let told = match read(&args.file) {
        Ok(told) => told,
        Err(why) => {
            eprintln!("error: {}: {why}", args.file.display());
            return ExitCode::from(2);
        }
    };
    let mut verdict = Verdict::default();
    let printed = verdict::sort(&told.lines);
    verdict::understand(&mut verdict, printed, &told.journal, &Tolerance::default());
    let text = match (args.json, verdict.understood.as_slice()) {
        (true, _) => format!("{}\n", outside::judged(&verdict)),
        (false, []) => String::new(),
        (false, wrong) => differences::table(wrong),
    };
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("error: cannot write to stdout: {error}");
            ExitCode::from(2)
        }
        _ => ExitCode::from(u8::from(verdict.outcome() == Outcome::Failed)),
    }
}

fn read(path: &Path) -> Result<Told, String> {
    if path == Path::new("-") {
        return journal::read(io::stdin().lock());
    }
    let file = File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    journal::read(BufReader::new(file))
}
