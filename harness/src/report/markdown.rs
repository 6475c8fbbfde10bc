//! Markdown for a job summary.

use std::fmt::Write as _;

use super::{counts_as_failed, plain, plain_line, sections, verdict};
use crate::report::{
    model::{CaseReport, Counts, Outcome, Report},
    text,
};

/// GitHub refuses a summary of more than 1 MiB, and the step may want to add something.
const LIMIT: usize = 1000 * 1024;
/// Room that is kept for the list of what was left out.
const RESERVE: usize = 4 * 1024;
/// How many differences of a case are shown.
const DIFFERENCES: usize = 20;
/// How much of one text is shown, in characters.
const LENGTH: usize = 400;

/// The report as GitHub's Markdown, at most 1 MiB. Cases that do not fit are listed at its end.
#[must_use]
pub fn markdown(report: &Report) -> String {
    within(report, LIMIT)
}

fn within(report: &Report, limit: usize) -> String {
    let mut out = String::new();
    let mark = match report.exit_code() {
        0 => "✅",
        1 => "❌",
        _ => "⚠️",
    };
    let _ = writeln!(
        out,
        "## {mark} {}\n",
        escaped(&report.kind.title(&report.client))
    );
    let strict = if report.strict {
        "MUST and SHOULD cases count"
    } else {
        "MUST cases count"
    };
    let _ = writeln!(
        out,
        "**{}**: {}. {strict}; seed {}, {:.1} s.\n",
        verdict(report),
        text::summary(report),
        report.seed,
        report.wall_s
    );
    table(&mut out, report);
    for stale in &report.stale_known_defects {
        let _ = writeln!(
            out,
            "- ❌ known defect that is out of date: {}",
            escaped(stale)
        );
    }
    not_judged(&mut out, report);
    let failed = report.cases.iter().filter(|case| case.outcome.is_failure());
    let (counted, uncounted): (Vec<_>, Vec<_>) =
        failed.partition(|case| counts_as_failed(report, case));
    let info = report
        .cases
        .iter()
        .filter(|case| case.outcome == Outcome::Info);
    let mut left_out = Vec::new();
    for (title, cases) in [
        ("Failed", counted),
        ("Failed, but counted only with --strict", uncounted),
        ("For information", info.collect()),
    ] {
        if !cases.is_empty() {
            let _ = writeln!(out, "### {title}\n");
        }
        for case in cases {
            let told = told(case);
            if out.len() + told.len() + RESERVE > limit {
                left_out.push(case.id.to_string());
            } else {
                out.push_str(&told);
            }
        }
    }
    if !left_out.is_empty() {
        let count = left_out.len();
        let mut ids = left_out.join(" ");
        if ids.len() > RESERVE / 2 {
            ids.truncate(RESERVE / 2);
            ids.push_str(" …");
        }
        let _ = writeln!(
            out,
            "**Left out**, because a summary has a limit of 1 MiB: {count} cases, {ids}. They are in the HTML and the JSON."
        );
    }
    out
}

fn table(out: &mut String, report: &Report) {
    // These have a column only where there are any.
    let mut more = vec![
        (Outcome::TimedOut, "timed out"),
        (Outcome::Crashed, "crashed"),
        (Outcome::NotApplicable, "not applicable"),
    ];
    more.retain(|(outcome, _)| report.counts.with(*outcome) > 0);
    out.push_str("| | section | passed | failed | known | skipped | info |");
    for (_, word) in &more {
        let _ = write!(out, " {word} |");
    }
    out.push_str("\n| --: | :-- | --: | --: | --: | --: | --: |");
    out.push_str(&" --: |".repeat(more.len()));
    out.push('\n');
    let more: Vec<Outcome> = more.into_iter().map(|(outcome, _)| outcome).collect();
    for (number, title, cases) in sections(report) {
        row(
            out,
            &number.map(|number| number.to_string()).unwrap_or_default(),
            &escaped(title),
            Counts::of(cases.iter().copied()),
            &more,
        );
    }
    row(out, "", "**all**", report.counts, &more);
    out.push('\n');
}

fn row(out: &mut String, number: &str, title: &str, counts: Counts, more: &[Outcome]) {
    let cell = |count: usize| match count {
        0 => "·".to_owned(),
        count => count.to_string(),
    };
    let failed = match counts.failed {
        0 => "·".to_owned(),
        count => format!("**{count}** ❌"),
    };
    let _ = write!(
        out,
        "| {number} | {title} | {} | {failed} | {} | {} | {} |",
        cell(counts.passed),
        cell(counts.known),
        cell(counts.skipped),
        cell(counts.info),
    );
    for &outcome in more {
        let _ = write!(out, " {} |", cell(counts.with(outcome)));
    }
    out.push('\n');
}

