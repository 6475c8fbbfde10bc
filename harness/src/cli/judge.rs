//! `veschub-harness judge`: what a client understood beside what a hub's journal says was sent.

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
    after_help = "A line with a `kind` is the journal's, as `veschub-sim serve --journal` writes it; any other is a \
        reading, compared with the replies before it.\n\n\
        Exit codes: 0 all readings are right, 1 one is not, 2 the input cannot be used."
)]
pub(super) struct JudgeArgs {
    /// A journal with readings in between, as JSON Lines; `-` reads stdin
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
