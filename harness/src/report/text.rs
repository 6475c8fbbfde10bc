//! The result of a battery as text: each case that did not pass, then a table by section.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use comfy_table::{ContentArrangement, Table, presets};

use super::{
    causes::{Cause, causes},
    model::{CaseReport, Counts, DifferenceReport, Outcome, Report},
    name::Level,
    sections,
};

/// Columns of a table.
const WIDTH: u16 = 120;
/// How many steps of a session are shown.
const STEPS: usize = 14;
/// How many kinds of lines that are not readings are shown.
const BAD_LINES: usize = 5;
/// How much of a step is shown, in characters.
const STEP: usize = 108;

fn style(outcome: Outcome) -> Style {
    let colour = match outcome {
        Outcome::Passed => AnsiColor::Green,
        Outcome::Failed | Outcome::TimedOut | Outcome::Crashed => AnsiColor::Red,
        Outcome::Known | Outcome::Skipped => AnsiColor::Yellow,
        Outcome::NotApplicable => AnsiColor::Blue,
        Outcome::Info => AnsiColor::Cyan,
    };
    colour.on_default()
}

fn painted(outcome: Outcome, text: &str) -> String {
    let style = style(outcome);
    format!("{style}{text}{style:#}")
}

/// The whole result, with escapes for colours.
#[must_use]
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    for case in &report.cases {
        if case.outcome.is_failure() || case.outcome == Outcome::Info {
            tell(&mut out, case, report.strict);
        }
    }
    not_judged(&mut out, report);
    bad_lines(&mut out, report);
    by_cause(&mut out, report);
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
    let counted = match (case.outcome.is_failure(), case.is_counted(strict)) {
        (true, false) if case.level != Level::May => ", not counted without --strict",
        _ => "",
    };
    let head = painted(case.outcome, &format!("{} {word}", case.id));
    let _ = writeln!(out, "{head}  {} ({level}{counted})", case.title);
    let _ = writeln!(out, "  must      {}", case.requirement);
    if !case.source.is_empty() {
        let _ = writeln!(out, "  source    {}", case.citation());
    }
    if !case.matters.is_empty() {
        let _ = writeln!(out, "  matters   {}", case.matters);
    }
    let _ = writeln!(out, "  rerun     {}\n", case.reproduce);
    let _ = writeln!(out, "{}", indented(&differences(&case.differences)));
    for advice in advice(case) {
        let _ = writeln!(out, "{}", wrapped("  means     ", advice));
    }
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

/// What the mistakes in a case mean, each once.
fn advice(case: &CaseReport) -> Vec<&str> {
    let mut told: Vec<&str> = Vec::new();
    for advice in case
        .differences
        .iter()
        .filter_map(|one| one.advice.as_deref())
    {
        if !told.contains(&advice) {
            told.push(advice);
        }
    }
    told
}

/// A text in lines that are not too long, the first behind its heading.
fn wrapped(heading: &str, text: &str) -> String {
    let indent = " ".repeat(heading.len());
    let mut out = String::new();
    let mut line = heading.to_owned();
    for word in text.split_whitespace() {
        if line.chars().count() + word.chars().count() > usize::from(WIDTH) {
            out.push_str(line.trim_end());
            out.push('\n');
            line.clone_from(&indent);
        }
        line.push_str(word);
        line.push(' ');
    }
    out.push_str(line.trim_end());
    out.push('\n');
    out
}

