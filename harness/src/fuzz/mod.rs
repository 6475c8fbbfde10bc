//! A fuzzer for clients: changes what a hub sends, and watches what a client makes of it.
//!
//! ```text
//!  base: sessions of scenarios, cases and recordings -> mutate (seed, number of the try) -> case
//!  case -> scenario -> hub <- client (play: in memory, or a program that stays up) -> verdict -> trouble
//!  trouble -> played again -> smaller -> finding: a scenario that `veschub-harness run` plays
//! ```
//!
//! A try is a scenario, so what is found is played again by the same code that plays every scenario.

mod base;
mod case;
mod crash;
mod mutate;
mod play;
mod report;
mod smaller;
mod verdict;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rand::seq::IndexedRandom as _;
use veschub_hub::rng::Seed;
use veschub_scenario::Loaded;

pub(crate) use self::play::{Play, Process};
use self::{
    case::{Case, Job},
    smaller::smaller,
    verdict::{Seen, Trouble, trouble},
};
pub use self::{
    crash::{Kept, Target, keep},
    report::{Finding, Report},
    verdict::Kind,
};
use crate::{
    judge::readings,
    outside::ending::ProcessEnd,
    parallel,
    run::{RunError, again::connected},
};

/// How many tries are played one after the other with one client. Starting one takes longer than a try.
const BATCH: u64 = 40;
/// After so many findings the rest is mostly the same again.
pub const MOST_FINDINGS: usize = 20;
/// How often a finding is played to make it smaller.
const SMALLER: usize = 250;
/// The same, where each time takes as long as a client may take.
const SMALLER_SLOW: usize = 10;
/// How long one finding is made smaller at most.
const SMALLER_TIME: Duration = Duration::from_secs(30);

/// What to do.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The seed of every change.
    pub seed: Seed,
    /// How long, if not as many tries as are wanted.
    pub time: Option<Duration>,
    /// How many tries, if not as many as there is time for.
    pub tries: Option<u64>,
    /// How many clients run at the same time.
    pub jobs: usize,
    /// How much more memory a client may take in a try than ever before, KiB.
    pub most_kib: u64,
    /// After so many findings nothing more is tried.
    pub most_findings: usize,
}

/// Why nothing could be tried.
#[derive(Debug, thiserror::Error)]
pub enum FuzzError {
    /// The hub or the client could not be started.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Without any change, the client does not get through.
    #[error(
        "your client never connected in a session without changes: it {0}; see `veschub-harness run --client` first"
    )]
    NeverConnects(ProcessEnd),
}

/// How far a campaign is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Tries so far.
    pub tries: u64,
    /// Findings so far.
    pub findings: usize,
}

/// Something that was found, as it was found.
#[derive(Clone, Debug)]
struct Raw {
    /// The number of the try; none for the session without changes.
    number: Option<u64>,
    trouble: Trouble,
    base: Case,
    case: Case,
}

/// Tries out a client. `player` starts one; `tell` is called after each batch.
///
/// # Errors
/// If a hub or a client cannot be started, or the client cannot do anything.
pub(crate) fn run<P: Play>(
    settings: &Settings,
    scenarios: &[(String, Loaded)],
    player: &(dyn Fn() -> P + Sync),
    tell: &(dyn Fn(Progress) + Sync),
) -> Result<Report, FuzzError> {
    run_on(settings, &base::collect(scenarios), player, tell)
}

/// The same with these sessions.
fn run_on<P: Play>(
    settings: &Settings,
    bases: &[Case],
    player: &(dyn Fn() -> P + Sync),
    tell: &(dyn Fn(Progress) + Sync),
) -> Result<Report, FuzzError> {
    let Survey { can, cannot, found } = survey(settings, player)?;
    let mut groups: BTreeMap<Job, Vec<&Case>> = BTreeMap::new();
    for base in bases {
        if can.contains(&std::mem::discriminant(&base.job)) {
            groups.entry(base.job).or_default().push(base);
        }
    }
    let groups: Vec<(Job, Vec<&Case>)> = groups.into_iter().collect();
    let campaign = Campaign {
        settings,
        groups: &groups,
        player,
        tell,
        tries: AtomicU64::new(0),
        found: Mutex::new(found),
        given_up: Mutex::default(),
    };
    let start = Instant::now();
    campaign.run(start)?;
    let tried_for = start.elapsed();
    let mut raw = campaign
        .found
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    // Which of two clients found it first depends on the machine.
    raw.sort_by_key(|one| one.number);
    let mut findings = Vec::new();
    for one in raw {
        findings.push(settle(settings, one, findings.len() + 1, player)?);
    }
    Ok(Report {
        seed: settings.seed.0,
        tries: campaign.tries.into_inner(),
        tried_for_s: tried_for.as_secs_f64(),
        sessions: groups.iter().map(|(_, bases)| bases.len()).sum(),
        can: names(groups.iter().map(|(job, _)| *job)),
        cannot: names(cannot.into_iter()),
        findings,
    })
}

fn names(jobs: impl Iterator<Item = Job>) -> Vec<&'static str> {
    let names: BTreeSet<&str> = jobs.map(Job::name).collect();
    names.into_iter().collect()
}

