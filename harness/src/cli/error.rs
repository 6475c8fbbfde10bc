//! Why a command ends with exit code 2, or 4 where the harness itself had trouble.

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use veschub_transcript::foreign::visible_lines;

use crate::{
    conformance::{
        BatteryError, catalogue::CatalogueError, known::KnownDefectsError, select::SelectError,
    },
    outside::{command::CommandError, journal::JournalError, link::Link},
    report::saved::ReportError,
    run::RunError,
};

/// The exit code for trouble of the harness or the machine, which says nothing about the client.
pub(super) const TROUBLE: u8 = 4;

/// Why a command ends with exit code 2 or 4.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    #[error("cannot read {}: {error}", path.display())]
    Read { path: PathBuf, error: io::Error },
    #[error("cannot write {}: {error}", path.display())]
    Write { path: PathBuf, error: io::Error },
    #[error("cannot start: {0}")]
    Start(io::Error),
    #[error("cannot write to stdout: {0}")]
    Stdout(io::Error),
    #[error("{}: no such file or folder; name a scenario file, or a folder with scenario files", .0.display())]
    NoSuchPath(PathBuf),
    #[error("no scenario file below {0}: their names end in .yaml")]
    NoScenarios(String),
    #[error(
        "cannot find the file of this program, which has to start itself to supervise the client: {0}"
    )]
    NoSupervisor(io::Error),
    #[cfg(unix)]
    #[error("--client: {0}")]
    Place(#[from] CommandError),
    #[error("--link {0} needs a program that the harness starts: give it with --client")]
    NeedsClient(Link),
    #[error("--show needs exactly one case, as in --show 2/12")]
    ShowOne,
    #[error("{}: {error}", path.display())]
    List { path: PathBuf, error: SelectError },
    #[error("{}: {error}", path.display())]
    KnownDefects {
        path: PathBuf,
        error: KnownDefectsError,
    },
    #[error("{}: {error}", path.display())]
    Journal { path: PathBuf, error: JournalError },
    #[error("{}: {error}", path.display())]
    Report { path: PathBuf, error: ReportError },
    #[error("{}: the report is too large: more than {limit} bytes", path.display())]
    TooLarge { path: PathBuf, limit: u64 },
    #[error("the report cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Select(#[from] SelectError),
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    #[error(transparent)]
    Battery(#[from] BatteryError),
    #[error(transparent)]
    Merge(#[from] ReportError),
}

impl CliError {
    pub(super) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Read { path, error }
    }

    pub(super) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Write { path, error }
    }

    /// Prints the message, and returns the exit code.
    pub(super) fn tell(&self) -> ExitCode {
        eprintln!("error: {}", visible_lines(&self.to_string()));
        ExitCode::from(self.code())
    }

    fn code(&self) -> u8 {
        match self {
            Self::Start(_) | Self::NoSupervisor(_) => TROUBLE,
            Self::Battery(BatteryError::Case {
                error: RunError::Io(_),
                ..
            }) => TROUBLE,
            _ => 2,
        }
    }
}

/// The result of writing to stdout. A reader that closes the pipe early, such as `head`, is not an error.
pub(super) fn written(result: io::Result<()>) -> Result<(), CliError> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CliError::Stdout(error)),
        _ => Ok(()),
    }
}
