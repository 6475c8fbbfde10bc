//! The result of a conformance battery in the forms that people and services read.
//!
//! * [`junit`]: XML for CI systems; [`markdown`]: a job summary; [`github`]: annotations in a job's log.
//! * [`html`]: one file to look at, with the session drawn and its bytes explained.
//! * [`merge`]: the reports of several shards as one.
//!
//! All of them take the [`Report`] that `conformance --json` prints, so that a saved one serves as well. Words in it
//! may be a client's own and are never trusted: see [`plain`].

pub mod github;
pub mod html;
pub mod junit;
pub mod markdown;
mod plain;

pub use plain::{plain, plain_line};

use crate::conformance::report::{CaseReport, Counts, Outcome, Report, VERSION};

/// Why a saved report cannot be shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// It is not a report.
    #[error("is not what `veschub-harness conformance --json` prints: {0}")]
    Json(#[from] serde_json::Error),
    /// Its form is another one than this program knows.
    #[error(
        "has version {found} of the report's form, and this program knows version {VERSION}; \
         show it with the program that wrote it"
    )]
    Version {
        /// What it has.
        found: u64,
    },
    /// Two reports cannot be one.
    #[error(
        "{0}; shards of one battery have the same client, seed and strictness, and no case twice"
    )]
    Merge(String),
}

/// Reads a saved report. Its numbers are counted anew, so that they agree with its cases.
///
/// # Errors
/// If it is no report, or one of another version.
pub fn parse(json: &str) -> Result<Report, ReportError> {
    let found: Head = serde_json::from_str(json)?;
    if found.version != u64::from(VERSION) {
        let found = found.version;
        return Err(ReportError::Version { found });
    }
    let mut report: Report = serde_json::from_str(json)?;
    report.counts = Counts::of(&report.cases);
    Ok(report)
}

/// What all versions have.
#[derive(serde::Deserialize)]
struct Head {
    version: u64,
}

/// The shards of one battery as one report, in the order of the catalogue.
///
/// # Errors
/// If there is none, they are of different runs, or a case is in two of them.
pub fn merge(reports: impl IntoIterator<Item = Report>) -> Result<Report, ReportError> {
    let mut reports = reports.into_iter();
    let mut all = reports
        .next()
        .ok_or_else(|| ReportError::Merge("there is no report".to_owned()))?;
    for one in reports {
        if one.client != all.client {
            let (a, b) = (plain_line(&all.client), plain_line(&one.client));
            return Err(ReportError::Merge(format!(
                "one is about `{a}`, one about `{b}`"
            )));
        }
        if (one.seed, one.strict) != (all.seed, all.strict) {
            let told = "they were run with another seed or strictness";
            return Err(ReportError::Merge(told.to_owned()));
        }
        all.cases.extend(one.cases);
        for stale in one.stale_known_defects {
            if !all.stale_known_defects.contains(&stale) {
                all.stale_known_defects.push(stale);
            }
        }
        all.wall_s += one.wall_s;
    }
    all.cases.sort_by_key(|case| case.id);
    let twice = all.cases.windows(2).find(|two| two[0].id == two[1].id);
    if let Some(two) = twice {
        return Err(ReportError::Merge(format!(
            "case {} is in two of them",
            two[0].id
        )));
    }
    all.counts = Counts::of(&all.cases);
    Ok(all)
}

/// A section's number, its title and its cases.
type SectionCases<'a> = (u32, &'a str, Vec<&'a CaseReport>);

/// The cases by section, in the report's order.
fn sections(report: &Report) -> Vec<SectionCases<'_>> {
    let mut sections: Vec<SectionCases<'_>> = Vec::new();
    for case in &report.cases {
        let number = case.id.section;
        match sections.iter_mut().find(|(one, ..)| *one == number) {
            Some((_, _, cases)) => cases.push(case),
            None => sections.push((number, &case.section, vec![case])),
        }
    }
    sections
}

/// Whether it makes the run fail.
fn counts_as_failed(report: &Report, case: &CaseReport) -> bool {
    case.outcome == Outcome::Failed && case.is_counted(report.strict)
}

/// Why it failed, in a line: its first difference, else its first reason.
fn gist(case: &CaseReport) -> String {
    match case.differences.first() {
        Some(one) => {
            let mistake = one.mistake.as_deref();
            let mistake = mistake.map(|mistake| format!(" ({mistake})"));
            format!(
                "{}: {} instead of {}{}",
                plain_line(&one.field),
                plain_line(&one.decoded),
                plain_line(&one.truth),
                plain_line(&mistake.unwrap_or_default()),
            )
        }
        None => case.reasons.first().map_or_else(
            || plain_line(&case.requirement),
            |reason| plain_line(reason),
        ),
    }
}

/// What the exit code says, in a sentence.
fn verdict(report: &Report) -> &'static str {
    match report.exit_code() {
        0 => "all that counts passed",
        1 if report
            .cases
            .iter()
            .any(|case| counts_as_failed(report, case)) =>
        {
            "failed"
        }
        1 => "failed: the list of known defects does not fit",
        _ => "nothing was judged",
    }
}
