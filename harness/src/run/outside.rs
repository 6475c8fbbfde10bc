//! Runs a scenario with an outside client and judges the client.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use veschub_hub::{journal::JournalEntry, rng::Seed};
use veschub_scenario::{Loaded, Scenario, Target, schema::Expectation};
use veschub_sim::disk;
use veschub_wire::CommandId;

use super::{
    Difference, RunError,
    from_the_hub::judge_session,
    process::{Program, Witnessed, witness},
};
use crate::outside::{
    link::Subject,
    output,
    task::{Task, TaskError},
    verdict::{self, Conduct, Verdict},
};

/// A scenario that was run with an outside client.
#[derive(Debug)]
pub struct OutsideRun {
    /// The file's name without its ending.
    pub name: String,
    /// What the scenario is about.
    pub about: String,
    /// The name of the client's task; `None` if no outside client can do it.
    pub task: Option<&'static str>,
    /// What was seen; `None` if the client was not started.
    pub witnessed: Option<Witnessed>,
    /// The verdict.
    pub verdict: Verdict,
    /// How long the run took.
    pub wall: Duration,
}

impl OutsideRun {
    /// The traffic as a pcapng file; empty if the client was not started.
    #[must_use]
    pub fn capture(&self) -> &[u8] {
        let witnessed = self.witnessed.as_ref();
        witnessed.map_or(&[], |witnessed| &witnessed.capture)
    }
}

/// Reads a scenario file with some values replaced, runs it with a program and judges what was seen.
///
/// # Errors
/// If the scenario cannot be read or compiled, no socket can be opened, or the supervisor cannot be started.
pub fn run_outside_file(
    path: &Path,
    settings: &[String],
    seed: Seed,
    program: &Program,
    longest: Duration,
) -> Result<OutsideRun, RunError> {
    let loaded = disk::open(path, settings)?;
    let name = path.file_stem().unwrap_or_default();
    run_outside(&name.to_string_lossy(), &loaded, seed, program, longest)
}

/// Runs a scenario with a program and judges what was seen. A task that takes longer than `longest` is skipped.
///
/// # Errors
/// If the scenario cannot be compiled, no socket can be opened, or the supervisor cannot be started.
pub fn run_outside(
    name: &str,
    loaded: &Loaded,
    seed: Seed,
    program: &Program,
    longest: Duration,
) -> Result<OutsideRun, RunError> {
    let start = Instant::now();
    let scenario = &loaded.scenario;
    let world = loaded.build(seed)?;
    let target = world.targets.first().cloned();
    let mut run = OutsideRun {
        name: name.to_owned(),
        about: scenario.about.clone(),
        task: None,
        witnessed: None,
        verdict: Verdict::default(),
        wall: Duration::ZERO,
    };
    let lack = program.link.lacks(Subject::of(scenario));
    match (task(scenario, longest), lack) {
        (Err(why), _) => run.verdict = Verdict::skip(why.to_string()),
        (Ok(_), Some(lack)) => run.verdict = Verdict::not_applicable(lack.to_string()),
        (Ok(task), None) => {
            let witnessed = witness(world, &task, program)?;
            run.task = Some(task.name);
            run.verdict = judge(scenario, target.as_ref(), &task, &witnessed);
            run.witnessed = Some(witnessed);
        }
    }
    run.wall = start.elapsed();
    Ok(run)
}

fn task(scenario: &Scenario, longest: Duration) -> Result<Task, TaskError> {
    let task = Task::of(&scenario.client)?;
    let lasts = task.lasts;
    if lasts > longest {
        return Err(TaskError::TooLong { lasts, longest });
    }
    Ok(task)
}

/// Judges what was seen of an outside client.
fn judge(
    scenario: &Scenario,
    target: Option<&Target>,
    task: &Task,
    witnessed: &Witnessed,
) -> Verdict {
    let mut printed = verdict::sort(&witnessed.lines);
    let password = task.password(target);
    for bad in &mut printed.bad_lines {
        bad.text = output::hide(&bad.text, &password);
    }
    if let Some(why) = verdict::unsupported(&printed, &witnessed.report.how, task.name) {
        return Verdict::skip(why);
    }
    let conduct = Conduct {
        report: &witnessed.report,
        limit: format!("{:?}", witnessed.limit),
        printed: witnessed.stdout.total(),
        forgotten_lines: witnessed.forgotten_lines,
        journal: &witnessed.journal,
        expect: &scenario.expect,
    };
    let mut verdict = Verdict {
        cut_short: witnessed.report.how.cut_short(),
        ..Verdict::default()
    };
    let scenario = &as_told(scenario, task);
    let (sent, notes) = judge_sent(scenario, target, &witnessed.journal, &conduct);
    verdict.sent = sent;
    verdict.notes = notes;
    let tolerance = verdict::tolerance(scenario);
    verdict::understand(&mut verdict, printed, &witnessed.journal, &tolerance);
    verdict
}

/// The scenario as this client can know it: who asks as often as it was told does not ask too often, whether it makes
/// up for a poll that a late reply held up or leaves that poll out.
fn as_told(scenario: &Scenario, task: &Task) -> Scenario {
    let mut scenario = scenario.clone();
    for expectation in &mut scenario.expect {
        if let (Expectation::RequestCount(count), Some(told)) = (expectation, task.count)
            && count.of.0 == CommandId::BMS_GET_VALUES
        {
            count.at_most = count.at_most.map(|most| most.max(told));
        }
    }
    scenario
}

fn judge_sent(
    scenario: &Scenario,
    target: Option<&Target>,
    journal: &[JournalEntry],
    conduct: &Conduct<'_>,
) -> (Vec<Difference>, Vec<String>) {
    let mut sent: Vec<_> = conduct.exit_code().into_iter().collect();
    sent.extend(conduct.process());
    let (more, notes) = judge_session(scenario, target, journal, conduct);
    sent.extend(more);
    (sent, notes)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{super::find_scenarios, *};

    #[test]
    fn the_count_that_a_client_is_told_is_one_that_every_scenario_accepts() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
        let mut seen = 0;
        for path in find_scenarios(&folder).unwrap() {
            let scenario = disk::open(&path, &[]).unwrap().scenario;
            let Ok(task) = Task::of(&scenario.client) else {
                continue;
            };
            for expectation in as_told(&scenario, &task).expect {
                if let (Expectation::RequestCount(count), Some(told)) = (expectation, task.count)
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
