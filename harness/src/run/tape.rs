//! What went over the wire in a run, as a capture file to look at afterwards.

use std::io::{self, Write};

use veschub_drive::observe::Saving;
use veschub_hub::journal::JournalEntry;
use veschub_transcript::live::LiveCapture;

/// The most bytes that are kept of a run: a client that floods the hub does not fill the memory.
const MAX_BYTES: usize = 16 << 20;
/// When every run begins in its file, since the epoch: 2026-01-01. The same run gives the same file.
const START_NS: u64 = 1_767_225_600_000_000_000;
/// The hub's port in the file.
const PORT: u16 = 65_101;

/// A run being recorded.
pub(crate) struct Tape {
    capture: LiveCapture<Bounded>,
    result: io::Result<()>,
}

impl Tape {
    /// # Errors
    /// If not even the file's headers fit, which they do.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            capture: LiveCapture::new(Bounded::default(), PORT, START_NS)?,
            result: Ok(()),
        })
    }

    /// Records what an observer of the hub sees; the journal goes on to `then`.
    pub(crate) fn watch<F: FnMut(JournalEntry)>(&mut self, then: F) -> Saving<'_, Bounded, F> {
        Saving::new(&mut self.capture, &mut self.result, then)
    }

    /// The file, as far as it goes.
    pub(crate) fn finish(self) -> Vec<u8> {
        let Bounded(bytes) = self.capture.finish().unwrap_or_default();
        bytes
    }
}

#[derive(Debug, Default)]
pub(crate) struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_BYTES {
            return Err(io::Error::other("the run says too much to be kept"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
