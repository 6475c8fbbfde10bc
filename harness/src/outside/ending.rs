//! How a client's process ended, as its supervisor reports it.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

/// The exit code by which a client says that it cannot do a task (as Automake's tests do).
pub const UNSUPPORTED: i32 = 77;
/// How much of a crash's report is shown, in characters.
const GIST: usize = 160;

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
    /// It ended by itself because of a mistake in it: an exception that nothing caught, or a panic.
    Panicked {
        /// With this exit code.
        code: i32,
        /// The language whose report it is, and the report's gist: `Python: ZeroDivisionError: division by zero`.
        report: String,
    },
    /// A signal ended it.
    Killed {
        /// The signal's name: `SIGSEGV`.
        signal: String,
        /// The signal's number: 11.
        #[serde(default)]
        number: i32,
    },
    /// The signal that the case wants it to get ended it.
    Struck {
        /// The signal's name: `SIGKILL`.
        signal: String,
    },
    /// The supervisor ended it at the time limit.
    TimeUp,
    /// The supervisor ended it because the harness asked for it.
    Stopped,
    /// The harness ended it because it, or a process that it started, killed or stopped its supervisor.
    Unwatched {
        /// The signal that killed the supervisor, such as `SIGKILL`; none if it was stopped.
        signal: Option<String>,
    },
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
    /// How many processes could not be ended at all.
    #[serde(default)]
    pub survivors: usize,
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
            survivors: 0,
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

/// Why a session ended before the client was done, so that it says little about what the client was asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutShort {
    /// The client was still running at the time limit.
    TimeUp,
    /// The client crashed.
    Crash,
}

impl ProcessEnd {
    /// The same, with what the client's stderr says of it: the report of a crash.
    #[must_use]
    pub fn explained(self, stderr: &str) -> Self {
        match self {
            Self::Exited { code } if code != 0 && code != UNSUPPORTED => match crash(stderr) {
                Some(report) => Self::Panicked { code, report },
                None => Self::Exited { code },
            },
            other => other,
        }
    }

    /// Whether the client did not get to its own end.
    #[must_use]
    pub fn cut_short(&self) -> Option<CutShort> {
        match self {
            Self::TimeUp => Some(CutShort::TimeUp),
            Self::Panicked { .. } | Self::Killed { .. } => Some(CutShort::Crash),
            _ => None,
        }
    }
}

/// The gist of a crash that a language's runtime reports on stderr.
fn crash(stderr: &str) -> Option<String> {
    let lines = || stderr.lines().map(str::trim_end);
    let found = |language: &str, gist: Option<&str>| {
        let gist: String = gist
            .unwrap_or("it does not say why")
            .trim()
            .chars()
            .take(GIST)
            .collect();
        Some(format!("{language}: {gist}"))
    };
    if lines().any(|line| line.starts_with("Traceback (most recent call last):")) {
        // The last line that is not indented names the exception.
        let gist = lines()
            .skip_while(|line| !line.starts_with("Traceback"))
            .skip(1);
        let gist = gist.filter(|line| !line.is_empty() && !line.starts_with(' '));
        return found("Python", gist.last());
    }
    if let Some(line) =
        lines().find(|line| line.starts_with("thread '") && line.contains("panicked at"))
    {
        let gist = lines().skip_while(|other| *other != line).nth(1);
        return found("Rust panic", gist);
    }
    if lines().any(|line| line.starts_with("Node.js v")) {
        let names = lines().find(|line| {
            line.split_once(": ")
                .is_some_and(|(name, _)| name.ends_with("Error") && !name.contains(' '))
        });
        return found("Node.js", names);
    }
    let go = lines().find(|line| line.starts_with("panic: "));
    if go.is_some() && lines().any(|line| line.starts_with("goroutine ")) {
        return found("Go", go);
    }
    let java = lines().find(|line| line.starts_with("Exception in thread \""));
    if java.is_some() && lines().any(|line| line.trim_start().starts_with("at ")) {
        return found("Java", java);
    }
    None
}

impl fmt::Display for ProcessEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStarted { error } => write!(f, "could not be started: {error}"),
            Self::Exited { code } => write!(f, "ended with exit code {code}"),
            Self::Panicked { report, .. } => write!(f, "crashed: {report}"),
            Self::Killed { signal, number } => write!(f, "crashed: signal {number} ({signal})"),
            Self::Struck { signal } => write!(f, "ended when the harness sent {signal}"),
            Self::TimeUp => f.write_str("was still running at the time limit"),
            Self::Stopped => f.write_str("was stopped by the harness"),
            Self::Unwatched { signal: None } => f.write_str("stopped its parent process"),
            Self::Unwatched {
                signal: Some(signal),
            } => write!(f, "killed its parent process with {signal}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(code: i32, stderr: &str) -> ProcessEnd {
        ProcessEnd::Exited { code }.explained(stderr)
    }

    #[test]
    fn a_crash_is_told_from_a_failure_that_the_client_reports() {
        for (stderr, gist) in [
            (
                "hello\nTraceback (most recent call last):\n  File \"c.py\", line 3, in <module>\n    1 / 0\n    \
                 ~~^~~\nZeroDivisionError: division by zero\n",
                "Python: ZeroDivisionError: division by zero",
            ),
            (
                "\nthread 'main' (7) panicked at src/main.rs:2:5:\nindex out of bounds\nnote: run with `RUST_BACKTRACE=1`\n",
                "Rust panic: index out of bounds",
            ),
            (
                "/c.js:1\nx();\n^\n\nReferenceError: x is not defined\n    at Object.<anonymous> (/c.js:1:1)\n\nNode.js v22.1.0\n",
                "Node.js: ReferenceError: x is not defined",
            ),
            (
                "panic: runtime error: index out of range [3]\n\ngoroutine 1 [running]:\nmain.main()\nexit status 2\n",
                "Go: panic: runtime error: index out of range [3]",
            ),
        ] {
            let end = explained(1, stderr);
            assert_eq!(end.cut_short(), Some(CutShort::Crash), "{stderr}");
            assert_eq!(end.to_string(), format!("crashed: {gist}"));
        }
        for (code, stderr) in [
            (1, "no reply\n"),
            (1, ""),
            (0, "Traceback (most recent call last):\n"),
            (77, ""),
        ] {
            assert_eq!(explained(code, stderr), ProcessEnd::Exited { code });
        }
    }

    #[test]
    fn a_signal_is_a_crash_and_the_time_limit_is_not() {
        let killed = ProcessEnd::Killed {
            signal: "SIGSEGV".to_owned(),
            number: 11,
        };
        assert_eq!(killed.to_string(), "crashed: signal 11 (SIGSEGV)");
        assert_eq!(killed.cut_short(), Some(CutShort::Crash));
        assert_eq!(ProcessEnd::TimeUp.cut_short(), Some(CutShort::TimeUp));
        assert_eq!(ProcessEnd::Stopped.cut_short(), None);
        let unwatched = |signal: Option<&str>| ProcessEnd::Unwatched {
            signal: signal.map(str::to_owned),
        };
        assert_eq!(unwatched(None).to_string(), "stopped its parent process");
        assert_eq!(
            unwatched(Some("SIGKILL")).to_string(),
            "killed its parent process with SIGKILL"
        );
    }
}
