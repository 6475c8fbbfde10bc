//! How a client's process ended, as its supervisor reports it.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

/// The exit code by which a client says that it cannot do a task (as Automake's tests do).
pub const UNSUPPORTED: i32 = 77;

/// How a client's process ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "how")]
#[non_exhaustive]
pub enum ProcessEnd {
    /// It could not be started.
    NotStarted {
        /// The error of the operating system.
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
    /// The supervisor ended it at the time limit.
    TimeUp,
    /// The supervisor ended it because the harness asked for it.
    Stopped,
    /// Unknown: its supervisor did not report.
    Lost,
}

/// What a supervisor reports about a client and all processes that the client started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessReport {
    /// How the client ended.
    #[serde(flatten)]
    pub how: ProcessEnd,
    /// How many processes the client left running; the supervisor ended them.
    pub left_behind: usize,
    /// Whether some process did not end after SIGTERM and was killed.
    pub killed: bool,
    /// CPU time of all these processes in user mode, microseconds.
    pub user_us: u64,
    /// CPU time of all these processes in the kernel, microseconds.
    pub system_us: u64,
}

impl ProcessReport {
    /// A report that only says how the client ended.
    #[must_use]
    pub fn new(how: ProcessEnd) -> Self {
        Self {
            how,
            left_behind: 0,
            killed: false,
            user_us: 0,
            system_us: 0,
        }
    }

    /// CPU time of all these processes.
    #[must_use]
    pub fn cpu(&self) -> Duration {
        Duration::from_micros(self.user_us + self.system_us)
    }
}

impl fmt::Display for ProcessEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStarted { error } => write!(f, "could not be started: {error}"),
            Self::Exited { code } => write!(f, "ended with exit code {code}"),
            Self::Killed { signal } => write!(f, "was killed by {signal}"),
            Self::TimeUp => f.write_str("was still running at the time limit"),
            Self::Stopped => f.write_str("was stopped by the harness"),
            Self::Lost => f.write_str("ended in an unknown way: its supervisor did not report"),
        }
    }
}
