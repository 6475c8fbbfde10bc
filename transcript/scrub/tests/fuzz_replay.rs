//! Every seed and every input that once broke something.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

#[path = "../../../fuzz/replay.rs"]
mod replay;

#[test]
fn every_target_passes_its_seeds_and_regressions() {
    replay::replay(veschub_scrub::fuzzing::TARGETS);
}
