//! `reorder`: a frame comes behind frames that were sent after it.
//!
//! TCP keeps the order of bytes, so no network does this; a program between the two can.

use std::time::Duration;

use super::{Chunk, Fault};
use crate::{rng::Rng, time::Time};

/// The fault `reorder`.
#[derive(Clone, Debug)]
pub struct Reorder {
    behind: usize,
    within: Option<Duration>,
    held: Option<Held>,
}

#[derive(Clone, Debug)]
struct Held {
    chunk: Chunk,
    /// How many frames are still to pass it.
    left: usize,
    until: Option<Time>,
}

impl Reorder {
    /// Puts a frame behind the next `behind` frames, or lets it go when it has waited `within`.
    #[must_use]
    pub fn new(behind: usize, within: Option<Duration>) -> Self {
        Self {
            behind: behind.max(1),
            within,
            held: None,
        }
    }

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
    fn name(&self) -> &'static str {
        "reorder"
    }

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
            left: self.behind,
            until: self.within.map(|within| chunk.at + within),
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