/// What failed, grouped by cause, if there is more than one failure.
fn by_cause(out: &mut String, report: &Report) {
    let causes = causes(report);
    if causes.iter().map(|one| one.cases.len()).sum::<usize>() < 2 {
        return;
    }
    out.push_str("what failed, by cause\n");
    for Cause { what, cases } in causes {
        let ids: Vec<String> = cases.iter().map(|case| case.id.to_string()).collect();
        let count = match cases.len() {
            1 => "1 case".to_owned(),
            count => format!("{count} cases"),
        };
        let _ = writeln!(out, "  {count:<9} {what}\n            {}", ids.join(" "));
    }
    out.push('\n');
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

/// Cases that were skipped or are known defects, each with its last reason; cases with the same reason together.
fn not_judged(out: &mut String, report: &Report) {
    let mut told: Vec<(Outcome, &str, Vec<String>)> = Vec::new();
    for case in &report.cases {
        if case.outcome.is_judged() && case.outcome != Outcome::Known {
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

/// Lines of the client that are not readings, each kind once.
fn bad_lines(out: &mut String, report: &Report) {
    let mut told: Vec<(&str, &CaseReport, usize)> = Vec::new();
    for case in &report.cases {
        for line in &case.bad_lines {
            // Without the number of the line, which differs from case to case.
            let what = line
                .split_once(": ")
                .map_or(line.as_str(), |(_, what)| what);
            match told.iter_mut().find(|(known, ..)| *known == what) {
                Some((_, _, count)) => *count += 1,
                None => told.push((what, case, 1)),
            }
        }
    }
    for (what, case, count) in told.iter().take(BAD_LINES) {
        let word = painted(Outcome::Skipped, "bad line");
        let times = match count {
            1 => String::new(),
            _ => format!(" and {} more times", count - 1),
        };
        let _ = writeln!(out, "{word}  {}{times}: {what}", case.id);
    }
    if told.len() > BAD_LINES {
        let _ = writeln!(
            out,
            "... {} more kinds of bad lines",
            told.len() - BAD_LINES
        );
    }
    if !told.is_empty() {
        out.push('\n');
    }
}

fn table(out: &mut String, report: &Report) {
    let more = uncommon(report.counts);
    let mut head = "   section                 passed  failed   known  skipped    info".to_owned();
    for (_, word) in &more {
        let _ = write!(head, "  {word}");
    }
    let _ = writeln!(out, "{head}");
    for (number, title, cases) in sections(report) {
        let counts = Counts::of(cases);
        let number = number.map(|number| number.to_string()).unwrap_or_default();
        let cell = |outcome: Outcome, count: usize, width: usize| match count {
            0 => format!("{:>width$}", "-"),
            _ => painted(outcome, &format!("{count:>width$}")),
        };
        let _ = write!(
            out,
            "{number:>2} {title:<22} {} {} {} {} {}",
            cell(Outcome::Passed, counts.passed, 7),
            cell(Outcome::Failed, counts.failed, 7),
            cell(Outcome::Known, counts.known, 7),
            cell(Outcome::Skipped, counts.skipped, 8),
            cell(Outcome::Info, counts.info, 7),
        );
        for &(outcome, word) in &more {
            let _ = write!(out, "  {}", cell(outcome, counts.with(outcome), word.len()));
        }
        out.push('\n');
    }
    out.push('\n');
}

/// The outcomes that have a column only where there are any.
fn uncommon(counts: Counts) -> Vec<(Outcome, &'static str)> {
    let mut all = vec![
        (Outcome::TimedOut, "timed out"),
        (Outcome::Crashed, "crashed"),
        (Outcome::NotApplicable, "not applicable"),
    ];
    all.retain(|(outcome, _)| counts.with(*outcome) > 0);
    all
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
        timed_out,
        crashed,
        not_applicable,
    } = report.counts;
    let mut told = format!("{passed} passed, {failed} failed");
    for (count, word) in [
        (timed_out, "timed out"),
        (crashed, "crashed"),
        (known, "known"),
        (skipped, "skipped"),
        (not_applicable, "not applicable"),
        (info, "info"),
    ] {
        if count > 0 {
            let _ = write!(told, ", {count} {word}");
        }
    }
    let uncounted = report
        .cases
        .iter()
        .filter(|case| case.outcome.is_failure() && case.level == Level::Should && !report.strict);
    let uncounted = uncounted.count();
    if uncounted > 0 {
        let _ = write!(told, " ({uncounted} of them SHOULD, which --strict counts)");
    }
    told
}