/// What a client can do, and what is wrong with it without any change.
struct Survey {
    can: Vec<std::mem::Discriminant<Job>>,
    cannot: Vec<Job>,
    found: Vec<Raw>,
}

fn survey<P: Play>(
    settings: &Settings,
    player: &(dyn Fn() -> P + Sync),
) -> Result<Survey, FuzzError> {
    let mut survey = Survey {
        can: Vec::new(),
        cannot: Vec::new(),
        found: Vec::new(),
    };
    let mut never = None;
    for base in base::plain() {
        let reads = std::mem::discriminant(&Job::ReadBms);
        if base.job == Job::PollBms && survey.can.contains(&reads) {
            // It reads the same replies, and waits longer for them.
            continue;
        }
        let seen = player().play(&base)?;
        let printed = readings::sort(&seen.played.lines);
        if readings::unsupported(&printed, &seen.played.report.how, base.job.name()).is_some() {
            survey.cannot.push(base.job);
            continue;
        }
        let found = trouble(&base, &seen, settings.most_kib);
        if found.is_none() && !connected(&seen.played) {
            never = Some(seen.played.report.how.clone());
            survey.cannot.push(base.job);
            continue;
        }
        // A client that crashes or hangs already shows nothing more with changes.
        let goes_on = found
            .as_ref()
            .is_none_or(|trouble| matches!(trouble.kind, Kind::Wrong | Kind::Memory));
        if goes_on {
            survey.can.push(std::mem::discriminant(&base.job));
        }
        survey.found.extend(found.map(|trouble| Raw {
            number: None,
            trouble,
            case: base.clone(),
            base,
        }));
    }
    match never {
        Some(how) if survey.can.is_empty() && survey.found.is_empty() => {
            Err(FuzzError::NeverConnects(how))
        }
        _ => Ok(survey),
    }
}

struct Campaign<'a, P> {
    settings: &'a Settings,
    groups: &'a [(Job, Vec<&'a Case>)],
    player: &'a (dyn Fn() -> P + Sync),
    tell: &'a (dyn Fn(Progress) + Sync),
    tries: AtomicU64,
    found: Mutex<Vec<Raw>>,
    /// Jobs in which the client hangs: each further try would take as long as a client may take.
    given_up: Mutex<BTreeSet<Job>>,
}

impl<P: Play> Campaign<'_, P> {
    /// Plays batches until time or tries are used up.
    fn run(&self, start: Instant) -> Result<(), FuzzError> {
        let most = self.settings.tries.map(|tries| tries.div_ceil(BATCH));
        let is_over = |batch: u64| {
            most.is_some_and(|most| batch >= most)
                || self
                    .settings
                    .time
                    .is_some_and(|time| start.elapsed() >= time)
                || self.is_done()
        };
        let mut next = 0;
        while !is_over(next) {
            let end = next + self.settings.jobs.max(1) as u64 * 4;
            let batches: Vec<u64> = (next..most.map_or(end, |most| end.min(most))).collect();
            let results = parallel::each(&batches, self.settings.jobs, |&batch| {
                if is_over(batch) {
                    return ControlFlow::Break(Ok(()));
                }
                match self.batch(batch, start) {
                    Ok(()) => ControlFlow::Continue(Ok(())),
                    Err(error) => ControlFlow::Break(Err(error)),
                }
            });
            results.into_iter().collect::<Result<(), FuzzError>>()?;
            next = end;
        }
        Ok(())
    }

    fn is_done(&self) -> bool {
        let given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.len() >= self.settings.most_findings
            || self.groups.iter().all(|(job, _)| given_up.contains(job))
    }

    fn batch(&self, batch: u64, start: Instant) -> Result<(), FuzzError> {
        let mut rng = self.settings.seed.derive("batches").stream(batch);
        // Every job counts as much as the square root of its sessions.
        let weight = |(_, bases): &(Job, Vec<&Case>)| (bases.len() as f64).sqrt();
        let Ok((job, bases)) = self.groups.choose_weighted(&mut rng, weight) else {
            return Ok(());
        };
        let mut player = (self.player)();
        for number in batch * BATCH..(batch + 1) * BATCH {
            let is_late = self
                .settings
                .time
                .is_some_and(|time| start.elapsed() >= time);
            let given_up = self
                .given_up
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .contains(job);
            if is_late || given_up || self.settings.tries.is_some_and(|tries| number >= tries) {
                break;
            }
            let mut rng = self.settings.seed.derive("tries").stream(number);
            let Some(base) = bases.choose(&mut rng) else {
                break;
            };
            let case = mutate::mutate(base, bases, &mut rng);
            let seen = player.play(&case)?;
            self.tries.fetch_add(1, Ordering::Relaxed);
            if let Some(trouble) = trouble(&case, &seen, self.settings.most_kib) {
                self.note(number, trouble, base, case);
            }
        }
        let findings = self
            .found
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len();
        (self.tell)(Progress {
            tries: self.tries.load(Ordering::Relaxed),
            findings,
        });
        Ok(())
    }

    fn note(&self, number: u64, trouble: Trouble, base: &Case, case: Case) {
        if matches!(trouble.kind, Kind::Hang | Kind::Spin) {
            self.given_up
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(case.job);
        }
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let raw = Raw {
            number: Some(number),
            trouble,
            base: base.clone(),
            case,
        };
        match found
            .iter_mut()
            .find(|one| is_same(&one.trouble, &raw.trouble))
        {
            // The first try that shows it is told, whichever client was faster.
            Some(known) if known.number > raw.number => *known = raw,
            Some(_) => {}
            None => found.push(raw),
        }
    }
}

