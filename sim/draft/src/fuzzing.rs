//! Body of a fuzz target, and of the test that replays what it once found: `capture_file`, from the recording to a
//! scenario that holds.
//!
//! An input is a capture file, as it is. What is read from it is checked by the body of the same name in
//! `veschub-transcript`; both run over every input.

use std::{
    io::{self, Cursor, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use veschub_hub::rng::Seed;
use veschub_scenario::{Files, Loaded};
use veschub_transcript::{Choice, Options, Transcript};
use veschub_wire::fuzzing::Target;

use crate::{DraftOptions, draft, stand_in};

/// The targets of this crate, and what each does with an input.
pub const TARGETS: &[Target] = &[("capture_file", capture_file)];

/// Where the drafts of an input lie.
const FOLDER: &str = "somewhere";

/// Drafts a scenario from a capture, with and without series, and checks that it can be used as it is.
///
/// # Panics
/// If something does not hold.
pub fn capture_file(data: &[u8]) {
    for choice in [Choice::ByContent, Choice::Connection(1)] {
        let options = Options {
            choice,
            ..Options::default()
        };
        if let Ok(transcript) = Transcript::from_capture(data, &options) {
            holds(&transcript);
        }
    }
}

fn holds(transcript: &Transcript) {
    for series in [true, false] {
        let options = DraftOptions {
            series,
            ..DraftOptions::default()
        };
        let drafted = match draft(transcript, &options) {
            Ok(drafted) => drafted,
            Err(error) => return assert!(!error.to_string().is_empty()),
        };
        assert!(series || drafted.tables.is_empty());
        assert!(!drafted.devices.is_empty());
        let files = Arc::new(Tables(drafted.tables));
        let loaded = Loaded::read(files, "draft", &drafted.yaml, Path::new(FOLDER), &[]);
        let warnings = loaded.and_then(|loaded| loaded.warnings());
        for warning in warnings.as_deref().unwrap_or_default() {
            assert!(!warning.to_string().is_empty());
        }
        assert!(
            warnings.is_ok(),
            "a draft cannot be used: {warnings:?}\n{}",
            drafted.yaml
        );
        for evidence in &drafted.evidence {
            assert!(!evidence.to_string().is_empty());
        }
    }
    assert!(stand_in(transcript, None, Seed(0)).is_ok());
}

/// The series of a draft.
#[derive(Debug)]
struct Tables(Vec<(String, String)>);

impl Files for Tables {
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        let is_it = |name: &str| PathBuf::from(FOLDER).join(name) == path;
        let found = self.0.iter().find(|(name, _)| is_it(name));
        let (_, text) = found.ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(Cursor::new(text.clone().into_bytes())))
    }
}
