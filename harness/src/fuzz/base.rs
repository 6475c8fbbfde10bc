//! The sessions that are changed: what devices answered in scenarios, in cases of the battery and in recordings.

use std::collections::BTreeSet;

use veschub_hub::{journal::JournalEvent, rng::Seed};
use veschub_scenario::Loaded;
use veschub_transcript::exchange::{Exchanges, Policy};
use veschub_wire::CommandId;

use super::case::{Answer, Case, Job, PATIENCE, Said};
use crate::{
    conformance::{carrier::Carrier, catalogue},
    judge::Played,
    run::{self, Mode, Way},
};

/// A scenario with devices that know all jobs.
const PLAIN: &str = "
version: 1
hub: { profile: ideal }
devices:
  - express:
      id: demo-0001
      password: not-a-secret
      bms: { cells: 4, cell_voltage_v: 3.9, temperatures_c: [21.5, 22.5], current_a: 1.5 }
      can:
        - motor: { can_id: 84, hardware: DEMO-MOTOR }
";

/// Plain sessions, one for each job.
pub(crate) fn plain() -> Vec<Case> {
    let jobs = [
        Job::ReadBms,
        Job::ReadBmsOneByOne,
        Job::PollBms,
        Job::ReadMotor { can_id: 84 },
        Job::ScanCan,
        Job::ReadFirmware,
    ];
    let session = |job: Job| {
        let text = format!(
            "{PLAIN}client:\n  {}\n",
            job.yaml()
                .replace(&format!("{}ms", PATIENCE.as_millis()), "5s")
        );
        let loaded = Loaded::parse("plain", &text).ok()?;
        session("plain", &loaded, job)
    };
    jobs.into_iter().filter_map(session).collect()
}

/// The sessions of the battery's cases, and of these scenarios.
pub(crate) fn collect(scenarios: &[(String, Loaded)]) -> Vec<Case> {
    let plain = plain();
    let mut found: BTreeSet<Case> = BTreeSet::new();
    let mut add = |name: &str, loaded: &Loaded| {
        let Some(job) = Job::of(&loaded.scenario.client) else {
            return;
        };
        if let Some(mut case) = session(name, loaded, job) {
            complete(&mut case, &plain);
            found.insert(case);
        }
    };
    // The battery is part of the program, and a test reads all of it.
    for case in catalogue::sections()
        .into_iter()
        .flatten()
        .flat_map(|section| &section.cases)
    {
        for carrier in [Carrier::Bms, Carrier::Motor, Carrier::Firmware] {
            if case.takes(carrier)
                && (case.is_carried() || carrier == Carrier::Bms)
                && let Ok(loaded) = case.load(carrier)
            {
                add(&case.id().to_string(), loaded);
            }
        }
    }
    for (name, loaded) in scenarios {
        add(name, loaded);
    }
    found.extend(plain.iter().cloned());
    found.into_iter().collect()
}

/// What the device of a scenario answers.
fn session(name: &str, loaded: &Loaded, job: Job) -> Option<Case> {
    let way = Way::reference(Seed(0), Mode::Virtual);
    let played = run::run(name, loaded, &way).ok()?.played?;
    let answers = answers(&played);
    let is_something = answers.iter().any(|answer| !answer.said.is_empty());
    is_something.then_some(Case {
        job,
        answers,
        gap: std::time::Duration::ZERO,
    })
}

/// The replies to the first request of each kind; what nobody asked for goes before the next reply.
fn answers(played: &Played) -> Vec<Answer> {
    let mut open = Exchanges::new(Policy::patient());
    let mut answers: Vec<Answer> = Vec::new();
    let mut unasked = Vec::new();
    for entry in &played.journal {
        let at = entry.at.since_start();
        match &entry.event {
            JournalEvent::Request(payload) => {
                if !answers.iter().any(|answer| answer.request == *payload) {
                    answers.push(Answer {
                        request: payload.clone(),
                        said: Vec::new(),
                        restart: false,
                    });
                }
                open.ask(at, payload, payload.clone());
            }
            JournalEvent::Reply { payload, .. } => {
                let Some(asked) = open.answer(at, payload) else {
                    unasked.push(Said::Payload(payload.clone()));
                    continue;
                };
                let answer = answers
                    .iter_mut()
                    .find(|answer| answer.request == asked.attached && answer.said.is_empty());
                if let Some(answer) = answer {
                    answer.said.append(&mut unasked);
                    answer.said.push(Said::Payload(payload.clone()));
                }
            }
            _ => {}
        }
    }
    answers
}

/// Adds what a client may ask in this job that nobody answered in this session.
fn complete(case: &mut Case, plain: &[Case]) {
    let same = |one: &&Case| std::mem::discriminant(&one.job) == std::mem::discriminant(&case.job);
    let Some(plain) = plain.iter().find(same) else {
        return;
    };
    for answer in &plain.answers {
        let other_node = |one: &Answer| {
            // Each client asks the node that it was told.
            one.request.first() == Some(&CommandId::FORWARD_CAN.0)
        };
        match case
            .answers
            .iter_mut()
            .find(|one| one.request == answer.request)
        {
            Some(known) if known.said.is_empty() => known.said.clone_from(&answer.said),
            Some(_) => {}
            None if other_node(answer) => {}
            None => case.answers.push(answer.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_has_a_plain_session_in_which_everything_is_answered() {
        let plain = plain();
        assert_eq!(plain.len(), 6);
        for case in &plain {
            assert!(
                case.answers.iter().all(|answer| !answer.said.is_empty()),
                "{case:?}"
            );
        }
        // With a BMS, a bus and a motor, the requests differ.
        assert!(plain.iter().map(|case| case.answers.len()).max() >= Some(4));
    }
}
