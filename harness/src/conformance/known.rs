//! What a client is known to get wrong: a list with reasons, so that a run says only what is new.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{
    catalogue::Id,
    report::{Outcome, Report},
};

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
    /// Which client, where a list is for several: what its command has in it.
    #[serde(default)]
    client: Option<String>,
    /// Which case.
    case: Id,
    /// What the client does wrong.
    reason: String,
    /// Where, in its source.
    place: String,
}

impl KnownDefects {
    /// Reads a list.
    ///
    /// # Errors
    /// With the place in the text, if it is none, or names a case twice.
    pub fn parse(text: &str) -> Result<Self, String> {
        let list: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut seen = BTreeSet::new();
        for one in &list.defect {
            if !seen.insert((&one.client, one.case)) {
                return Err(format!("case {} is named twice", one.case));
            }
            if one.reason.is_empty() || one.place.is_empty() {
                return Err(format!("case {} wants a reason and a place", one.case));
            }
        }
        Ok(list)
    }

    /// Marks the known ones of those that failed. What is listed and did not fail, though it was run, is told in the
    /// report and fails the run: the list is to be kept up.
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
                Outcome::Failed | Outcome::Info => {
                    case.outcome = Outcome::Known;
                    let KnownDefect { reason, place, .. } = one;
                    case.reasons.push(format!("known: {reason} ({place})"));
                }
                other => report.stale_known_defects.push(format!(
                    "{}: {}: the case {}",
                    one.case,
                    one.reason,
                    match other {
                        Outcome::Passed => "passes now: take the entry out",
                        _ => "was not judged: take the entry out, or see why",
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
            (good.replace("2/5", "2"), "`2` is no case"),
            (good.replace("no long frames", ""), "wants a reason"),
            (good.replace("place", "palce"), "unknown field"),
            (good.repeat(2), "named twice"),
        ] {
            let error = KnownDefects::parse(&bad).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
    }
}
