//! A decoder that takes noise apart as well: each damaged frame is told alone, with what is wrong with it.
//!
//! ```text
//!  bytes -> Decoder -> frames ------------------------------> heard
//!                   -> noise -> a run, until a frame ends it -> pieces, each with what it nearly was
//! ```
//!
//! Every byte is heard once and in order. How the stream is cut makes no difference, unless the ear is
//! [eager](Ear::eager).

use alloc::vec::Vec;

use crate::{
    Decoder, Frame, Item,
    frame::{Leftover, NOISE_PIECE, Tail},
    nearly::{MAX_RUN, Near, Nearly, nears},
};

/// Something that was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard<'a> {
    /// A frame.
    Frame {
        /// The frame.
        frame: Frame<'a>,
        /// How many bytes a parser still waits for before it looks at this frame: it was found only because the stream
        /// ended. 0 for every other frame.
        waits_for: usize,
    },
    /// Bytes that belong to no frame.
    Noise {
        /// Offset of the first byte in the stream.
        offset: u64,
        /// The bytes: one damaged frame, or up to [`NOISE_PIECE`] bytes, or all that was left when the stream ended.
        bytes: &'a [u8],
        /// What they nearly were.
        nearly: Option<Nearly>,
        /// How many of the last of them may be the start of a frame, because the stream ended there.
        unfinished: usize,
    },
}

/// Finds frames in a stream, and in what is between them what was nearly a frame.
#[derive(Debug)]
pub struct Ear {
    decoder: Decoder,
    run: Run,
    eager: bool,
}

/// So much noise an eager ear keeps, for frames that are longer than the limit.
const EAGER_RUN: usize = 2048;

