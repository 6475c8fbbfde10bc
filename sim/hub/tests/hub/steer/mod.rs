//! A hub that somebody steers while it runs: exact times, and what its peers see of it.

mod breakpoints;
mod devices;
mod faults;
mod renew;
mod values;

use veschub_hub::{
    hub::{
        ConnId, Event, Hub,
        steer::{SteerError, SteerErrorKind},
    },
    journal::JournalEvent,
    time::Time,
};

use super::bench::*;

/// A battery of three cells behind an Express, with more keys.
fn battery(bms: &str, more: &str) -> Bench {
    Bench::of_scenario(&format!(
        "version: 1\nhub: {{ profile: ideal }}\ndevices:\n  - express: {{ id: demo-0001, password: not-a-secret, bms: {{ cells: 3, noise_mv: 0, {bms} }} }}\n{more}"
    ))
}

impl Bench {
    /// Steers the hub, and takes what it has to say and to send.
    fn steer<T>(&mut self, change: impl FnOnce(&mut Hub, Time) -> T) -> T {
        let done = change(&mut self.hub, self.now);
        self.settle();
        done
    }

    /// What is refused, in words, and what kind of error it is.
    fn refused<T: std::fmt::Debug>(
        &mut self,
        change: impl FnOnce(&mut Hub, Time) -> Result<T, SteerError>,
    ) -> (String, SteerErrorKind) {
        let error = self.steer(change).unwrap_err();
        assert!(!error.code().is_empty());
        (error.to_string(), error.kind())
    }

    fn ask(&mut self, conn: ConnId, payload: &[u8]) {
        self.send(conn, &frame(payload));
    }

    /// What was steered, as the journal tells it.
    fn steered(&self) -> Vec<&str> {
        let entries = self.journal.iter();
        entries
            .filter_map(|entry| match &entry.event {
                JournalEvent::Steered { text } => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    fn leaves(&mut self, conn: ConnId) {
        self.event(conn, Event::Eof);
    }
}
