//! Masks credentials in a stream while it goes on: the password of a login line, passwords, keys and pins in configs.
//!
//! Bytes that may still turn out to hold one are held back until that is certain, at most a frame. Where the secrets are,
//! [`crate::secret`] knows.

use std::ops::Range;

use veschub_wire::{CommandId, Decoder, Item, LoginLine, TOOL_MAX_PAYLOAD, encode};

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
    /// What is said outside of frames.
    words: Words,
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
            words: Words::default(),
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
            self.mask_login(line, &mut edits);
            self.base = self.seen - rest.len() as u64;
            self.frames(&rest, &mut edits);
        }
        edits
    }

    /// Ends the stream, or gives up waiting: what is still open is masked as far as it may hold credentials.
    pub(super) fn settle(&mut self) -> Vec<Edit> {
        let mut edits = Vec::new();
        if let Some(line) = self.login.take() {
            // The rest of the line comes later, and may be the rest of a password.
            let is_begun = !line.is_empty();
            self.mask_login(line, &mut edits);
            self.words.is_secret |= is_begun;
            self.base = self.seen;
            self.open.clear();
            return edits;
        }
        let start = self.settled();
        if self.direction == Direction::ToDevice {
            edits.extend(self.words.read(start, &self.open));
        }
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
    fn mask_login(&mut self, mut line: Vec<u8>, edits: &mut Vec<Edit>) {
        let whole = line.strip_suffix(b"\n").unwrap_or(&line);
        let kind = whole.split(|&byte| byte == b':').next();
        let is_known =
            kind.is_some_and(|kind| [&b"VESC"[..], b"VESCTOOL", b"PING"].contains(&kind));
        if LoginLine::parse(whole).is_err() && (!is_known || whole.contains(&b';')) {
            let edit = self.words.read(0, &line);
            line = edit.map_or(line, |edit| edit.bytes);
        }
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
            let frame = match item {
                Item::Frame(frame) => frame,
                Item::Noise(noise) => {
                    if self.direction == Direction::ToDevice {
                        edits.extend(self.words.read(self.base + noise.offset, noise.bytes));
                    }
                    continue;
                }
            };
            self.words = Words::default();
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
        if self.direction == Direction::ToDevice {
            // The noise before what waits is not handed out yet, as more may follow, but it is not held back either.
            let noise = self.decoder.take_noise();
            let start = self.seen - (self.decoder.waiting() + noise.len()) as u64;
            edits.extend(self.words.read(start, &noise));
        }
        self.open.drain(..self.open.len() - open);
    }
}

/// Bytes outside of frames that may be words: a login that comes twice, after a frame or behind a byte that is none of it.
/// Everything behind a separator is taken for a secret until a control character, such as the line feed.
#[derive(Debug, Default)]
struct Words {
    is_secret: bool,
}

impl Words {
    /// Masks what follows a separator in these bytes, which stand at `offset` of the stream.
    fn read(&mut self, offset: u64, bytes: &[u8]) -> Option<Edit> {
        let mut masked = bytes.to_vec();
        for byte in &mut masked {
            match *byte {
                b':' | b';' => self.is_secret = true,
                0..=0x1f | 0x7f => self.is_secret = false,
                _ if self.is_secret => *byte = MASK,
                _ => {}
            }
        }
        (masked != bytes).then_some(Edit {
            offset,
            bytes: masked,
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What a stream looks like that comes in these pieces, with a long wait after each.
    fn masked(pieces: &[&[u8]], waits: bool) -> Vec<u8> {
        let mut mask = Mask::new(Direction::ToDevice);
        let mut all = pieces.concat();
        for piece in pieces {
            let mut edits = mask.read(piece);
            if waits {
                edits.extend(mask.settle());
            }
            for edit in edits {
                edit.apply(0, &mut all);
            }
        }
        for edit in mask.settle() {
            edit.apply(0, &mut all);
        }
        all
    }

    #[test]
    fn no_way_to_send_a_login_saves_its_password() {
        let login = &b"VESCTOOL:demo-0001:pass-word\n"[..];
        let request = &encode(&[0]).unwrap()[..];
        let ways: [&[&[u8]]; 14] = [
            &[login],
            &[login, login],
            &[login, request, login],
            &[request, login],
            &[b"\n", login],
            &[b"\r\n", login],
            &[b"\x02", login],
            &[b"\xef\xbb\xbf", login],
            &[b"VESCTOOL:demo-0001:", b"pass-word\n"],
            &[b"VESCTOOL:demo-0001:pass-", b"word\n", request],
            &[b"VESCTOOL;demo-0001;pass-word\n"],
            &[b"demo-0001:pass-word\r\n"],
            &[b"VESCTOOL:demo-0001;pass-word\n"],
            &[b"VESCTOOL:demo-0001:pass:word\n"],
        ];
        for way in ways {
            for waits in [false, true] {
                let saved = String::from_utf8_lossy(&masked(way, waits)).into_owned();
                assert!(
                    !saved.contains("word") && !saved.contains("pass"),
                    "{way:?}: {saved:?}"
                );
            }
            // Byte for byte.
            let bytes: Vec<&[u8]> = way.iter().flat_map(|piece| piece.chunks(1)).collect();
            let saved = String::from_utf8_lossy(&masked(&bytes, false)).into_owned();
            assert!(!saved.contains("word"), "{way:?}: {saved:?}");
        }
        // A good login keeps its id, and requests stay as they are.
        let saved = masked(&[login, request], false);
        assert!(saved.starts_with(b"VESCTOOL:demo-0001:*********\n"));
        assert!(saved.ends_with(request));
    }

    /// However a stream is cut, and wherever it pauses, its frames stay as they are.
    #[test]
    fn frames_stay_as_they_are_wherever_the_stream_pauses() {
        let login = &b"VESCTOOL:demo-0001:pass-word\n"[..];
        let request = encode(&[b':'; 9]).unwrap();
        // The junk looks like the start of a frame of 86 bytes, and is found out in the middle of the requests.
        let stream = [login, b"\x02Vjunk", &request.repeat(20)].concat();
        for first in login.len()..stream.len() {
            let (one, two) = stream.split_at(first);
            let saved = masked(&[one, two], true);
            let frames = saved.windows(request.len()).filter(|part| *part == request);
            assert!(frames.count() >= 12, "cut at {first}");
            let later = first.max(login.len() + 100);
            assert_eq!(saved[later..], stream[later..], "cut at {first}");
        }
    }

    #[test]
    fn a_masked_credential_is_known() {
        assert!(is_masked("*****"));
        assert!(!is_masked("") && !is_masked("a***"));
    }
}
