//! `reorder`: a frame comes behind frames that were sent after it.
//!
//! TCP keeps the order of bytes, so no network does this; a program between the two can.

use super::{Chunk, Definition, Fault, Harm, definition::fault, merge::MAX_MERGED};
use crate::{
    check::{lasting, range},
    duration::Duration,
    mistake::Mistakes,
    rng::Rng,
    time::Time,
};

fault! {
    /// A frame comes behind frames that were sent after it.
    Reorder {
        /// Behind how many frames it comes: 1 unless given.
        #[serde(default = "one")]
        behind: usize,
        /// How long it waits at most: for ever unless given.
        within: Option<Duration>,
    }
    state {
        held: Option<Held>,
    }
}

fn one() -> usize {
    1
}

impl Definition for Reorder {
    const NAME: &'static str = "reorder";
    const EXAMPLE: &'static str = "- reorder: { when: { command: FW_VERSION } }";
    const HARM: Harm = Harm::Disorder;

    fn check(&self, mistakes: &mut Mistakes) {
        mistakes.note(range("behind", self.behind, 1, MAX_MERGED));
        mistakes.note(lasting("within", self.within, "reorders nothing"));
    }

    fn draw(parameter: u8) -> Self {
        let within = Duration::from_millis(parameter.into());
        Self::with(parameter.into(), Some(within))
    }
}

#[derive(Clone, Debug)]
struct Held {
    chunk: Chunk,
    /// How many frames are still to pass it.
    left: usize,
    until: Option<Time>,
}

impl Reorder {
    fn release(&mut self, at: Time) -> Option<Chunk> {
        let chunk = self.held.take()?.chunk;
        Some(Chunk {
            at: chunk.at.max(at),
            ..chunk
        })
    }

    fn release_due(&mut self, now: Time) -> Option<Chunk> {
        let due = self.poll_timeout().filter(|&until| until <= now)?;
        self.release(due)
    }
}

impl Fault for Reorder {
    fn needs_frames(&self) -> bool {
        true
    }

    /// One frame is held at a time: those that pass it are not held as well.
    fn suits(&self, chunk: &Chunk) -> bool {
        self.held.is_none() || self.poll_timeout().is_some_and(|until| until <= chunk.at)
    }

    fn apply(&mut self, now: Time, chunk: Chunk, _rng: &mut Rng) -> Vec<Chunk> {
        let out = Vec::from_iter(self.release_due(chunk.at));
        if self.held.is_some() {
            return self.pass(now, chunk);
        }
        self.held = Some(Held {
            left: self.behind.max(1),
            until: self.within.map(|within| chunk.at + within.get()),
            chunk,
        });
        out
    }

    fn pass(&mut self, _now: Time, chunk: Chunk) -> Vec<Chunk> {
        let mut out = Vec::from_iter(self.release_due(chunk.at));
        let (at, is_frame) = (chunk.at, chunk.frame.is_some());
        out.push(chunk);
        if let Some(held) = self.held.as_mut().filter(|_| is_frame) {
            held.left = held.left.saturating_sub(1);
            if held.left == 0 {
                out.extend(self.release(at));
            }
        }
        out
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.held.as_ref()?.until
    }

    fn handle_timeout(&mut self, now: Time) -> Vec<Chunk> {
        Vec::from_iter(self.release_due(now))
    }

    fn finish(&mut self) -> Vec<Chunk> {
        Vec::from_iter(self.held.take().map(|held| held.chunk))
    }

    fn held(&self) -> usize {
        self.held.as_ref().map_or(0, |held| held.chunk.bytes.len())
    }
}
