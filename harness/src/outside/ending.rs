//! How a client's process came to its end, as its supervisor reports it.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

/// The exit code by which a client says that it cannot do a task (as Automake's tests do).
pub const UNSUPPORTED: i32 = 77;

/// How a client's process ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "how")]
#[non_exhaustive]
pub enum How {
    /// It could not be started.
    NotStarted {
        /// What the system says.
        error: String,
    },
    /// It ended by itself.
    Exited {
        /// With this exit code.
        code: i32,
    },
    /// A signal ended it.
    Killed {
        /// The signal's name: `SIGSEGV`.
        signal: String,
    },
    /// It was ended because its time was up.
    TimeUp,
    /// It was ended because the harness did not want to wait longer.
    Stopped,
    /// Its supervisor did not tell.
    Lost,
}

/// What a supervisor tells of a client and its family.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// How the client ended.
    #[serde(flatten)]
    pub how: How,
    /// Processes that the client left running; they were ended.
    pub left_behind: usize,
    /// Whether SIGTERM did not end all of them.
    pub killed: bool,
    /// CPU time of the whole family in user mode, microseconds.
    pub user_us: u64,
    /// CPU time of the whole family in the kernel, microseconds.
    pub system_us: u64,
}

impl Report {
    /// A report of nothing but the end.
    #[must_use]
    pub fn new(how: How) -> Self {
        Self {
            how,
            left_behind: 0,
            killed: false,
            user_us: 0,
            system_us: 0,
        }
    }

    /// CPU time of the whole family.
    #[must_use]
    pub fn cpu(&self) -> Duration {
        Duration::from_micros(self.user_us + self.system_us)
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStarted { error } => write!(f, "could not be started: {error}"),
            Self::Exited { code } => write!(f, "ended with exit code {code}"),
            Self::Killed { signal } => write!(f, "was killed by {signal}"),
            Self::TimeUp => f.write_str("was still running at the time limit"),
            Self::Stopped => f.write_str("was stopped by the harness"),
            Self::Lost => f.write_str("is lost: its supervisor did not tell how it ended"),
        }
    }
}
