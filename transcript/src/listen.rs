//! Listens to one direction of a session: bytes in, logins, frames and noise out.
//!
//! The same for a recording and for a live session, which differ only in what a time is: the type
//! parameter. Each thing heard carries the time of its last byte.

use std::collections::VecDeque;

use veschub_wire::{Ear, Heard as Found, LoginLine};

use crate::entry::{FrameEntry, Kind, Login, LoginProblem, NoiseEntry, RawLine};

/// A login line longer than this is given up.
pub(crate) const MAX_LOGIN_LINE: usize = 256 << 10;

/// Something heard, and the place and time of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard<T> {
    /// When its last byte was there.
    pub at: T,
    /// Offset of its first byte in the stream.
    pub offset: u64,
    /// What it is.
    pub kind: Kind,
}

/// Takes the bytes of one direction apart.
#[derive(Debug)]
pub struct Listener<T> {
    ear: Ear,
    /// The beginning of the stream, while it may be a login line.
    login: Option<Vec<u8>>,
    /// Bytes taken so far, gaps included.
    len: u64,
    /// Up to which offset bytes came at which time, for what was not heard of yet.
    times: VecDeque<(u64, T)>,
    /// Up to which offset everything was heard of.
    heard_to: u64,
}

impl<T: Copy> Listener<T> {
    /// Listens to a stream of frames with payloads of up to `max_payload` bytes.
    #[must_use]
    pub fn new(max_payload: usize) -> Self {
        Self {
            ear: Ear::new(max_payload),
            login: None,
            len: 0,
            times: VecDeque::new(),
            heard_to: 0,
        }
    }

    /// The same for a stream that may begin with a login line.
    #[must_use]
    pub fn with_login(max_payload: usize) -> Self {
        Self {
            login: Some(Vec::new()),
            ..Self::new(max_payload)
        }
    }

    /// The same for somebody who watches a session that goes on: damaged frames are heard of at once.
    #[must_use]
    pub fn eagerly(self) -> Self {
        Self {
            ear: Ear::eager(self.ear.limit()),
            ..self
        }
    }

    /// Bytes taken so far, gaps included.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing was taken yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The time of the first bytes that were taken and not heard of yet.
    #[must_use]
    pub(crate) fn unsettled_since(&self) -> Option<T> {
        let unsettled = self.heard_to < self.len;
        self.times
            .iter()
            .find(|(to, _)| unsettled && *to > self.heard_to)
            .map(|&(_, at)| at)
    }

    /// Whether the stream may still begin with a login line.
    #[must_use]
    pub(crate) fn may_be_login(&self) -> bool {
        self.login.is_some()
    }

    /// Whether a part of what may be a login line came.
    #[must_use]
    pub(crate) fn has_part_of_login(&self) -> bool {
        self.login.as_ref().is_some_and(|line| !line.is_empty())
    }

    /// Takes the next bytes and appends what they completed.
    pub fn bytes(&mut self, at: T, bytes: &[u8], heard: &mut Vec<Heard<T>>) {
        if bytes.is_empty() {
            return;
        }
        self.len += bytes.len() as u64;
        self.times.push_back((self.len, at));
        let Some(mut line) = self.login.take() else {
            return self.frames(bytes, heard);
        };
        let seen = line.len();
        line.extend_from_slice(bytes);
        match judge_login(&line, seen) {
            LoginState::Open => self.login = Some(line),
            LoginState::No => self.frames(&line, heard),
            LoginState::Complete(len) => {
                let rest = line.split_off(len);
                let parsed = LoginLine::parse(&line[..len - 1]).map_err(LoginProblem::from);
                self.hear_login(line, parsed, heard);
                self.frames(&rest, heard);
            }
            LoginState::TooLong => {
                let limit = MAX_LOGIN_LINE;
                self.hear_login(line, Err(LoginProblem::TooLong { limit }), heard);
            }
        }
    }

