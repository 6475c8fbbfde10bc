//! Runs a scenario: starts the hub with its devices and the client with its task, and judges what was seen.

pub(crate) mod from_the_hub;
mod hosted;
mod judge;
mod nearest;
#[cfg(unix)]
mod outside;
pub(crate) mod play;
#[cfg(unix)]
pub(crate) mod process;
pub(crate) mod tape;

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use veschub_hub::{journal::JournalEntry, rng::Seed};
use veschub_scenario::{Loaded, ScenarioError};
use veschub_sim::disk;

use crate::client::{ClientError, Outcome, Received};
pub use hosted::{Builder, Hub};
pub use judge::{Compared, Difference, Verdict};
pub use nearest::{Candidate, CandidateField, Nearest};
#[cfg(unix)]
pub use outside::{OutsideRun, run_outside, run_outside_file};
pub use play::RunError;
#[cfg(unix)]
pub use process::{Program, Witnessed};

/// The clock of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// In memory, on a clock that jumps from event to event.
    #[default]
    Virtual,
    /// Over a loopback socket, on the real clock.
    Real,
}

/// What was seen when a scenario was run.
#[derive(Debug)]
pub struct Seen {
    /// What happened at the hub.
    pub journal: Vec<JournalEntry>,
    /// All frames that the client received, in order.
    pub received: Vec<Received>,
    /// How many frames the client forgot because there were too many.
    pub forgotten: u64,
    /// How many bytes the client received that belong to no frame.
    pub noise_bytes: u64,
    /// The result of the client's task, or why it could not log in.
    pub outcome: Result<Outcome, ClientError>,
    /// How long the client took, by the clock of the run.
    pub took: Duration,
    /// The traffic, as a pcapng file.
    pub capture: Vec<u8>,
}

impl Seen {
    /// The start of a run, when nothing has been seen.
    fn nothing() -> Self {
        Self {
            journal: Vec::new(),
            received: Vec::new(),
            forgotten: 0,
            noise_bytes: 0,
            outcome: Ok(Outcome::default()),
            took: Duration::ZERO,
            capture: Vec::new(),
        }
    }
}

/// A scenario that was run.
#[derive(Debug)]
pub struct Run {
    /// The file's name without its ending.
    pub name: String,
    /// What the scenario is about.
    pub about: String,
    /// What was seen.
    pub seen: Seen,
    /// The verdict.
    pub verdict: Verdict,
    /// How long the run took by the real clock.
    pub wall: Duration,
}

/// Reads, runs and judges a scenario file.
///
/// # Errors
/// If the scenario cannot be read or compiled, or, in real time, if no socket can be opened.
pub fn run_file(path: &Path, seed: Seed, mode: Mode) -> Result<Run, RunError> {
    run_file_with(path, &[], seed, mode)
}

/// Reads, runs and judges a scenario file with some values replaced, each `path=value`.
///
/// # Errors
/// As [`run_file`], or if a value cannot be replaced.
pub fn run_file_with(
    path: &Path,
    settings: &[String],
    seed: Seed,
    mode: Mode,
) -> Result<Run, RunError> {
    let loaded = disk::open(path, settings)?;
    let name = path.file_stem().unwrap_or_default();
    run(&name.to_string_lossy(), &loaded, seed, mode)
}

/// Runs and judges a scenario.
///
/// # Errors
/// If the scenario cannot be compiled, or, in real time, if no socket can be opened.
pub fn run(name: &str, loaded: &Loaded, seed: Seed, mode: Mode) -> Result<Run, RunError> {
    let start = Instant::now();
    let world = loaded.build(seed)?;
    let targets = world.targets.clone();
    let seen = play::play(world, &loaded.scenario.client, mode)?;
    let verdict = judge::judge(&loaded.scenario, targets.first(), &seen, mode);
    Ok(Run {
        name: name.to_owned(),
        about: loaded.scenario.about.clone(),
        seen,
        verdict,
        wall: start.elapsed(),
    })
}

/// The folder with the parts that scenarios include; they are not scenarios themselves.
const PARTS: &str = "common";

/// The scenario files that a path stands for: itself, or all below a folder, by name, without those in `common`.
///
/// # Errors
/// If the path, or a folder below it, cannot be read.
pub fn find_scenarios(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !std::fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let path = entry?.path();
        if path.is_dir() {
            if path.file_name() != Some(OsStr::new(PARTS)) {
                found.extend(find_scenarios(&path)?);
            }
        } else if path
            .extension()
            .is_some_and(|ending| ending == "yaml" || ending == "yml")
        {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

impl From<ScenarioError> for RunError {
    fn from(error: ScenarioError) -> Self {
        Self::Scenario(error)
    }
}
