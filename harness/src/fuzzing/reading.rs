//! `reading_line`: whatever a client prints is judged: as readings of the replies that it got, or as bad lines.
//!
//! The journal beside it is always that of the session in `mod.rs`.

use std::{sync::LazyLock, time::Duration};

use veschub_hub::journal::JournalEntry;

use super::{assert_json, played};
use crate::{
    judge::{Verdict, compare::Tolerance, readings},
    outside::output::{Line, Lines},
    report::{differences, scenario_json},
};

/// What happened before the client printed anything.
static JOURNAL: LazyLock<Vec<JournalEntry>> =
    LazyLock::new(|| played().map(|played| played.journal).unwrap_or_default());

/// Judges what a client printed.
///
/// # Panics
/// If something does not hold.
pub fn reading_line(data: &[u8]) {
    let after = JOURNAL.len();
    assert!(after > 0, "the session was not played");
    let lines = lines(data, data.len().max(1), after);
    let told = judge(&lines, &JOURNAL);
    let slowly = self::lines(data, 5, after);
    assert_eq!(slowly, lines, "the pieces in which a client prints matter");
    assert_eq!(
        judge(&slowly, &JOURNAL),
        told,
        "the same lines are judged otherwise"
    );
}

/// What is read when a client prints in pieces of this size.
fn lines(data: &[u8], size: usize, after: usize) -> Vec<Line> {
    let at = Duration::from_secs(5);
    let mut lines = Lines::default();
    for piece in data.chunks(size) {
        lines.push(piece, at, after);
    }
    lines.finish(at, after);
    let _ = lines.excerpt.text();
    lines.lines
}

/// Judges lines as `veschub-harness judge` does, and shows the verdict in both forms.
pub(super) fn judge(lines: &[Line], journal: &[JournalEntry]) -> String {
    let printed = readings::sort(lines);
    let (count, bad) = (printed.readings.len(), printed.bad_lines.len());
    assert!(count + bad <= lines.len());
    let mut verdict = Verdict::default();
    readings::understand(&mut verdict, printed, journal, &Tolerance::default());
    verdict.demand_values();
    assert_eq!(
        (verdict.readings.len(), verdict.bad_lines.len()),
        (count, bad)
    );
    let json = scenario_json::judged(&verdict);
    assert_json(&json);
    json + &differences::table(&verdict.understood)
}
