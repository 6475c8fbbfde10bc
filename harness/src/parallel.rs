//! Several things at the same time: scenarios, cases, clients with defects.

use std::{
    ops::ControlFlow,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

/// Works on each item, on up to this many threads at the same time, in the order of the items, until all are done or
/// one of them breaks; what has begun by then is finished. The results are in the order of the items, whichever ended
/// first.
pub(crate) fn each<I: Sync, T: Send>(
    items: &[I],
    jobs: usize,
    work: impl Fn(&I) -> ControlFlow<T, T> + Sync,
) -> Vec<T> {
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let results = Mutex::new(Vec::new());
    let run = || {
        while !stop.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else {
                return;
            };
            let result = match work(item) {
                ControlFlow::Continue(result) => result,
                ControlFlow::Break(result) => {
                    stop.store(true, Ordering::Relaxed);
                    result
                }
            };
            let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
            results.push((index, result));
        }
    };
    thread::scope(|scope| {
        // This thread works as well.
        for _ in 1..jobs.clamp(1, items.len().max(1)) {
            scope.spawn(run);
        }
        run();
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_unstable_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_items() {
        let items: Vec<u32> = (0..100).collect();
        for jobs in [0, 1, 3, 1000] {
            let results = each(&items, jobs, |item| ControlFlow::Continue(item * 2));
            assert_eq!(
                results,
                items.iter().map(|item| item * 2).collect::<Vec<_>>()
            );
        }
        assert_eq!(
            each(&[], 4, |item: &u32| ControlFlow::Continue(*item)),
            [0; 0]
        );
    }

    #[test]
    fn as_many_run_at_the_same_time_as_there_are_jobs() {
        // Each waits for the other two: with fewer threads this would not end.
        let all = Barrier::new(3);
        let work = |_: &i32| ControlFlow::Continue(all.wait().is_leader());
        let leaders = each(&[0; 3], 3, work);
        assert_eq!(
            leaders.into_iter().filter(|is_leader| *is_leader).count(),
            1
        );
    }

    #[test]
    fn the_first_break_is_the_last_item() {
        let work = |item: &i32| match item {
            2 => ControlFlow::Break(*item),
            item => ControlFlow::Continue(*item),
        };
        assert_eq!(each(&[0, 1, 2, 3, 4], 1, work), [0, 1, 2]);
    }
}
