//! Checks that the definitions of faults share. Each finds one mistake at most; whoever asks notes it among the others.

use crate::{
    duration::Duration,
    mistake::{Mistake, Step},
};

/// What one check finds.
pub(crate) type Checked = Option<Mistake>;

/// Refuses a number that is given and outside of a range.
pub(crate) fn range(
    key: &'static str,
    given: impl Into<Option<usize>>,
    least: usize,
    most: usize,
) -> Checked {
    match given.into() {
        Some(number) if !(least..=most).contains(&number) => Some(Mistake::at(
            key,
            format!("{number} is out of range: wanted {least} to {most}"),
        )),
        _ => None,
    }
}

/// Refuses a count of nothing.
pub(crate) fn counted(key: &'static str, given: Option<u64>) -> Checked {
    match given {
        Some(0) => Some(
            Mistake::at(key, format!("`{key}` counts from 1, so 0 never comes"))
                .helped("the first one is 1"),
        ),
        _ => None,
    }
}

/// Refuses a time of no length, `so` that nothing comes of it.
pub(crate) fn lasting(key: &'static str, given: impl Into<Option<Duration>>, so: &str) -> Checked {
    match given.into() {
        Some(Duration(0)) => Some(Mistake::at(key, format!("a time of 0 s {so}"))),
        _ => None,
    }
}

/// Refuses two keys that are given and exclude each other.
pub(crate) fn not_both(keys: [(&'static str, bool); 2]) -> Checked {
    let [(first, first_given), (second, second_given)] = keys;
    if !first_given || !second_given {
        return None;
    }
    let message = format!("`{first}` and `{second}` contradict each other");
    let mut mistake = Mistake::at(second, message);
    mistake.at_key = true;
    mistake.also = Some((vec![Step::Key(first)], true, "the other one"));
    Some(mistake.helped("keep one of them"))
}
