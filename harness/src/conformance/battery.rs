//! Runs the cases, several at the same time; cases that others need come first.

use std::{collections::BTreeMap, ops::ControlFlow, time::Instant};

use veschub_hub::rng::Seed;

use super::{
    carrier::Carrier,
    catalogue::{self, BASIS, Case, CatalogueError, Death, Id, Level, Section},
    judge::{self, Context, Values},
    subject::subject,
};
use crate::{
    judge::Assignment,
    outside::{ending::CutShort, link::Link, task::Task},
    parallel,
    report::{
        model::{CaseReport, DifferenceReport, Kind, Outcome, Report, seconds},
        not_judged::NotJudged,
        reproduce,
    },
    run::{
        Bounds, Mode, RunError,
        errand::{Errand, Prints},
        player::{self, Player},
    },
};

/// How many cases may need or explain one another in a row.
const DEEPEST: usize = 8;

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
    /// What is carried in cases that are not about values; if not given, the first that the client can ask for.
    pub carrier: Option<Carrier>,
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
    let mut known = basis(battery, sections)?;
    let failed =
        |report: &CaseReport| report.outcome.is_failure() && report.is_counted(battery.strict);
    for stage in stages {
        if battery.fail_fast && known.cases.values().any(failed) {
            break;
        }
        let results = parallel::each(&stage, battery.jobs, |case| {
            let section = sections.iter().find(|one| one.section == case.id().section);
            let open = section.filter(|_| !known.cases.contains_key(&case.id()));
            let result = open.map(|section| one(battery, case, section, &known));
            done(case.id(), count);
            let is_failure = match &result {
                Some(Ok(report)) => failed(report),
                Some(Err(_)) => true,
                None => false,
            };
            match is_failure && battery.fail_fast {
                true => ControlFlow::Break((case.id(), result)),
                false => ControlFlow::Continue((case.id(), result)),
            }
        });
        for (id, result) in results {
            if let Some(result) = result {
                known.cases.insert(id, result?);
            }
        }
    }
    excuse(battery, sections, &mut known)?;
    let reports = battery
        .cases
        .iter()
        .filter_map(|case| known.cases.remove(&case.id()));
    let mut report = Report::new(
        Kind::Conformance,
        battery.player.name(),
        battery.seed,
        battery.strict,
        known.carrier,
        reports.collect(),
        start.elapsed(),
    );
    report.link = battery.link;
    Ok(report)
}

/// Withdraws the verdict on each case that failed for a reason that belongs to another case, which failed as well.
fn excuse(battery: &Battery, sections: &[Section], known: &mut Known) -> Result<(), BatteryError> {
    let mut causes = BTreeMap::new();
    for case in &battery.cases {
        if has_failed(known, case.id())
            && let Some(cause) = cause(battery, sections, known, case, 0)?
        {
            causes.insert(case.id(), cause);
        }
    }
    for (id, report) in &mut known.cases {
        // What was not judged because of an excused case is not judged because of that one's cause.
        let because = match &report.not_judged {
            Some(NotJudged::Failed { because, .. }) => *because,
            _ => *id,
        };
        if let Some(cause) = causes.get(&because) {
            report.skip(NotJudged::Failed {
                because: cause.id(),
                title: cause.title.clone(),
            });
            report.differences.clear();
        }
    }
    Ok(())
}

/// The failed case that explains the failure of this one and that no other failed case explains. Runs what the user did
/// not ask for.
fn cause(
    battery: &Battery,
    sections: &[Section],
    known: &mut Known,
    case: &Case,
    so_far: usize,
) -> Result<Option<&'static Case>, BatteryError> {
    if so_far > DEEPEST {
        return Err(CatalogueError::NeedsItself(case.id()).into());
    }
    for &id in &case.spoiled_by {
        let other = catalogue::find(id)?;
        let section = sections.iter().find(|one| one.section == id.section);
        if let (false, Some(section)) = (known.cases.contains_key(&id), section) {
            let report = one(battery, other, section, known)?;
            known.cases.insert(id, report);
        }
        if let Some(id) = to_blame(known, id) {
            let other = catalogue::find(id)?;
            let root = cause(battery, sections, known, other, so_far + 1)?;
            return Ok(Some(root.unwrap_or(other)));
        }
    }
    Ok(None)
}

/// The failed case that explains whatever this one would explain: itself, or the one that kept it from being judged.
fn to_blame(known: &Known, id: Id) -> Option<Id> {
    match &known.cases.get(&id)?.not_judged {
        Some(NotJudged::Failed { because, .. } | NotJudged::WrongValues { because }) => {
            Some(*because)
        }
        _ => has_failed(known, id).then_some(id),
    }
}

fn has_failed(known: &Known, id: Id) -> bool {
    let report = known.cases.get(&id);
    report.is_some_and(|report| report.outcome.is_failure())
}

/// What is known of a client so far.
struct Known {
    /// What it can ask for.
    carrier: Carrier,
    /// What its readings of that are worth.
    values: Values,
    /// The cases that were run.
    cases: BTreeMap<Id, CaseReport>,
}