    /// Skips bytes that were never seen; what waited for them is noise.
    pub fn gap(&mut self, at: T, len: u64, heard: &mut Vec<Heard<T>>) {
        self.finish(heard);
        heard.push(Heard {
            at,
            offset: self.len,
            kind: Kind::Gap { len },
        });
        self.len += len;
        self.heard_to = self.len;
        self.times.clear();
        self.ear.skip(len);
        // A login line is the beginning of a stream or nowhere.
        self.login = None;
    }

    /// Ends the stream; what still waited is noise. It may go on all the same.
    pub fn finish(&mut self, heard: &mut Vec<Heard<T>>) {
        if let Some(line) = self.login.take() {
            if line.contains(&b':') {
                self.hear_login(line, Err(LoginProblem::Unfinished), heard);
            } else {
                self.frames(&line, heard);
            }
        }
        let (times, heard_to) = (&mut self.times, &mut self.heard_to);
        self.ear
            .finish(&mut |found| *heard_to = push_found(times, found, heard));
    }

    fn frames(&mut self, bytes: &[u8], heard: &mut Vec<Heard<T>>) {
        let (times, heard_to) = (&mut self.times, &mut self.heard_to);
        self.ear.bytes(bytes, &mut |found| {
            *heard_to = push_found(times, found, heard)
        });
    }

    fn hear_login(
        &mut self,
        raw: Vec<u8>,
        line: Result<LoginLine, LoginProblem>,
        heard: &mut Vec<Heard<T>>,
    ) {
        self.ear.skip(raw.len() as u64);
        let raw = RawLine::new(raw);
        self.hear(0, Kind::Login(Login { line, raw }), heard);
    }

    fn hear(&mut self, offset: u64, kind: Kind, heard: &mut Vec<Heard<T>>) {
        self.heard_to = push_heard(&mut self.times, offset, kind, heard);
    }
}

fn push_found<T: Copy>(
    times: &mut VecDeque<(u64, T)>,
    found: Found<'_>,
    heard: &mut Vec<Heard<T>>,
) -> u64 {
    let (offset, kind) = match found {
        Found::Frame { frame, waits_for } => (
            frame.offset,
            Kind::Frame(FrameEntry {
                payload: frame.payload.to_vec(),
                start: frame.start,
                waits_for,
                firmware: None,
            }),
        ),
        Found::Noise {
            offset,
            bytes,
            nearly,
            unfinished,
        } => (
            offset,
            Kind::Noise(NoiseEntry {
                bytes: bytes.to_vec(),
                nearly,
                unfinished,
            }),
        ),
    };
    push_heard(times, offset, kind, heard)
}

fn push_heard<T: Copy>(
    times: &mut VecDeque<(u64, T)>,
    offset: u64,
    kind: Kind,
    heard: &mut Vec<Heard<T>>,
) -> u64 {
    let end = offset + kind.stream_len();
    while times.len() > 1 && times.front().is_some_and(|(to, _)| *to < end) {
        times.pop_front();
    }
    // Bytes that were heard were taken, and their time with them.
    if let Some(&(_, at)) = times.front() {
        heard.push(Heard { at, offset, kind });
    }
    end
}

enum LoginState {
    /// It may still become a login line.
    Open,
    /// Something else.
    No,
    /// A line of this many bytes, line feed included.
    Complete(usize),
    /// It began like one and has no end.
    TooLong,
}

/// Looks at the beginning of a stream, of which `seen` bytes were looked at before.
fn judge_login(line: &[u8], seen: usize) -> LoginState {
    if let Some(end) = line[seen..].iter().position(|&byte| byte == b'\n') {
        let len = seen + end + 1;
        return match is_login_type(&line[..len]) {
            Some(true) => LoginState::Complete(len),
            _ => LoginState::No,
        };
    }
    match is_login_type(line) {
        Some(false) => LoginState::No,
        _ if line.len() > MAX_LOGIN_LINE => LoginState::TooLong,
        _ => LoginState::Open,
    }
}

