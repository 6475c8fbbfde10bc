//! The table as one HTML file, which needs no network and has no script.

use maud::{DOCTYPE, Markup, PreEscaped, html as markup};

use super::{Matrix, Row, SHOWN, anchor};
use crate::{
    outside::link::Link,
    report::{
        html::{class, icon, word},
        model::{Counts, Outcome},
    },
};

const STYLE: &str = include_str!("style.css");
/// SHA-256 of the style, as a content security policy writes it.
pub const STYLE_HASH: &str = "sha256-QfIf1CLvtEVTXsT4skKEhfP/uv6UlejaSiP5v2aMK+4=";

/// The matrix as a page.
#[must_use]
pub fn html(matrix: &Matrix) -> String {
    let policy = format!(
        "default-src 'none'; style-src '{STYLE_HASH}'; base-uri 'none'; form-action 'none'"
    );
    let page = markup! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { "VESC conformance: clients beside each other" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    p.kicker { "VESC conformance battery" }
                    h1 { "Clients beside each other" }
                    (legend())
                }
                main {
                    (clients(matrix))
                    (known(matrix))
                    (cases(matrix))
                }
                footer {
                    "Each number leads to the report of that client. Made by veschub-harness matrix from the reports \
                     of conformance --json."
                }
            }
        }
    };
    page.into_string()
}

fn legend() -> Markup {
    markup! {
        ul.legend aria-label="what the marks mean" {
            @for outcome in SHOWN {
                li.{ "mark " (class(outcome)) } {
                    span aria-hidden="true" { (icon(outcome)) } " " (word(outcome))
                    small { (meaning(outcome)) }
                }
            }
        }
    }
}

fn meaning(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "nothing was wrong",
        Outcome::Failed => "something was wrong",
        Outcome::Known => "wrong, and listed with its reason",
        Outcome::Skipped => "the client cannot do the task, or does not report the value",
        Outcome::Info => "wrong in a case that never counts",
        Outcome::TimedOut => "still running at the time limit",
        Outcome::Crashed => "the client crashed",
        Outcome::NotApplicable => "its link cannot show it",
    }
}

fn clients(matrix: &Matrix) -> Markup {
    markup! {
        div.wide tabindex="0" role="region" aria-label="clients by section" {
            table.clients {
                thead { tr {
                    th scope="col" { "client" }
                    @for section in &matrix.sections {
                        th scope="col" { span.number { (section.section) } " " (section.title) }
                    }
                    th scope="col" { "all" }
                } }
                tbody { @for (index, row) in matrix.clients.iter().enumerate() {
                    tr id={ "client-" (index + 1) } {
                        th scope="row" { (client(row)) }
                        @for (section, counts) in matrix.sections.iter().zip(&row.sections) {
                            td data-title={ (section.section) " " (section.title) } {
                                @match counts {
                                    Some(counts) => (cell(row, &format!("section-{}", section.section), &section.title, *counts)),
                                    None => span.none { "not run" },
                                }
                            }
                        }
                        td.all data-title="all" { (numbers(row.counts)) }
                    }
                } }
            }
        }
    }
}

fn client(row: &Row) -> Markup {
    let (outcome, mark) = if row.passed {
        ("passed", "✓")
    } else {
        ("failed", "✗")
    };
    markup! {
        a.name href=(row.page) {
            span class=(outcome) aria-hidden="true" { (mark) } " " (row.name)
            span.hidden { @if row.passed { ": every case that counts passed" } @else { ": failed" } }
        }
        @if let Some(version) = &row.version { span.version { (version) } }
        @if row.link != Link::Hub { span.version { "over " (row.link.name()) } }
        @if row.client != row.name { code { (row.client) } }
    }
}

/// The counts of a section, as one link to that section of the client's page.
fn cell(row: &Row, place: &str, title: &str, counts: Counts) -> Markup {
    markup! {
        a.cell href={ (row.page) "#" (place) } aria-label={ (row.name) ", " (title) ": " (spoken(counts)) } {
            (numbers(counts))
        }
    }
}

fn numbers(counts: Counts) -> Markup {
    markup! {
        span.numbers {
            @for outcome in SHOWN {
                @let count = counts.with(outcome);
                @if count > 0 {
                    span.{ "mark " (class(outcome)) } title=(word(outcome)) {
                        span aria-hidden="true" { (icon(outcome)) } " " (count) span.hidden { " " (word(outcome)) }
                    }
                }
            }
        }
    }
}

fn spoken(counts: Counts) -> String {
    let told = SHOWN.iter().filter_map(|&outcome| {
        let count = counts.with(outcome);
        (count > 0).then(|| format!("{count} {}", word(outcome)))
    });
    told.collect::<Vec<_>>().join(", ")
}

fn known(matrix: &Matrix) -> Markup {
    let any = matrix.clients.iter().any(|row| !row.known.is_empty());
    markup! {
        @if any {
            section.known-defects aria-labelledby="known" {
                h2 #known { "Known defects" }
                @for row in matrix.clients.iter().filter(|row| !row.known.is_empty()) {
                    h3 { (row.name) }
                    ul { @for known in &row.known { li {
                        a href={ (row.page) "#" (anchor(known.case)) } { span.id { (known.case) } " " (known.title) }
                        p { (known.reason) }
                        @if let Some(url) = &known.url {
                            p { a.upstream href=(url) rel="noreferrer" { "reported: " (url) } }
                        }
                    } } }
                }
            }
        }
    }
}

fn cases(matrix: &Matrix) -> Markup {
    markup! {
        section aria-labelledby="cases" {
            h2 #cases { "Cases" }
            @for section in &matrix.sections {
                details {
                    summary { span.number { (section.section) } " " (section.title) }
                    div.wide tabindex="0" role="region" aria-label={ "cases of section " (section.section) } {
                        table.cases {
                            thead { tr {
                                th scope="col" { "case" }
                                @for row in &matrix.clients { th scope="col" { (row.name) } }
                            } }
                            tbody { @for case in matrix.cases.iter().filter(|case| case.case.section == section.section) {
                                tr id=(anchor(case.case)) {
                                    th scope="row" {
                                        a.id href={ "#" (anchor(case.case)) } { (case.case) }
                                        " " (case.title) " " small { (case.level.word()) }
                                    }
                                    @for (row, outcome) in matrix.clients.iter().zip(&case.outcomes) {
                                        td data-title=(row.name) {
                                            @match outcome {
                                                Some(outcome) => a.{ "mark " (class(*outcome)) } href={ (row.page) "#" (anchor(case.case)) } {
                                                    span aria-hidden="true" { (icon(*outcome)) } " " (word(*outcome))
                                                },
                                                None => span.none { "not run" },
                                            }
                                        }
                                    }
                                }
                            } }
                        }
                    }
                }
            }
        }
    }
}
