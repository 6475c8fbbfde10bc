//! `stall`: nothing comes for a time, then everything at once; or nothing ever again.

use std::time::Duration;

use super::{Chunk, Fault};
use crate::{rng::Rng, time::Time};

/// The fault `stall`.
#[derive(Clone, Debug)]
pub struct Stall {
    lasts: Option<Duration>,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Nothing is withheld from this time on.
    FlowsFrom(Time),
    /// Nothing comes any more, not even an end.
    Dead,
}

impl Stall {
    /// Silence of this length, or for ever.
    #[must_use]
    pub fn new(lasts: Option<Duration>) -> Self {
        Self {
            lasts,
            state: State::FlowsFrom(Time::ZERO),
        }
    }

    /// What is left of a chunk that comes while it is silent.
    fn wait(&self, chunk: Chunk) -> Vec<Chunk> {
        match self.state {
            State::Dead => Vec::new(),
            State::FlowsFrom(from) => vec![Chunk {
                at: chunk.at.max(from),
                ..chunk
            }],
        }
    }
}

impl Fault for Stall {
    fn name(&self) -> &'static str {
        "stall"
    }

    fn needs_frames(&self) -> bool {
        false
    }

    /// What comes during a silence does not begin another one.
    fn suits(&self, chunk: &Chunk) -> bool {
        matches!(self.state, State::FlowsFrom(from) if from <= chunk.at)
    }

    fn acts_alone(&self) -> bool {
        true
    }

    fn apply(&mut self, _now: Time, chunk: Chunk, _rng: &mut Rng) -> Vec<Chunk> {
        self.state = match self.lasts {
            None => State::Dead,
            Some(lasts) => State::FlowsFrom(chunk.at + lasts),
        };
        self.wait(chunk)
    }

    fn pass(&mut self, _now: Time, chunk: Chunk) -> Vec<Chunk> {
        self.wait(chunk)
    }
}
