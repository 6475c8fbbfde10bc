//! The report as one HTML file. It needs no network and no server, and people can read it without its script.
//!
//! `case` shows a case, which opens with a click; `bytes` its frames with the fields marked; `diagram` a drawing of its
//! session. Style and script are in files beside this one. The page's security policy allows nothing else to run or load. It has
//! their hashes, which are constants here; a test checks them.
//!
//! Every text goes through `say`, which removes what could act on a terminal or a page. Then maud escapes it.

mod budget;
mod bytes;
mod case;
mod diagram;

use maud::{DOCTYPE, Markup, PreEscaped, Render, html};

use self::budget::Budget;
use super::{counts_as_failed, gist, plain, plain_line, sections, verdict};
use crate::outside::link::Link;
use crate::report::{
    model::{Counts, EntryReport, Kind, Outcome, Report},
    name::Level,
    text,
};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
/// SHA-256 of the style, as a content security policy writes it.
pub const STYLE_HASH: &str = "sha256-mCPKLJPR2CYQ5DTv6BCw8hwBUpH/Kcw6cDFovlfsfMg=";
/// SHA-256 of the script.
pub const SCRIPT_HASH: &str = "sha256-Lvpc9ixbL4mwjqR2Vb9zG+fE//jJ2o/YmRDZdYEJrfM=";

/// How many failed cases are listed at the top.
const WORST: usize = 12;

/// The report as a page.
#[must_use]
pub fn html(report: &Report) -> String {
    let budget = Budget::of(report);
    let policy = format!(
        "default-src 'none'; style-src '{STYLE_HASH}'; script-src '{SCRIPT_HASH}'; base-uri 'none'; form-action 'none'"
    );
    let title = report.kind.title(&plain_line(&report.client));
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body class=(report.kind.word()) {
                (head(report))
                (worst(report))
                (filters(report))
                main {
                    (stale(report))
                    @for (number, title, cases) in sections(report) {
                        @let anchor = number.unwrap_or_default();
                        section.section id={ "section-" (anchor) } aria-labelledby={ "title-" (anchor) } {
                            header {
                                h2 id={ "title-" (anchor) } {
                                    @if let Some(number) = number { span.number { (number) } " " }
                                    (say(title))
                                }
                                (numbers(Counts::of(cases.iter().copied())))
                            }
                            @for one in cases {
                                (case::case(report, one, budget.share(one)))
                            }
                        }
                    }
                    p.nothing hidden { "No case matches your choice." }
                }
                footer {
                    "Times count from the start of the hub. Bytes are payloads, without the frame around them. \
                     The report as JSON contains all of this."
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

/// A text that is shown as plain text.
struct Say<'a>(&'a str);

fn say(text: &str) -> Say<'_> {
    Say(text)
}

impl Render for Say<'_> {
    fn render_to(&self, buffer: &mut String) {
        plain(self.0).render_to(buffer);
    }
}

/// `1 step`, `2 steps`
fn counted(count: usize, what: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {what}{s}")
}

fn head(report: &Report) -> Markup {
    let code = report.exit_code();
    let (class, icon) = match code {
        0 => ("passed", "✓"),
        1 => ("failed", "✗"),
        _ => ("skipped", "–"),
    };
    let total = report.cases.len();
    html! {
        header.top {
            p.kicker {
                @match report.kind {
                    Kind::Conformance => "VESC conformance battery",
                    Kind::Scenarios => "VESC scenarios",
                }
            }
            @match &report.client_name {
                Some(name) => { h1 { (say(name)) } p.command { code { (say(&report.client)) } } },
                None => h1 { (say(&report.client)) },
            }
            p.verdict {
                span class={ "pill " (class) } { span aria-hidden="true" { (icon) } " " (verdict(report)) }
                span.sum { (text::summary(report)) }
            }
            (bar(report.counts, total))
            dl.facts {
                div { dt { "cases" } dd { (total) } }
                @if let Some(version) = &report.client_version {
                    div { dt { "version" } dd { (say(version)) } }
                }
                @if report.link != Link::Hub { div { dt { "link" } dd { (report.link.name()) } } }
                @if report.kind == Kind::Conformance {
                    div { dt { "counted" } dd { @if report.strict { "MUST and SHOULD" } @else { "MUST" } } }
                }
                div { dt { "seed" } dd { (report.seed) } }
                div { dt { "took" } dd { (format!("{:.2} s", report.wall_s)) } }
                div { dt { "exit code" } dd { (code) } }
            }
        }
    }
}

