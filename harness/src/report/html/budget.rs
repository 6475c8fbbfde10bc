//! Limits how much of a case is shown, so that a page with a hundred long sessions still opens quickly.
//!
//! Cases that did not pass get most of the room. The page says how much it leaves out, and where.

use crate::report::model::{CaseReport, Outcome, Report};

/// Steps of sessions that are shown, in all cases that did not pass together.
const STEPS: usize = 6000;
/// Frames with their fields marked, in all cases that did not pass together.
const MARKED: usize = 150;
/// How much is shown of a case that passed.
const PASSED: Share = Share {
    steps: 24,
    marked: 0,
    plain: 4,
};
/// If there are no more cases than this, more is shown of those that passed.
const FEW: usize = 30;

/// How much is shown of each case.
pub(super) struct Budget {
    failed: Share,
    passed: Share,
}

/// How much is shown of one case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Share {
    /// Steps of its session.
    pub(super) steps: usize,
    /// Different frames with their fields marked.
    pub(super) marked: usize,
    /// Different frames, only as bytes.
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