/// Whether the text before the first colon is a type that a hub knows; `None` while it may become one.
fn is_login_type(line: &[u8]) -> Option<bool> {
    const TYPES: [&str; 3] = ["VESC", "VESCTOOL", "PING"];
    let name = line.split(|&byte| byte == b':').next().unwrap_or_default();
    let complete = name.len() < line.len();
    let name: Vec<u8> = name
        .iter()
        .filter(|&&byte| byte != b' ')
        .map(u8::to_ascii_uppercase)
        .collect();
    if complete {
        return Some(TYPES.iter().any(|known| known.as_bytes() == name));
    }
    let possible = TYPES
        .iter()
        .any(|known| known.as_bytes().starts_with(&name));
    (!possible).then_some(false)
}

#[cfg(test)]
mod tests {
    use veschub_wire::encode;

    use super::*;

    fn hear(pieces: &[&[u8]]) -> Vec<(u64, Kind)> {
        let mut listener = Listener::with_login(512);
        let mut heard = Vec::new();
        for (index, piece) in pieces.iter().enumerate() {
            listener.bytes(index, piece, &mut heard);
        }
        listener.finish(&mut heard);
        heard
            .into_iter()
            .map(|heard| (heard.offset, heard.kind))
            .collect()
    }

    #[test]
    fn how_a_stream_is_cut_makes_no_difference() {
        let mut stream = b"vesc tool:demo-0001:not-a-secret\n\0".to_vec();
        stream.extend(encode(&[96]).unwrap());
        stream.extend(b"noise");
        stream.extend(encode(&[0]).unwrap());
        stream.extend([2, 9]);
        let whole = hear(&[&stream]);
        assert_eq!(whole.len(), 6);
        for cut in 0..=stream.len() {
            let (first, second) = stream.split_at(cut);
            assert_eq!(hear(&[first, second]), whole, "cut at {cut}");
        }
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(hear(&bytes), whole);
    }

    #[test]
    fn what_only_begins_like_a_login_is_not_one() {
        for stream in [
            &b"VESC"[..],
            b"VESCT\n",
            b"HTTP:abc:x\n",
            b"\x02\x01\x60",
            b"VESCX:abc:x\n",
            b"\n",
        ] {
            let told = hear(&[stream]);
            assert!(matches!(&told[..], [(0, Kind::Noise(noise))] if noise.bytes == stream));
        }
    }

    #[test]
    fn a_login_line_without_an_end_is_given_up() {
        let mut stream = b"VESCTOOL:".to_vec();
        stream.resize(MAX_LOGIN_LINE + 10, b'x');
        let told = hear(&[&stream, &encode(&[96]).unwrap()]);
        assert!(matches!(&told[0].1, Kind::Login(login) if login.line.is_err()));
        assert!(matches!(told[1].1, Kind::Frame(_)));
        assert_eq!(told.len(), 2);
    }

    #[test]
    fn a_time_is_that_of_the_last_byte() {
        let frame = encode(&[96]).unwrap();
        let mut listener = Listener::new(512);
        let mut heard = Vec::new();
        listener.bytes(1, &[7], &mut heard);
        listener.bytes(2, &frame[..3], &mut heard);
        listener.bytes(3, &frame[3..], &mut heard);
        listener.bytes(4, &[2], &mut heard);
        listener.gap(5, 10, &mut heard);
        listener.bytes(6, &frame, &mut heard);
        listener.finish(&mut heard);
        let told: Vec<_> = heard
            .iter()
            .map(|heard| (heard.at, heard.offset, heard.kind.stream_len()))
            .collect();
        assert_eq!(
            told,
            [(1, 0, 1), (3, 1, 6), (4, 7, 1), (5, 8, 10), (6, 18, 6)]
        );
    }
}
