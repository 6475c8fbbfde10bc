//! Messages of the program that cannot go to stderr while the terminal is drawn on.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// How many are kept.
const MOST: usize = 100;

/// The latest messages, for the page and for whoever comes after it.
#[derive(Clone, Debug, Default)]
pub struct Notices(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    texts: VecDeque<String>,
    /// How many there were since the start.
    count: u64,
}

impl Notices {
    /// Keeps a message; it may have several lines.
    pub fn say(&self, text: impl Into<String>) {
        let mut kept = self.lock();
        kept.texts.push_back(text.into());
        kept.count += 1;
        if kept.texts.len() > MOST {
            kept.texts.pop_front();
        }
    }

    /// Takes all that are kept, the oldest first.
    #[must_use]
    pub fn take(&self) -> Vec<String> {
        self.lock().texts.drain(..).collect()
    }

    /// All that are kept, if there were more since there were so many; and how many there were.
    pub(crate) fn since(&self, count: u64) -> Option<(Vec<String>, u64)> {
        let kept = self.lock();
        (kept.count > count).then(|| (kept.texts.iter().cloned().collect(), kept.count))
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_kept_and_whoever_has_seen_them_hears_nothing() {
        let notices = Notices::default();
        for number in 0..=MOST {
            notices.say(number.to_string());
        }
        let (texts, count) = notices.since(0).unwrap();
        assert_eq!((texts.len(), texts[0].as_str()), (MOST, "1"));
        assert_eq!(notices.since(count), None);
        assert_eq!(notices.take().len(), MOST);
        assert!(notices.take().is_empty());
    }
}