fn is_same(one: &Trouble, other: &Trouble) -> bool {
    (one.kind, &one.key) == (other.kind, &other.key)
}

/// Plays a finding again with a client of its own, makes it smaller, and writes it as a scenario.
fn settle<P: Play>(
    settings: &Settings,
    raw: Raw,
    place: usize,
    player: &(dyn Fn() -> P + Sync),
) -> Result<Finding, FuzzError> {
    let Raw {
        number,
        trouble: first,
        base,
        case,
    } = raw;
    let play = |case: &Case| -> Result<(Option<Trouble>, Seen), RunError> {
        let mut player = player();
        if first.kind == Kind::Memory {
            // More than before: so there must be a before.
            player.play(&base)?;
        }
        let seen = player.play(case)?;
        Ok((trouble(case, &seen, settings.most_kib), seen))
    };
    let shows = |case: &Case| {
        play(case).is_ok_and(|(found, _)| found.is_some_and(|found| is_same(&found, &first)))
    };
    let is_repeated = shows(&case);
    let until = Instant::now() + SMALLER_TIME;
    let budget = match first.kind {
        Kind::Hang | Kind::Spin => SMALLER_SLOW,
        _ => SMALLER,
    };
    let before = case.size();
    let small = match (is_repeated, number) {
        (true, Some(_)) => smaller(case, &base, budget, &mut |case| {
            Instant::now() < until && shows(case)
        }),
        _ => case,
    };
    let (last, seen) = play(&small)?;
    let words = last
        .filter(|last| is_same(last, &first))
        .unwrap_or_else(|| first.clone())
        .words;
    Ok(Finding {
        name: format!("{}-{}-{place}", first.kind.name(), small.job.name()),
        kind: first.kind,
        number,
        is_repeated,
        bytes_before: before,
        bytes: small.size(),
        scenario: small.yaml(&words),
        changes: report::changes(&small, &base),
        words,
        capture: seen.played.capture,
    })
}

#[cfg(test)]
mod tests {
    use super::{play::InMemory, *};
    use crate::{
        defective::{Defect, Defects},
        run::player::Player,
    };

    /// Enough to find each of these defects, with this seed.
    const TRIES: u64 = 300;

    fn fuzz(player: &Player, tries: u64) -> Report {
        let settings = Settings {
            seed: Seed(1),
            time: None,
            tries: Some(tries),
            jobs: 2,
            most_kib: 1 << 20,
            most_findings: 1,
        };
        let player = || InMemory(player.clone());
        run_on(&settings, &base::plain(), &player, &|_| {}).unwrap()
    }

    #[test]
    fn clients_without_a_defect_yield_no_finding() {
        for player in [Player::Reference, Player::Defective(Defects::NONE)] {
            let report = fuzz(&player, TRIES);
            assert_eq!(report.tries, TRIES);
            assert!(report.findings.is_empty(), "{}: {report}", player.name());
        }
    }

    #[test]
    fn a_client_with_a_defect_is_found_out_within_as_many_tries() {
        for (defect, kind) in [
            (Defect::NoCrcCheck, Kind::Wrong),
            (Defect::UnsignedTemperatures, Kind::Wrong),
            (Defect::WaitsForEver, Kind::Hang),
        ] {
            let player = Player::Defective([defect].into_iter().collect());
            let report = fuzz(&player, TRIES);
            let found = report.findings.iter().find(|one| one.kind == kind);
            assert!(
                found.is_some_and(|one| one.is_repeated),
                "{}: {report}",
                defect.name()
            );
        }
    }

    #[test]
    fn a_finding_is_a_scenario_that_shows_the_same_again() {
        let player = Player::Defective([Defect::UnsignedTemperatures].into_iter().collect());
        let report = fuzz(&player, TRIES);
        let finding = report
            .findings
            .iter()
            .find(|one| one.kind == Kind::Wrong)
            .unwrap();
        let loaded = Loaded::parse(&finding.name, &finding.scenario).unwrap();
        let run = |player| {
            let way = crate::run::Way {
                player,
                ..crate::run::Way::reference(Seed(0), crate::run::Mode::Virtual)
            };
            crate::run::run(&finding.name, &loaded, &way)
                .unwrap()
                .outcome()
        };
        assert_eq!(
            run(player),
            crate::judge::Outcome::Failed,
            "{}",
            finding.scenario
        );
        assert_eq!(
            run(Player::Defective(Defects::NONE)),
            crate::judge::Outcome::Passed,
            "{}",
            finding.scenario
        );
    }
}
