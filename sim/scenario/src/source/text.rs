//! A scenario's text: the file, what it includes and what was set, one behind the other, so that a place is one number.

use std::ops::Range;

/// Everything that was read for one scenario, with the names of its parts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Text {
    text: String,
    parts: Vec<Part>,
}

/// A file, or an option, in a [`Text`].
#[derive(Clone, Debug)]
struct Part {
    name: String,
    range: Range<usize>,
}

impl Text {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let mut whole = Self::default();
        whole.push(name, text);
        whole
    }

    /// Adds a file or an option: the byte that it starts at.
    pub(crate) fn push(&mut self, name: &str, text: &str) -> usize {
        if !self.parts.is_empty() {
            self.text.push('\n');
        }
        let start = self.text.len();
        self.text.push_str(text);
        self.parts.push(Part {
            name: name.to_owned(),
            range: start..self.text.len(),
        });
        start
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// How many files and options there are.
    pub(crate) fn parts(&self) -> usize {
        self.parts.len()
    }

    /// Whether a byte lies behind the file itself: in what it includes, or in what was set.
    pub(crate) fn is_outside(&self, at: usize) -> bool {
        at > self.parts.first().map_or(0, |part| part.range.end)
    }

    /// The file that a byte lies in: its name, its text, and where in the whole text it starts.
    pub(crate) fn part_at(&self, at: usize) -> (&str, &str, usize) {
        let behind = self.parts.partition_point(|part| part.range.start <= at);
        let Some(part) = self.parts.get(behind.saturating_sub(1)) else {
            return ("", "", 0);
        };
        let text = self.text.get(part.range.clone()).unwrap_or_default();
        (&part.name, text, part.range.start)
    }

    /// The part of a range that lies on its first line, without blanks at the end.
    pub(crate) fn first_line_of(&self, span: &Range<usize>) -> Range<usize> {
        let text = self.text.get(span.clone()).unwrap_or_default();
        let line = text.split('\n').next().unwrap_or_default().trim_end();
        span.start..span.start + line.len()
    }

    /// Line and column of a byte in its file, counted from 1, the column in characters.
    pub(crate) fn line_and_column(&self, at: usize) -> (usize, usize) {
        let (_, text, start) = self.part_at(at);
        let before = text.get(..at - start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(start..).unwrap_or_default().chars().count() + 1;
        (line, column)
    }

    /// The line that a byte lies on, without its end.
    pub(crate) fn line_around(&self, at: usize) -> Range<usize> {
        let before = self.text.get(..at).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let rest = self.text.get(start..).unwrap_or_default();
        let line = rest.lines().next().unwrap_or_default();
        start..start + line.trim_end().len()
    }
}
