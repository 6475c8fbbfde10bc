//! Clients that evade their time limit: nothing of them is left, and the verdict comes in time.
//!
//! Each is ended with all that the system offers, and with what every Linux offers. They all end by themselves after a
//! while, so that one that does evade the harness does no harm.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

use std::{
    io::{self, Read as _},
    os::fd::AsRawFd as _,
    path::PathBuf,
    process::Command,
    sync::LazyLock,
    thread,
    time::{Duration, Instant},
};

use veschub_harness::{
    family::Means,
    judge::{Outcome, Run},
    outside::{command::Template, ending::ProcessEnd, link::Link},
    report::scenarios,
    run::{self, Mode, Program, Way, player::Player},
};
use veschub_hub::rng::Seed;
use veschub_scenario::Loaded;

const LIMIT: Duration = Duration::from_millis(200);
const GRACE: Duration = Duration::from_millis(50);
/// How much later the verdict may come on a machine that has much else to do. Without a supervisor, it once came after
/// 15 seconds.
const BUSY: Duration = Duration::from_secs(12);

/// A program that starts chains of processes, in a folder.
static CHAIN: LazyLock<(tempfile::TempDir, String)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("chain");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hostile/chain.c");
    // Rust links with this compiler as well, so it is there.
    let mut build = Command::new("cc");
    build.args(["-O1", source, "-o"]).arg(&program);
    assert!(build.status().unwrap().success());
    let program = program.display().to_string();
    (folder, program)
});

/// Runs a script as a client, once for each way to end it; checks that nothing of it is left and that the verdict came in
/// time.
fn hostile(script: &str, check: impl Fn(&Run) + Sync) {
    hostile_with(GRACE, script, check);
}

fn hostile_with(grace: Duration, script: &str, check: impl Fn(&Run) + Sync) {
    let script = script.replace("CHAIN", &CHAIN.1);
    thread::scope(|scope| {
        for means in [Means::All, Means::WithoutCgroup] {
            let (script, check) = (&script, &check);
            scope.spawn(move || check(&run(means, grace, script)));
        }
    });
}

/// Runs a script as a client; checks that nothing of it is left and that the verdict came in time.
fn run(means: Means, grace: Duration, script: &str) -> Run {
    // Every process of the client inherits the writing end of a pipe. The reading end comes to its end when none is left,
    // even none that no list of processes shows.
    let (mut left, held) = io::pipe().unwrap();
    let held_at = format!("/proc/{}/fd/{}", std::process::id(), held.as_raw_fd());
    let program = Program {
        command: Template::parse(&format!("sh -c 'exec 9>{held_at}; {script}'")).unwrap(),
        link: Link::Hub,
        supervisor: PathBuf::from(env!("CARGO_BIN_EXE_veschub-harness")),
        limit: Some(LIMIT),
        grace,
        means,
    };
    let way = Way {
        player: Player::Program(program),
        longest: BUSY,
        ..Way::reference(Seed(0), Mode::Real)
    };
    let text = "{ version: 1, devices: [express: { id: demo-0001, password: not-a-secret }], \
                client: { scan-can: {} } }";
    let loaded = Loaded::parse("test", text).unwrap();
    let start = Instant::now();
    let run = run::run("test", &loaded, &way).unwrap();
    let took = start.elapsed();
    assert!(took < LIMIT + GRACE + BUSY, "{means:?}: {took:?}: {script}");
    drop(held);
    // For a moment, a program that another test is about to start holds the pipe too. What is left of a client holds it
    // for 20 seconds.
    let start = Instant::now();
    assert_eq!(left.read(&mut [0]).unwrap(), 0);
    let took = start.elapsed();
    assert!(
        took < BUSY,
        "{means:?}: {took:?}: something was left of {script}"
    );
    let report = &run.played.as_ref().unwrap().report;
    assert_eq!(report.survivors, 0, "{means:?}: {script}");
    run
}

fn how(run: &Run) -> &ProcessEnd {
    &run.played.as_ref().unwrap().report.how
}

fn is_time_up(run: &Run) {
    assert_eq!(how(run), &ProcessEnd::TimeUp);
    assert_eq!(run.verdict.outcome(), Outcome::TimedOut);
    assert!(run.played.as_ref().unwrap().report.killed);
}

fn leaves_processes(run: &Run) {
    assert_eq!(how(run), &ProcessEnd::Exited { code: 0 });
    assert_eq!(run.verdict.outcome(), Outcome::Failed);
    assert!(run.played.as_ref().unwrap().report.left_behind > 0);
}

/// The client did this to its parent process.
fn is_unwatched(run: &Run, what: &str) {
    assert!(
        matches!(how(run), ProcessEnd::Unwatched { .. }),
        "{:?}",
        how(run)
    );
    assert_eq!(run.verdict.outcome(), Outcome::Failed);
    let told = scenarios::failure(run);
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains(what), "{told}");
}

#[test]
fn chains_of_processes_that_fork_and_exit_are_ended_at_the_time_limit() {
    hostile("exec CHAIN 1", is_time_up);
    hostile("exec CHAIN 6", is_time_up);
}

#[test]
fn chains_of_processes_that_the_client_leaves_behind_are_ended() {
    hostile("exec CHAIN 4 exit", leaves_processes);
    hostile("exec CHAIN 4 exit close", leaves_processes);
}

#[test]
fn a_client_that_kills_its_supervisor_is_told_and_ended() {
    let killed = |run: &Run| is_unwatched(run, "killed its parent process");
    hostile("kill -KILL $PPID; sleep 20", killed);
    hostile("kill -TERM $PPID; exec sleep 20 >/dev/null 2>&1", killed);
    // Neither its environment nor its session nor its pipes tell whose process this is.
    hostile("env -i setsid CHAIN 0 close & kill -KILL $PPID", killed);
}

#[test]
fn a_client_that_stops_its_supervisor_is_told_and_ended() {
    let stopped = |run: &Run| is_unwatched(run, "stopped its parent process");
    hostile("kill -STOP $PPID; sleep 20", stopped);
    hostile("kill -STOP $PPID; setsid sleep 20 & exit 0", stopped);
}

#[test]
fn chains_of_processes_are_ended_without_a_supervisor_too() {
    let killed = |run: &Run| is_unwatched(run, "killed its parent process");
    hostile("env -i CHAIN 3 exit close; kill -KILL $PPID", killed);
    let stopped = |run: &Run| is_unwatched(run, "stopped its parent process");
    hostile("env -i CHAIN 3 exit; kill -STOP $PPID", stopped);
}

#[test]
fn daemons_and_stopped_processes_are_ended() {
    hostile(
        "setsid sh -c \"sleep 20 & exit 0\"; exit 0",
        leaves_processes,
    );
    hostile(
        "setsid sh -c \"sleep 20 >/dev/null 2>&1 & exit 0\"; exit 0",
        leaves_processes,
    );
    hostile_with(BUSY * 2, "sleep 20 & kill -STOP $!; exit 0", |run| {
        leaves_processes(run);
        // It ended at SIGTERM, because it was told to go on.
        assert!(!run.played.as_ref().unwrap().report.killed);
    });
    hostile(
        "trap \"\" TERM; sleep 20 & kill -STOP $!; kill -STOP $$",
        is_time_up,
    );
}

#[test]
fn a_client_that_a_real_time_signal_ends_has_crashed() {
    hostile("setsid sleep 20 & kill -40 $$", |run| {
        let signal = "a real-time signal".to_owned();
        assert_eq!(how(run), &ProcessEnd::Killed { signal, number: 40 });
        assert!(run.played.as_ref().unwrap().report.left_behind > 0);
    });
}
