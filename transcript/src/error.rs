//! What can be wrong with a capture file, in words that say what to do next.
//!
//! Only what leaves nothing to show is an error of [`crate::Transcript::from_capture`]. A file
//! that is readable up to some place gives a transcript up to there, and a [`Truncated`].

use std::fmt;

use thiserror::Error;

/// Why a capture could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// The file has no bytes at all.
    #[error("the capture is empty (0 bytes): record again, or check the path")]
    Empty,
    /// The file is something else.
    #[error("not a capture: the file starts with {first}, wanted pcap, pcapng or a log of candump; {}", first.advice())]
    NotACapture {
        /// How the file starts.
        first: FirstBytes,
    },
    /// It looks compressed, and nothing comes out.
    #[error("nothing of the compressed capture can be unpacked: {cause}; try `gzip -t` on it")]
    Gzip {
        /// What is wrong with it.
        cause: &'static str,
    },
    /// A block contradicts itself.
    #[error(
        "unreadable block at file offset {offset}, after packet {after_record}: {cause}; \
         the file is damaged from there on"
    )]
    Unreadable {
        /// Where in the file the block starts.
        offset: u64,
        /// The number of the last packet before it.
        after_record: u64,
        /// What is wrong with it.
        cause: &'static str,
    },
    /// A block is larger than any that a capture program writes.
    #[error(
        "{what} at file offset {offset}, after packet {after_record}, is {wanted} bytes long, \
         the limit is {limit}: the file is damaged from there on"
    )]
    TooLarge {
        /// A block or a packet.
        what: &'static str,
        /// Where in the file it starts.
        offset: u64,
        /// The number of the last packet before it.
        after_record: u64,
        /// Its length by its own account.
        wanted: u64,
        /// The largest length that is read.
        limit: u64,
    },
    /// The operating system could not read on.
    #[error("cannot read the capture at file offset {offset}: {source}")]
    Io {
        /// Where in the file.
        offset: u64,
        /// What the operating system says.
        source: std::io::Error,
    },
}

impl CaptureError {
    /// The place where reading ended, if some of the file was readable before it.
    #[must_use]
    pub fn truncated(&self) -> Option<Truncated> {
        let truncated = match self {
            Self::Unreadable {
                offset,
                after_record,
                cause,
            } => Truncated {
                offset: *offset,
                after_record: *after_record,
                cause: format!("the next block is damaged, {cause}"),
                unpacked: false,
            },
            Self::TooLarge {
                what,
                offset,
                after_record,
                wanted,
                limit,
            } => Truncated {
                offset: *offset,
                after_record: *after_record,
                cause: format!("{what} of {wanted} bytes follows, the limit is {limit}"),
                unpacked: false,
            },
            _ => return None,
        };
        (truncated.after_record > 0).then_some(truncated)
    }
}

/// Where a capture ended before its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truncated {
    /// The file offset at which reading stopped.
    pub offset: u64,
    /// The number of the last packet that was read; 0 for none.
    pub after_record: u64,
    /// In what the file ended, or why reading stopped.
    pub cause: String,
    /// Whether the offset is that of the file as it was before it was compressed.
    pub unpacked: bool,
}

impl fmt::Display for Truncated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the capture is readable only up to file offset {}{}, after packet {}: {}",
            self.offset,
            if self.unpacked { " (unpacked)" } else { "" },
            self.after_record,
            self.cause
        )
    }
}

/// The first few bytes of a file that is no capture; too few to give a secret away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstBytes(Vec<u8>);

impl FirstBytes {
    /// How many bytes are kept.
    pub(crate) const SHOWN: usize = 8;

    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(bytes[..bytes.len().min(Self::SHOWN)].to_vec())
    }

    fn is_text(&self) -> bool {
        self.0
            .iter()
            .all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n'))
    }

    /// What to do with a file that starts like this.
    fn advice(&self) -> &'static str {
        match self.0.as_slice() {
            [0x28, 0xB5, 0x2F, 0xFD, ..] => "it looks compressed (zstd): unpack it first",
            _ => "a bare byte stream is read with `--raw to-device` or `--raw to-tool`",
        }
    }
}

impl fmt::Display for FirstBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_text() {
            let text: String = self.0.iter().map(|&byte| char::from(byte)).collect();
            return write!(f, "the text {text:?}…");
        }
        let hex: Vec<String> = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        write!(f, "the bytes {}", hex.join(" "))
    }
}
