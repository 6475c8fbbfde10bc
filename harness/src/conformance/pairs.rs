//! Two defects at once. A case must look at its own subject only, so it must not fail a client because of a defect that
//! is none of its business. A client with two defects shows that: whoever fails a case with both of them must fail it
//! with one of them alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    sync::atomic::{AtomicUsize, Ordering},
};

use veschub_hub::rng::Seed;

use super::{
    battery::{self, Battery, BatteryError},
    catalogue::{Case, Id},
};
use crate::{
    defective::{Defect, Defects},
    outside::link::Link,
    parallel,
    report::model::{Outcome, Report},
    run::player::Player,
};

/// Two defects, in the order of [`Defect::ALL`].
pub type Pair = [Defect; 2];

/// A case that a client with two defects fails, although neither of them fails it alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The case.
    pub case: Id,
    /// The defects.
    pub pair: Pair,
    /// Why the case failed.
    pub reasons: Vec<String>,
}

/// All pairs of defects.
#[must_use]
pub fn all() -> Vec<Pair> {
    let defects = Defect::ALL.iter().enumerate();
    defects
        .flat_map(|(index, &first)| {
            let others = Defect::ALL.iter().skip(index + 1);
            others.map(move |&second| [first, second])
        })
        .collect()
}

/// Some pairs of defects, which the seed draws.
#[must_use]
pub fn sample(seed: u64, count: usize) -> Vec<Pair> {
    let mut left = all();
    let drawn = (0..count).map_while(|index| {
        let number = Seed(seed).derive(&format!("pair {index}")).0;
        let at = number.checked_rem(left.len() as u64)?;
        Some(left.swap_remove(usize::try_from(at).unwrap_or_default()))
    });
    drawn.collect()
}

/// Runs the client with each of these pairs, and before that with each of their defects alone, on several threads.
/// `done` is called after each run with how many there were so far, how many there are in all, and what was found.
///
/// # Errors
/// If the built-in cases have a mistake, or a case cannot be run on this machine.
pub fn run(
    cases: &[&'static Case],
    pairs: &[Pair],
    jobs: usize,
    done: &(dyn Fn(usize, usize, &[Violation]) + Sync),
) -> Result<Vec<Violation>, BatteryError> {
    let alone: Vec<Defect> = pairs
        .iter()
        .flatten()
        .copied()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let all = alone.len() + pairs.len();
    let ran = AtomicUsize::new(0);
    let tick = |found: &[Violation]| done(1 + ran.fetch_add(1, Ordering::Relaxed), all, found);
    let failed = try_each(&alone, jobs, |&defect| {
        let failed = failures(&judge(cases, defect.into())?);
        tick(&[]);
        Ok((defect, failed))
    })?;
    let failed: BTreeMap<Defect, BTreeSet<Id>> = failed.into_iter().collect();
    let found = try_each(pairs, jobs, |&pair| {
        let report = judge(cases, pair.into_iter().collect())?;
        let is_excused = |id: &Id| {
            let by = |defect: &Defect| failed.get(defect).is_some_and(|failed| failed.contains(id));
            pair.iter().any(by)
        };
        let found: Vec<Violation> = report
            .cases
            .into_iter()
            .filter(|case| case.outcome == Outcome::Failed)
            .filter_map(|case| {
                let id = case.id.id().filter(|id| !is_excused(id))?;
                Some(Violation {
                    case: id,
                    pair,
                    reasons: case.reasons,
                })
            })
            .collect();
        tick(&found);
        Ok(found)
    })?;
    let mut found: Vec<Violation> = found.into_iter().flatten().collect();
    found.sort_by_key(|one| (one.case, one.pair));
    Ok(found)
}

/// Does something with each item, until one fails.
fn try_each<I: Sync, T: Send>(
    items: &[I],
    jobs: usize,
    work: impl Fn(&I) -> Result<T, BatteryError> + Sync,
) -> Result<Vec<T>, BatteryError> {
    let results = parallel::each(items, jobs, |item| match work(item) {
        Ok(result) => ControlFlow::Continue(Ok(result)),
        Err(error) => ControlFlow::Break(Err(error)),
    });
    results.into_iter().collect()
}

fn judge(cases: &[&'static Case], defects: Defects) -> Result<Report, BatteryError> {
    let battery = Battery {
        player: Player::Defective(defects),
        link: Link::Hub,
        carrier: None,
        cases: cases.to_vec(),
        seed: 0,
        strict: true,
        fail_fast: false,
        // The pairs are run in parallel.
        jobs: 1,
    };
    battery::run(&battery, &|_, _| {})
}

fn failures(report: &Report) -> BTreeSet<Id> {
    let cases = report.cases.iter();
    let failed = cases.filter(|case| case.outcome == Outcome::Failed);
    failed.filter_map(|case| case.id.id()).collect()
}

/// The violations as text, one paragraph a case.
#[must_use]
pub fn text(found: &[Violation]) -> String {
    let mut by_case: BTreeMap<Id, Vec<&Violation>> = BTreeMap::new();
    for one in found {
        by_case.entry(one.case).or_default().push(one);
    }
    let told = by_case.into_iter().map(|(case, found)| {
        let pairs = found.iter().map(|one| {
            let [first, second] = one.pair.map(Defect::name);
            let why = one.reasons.first().map_or("", String::as_str);
            format!("  {first} and {second}: {why}\n")
        });
        format!(
            "{case}: {} pairs\n{}",
            found.len(),
            pairs.collect::<String>()
        )
    });
    told.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_is_there_once() {
        let pairs = all();
        let count = Defect::ALL.len();
        assert_eq!(pairs.len(), count * (count - 1) / 2);
        assert_eq!(pairs.iter().collect::<BTreeSet<_>>().len(), pairs.len());
        assert!(pairs.iter().all(|[first, second]| first < second));
    }

    #[test]
    fn a_seed_draws_the_same_pairs_for_ever_and_another_seed_draws_others() {
        assert_eq!(sample(7, 5), sample(7, 5));
        assert_ne!(sample(7, 5), sample(8, 5));
        assert_eq!(sample(7, 5).into_iter().collect::<BTreeSet<_>>().len(), 5);
        assert_eq!(sample(7, usize::MAX).len(), all().len());
    }

    #[test]
    fn what_was_found_is_told_by_case() {
        let one = Violation {
            case: "5/26".parse().unwrap(),
            pair: [Defect::Floods, Defect::Floats],
            reasons: vec!["too much".to_owned()],
        };
        let told = text(&[one]);
        assert_eq!(told, "5/26: 1 pairs\n  floods and floats: too much\n");
    }
}
