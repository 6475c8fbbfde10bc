//! Runs a scenario: starts the hub with its devices, plays a client with its task, and has it judged.

#[cfg(all(unix, feature = "program"))]
pub(crate) mod again;
pub(crate) mod errand;
mod hosted;
mod kept;
mod play;
pub mod player;
#[cfg(unix)]
pub mod process;
mod tape;
#[cfg(unix)]
mod watch;

use std::{
    ffi::OsStr,
    io::ErrorKind,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use veschub_hub::rng::Seed;
use veschub_scenario::{Loaded, Scenario, ScenarioError, schema::Expectation};
use veschub_wire::CommandId;

use self::{
    errand::{Errand, Prints},
    player::Player,
};
pub use crate::blow::Blow;
use crate::{
    judge::{self, Assignment, Run, Verdict},
    outside::{
        link::{Link, Subject},
        task::{Task, TaskError},
    },
};
pub use hosted::{Builder, Hub};
pub(crate) use kept::Bounds;
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

/// A second tool or device that connects after the client is attached, and stays.
#[derive(Clone, Debug)]
pub(crate) struct Second {
    /// How long after.
    pub(crate) after: Duration,
    /// The login line.
    pub(crate) login: Vec<u8>,
}

/// A signal that the client gets while it drives a motor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Strike {
    /// Which.
    pub(crate) signal: Blow,
    /// How long after the first command that drives the motor has reached it.
    pub(crate) after: Duration,
}

/// How often it is checked whether the client drives a motor yet.
const LOOK: Duration = Duration::from_millis(5);

/// Returns when a client is to be struck, and with what; never if nothing is to strike it.
pub(crate) async fn to_be_struck(
    strike: Option<&Strike>,
    mut has_driven: impl FnMut() -> bool,
) -> Blow {
    let Some(strike) = strike else {
        return std::future::pending().await;
    };
    while !has_driven() {
        tokio::time::sleep(LOOK).await;
    }
    tokio::time::sleep(strike.after).await;
    strike.signal
}

/// How scenarios are run.
#[derive(Clone, Debug)]
pub struct Way {
    /// The client.
    pub player: Player,
    /// The clock of the reference client.
    pub mode: Mode,
    /// What is between the client and the device.
    pub link: Link,
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
            link: Link::Hub,
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
    let loaded = veschub_disk::open(path, settings)?;
    let name = path.file_stem().unwrap_or_default();
    run(&name.to_string_lossy(), &loaded, way)
}

/// Runs and judges a scenario.
///
/// # Errors
/// If the scenario cannot be compiled, no socket can be opened, or a program cannot be supervised.
pub fn run(name: &str, loaded: &Loaded, way: &Way) -> Result<Run, RunError> {
    run_within(name, loaded, way, Bounds::default())
}

/// The same with other bounds for what it may take in virtual time.
pub(crate) fn run_within(
    name: &str,
    loaded: &Loaded,
    way: &Way,
    bounds: Bounds,
) -> Result<Run, RunError> {
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
    let lack = way.link.lacks(Subject::of(scenario));
    match (&task, lack) {
        (Err(why), _) if !is_reference => run.verdict = Verdict::skip(why.to_string()),
        (_, Some(lack)) => run.verdict = Verdict::not_applicable(lack.to_string()),
        _ => {
            let errand = Errand {
                client: &scenario.client,
                // The reference client takes as long as it takes.
                task: task.as_ref().ok().filter(|_| !is_reference),
                second: None,
                strike: None,
                link: way.link,
                prints: Prints::Everything,
                configs: &scenario.descriptions(),
                bounds,
            };
            let played = player::play(world, &errand, &way.player, way.mode)?;
            let password = task.as_ref().map(|task| task.password(target.as_ref()));
            let told = task.as_ref().ok().filter(|_| !is_reference);
            let scenario = &as_told(scenario, told);
            let assignment = Assignment {
                scenario,
                target: target.as_ref(),
                task: run.task.unwrap_or("this task"),
                password: &password.unwrap_or_default(),
                is_told: true,
            };
            run.verdict = judge::judge(&assignment, &played);
            run.played = Some(played);
        }
    }
    run.wall = start.elapsed();
    Ok(run)
}

