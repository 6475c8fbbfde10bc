//! `split`: what was one write arrives in pieces.

use std::collections::BTreeSet;

use rand::RngExt;

use super::{Chunk, Definition, Fault, Harm, Leaves, definition::fault};
use crate::{
    check::{not_both, range},
    duration::Duration,
    mistake::{Mistake, Mistakes},
    rng::Rng,
    time::Time,
};

/// The most pieces that one chunk is cut into; the last one holds the rest.
pub(super) const MAX_PIECES: usize = 65_536;

/// No frame has fewer bytes: two of header, one of payload, two of CRC, one of stop.
pub(super) const SHORTEST_FRAME: usize = 6;

fault! {
    /// What was one write arrives in pieces; give one of `at`, `every_byte` and `pieces`.
    Split {
        /// Offsets in the frame before which it is cut, from 1.
        at: Option<Vec<usize>>,
        /// Whether each byte comes alone: true or false.
        #[serde(default)]
        every_byte: bool,
        /// Into how many pieces, cut at places that are drawn.
        pieces: Option<usize>,
        /// The time from one piece to the next: 1ms unless given.
        #[serde(default = "gap")]
        gap: Duration,
    }
}

/// Pieces without a gap would be one read again.
fn gap() -> Duration {
    Duration::from_millis(1)
}

impl Definition for Split {
    const NAME: &'static str = "split";
    const EXAMPLE: &'static str = "- split: { every_byte: true, gap: 2ms }";
    const HARM: Harm = Harm::Late;

    fn check(&self, mistakes: &mut Mistakes) {
        let ways = [
            ("at", self.at.is_some()),
            ("every_byte", self.every_byte),
            ("pieces", self.pieces.is_some()),
        ];
        for (first, second) in [(0, 1), (0, 2), (1, 2)] {
            mistakes.note(not_both([ways[first], ways[second]]));
        }
        if !ways.iter().any(|(_, given)| *given) {
            mistakes
                .add_here("`split` wants one of `at`, `every_byte` and `pieces`")
                .help("e.g. `every_byte: true`");
        }
        mistakes.note(range("pieces", self.pieces, 2, MAX_PIECES));
        let Some(offsets) = &self.at else { return };
        if offsets.is_empty() {
            mistakes.add("at", "there is no offset to cut at");
        }
        if let Some(index) = offsets.iter().position(|&offset| offset == 0) {
            let mistake = Mistake::at("at", "a cut before byte 0 cuts nothing off");
            let mistake = mistake.item(index).helped("1 cuts behind the first byte");
            mistakes.note(Some(mistake));
        }
    }

    fn draw(parameter: u8) -> Self {
        let (gap, count) = (Duration::from_millis(parameter.into()), parameter.into());
        match parameter % 3 {
            0 => Self::with(Some(vec![1, count]), false, None, gap),
            1 => Self::with(None, false, Some(count), gap),
            _ => Self::with(None, true, None, gap),
        }
    }
}

impl Split {
    /// Offsets of the cuts in no order; some may lie at the edges or outside.
    fn cuts(&self, len: usize, rng: &mut Rng) -> Vec<usize> {
        match (&self.at, self.pieces) {
            (Some(offsets), _) => offsets.clone(),
            (None, Some(count)) => draw_cuts(count, len, rng),
            (None, None) => (1..len.min(MAX_PIECES)).collect(),
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
    fn needs_frames(&self) -> bool {
        self.at.is_some()
    }

    fn leaves(&self) -> Leaves {
        let cuts_short = |at: &usize| (1..SHORTEST_FRAME).contains(at);
        match &self.at {
            Some(at) if !at.iter().any(cuts_short) => Leaves::Frames,
            _ => Leaves::Pieces,
        }
    }

    fn suits(&self, chunk: &Chunk) -> bool {
        let len = chunk.bytes.len();
        match &self.at {
            Some(offsets) => offsets.iter().any(|&at| at > 0 && at < len),
            None => len > 1,
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
            at = at + self.gap.get();
            from = to;
        }
        pieces
    }
}
