//! How long a hub takes until it listens.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use criterion::Criterion;

/// The program beside this one, if it was built with `cargo build --release`.
fn program() -> Option<PathBuf> {
    let here = std::env::current_exe().ok()?;
    let program = here.parent()?.parent()?.join("veschub-sim");
    program.is_file().then_some(program)
}

/// From the start of the program to its line that says where it listens, and its end.
fn serve(program: &Path) -> bool {
    let child = Command::new(program)
        .args([
            "serve",
            "--demo",
            "--listen",
            "127.0.0.1:0",
            "--until-stdin-ends",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else {
        return false;
    };
    let mut line = String::new();
    let ready = child
        .stdout
        .take()
        .is_some_and(|out| BufReader::new(out).read_line(&mut line).is_ok());
    drop(child.stdin.take());
    ready && child.wait().is_ok_and(|status| status.success())
}

fn nothing() -> bool {
    Command::new("true")
        .status()
        .is_ok_and(|status| status.success())
}

pub(crate) fn measure(criterion: &mut Criterion) {
    let Some(program) = program() else {
        eprintln!("the start of the hub is not measured: `cargo build --release` builds it");
        return;
    };
    let mut group = criterion.benchmark_group("start");
    group
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    group.bench_function("serve", |bench| bench.iter(|| serve(&program)));
    group.bench_function("true", |bench| bench.iter(nothing));
    group.finish();
}
