//! A case: its summary and, after a click, everything that is known about it.

use maud::{Markup, html};

use super::{
    super::{counts_as_failed, gist, plain_line},
    budget::Share,
    bytes, class, counted, diagram, icon, kind, say, word,
};
use crate::report::model::{About, CaseReport, EntryReport, Outcome, Report};

pub(super) fn case(report: &Report, case: &CaseReport, share: Share) -> Markup {
    let id = format!("case-{}", case.id.slug());
    let uncounted = case.outcome.is_failure() && !counts_as_failed(report, case);
    let outcome = class(case.outcome);
    html! {
        details.case.(outcome) id=(id) data-outcome=(outcome) data-level=(case.level.word()) {
            summary {
                span.outcome { span aria-hidden="true" { (icon(case.outcome)) } " " (word(case.outcome)) }
                span.id { (case.id) }
                span.title { (say(&case.title)) }
                span.level { (case.level.word()) @if uncounted { ", not counted" } }
                @if case.outcome.is_failure() || matches!(case.outcome, Outcome::Info | Outcome::Known) {
                    span.gist { (gist(case)) }
                }
            }
            div.body {
                dl.about {
                    dt { "requirement" }
                    dd {
                        (say(&case.requirement))
                        @if !case.source.is_empty() { " " span.source { (say(&case.citation())) } }
                    }
                    @if !case.matters.is_empty() {
                        dt { "why it matters" }
                        dd { (say(&case.matters)) }
                    }
                    // The reasons of a failure are its differences, which follow.
                    @if case.differences.is_empty() || case.outcome == Outcome::Known {
                        @if !case.reasons.is_empty() {
                            dt { "reasons" }
                            dd {
                                @for reason in &case.reasons { p { (say(reason)) } }
                                @if let Some(url) = &case.known_url {
                                    p { a href=(plain_line(url)) rel="noreferrer" { (plain_line(url)) } }
                                }
                            }
                        }
                    }
                }
                (differences(case))
                (reproduce(case))
                @if !case.transcript.is_empty() {
                    h3 { "the session" }
                    (diagram::diagram(case, share.steps))
                    (transcript(case, share.steps))
                    (bytes::frames(case, share))
                }
                (process(case))
            }
        }
    }
}

fn differences(case: &CaseReport) -> Markup {
    html! {
        @if !case.differences.is_empty() {
            h3 { "what was wrong" }
            div.wide tabindex="0" role="region" aria-label="differences" {
                table.differences {
                    thead { tr {
                        th scope="col" { "field" } th scope="col" { "truth" } th scope="col" { "seen" }
                        th scope="col" { "mistake" } th scope="col" { "why" }
                    } }
                    tbody { @for one in &case.differences { tr {
                        th scope="row" {
                            (say(&one.field))
                            small { @match one.about {
                                About::Sent => "in what the client did",
                                About::Understood => "in what the client understood",
                            } }
                        }
                        td.truth { (say(&one.truth)) }
                        td.seen { (say(&one.decoded)) }
                        td { @if let Some(mistake) = &one.mistake { span.mistake { (say(mistake)) } } }
                        td {
                            (say(&one.why))
                            @if let Some(advice) = &one.advice { small { (say(advice)) } }
                        }
                    } } }
                }
            }
        }
    }
}

fn reproduce(case: &CaseReport) -> Markup {
    html! {
        h3 { "run it again" }
        div.again {
            code { (plain_line(&case.reproduce)) }
            button type="button" data-do="copy" hidden { "copy" }
        }
    }
}

fn transcript(case: &CaseReport, steps: usize) -> Markup {
    let (first, left_out, last) = ends(&case.transcript, steps);
    let left_out = left_out + case.left_out;
    html! {
        details.transcript open[case.outcome.is_failure()] {
            summary { "transcript, " (counted(case.transcript.len() + case.left_out, "step")) }
            div.wide tabindex="0" role="region" aria-label="transcript" {
                table {
                    thead { tr {
                        th scope="col" { "s" } th scope="col" { "gap" } th scope="col" { "#" }
                        th scope="col" { "" } th scope="col" { "what" }
                    } }
                    tbody {
                        (rows(first, None))
                        @if left_out > 0 {
                            tr.left-out { td colspan="5" { (counted(left_out, "step")) " left out" } }
                        }
                        (rows(last, first.last()))
                    }
                }
            }
        }
    }
}

/// The shortest gap that is shown, in seconds.
const GAP: f64 = 0.1;

fn rows(steps: &[EntryReport], before: Option<&EntryReport>) -> Markup {
    let previous = before.into_iter().chain(steps).map(|step| step.at_s);
    let previous: Vec<f64> = match before {
        Some(_) => previous.collect(),
        None => steps
            .first()
            .map(|step| step.at_s)
            .into_iter()
            .chain(previous)
            .collect(),
    };
    html! {
        @for (step, before) in steps.iter().zip(previous) {
            @let gap = step.at_s - before;
            tr.(kind(step)) {
                td { (format!("{:.3}", step.at_s)) }
                td { @if gap >= GAP { (format!("+{gap:.3}")) } }
                td { @if let Some(connection) = step.connection { (connection) } }
                td { (arrow(step)) }
                td { (say(&step.text)) }
            }
        }
    }
}

/// The start and the end of a list, and how many items are between them.
fn ends<T>(all: &[T], most: usize) -> (&[T], usize, &[T]) {
    match all.len() <= most {
        true => (all, 0, &[]),
        false => {
            let (first, last) = (most - most / 2, most / 2);
            (&all[..first], all.len() - most, &all[all.len() - last..])
        }
    }
}

fn arrow(step: &EntryReport) -> Markup {
    let (sign, word) = match step.direction.as_deref() {
        Some("to-device") => ("→", "to the device"),
        Some(_) => ("←", "to the tool"),
        None => ("·", "event"),
    };
    html! { span role="img" aria-label=(word) { (sign) } }
}

fn process(case: &CaseReport) -> Markup {
    let facts = [
        ("task", case.task.clone()),
        ("client", case.ending.clone()),
        ("readings", Some(case.readings.to_string())),
        ("CPU time", case.cpu_s.map(|cpu| format!("{cpu:.2} s"))),
        ("session", Some(format!("{:.3} s", case.session_s))),
        ("case", Some(format!("{:.3} s", case.wall_s))),
        ("seed", Some(case.seed.to_string())),
    ];
    html! {
        h3 { "the client" }
        dl.facts {
            @for (name, value) in facts {
                @if let Some(value) = value { div { dt { (name) } dd { (say(&value)) } } }
            }
        }
        @if !case.stderr.is_empty() {
            p.caption { "the last lines that it wrote to stderr" }
            pre.stderr tabindex="0" { @for line in &case.stderr { (plain_line(line)) "\n" } }
        }
    }
}
