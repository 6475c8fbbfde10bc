//! The known defects of a client: a list with reasons, so that a run only fails because of new mistakes.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::catalogue::Id;
use crate::report::model::{Outcome, Report};

/// A list of known defects.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownDefects {
    /// Each of them.
    #[serde(default)]
    defect: Vec<KnownDefect>,
}

/// A case that a client is known to fail.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownDefect {
    /// A part of the client's command, if the list is for several clients.
    #[serde(default)]
    client: Option<String>,
    /// Which case.
    case: Id,
    /// What the client does wrong.
    reason: String,
    /// Where, in its source.
    place: String,
    /// Where it is reported: the address of a page.
    #[serde(default)]
    url: Option<String>,
}

/// Why a text is not a list of known defects.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KnownDefectsError {
    /// It is not TOML, or has other keys.
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    /// It lists a case twice.
    #[error("case {0} is listed twice")]
    Twice(Id),
    /// An entry's address is not one of the web.
    #[error("case {0} has a `url` that does not start with https:// or http://")]
    Url(Id),
    /// An entry has an empty reason or place.
    #[error("case {0} needs a reason and a place")]
    Incomplete(Id),
}

impl KnownDefects {
    /// Reads a list.
    ///
    /// # Errors
    /// If the text is not such a list, or lists a case twice; the message has the place in the text.
    pub fn parse(text: &str) -> Result<Self, KnownDefectsError> {
        let list: Self = toml::from_str(text)?;
        let mut seen = BTreeSet::new();
        for one in &list.defect {
            if !seen.insert((&one.client, one.case)) {
                return Err(KnownDefectsError::Twice(one.case));
            }
            if one.reason.is_empty() || one.place.is_empty() {
                return Err(KnownDefectsError::Incomplete(one.case));
            }
            let is_web = |url: &String| url.starts_with("https://") || url.starts_with("http://");
            if one.url.as_ref().is_some_and(|url| !is_web(url)) {
                return Err(KnownDefectsError::Url(one.case));
            }
        }
        Ok(list)
    }

    /// Marks failed cases that are in the list as known. A case that is in the list and was run but did not fail is
    /// named in the report and fails the run, so that the list stays up to date.
    pub fn apply(&self, report: &mut Report) {
        for one in &self.defect {
            let client = one.client.as_ref();
            if client.is_some_and(|client| !report.client.contains(client)) {
                continue;
            }
            let Some(case) = report.cases.iter_mut().find(|case| case.id == one.case) else {
                continue;
            };
            match case.outcome {
                Outcome::Failed | Outcome::Info | Outcome::TimedOut | Outcome::Crashed => {
                    case.outcome = Outcome::Known;
                    let KnownDefect { reason, place, .. } = one;
                    case.reasons
                        .push(format!("known defect: {reason} ({place})"));
                    case.known_url.clone_from(&one.url);
                }
                // On another link the case may show it.
                Outcome::NotApplicable => {}
                other => report.stale_known_defects.push(format!(
                    "{}: {}: the case {}",
                    one.case,
                    one.reason,
                    match other {
                        Outcome::Passed => "passes now; remove the entry",
                        _ => "was not judged; remove the entry, or find out why",
                    }
                )),
            }
        }
        report.count();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_wants_a_case_a_reason_and_a_place() {
        let good = "[[defect]]\ncase = \"2/5\"\nreason = \"no long frames\"\nplace = \"a.py:7\"\n";
        assert_eq!(KnownDefects::parse(good).unwrap().defect.len(), 1);
        for (bad, told) in [
            (good.replace("2/5", "2"), "`2` is not a case"),
            (good.replace("no long frames", ""), "needs a reason"),
            (good.replace("place", "palce"), "unknown field"),
            (good.repeat(2), "listed twice"),
            (
                format!("{good}url = \"javascript:x\"\n"),
                "does not start with https://",
            ),
        ] {
            let error = KnownDefects::parse(&bad).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
