//! Masks credentials in a stream while it goes on: the password of a login line, passwords, keys and pins in configs.
//!
//! Bytes that may still turn out to hold one are held back until that is certain, at most a frame. What is masked and
//! how, [`crate::masking`] decides.

use std::ops::Range;

use veschub_wire::{CommandId, Decoder, Item, TOOL_MAX_PAYLOAD, frame::encode_as};

use crate::{
    entry::Direction,
    listen::MAX_LOGIN_LINE,
    masking::{Edit, Noise, has_credentials, login_edits, payload},
    secret::{Mask as As, may_hold_credentials},
};

/// The last bytes that were whole frames without credentials, on whichever connection. A relay sends on what it has
/// just received, which then is not read a second time.
#[derive(Debug, Default)]
pub(super) struct Plain(Vec<u8>);

/// Reads a direction of a session and says what to mask in it.
#[derive(Debug)]
pub(super) struct Mask {
    direction: Direction,
    /// The beginning of the stream, while it may be a login line.
    login: Option<Vec<u8>>,
    /// Whether a device has logged in here, so that what comes back is said by tools.
    is_of_device: bool,
    decoder: Decoder,
    /// Where the frames begin.
    base: u64,
    /// Bytes seen so far.
    seen: u64,
    /// What is said outside of frames.
    noise: Noise,
    /// How many of the last bytes it is not certain of what they are.
    open: usize,
    /// Up to where it was made certain although it was not.
    given_up: u64,
}

impl Mask {
    /// Reads a stream that may begin with a login line, if it goes to a device.
    pub(super) fn new(direction: Direction) -> Self {
        Self {
            direction,
            login: (direction == Direction::ToDevice).then(Vec::new),
            is_of_device: false,
            decoder: Decoder::new(TOOL_MAX_PAYLOAD),
            base: 0,
            seen: 0,
            noise: Noise::new(direction),
            open: 0,
            given_up: 0,
        }
    }

    /// Whether a device has logged in with what was read.
    pub(super) fn is_of_device(&self) -> bool {
        self.is_of_device
    }

    /// What a tool says goes this way after all.
    pub(super) fn expect_words(&mut self) {
        self.noise.expect_words();
    }

    /// Up to where it is certain what the stream holds.
    pub(super) fn settled(&self) -> u64 {
        self.seen - self.open as u64
    }

    /// Takes the next bytes.
    pub(super) fn read(&mut self, bytes: &[u8], plain: &mut Plain) -> Vec<Edit> {
        let mut edits = Vec::new();
        self.seen += bytes.len() as u64;
        let Some(line) = &mut self.login else {
            if self.decoder.waiting() == 0 && !bytes.is_empty() && plain.0 == bytes {
                self.base += bytes.len() as u64;
                self.noise.frame();
                return edits;
            }
            self.open += bytes.len();
            if self.frames(bytes, &mut edits) {
                plain.0.clear();
                plain.0.extend_from_slice(bytes);
            }
            return edits;
        };
        self.open += bytes.len();
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
            self.is_of_device = line.starts_with(b"VESC:");
            edits.extend(login_edits(&line, &mut self.noise));
            if end.is_some() {
                self.noise.frame();
            } else if !is_frame {
                self.noise.login_goes_on();
            }
            self.base = self.seen - rest.len() as u64;
            self.frames(&rest, &mut edits);
        }
        edits
    }

    /// Ends the stream, or gives up waiting: what is still open is masked as far as it may hold credentials.
    pub(super) fn settle(&mut self) -> Vec<Edit> {
        let mut edits = Vec::new();
        let start = self.settled();
        if let Some(line) = self.login.take() {
            edits.extend(login_edits(&line, &mut self.noise));
            self.noise.look_for_config(&line);
            // The rest of the line comes later, and may be the rest of a password.
            if !line.is_empty() {
                self.noise.login_goes_on();
            }
            self.base = self.seen;
        } else {
            let waiting = self.decoder.waiting_bytes();
            let from = self.seen - waiting.len() as u64;
            // What was given up before is masked already, and only what is open can be changed.
            let known = (start - from.min(start)) as usize;
            let open = waiting.get(known..).unwrap_or_default();
            let places = (0..waiting.len()).filter_map(|at| {
                let place = sensitive_place(&waiting[at..])?;
                (at + place.end > known).then(|| (at + place.start).max(known))
            });
            let first = places.min().unwrap_or(waiting.len());
            let read = self.noise.read(start, open);
            // From the first place in a frame that may hold credentials on, nothing is certain.
            let cut = from + first as u64;
            edits.extend(read.into_iter().filter(|edit| edit.at.start < cut));
            if let Some(last) = edits.last_mut() {
                last.at.end = last.at.end.min(cut);
            }
            if first < waiting.len() {
                edits.push(Edit::new(from, first..waiting.len(), As::SameLength));
            }
        }
        self.open = 0;
        self.given_up = self.seen;
        edits
    }

    /// Whether these bytes were whole frames without credentials.
    fn frames(&mut self, mut bytes: &[u8], edits: &mut Vec<Edit>) -> bool {
        let mut is_plain = self.decoder.waiting() == 0;
        while let Some(item) = self.decoder.next(&mut bytes) {
            let frame = match item {
                Item::Frame(frame) => frame,
                Item::Noise(noise) => {
                    is_plain = false;
                    let start = self.base + noise.offset;
                    edits.extend(unwritten(
                        &mut self.noise,
                        self.given_up,
                        start,
                        noise.bytes,
                    ));
                    continue;
                }
            };
            self.noise.frame();
            if !has_credentials(frame.payload, self.direction) {
                continue;
            }
            is_plain = false;
            let start = self.base + frame.offset;
            let inner = start + u64::from(frame.start);
            let end = inner + frame.payload.len() as u64;
            if start < self.given_up {
                // Its head is written, so that it keeps its length; its rest is masked like its start.
                let from = self.given_up.clamp(inner, end);
                let at = (from - inner) as usize..frame.payload.len();
                edits.push(Edit::new(inner, at, As::SameLength));
                continue;
            }
            let new = payload(frame.payload, self.direction);
            // The form that was sent, unless the length asks for another one.
            let form = match veschub_wire::frame::shortest_form(frame.payload) == frame.start {
                true => veschub_wire::frame::shortest_form(&new),
                false => frame.start,
            };
            if let Some(bytes) = encode_as(form, &new) {
                let at = start..end + 3;
                edits.push(Edit { at, bytes });
            }
        }
        // The noise before what waits is not handed out yet, as more may follow, but it is not held back either.
        let noise = self.decoder.take_noise();
        let start = self.seen - (self.decoder.waiting() + noise.len()) as u64;
        edits.extend(unwritten(&mut self.noise, self.given_up, start, &noise));
        self.open = self.decoder.waiting().min(self.open);
        is_plain && self.decoder.waiting() == 0 && noise.is_empty()
    }
}

