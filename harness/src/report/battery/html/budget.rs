//! How much of a case is shown, so that a page with a hundred long sessions still opens quickly.
//!
//! What did not pass gets most of it. What is left out is said, with its number, where it would have stood.

use crate::conformance::report::{CaseReport, Outcome, Report};

/// Steps of sessions, over all cases that did not pass.
const STEPS: usize = 6000;
/// Frames with their fields marked, over all cases that did not pass.
const MARKED: usize = 150;
/// What a case that passed gets: steps, frames with marks, other frames.
const PASSED: Share = Share {
    steps: 24,
    marked: 0,
    plain: 4,
};
/// With few cases, those that passed are worth looking at as well.
const FEW: usize = 30;

/// How much is left for each case.
pub(super) struct Budget {
    failed: Share,
    passed: Share,
}

/// What a case may show.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Share {
    /// Steps of its session.
    pub(super) steps: usize,
    /// Different frames with their fields marked.
    pub(super) marked: usize,
    /// Different frames as bytes alone.
    pub(super) plain: usize,
}

impl Budget {
    pub(super) fn of(report: &Report) -> Self {
        let failed = report
            .cases
            .iter()
            .filter(|case| !passed(case))
            .count()
            .max(1);
        let share = Share {
            steps: (STEPS / failed).clamp(40, 400),
            marked: (MARKED / failed).clamp(1, 5),
            plain: (STEPS / failed / 10).clamp(4, 20),
        };
        let few = report.cases.len() - failed.min(report.cases.len()) <= FEW;
        Self {
            failed: share,
            passed: if few {
                Share {
                    marked: 1,
                    steps: 60,
                    ..PASSED
                }
            } else {
                PASSED
            },
        }
    }

    pub(super) fn share(&self, case: &CaseReport) -> Share {
        match passed(case) {
            true => self.passed,
            false => self.failed,
        }
    }
}

fn passed(case: &CaseReport) -> bool {
    matches!(case.outcome, Outcome::Passed | Outcome::Skipped)
}
