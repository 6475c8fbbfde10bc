//! `merge`: what were several writes arrives as one.

use super::{Chunk, Definition, Fault, Harm, definition::fault};
use crate::{
    check::{lasting, range},
    duration::Duration,
    mistake::Mistakes,
    rng::Rng,
    time::Time,
};

/// The most chunks that are held together, whatever was asked for.
pub(super) const MAX_MERGED: usize = 4096;

fault! {
    /// What were several writes arrives as one; give `frames`, `within` or both.
    Merge {
        /// How many frames are held until they come together.
        frames: Option<usize>,
        /// How long the first of them waits at most.
        within: Option<Duration>,
    }
    state {
        held: Option<Held>,
    }
}

impl Definition for Merge {
    const NAME: &'static str = "merge";
    const EXAMPLE: &'static str = "- merge: { frames: 3, within: 100ms }";
    const HARM: Harm = Harm::Late;

    fn check(&self, mistakes: &mut Mistakes) {
        if self.frames.is_none() && self.within.is_none() {
            mistakes
                .add_here("`merge` wants `frames`, `within` or both")
                .help("`frames` says how many come together, `within` how long to wait for them");
        }
        mistakes.note(range("frames", self.frames, 2, MAX_MERGED));
        mistakes.note(lasting("within", self.within, "merges nothing"));
    }

    fn draw(parameter: u8) -> Self {
        let frames = parameter.is_multiple_of(2).then_some(parameter.into());
        Self::with(frames, Some(Duration::from_millis(parameter.into())))
    }
}

#[derive(Clone, Debug)]
struct Held {
    chunk: Chunk,
    count: usize,
    until: Option<Time>,
}

impl Merge {
    fn release(&mut self) -> Option<Chunk> {
        self.held.take().map(|held| held.chunk)
    }

    /// Releases what has waited long enough by `now`.
    fn release_due(&mut self, now: Time) -> Option<Chunk> {
        let due = self.poll_timeout().filter(|&until| until <= now)?;
        let chunk = self.release()?;
        Some(Chunk { at: due, ..chunk })
    }

    fn add(&mut self, chunk: Chunk) {
        match &mut self.held {
            None => {
                self.held = Some(Held {
                    until: self.within.map(|within| chunk.at + within.get()),
                    chunk,
                    count: 1,
                });
            }
            Some(held) => {
                held.chunk.bytes.extend_from_slice(&chunk.bytes);
                held.chunk.at = held.chunk.at.max(chunk.at);
                held.chunk.frame = None;
                held.count += 1;
            }
        }
    }
}

impl Fault for Merge {
    fn needs_frames(&self) -> bool {
        self.frames.is_some()
    }

    fn apply(&mut self, _now: Time, chunk: Chunk, _rng: &mut Rng) -> Vec<Chunk> {
        // A chunk may be on its way to a time behind the end of the wait.
        let mut out = Vec::from_iter(self.release_due(chunk.at));
        self.add(chunk);
        let most = self.frames.unwrap_or(MAX_MERGED).min(MAX_MERGED);
        if self.held.as_ref().is_some_and(|held| held.count >= most) {
            out.extend(self.release());
        }
        out
    }

    fn pass(&mut self, _now: Time, chunk: Chunk) -> Vec<Chunk> {
        let mut out = Vec::from_iter(self.release_due(chunk.at));
        out.extend(self.release());
        out.push(chunk);
        out
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.held.as_ref()?.until
    }

    fn handle_timeout(&mut self, now: Time) -> Vec<Chunk> {
        Vec::from_iter(self.release_due(now))
    }

    fn finish(&mut self) -> Vec<Chunk> {
        Vec::from_iter(self.release())
    }

    fn held(&self) -> usize {
        self.held.as_ref().map_or(0, |held| held.chunk.bytes.len())
    }
}
