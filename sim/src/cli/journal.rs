//! `--journal` of the live commands: what happens at the hub as JSON Lines, while it happens.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    mem,
    path::Path,
};

use super::{Failure, SaveArgs, outlet::Outlet};
use veschub_hub::{
    hub::{Access, Resident},
    journal::{
        JournalEntry,
        json::{self, Device, Start},
    },
};
use veschub_scenario::Loaded;

/// How many bytes of lines a call writes at most, unless a line is longer.
const ROOM: usize = 64 << 10;

/// A journal that is being written.
pub(super) struct Journal {
    out: Out,
    name: String,
    /// Whether entries are written as they are.
    keep_credentials: bool,
    /// The first error, after which nothing more is written.
    result: io::Result<()>,
    error_is_told: bool,
}

enum Out {
    /// A file takes every line, or the journal ends with an error. The lines before the same flush come in one call.
    File(BufWriter<File>),
    /// A reader may be slow, and the hub does not wait for it.
    Reader(Outlet),
}

/// What a journal says of a hub before anything happens there.
#[derive(Default)]
pub(super) struct About {
    pub(super) seed: Option<u64>,
    pub(super) devices: Vec<Device>,
    /// The scenario that the hub was made of, if it was one.
    pub(super) scenario: Option<Loaded>,
}

impl About {
    /// These devices, with their passwords.
    pub(super) fn new(seed: Option<u64>, residents: &[Resident]) -> Self {
        let device = |one: &Resident| Device {
            id: one.id.clone(),
            password: match &one.access {
                Access::Password(password) => Some(password.clone()),
                Access::Anyone => None,
            },
        };
        Self {
            seed,
            devices: residents.iter().map(device).collect(),
            scenario: None,
        }
    }

    fn masked(mut self) -> Self {
        for password in self.devices.iter_mut().flat_map(|one| &mut one.password) {
            *password = "***".to_owned();
        }
        self
    }
}

impl SaveArgs {
    /// A new journal, if one is wanted.
    pub(super) fn journal(&self) -> Result<Option<Journal>, Failure> {
        let Some(path) = &self.journal else {
            return Ok(None);
        };
        let failed = |error| Failure::Text(format!("cannot write the journal: {error}"));
        let (out, name) = if path == Path::new("-") {
            let out = Outlet::new(io::stdout(), json::left_out).map_err(failed)?;
            (Out::Reader(out), "stdout".to_owned())
        } else {
            let file = self.open(path)?;
            let out = match file.metadata().is_ok_and(|about| about.is_file()) {
                true => Out::File(BufWriter::with_capacity(ROOM, file)),
                false => Out::Reader(Outlet::new(file, json::left_out).map_err(failed)?),
            };
            (out, path.display().to_string())
        };
        Ok(Some(Journal {
            out,
            name,
            keep_credentials: self.keep_credentials,
            result: Ok(()),
            error_is_told: false,
        }))
    }
}

impl Journal {
    /// Writes the first line. Passwords are masked unless they are to be kept.
    pub(super) fn start(&mut self, listening: String, about: About, keep_credentials: bool) {
        let About { seed, devices, .. } = if keep_credentials {
            about
        } else {
            about.masked()
        };
        self.result = Start::new(listening, seed, devices).write(&mut self.out);
    }

    /// Writes an entry, masked unless credentials are to be kept.
    pub(super) fn entry(&mut self, unmasked: &JournalEntry, masked: &JournalEntry) {
        let entry = if self.keep_credentials {
            unmasked
        } else {
            masked
        };
        if self.result.is_ok() {
            self.result = json::write(&mut self.out, entry);
        }
    }

    /// Makes sure that what was written has left: what it tells of happens next. The error, if there is one that was not
    /// given before.
    pub(super) fn told(&mut self) -> Option<&io::Error> {
        if self.result.is_ok() {
            self.result = self.out.flush();
        }
        let error = self.result.as_ref().err()?;
        (!mem::replace(&mut self.error_is_told, true)).then_some(error)
    }

    /// A reader that has seen enough is no failure; any other error on the way is one at the end.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        self.told();
        let ended = match self.out {
            Out::File(_) => Ok(()),
            Out::Reader(mut out) => out.finish(),
        };
        match self.result.and(ended) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Text(format!(
                "the journal on {} ends early: {error}",
                self.name
            ))),
            _ => Ok(()),
        }
    }
}

impl Write for Out {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(out) => out.write(line),
            Self::Reader(out) => out.write(line),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(out) => out.flush(),
            Self::Reader(out) => out.flush(),
        }
    }
}
