//! Finds frames in a stream.

use alloc::vec::Vec;

use super::{Frame, Item, Look, MAX_PAYLOAD, NOISE_PIECE, Noise, TRAILER, Tail, look, sums::Sums};

/// Finds frames in a stream that arrives in pieces.
///
/// The input is lent, not taken: a frame that lies wholly in one piece is handed out where it lies, and only
/// what must wait for more bytes is kept: never more than one frame of the largest size and [`NOISE_PIECE`] bytes, in a
/// buffer of at most twice that, and [`NOISE_PIECE`] bytes of noise. Behind a frame with a wrong CRC come checksums of the bytes that may
/// hold another one, for at most twice as many bytes and of two bytes each: so the time for each byte does not depend on
/// what the bytes are. How the stream is cut into pieces makes no difference to the items.
///
/// ```
/// use veschub_wire::{DEVICE_MAX_PAYLOAD, Decoder, Item};
///
/// let mut decoder = Decoder::new(DEVICE_MAX_PAYLOAD);
/// let mut input: &[u8] = b"\r\n\x02\x01\x60\x6C\xA6\x03";
/// let mut payloads = Vec::new();
/// while let Some(item) = decoder.next(&mut input) {
///     if let Item::Frame(frame) = item {
///         payloads.push(frame.payload.to_vec());
///     }
/// }
/// assert_eq!(payloads, [[0x60]]);
/// ```
#[derive(Debug)]
pub struct Decoder {
    limit: usize,
    /// Unread bytes that earlier pieces left behind; the unread part starts at `head`.
    carry: Vec<u8>,
    head: usize,
    /// Noise that ends right before the next unread byte, not yet handed out.
    noise: Vec<u8>,
    /// Whether `noise` was handed out by the last call and is to be forgotten.
    noise_given: bool,
    /// Bytes that were read.
    passed: u64,
    /// Bytes of the stream that were never seen.
    skipped: u64,
    /// By the bytes that were read before.
    sums: Sums,
}

impl Decoder {
    /// A decoder that accepts payloads of up to `max_payload` bytes (values beyond [`MAX_PAYLOAD`] mean that).
    #[must_use]
    pub fn new(max_payload: usize) -> Self {
        Self {
            limit: max_payload.min(MAX_PAYLOAD),
            carry: Vec::new(),
            head: 0,
            noise: Vec::new(),
            noise_given: false,
            passed: 0,
            skipped: 0,
            sums: Sums::new(),
        }
    }

    /// The next item, as soon as it is certain; `None` when more input is needed.
    ///
    /// Takes what it reads off the front of `input`. Call it until it returns `None`, which is when
    /// `input` is empty.
    pub fn next<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Option<Item<'a>> {
        if core::mem::take(&mut self.noise_given) {
            self.noise.clear();
        }
        loop {
            let kept = self.carry.len() - self.head;
            let view = if kept > 0 {
                &self.carry[self.head..]
            } else {
                *input
            };
            let room = NOISE_PIECE - self.noise.len();
            let (junk, then) = pass_by(view, room, self.limit, self.passed, &mut self.sums);
            let frame_follows = matches!(then, Look::Whole { .. });
            if junk > 0 && self.waste(junk, input) || frame_follows && !self.noise.is_empty() {
                return Some(self.hand_out_noise());
            }
            match then {
                Look::Whole { header, len } => {
                    return Some(Item::Frame(self.hand_out_frame(header, len, input)));
                }
                // What was kept is used up, and the input is next.
                Look::Need(_) if kept > 0 && kept == junk => {}
                Look::Need(_) if kept > 0 && input.is_empty() => return None,
                // Behind noise comes more noise, and looking at it in one go is quicker.
                Look::Need(need) if kept > 0 => {
                    self.top_up(need - (kept - junk) + self.noise.len(), input);
                }
                Look::Need(_) => {
                    self.carry.clear();
                    self.head = 0;
                    self.carry.extend_from_slice(input);
                    *input = &[];
                    return None;
                }
                Look::Junk(_) | Look::False => {}
            }
        }
    }

    /// Takes the frame off the front of the stream.
    fn hand_out_frame<'a, 'i: 'a>(
        &'a mut self,
        header: usize,
        len: usize,
        input: &mut &'i [u8],
    ) -> Frame<'a> {
        let total = header + len + TRAILER;
        let offset = self.offset();
        self.passed += total as u64;
        let bytes: &'a [u8] = if self.head < self.carry.len() {
            self.head += total;
            &self.carry[self.head - total..self.head]
        } else {
            let (frame, rest) = input.split_at(total);
            *input = rest;
            frame
        };
        Frame {
            offset,
            start: bytes[0],
            payload: &bytes[header..header + len],
            bytes,
        }
    }

    /// Ends the stream: hands out what is left, the noise found so far and a frame that never ended.
    ///
    /// The decoder then stands at the same offset, ready for a stream that goes on after a gap.
    pub fn finish(&mut self) -> Option<Tail> {
        let tail = self.left();
        self.passed += self.waiting() as u64;
        self.take_noise();
        self.carry.clear();
        self.head = 0;
        self.sums.clear();
        tail
    }

    /// What [`finish`](Self::finish) would hand out now.
    #[must_use]
    pub fn left(&self) -> Option<Tail> {
        let waiting = self.waiting_bytes();
        let bytes = [self.noise(), waiting].concat();
        (!bytes.is_empty()).then_some(Tail {
            offset: self.noise_offset(),
            bytes,
            unfinished: waiting.len(),
            missing: self.missing(),
            limit: self.limit,
        })
    }

    /// Goes on at a later place of the stream, after bytes that were never seen.
    ///
    /// Call [`finish`](Self::finish) first, or what waits is lost.
    pub fn skip(&mut self, missing: u64) {
        self.finish();
        self.skipped = self.skipped.saturating_add(missing);
    }

    /// Where in the stream the next unread byte is.
    fn offset(&self) -> u64 {
        self.skipped.saturating_add(self.passed)
    }

    /// Bytes that wait for the rest of their frame; a parser that waits answers nothing.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.carry.len() - self.head
    }

    /// The bytes that wait.
    #[must_use]
    pub fn waiting_bytes(&self) -> &[u8] {
        &self.carry[self.head..]
    }

    /// How many more bytes are needed before something is decided about those that wait; 0 if none do.
    #[must_use]
    pub fn missing(&self) -> usize {
        let waiting = self.waiting_bytes();
        match look(waiting, self.limit) {
            Look::Need(need) if !waiting.is_empty() => need - waiting.len(),
            _ => 0,
        }
    }

    /// The noise right before what waits, which was not handed out yet, because more may follow it.
    #[must_use]
    pub fn noise(&self) -> &[u8] {
        match self.noise_given {
            true => &[],
            false => &self.noise,
        }
    }

    /// Where in the stream that noise begins.
    pub(crate) fn noise_offset(&self) -> u64 {
        self.offset().saturating_sub(self.noise().len() as u64)
    }

    /// Hands out that noise now. What follows it is noise of its own then.
    pub fn take_noise(&mut self) -> Vec<u8> {
        if core::mem::take(&mut self.noise_given) {
            self.noise.clear();
        }
        core::mem::take(&mut self.noise)
    }

    /// Moves up to `count` bytes of input behind the kept ones.
    fn top_up(&mut self, count: usize, input: &mut &[u8]) {
        // Moving only when at least as much is thrown away keeps the work per byte constant.
        if self.head >= self.carry.len() - self.head {
            self.carry.drain(..self.head);
            self.head = 0;
        }
        let (taken, rest) = input.split_at(count.min(input.len()));
        self.carry.extend_from_slice(taken);
        *input = rest;
    }

    /// Moves bytes from the front of the stream to the noise, which has room for them; true when a piece is full.
    fn waste(&mut self, count: usize, input: &mut &[u8]) -> bool {
        if self.head < self.carry.len() {
            self.noise
                .extend_from_slice(&self.carry[self.head..self.head + count]);
            self.head += count;
        } else {
            let (junk, rest) = input.split_at(count);
            self.noise.extend_from_slice(junk);
            *input = rest;
        }
        self.passed += count as u64;
        self.noise.len() == NOISE_PIECE
    }

    fn hand_out_noise(&mut self) -> Item<'_> {
        self.noise_given = true;
        Item::Noise(Noise {
            offset: self.offset().saturating_sub(self.noise.len() as u64),
            bytes: &self.noise,
        })
    }
}

