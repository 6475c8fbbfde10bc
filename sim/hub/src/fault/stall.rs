//! `stall`: nothing comes for a time, then everything at once; or nothing ever again.

use super::{Chunk, Definition, Fault, Harm, definition::fault};
use crate::{check::lasting, duration::Duration, mistake::Mistakes, rng::Rng, time::Time};

fault! {
    /// Nothing comes for a time, then everything at once; or nothing ever again.
    Stall {
        /// For how long nothing comes: for ever unless given.
        r#for: Option<Duration>,
    }
    state {
        state: State,
    }
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Nothing is withheld from this time on.
    FlowsFrom(Time),
    /// Nothing comes any more, not even an end.
    Dead,
}

impl Default for State {
    fn default() -> Self {
        Self::FlowsFrom(Time::ZERO)
    }
}

impl Definition for Stall {
    const NAME: &'static str = "stall";
    const EXAMPLE: &'static str = "- stall: { for: 3s, when: { after: 1s } }";
    const HARM: Harm = Harm::Disorder;

    fn check(&self, mistakes: &mut Mistakes) {
        mistakes.note(lasting("for", self.r#for, "does no harm"));
    }

    fn draw(parameter: u8) -> Self {
        Self::with((parameter > 0).then_some(Duration::from_millis(parameter.into())))
    }
}

impl Stall {
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
        self.state = match self.r#for {
            None => State::Dead,
            Some(lasts) => State::FlowsFrom(chunk.at + lasts.get()),
        };
        self.wait(chunk)
    }

    fn pass(&mut self, _now: Time, chunk: Chunk) -> Vec<Chunk> {
        self.wait(chunk)
    }
}
