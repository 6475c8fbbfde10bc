//! The result of a conformance battery in the forms that people and CI systems read.
//!
//! * [`junit`]: XML for CI systems; [`markdown`]: a job summary; [`github`]: annotations in a job's log.
//! * [`html`]: a page in one file, with drawings of the sessions and their bytes explained.
//! * [`merge`]: joins the reports of several shards.
//!
//! All of them take the [`Report`] that `conformance --json` prints, so they also work with a saved report. Texts in a
//! report may come from a client and are never trusted: see [`plain`].

pub mod github;
pub mod html;
pub mod junit;
pub mod markdown;
mod plain;

pub use plain::{plain, plain_line};

use crate::conformance::report::{CaseReport, Counts, Report, VERSION};

/// Why a saved report cannot be shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// It is not a report.
    #[error("is not what `veschub-harness conformance --json` prints: {0}")]
    Json(#[from] serde_json::Error),
    /// It has a format that this program does not know.
    #[error(
        "the report has format version {found}, but this program knows version {VERSION}; \
         use the program that wrote the report"
    )]
    Version {
        /// The version of the report.
        found: u64,
    },
    /// The reports cannot be joined.
    #[error(
        "{0}; reports can be joined only if client, link, seed and strictness are the same and no case is in two reports"
    )]
    Merge(String),
}

/// Reads a saved report. The cases are counted again, so that the counts are right.
///
/// # Errors
/// If it is not a report, or has another version.
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

/// The part that all versions have.
#[derive(serde::Deserialize)]
struct Head {
    version: u64,
}

/// Joins the shards of one battery into one report, in the order of the cases.
///
/// # Errors
/// If there is no report, the reports are of different runs, or a case is in two of them.
pub fn merge(reports: impl IntoIterator<Item = Report>) -> Result<Report, ReportError> {
    let mut reports = reports.into_iter();
    let mut all = reports
        .next()
        .ok_or_else(|| ReportError::Merge("there is no report".to_owned()))?;
    for one in reports {
        if one.client != all.client {
            let (a, b) = (plain_line(&all.client), plain_line(&one.client));
            return Err(ReportError::Merge(format!(
                "one report is about `{a}`, another about `{b}`"
            )));
        }
        if (one.seed, one.strict, one.link) != (all.seed, all.strict, all.link) {
            let told = "the reports differ in seed, strictness or link";
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
            "case {} is in two reports",
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

/// Whether this case makes the run fail.
fn counts_as_failed(report: &Report, case: &CaseReport) -> bool {
    case.outcome.is_failure() && case.is_counted(report.strict)
}

/// Why the case failed, in a line: its first difference, or its first reason.
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

/// The result of the run, as in its exit code, in words.
fn verdict(report: &Report) -> &'static str {
    match report.exit_code() {
        0 => "every case that counts passed",
        1 if report
            .cases
            .iter()
            .any(|case| counts_as_failed(report, case)) =>
        {
            "failed"
        }
        1 => "failed: the list of known defects is out of date",
        _ => "no case was judged",
    }
}
