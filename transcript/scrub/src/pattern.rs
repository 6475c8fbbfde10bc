//! Known secrets, looked for in bytes that no field explains.

use std::ops::Range;

use crate::flow::Stretch;
use crate::words::Pattern;

/// What is looked for in texts, by its first byte.
pub(crate) struct Patterns {
    all: Vec<Pattern>,
    by_first: Vec<Vec<usize>>,
}

impl Patterns {
    /// The longest come first, and win.
    pub(crate) fn new(all: Vec<Pattern>) -> Self {
        let mut by_first = vec![Vec::new(); 256];
        for (index, pattern) in all.iter().enumerate() {
            if let Some(&first) = pattern.secret.first() {
                by_first[usize::from(first)].push(index);
            }
        }
        Self { all, by_first }
    }

    pub(crate) fn replace(
        &self,
        stretch: &mut Stretch,
        at: Range<usize>,
        mut found: impl FnMut(&Pattern),
    ) {
        let mut from = at.start;
        while from < at.end {
            let candidates = self.by_first[usize::from(stretch.bytes[from])].iter();
            let hit = candidates.map(|&index| &self.all[index]).find(|pattern| {
                let to = from + pattern.secret.len();
                to <= at.end
                    && stretch.bytes[from..to] == pattern.secret
                    && !stretch.done[from..to].contains(&true)
            });
            match hit {
                Some(pattern) => {
                    let to = from + pattern.secret.len();
                    stretch.bytes[from..to].copy_from_slice(&pattern.placeholder);
                    stretch.done[from..to].fill(true);
                    found(pattern);
                    from = to;
                }
                None => from += 1,
            }
        }
    }
}
