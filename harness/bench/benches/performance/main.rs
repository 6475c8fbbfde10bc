//! Measures the project and its peers in one run.

use criterion::Criterion;

mod decode;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    decode::measure(&mut criterion);
    criterion.final_summary();
}
