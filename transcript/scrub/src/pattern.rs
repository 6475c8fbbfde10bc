//! What is looked for in bytes that no field explains, and where it stands as it is.

use veschub_transcript::secret::Secret;

/// A text to be looked for everywhere.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    /// The secret as its field holds it.
    pub(crate) origin: Vec<u8>,
    /// The form in which it is looked for.
    pub(crate) secret: Vec<u8>,
    pub(crate) placeholder: Vec<u8>,
    pub(crate) what: Secret,
    pub(crate) sort: Sort,
}

/// How a secret may stand in other bytes, besides as hex, base64 or a list of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    /// As a text.
    Text {
        ignores_case: bool,
        /// Whether blanks within it do not count, as a hub has it with ids.
        skips_blanks: bool,
    },
    /// As these bytes.
    Raw,
    /// Not as these bytes: so few stand anywhere by chance.
    Coded,
}

impl Sort {
    pub(crate) const EXACT: Self = Self::Text {
        ignores_case: false,
        skips_blanks: false,
    };
}

/// Bytes that are searched.
pub(crate) struct Text<'a> {
    pub(crate) bytes: &'a mut [u8],
    /// Which of them were dealt with.
    pub(crate) done: &'a mut [bool],
}

/// What is looked for, by its first byte.
pub(crate) struct Patterns {
    all: Vec<Pattern>,
    by_first: Vec<Vec<usize>>,
}

/// A secret that was found.
pub(crate) struct Hit<'a> {
    pub(crate) pattern: &'a Pattern,
    /// Behind its last byte.
    pub(crate) end: usize,
}

/// Told of what was replaced.
pub(crate) type Found<'a> = &'a mut dyn FnMut(&Pattern);

impl Patterns {
    /// The longest come first, and win.
    pub(crate) fn new(all: Vec<Pattern>) -> Self {
        let mut by_first = vec![Vec::new(); 256];
        for (index, pattern) in all.iter().enumerate() {
            let Some(&first) = pattern.secret.first() else {
                continue;
            };
            let mut firsts = vec![first];
            if pattern.ignores_case() {
                firsts.extend([first.to_ascii_lowercase(), first.to_ascii_uppercase()]);
                firsts.sort_unstable();
                firsts.dedup();
            }
            for first in firsts {
                by_first[usize::from(first)].push(index);
            }
        }
        Self { all, by_first }
    }

    /// Replaces secrets that stand there as they are.
    pub(crate) fn replace(&self, text: &mut Text<'_>, found: Found<'_>) {
        let mut from = 0;
        while from < text.bytes.len() {
            let hit = self.at(text.bytes, from, |pattern, end| {
                !matches!(pattern.sort, Sort::Coded) && !text.done[from..end].contains(&true)
            });
            let Some(Hit { pattern, end }) = hit else {
                from += 1;
                continue;
            };
            let new = pattern.spread(&text.bytes[from..end]);
            text.bytes[from..end].copy_from_slice(&new);
            text.done[from..end].fill(true);
            found(pattern);
            from = end;
        }
    }

    /// The secret that begins here: the longest, and one that is written exactly like this before one in another case.
    pub(crate) fn at(
        &self,
        bytes: &[u8],
        from: usize,
        is_wanted: impl Fn(&Pattern, usize) -> bool,
    ) -> Option<Hit<'_>> {
        let mut best: Option<Hit<'_>> = None;
        for &index in &self.by_first[usize::from(bytes[from])] {
            let pattern = &self.all[index];
            let longest = best.as_ref().map(|hit| hit.pattern.secret.len());
            if longest.is_some_and(|longest| pattern.secret.len() < longest) {
                break;
            }
            let Some(end) = pattern.end_in(bytes, from) else {
                continue;
            };
            if !is_wanted(pattern, end) {
                continue;
            }
            if bytes[from..end] == pattern.secret {
                return Some(Hit { pattern, end });
            }
            best.get_or_insert(Hit { pattern, end });
        }
        best
    }
}

impl Pattern {
    fn ignores_case(&self) -> bool {
        matches!(
            self.sort,
            Sort::Text {
                ignores_case: true,
                ..
            }
        )
    }

    fn skips_blanks(&self) -> bool {
        matches!(
            self.sort,
            Sort::Text {
                skips_blanks: true,
                ..
            }
        )
    }

    /// The placeholder in place of these bytes; blanks within an id stay where they are.
    pub(crate) fn spread(&self, old: &[u8]) -> Vec<u8> {
        let mut new = self.placeholder.iter().copied();
        old.iter()
            .map(|&byte| match byte {
                b' ' if self.skips_blanks() => byte,
                _ => new.next().unwrap_or(b'x'),
            })
            .collect()
    }

    /// Where the secret ends that begins at `from`, if it does.
    fn end_in(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let mut at = from;
        for &wanted in &self.secret {
            if self.skips_blanks() && at > from {
                at += bytes[at..].iter().take_while(|&&byte| byte == b' ').count();
            }
            let &byte = bytes.get(at)?;
            let is_same = match self.ignores_case() {
                true => byte.eq_ignore_ascii_case(&wanted),
                false => byte == wanted,
            };
            if !is_same {
                return None;
            }
            at += 1;
        }
        Some(at)
    }
}
