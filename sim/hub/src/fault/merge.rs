//! `merge`: what were several writes arrives as one.

use std::time::Duration;

use super::{Chunk, Fault};
use crate::{rng::Rng, time::Time};

/// The most chunks that are held together, whatever was asked for.
pub const MAX_MERGED: usize = 4096;

/// The fault `merge`.
#[derive(Clone, Debug)]
pub struct Merge {
    frames: Option<usize>,
    within: Option<Duration>,
    held: Option<Held>,
}

#[derive(Clone, Debug)]
struct Held {
    chunk: Chunk,
    count: usize,
    until: Option<Time>,
}

impl Merge {
    /// Holds back until there are this many frames, or until the first has waited this long, whichever is first.
    #[must_use]
    pub fn new(frames: Option<usize>, within: Option<Duration>) -> Self {
        Self {
            frames,
            within,
            held: None,
        }
    }

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
                    until: self.within.map(|within| chunk.at + within),
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
    fn name(&self) -> &'static str {
        "merge"
    }

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
