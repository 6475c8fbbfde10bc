//! A CAN bus as text, a frame a line, as `candump -L` writes it and `candump` shows it.
//!
//! Each line becomes what a capture with link type 227 has, so that nothing behind this needs to know of text.

use std::io::Read;

use super::input::Input;
use crate::{can::read_line, error::CaptureError};

/// The longest line; candump's have less than 250 characters.
const MAX_LINE: usize = 4096;

/// The lines of a log.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// The frame of the last line.
    frame: Vec<u8>,
    /// Lines gone past.
    count: u64,
    odd: u64,
    first_odd: u64,
}

impl Lines {
    /// Whether the input begins with a line of candump, empty ones aside.
    pub(super) fn are_here<R: Read>(input: &mut Input<R>) -> Result<bool, CaptureError> {
        input.fill(MAX_LINE)?;
        let bytes = input.bytes();
        let text = &bytes[..bytes.len().min(MAX_LINE)];
        let mut lines = text.split(|&byte| byte == b'\n').map(trimmed);
        let first = lines.find(|line| !line.is_empty());
        Ok(first.is_some_and(|line| parsed(line).is_some()))
    }

    /// Goes to the next frame; its time, if the line has one. `None` at the end.
    #[expect(clippy::option_option, reason = "no line, or a line without a time")]
    pub(super) fn next<R: Read>(
        &mut self,
        input: &mut Input<R>,
    ) -> Result<Option<Option<u64>>, CaptureError> {
        loop {
            let have = input.fill(MAX_LINE)?;
            if have == 0 {
                return Ok(None);
            }
            let bytes = &input.bytes()[..have.min(MAX_LINE)];
            let end = bytes.iter().position(|&byte| byte == b'\n');
            let line = trimmed(&bytes[..end.unwrap_or(bytes.len())]);
            let found = parsed(line);
            let is_empty = line.is_empty();
            let mut length = end.map_or(bytes.len(), |end| end + 1);
            self.count += 1;
            // A line that is too long is gone past in pieces.
            let mut is_over = end.is_some();
            input.consume(length);
            while !is_over && input.fill(MAX_LINE)? > 0 {
                let bytes = &input.bytes()[..input.bytes().len().min(MAX_LINE)];
                let end = bytes.iter().position(|&byte| byte == b'\n');
                is_over = end.is_some();
                length = end.map_or(bytes.len(), |end| end + 1);
                input.consume(length);
            }
            match found {
                Some((at_ns, frame)) => {
                    self.frame = frame;
                    return Ok(Some(at_ns));
                }
                None if is_empty => {}
                None => {
                    self.odd += 1;
                    if self.odd == 1 {
                        self.first_odd = self.count;
                    }
                }
            }
        }
    }

    /// The frame of the last line, with SocketCAN's header.
    pub(super) fn frame(&self) -> &[u8] {
        &self.frame
    }

    /// How many lines held something else, and the number of the first.
    pub(super) fn odd(&self) -> Option<(u64, u64)> {
        (self.odd > 0).then_some((self.odd, self.first_odd))
    }
}

fn trimmed(line: &[u8]) -> &[u8] {
    line.trim_ascii()
}

fn parsed(line: &[u8]) -> Option<(Option<u64>, Vec<u8>)> {
    let (at, frame) = read_line(std::str::from_utf8(line).ok()?)?;
    Some((at, frame.to_socketcan()))
}
