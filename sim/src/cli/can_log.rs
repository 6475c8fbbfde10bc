//! The log of a simulated CAN bus, written while a device is served.

use std::{fs::File, io, path::Path};

use veschub_hub::time::Time;
use veschub_transcript::can::{Frame, LogFormat, LogWriter};

use super::{Failure, SaveArgs, process::now_ns};

/// What the bus is called in each line of a text log.
const INTERFACE: &str = "vcan0";

/// A log of a CAN bus.
#[derive(Debug)]
pub(super) struct CanLog {
    writer: LogWriter<File>,
    name: String,
    /// The first error, after which nothing more is written.
    result: io::Result<()>,
}

/// The form of a log, by the name of its file.
pub(super) fn format(name: &str) -> Option<LogFormat> {
    LogFormat::of_name(name)
}

impl CanLog {
    /// A new file.
    pub(super) fn create(path: &Path, save: &SaveArgs) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let failed = |error: io::Error| Failure::Text(format!("cannot write {name}: {error}"));
        let file = save.open(path)?;
        let format = format(&name).unwrap_or(LogFormat::Candump);
        let writer = LogWriter::new(file, format, INTERFACE, now_ns()).map_err(failed)?;
        Ok(Self {
            writer,
            name,
            result: Ok(()),
        })
    }

    /// Writes a frame; the error, if it is the first.
    pub(super) fn frame(&mut self, at: Time, frame: &Frame) -> Option<&io::Error> {
        if self.result.is_err() {
            return None;
        }
        self.result = self.writer.frame(at.as_nanos(), frame);
        self.result.as_ref().err()
    }

    /// Closes the file and reports the first error of writing it.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let finished = self.result.and_then(|()| self.writer.finish().map(drop));
        finished.map_err(|error| {
            Failure::Text(format!(
                "{} ends early: {error}; what was written before can be read",
                self.name
            ))
        })
    }
}
