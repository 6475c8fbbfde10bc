//! The result of a battery as text: each case that did not pass, then a table by section.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use comfy_table::{ContentArrangement, Table, presets};

use super::{
    catalogue::Section,
    report::{CaseReport, Counts, DifferenceReport, Outcome, Report},
};

/// Columns of a table.
const WIDTH: u16 = 120;
/// How many steps of a session are shown.
const STEPS: usize = 14;
/// How much of a step is shown, in characters.
const STEP: usize = 108;

fn style(outcome: Outcome) -> Style {
    let colour = match outcome {
        Outcome::Passed => AnsiColor::Green,
        Outcome::Failed => AnsiColor::Red,
        Outcome::Known | Outcome::Skipped => AnsiColor::Yellow,
        Outcome::Info => AnsiColor::Cyan,
    };
    colour.on_default()
}

fn painted(outcome: Outcome, text: &str) -> String {
    let style = style(outcome);
    format!("{style}{text}{style:#}")
}

/// The cases, one a line, the id first.
#[must_use]
pub fn list(sections: &[Section], takes: impl Fn(&super::Case) -> bool) -> String {
    let mut out = String::new();
    for case in sections.iter().flat_map(|section| &section.cases) {
        if takes(case) {
            let (id, level) = (case.id().to_string(), case.level.word());
            let _ = writeln!(out, "{id:<5} {level:<6} {}", case.title);
        }
    }
    out
}

/// The whole result, with escapes for colours.
#[must_use]
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    for case in &report.cases {
        if matches!(case.outcome, Outcome::Failed | Outcome::Info) {
            tell(&mut out, case, report.strict);
        }
    }
    not_judged(&mut out, report);
    table(&mut out, report);
    for stale in &report.stale_known_defects {
        let told = painted(Outcome::Failed, &format!("known defect {stale}"));
        let _ = writeln!(out, "{told}");
    }
    if report.cases.iter().any(|case| case.carrier.is_some()) {
        let _ = writeln!(
            out,
            "cases that are not about values carried {}",
            report.carrier
        );
    }
    let _ = writeln!(out, "{}", summary(report));
    out
}

fn tell(out: &mut String, case: &CaseReport, strict: bool) {
    let word = case.outcome.word();
    let level = case.level.word();
    let counted = match (case.outcome, case.is_counted(strict)) {
        (Outcome::Failed, false) => ", not counted without --strict",
        _ => "",
    };
    let head = painted(case.outcome, &format!("{} {word}", case.id));
    let _ = writeln!(out, "{head}  {} ({level}{counted})", case.title);
    let _ = writeln!(out, "  must      {}", case.requirement);
    let _ = writeln!(out, "  source    {}", case.citation());
    let _ = writeln!(out, "  matters   {}", case.matters);
    let _ = writeln!(out, "  rerun     {}\n", case.reproduce);
    let _ = writeln!(out, "{}", indented(&differences(&case.differences)));
    let first = case.transcript.len().saturating_sub(STEPS);
    if first + case.left_out > 0 {
        let _ = writeln!(out, "  ... {} earlier steps", first + case.left_out);
    }
    for step in &case.transcript[first..] {
        let arrow = match step.direction.as_deref() {
            Some("to-device") => "->",
            Some(_) => "<-",
            None => "  ",
        };
        let text: String = step.text.chars().take(STEP).collect();
        let _ = writeln!(out, "  {:>8.3}  {arrow} {text}", step.at_s);
    }
    if let Some(ending) = &case.ending {
        let _ = writeln!(out, "            the client {ending}");
    }
    for line in &case.stderr {
        let _ = writeln!(out, "  stderr    {line}");
    }
    out.push('\n');
}

fn differences(differences: &[DifferenceReport]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["field", "truth", "seen", "why"]);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(WIDTH);
    for one in differences {
        table.add_row([&one.field, &one.truth, &one.decoded, &one.why]);
    }
    table.trim_fmt()
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

/// Cases that were skipped or are known defects, each with its last reason; cases with the same reason together.
fn not_judged(out: &mut String, report: &Report) {
    let mut told: Vec<(Outcome, &str, Vec<String>)> = Vec::new();
    for case in &report.cases {
        if !matches!(case.outcome, Outcome::Skipped | Outcome::Known) {
            continue;
        }
        let why = case.reasons.last().map_or("", String::as_str);
        let same = |(outcome, reason, _): &&mut (Outcome, &str, Vec<String>)| {
            *outcome == case.outcome && *reason == why
        };
        match told.iter_mut().find(same) {
            Some((_, _, ids)) => ids.push(case.id.to_string()),
            None => told.push((case.outcome, why, vec![case.id.to_string()])),
        }
    }
    for (outcome, why, ids) in &told {
        let word = painted(*outcome, outcome.word());
        let _ = writeln!(out, "{word}  {}: {why}", ids.join(" "));
    }
    if !told.is_empty() {
        out.push('\n');
    }
}

fn table(out: &mut String, report: &Report) {
    let mut sections: Vec<(u32, &str)> = Vec::new();
    for case in &report.cases {
        let section = (case.id.section, case.section.as_str());
        if !sections.contains(&section) {
            sections.push(section);
        }
    }
    let _ = writeln!(
        out,
        "   section                 passed  failed   known  skipped    info"
    );
    for (number, title) in sections {
        let cases = report.cases.iter();
        let counts = Counts::of(cases.filter(|case| case.id.section == number));
        let cell = |outcome: Outcome, count: usize, width: usize| match count {
            0 => format!("{:>width$}", "-"),
            _ => painted(outcome, &format!("{count:>width$}")),
        };
        let _ = writeln!(
            out,
            "{number:>2} {title:<22} {} {} {} {} {}",
            cell(Outcome::Passed, counts.passed, 7),
            cell(Outcome::Failed, counts.failed, 7),
            cell(Outcome::Known, counts.known, 7),
            cell(Outcome::Skipped, counts.skipped, 8),
            cell(Outcome::Info, counts.info, 7),
        );
    }
    out.push('\n');
}

/// `N passed, N failed`, and the other counts that are not 0.
#[must_use]
pub fn summary(report: &Report) -> String {
    let Counts {
        passed,
        failed,
        known,
        skipped,
        info,
    } = report.counts;
    let mut told = format!("{passed} passed, {failed} failed");
    for (count, word) in [(known, "known"), (skipped, "skipped"), (info, "info")] {
        if count > 0 {
            let _ = write!(told, ", {count} {word}");
        }
    }
    let uncounted = report
        .cases
        .iter()
        .filter(|case| case.outcome == Outcome::Failed && !case.is_counted(report.strict));
    let uncounted = uncounted.count();
    if uncounted > 0 {
        let _ = write!(told, " ({uncounted} of them SHOULD, which --strict counts)");
    }
    told
}
