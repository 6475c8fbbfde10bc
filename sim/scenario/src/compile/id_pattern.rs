//! Ids of many devices from one description: `pack-{n:03}` is `pack-001`, `pack-002` and so on.

/// An id with a number in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IdPattern<'a> {
    before: &'a str,
    width: usize,
    after: &'a str,
}

/// Why an id stands for one device only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoPattern<'a> {
    #[error("`{0}` has no place for a number")]
    NoPlace(&'a str),
    #[error("`{0}` has no closing brace")]
    NoEnd(&'a str),
    #[error("`{{n{0}}}` is no place for a number")]
    OddPlace(&'a str),
}

/// The most digits that a number is filled up to.
const MAX_WIDTH: usize = 9;

impl<'a> IdPattern<'a> {
    /// Reads a pattern.
    ///
    /// # Errors
    /// If it has no place for a number.
    pub(super) fn parse(id: &'a str) -> Result<Self, NoPattern<'a>> {
        let (before, rest) = id.split_once("{n").ok_or(NoPattern::NoPlace(id))?;
        let (format, after) = rest.split_once('}').ok_or(NoPattern::NoEnd(id))?;
        let width = match format.strip_prefix(":0") {
            None if format.is_empty() => Some(0),
            None => None,
            Some(digits) => digits.parse().ok().filter(|&width| width <= MAX_WIDTH),
        };
        let width = width.ok_or(NoPattern::OddPlace(format))?;
        Ok(Self {
            before,
            width,
            after,
        })
    }

    /// The id of the n-th device.
    pub(super) fn number(&self, n: usize) -> String {
        let Self {
            before,
            width,
            after,
        } = self;
        format!("{before}{n:0width$}{after}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stands_where_the_pattern_says_and_is_filled_with_zeros() {
        for (pattern, id) in [
            ("pack-{n:03}", "pack-007"),
            ("{n}-b", "7-b"),
            ("a{n:02}", "a07"),
        ] {
            assert_eq!(IdPattern::parse(pattern).unwrap().number(7), id);
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for id in [
            "pack-1",
            "pack-{n",
            "pack-{n:3}",
            "pack-{n:0x}",
            "pack-{n:099}",
        ] {
            assert!(IdPattern::parse(id).is_err(), "{id}");
        }
    }
}
