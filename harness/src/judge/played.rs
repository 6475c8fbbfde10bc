//! What was seen of a client that was played against a hub.

use std::time::Duration;

use veschub_hub::journal::JournalEntry;

use crate::{
    client::{ClientError, Outcome, Received},
    outside::{
        ending::{ProcessEnd, ProcessReport},
        output::{Excerpt, Line},
    },
};

/// What was seen of a client: at the hub, on its stdout, and of its process.
#[derive(Debug)]
pub struct Played {
    /// What happened at the hub.
    pub journal: Vec<JournalEntry>,
    /// How many entries were not kept because there were too many.
    pub forgotten_entries: usize,
    /// What the client printed, line by line.
    pub lines: Vec<Line>,
    /// How many lines were not kept because there were too many.
    pub forgotten_lines: usize,
    /// How many bytes it printed.
    pub printed: u64,
    /// What it wrote to stderr; only the start and the end if that is long.
    pub stderr: Excerpt,
    /// How it ended.
    pub report: ProcessReport,
    /// How often it read after the end of its connection; not known for a program.
    pub idle_reads: Option<u64>,
    /// How long it was allowed to run.
    pub limit: Duration,
    /// Whether it ran by the real clock, where it may be a little early or late.
    pub is_real_time: bool,
    /// The traffic, as a pcapng file.
    pub capture: Vec<u8>,
    /// When the client got the signal that its case wants, since the start of the run.
    pub struck: Option<Duration>,
    /// What the client itself says of the session; only the reference client does.
    pub own: Option<OwnView>,
}

/// The session as the reference client saw it. It knows when each reply arrived, which the hub does not know if a fault
/// holds replies back.
#[derive(Clone, Debug)]
pub struct OwnView {
    /// All frames that it received, in order.
    pub received: Vec<Received>,
    /// How many frames it forgot because there were too many.
    pub forgotten: u64,
    /// How many bytes it received that belong to no frame.
    pub noise_bytes: u64,
    /// The result of its task, or why it could not log in.
    pub outcome: Result<Outcome, ClientError>,
    /// How long it took, by the clock of the run.
    pub took: Duration,
}

impl Played {
    /// What is known of a client that is no process: only the journal and what it printed.
    #[must_use]
    pub fn of(journal: Vec<JournalEntry>, lines: Vec<Line>, how: ProcessEnd) -> Self {
        Self {
            journal,
            forgotten_entries: 0,
            forgotten_lines: 0,
            printed: lines.iter().map(|line| line.text.len() as u64).sum(),
            lines,
            stderr: Excerpt::default(),
            report: ProcessReport::new(how),
            idle_reads: None,
            limit: Duration::ZERO,
            is_real_time: true,
            capture: Vec::new(),
            struck: None,
            own: None,
        }
    }

    /// How long the session took, by the clock of the run.
    #[must_use]
    pub fn took(&self) -> Duration {
        match &self.own {
            Some(own) => own.took,
            None => {
                let times = self.journal.iter().map(|entry| entry.at.since_start());
                let first = times.clone().min().unwrap_or_default();
                times.max().unwrap_or_default().saturating_sub(first)
            }
        }
    }
}