impl Ear {
    /// Listens to frames with payloads of up to `limit` bytes. Noise is told when a frame or the end of the stream
    /// follows it, or 16 KiB of it are there.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            decoder: Decoder::new(limit),
            run: Run::new(limit, MAX_RUN),
            eager: false,
        }
    }

    /// Tells a damaged frame as soon as it is there, for somebody who watches: the next frame may never come.
    #[must_use]
    pub fn eager(limit: usize) -> Self {
        Self {
            decoder: Decoder::new(limit),
            run: Run::new(limit, EAGER_RUN),
            eager: true,
        }
    }

    /// The most that a payload may have.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.run.limit
    }

    /// The bytes that wait for the rest of their frame.
    #[must_use]
    pub fn waiting(&self) -> &[u8] {
        self.decoder.waiting_bytes()
    }

    /// How many more bytes are needed before something is decided about those that wait; 0 if none do.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.decoder.missing()
    }

    /// How many frames are among the bytes that wait: a parser does not see them yet.
    #[must_use]
    pub fn hidden(&self) -> usize {
        let left = self.decoder.left();
        let left = left.iter().flat_map(Tail::look_again);
        left.filter(|left| matches!(left, Leftover::Frame(_)))
            .count()
    }

    /// Takes the next bytes.
    pub fn bytes(&mut self, mut bytes: &[u8], hear: &mut impl FnMut(Heard<'_>)) {
        while let Some(item) = self.decoder.next(&mut bytes) {
            match item {
                Item::Noise(noise) => {
                    self.run.add(noise.offset, noise.bytes);
                    if self.run.is_full() {
                        self.run.tell(false, 0, hear);
                    }
                }
                Item::Frame(frame) => {
                    self.run.end(0, hear);
                    hear(Heard::Frame {
                        frame,
                        waits_for: 0,
                    });
                }
            }
        }
        if self.eager && !self.decoder.noise().is_empty() {
            self.look_ahead(hear);
        }
    }

    /// Tells the noise that is there, although the stream goes on; what waits for the rest of its frame goes on waiting.
    pub fn pause(&mut self, hear: &mut impl FnMut(Heard<'_>)) {
        self.take_noise();
        self.run.end(0, hear);
    }

    /// Ends the stream. What still waited is looked at again, one byte on after each start without an end: see
    /// [`Tail::look_again`](crate::frame::Tail::look_again). The ear then stands at the same offset, ready for a stream
    /// that goes on.
    pub fn finish(&mut self, hear: &mut impl FnMut(Heard<'_>)) {
        let mut last = 0;
        if let Some(tail) = self.decoder.finish() {
            for leftover in tail.look_again() {
                match leftover {
                    Leftover::Noise { noise, unfinished } => {
                        self.run.add(noise.offset, noise.bytes);
                        last = unfinished;
                    }
                    Leftover::Frame(frame) => {
                        self.run.end(0, hear);
                        hear(Heard::Frame {
                            frame,
                            waits_for: tail.missing,
                        });
                        last = 0;
                    }
                }
            }
        }
        self.run.end(last, hear);
    }

    /// Goes on at a later place of the stream. Call [`finish`](Self::finish) first, or what waits is lost.
    pub fn skip(&mut self, missing: u64) {
        self.decoder.skip(missing);
        self.run.clear();
    }

    fn take_noise(&mut self) {
        let offset = self.decoder.noise_offset();
        let noise = self.decoder.take_noise();
        self.run.add(offset, &noise);
    }

    /// Tells what is certainly damaged. The stop byte of the last such frame may still wait, because a byte 03 may also
    /// be a start; it comes out with the noise behind it.
    fn look_ahead(&mut self, hear: &mut impl FnMut(Heard<'_>)) {
        let mut all = self.run.bytes.clone();
        all.extend_from_slice(self.decoder.noise());
        all.extend(self.decoder.waiting_bytes().first());
        let told = self.run.told.min(all.len());
        let damaged = nears(&all[told..], self.run.limit, false);
        if let Some(last) = damaged.last() {
            let end = told + last.end();
            self.take_noise();
            self.run.tell_to(end, damaged, 0, hear);
        }
    }
}

/// Noise that follows each other.
#[derive(Debug)]
struct Run {
    limit: usize,
    most: usize,
    /// Offset of the first byte in the stream.
    offset: u64,
    bytes: Vec<u8>,
    /// How many of the first bytes were told of already, as the end of a damaged frame.
    told: usize,
}

impl Run {
    fn new(limit: usize, most: usize) -> Self {
        Self {
            limit,
            most,
            offset: 0,
            bytes: Vec::new(),
            told: 0,
        }
    }

    fn add(&mut self, offset: u64, bytes: &[u8]) {
        if self.bytes.is_empty() {
            self.offset = offset;
        }
        self.bytes.extend_from_slice(bytes);
    }

    fn is_full(&self) -> bool {
        self.bytes.len() >= self.most
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.told = 0;
    }

    /// Tells all of it; nothing follows.
    fn end(&mut self, unfinished: usize, hear: &mut impl FnMut(Heard<'_>)) {
        self.tell(true, unfinished, hear);
        self.told = 0;
    }

    /// Tells all that is there. `unfinished`: how many of the last bytes may be the start of a frame.
    fn tell(&mut self, ends: bool, unfinished: usize, hear: &mut impl FnMut(Heard<'_>)) {
        let told = self.told.min(self.bytes.len());
        let damaged = nears(&self.bytes[told..], self.limit, ends);
        self.tell_to(self.bytes.len(), damaged, unfinished, hear);
    }

    /// Tells what there is of the bytes up to `end`; the places of what is damaged count from behind what was told.
    fn tell_to(
        &mut self,
        end: usize,
        damaged: Vec<Near>,
        unfinished: usize,
        hear: &mut impl FnMut(Heard<'_>),
    ) {
        let there = end.min(self.bytes.len());
        let told = self.told.min(there);
        let mut at = 0;
        for near in damaged {
            // The end of the last one stands with this one.
            let from = if near.at == 0 { 0 } else { told + near.at };
            let to = (told + near.end()).min(there);
            let open = matches!(near.what, Nearly::NeverEnded { .. });
            self.pieces(at, from, 0, hear);
            hear(Heard::Noise {
                offset: self.offset + from as u64,
                bytes: &self.bytes[from..to],
                nearly: Some(near.what),
                unfinished: match open && to == there {
                    true => unfinished.min(to - from),
                    false => 0,
                },
            });
            at = to;
        }
        self.pieces(at, there, unfinished, hear);
        self.bytes.drain(..there);
        self.offset += there as u64;
        self.told = end.max(self.told) - there;
    }

    /// Tells bytes that were nothing, in pieces; the start of a frame at the end stays in one piece.
    fn pieces(
        &self,
        mut from: usize,
        to: usize,
        unfinished: usize,
        hear: &mut impl FnMut(Heard<'_>),
    ) {
        while from < to {
            let left = to - from;
            let len = match left.saturating_sub(unfinished) {
                NOISE_PIECE.. => NOISE_PIECE,
                _ => left,
            };
            hear(Heard::Noise {
                offset: self.offset + from as u64,
                bytes: &self.bytes[from..from + len],
                nearly: None,
                unfinished: if len == left { unfinished.min(len) } else { 0 },
            });
            from += len;
        }
    }
}
