//! `veschub-harness report`: a saved report of the battery in other forms.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;

use crate::{
    conformance::{Report, text},
    report::battery::{self, github, html, junit, markdown},
};

/// The largest report that is read, in bytes; one of 100 cases with long sessions has some 20 MB.
const LARGEST: u64 = 512 * 1024 * 1024;

#[derive(Debug, Args)]
#[command(
    after_help = "Without --html, --junit, --markdown or --github, the report is told as a table.\n\n\
        Exit codes: those of the report itself, so that this can be the last step of a job: 0 something was judged and \
        all that counts passed, 1 something that counts failed, or an entry of the known defects does not fit, \
        3 nothing was judged; and 2 bad usage, an unreadable report, or a file that cannot be written."
)]
pub(super) struct ReportArgs {
    /// What conformance --json printed, - for stdin; the shards of one battery are joined
    #[arg(value_name = "REPORT", required = true)]
    reports: Vec<PathBuf>,
    #[command(flatten)]
    outputs: Outputs,
}

/// The forms in which a report can be written beside what goes to stdout.
#[derive(Debug, Args)]
pub(super) struct Outputs {
    /// Write JUnit XML for a CI system to this file
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write Markdown for a job summary to this file
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Write one HTML file to look at, with the sessions drawn and their bytes explained
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Print annotations for the log of a GitHub job, to stderr
    #[arg(long)]
    github: bool,
}

impl Outputs {
    /// Writes all that is asked for.
    ///
    /// # Errors
    /// If a file cannot be written, with its name.
    pub(super) fn write(&self, report: &Report) -> Result<(), String> {
        if let Some(path) = &self.junit {
            write(path, &junit::junit(report))?;
        }
        if let Some(path) = &self.markdown {
            write(path, &markdown::markdown(report))?;
        }
        if let Some(path) = &self.html {
            write(path, &html::html(report))?;
        }
        if self.github {
            // Runners read both streams; stdout may be the report.
            let _ = io::stderr().write_all(github::annotations(report).as_bytes());
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.junit.is_none() && self.markdown.is_none() && self.html.is_none() && !self.github
    }
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}

/// Shows saved reports.
pub(super) fn run(args: &ReportArgs) -> ExitCode {
    match attempt(args) {
        Ok(code) => ExitCode::from(code),
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

fn attempt(args: &ReportArgs) -> Result<u8, String> {
    let reports: Result<Vec<_>, _> = args.reports.iter().map(|path| load(path)).collect();
    let report = battery::merge(reports?).map_err(|error| error.to_string())?;
    args.outputs.write(&report)?;
    if args.outputs.is_empty() {
        let told = write!(anstream::stdout().lock(), "{}", text::text(&report));
        if let Err(error) = told
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            return Err(format!("cannot write to stdout: {error}"));
        }
    }
    Ok(report.exit_code())
}

fn load(path: &Path) -> Result<Report, String> {
    let name = path.display();
    let mut json = String::new();
    let read = match path.as_os_str().as_encoded_bytes() {
        b"-" => io::stdin()
            .lock()
            .take(LARGEST + 1)
            .read_to_string(&mut json),
        _ => File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_string(&mut json)),
    };
    read.map_err(|error| format!("cannot read {name}: {error}"))?;
    if json.len() as u64 > LARGEST {
        return Err(format!(
            "{name}: a report of more than {LARGEST} bytes is not read"
        ));
    }
    battery::parse(&json).map_err(|error| format!("{name}: {error}"))
}