/// Runs the case that all others need, with each carrier until the client can do the task.
fn basis(battery: &Battery, sections: &[Section]) -> Result<Known, BatteryError> {
    let case = catalogue::find(BASIS)?;
    let section = sections.iter().find(|one| one.section == BASIS.section);
    let section = section.ok_or(CatalogueError::NoCase(BASIS))?;
    let mut first: Option<Known> = None;
    let carriers = battery
        .carrier
        .map_or_else(|| Carrier::ALL.to_vec(), |carrier| vec![carrier]);
    for carrier in carriers {
        let mut known = Known {
            carrier,
            values: Values::None,
            cases: BTreeMap::new(),
        };
        let (report, values) = one_with_values(battery, case, section, &known)?;
        known.values = values;
        let cannot = matches!(report.not_judged, Some(NotJudged::Unsupported { .. }));
        known.cases.insert(BASIS, report);
        if !cannot {
            return Ok(known);
        }
        first.get_or_insert(known);
    }
    first.ok_or_else(|| CatalogueError::NoCase(BASIS).into())
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
    if so_far > DEEPEST {
        return Err(CatalogueError::NeedsItself(case.id()));
    }
    let mut deepest = 0;
    for id in case.needed() {
        deepest = deepest.max(1 + depth(catalogue::find(id)?, so_far + 1)?);
    }
    Ok(deepest)
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
    known: &Known,
) -> Result<CaseReport, BatteryError> {
    one_with_values(battery, case, section, known).map(|(report, _)| report)
}

fn one_with_values(
    battery: &Battery,
    case: &Case,
    section: &Section,
    known: &Known,
) -> Result<(CaseReport, Values), BatteryError> {
    let start = Instant::now();
    let mut report = untried(battery, case, section);
    let trouble = |error: RunError| BatteryError::Case {
        id: case.id(),
        error,
    };
    let loaded = case
        .load(known.carrier)
        .map_err(|error| trouble(error.into()))?;
    if let Some(lack) = battery.link.lacks(subject(case, &loaded.scenario)) {
        report.outcome = Outcome::NotApplicable;
        report.reasons.push(lack.to_string());
        return Ok((report, Values::None));
    }
    if let Some(why) = missing(case, known) {
        report.skip(why);
        return Ok((report, Values::None));
    }
    let values = fill(&mut report, battery, case, known).map_err(trouble)?;
    report.wall_s = seconds(start.elapsed());
    Ok((report, values))
}

/// What a case needs and the client has not shown: then a failure would say nothing about the case's own subject.
fn missing(case: &Case, known: &Known) -> Option<NotJudged> {
    if !case.takes(known.carrier) {
        let carried = known.carrier;
        return Some(NotJudged::Carrier { carried });
    }
    case.needed().find_map(|id| {
        let needed = known.cases.get(&id)?;
        let (because, title) = (id, needed.title.clone());
        match (&needed.outcome, &needed.not_judged) {
            (outcome, _) if outcome.is_failure() => Some(NotJudged::Failed { because, title }),
            // A case with a task of its own shows by itself whether the client can do that.
            (Outcome::Skipped, Some(NotJudged::Unsupported { .. }))
                if id == BASIS && !case.is_carried() =>
            {
                None
            }
            (Outcome::Skipped, _) => Some(NotJudged::NotJudged { because, title }),
            _ => None,
        }
    })
}

fn fill(
    report: &mut CaseReport,
    battery: &Battery,
    case: &Case,
    known: &Known,
) -> Result<Values, RunError> {
    let loaded = case.load(known.carrier)?;
    let scenario = &loaded.scenario;
    let task = match Task::of(&scenario.client) {
        Ok(task) => task,
        Err(why) => {
            let told = why.to_string();
            report.skip(NotJudged::NoTask { told });
            return Ok(Values::None);
        }
    };
    let world = loaded.build(Seed(battery.seed))?;
    let target = world.targets.first().cloned();
    let second = case.second.map(|second| second.login(target.as_ref()));
    let strike = case.death.and_then(Death::strike);
    let errand = Errand {
        client: &scenario.client,
        task: Some(&task),
        second: second.as_ref(),
        strike: strike.as_ref(),
        link: battery.link,
        prints: Prints::Answers,
        configs: &scenario.descriptions(),
        bounds: Bounds::default(),
    };
    let seen = player::play(world, &errand, &battery.player, Mode::Virtual)?;
    let context = Context {
        case,
        assignment: Assignment {
            scenario,
            target: target.as_ref(),
            task: task.name,
            password: &task.password(target.as_ref()),
            is_told: true,
        },
        task: &task,
        carrier: known.carrier,
        // Of the basis itself nothing is known before.
        values: (case.id() != BASIS).then_some(known.values),
    };
    let judged = judge::judge(&context, &seen);
    report.task = Some(task.name.to_owned());
    report.carrier = case.is_carried().then_some(known.carrier);
    report.tell(&seen);
    report.readings = judged.readings;
    report.bad_lines = judged.bad_lines;
    let values = judged.values;
    let cut_short = seen.report.how.cut_short();
    match (judged.not_judged, judged.differences.is_empty(), case.level) {
        (Some(why), ..) if cut_short.is_none() => {
            report.skip(why);
            return Ok(values);
        }
        (_, true, _) => report.outcome = Outcome::Passed,
        (_, false, level) => {
            report.outcome = match (cut_short, level) {
                (Some(CutShort::TimeUp), _) => Outcome::TimedOut,
                (Some(CutShort::Crash), _) => Outcome::Crashed,
                (None, Level::May) => Outcome::Info,
                (None, _) => Outcome::Failed,
            }
        }
    }
    let told = judged.differences.iter().map(DifferenceReport::reason);
    report.reasons = told.collect();
    report.differences = judged.differences;
    Ok(values)
}

/// The command that runs the case again.
fn reproduce(battery: &Battery, id: Id) -> String {
    let mut words = reproduce::words(
        "conformance",
        battery.player.command(),
        battery.link,
        battery.seed,
    );
    words.push(id.to_string());
    words.join(" ")
}
