//! Runs a scenario with an outside client and judges it: the one function that everything about programs goes through.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use veschub_sim::{
    journal::{Happening, JournalEntry},
    rng::Seed,
    scenario::{Loaded, Scenario, Target},
};
use veschub_wire::{CommandId, Reply, Request};

use super::{
    Difference, RunError, Seen, judge,
    process::{Program, Witnessed, witness},
};
use crate::{
    client::{ClientError, Outcome, Received},
    outside::{
        task::Task,
        verdict::{self, Conduct, Verdict},
    },
};

/// Faults after which a frame does not arrive as it was sent.
const LOSING: [&str; 4] = ["drop", "corrupt", "truncate", "reset"];

/// A scenario that was run with an outside client.
#[derive(Debug)]
pub struct OutsideRun {
    /// The file's name without its ending.
    pub name: String,
    /// What the scenario is about.
    pub about: String,
    /// The client's task, as it is named to it; nothing, if no outside client can do it.
    pub task: Option<&'static str>,
    /// What was seen; nothing, if the client was not started.
    pub witnessed: Option<Witnessed>,
    /// What it amounts to.
    pub verdict: Verdict,
    /// How long the run took.
    pub wall: Duration,
}

/// Reads a scenario file with some values replaced, runs it with a program and judges what was seen.
///
/// # Errors
/// If the scenario cannot be read or built, there is no socket to be had, or the supervisor cannot be started.
pub fn run_outside_file(
    path: &Path,
    settings: &[String],
    seed: Seed,
    program: &Program,
    longest: Duration,
) -> Result<OutsideRun, RunError> {
    let loaded = Loaded::open_with(path, settings)?;
    let name = path.file_stem().unwrap_or_default();
    run_outside(&name.to_string_lossy(), &loaded, seed, program, longest)
}

/// Runs a scenario with a program and judges what was seen. A task that goes on for more than `longest` is skipped.
///
/// # Errors
/// If the scenario cannot be built, there is no socket to be had, or the supervisor cannot be started.
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
    match task(scenario, longest) {
        Err(why) => run.verdict = Verdict::skip(why),
        Ok(task) => {
            let witnessed = witness(world, &task, program)?;
            run.task = Some(task.name);
            run.verdict = judge(scenario, target.as_ref(), &task, &witnessed);
            run.witnessed = Some(witnessed);
        }
    }
    run.wall = start.elapsed();
    Ok(run)
}

fn task(scenario: &Scenario, longest: Duration) -> Result<Task, String> {
    let task = Task::of(&scenario.client)?;
    if task.lasts > longest {
        let (lasts, longest) = (task.lasts, longest);
        return Err(format!(
            "goes on for {lasts:?} in real time, more than {longest:?}; --longest allows more"
        ));
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
    let printed = verdict::sort(&witnessed.lines);
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
    let mut verdict = Verdict::default();
    let (sent, notes) = judge_sent(scenario, target, &witnessed.journal, &conduct);
    verdict.sent = sent;
    verdict.notes = notes;
    verdict::understand(&mut verdict, printed, &witnessed.journal, scenario);
    verdict
}

fn judge_sent(
    scenario: &Scenario,
    target: Option<&Target>,
    journal: &[JournalEntry],
    conduct: &Conduct<'_>,
) -> (Vec<Difference>, Vec<String>) {
    let mut sent = conduct.process();
    if let Some(contact) = conduct.contact() {
        // Nothing that was expected could happen; saying so for each thing would hide why.
        sent.push(contact);
        return (sent, Vec::new());
    }
    let expected = judge::judge_expectations(scenario, target, &from_the_hub(journal));
    sent.extend(expected.differences);
    (sent, expected.notes)
}

/// What a client must have seen, told from the hub's side.
pub(crate) fn from_the_hub(journal: &[JournalEntry]) -> Seen {
    let mut received: Vec<Received> = Vec::new();
    let mut asked: Vec<Request> = Vec::new();
    for entry in journal {
        let at = entry.at.since_start();
        match &entry.what {
            Happening::Request(payload) => {
                asked.extend(Request::decode(payload).map(|request| request.body));
            }
            Happening::Reply { payload, .. } => received.push(Received {
                at,
                asked_at: None,
                payload: payload.clone(),
                reply: Reply::decode(payload),
            }),
            Happening::FaultFired(fired) if LOSING.contains(&fired.fault) => {
                let lost = fired.at.since_start();
                let is_lost =
                    |one: &Received| one.at == lost && Some(one.command()) == fired.command;
                match received.iter().rposition(is_lost) {
                    Some(index) => {
                        received.remove(index);
                    }
                    // Then it is a request that was lost on the way there, of which only the command is known.
                    None => asked.extend(fired.command.and_then(bare_request)),
                }
            }
            _ => {}
        }
    }
    let refused = journal
        .iter()
        .any(|entry| matches!(entry.what, Happening::LoginRefused { .. }));
    let outcome = if refused {
        Err(ClientError::LoginRefused)
    } else {
        Ok(Outcome {
            unanswered: in_vain(asked, &received),
            ..Outcome::default()
        })
    };
    let times = journal.iter().map(|entry| entry.at.since_start());
    let (first, last) = (times.clone().min(), times.max());
    Seen {
        journal: journal.to_vec(),
        received,
        forgotten: 0,
        noise_bytes: 0,
        outcome,
        took: last
            .unwrap_or_default()
            .saturating_sub(first.unwrap_or_default()),
    }
}

fn bare_request(command: CommandId) -> Option<Request> {
    Request::decode(&[command.0])
        .ok()
        .map(|request| request.body)
}

/// The requests to which no reply was sent, the later ones first.
fn in_vain(asked: Vec<Request>, received: &[Received]) -> Vec<(Request, ClientError)> {
    let mut replies: Vec<CommandId> = received.iter().map(Received::command).collect();
    let mut open = Vec::new();
    for request in asked {
        let Some(id) = request.reply_id() else {
            continue;
        };
        match replies.iter().position(|reply| *reply == id) {
            Some(index) => {
                replies.remove(index);
            }
            None => {
                let awaited = format!("the reply to {id}");
                open.push((
                    request,
                    ClientError::Closed {
                        awaited,
                        reset: false,
                    },
                ));
            }
        }
    }
    open
}