/// The scenario as a client can know it that was told this task: who asks as often as it was told does not ask too
/// often, whether it makes up for a poll that a late reply held up or leaves that poll out.
fn as_told(scenario: &Scenario, task: Option<&Task>) -> Scenario {
    let mut scenario = scenario.clone();
    for expectation in &mut scenario.expect {
        if let (Expectation::RequestCount(count), Some(told)) =
            (expectation, task.map(|task| task.count))
            && count.of.0 == CommandId::BMS_GET_VALUES
        {
            count.at_most = count.at_most.map(|most| most.max(told));
        }
    }
    scenario
}

/// The folder with the parts that scenarios include; they are not scenarios themselves.
const PARTS: &str = "common";

/// The scenario files that a path stands for: itself, or all below a folder, by name, without those in `common`. Those
/// that the program brings are there too, where the current directory has no folder `scenarios`.
///
/// # Errors
/// If the path, or a folder below it, cannot be read.
pub fn find_scenarios(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    let kind = match std::fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return find_brought(path).ok_or(error);
        }
        other => other?,
    };
    if !kind.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let path = entry?.path();
        if path.is_dir() {
            if path.file_name() != Some(OsStr::new(PARTS)) {
                found.extend(find_scenarios(&path)?);
            }
        } else if is_yaml(&path) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The same among the files that the program brings.
fn find_brought(path: &Path) -> Option<Vec<PathBuf>> {
    let mut found = veschub_disk::brought(path)?;
    if found != [path] {
        let is_part = |path: &Path| path.components().any(|part| part.as_os_str() == PARTS);
        found.retain(|path| is_yaml(path) && !is_part(path));
    }
    Some(found)
}

fn is_yaml(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending == "yaml" || ending == "yml")
}

impl From<ScenarioError> for RunError {
    fn from(error: ScenarioError) -> Self {
        Self::Scenario(error)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_run_in_memory_takes_no_more_than_it_may() {
        let text = "version: 1\ndevices:\n  - express: { id: demo-0001, password: not-a-secret, bms: { cells: 4 } }\n\
                    client: { poll-bms: { every: 10ms, for: 20s } }\n";
        let loaded = Loaded::parse("long.yaml", text).unwrap();
        let way = Way::reference(Seed(0), Mode::Virtual);
        let run = |bounds| run_within("long", &loaded, &way, bounds);
        let usual = Bounds::default();
        assert!(run(usual).is_ok());
        let entries = 100;
        assert!(matches!(
            run(Bounds { entries, ..usual }),
            Err(RunError::TooMuch)
        ));
        let bytes = 1000;
        assert!(matches!(
            run(Bounds { bytes, ..usual }),
            Err(RunError::TooMuch)
        ));
        let longest = Duration::from_secs(2);
        assert!(matches!(
            run(Bounds { longest, ..usual }),
            Err(RunError::TooLong)
        ));
    }

    #[test]
    fn the_count_that_a_client_is_told_is_one_that_every_scenario_accepts() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
        let mut seen = 0;
        for path in find_scenarios(&folder).unwrap() {
            let scenario = veschub_disk::open(&path, &[]).unwrap().scenario;
            let Ok(task) = Task::of(&scenario.client) else {
                continue;
            };
            for expectation in as_told(&scenario, Some(&task)).expect {
                if let (Expectation::RequestCount(count), told) = (expectation, task.count)
                    && count.of.0 == CommandId::BMS_GET_VALUES
                {
                    let (least, most) = (count.at_least, count.at_most);
                    assert!(
                        least.is_none_or(|least| told >= least),
                        "{}",
                        path.display()
                    );
                    assert!(most.is_none_or(|most| told <= most), "{}", path.display());
                    seen += 1;
                }
            }
        }
        assert!(seen > 2);
    }
}
