//! Every seed and every input that once broke something.

#[path = "../../../fuzz/replay.rs"]
mod replay;

#[test]
fn every_target_passes_its_seeds_and_regressions() {
    replay::replay(veschub_draft::fuzzing::TARGETS);
}
