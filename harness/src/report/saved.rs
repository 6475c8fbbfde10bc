//! Saved reports: read again, and joined.

use super::{
    model::{Counts, Report, VERSION},
    plain_line,
};

/// Why a saved report cannot be shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// It is not a report.
    #[error("is not what `veschub-harness conformance --json` prints: {0}")]
    Json(#[from] serde_json::Error),
    /// It has a format that this program does not know.
    #[error(
        "the report has format version {found}, but this program knows version {VERSION}; \
         use the program that wrote the report"
    )]
    Version {
        /// The version of the report.
        found: u64,
    },
    /// The reports cannot be joined.
    #[error(
        "{0}; reports can be joined only if client, link, seed and strictness are the same and no case is in two reports"
    )]
    Merge(String),
}

/// Reads a saved report. The cases are counted again, so that the counts are right.
///
/// # Errors
/// If it is not a report, or has another version.
pub fn parse(json: &str) -> Result<Report, ReportError> {
    let found: Head = serde_json::from_str(json)?;
    if found.version != u64::from(VERSION) {
        let found = found.version;
        return Err(ReportError::Version { found });
    }
    let mut report: Report = serde_json::from_str(json)?;
    report.counts = Counts::of(&report.cases);
    Ok(report)
}

/// The part that all versions have.
#[derive(serde::Deserialize)]
struct Head {
    version: u64,
}

/// Joins the shards of one battery into one report, in the order of the cases.
///
/// # Errors
/// If there is no report, the reports are of different runs, or a case is in two of them.
pub fn merge(reports: impl IntoIterator<Item = Report>) -> Result<Report, ReportError> {
    let mut reports = reports.into_iter();
    let mut all = reports
        .next()
        .ok_or_else(|| ReportError::Merge("there is no report".to_owned()))?;
    for one in reports {
        if one.client != all.client {
            let (a, b) = (plain_line(&all.client), plain_line(&one.client));
            return Err(ReportError::Merge(format!(
                "one report is about `{a}`, another about `{b}`"
            )));
        }
        if (one.kind, one.seed, one.strict, one.link) != (all.kind, all.seed, all.strict, all.link)
        {
            let told = "the reports differ in seed, strictness or link";
            return Err(ReportError::Merge(told.to_owned()));
        }
        all.cases.extend(one.cases);
        for stale in one.stale_known_defects {
            if !all.stale_known_defects.contains(&stale) {
                all.stale_known_defects.push(stale);
            }
        }
        all.wall_s += one.wall_s;
    }
    all.cases.sort_by(|a, b| a.id.cmp(&b.id));
    let twice = all.cases.windows(2).find(|two| two[0].id == two[1].id);
    if let Some(two) = twice {
        return Err(ReportError::Merge(format!(
            "case {} is in two reports",
            two[0].id
        )));
    }
    all.counts = Counts::of(&all.cases);
    Ok(all)
}
