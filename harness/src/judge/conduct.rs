//! How a client's process behaved, and whether it got through to a device.

use veschub_hub::journal::{Closed, JournalEntry, JournalEvent, Masked};
use veschub_scenario::schema::Expectation;

use super::{Difference, Played};
use crate::outside::{
    ending::{ProcessEnd, ProcessReport},
    output::MAX_STDOUT,
    slip::is_slip,
};

/// How a client's process behaved, and whether it got through to a device.
pub(super) struct Conduct<'a> {
    played: &'a Played,
    /// What the scenario expects.
    expect: &'a [Expectation],
}

impl<'a> Conduct<'a> {
    pub(super) fn new(played: &'a Played, expect: &'a [Expectation]) -> Self {
        Self { played, expect }
    }

    /// What is wrong with the exit code: the client reports a failure that it need not report.
    pub(super) fn exit_code(&self) -> Option<Difference> {
        match self.played.report.how {
            // The reference client says more of itself than an exit code can.
            ProcessEnd::Exited { code }
                if code != 0 && self.played.own.is_none() && !self.may_fail() =>
            {
                let why = "the client reports that it failed; see its stderr";
                Some(Difference::new("exit code", "0", code.to_string(), why))
            }
            _ => None,
        }
    }

    /// What else is wrong with the process.
    pub(super) fn process(&self) -> Vec<Difference> {
        let mut found = Vec::new();
        let mut differ = |field: &str, truth: &str, decoded: &str, why: &str| {
            found.push(Difference::new(field, truth, decoded, why));
        };
        let ProcessReport {
            how,
            left_behind,
            killed,
            survivors,
            ..
        } = &self.played.report;
        let told = how.to_string();
        match how {
            ProcessEnd::Exited { .. } | ProcessEnd::Struck { .. } => {}
            // Whatever it says when it is told to end: the case looks at the motor.
            ProcessEnd::Panicked { .. } if self.played.struck.is_some() => {}
            // A client may report with an exception that the connection is gone.
            ProcessEnd::Panicked { report, .. } if self.excuses(report) => {}
            ProcessEnd::Panicked { .. } | ProcessEnd::Killed { .. } => differ(
                "process",
                "ends by itself",
                &told,
                "your client crashed; its stderr may say where",
            ),
            ProcessEnd::TimeUp => {
                let why = if *killed {
                    "the client did not end after SIGTERM, so the harness killed it"
                } else {
                    "the harness ended it with SIGTERM"
                };
                differ(
                    "process",
                    &format!("ends within {:?}", self.played.limit),
                    &told,
                    why,
                );
            }
            ProcessEnd::Stopped if self.played.printed >= MAX_STDOUT => {
                let limit = format!("at most {MAX_STDOUT} bytes on stdout");
                differ(
                    "process",
                    &limit,
                    "more",
                    "the client printed too much, so the harness ended it",
                );
            }
            ProcessEnd::NotStarted { .. } => {
                differ(
                    "process",
                    "started",
                    &told,
                    "check the command; the harness starts it without a shell",
                );
            }
            ProcessEnd::Unwatched { .. } => {
                differ(
                    "process",
                    "leaves its parent process alone",
                    &told,
                    "that is the part of the harness that ends the client at the time limit; without it, the harness ended \
                     the client at once; look for a signal to the parent process",
                );
            }
            _ => differ("process", "ends by itself", &told, "see its stderr"),
        }
        if *survivors > 0 {
            let count = format!("{survivors} still running");
            let why = "these processes do not end even after SIGKILL: a device or a network disk may hold them up";
            differ("process", "ends when it is killed", &count, why);
        }
        if *left_behind > 0 {
            let count = format!("{left_behind} left running");
            differ(
                "process",
                "none left running",
                &count,
                "the client ended and left processes running, which the harness then ended",
            );
        }
        if self.played.forgotten_entries > 0 {
            let count = format!("{} more", self.played.forgotten_entries);
            differ(
                "session",
                "fewer requests",
                &count,
                "so much happened at the hub that the harness kept only the first part; it judges that part alone",
            );
        }
        if self.played.forgotten_lines > 0 {
            let count = format!("{} more", self.played.forgotten_lines);
            differ(
                "lines",
                "fewer",
                &count,
                "the client printed too many lines; the harness did not read these",
            );
        }
        found
    }

    /// Whether a crash may be how the client reports a failure that it is right to report. Where no fault harmed the
    /// link, a mistake in the client is none.
    fn excuses(&self, report: &str) -> bool {
        let harmed = |entry: &JournalEntry| {
            matches!(
                entry.event,
                JournalEvent::FaultFired(_) | JournalEvent::Closed(Closed::Replaced { .. })
            )
        };
        self.may_fail() && (!is_slip(report) || self.played.journal.iter().any(harmed))
    }

