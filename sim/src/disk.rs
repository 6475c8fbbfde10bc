//! Scenarios from the disk: the files that they name, and devices inferred from recordings.

use std::{
    error::Error,
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use veschub_hub::{device::Device, rng::Seed};
use veschub_scenario::{Files, Loaded, ScenarioError};
use veschub_transcript::Transcript;

#[derive(Debug)]
struct Disk;

impl Files for Disk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn io::Read>> {
        Ok(Box::new(File::open(path)?))
    }

    fn identity(&self, path: &Path) -> PathBuf {
        path.canonicalize().unwrap_or_else(|_| path.to_owned())
    }

    fn stand_in(
        &self,
        transcript: &Transcript,
        id: Option<&str>,
        seed: Seed,
    ) -> Result<Box<dyn Device>, Box<dyn Error>> {
        veschub_draft::stand_in(transcript, id, seed)
    }
}

/// Reads a scenario file with some values replaced: `path=value`, as in `devices.0.express.bms.cells=12`.
///
/// # Errors
/// All mistakes, each with its place in the file or the setting.
pub fn open(path: &Path, settings: &[String]) -> Result<Loaded, ScenarioError> {
    Loaded::open(Arc::new(Disk), path, settings)
}

/// Reads a scenario from text with some values replaced; the files that it names are found from `folder` on, and
/// `name` is what messages call it.
///
/// # Errors
/// All mistakes, each with its place in the text or the setting.
pub fn parse(
    name: &str,
    text: &str,
    folder: &Path,
    settings: &[String],
) -> Result<Loaded, ScenarioError> {
    Loaded::read(Arc::new(Disk), name, text, folder, settings)
}
