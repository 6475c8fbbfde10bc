//! Annotations for the log of a GitHub job: workflow commands, one a line.

use std::fmt::Write as _;

use super::{counts_as_failed, gist, plain_line, verdict};
use crate::report::{
    model::{CaseReport, Report},
    text,
};

/// GitHub shows only this many annotations of a kind for a step, and does not mention the rest.
const SHOWN: usize = 10;

/// The annotations: an error for each case that makes the run fail, a warning for each that failed and is not counted,
/// and a notice with the counts. If there are more than GitHub shows, the last one lists the rest.
#[must_use]
pub fn annotations(report: &Report) -> String {
    let (counted, uncounted): (Vec<_>, Vec<_>) = report
        .cases
        .iter()
        .filter(|case| case.outcome.is_failure())
        .partition(|case| counts_as_failed(report, case));
    let mut errors: Vec<(String, String)> = report
        .stale_known_defects
        .iter()
        .map(|stale| {
            (
                "known defect that is out of date".to_owned(),
                plain_line(stale),
            )
        })
        .collect();
    errors.extend(counted.into_iter().map(told));
    let mut out = String::new();
    commands(&mut out, "error", errors);
    commands(
        &mut out,
        "warning",
        uncounted.into_iter().map(told).collect(),
    );
    let notice = format!("{}: {}", verdict(report), text::summary(report));
    let title = report.kind.title(&plain_line(&report.client));
    command(&mut out, "notice", &title, &notice);
    out
}

fn told(case: &CaseReport) -> (String, String) {
    let title = format!(
        "{} {} ({})",
        case.id,
        plain_line(&case.title),
        case.level.word()
    );
    let message = format!("{}\nrerun: {}", gist(case), plain_line(&case.reproduce));
    (title, message)
}

fn commands(out: &mut String, kind: &str, mut all: Vec<(String, String)>) {
    if all.len() > SHOWN {
        let rest: Vec<String> = all.drain(SHOWN - 1..).map(|(title, _)| title).collect();
        all.push((format!("{} more", rest.len()), rest.join("\n")));
    }
    for (title, message) in all {
        command(out, kind, &title, &message);
    }
}

fn command(out: &mut String, kind: &str, title: &str, message: &str) {
    let title = data(title).replace(':', "%3A").replace(',', "%2C");
    let _ = writeln!(out, "::{kind} title={title}::{}", data(message));
}

/// Escapes characters that would end a command or start another, as GitHub's runner expects it.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}
