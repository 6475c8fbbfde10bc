//! Results for people and for programs: one model of a case, and everything that shows it. Nothing here waits; the
//! callers decide about colours.
//!
//! * [`model`]: a run of the battery or of scenarios as data; [`name`]: what a case is called; [`saved`]: reads and joins
//!   saved reports.
//! * [`text`]: for a terminal; [`junit`]: XML for CI systems; [`markdown`]: a job summary; [`github`]: annotations in a
//!   job's log; [`html`]: a page in one file, with drawings of the sessions and their bytes explained.
//! * [`scenarios`], [`scenario_json`]: what `run` prints, with every reading in full.
//! * [`causes`]: what failed, grouped by cause; [`differences`]: a table of what is wrong; [`pack`]: the values of a pack, for `read`.
//!
//! Texts in a report may come from a client and are never trusted: see [`plain`].

pub mod carrier;
pub mod causes;
pub mod differences;
pub mod github;
pub mod html;
pub mod junit;
pub mod markdown;
pub mod matrix;
pub mod model;
pub mod motor;
pub mod name;
pub mod not_judged;
pub mod pack;
mod plain;
pub(crate) mod reproduce;
pub mod saved;
pub mod scenario_json;
pub mod scenarios;
pub mod text;

use self::model::{CaseReport, Kind, Report};
pub use plain::{plain, plain_line};
pub use veschub_transcript::foreign::visible_styled;

/// A section's number, its title and its cases.
type SectionCases<'a> = (Option<u32>, &'a str, Vec<&'a CaseReport>);

/// The cases by section, in the report's order.
fn sections(report: &Report) -> Vec<SectionCases<'_>> {
    let mut sections: Vec<SectionCases<'_>> = Vec::new();
    for case in &report.cases {
        let number = case.id.section();
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
        0 if report.kind == Kind::Scenarios => "every scenario passed",
        0 => "every case that counts passed",
        1 if report
            .cases
            .iter()
            .any(|case| counts_as_failed(report, case)) =>
        {
            "failed"
        }
        1 => "failed: the list of known defects is out of date",
        _ if report.kind == Kind::Scenarios => "no scenario was judged",
        _ => "no case was judged",
    }
}
