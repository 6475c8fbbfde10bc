//! Why a payload could not be read as the command that its id names.

use alloc::vec::Vec;
use core::fmt;

use crate::id::CommandId;

/// Numbers with commas between them.
struct Listed<'a>(&'a [usize]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, number) in self.0.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{number}")?;
        }
        Ok(())
    }
}

/// A payload that ends before a field that its command must have, or that contradicts itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Fewer bytes than the field needs.
    #[error("{command}: `{field}` at offset {offset} needs {wanted} bytes, {have} are there")]
    Short {
        /// The command that was read.
        command: CommandId,
        /// The field that did not fit.
        field: &'static str,
        /// Where it starts in the payload; the id is at 0.
        offset: usize,
        /// The bytes that it needs.
        wanted: usize,
        /// The bytes that are left.
        have: usize,
    },
    /// A text without its closing NUL.
    #[error("{command}: `{field}` at offset {offset} is not closed by a NUL")]
    Unterminated {
        /// The command that was read.
        command: CommandId,
        /// The text that has no end.
        field: &'static str,
        /// Where it starts in the payload; the id is at 0.
        offset: usize,
    },
    /// A length that no firmware sends, as far as is known: what its bytes mean cannot be told.
    #[error(
        "{command}: {have} bytes fit no layout that is known (known: {})",
        Listed(known)
    )]
    Length {
        /// The command that was read.
        command: CommandId,
        /// The length of the payload.
        have: usize,
        /// The lengths that are known.
        known: Vec<usize>,
    },
    /// A payload without even a command id; no frame can carry one.
    #[error("the payload is empty")]
    Empty,
}
