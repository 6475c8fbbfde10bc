//! The bodies of the fuzz targets over their seeds, without a sanitizer and without what counts coverage.

use std::{fs, path::Path, time::Duration};

use criterion::{Criterion, Throughput};

const SEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds");

/// What is wanted of some of them, in inputs a second.
pub(crate) const GOALS: [(&str, &str); 2] = [("stream_decoder", "200,000"), ("session", "20,000")];

/// Every target, once: several crates have a body for `capture_file`.
pub(crate) fn targets() -> impl Iterator<Item = (&'static str, fn(&[u8]))> {
    let lists = [
        veschub_wire::fuzzing::TARGETS,
        veschub_transcript::fuzzing::TARGETS,
        veschub_hub::fuzzing::TARGETS,
        veschub_scrub::fuzzing::TARGETS,
        veschub_harness::fuzzing::TARGETS,
    ];
    lists.into_iter().flatten().copied()
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let files = fs::read_dir(Path::new(SEEDS).join(target));
    let files = files.into_iter().flatten().flatten();
    files
        .filter_map(|file| fs::read(file.path()).ok())
        .collect()
}

pub(crate) fn measure(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fuzz");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1));
    for (name, body) in targets() {
        let seeds = seeds(name);
        group.throughput(Throughput::Elements(seeds.len() as u64));
        group.bench_function(name, |bench| {
            bench.iter(|| seeds.iter().for_each(|seed| body(seed)));
        });
    }
    group.finish();
}

/// How many seeds a target has.
pub(crate) fn count(target: &str) -> usize {
    seeds(target).len()
}
