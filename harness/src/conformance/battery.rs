//! Runs the cases, several at the same time; cases that others need come first.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

use veschub_hub::rng::Seed;

use super::{
    catalogue::{self, BASIS, Case, CatalogueError, Id, Level, Section},
    judge,
    subject::subject,
};
use crate::{
    judge::Assignment,
    outside::{ending::CutShort, link::Link, task::Task},
    report::model::{CaseReport, DifferenceReport, Kind, Outcome, Report, seconds},
    run::{
        Mode, RunError,
        player::{self, Errand, Player, Prints},
    },
};

/// How a battery is run.
#[derive(Clone, Debug)]
pub struct Battery {
    /// The client to judge.
    pub player: Player,
    /// How the client reaches the device.
    pub link: Link,
    /// The cases. Other cases that they need are run as well, but not reported.
    pub cases: Vec<&'static Case>,
    /// The seed of everything random.
    pub seed: u64,
    /// Whether SHOULD cases count as well as MUST cases.
    pub strict: bool,
    /// Whether to stop at the first failed case that counts.
    pub fail_fast: bool,
    /// How many cases to run at the same time.
    pub jobs: usize,
}

/// Why a battery could not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BatteryError {
    /// The cases that are compiled in have a mistake.
    #[error("the cases that are built into this program have a mistake: {0}")]
    Catalogue(#[from] CatalogueError),
    /// A case cannot be run on this machine, which says nothing about the client.
    #[error("case {id}: {error}")]
    Case {
        /// Which.
        id: Id,
        /// Why.
        error: RunError,
    },
}

/// Runs a battery. Calls `done` after each case, with the number of all cases.
///
/// # Errors
/// If the built-in cases have a mistake, or a case cannot be run on this machine.
pub fn run(battery: &Battery, done: &(dyn Fn(Id, usize) + Sync)) -> Result<Report, BatteryError> {
    let start = Instant::now();
    let sections = catalogue::sections()?;
    let stages = stages(battery)?;
    let count = stages.iter().map(Vec::len).sum();
    let mut known: BTreeMap<Id, CaseReport> = BTreeMap::new();
    for stage in stages {
        let results = work(battery, &stage, &|case| {
            let section = sections.iter().find(|one| one.section == case.id().section);
            let result = section.map(|section| one(battery, case, section, &known));
            done(case.id(), count);
            result
        });
        for (id, result) in results {
            known.insert(id, result?);
        }
        let failed =
            |report: &CaseReport| report.outcome.is_failure() && report.is_counted(battery.strict);
        if battery.fail_fast && known.values().any(failed) {
            break;
        }
    }
    let reports = battery
        .cases
        .iter()
        .filter_map(|case| known.remove(&case.id()));
    let mut report = Report::new(
        Kind::Conformance,
        battery.player.name(),
        battery.seed,
        battery.strict,
        reports.collect(),
        start.elapsed(),
    );
    report.link = battery.link;
    Ok(report)
}

/// The cases in stages: a case needs only cases of earlier stages.
fn stages(battery: &Battery) -> Result<Vec<Vec<&'static Case>>, BatteryError> {
    let mut depths: BTreeMap<Id, (usize, &'static Case)> = BTreeMap::new();
    let mut open: Vec<&'static Case> = battery.cases.clone();
    while let Some(case) = open.pop() {
        let depth = depth(case, 0)?;
        if depths.insert(case.id(), (depth, case)).is_none() {
            for id in case.needed() {
                open.push(catalogue::find(id)?);
            }
        }
    }
    let mut stages: Vec<Vec<&'static Case>> = Vec::new();
    for (depth, case) in depths.into_values() {
        if stages.len() <= depth {
            stages.resize(depth + 1, Vec::new());
        }
        stages[depth].push(case);
    }
    Ok(stages)
}

/// How many cases must be run one after the other before this one.
fn depth(case: &Case, so_far: usize) -> Result<usize, CatalogueError> {
    if so_far > 8 {
        return Err(CatalogueError::NeedsItself(case.id()));
    }
    let mut deepest = 0;
    for id in case.needed() {
        deepest = deepest.max(1 + depth(catalogue::find(id)?, so_far + 1)?);
    }
    Ok(deepest)
}

