//! Clients beside each other: a table with a row for each client and a column for each section of the battery.
//!
//! [`Matrix`] is the table as data, which is also its JSON; [`html`] and [`markdown`] show it. It is made of the reports
//! that `conformance --json` prints, one for each client.

pub mod html;
pub mod markdown;

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    model::{CaseReport, Counts, Outcome, Report},
    name::{CaseName, Id, Level},
    plain_line,
};
use crate::outside::link::Link;

/// The version of the JSON. It grows when something is removed or changes its meaning.
pub const VERSION: u32 = 1;

/// Which outcomes are shown, the worst first, and the ones that say nothing last.
pub(super) const SHOWN: [Outcome; 8] = [
    Outcome::Crashed,
    Outcome::TimedOut,
    Outcome::Failed,
    Outcome::Known,
    Outcome::Passed,
    Outcome::Info,
    Outcome::Skipped,
    Outcome::NotApplicable,
];

/// A client's report, and where its page is.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The report.
    pub report: Report,
    /// The address of the page that `report --html` made of it.
    pub page: String,
}

/// Clients beside each other.
#[derive(Clone, Debug, Serialize)]
pub struct Matrix {
    /// The version of this format: 1.
    pub version: u32,
    /// The columns.
    pub sections: Vec<SectionHead>,
    /// The rows, in the order in which the reports were given.
    pub clients: Vec<Row>,
    /// Every case that some client was judged by.
    pub cases: Vec<CaseRow>,
}

/// A section of the battery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SectionHead {
    /// Its number.
    pub section: u32,
    /// Its title.
    pub title: String,
}

/// A client.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Its name: the one that `--client-name` gave, or its command.
    pub name: String,
    /// Its command, or the name of a built-in client.
    pub client: String,
    /// Its version or commit.
    pub version: Option<String>,
    /// How it reached the device.
    pub link: Link,
    /// The address of its own page.
    pub page: String,
    /// Whether every case that counts passed.
    pub passed: bool,
    /// How many cases ended in which way.
    pub counts: Counts,
    /// The same by section, in the order of the columns; null where no case was run.
    pub sections: Vec<Option<Counts>>,
    /// Its known defects.
    pub known: Vec<Known>,
}

/// A case that a client is known to fail.
#[derive(Clone, Debug, Serialize)]
pub struct Known {
    /// Which.
    pub case: Id,
    /// What the case is about.
    pub title: String,
    /// Why it fails, and where in the client.
    pub reason: String,
    /// Where it is reported.
    pub url: Option<String>,
}

/// A case, and how it ended for each client.
#[derive(Clone, Debug, Serialize)]
pub struct CaseRow {
    /// Which.
    pub case: Id,
    /// What it is about.
    pub title: String,
    /// How much it counts.
    pub level: Level,
    /// How it ended, in the order of the rows; null where it was not run.
    pub outcomes: Vec<Option<Outcome>>,
}

impl Matrix {
    /// Puts clients beside each other.
    #[must_use]
    pub fn of(entries: &[Entry]) -> Self {
        let mut sections: BTreeMap<u32, String> = BTreeMap::new();
        let mut cases: BTreeMap<Id, CaseRow> = BTreeMap::new();
        for (index, entry) in entries.iter().enumerate() {
            for case in &entry.report.cases {
                // A scenario is no case of the battery.
                let Some(id) = case.id.id() else {
                    continue;
                };
                let title = || plain_line(&case.section);
                sections.entry(id.section).or_insert_with(title);
                let row = cases.entry(id).or_insert_with(|| CaseRow {
                    case: id,
                    title: plain_line(&case.title),
                    level: case.level,
                    outcomes: vec![None; entries.len()],
                });
                row.outcomes[index] = Some(case.outcome);
            }
        }
        let numbers: Vec<u32> = sections.keys().copied().collect();
        Self {
            version: VERSION,
            clients: entries.iter().map(|entry| row(entry, &numbers)).collect(),
            sections: sections
                .into_iter()
                .map(|(section, title)| SectionHead { section, title })
                .collect(),
            cases: cases.into_values().collect(),
        }
    }
}

fn row(entry: &Entry, sections: &[u32]) -> Row {
    let Entry { report, page } = entry;
    let name = report.client_name.as_ref().unwrap_or(&report.client);
    let of_section = |section: &u32| {
        let mut cases = report
            .cases
            .iter()
            .filter(|case| case.id.section() == Some(*section))
            .peekable();
        cases.peek()?;
        Some(Counts::of(cases))
    };
    let known = report
        .cases
        .iter()
        .filter(|case| case.outcome == Outcome::Known);
    Row {
        name: plain_line(name),
        client: plain_line(&report.client),
        version: report.client_version.as_deref().map(plain_line),
        link: report.link,
        page: page.clone(),
        passed: report.exit_code() == 0,
        counts: Counts::of(&report.cases),
        sections: sections.iter().map(of_section).collect(),
        known: known.filter_map(known_defect).collect(),
    }
}

fn known_defect(case: &CaseReport) -> Option<Known> {
    let reason = case
        .reasons
        .last()
        .map(|reason| plain_line(reason))
        .unwrap_or_default();
    // A report can come from anywhere; only an address of the web becomes a link.
    let is_web = |url: &&String| url.starts_with("https://") || url.starts_with("http://");
    Some(Known {
        case: case.id.id()?,
        title: plain_line(&case.title),
        reason: reason.trim_start_matches("known defect: ").to_owned(),
        url: case
            .known_url
            .as_ref()
            .filter(is_web)
            .map(|url| plain_line(url)),
    })
}

/// The name of a case's place in a page: `case-2-12`. It never changes.
#[must_use]
pub fn anchor(case: Id) -> String {
    format!("case-{}", CaseName::from(case).slug())
}
