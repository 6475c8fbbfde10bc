//! How a try is played: in memory and in virtual time, or with a program over loopback.

use veschub_hub::rng::Seed;
use veschub_scenario::Loaded;

use super::{case::Case, verdict::Seen};
use crate::{
    outside::task::Task,
    run::{
        Program, RunError,
        again::{Again, connected},
    },
};

/// Somebody who plays one try after the other, all with the same job.
pub(crate) trait Play {
    /// Plays a try.
    ///
    /// # Errors
    /// If the hub or the client cannot be started.
    fn play(&mut self, case: &Case) -> Result<Seen, RunError>;
}

/// A program, which stays up from try to try if it can.
pub(crate) struct Process {
    program: Program,
    again: Option<Again>,
    /// The most memory that it ever took, KiB.
    peak_kib: u64,
    stays: bool,
}

impl Process {
    pub(crate) fn new(program: Program) -> Self {
        Self {
            program,
            again: None,
            peak_kib: 0,
            stays: false,
        }
    }
}

impl Play for Process {
    fn play(&mut self, case: &Case) -> Result<Seen, RunError> {
        let loaded = Loaded::parse("a try", &case.yaml("a try"))?;
        let Ok(task) = Task::of(&loaded.scenario.client) else {
            return Err(RunError::OnlyReference);
        };
        let round = loop {
            let world = loaded.build(Seed(0))?;
            let again = match &mut self.again {
                Some(again) => again,
                None => self.again.insert(Again::new(&self.program, &task, &world)?),
            };
            let round = again.play(world)?;
            // A client that ends between two tries has not seen this one.
            if connected(&round.played) || !self.stays {
                break round;
            }
            self.stays = false;
        };
        self.stays = round.stays;
        let known = self.peak_kib;
        self.peak_kib = known.max(round.peak_kib);
        let grown_kib = match known {
            0 => 0,
            known => round.peak_kib.saturating_sub(known),
        };
        Ok(Seen {
            played: round.played,
            cpu: round.cpu,
            wall: round.wall,
            grown_kib,
        })
    }
}

#[cfg(test)]
pub(super) use memory::InMemory;

#[cfg(test)]
mod memory {
    use std::time::Duration;

    use super::*;
    use crate::{
        outside::link::Link,
        run::{
            Bounds, Mode,
            errand::{Errand, Prints},
            player::{self, Player},
        },
    };

    /// A client in memory, in virtual time.
    pub(in crate::fuzz) struct InMemory(pub(in crate::fuzz) Player);

    impl Play for InMemory {
        fn play(&mut self, case: &Case) -> Result<Seen, RunError> {
            let loaded = Loaded::parse("a try", &case.yaml("a try"))?;
            let world = loaded.build(Seed(0))?;
            let task = Task::of(&loaded.scenario.client).ok();
            let errand = Errand {
                client: &loaded.scenario.client,
                task: task.as_ref(),
                second: None,
                strike: None,
                link: Link::Hub,
                prints: Prints::Answers,
                configs: &[],
                bounds: Bounds::default(),
            };
            let played = player::play(world, &errand, &self.0, Mode::Virtual)?;
            Ok(Seen {
                wall: played.took(),
                played,
                cpu: Duration::ZERO,
                grown_kib: 0,
            })
        }
    }
}