/// Cases that were skipped or are known defects, folded.
fn not_judged(out: &mut String, report: &Report) {
    let of_kind = |outcome| {
        report
            .cases
            .iter()
            .filter(move |case| case.outcome == outcome)
    };
    for (outcome, title) in [
        (Outcome::Known, "Known defects"),
        (Outcome::Skipped, "Skipped"),
        (Outcome::NotApplicable, "Not applicable"),
    ] {
        let count = of_kind(outcome).count();
        if count == 0 {
            continue;
        }
        let _ = writeln!(out, "<details><summary>{title}: {count}</summary>\n");
        for case in of_kind(outcome) {
            let why = case
                .reasons
                .last()
                .map_or_else(String::new, |why| escaped(why));
            let _ = writeln!(out, "- `{}` {}: {why}", case.id, escaped(&case.title));
        }
        out.push_str("\n</details>\n\n");
    }
}

fn told(case: &CaseReport) -> String {
    let mut out = String::new();
    let level = case.level.word();
    let _ = writeln!(
        out,
        "<details><summary><b>{}</b> {} ({level})</summary>\n",
        case.id,
        html(&case.title)
    );
    let _ = writeln!(out, "**Requirement** {}  ", escaped(&case.requirement));
    if !case.source.is_empty() {
        let _ = writeln!(out, "**Source** {}  ", escaped(&case.citation()));
    }
    if !case.matters.is_empty() {
        let _ = writeln!(out, "**Why it matters** {}  ", escaped(&case.matters));
    }
    out.push('\n');
    if case.differences.is_empty() {
        for reason in &case.reasons {
            let _ = writeln!(out, "- {}", escaped(reason));
        }
    } else {
        out.push_str("| field | truth | seen | why |\n| :-- | :-- | :-- | :-- |\n");
        for one in case.differences.iter().take(DIFFERENCES) {
            let (field, truth) = (escaped(&one.field), escaped(&one.truth));
            let (seen, why) = (escaped(&one.decoded), escaped(&one.why));
            let _ = writeln!(out, "| {field} | {truth} | {seen} | {why} |");
        }
        let more = case.differences.len().saturating_sub(DIFFERENCES);
        if more > 0 {
            let _ = writeln!(out, "\nand {more} more");
        }
    }
    let again = plain_line(&case.reproduce);
    let fence = fence(&again);
    let _ = writeln!(
        out,
        "\nRun it again:\n\n{fence}sh\n{again}\n{fence}\n\n</details>\n"
    );
    out
}

/// A code fence that the text cannot close.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max();
    "`".repeat(longest.unwrap_or_default().max(2) + 1)
}

fn cut(text: &str) -> String {
    let text = plain(text);
    match text.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Escapes a text so that it stays plain text, also in a cell of a table: no markup, HTML, links or mentions.
pub(in crate::report) fn escaped(text: &str) -> String {
    let text = cut(text);
    let mut rest = text.trim().chars();
    let mut out = String::new();
    let mut before = ' ';
    while let Some(c) = rest.next() {
        let after = rest.as_str();
        let in_word = before.is_alphanumeric() && after.starts_with(char::is_alphanumeric);
        let is_markup = match c {
            '\\' | '`' | '*' | '[' | ']' | '#' | '~' | '$' => true,
            '_' => !in_word,
            ':' => after.starts_with("//"),
            _ => false,
        };
        match c {
            '\n' | '\t' => out.push(' '),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '|' => out.push_str("&#124;"),
            '@' => out.push_str("&#64;"),
            c => {
                if is_markup {
                    out.push('\\');
                }
                out.push(c);
            }
        }
        before = c;
    }
    out
}

/// The same inside a tag, where Markdown has no meaning.
fn html(text: &str) -> String {
    let line = cut(text).replace(['\n', '\t'], " ");
    line.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_a_text() {
        assert_eq!(
            escaped("a|b <script>\n*x* @you"),
            "a&#124;b &lt;script&gt; \\*x\\* &#64;you"
        );
        assert_eq!(
            escaped("BMS_GET: _a_ [x](http://y)"),
            "BMS_GET: \\_a\\_ \\[x\\](http\\://y)"
        );
        assert_eq!(fence("a ```` b"), "`````");
        assert_eq!(fence("plain"), "```");
    }
}
