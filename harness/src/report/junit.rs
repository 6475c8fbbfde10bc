//! JUnit XML, as CI systems read it.
//!
//! A section is a suite, a case is a test case. Only cases that make the run fail are failures. A SHOULD case that
//! failed without `--strict` and a known defect are skipped, with their reason, so that the counts that a CI system
//! shows agree with the exit code.

use std::{fmt::Write as _, time::Duration};

use maud::{Markup, PreEscaped, html};

use super::{counts_as_failed, gist, plain, plain_line, sections};
use crate::report::model::{CaseReport, EntryReport, Outcome, Report};

/// How many steps of the session are shown with a failure.
const STEPS: usize = 40;
const DECLARATION: PreEscaped<&str> = PreEscaped("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");

/// The report as JUnit XML.
#[must_use]
pub fn junit(report: &Report) -> String {
    let client = plain_line(&report.client);
    let stale: Vec<Markup> = report
        .stale_known_defects
        .iter()
        .map(|defect| stale(defect))
        .collect();
    let cases = report.cases.iter();
    let ways: Vec<Way> = cases.map(|case| Way::of(report, case)).collect();
    let failures = count(&ways, Way::Failure) + stale.len();
    let xml = html! {
        (DECLARATION)
        testsuites name=(report.kind.title(&client)) tests=(ways.len() + stale.len())
            skipped=(count(&ways, Way::Skipped)) errors="0" failures=(failures) time=(seconds(report.wall_s)) {
            @for (number, title, cases) in sections(report) {
                @let ways: Vec<Way> = cases.iter().map(|case| Way::of(report, case)).collect();
                @let time = cases.iter().map(|case| valid(case.wall_s)).sum();
                "\n"
                testsuite name=(suite(number, title)) tests=(cases.len())
                    skipped=(count(&ways, Way::Skipped)) errors="0" failures=(count(&ways, Way::Failure))
                    time=(seconds(time)) {
                    (properties(&[
                        ("client", client.clone()),
                        ("seed", report.seed.to_string()),
                        ("strict", report.strict.to_string()),
                    ]))
                    @for (case, way) in cases.into_iter().zip(ways) { (test_case(case, way)) }
                }
            }
            @if !stale.is_empty() {
                "\n"
                testsuite name="known defects" tests=(stale.len()) skipped="0" errors="0" failures=(stale.len())
                    time=(seconds(0.0)) {
                    @for case in &stale { (case) }
                }
            }
        }
        "\n"
    };
    xml.into_string()
}

/// `2 Framing`
fn suite(number: Option<u32>, title: &str) -> String {
    let number = number.map(|number| format!("{number} "));
    format!("{}{}", number.unwrap_or_default(), plain_line(title))
}

/// What a case is to a CI system.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Success,
    Failure,
    Skipped,
}

impl Way {
    fn of(report: &Report, case: &CaseReport) -> Self {
        match case.outcome {
            Outcome::Passed | Outcome::Info => Self::Success,
            _ if counts_as_failed(report, case) => Self::Failure,
            _ => Self::Skipped,
        }
    }
}

fn count(ways: &[Way], way: Way) -> usize {
    ways.iter().filter(|one| **one == way).count()
}

fn stale(defect: &str) -> Markup {
    html! {
        "\n"
        testcase name=(plain_line(defect)) classname="conformance.known-defects" time=(seconds(0.0)) {
            failure message="this entry of the list of known defects is out of date" type="stale" {}
        }
    }
}

fn properties(properties: &[(&str, String)]) -> Markup {
    html! {
        "\n"
        properties {
            @for (name, value) in properties { "\n" property name=(name) value=(value) {} }
        }
    }
}

fn test_case(case: &CaseReport, way: Way) -> Markup {
    let class = match case.id.section() {
        Some(section) => format!("conformance.{section}.{}", plain_line(&case.section)),
        None => "scenarios".to_owned(),
    };
    html! {
        "\n"
        testcase name={ (case.id) " " (plain_line(&case.title)) }
            classname=(class) time=(seconds(case.wall_s)) {
            (properties(&[
                ("id", case.id.to_string()),
                ("level", case.level.word().to_owned()),
                ("outcome", case.outcome.word().to_lowercase()),
                ("requirement", plain_line(&case.requirement)),
                ("source", plain_line(&case.citation())),
                ("seed", case.seed.to_string()),
                ("reproduce", plain_line(&case.reproduce)),
            ]))
            "\n"
            @match way {
                Way::Failure => failure message=(gist(case)) type=(case.level.word()) { (story(case)) },
                Way::Skipped => skipped message=(why_skipped(case)) {},
                Way::Success => {},
            }
            @if case.outcome != Outcome::Passed && way != Way::Failure { system-out { (story(case)) } }
            @if !case.stderr.is_empty() { system-err { (plain(&case.stderr.join("\n"))) } }
        }
    }
}

fn why_skipped(case: &CaseReport) -> String {
    match case.outcome {
        outcome if outcome.is_failure() => format!(
            "{}, which counts only with --strict: {}",
            case.level.word(),
            gist(case)
        ),
        Outcome::Known => {
            let why = case.reasons.last().map(|why| plain_line(why));
            why.unwrap_or_else(|| gist(case))
        }
        _ => {
            let why = case.reasons.first().map(|why| plain_line(why));
            why.unwrap_or_else(|| "not judged".to_owned())
        }
    }
}

/// Everything that helps to understand a failure in a CI system.
fn story(case: &CaseReport) -> String {
    let mut out = format!("\nmust     {}\n", plain(&case.requirement));
    if !case.source.is_empty() {
        let _ = writeln!(out, "source   {}", plain_line(&case.citation()));
    }
    if !case.matters.is_empty() {
        let _ = writeln!(out, "matters  {}", plain(&case.matters));
    }
    let _ = writeln!(out, "rerun    {}\n", plain_line(&case.reproduce));
    for reason in &case.reasons {
        let _ = writeln!(out, "{}", plain(reason));
    }
    for one in &case.differences {
        let _ = writeln!(out, "{}", plain_line(&one.field));
        let _ = writeln!(out, "  truth  {}", plain_line(&one.truth));
        let _ = writeln!(out, "  seen   {}", plain_line(&one.decoded));
        let _ = writeln!(out, "  why    {}", plain_line(&one.why));
        if let Some(advice) = &one.advice {
            let _ = writeln!(out, "  means  {}", plain_line(advice));
        }
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

/// A saved report may say anything; what is no time is none.
fn valid(seconds: f64) -> f64 {
    Duration::try_from_secs_f64(seconds)
        .unwrap_or_default()
        .as_secs_f64()
}

fn seconds(number: f64) -> String {
    format!("{:.3}", valid(number))
}
