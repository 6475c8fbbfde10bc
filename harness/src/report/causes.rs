//! What failed, grouped by cause: one mistake of a client often fails several cases.

use super::{
    model::{CaseReport, Outcome, Report},
    plain_line,
};

/// Cases that failed for the same reason.
#[derive(Clone, Debug)]
pub struct Cause<'a> {
    /// The reason.
    pub what: String,
    /// The cases, in the report's order.
    pub cases: Vec<&'a CaseReport>,
}

/// The causes of all failures, those with most cases first.
#[must_use]
pub fn causes(report: &Report) -> Vec<Cause<'_>> {
    let mut causes: Vec<Cause<'_>> = Vec::new();
    for case in report.cases.iter().filter(|case| case.outcome.is_failure()) {
        let what = cause(case);
        match causes.iter_mut().find(|one| one.what == what) {
            Some(one) => one.cases.push(case),
            None => causes.push(Cause {
                what,
                cases: vec![case],
            }),
        }
    }
    // The sort keeps the order of causes with as many cases.
    causes.sort_by_key(|one| std::cmp::Reverse(one.cases.len()));
    causes
}

/// Why a case failed, so that cases with the same cause have the same words.
fn cause(case: &CaseReport) -> String {
    match case.outcome {
        Outcome::TimedOut => return "the client was still running at the time limit".to_owned(),
        Outcome::Crashed => return "the client crashed".to_owned(),
        _ => {}
    }
    let Some(first) = case.differences.first() else {
        return plain_line(&case.requirement);
    };
    let what = match (&first.mistake, first.why.is_empty()) {
        (Some(mistake), _) => format!("{mistake}: {}", first.why),
        (None, false) => first.why.clone(),
        (None, true) => format!(
            "{}: {} instead of {}",
            first.field, first.decoded, first.truth
        ),
    };
    plain_line(&what)
}