/// What to mask in noise, of which the part before `given_up` was read when it was given up.
fn unwritten(noise: &mut Noise, given_up: u64, start: u64, bytes: &[u8]) -> Vec<Edit> {
    let known = given_up.saturating_sub(start) as usize;
    match bytes.get(known..) {
        Some(open) => noise.read(start + known as u64, open),
        None => Vec::new(),
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
    use crate::masking::apply;
    use veschub_wire::encode;

    /// What a stream looks like that comes in these pieces, with a long wait after each.
    fn masked(pieces: &[&[u8]], waits: bool) -> Vec<u8> {
        let mut mask = Mask::new(Direction::ToDevice);
        let mut all = Vec::new();
        for piece in pieces {
            all.extend(mask.read(piece, &mut Plain::default()));
            if waits {
                all.extend(mask.settle());
            }
        }
        all.extend(mask.settle());
        assert!(all.is_sorted_by_key(|edit| edit.at.start), "{all:?}");
        apply(&pieces.concat(), &all)
    }

    /// Ways to send a login with this password.
    fn ways(password: &str) -> Vec<Vec<Vec<u8>>> {
        let login = format!("VESCTOOL:demo-0001:{password}\n").into_bytes();
        let (one, two) = password.split_at(password.len() / 2);
        let request = encode(&[0]).unwrap();
        let text = |text: String| text.into_bytes();
        vec![
            vec![login.clone()],
            vec![login.clone(), login.clone()],
            vec![login.clone(), request.clone(), login.clone()],
            vec![request.clone(), login.clone()],
            vec![b"\n".to_vec(), login.clone()],
            vec![b"\r\n".to_vec(), login.clone()],
            vec![b"\x02".to_vec(), login.clone()],
            vec![b"\xef\xbb\xbf".to_vec(), login],
            vec![
                b"VESCTOOL:demo-0001:".to_vec(),
                text(format!("{password}\n")),
            ],
            vec![
                text(format!("VESCTOOL:demo-0001:{one}")),
                text(format!("{two}\n")),
                request,
            ],
            vec![text(format!("VESCTOOL;demo-0001;{password}\n"))],
            vec![text(format!("demo-0001:{password}\r\n"))],
            vec![text(format!("VESCTOOL:demo-0001;{password}\n"))],
            vec![text(format!("VESCTOOL:demo-0001:{password}:word\n"))],
        ]
    }

    #[test]
    fn no_way_to_send_a_login_saves_its_password_or_how_long_it_is() {
        let short = ways("pass-word").into_iter();
        for (way, other) in short.zip(ways("pass--and a longer--word")) {
            let parts = |way: &[Vec<u8>], waits| {
                let parts: Vec<&[u8]> = way.iter().map(Vec::as_slice).collect();
                String::from_utf8_lossy(&masked(&parts, waits)).into_owned()
            };
            for waits in [false, true] {
                let saved = parts(&way, waits);
                assert!(
                    !saved.contains("word") && !saved.contains("pass"),
                    "{way:?}: {saved:?}"
                );
                assert_eq!(saved, parts(&other, waits), "{way:?}");
            }
            // Byte for byte.
            let bytes: Vec<u8> = way.concat();
            let bytes: Vec<&[u8]> = bytes.chunks(1).collect();
            let saved = String::from_utf8_lossy(&masked(&bytes, false)).into_owned();
            assert!(!saved.contains("word"), "{way:?}: {saved:?}");
        }
        // A good login keeps its id, and requests stay as they are.
        let login = &b"VESCTOOL:demo-0001:pass-word\n"[..];
        let request = &encode(&[0]).unwrap()[..];
        let saved = masked(&[login, request], false);
        assert_eq!(saved, [b"VESCTOOL:demo-0001:***\n", request].concat());
    }

    #[test]
    fn a_config_behind_a_login_without_an_end_is_masked_wherever_the_stream_pauses() {
        let payload = [
            &[CommandId::SET_CUSTOM_CONFIG.0, 0, 1, 2, 3, 4, 0][..],
            b"net\0my secret key\0",
        ];
        let frame = encode(&payload.concat()).unwrap();
        let stream = [&b"VESCTOOL:demo-0001:pass-word"[..], &frame].concat();
        for first in 1..stream.len() {
            let (one, two) = stream.split_at(first);
            let saved = masked(&[one, two], true);
            for part in [&b"secret"[..], b"key", b"word"] {
                let is_there = saved.windows(part.len()).any(|bytes| bytes == part);
                assert!(
                    !is_there,
                    "cut at {first}: {}",
                    String::from_utf8_lossy(&saved)
                );
            }
        }
    }

    #[test]
    fn bytes_that_were_read_before_are_masked_like_all_others() {
        let request = &encode(&[0]).unwrap()[..];
        let login = &b"VESCTOOL:demo-0001:pass-word\n"[..];
        let (one, two) = login.split_at(24);
        let config = [
            &[CommandId::SET_CUSTOM_CONFIG.0, 0, 1, 2, 3, 4, 0][..],
            b"net\0my secret key\0",
        ];
        let config = &encode(&config.concat()).unwrap()[..];
        let pieces = [request, one, &[], two, config, &request[..3], &request[3..]];
        // Every order of three of them, each behind a request, which the second mask has not to read again.
        let orders = (0..pieces.len().pow(3)).map(|order| [1, 7, 49].map(|by| order / by % 7));
        for order in orders {
            let mut plain = Plain::default();
            let mut masks = [Direction::ToDevice, Direction::ToTool].map(Mask::new);
            let mut anew = [Direction::ToDevice, Direction::ToTool].map(Mask::new);
            for index in order {
                for piece in [request, pieces[index]] {
                    for (mask, anew) in masks.iter_mut().zip(&mut anew) {
                        let edits = mask.read(piece, &mut plain);
                        assert_eq!(edits, anew.read(piece, &mut Plain::default()), "{order:?}");
                        assert_eq!(mask.settled(), anew.settled(), "{order:?}");
                    }
                }
            }
        }
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
            assert!(saved.ends_with(&stream[later..]), "cut at {first}");
        }
    }

    #[test]
    fn a_config_that_comes_with_long_waits_is_masked_to_its_end() {
        use veschub_wire::command::{CustomConfig, ExpressConfig};
        let config = ExpressConfig {
            station_key: "wifi-key-1".into(),
            hub_password: "hub-pass-1".into(),
            ..ExpressConfig::default()
        };
        let config = CustomConfig {
            index: 0,
            signature: 1,
            data: config.pack(),
        };
        let reply = veschub_wire::Reply::CustomConfig(config).encode();
        let frame = encode(&reply).unwrap();
        for size in 1..frame.len() {
            let mut mask = Mask::new(Direction::ToTool);
            let mut edits = Vec::new();
            for piece in frame.chunks(size) {
                edits.extend(mask.read(piece, &mut Plain::default()));
                edits.extend(mask.settle());
            }
            let saved = apply(&frame, &edits);
            for secret in [&b"key"[..], b"pass"] {
                let found = saved.windows(secret.len()).any(|part| part == secret);
                assert!(!found, "{size}: {}", saved.escape_ascii());
            }
        }
    }
}