/// Passes by what begins no frame, as far as there is room for it: how many bytes, and what follows them.
fn pass_by(bytes: &[u8], room: usize, limit: usize, passed: u64, sums: &mut Sums) -> (usize, Look) {
    let mut junk = 0;
    while junk < room {
        let rest = &bytes[junk..];
        match look(rest, limit) {
            Look::Junk(count) => junk = (junk + count).min(room),
            Look::False => junk += 1,
            Look::Whole { header, len } if !sums.fits(passed + junk as u64, rest, header, len) => {
                junk += 1;
            }
            found => return (junk, found),
        }
    }
    (junk, Look::False)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{DEVICE_MAX_PAYLOAD, TOOL_MAX_PAYLOAD},
        *,
    };
    use crate::crc::SUMMED;

    #[test]
    fn each_byte_is_summed_up_at_most_twice_whatever_the_stream_holds() {
        for (limit, stream) in [
            (DEVICE_MAX_PAYLOAD, &b"\x02"[..]),
            (DEVICE_MAX_PAYLOAD, b"\x03\x01\xFF"),
            (TOOL_MAX_PAYLOAD, b"\x03"),
            (TOOL_MAX_PAYLOAD, b"\x03\x27\x10"),
        ] {
            let bytes = stream.repeat(20_000);
            let mut decoder = Decoder::new(limit);
            let before = SUMMED.get();
            for mut piece in bytes.chunks(1000) {
                while decoder.next(&mut piece).is_some() {}
            }
            let summed = SUMMED.get() - before;
            assert!(summed <= 2 * bytes.len(), "{summed} bytes of {stream:x?}");
        }
    }

    #[test]
    fn a_stream_that_is_always_about_to_be_a_frame_is_kept_within_bounds() {
        for (limit, stream) in [
            (DEVICE_MAX_PAYLOAD, &b"\x02"[..]),
            (DEVICE_MAX_PAYLOAD, b"\x03\x01\xFF"),
            (TOOL_MAX_PAYLOAD, b"\x03"),
            (TOOL_MAX_PAYLOAD, b"\x03\x27\x10"),
        ] {
            let stream = stream.repeat(20_000);
            let mut decoder = Decoder::new(limit);
            for mut piece in stream.chunks(7) {
                while decoder.next(&mut piece).is_some() {}
                assert!(decoder.carry.len() < 2 * (limit + 7 + NOISE_PIECE));
                assert!(decoder.noise.len() <= NOISE_PIECE);
                assert!(
                    decoder.sums.memory() <= 8 * (limit + 7),
                    "{}",
                    decoder.sums.memory()
                );
            }
        }
    }
}
