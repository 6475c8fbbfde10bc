//! What a client printed: its lines, each with its place in the session, and the start and the end of everything. The
//! size is limited.

use std::{collections::VecDeque, fmt, time::Duration};

/// The most that a client may print on stdout, in bytes; a client that prints more is ended.
pub const MAX_STDOUT: u64 = 16 << 20;
/// The longest line that is read as a reading, in bytes.
pub const MAX_LINE: usize = 256 << 10;
/// The most lines that are kept.
pub const MAX_LINES: usize = 20_000;
/// How much of the start, and of the end, is kept for people to read, in bytes.
const SHOWN: usize = 16 << 10;

/// A line that a client printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Counted from 1.
    pub number: usize,
    /// When it came, since the start of the run.
    pub at: Duration,
    /// How many journal entries there were before it came.
    pub after: usize,
    /// Its bytes without the line feed; at most [`MAX_LINE`], the rest of a longer line is dropped.
    pub text: Vec<u8>,
    /// Whether there was more.
    pub cut: bool,
}

/// The start and the end of a stream of bytes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Excerpt {
    start: Vec<u8>,
    end: VecDeque<u8>,
    total: u64,
    secret: String,
}

impl Excerpt {
    /// An empty excerpt that never shows this secret.
    #[must_use]
    pub fn hiding(secret: &str) -> Self {
        Self {
            secret: secret.to_owned(),
            ..Self::default()
        }
    }

    /// Takes in some bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let room = (SHOWN - self.start.len()).min(bytes.len());
        let (start, rest) = bytes.split_at(room);
        self.start.extend_from_slice(start);
        let rest = &rest[rest.len().saturating_sub(SHOWN)..];
        let too_many = (self.end.len() + rest.len()).saturating_sub(SHOWN);
        self.end.drain(..too_many);
        self.end.extend(rest);
    }

    /// How many bytes came in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The kept bytes as text, which says where bytes are left out.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::from_utf8_lossy(&self.start).into_owned();
        let left_out = self.total - (self.start.len() + self.end.len()) as u64;
        if left_out > 0 {
            text.push_str(&format!("\n... {left_out} bytes ...\n"));
        }
        let end: Vec<u8> = self.end.iter().copied().collect();
        text.push_str(&String::from_utf8_lossy(&end));
        hide(&text, &self.secret)
    }
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text(), f)
    }
}

/// A text without a secret.
#[must_use]
pub fn hide(text: &str, secret: &str) -> String {
    match secret {
        "" => text.to_owned(),
        secret => text.replace(secret, "***"),
    }
}

/// The lines of stdout.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    /// The lines, the oldest first.
    pub lines: Vec<Line>,
    /// The start and the end of all bytes.
    pub excerpt: Excerpt,
    open: Vec<u8>,
    cut: bool,
    number: usize,
}

impl Lines {
    /// Adds bytes that came at this time and at this place in the journal.
    pub fn push(&mut self, bytes: &[u8], at: Duration, after: usize) {
        self.excerpt.push(bytes);
        let mut pieces = bytes.split(|&byte| byte == b'\n');
        let last = pieces.next_back().unwrap_or_default();
        for piece in pieces {
            self.extend(piece);
            self.close(at, after);
        }
        self.extend(last);
    }

    /// Makes a line of the bytes after the last line feed, if there are any.
    pub fn finish(&mut self, at: Duration, after: usize) {
        if !self.open.is_empty() {
            self.close(at, after);
        }
    }

    fn extend(&mut self, piece: &[u8]) {
        let room = MAX_LINE - self.open.len();
        self.cut |= piece.len() > room;
        self.open.extend_from_slice(&piece[..piece.len().min(room)]);
    }

    fn close(&mut self, at: Duration, after: usize) {
        self.number += 1;
        let text = std::mem::take(&mut self.open);
        let cut = std::mem::take(&mut self.cut);
        if self.lines.len() < MAX_LINES {
            self.lines.push(Line {
                number: self.number,
                at,
                after,
                text,
                cut,
            });
        }
    }

    /// How many lines were not kept.
    #[must_use]
    pub fn forgotten(&self) -> usize {
        self.number - self.lines.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: &Lines) -> Vec<(usize, &[u8])> {
        let text = |line: &'_ Line| line.after;
        lines
            .lines
            .iter()
            .map(|line| (text(line), &line.text[..]))
            .collect()
    }

    #[test]
    fn a_line_counts_from_when_its_end_came() {
        let mut lines = Lines::default();
        lines.push(b"on", Duration::ZERO, 3);
        lines.push(b"e\ntwo\nth", Duration::ZERO, 5);
        lines.finish(Duration::ZERO, 9);
        assert_eq!(texts(&lines), [(5, &b"one"[..]), (5, b"two"), (9, b"th")]);
    }

    #[test]
    fn a_line_without_an_end_stays_small() {
        let mut lines = Lines::default();
        for _ in 0..100 {
            lines.push(&[b'x'; 10_000], Duration::ZERO, 0);
        }
        lines.push(b"\nnext\n", Duration::ZERO, 0);
        assert_eq!(lines.lines[0].text.len(), MAX_LINE);
        assert!(lines.lines[0].cut && !lines.lines[1].cut);
    }

    #[test]
    fn very_many_lines_are_counted_and_not_kept() {
        let mut lines = Lines::default();
        lines.push(&vec![b'\n'; MAX_LINES + 7], Duration::ZERO, 0);
        assert_eq!((lines.lines.len(), lines.forgotten()), (MAX_LINES, 7));
    }

    #[test]
    fn a_secret_is_not_shown() {
        let mut excerpt = Excerpt::hiding("not-a-secret");
        excerpt.push(b"login demo-0001:not-a-secret refused");
        assert_eq!(excerpt.text(), "login demo-0001:*** refused");
        assert_eq!(hide("as it is", ""), "as it is");
    }

    #[test]
    fn an_excerpt_holds_the_start_and_the_end() {
        let mut excerpt = Excerpt::default();
        excerpt.push(b"first ");
        for _ in 0..1000 {
            excerpt.push(&[b'-'; 1000]);
        }
        excerpt.push(b" last");
        let text = excerpt.text();
        assert!(text.starts_with("first --") && text.ends_with("-- last"));
        assert!(text.contains("... 967243 bytes ...") && text.len() < 40_000);
    }
}
