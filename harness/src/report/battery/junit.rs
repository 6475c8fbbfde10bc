//! JUnit XML, as CI systems read it.
//!
//! A section is a suite, a case is a test case. Only cases that make the run fail are failures. A SHOULD case that
//! failed without `--strict` and a known defect are skipped, with their reason, so that the counts that a CI system
//! shows agree with the exit code.

use std::{fmt::Write as _, time::Duration};

use quick_junit::{
    NonSuccessKind, Report as Junit, SerializeError, TestCase, TestCaseStatus, TestSuite,
};

use super::{counts_as_failed, gist, plain, plain_line, sections};
use crate::conformance::report::{CaseReport, EntryReport, Outcome, Report};

/// How many steps of the session are shown with a failure.
const STEPS: usize = 40;

/// The report as JUnit XML.
///
/// # Errors
/// If it cannot be written as XML. Texts of a client never cause that, as they are cleaned first.
pub fn junit(report: &Report) -> Result<String, SerializeError> {
    let mut junit = Junit::new(format!("conformance of {}", plain_line(&report.client)));
    junit.set_time(seconds(report.wall_s));
    for (number, title, cases) in sections(report) {
        let mut suite = TestSuite::new(format!("{number} {}", plain_line(title)));
        suite.add_property(("client", plain_line(&report.client).as_str()));
        suite.add_property(("seed", report.seed.to_string().as_str()));
        suite.add_property(("strict", report.strict.to_string().as_str()));
        suite.set_time(cases.iter().map(|case| seconds(case.wall_s)).sum());
        suite.add_test_cases(cases.into_iter().map(|case| test_case(report, case)));
        junit.add_test_suite(suite);
    }
    if !report.stale_known_defects.is_empty() {
        let mut suite = TestSuite::new("known defects");
        suite.add_test_cases(report.stale_known_defects.iter().map(|stale| {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type("stale");
            status.set_message("this entry of the list of known defects is out of date");
            let mut case = TestCase::new(plain_line(stale), status);
            case.set_classname("conformance.known-defects");
            case
        }));
        junit.add_test_suite(suite);
    }
    junit.to_string()
}

fn test_case(report: &Report, case: &CaseReport) -> TestCase {
    let id = case.id;
    let failed = counts_as_failed(report, case);
    let mut status = match case.outcome {
        Outcome::Passed | Outcome::Info => TestCaseStatus::success(),
        Outcome::Failed if failed => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Outcome::Failed | Outcome::Known | Outcome::Skipped => TestCaseStatus::skipped(),
    };
    match case.outcome {
        Outcome::Failed if failed => {
            status.set_type(case.level.word());
            status.set_message(gist(case));
            status.set_description(story(case));
        }
        Outcome::Failed => {
            let level = case.level.word();
            status.set_message(format!(
                "{level}, which counts only with --strict: {}",
                gist(case)
            ));
        }
        Outcome::Known => {
            let last = case.reasons.last();
            let why = last.map_or_else(|| gist(case), |why| plain_line(why));
            status.set_message(why);
        }
        Outcome::Skipped => {
            let why = case.reasons.first();
            status.set_message(why.map_or_else(|| "not judged".to_owned(), |why| plain_line(why)));
        }
        Outcome::Passed | Outcome::Info => {}
    }
    let mut told = TestCase::new(format!("{id} {}", plain_line(&case.title)), status);
    told.set_classname(format!(
        "conformance.{}.{}",
        id.section,
        plain_line(&case.section)
    ));
    told.set_time(seconds(case.wall_s));
    for (name, value) in [
        ("id", id.to_string()),
        ("level", case.level.word().to_owned()),
        ("outcome", case.outcome.word().to_lowercase()),
        ("requirement", plain_line(&case.requirement)),
        ("source", plain_line(&case.citation())),
        ("seed", case.seed.to_string()),
        ("reproduce", plain_line(&case.reproduce)),
    ] {
        told.add_property((name, value.as_str()));
    }
    if case.outcome != Outcome::Passed && !failed {
        told.set_system_out(story(case));
    }
    if !case.stderr.is_empty() {
        told.set_system_err(plain(&case.stderr.join("\n")));
    }
    told
}

/// Everything that helps to understand a failure in a CI system.
fn story(case: &CaseReport) -> String {
    let mut out = format!("\nmust     {}\n", plain(&case.requirement));
    let _ = writeln!(out, "source   {}", plain_line(&case.citation()));
    let _ = writeln!(out, "matters  {}", plain(&case.matters));
    let _ = writeln!(out, "rerun    {}\n", plain_line(&case.reproduce));
    for reason in &case.reasons {
        let _ = writeln!(out, "{}", plain(reason));
    }
    for one in &case.differences {
        let _ = writeln!(out, "{}", plain_line(&one.field));
        let _ = writeln!(out, "  truth  {}", plain_line(&one.truth));
        let _ = writeln!(out, "  seen   {}", plain_line(&one.decoded));
        let _ = writeln!(out, "  why    {}", plain_line(&one.why));
    }
    let first = case.transcript.len().saturating_sub(STEPS);
    if first + case.left_out > 0 {
        let _ = writeln!(out, "\n  ... {} earlier steps", first + case.left_out);
    }
    for step in &case.transcript[first..] {
        let _ = writeln!(out, "  {}", step_line(step));
    }
    if let Some(ending) = &case.ending {
        let _ = writeln!(out, "the client {}", plain_line(ending));
    }
    out
}

/// `   0.050 > FW_VERSION`
fn step_line(step: &EntryReport) -> String {
    let arrow = match step.direction.as_deref() {
        Some("to-device") => '>',
        Some(_) => '<',
        None => ' ',
    };
    format!("{:>9.3} {arrow} {}", step.at_s, plain_line(&step.text))
}

/// A saved report may contain any number; one that is not a time counts as 0.
fn seconds(number: f64) -> Duration {
    Duration::try_from_secs_f64(number).unwrap_or_default()
}
