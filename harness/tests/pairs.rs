//! A sample of the second client's pairs of defects: no case fails because of two defects that neither alone would fail.
//! `cargo run --release -p veschub-harness --example pairs` runs all pairs.

use veschub_harness::conformance::{
    pairs,
    select::{self, Selection},
};

/// Another seed draws other pairs.
const SEED: u64 = 0;
/// Few enough for a few seconds.
const PAIRS: usize = 4;

#[test]
fn no_case_fails_a_pair_of_defects_that_it_does_not_fail_for_one_of_them() {
    let cases = select::select(&Selection::default()).unwrap();
    let found = pairs::run(&cases, &pairs::sample(SEED, PAIRS), 2, &|_, _, _| {}).unwrap();
    assert!(found.is_empty(), "seed {SEED}\n{}", pairs::text(&found));
}