/// The outcomes, worst first, with their numbers.
fn kinds(counts: Counts) -> [(Outcome, usize); 8] {
    [
        (Outcome::Crashed, counts.crashed),
        (Outcome::TimedOut, counts.timed_out),
        (Outcome::Failed, counts.failed),
        (Outcome::Known, counts.known),
        (Outcome::Skipped, counts.skipped),
        (Outcome::NotApplicable, counts.not_applicable),
        (Outcome::Info, counts.info),
        (Outcome::Passed, counts.passed),
    ]
}

pub(in crate::report) fn class(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "passed",
        Outcome::Failed => "failed",
        Outcome::Known => "known",
        Outcome::Skipped => "skipped",
        Outcome::Info => "info",
        Outcome::TimedOut => "timed-out",
        Outcome::Crashed => "crashed",
        Outcome::NotApplicable => "not-applicable",
    }
}

/// The outcome in words.
pub(in crate::report) fn word(outcome: Outcome) -> String {
    class(outcome).replace('-', " ")
}

pub(in crate::report) fn icon(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "✓",
        Outcome::Failed => "✗",
        Outcome::Known => "≈",
        Outcome::Skipped => "–",
        Outcome::Info => "i",
        Outcome::TimedOut => "◷",
        Outcome::Crashed => "☠",
        Outcome::NotApplicable => "∅",
    }
}

/// What a step is, for colours.
fn kind(step: &EntryReport) -> &'static str {
    match step.direction.as_deref() {
        Some(_) if step.command.is_none() && step.hex.is_some() => "noise",
        Some("to-device") => "to-device",
        Some(_) => "to-tool",
        None if step.harm => "harm",
        None => "event",
    }
}

/// All cases as one bar; the counts are in words above it.
fn bar(counts: Counts, total: usize) -> Markup {
    let mut at = 0.0;
    let parts = kinds(counts).map(|(outcome, count)| {
        let width = count as f64 * 1000.0 / total.max(1) as f64;
        at += width;
        (outcome, at - width, width)
    });
    html! {
        svg.bar viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" {
            @for (outcome, x, width) in parts {
                @if width > 0.0 {
                    rect class=(class(outcome)) x=(format!("{x:.1}")) width=(format!("{width:.1}")) height="10" {}
                }
            }
        }
    }
}

fn numbers(counts: Counts) -> Markup {
    html! {
        p.numbers {
            @for (outcome, count) in kinds(counts) {
                @if count > 0 {
                    span class=(class(outcome)) {
                        span aria-hidden="true" { (icon(outcome)) } " " (count) " " (word(outcome))
                    }
                }
            }
        }
    }
}

/// The cases that make the run fail, with a link to each.
fn worst(report: &Report) -> Markup {
    let failed = || {
        report
            .cases
            .iter()
            .filter(|case| counts_as_failed(report, case))
    };
    html! {
        @if failed().next().is_some() {
            nav.worst aria-label="failed cases" {
                h2 { span aria-hidden="true" { "✗" } " failed cases" }
                ol {
                    @for case in failed().take(WORST) {
                        li {
                            a href={ "#case-" (case.id.slug()) } {
                                span.id { (case.id) }
                                span.title { (say(&case.title)) }
                                span.gist { (gist(case)) }
                            }
                        }
                    }
                }
                @if failed().nth(WORST).is_some() {
                    p.left-out { "and " (failed().count() - WORST) " more below" }
                }
            }
        }
    }
}

/// The filters. They need the script, so the script shows them.
fn filters(report: &Report) -> Markup {
    let levels = [Level::Must, Level::Should, Level::May];
    let of_level = |level| {
        report
            .cases
            .iter()
            .filter(|case| case.level == level)
            .count()
    };
    html! {
        form.filters hidden aria-label="Which cases are shown" {
            fieldset {
                legend { "outcome" }
                @for (outcome, count) in kinds(report.counts) {
                    @if count > 0 {
                        label class=(class(outcome)) {
                            input type="checkbox" name="outcome" value=(class(outcome)) checked;
                            span aria-hidden="true" { (icon(outcome)) } " " (word(outcome)) " " b { (count) }
                        }
                    }
                }
            }
            fieldset {
                legend { "level" }
                @for level in levels {
                    @if of_level(level) > 0 {
                        label {
                            input type="checkbox" name="level" value=(level.word()) checked;
                            (level.word()) " " b { (of_level(level)) }
                        }
                    }
                }
            }
            label.search {
                span { "text" }
                input type="search" name="text" placeholder="id, title, field, mistake …" autocomplete="off";
            }
            p.tools {
                button type="button" data-do="open" { "open all" }
                button type="button" data-do="close" { "close all" }
                output aria-live="polite" {}
            }
        }
    }
}

fn stale(report: &Report) -> Markup {
    html! {
        @if !report.stale_known_defects.is_empty() {
            section.stale {
                h2 { "Known defects that are out of date" }
                ul { @for one in &report.stale_known_defects { li { (say(one)) } } }
            }
        }
    }
}
