//! The table as Markdown.

use std::fmt::Write as _;

use super::{Matrix, SHOWN};
use crate::{
    outside::link::Link,
    report::{
        markdown::escaped,
        model::{Counts, Outcome},
    },
};

/// The matrix as GitHub's Markdown: the table, what its marks mean, and the known defects.
#[must_use]
pub fn markdown(matrix: &Matrix) -> String {
    let mut out = String::from("| client |");
    for section in &matrix.sections {
        let _ = write!(out, " {} {} |", section.section, escaped(&section.title));
    }
    out.push_str(" all |\n| :-- |");
    out.push_str(&" :-- |".repeat(matrix.sections.len() + 1));
    out.push('\n');
    for client in &matrix.clients {
        let mark = if client.passed { "✅" } else { "❌" };
        let _ = write!(
            out,
            "| {mark} [{}](<{}>)",
            escaped(&client.name),
            address(&client.page)
        );
        if let Some(version) = &client.version {
            let _ = write!(out, " {}", escaped(version));
        }
        if client.link != Link::Hub {
            let _ = write!(out, ", {}", client.link);
        }
        out.push_str(" |");
        for counts in client.sections.iter().copied().chain([Some(client.counts)]) {
            let _ = write!(out, " {} |", counts.map_or_else(|| "·".to_owned(), cell));
        }
        out.push('\n');
    }
    let marks: Vec<String> = SHOWN
        .iter()
        .map(|&outcome| format!("{} {}", mark(outcome), super::super::html::word(outcome)))
        .collect();
    let _ = writeln!(out, "\n{}", marks.join(", "));
    let mut known = matrix
        .clients
        .iter()
        .flat_map(|client| client.known.iter().map(move |known| (client, known)))
        .peekable();
    if known.peek().is_some() {
        out.push_str("\n### Known defects\n\n");
    }
    for (client, known) in known {
        let _ = write!(
            out,
            "- {}, `{}` {}: {}",
            escaped(&client.name),
            known.case,
            escaped(&known.title),
            escaped(&known.reason)
        );
        if let Some(url) = &known.url {
            let _ = write!(out, " ([reported](<{}>))", address(url));
        }
        out.push('\n');
    }
    out
}

fn mark(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "✓",
        Outcome::Failed => "✗",
        Outcome::Known => "≈",
        Outcome::Skipped => "–",
        Outcome::Info => "ℹ",
        Outcome::TimedOut => "◷",
        Outcome::Crashed => "☠",
        Outcome::NotApplicable => "∅",
    }
}

fn cell(counts: Counts) -> String {
    let told = SHOWN.iter().filter_map(|&outcome| {
        let count = counts.with(outcome);
        (count > 0).then(|| format!("{}&nbsp;{count}", mark(outcome)))
    });
    told.collect::<Vec<_>>().join(" ")
}

/// An address between angle brackets, which it cannot leave.
fn address(url: &str) -> String {
    url.replace('<', "%3C")
        .replace('>', "%3E")
        .replace(' ', "%20")
}
