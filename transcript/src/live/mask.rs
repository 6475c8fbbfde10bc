//! Masks credentials in a stream while it goes on: the password of a login line, passwords, keys and pins in configs.
//!
//! Bytes that may still turn out to hold one are held back until that is certain, at most a frame. Where the secrets are,
//! [`crate::secret`] knows.

use std::ops::Range;

use veschub_wire::{CommandId, Decoder, Item, TOOL_MAX_PAYLOAD, encode};

use crate::{
    entry::Direction,
    listen::MAX_LOGIN_LINE,
    secret::{credentials, login_credentials, may_hold_credentials},
};

/// What each byte of a credential becomes.
const MASK: u8 = b'*';

/// Whether this stands for a credential that was masked when its session was saved.
#[must_use]
pub fn is_masked(credential: &str) -> bool {
    !credential.is_empty() && credential.bytes().all(|byte| byte == MASK)
}

/// Other bytes for a place in a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Edit {
    offset: u64,
    bytes: Vec<u8>,
}

impl Edit {
    /// Changes those of these bytes that it is about; they stand at `offset` of the stream.
    pub(super) fn apply(&self, offset: u64, bytes: &mut [u8]) {
        let end = offset + bytes.len() as u64;
        let from = self.offset.max(offset);
        let to = (self.offset + self.bytes.len() as u64).min(end);
        if from < to {
            let (theirs, ours) = (from - offset, from - self.offset);
            let count = (to - from) as usize;
            bytes[theirs as usize..][..count]
                .copy_from_slice(&self.bytes[ours as usize..][..count]);
        }
    }
}

/// Reads a direction of a session and says what to mask in it.
#[derive(Debug)]
pub(super) struct Mask {
    direction: Direction,
    /// The beginning of the stream, while it may be a login line.
    login: Option<Vec<u8>>,
    decoder: Decoder,
    /// Where the frames begin.
    base: u64,
    /// Bytes seen so far.
    seen: u64,
    /// The last of them, of which it is not certain what they are.
    open: Vec<u8>,
}

impl Mask {
    /// Reads a stream that may begin with a login line, if it goes to a device.
    pub(super) fn new(direction: Direction) -> Self {
        Self {
            direction,
            login: (direction == Direction::ToDevice).then(Vec::new),
            decoder: Decoder::new(TOOL_MAX_PAYLOAD),
            base: 0,
            seen: 0,
            open: Vec::new(),
        }
    }

    /// Up to where it is certain what the stream holds.
    pub(super) fn settled(&self) -> u64 {
        self.seen - self.open.len() as u64
    }

    /// Takes the next bytes.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Vec<Edit> {
        let mut edits = Vec::new();
        self.seen += bytes.len() as u64;
        self.open.extend_from_slice(bytes);
        let Some(line) = &mut self.login else {
            self.frames(bytes, &mut edits);
            return edits;
        };
        line.extend_from_slice(bytes);
        let is_frame = line.first().is_some_and(|&byte| (2..=4).contains(&byte));
        let end = line.iter().position(|&byte| byte == b'\n');
        if is_frame || end.is_some() || line.len() > MAX_LOGIN_LINE {
            let mut line = self.login.take().unwrap_or_default();
            let rest = match (is_frame, end) {
                (true, _) => std::mem::take(&mut line),
                (false, Some(end)) => line.split_off(end + 1),
                (false, None) => Vec::new(),
            };
            Self::mask_login(line, &mut edits);
            self.base = self.seen - rest.len() as u64;
            self.frames(&rest, &mut edits);
        }
        edits
    }

    /// Ends the stream, or gives up waiting: what is still open is masked as far as it may hold credentials.
    pub(super) fn settle(&mut self) -> Vec<Edit> {
        let mut edits = Vec::new();
        if let Some(line) = self.login.take() {
            Self::mask_login(line, &mut edits);
            self.base = self.seen;
            self.open.clear();
            return edits;
        }
        let start = self.settled();
        for at in 0..self.open.len() {
            if let Some(place) = sensitive_place(&self.open[at..]) {
                edits.push(Edit {
                    offset: start + (at + place.start) as u64,
                    bytes: vec![MASK; place.len()],
                });
            }
        }
        self.open.clear();
        edits
    }

    /// Masks the password of the line, whether it is a good login or not.
    fn mask_login(mut line: Vec<u8>, edits: &mut Vec<Edit>) {
        for place in login_credentials(&line) {
            line[place].fill(MASK);
        }
        edits.push(Edit {
            offset: 0,
            bytes: line,
        });
    }

    fn frames(&mut self, mut bytes: &[u8], edits: &mut Vec<Edit>) {
        while let Some(item) = self.decoder.next(&mut bytes) {
            let Item::Frame(frame) = item else {
                continue;
            };
            let places = credentials(frame.payload, self.direction);
            if places.is_empty() {
                continue;
            }
            let mut payload = frame.payload.to_vec();
            for place in places {
                payload[place].fill(MASK);
            }
            // The frame keeps its head and gets the CRC of its new payload.
            let tail = encode(&payload).unwrap_or_default();
            if let Some(crc) = tail.len().checked_sub(3) {
                payload.extend_from_slice(&tail[crc..crc + 2]);
            }
            edits.push(Edit {
                offset: self.base + frame.offset + u64::from(frame.start),
                bytes: payload,
            });
        }
        let open = self.decoder.waiting().min(self.open.len());
        self.open.drain(..self.open.len() - open);
    }
}

/// Where a frame that may hold credentials has its payload, as far as it is there.
fn sensitive_place(bytes: &[u8]) -> Option<Range<usize>> {
    let start = usize::from(*bytes.first().filter(|byte| (2..=4).contains(*byte))?);
    let id = CommandId(*bytes.get(start)?);
    let length = bytes[1..start]
        .iter()
        .fold(0, |sum, &byte| sum << 8 | usize::from(byte));
    let end = (start + length).min(bytes.len());
    (may_hold_credentials(id) && start + 1 < end).then_some(start + 1..end)
}