    /// Whether the client is right to report a failure: the scenario withholds something from it.
    fn may_fail(&self) -> bool {
        let in_vain = |one: &Expectation| {
            matches!(
                one,
                Expectation::LoginRefused | Expectation::NoReplyTo(_) | Expectation::Unanswered(_)
            )
        };
        let harm = |entry: &JournalEntry| {
            matches!(
                entry.event,
                JournalEvent::FaultFired(_)
                    | JournalEvent::DeviceNoise { .. }
                    | JournalEvent::Closed(Closed::Replaced { .. } | Closed::DeviceLeft)
            )
        };
        self.expect.iter().any(in_vain) || self.played.journal.iter().any(harm)
    }

    /// Why the client did not get through to a device; `None` if it did, or if the scenario does not want that.
    pub(super) fn contact(&self) -> Option<Difference> {
        let any = |pick: fn(&JournalEvent) -> bool| {
            self.played.journal.iter().any(|entry| pick(&entry.event))
        };
        if !any(|what| matches!(what, JournalEvent::Opened)) {
            let why = format!("the client {}", self.played.report.how);
            return Some(Difference::new(
                "connection",
                "connects",
                "never connected",
                why,
            ));
        }
        if !any(|what| {
            matches!(
                what,
                // Without a hub, a client is attached without a login.
                JournalEvent::Login(_) | JournalEvent::LoginRefused { .. } | JournalEvent::Attached
            )
        }) {
            let why = "the client must first send VESCTOOL:ID:PASSWORD and a line feed";
            return Some(Difference::new("login", "a login line", "none", why));
        }
        let refused = self
            .played
            .journal
            .iter()
            .find_map(|entry| match &entry.event {
                JournalEvent::LoginRefused { reason } => Some(reason.as_str()),
                _ => None,
            });
        let expected = self
            .expect
            .iter()
            .any(|one| matches!(one, Expectation::LoginRefused));
        match refused {
            Some(reason) if !expected && !any(|what| matches!(what, JournalEvent::Attached)) => {
                Some(Difference::new("login", "accepted", "refused", reason))
            }
            _ => None,
        }
    }

    /// Why no request reached a device; `None` if one did, or if the scenario lets none through.
    pub(super) fn requests(&self) -> Option<Difference> {
        let journal = self.played.journal.iter();
        let refused = |one: &Expectation| matches!(one, Expectation::LoginRefused);
        // What a fault or a quirk swallows is no fault of the client.
        let came = |entry: &JournalEntry| {
            matches!(
                entry.event,
                JournalEvent::Request(_)
                    | JournalEvent::FaultFired(_)
                    | JournalEvent::QuirkFired { .. }
            )
        };
        if self.expect.iter().any(refused) || self.played.journal.iter().any(came) {
            return None;
        }
        let mut masked = Masked::default();
        let noise: Vec<String> = journal
            .map(|entry| masked.entry(entry))
            .filter(|entry| matches!(entry.event, JournalEvent::Noise { .. }))
            .map(|entry| entry.event.to_string())
            .collect();
        let lost = self
            .played
            .journal
            .iter()
            .find_map(|entry| match entry.event {
                JournalEvent::LoginBytesDiscarded { .. } => Some(entry.event.to_string()),
                _ => None,
            });
        let (decoded, why) = match (noise.first(), lost) {
            (Some(first), _) if noise.len() == 1 => ("none", first.clone()),
            (Some(first), _) => (
                "none",
                format!("{first}; and {} more of the kind", noise.len() - 1),
            ),
            (None, Some(lost)) => (
                "none",
                format!("{lost}; wait 50 ms after the login line before the first request"),
            ),
            (None, None) => (
                "nothing",
                "your client sent nothing after its login".to_owned(),
            ),
        };
        Some(Difference::new("requests", "a valid request", decoded, why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_kept_of_a_session_is_told_in_the_verdict() {
        let mut played = Played::of(Vec::new(), Vec::new(), ProcessEnd::Exited { code: 0 });
        assert_eq!(Conduct::new(&played, &[]).process(), []);
        played.forgotten_entries = 7;
        let told = Conduct::new(&played, &[]).process();
        assert_eq!(told.len(), 1);
        assert_eq!((&*told[0].field, &*told[0].decoded), ("session", "7 more"));
        assert!(told[0].why.contains("kept only the first part"));
    }
}
