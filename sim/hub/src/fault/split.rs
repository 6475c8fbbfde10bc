//! `split`: what was one write arrives in pieces.

use std::{collections::BTreeSet, time::Duration};

use rand::RngExt;

use super::{Chunk, Fault};
use crate::{rng::Rng, time::Time};

/// The most pieces that one chunk is cut into; the last one holds the rest.
pub(super) const MAX_PIECES: usize = 65_536;

/// The fault `split`.
#[derive(Clone, Debug)]
pub struct Split {
    cut: Cut,
    gap: Duration,
}

/// Where to cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Before the bytes with these offsets in the frame.
    At(Vec<usize>),
    /// After every byte.
    EveryByte,
    /// Into this many pieces, at places that are drawn.
    Pieces(usize),
}

impl Split {
    /// Cuts, and the time from one piece to the next.
    #[must_use]
    pub fn new(cut: Cut, gap: Duration) -> Self {
        Self { cut, gap }
    }

    /// Offsets of the cuts, none at the edges, in no order.
    fn cuts(&self, len: usize, rng: &mut Rng) -> Vec<usize> {
        match &self.cut {
            Cut::At(offsets) => offsets.clone(),
            Cut::EveryByte => (1..len.min(MAX_PIECES)).collect(),
            Cut::Pieces(count) => draw_cuts(*count, len, rng),
        }
    }
}

/// Different offsets inside `len` bytes that cut them into `count` pieces, or as many as there are bytes.
///
/// Floyd's way to draw from a range without repetition: its cost is that of the cuts, however many bytes there are.
fn draw_cuts(count: usize, len: usize, rng: &mut Rng) -> Vec<usize> {
    let places = len.saturating_sub(1);
    let wanted = count.saturating_sub(1).min(MAX_PIECES - 1).min(places);
    let mut cuts = BTreeSet::new();
    for last in places - wanted + 1..=places {
        let drawn = rng.random_range(1..=last as u64) as usize;
        if !cuts.insert(drawn) {
            cuts.insert(last);
        }
    }
    cuts.into_iter().collect()
}

impl Fault for Split {
    fn name(&self) -> &'static str {
        "split"
    }

    fn needs_frames(&self) -> bool {
        matches!(self.cut, Cut::At(_))
    }

    fn suits(&self, chunk: &Chunk) -> bool {
        let len = chunk.bytes.len();
        match &self.cut {
            Cut::At(offsets) => offsets.iter().any(|&at| at > 0 && at < len),
            Cut::EveryByte | Cut::Pieces(_) => len > 1,
        }
    }

    fn apply(&mut self, _now: Time, chunk: Chunk, rng: &mut Rng) -> Vec<Chunk> {
        let len = chunk.bytes.len();
        let mut cuts = self.cuts(len, rng);
        cuts.retain(|&at| at > 0 && at < len);
        cuts.sort_unstable();
        cuts.dedup();
        let (mut at, mut from) = (chunk.at, 0);
        let mut pieces = Vec::with_capacity(cuts.len() + 1);
        for to in cuts.into_iter().chain([len]) {
            pieces.push(Chunk::bytes(at, chunk.bytes[from..to].to_vec()));
            at = at + self.gap;
            from = to;
        }
        pieces
    }
}
