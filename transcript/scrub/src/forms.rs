//! Known secrets in every form: as they are, written as hex, as base64 or as a list of numbers, and as an IPv6 address in
//! any notation.

use crate::address::Addresses;
use crate::base64;
use crate::numbers::{self, Base};
use crate::pattern::{Found, Patterns, Text};
use crate::words::Words;

/// What is looked for.
pub(crate) struct Forms {
    patterns: Patterns,
    addresses: Addresses,
}

impl Forms {
    /// Everything that was replaced so far.
    pub(crate) fn of(words: &Words) -> Self {
        Self {
            patterns: Patterns::new(words.patterns()),
            addresses: words.addresses(),
        }
    }

    /// Replaces every known secret by its placeholder.
    pub(crate) fn replace(&self, text: &mut Text<'_>, found: Found<'_>) {
        self.addresses.replace(text, found);
        self.patterns.replace(text, found);
        numbers::replace(&self.patterns, text, Base::Hex, found);
        base64::replace(&self.patterns, text, found);
        numbers::replace(&self.patterns, text, Base::Decimal, found);
    }
}
