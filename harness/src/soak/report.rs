//! What came of a soak.

use std::{fmt, time::Duration};

use serde::Serialize;

use super::{
    hubs::HubSeen,
    measure::{Course, Sample},
    plan::Size,
    tally::Tally,
};

/// The most that memory may grow after the first part of a soak, KiB. An allocator needs some room to move.
const MOST_GROWTH_KIB: f64 = 4096.0;

/// What was left when all tools were gone.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Left {
    /// Tasks that carry connections.
    pub tasks: usize,
    /// Connections, bytes and events in the hubs.
    pub held: usize,
    /// Descriptors more than at the start, where the system tells it.
    pub descriptors: Option<usize>,
}

/// What came of a soak.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Whether nothing is wrong.
    pub passed: bool,
    /// How long it took, seconds.
    pub took_s: f64,
    /// The seed.
    pub seed: u64,
    /// How many devices there were.
    pub devices: usize,
    /// How many tools there were.
    pub tools: usize,
    /// What the tools saw.
    pub tally: Tally,
    /// What the hubs did.
    pub hubs: Vec<HubSeen>,
    /// How memory went, where the system tells it and the soak was long enough.
    pub memory: Option<Course>,
    /// What was left at the end.
    pub left: Left,
    /// What is wrong, in words.
    pub wrong: Vec<String>,
}

impl Report {
    pub(super) fn new(
        size: Size,
        took: Duration,
        tally: Tally,
        hubs: Vec<HubSeen>,
        samples: &[Sample],
        left: Left,
    ) -> Self {
        let memory = Course::of(samples);
        let mut wrong = Vec::new();
        let mut check = |count: u64, what: &str| {
            if count > 0 {
                wrong.push(format!("{count} {what}"));
            }
        };
        check(
            tally.lost,
            "requests were never answered, though nothing there may lose a reply",
        );
        check(tally.wrong, "replies have values that no device holds");
        check(tally.misplaced, "replies have the values of another device");
        check(
            tally.miscounted,
            "devices sent more or fewer replies than arrived",
        );
        check(left.tasks as u64, "tasks are left");
        check(
            left.held as u64,
            "connections, bytes or events are left in the hubs",
        );
        check(
            left.descriptors.unwrap_or_default() as u64,
            "descriptors are left open",
        );
        if tally.replies == 0 {
            wrong.push("no reply arrived, so nothing was judged; give it more time".to_owned());
        }
        if let Some(grown) = memory
            .map(|course| course.growth_kib)
            .filter(|grown| *grown > MOST_GROWTH_KIB)
        {
            wrong.push(format!(
                "memory grew by {grown:.0} KiB after the first part, more than {MOST_GROWTH_KIB:.0}"
            ));
        }
        Self {
            passed: wrong.is_empty(),
            took_s: took.as_secs_f64(),
            seed: size.seed.0,
            devices: size.devices,
            tools: size.tools,
            tally,
            hubs,
            memory,
            left,
            wrong,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tally, left, .. } = self;
        writeln!(
            f,
            "{} devices, {} tools, seed {}, {:.1} s",
            self.devices, self.tools, self.seed, self.took_s
        )?;
        let tempers = tally
            .tempers
            .iter()
            .map(|(name, count)| format!("{count} {name}"));
        let tempers = tempers.collect::<Vec<_>>().join(", ");
        writeln!(f, "\nsessions     {:>9}   {tempers}", tally.sessions)?;
        writeln!(
            f,
            "requests     {:>9}   by tools that are judged",
            tally.requests
        )?;
        writeln!(
            f,
            "replies      {:>9}   compared with what the device holds",
            tally.replies
        )?;
        writeln!(
            f,
            "unanswered   {:>9}   where a fault, a quirk or another tool may be why",
            tally.may_be_lost
        )?;
        writeln!(f, "lost         {:>9}", tally.lost)?;
        writeln!(f, "wrong        {:>9}", tally.wrong)?;
        writeln!(f, "misplaced    {:>9}", tally.misplaced)?;
        writeln!(f, "miscounted   {:>9}", tally.miscounted)?;
        match self.memory {
            Some(course) => writeln!(
                f,
                "memory       {:>9}   KiB at the start, {} when it counts from, {} at the end: {:+.0} KiB a minute",
                course.start_kib, course.warm_kib, course.end_kib, course.slope_kib_per_min
            )?,
            None => writeln!(
                f,
                "memory               -   not told here, or too short a time"
            )?,
        }
        let descriptors = left.descriptors.map_or_else(
            || "not told here".to_owned(),
            |count| format!("{count} descriptors"),
        );
        writeln!(
            f,
            "left         {:>9}   tasks, {} things in the hubs, {descriptors}",
            left.tasks, left.held
        )?;
        writeln!(f)?;
        for hub in &self.hubs {
            let acted = hub.faults.iter().chain(&hub.quirks);
            let acted: Vec<String> = acted
                .map(|(name, count)| format!("{name} {count}"))
                .collect();
            let acted = if acted.is_empty() {
                "-".to_owned()
            } else {
                acted.join(", ")
            };
            writeln!(
                f,
                "hub {:<8} {:>9}   replies, at most {} connections and {} bytes unsent; acted: {acted}",
                hub.name, hub.replies, hub.most_connections, hub.most_unsent_bytes
            )?;
        }
        writeln!(f)?;
        for mistake in &tally.mistakes {
            writeln!(f, "{mistake}")?;
        }
        match self.passed {
            true => f.write_str("passed"),
            false => write!(f, "failed: {}", self.wrong.join("; ")),
        }
    }
}
