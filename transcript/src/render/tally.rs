//! What the entries add up to, in one line.

use std::collections::BTreeMap;

use veschub_wire::CommandId;

use crate::entry::{Direction, Entry, Kind};
use crate::transcript::{Counts, Transcript};

/// Counts entries as they come.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    counts: Counts,
    commands: BTreeMap<(Direction, CommandId), u64>,
    /// What noise nearly was.
    nearly: BTreeMap<&'static str, u64>,
}

impl Tally {
    pub(super) fn add(&mut self, entry: &Entry) {
        self.counts.add(&entry.kind);
        if let Kind::Noise(noise) = &entry.kind
            && let Some(nearly) = &noise.nearly
        {
            *self.nearly.entry(nearly.kind()).or_default() += 1;
        }
        if let Some((frame, direction)) = entry.frame().zip(entry.direction) {
            *self
                .commands
                .entry((direction, frame.command()))
                .or_default() += 1;
        }
    }

    /// Logins, frames, noise, and frames by command.
    pub(super) fn line(&self) -> String {
        let counts = &self.counts;
        let mut line = format!(
            "{}, {}",
            counted(counts.logins, "login"),
            counted(counts.frames, "frame"),
        );
        if counts.late_frames > 0 {
            line += &format!(" ({} behind one that never ended)", counts.late_frames);
        }
        line += &format!(", {}", counted(counts.noise_bytes, "noise byte"));
        if !self.nearly.is_empty() {
            let nearly = self.nearly.iter();
            let told: Vec<String> = nearly
                .map(|(kind, count)| format!("{kind} {count}"))
                .collect();
            line += &format!(" ({})", told.join(", "));
        }
        if counts.can_frames + counts.can_commands + counts.can_noise > 0 {
            line += &format!(
                ", {} and {} on a CAN bus",
                counted(counts.can_frames, "frame"),
                counted(counts.can_commands, "command")
            );
            if counts.can_noise > 0 {
                line += &format!(
                    ", {} there without a sense",
                    counted(counts.can_noise, "fragment")
                );
            }
        }
        if counts.refused_logins > 0 {
            line += &format!(", {}", counted(counts.refused_logins, "refused login"));
        }
        if counts.missing_bytes > 0 {
            line += &format!(", {} not recorded", counted(counts.missing_bytes, "byte"));
        }
        if counts.repeated_bytes > 0 {
            line += &format!(", {} sent again", counted(counts.repeated_bytes, "byte"));
        }
        for (direction, title) in [
            (Direction::ToDevice, "to device"),
            (Direction::ToTool, "to tool"),
        ] {
            let commands = self
                .commands
                .iter()
                .filter(|((way, _), _)| *way == direction);
            let told: Vec<String> = commands
                .map(|((_, command), count)| format!("{command} {count}"))
                .collect();
            if !told.is_empty() {
                line += &format!("; {title}: {}", told.join(", "));
            }
        }
        line
    }
}

/// What a transcript adds up to, in one line: logins, frames, noise, and frames by command.
#[must_use]
pub fn summary(transcript: &Transcript) -> String {
    let mut tally = Tally::default();
    transcript.entries.iter().for_each(|entry| tally.add(entry));
    tally.line()
}

pub(super) fn counted(count: u64, what: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {what}{s}")
}
