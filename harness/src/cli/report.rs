//! `veschub-harness report`: turns a saved conformance report into other forms.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use clap::Args;

use super::error::{CliError, written};

use crate::report::{github, html, junit, markdown, model::Report, saved, text, visible_styled};

/// The largest report that is read, in bytes. A report of 100 cases with long sessions has about 20 MB.
const LARGEST: u64 = 512 * 1024 * 1024;

#[derive(Debug, Args)]
#[command(
    after_help = "Without --html, --junit, --markdown or --github, the report is printed as a table.\n\n\
        Exit codes, the same as those of the run, so that this can be the last step of a job: 0 every case that counts \
        passed, 1 a case that counts failed, or an entry of the known defects is out of date, 2 bad usage, an \
        unreadable report, or a file that cannot be written, 3 no case was judged."
)]
pub(super) struct ReportArgs {
    /// Files with the output of conformance --json, - for stdin; several shards of one run are joined
    #[arg(value_name = "REPORT", required = true)]
    reports: Vec<PathBuf>,
    #[command(flatten)]
    outputs: Outputs,
}

/// The files to which a report can be written, in addition to stdout.
#[derive(Debug, Args)]
pub(super) struct Outputs {
    /// Write JUnit XML to this file, for a CI system
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write Markdown to this file, for a job summary
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Write a page to this HTML file, with drawings of the sessions and their bytes explained
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Print annotations to stderr, for the log of a GitHub job
    #[arg(long)]
    github: bool,
}

impl Outputs {
    /// Writes every form that the user asked for.
    ///
    /// # Errors
    /// If a file cannot be written, with its name.
    pub(super) fn write(&self, report: &Report) -> Result<(), CliError> {
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

fn write(path: &Path, text: &str) -> Result<(), CliError> {
    fs::write(path, text).map_err(CliError::write(path))
}

/// Shows saved reports; returns the exit code.
pub(super) fn run(args: &ReportArgs) -> Result<u8, CliError> {
    let reports: Result<Vec<_>, _> = args.reports.iter().map(|path| load(path)).collect();
    let report = saved::merge(reports?)?;
    args.outputs.write(&report)?;
    if args.outputs.is_empty() {
        written(write!(
            anstream::stdout().lock(),
            "{}",
            visible_styled(&text::text(&report))
        ))?;
    }
    Ok(report.exit_code())
}

pub(super) fn load(path: &Path) -> Result<Report, CliError> {
    let mut json = String::new();
    let read = match path.as_os_str().as_encoded_bytes() {
        b"-" => io::stdin()
            .lock()
            .take(LARGEST + 1)
            .read_to_string(&mut json),
        _ => File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_string(&mut json)),
    };
    read.map_err(CliError::read(path))?;
    let path = path.to_owned();
    if json.len() as u64 > LARGEST {
        let limit = LARGEST;
        return Err(CliError::TooLarge { path, limit });
    }
    saved::parse(&json).map_err(|error| CliError::Report { path, error })
}
