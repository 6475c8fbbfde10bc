//! Work that is due at a time, in the order of the times and, at one time, of arrival.

use std::collections::BTreeMap;

use crate::time::Time;

/// The most jobs that wait; a tool that asks faster than a device answers finds its requests dropped.
const MAX_WAITING: usize = 4096;

#[derive(Clone, Debug)]
pub(super) struct Queue<T> {
    jobs: BTreeMap<(Time, u64), T>,
    next: u64,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self {
            jobs: BTreeMap::new(),
            next: 0,
        }
    }
}

impl<T> Queue<T> {
    /// Adds a job; false when there are too many.
    pub(super) fn push(&mut self, due: Time, job: T) -> bool {
        if self.jobs.len() >= MAX_WAITING {
            return false;
        }
        self.jobs.insert((due, self.next), job);
        self.next += 1;
        true
    }

    /// The first job that is due by `now`, with the time at which it was.
    pub(super) fn pop(&mut self, now: Time) -> Option<(Time, T)> {
        let first = self.jobs.first_entry()?;
        let (due, _) = *first.key();
        (due <= now).then(|| (due, first.remove()))
    }

    /// Keeps the jobs for which this holds.
    pub(super) fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        self.jobs.retain(|_, job| keep(job));
    }

    pub(super) fn next_due(&self) -> Option<Time> {
        self.jobs.first_key_value().map(|(&(due, _), _)| due)
    }
}
