//! Scenarios in virtual time, with the reference client and the judgement of what it understood.

use std::{hint::black_box, path::Path, time::Duration};

use criterion::{BenchmarkId, Criterion, Throughput};
use veschub_harness::run::{self, Mode, Way};
use veschub_hub::rng::Seed;

/// A pack that is asked again and again.
const POLLING: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../scenarios/polling-at-10-hz-for-a-minute.yaml"
);
/// A session of 3 s.
const SESSION: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../scenarios/waiting-reads-the-pack.yaml"
);

/// How many exchanges a session has.
pub(crate) const EXCHANGES: [u64; 4] = [100, 1000, 10_000, 50_000];

pub(crate) fn measure(criterion: &mut Criterion) {
    let way = Way::reference(Seed(0), Mode::Virtual);
    let mut group = criterion.benchmark_group("virtual time");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(3));
    for exchanges in EXCHANGES {
        // Ten a second, as the scenario has it.
        let settings = [
            format!("client.poll-bms.for={}ms", exchanges * 100),
            format!("expect.0.request-count.at_least={exchanges}"),
            format!("expect.0.request-count.at_most={exchanges}"),
        ];
        let Ok(loaded) = veschub_disk::open(Path::new(POLLING), &settings) else {
            continue;
        };
        group.throughput(Throughput::Elements(exchanges));
        group.bench_with_input(
            BenchmarkId::new("polling", exchanges),
            &loaded,
            |bench, loaded| {
                bench.iter(|| run::run("polling", black_box(loaded), &way).is_ok());
            },
        );
    }
    if let Ok(loaded) = veschub_disk::open(Path::new(SESSION), &[]) {
        group.throughput(Throughput::Elements(1));
        group.bench_function("a session of 3 s", |bench| {
            bench.iter(|| run::run("session", black_box(&loaded), &way).is_ok());
        });
    }
    group.finish();
}