/// Runs the cases on several threads until all are done, or one fails and `fail_fast` is set.
fn work(
    battery: &Battery,
    cases: &[&'static Case],
    judge: &(dyn Fn(&'static Case) -> Option<Result<CaseReport, BatteryError>> + Sync),
) -> Vec<(Id, Result<CaseReport, BatteryError>)> {
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let results = Mutex::new(Vec::new());
    let run = || {
        while !stop.load(Ordering::Relaxed) {
            let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) else {
                return;
            };
            let Some(result) = judge(case) else {
                continue;
            };
            let failed = match &result {
                Ok(report) => report.outcome.is_failure() && report.is_counted(battery.strict),
                Err(_) => true,
            };
            stop.fetch_or(failed && battery.fail_fast, Ordering::Relaxed);
            let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
            results.push((case.id(), result));
        }
    };
    thread::scope(|scope| {
        // This thread works as well.
        for _ in 1..battery.jobs.clamp(1, cases.len().max(1)) {
            scope.spawn(run);
        }
        run();
    });
    results.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// A case before it was run.
fn untried(battery: &Battery, case: &Case, section: &Section) -> CaseReport {
    CaseReport {
        id: case.id().into(),
        section: section.title.clone(),
        title: case.title.clone(),
        level: case.level,
        requirement: case.requirement.clone(),
        source: case.source.clone(),
        matters: case.matters.clone(),
        seed: battery.seed,
        reproduce: reproduce(battery, case.id()),
        ..CaseReport::default()
    }
}

fn one(
    battery: &Battery,
    case: &Case,
    section: &Section,
    known: &BTreeMap<Id, CaseReport>,
) -> Result<CaseReport, BatteryError> {
    let start = Instant::now();
    let mut report = untried(battery, case, section);
    let trouble = |error: RunError| BatteryError::Case {
        id: case.id(),
        error,
    };
    let loaded = case.load().map_err(|error| trouble(error.into()))?;
    if let Some(lack) = battery.link.lacks(subject(case, &loaded.scenario)) {
        report.outcome = Outcome::NotApplicable;
        report.reasons.push(lack.to_string());
        return Ok(report);
    }
    let failed = |id: &Id| {
        let needed = known.get(id);
        needed.is_some_and(|needed| needed.outcome.is_failure())
    };
    if let Some(id) = case.needed().find(failed) {
        let title = known.get(&id).map_or("", |needed| &needed.title);
        report
            .reasons
            .push(format!("it needs {id}, which failed: {title}"));
        return Ok(report);
    }
    let is_silent = known
        .get(&BASIS)
        .is_some_and(|basis| basis.outcome == Outcome::Passed && basis.readings == 0);
    fill(&mut report, battery, case, is_silent).map_err(trouble)?;
    report.wall_s = seconds(start.elapsed());
    Ok(report)
}

fn fill(
    report: &mut CaseReport,
    battery: &Battery,
    case: &Case,
    is_silent: bool,
) -> Result<(), RunError> {
    let loaded = case.load()?;
    let scenario = &loaded.scenario;
    let task = match Task::of(&scenario.client) {
        Ok(task) => task,
        Err(why) => {
            report.reasons.push(why.to_string());
            return Ok(());
        }
    };
    let world = loaded.build(Seed(battery.seed))?;
    let target = world.targets.first().cloned();
    let second = case.second.map(|second| second.login(target.as_ref()));
    let errand = Errand {
        client: &scenario.client,
        task: Some(&task),
        second: second.as_ref(),
        link: battery.link,
        prints: Prints::Answers,
    };
    let seen = player::play(world, &errand, &battery.player, Mode::Virtual)?;
    let assignment = Assignment {
        scenario,
        target: target.as_ref(),
        task: task.name,
        password: &task.password(target.as_ref()),
    };
    let judged = judge::judge(case, &assignment, &seen, is_silent);
    report.task = Some(task.name.to_owned());
    report.tell(&seen);
    report.readings = judged.readings;
    report.bad_lines = judged.bad_lines;
    report.outcome = match (&judged.skipped, judged.differences.is_empty(), case.level) {
        (_, false, level) => match (seen.report.how.cut_short(), level) {
            (Some(CutShort::TimeUp), _) => Outcome::TimedOut,
            (Some(CutShort::Crash), _) => Outcome::Crashed,
            (None, Level::May) => Outcome::Info,
            (None, _) => Outcome::Failed,
        },
        (Some(_), true, _) => Outcome::Skipped,
        (None, true, _) => Outcome::Passed,
    };
    report.reasons = match report.outcome {
        Outcome::Skipped => judged.skipped.into_iter().collect(),
        _ => judged
            .differences
            .iter()
            .map(DifferenceReport::reason)
            .collect(),
    };
    report.differences = judged.differences;
    Ok(())
}

/// The command that runs the case again.
fn reproduce(battery: &Battery, id: Id) -> String {
    let mut words = vec!["veschub-harness".to_owned(), "conformance".to_owned()];
    if let Some(command) = battery.player.command() {
        words.push("--client".to_owned());
        let quoted = shlex::try_quote(command).map(std::borrow::Cow::into_owned);
        words.push(quoted.unwrap_or_else(|_| command.to_owned()));
    }
    if battery.link != Link::Hub {
        words.push(format!("--link {}", battery.link));
    }
    if battery.seed != 0 {
        words.push(format!("--seed {}", battery.seed));
    }
    words.push(id.to_string());
    words.join(" ")
}
