//! `veschub-harness matrix`: puts the saved reports of several clients beside each other.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use clap::Args;

use super::{
    error::{CliError, written},
    report::load,
};
use crate::report::matrix::{Entry, Matrix, html, markdown};

#[derive(Debug, Args)]
#[command(
    after_help = "Without --html, --markdown or --json, the table is printed as Markdown. A row leads to the client's own \
        page, which `veschub-harness report REPORT --html FILE` makes.\n\n\
        Exit codes: 0 the matrix was made, whatever is in it, 2 bad usage, an unreadable report, or a file that cannot \
        be written."
)]
pub(super) struct MatrixArgs {
    /// Files with the output of conformance --json, one for each client
    #[arg(value_name = "REPORT", required = true)]
    reports: Vec<PathBuf>,
    /// Write a page to this HTML file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write Markdown to this file
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Print the matrix as JSON
    #[arg(long)]
    json: bool,
    /// The address of a client's page; {stem} stands for the name of its report without folder and ending
    #[arg(long, value_name = "PATTERN", default_value = "{stem}.html")]
    link_to: String,
}

/// Makes the matrix; returns the exit code.
pub(super) fn run(args: &MatrixArgs) -> Result<u8, CliError> {
    let mut entries = Vec::new();
    for path in &args.reports {
        entries.push(Entry {
            report: load(path)?,
            page: page(&args.link_to, path),
        });
    }
    let matrix = Matrix::of(&entries);
    if let Some(path) = &args.html {
        write(path, &html::html(&matrix))?;
    }
    if let Some(path) = &args.markdown {
        write(path, &markdown::markdown(&matrix))?;
    }
    let mut stdout = io::stdout().lock();
    if args.json {
        let json = serde_json::to_string(&matrix)?;
        written(writeln!(stdout, "{json}"))?;
    } else if args.html.is_none() && args.markdown.is_none() {
        written(write!(stdout, "{}", markdown::markdown(&matrix)))?;
    }
    Ok(0)
}

/// The address of a client's page. The name of its report may hold anything that a file's name can.
fn page(pattern: &str, report: &Path) -> String {
    let stem = report.file_stem().unwrap_or_default().to_string_lossy();
    let mut escaped = String::new();
    for byte in stem.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                escaped.push(byte.into());
            }
            byte => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    pattern.replace("{stem}", &escaped)
}

fn write(path: &Path, text: &str) -> Result<(), CliError> {
    fs::write(path, text).map_err(CliError::write(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_found_by_the_name_of_the_report() {
        let page = |pattern, path: &str| page(pattern, Path::new(path));
        assert_eq!(page("{stem}.html", "out/pyvesc.json"), "pyvesc.html");
        assert_eq!(
            page("https://x.example/{stem}/", "a b#c.json"),
            "https://x.example/a%20b%23c/"
        );
    }
}
