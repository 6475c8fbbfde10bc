//! What is left when a stream ends.

use alloc::vec::Vec;

use super::{Frame, Look, Noise, TRAILER, look, sums::Sums};

/// What a stream held when it ended: noise, and perhaps a frame that never came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tail {
    /// Offset of the first byte in the stream.
    pub offset: u64,
    /// The bytes themselves.
    pub bytes: Vec<u8>,
    /// How many of the last bytes a parser would still be waiting on, because a frame may have begun there.
    pub unfinished: usize,
    /// How many more bytes that parser wants before it decides on them; 0 if it waits for nothing.
    pub missing: usize,
    pub(super) limit: usize,
}

/// What the bytes at the end of a stream are, when somebody knows that it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leftover<'a> {
    /// A frame behind one that never ended: no parser has seen it yet, because it waits for [`Tail::missing`] more
    /// bytes of the other one.
    Frame(Frame<'a>),
    /// Bytes that belong to no frame.
    Noise {
        /// The bytes, however many they are.
        noise: Noise<'a>,
        /// How many of the last of them may be the start of a frame.
        unfinished: usize,
    },
}

impl Tail {
    /// Looks at the bytes again, one byte on after each start that did not come to its end.
    ///
    /// This is for readers of recordings, who know that nothing follows. A parser cannot do it: it does not know that
    /// the stream ended, and waits. Every byte comes out once.
    #[must_use]
    pub fn look_again(&self) -> Leftovers<'_> {
        Leftovers {
            tail: self,
            from: 0,
            at: self.bytes.len() - self.unfinished.min(self.bytes.len()),
            waits_at: None,
            frame: None,
            sums: Sums::new(),
        }
    }
}

/// See [`Tail::look_again`].
#[derive(Clone, Debug)]
pub struct Leftovers<'a> {
    tail: &'a Tail,
    /// What was not handed out yet starts here.
    from: usize,
    /// Where to look next.
    at: usize,
    /// Where something began, behind `from`, that may still be a frame.
    waits_at: Option<usize>,
    /// The frame at `at`, once the noise before it was handed out.
    frame: Option<(usize, usize)>,
    /// By their place in the tail, not in the stream.
    sums: Sums,
}

impl<'a> Iterator for Leftovers<'a> {
    type Item = Leftover<'a>;

    fn next(&mut self) -> Option<Leftover<'a>> {
        let bytes = &self.tail.bytes[..];
        while self.frame.is_none() && self.at < bytes.len() {
            let rest = &bytes[self.at..];
            match look(rest, self.tail.limit) {
                Look::Need(_) => {
                    self.waits_at.get_or_insert(self.at);
                    self.at += 1;
                }
                Look::Junk(count) => self.at += count,
                Look::False => self.at += 1,
                Look::Whole { header, len }
                    if self.sums.fits(self.at as u64, rest, header, len) =>
                {
                    self.frame = Some((header, len));
                }
                Look::Whole { .. } => self.at += 1,
            }
        }
        let offset = self.tail.offset.saturating_add(self.from as u64);
        if self.from < self.at {
            let noise = &bytes[self.from..self.at];
            // What is followed by a frame is the start of none.
            let waits_at = self.waits_at.take().filter(|_| self.frame.is_none());
            self.from = self.at;
            return Some(Leftover::Noise {
                noise: Noise {
                    offset,
                    bytes: noise,
                },
                unfinished: waits_at.map_or(0, |at| bytes.len() - at),
            });
        }
        let (header, len) = self.frame.take()?;
        let bytes = &bytes[self.at..self.at + header + len + TRAILER];
        self.at += bytes.len();
        self.from = self.at;
        Some(Leftover::Frame(Frame {
            offset,
            start: bytes[0],
            payload: &bytes[header..header + len],
            bytes,
        }))
    }
}
