//! Records the traffic of a run as a capture file.

use std::io::{self, Write};

use veschub_drive::observe::Saving;
use veschub_hub::journal::JournalEntry;
use veschub_transcript::live::LiveCapture;

/// The most bytes that are recorded of a run, so that a client that floods the hub does not fill the memory.
const MAX_BYTES: usize = 16 << 20;
/// The time in the file at which every run begins, since the epoch: 2026-01-01. So the same run gives the same file.
const START_NS: u64 = 1_767_225_600_000_000_000;
/// The hub's port in the file.
const PORT: u16 = 65_101;

/// A run that is being recorded.
pub(crate) struct Tape {
    capture: LiveCapture<Bounded>,
    result: io::Result<()>,
}

impl Tape {
    /// # Errors
    /// If the headers of the file do not fit; they always do.
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

    /// The recorded file.
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
            return Err(io::Error::other(
                "the traffic of the run is too large to be recorded",
            ));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use veschub_drive::observe::Observer;
    use veschub_hub::{
        hub::{ConnId, Event, Output},
        time::Time,
    };

    use super::*;

    #[test]
    fn of_a_flood_the_start_is_recorded_and_no_more() {
        let mut tape = Tape::new().unwrap();
        let mut watch = tape.watch(|_| {});
        let flooder = ConnId(1);
        watch.came(Time::ZERO, flooder, &Event::Opened);
        let said = Output::Write(vec![b'A'; 1 << 20]);
        for _ in 0..24 {
            watch.goes(Time::ZERO, flooder, &said);
        }
        let file = tape.finish();
        assert!(file.len() > MAX_BYTES / 2 && file.len() <= MAX_BYTES);
    }
}
