//! Runs a scenario: starts the hub with its devices, plays a client with its task, and has it judged.

mod hosted;
mod play;
pub mod player;
#[cfg(unix)]
pub mod process;
mod tape;

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use veschub_hub::rng::Seed;
use veschub_scenario::{Loaded, ScenarioError};
use veschub_sim::disk;

use self::player::{Errand, Player, Prints};
use crate::{
    judge::{self, Assignment, Run, Verdict},
    outside::task::{Task, TaskError},
};
pub use hosted::{Builder, Hub};
pub use play::RunError;
#[cfg(unix)]
pub use process::Program;

/// The clock of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// In memory, on a clock that jumps from event to event.
    #[default]
    Virtual,
    /// Over a loopback socket, on the real clock.
    Real,
}

/// How scenarios are run.
#[derive(Clone, Debug)]
pub struct Way {
    /// The client.
    pub player: Player,
    /// The clock of the reference client.
    pub mode: Mode,
    /// The seed of everything random.
    pub seed: Seed,
    /// A program's task that takes longer than this is skipped.
    pub longest: Duration,
}

impl Way {
    /// With the reference client.
    #[must_use]
    pub fn reference(seed: Seed, mode: Mode) -> Self {
        Self {
            player: Player::Reference,
            mode,
            seed,
            longest: Duration::MAX,
        }
    }
}

/// Reads, runs and judges a scenario file with the reference client.
///
/// # Errors
/// If the scenario cannot be read or compiled, or, in real time, if no socket can be opened.
pub fn run_file(path: &Path, seed: Seed, mode: Mode) -> Result<Run, RunError> {
    run_file_with(path, &[], &Way::reference(seed, mode))
}

/// Reads, runs and judges a scenario file with some values replaced, each `path=value`.
///
/// # Errors
/// If the scenario cannot be read or compiled, a value cannot be replaced, no socket can be opened, or a program cannot
/// be supervised.
pub fn run_file_with(path: &Path, settings: &[String], way: &Way) -> Result<Run, RunError> {
    let loaded = disk::open(path, settings)?;
    let name = path.file_stem().unwrap_or_default();
    run(&name.to_string_lossy(), &loaded, way)
}

/// Runs and judges a scenario.
///
/// # Errors
/// If the scenario cannot be compiled, no socket can be opened, or a program cannot be supervised.
pub fn run(name: &str, loaded: &Loaded, way: &Way) -> Result<Run, RunError> {
    let start = Instant::now();
    let scenario = &loaded.scenario;
    let world = loaded.build(way.seed)?;
    let target = world.targets.first().cloned();
    let task = Task::of(&scenario.client).and_then(|task| match task.lasts {
        lasts if lasts > way.longest => {
            let longest = way.longest;
            Err(TaskError::TooLong { lasts, longest })
        }
        _ => Ok(task),
    });
    let mut run = Run {
        name: name.to_owned(),
        about: scenario.about.clone(),
        client: way.player.name(),
        seed: way.seed.0,
        task: task.as_ref().ok().map(|task| task.name),
        played: None,
        verdict: Verdict::default(),
        wall: Duration::ZERO,
    };
    let is_reference = matches!(way.player, Player::Reference);
    match &task {
        Err(why) if !is_reference => run.verdict = Verdict::skip(why.to_string()),
        _ => {
            let errand = Errand {
                client: &scenario.client,
                // The reference client takes as long as it takes.
                task: task.as_ref().ok().filter(|_| !is_reference),
                second: None,
                prints: Prints::Everything,
            };
            let played = player::play(world, &errand, &way.player, way.mode)?;
            let password = task.map(|task| task.password(target.as_ref()));
            let assignment = Assignment {
                scenario,
                target: target.as_ref(),
                task: run.task.unwrap_or("this task"),
                password: &password.unwrap_or_default(),
            };
            run.verdict = judge::judge(&assignment, &played);
            run.played = Some(played);
        }
    }
    run.wall = start.elapsed();
    Ok(run)
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
