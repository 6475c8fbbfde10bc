//! Texts as they reach the terminal: nothing in them acts on it, and each has the width that it is given.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};
use veschub_transcript::foreign::visible;

/// How many columns a text takes.
pub(crate) fn width(text: &str) -> usize {
    Span::raw(text).width()
}

/// Any text on one line, with what would act on the terminal written out.
pub(crate) fn shown(text: &str) -> String {
    visible(text)
}

/// A text in exactly so many columns: filled with blanks, or cut with `…`.
pub(crate) fn fit(text: &str, columns: usize) -> String {
    let all = width(text);
    if all <= columns {
        return format!("{text}{}", " ".repeat(columns - all));
    }
    let mut cut = String::new();
    let mut taken = 0;
    for c in text.chars() {
        let more = width(c.encode_utf8(&mut [0; 4]));
        if taken + more + 1 > columns {
            break;
        }
        cut.push(c);
        taken += more;
    }
    if columns > taken {
        cut.push('…');
        taken += 1;
    }
    cut.push_str(&" ".repeat(columns.saturating_sub(taken)));
    cut
}

/// A text in lines of at most so many columns, broken at blanks where there are some.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let mut word = word;
        if !line.is_empty() && width(&line) + 1 + width(word) > columns {
            lines.push(std::mem::take(&mut line));
        }
        while width(word) > columns {
            let (end, _) = word
                .char_indices()
                .nth(columns)
                .unwrap_or((word.len(), ' '));
            lines.push(word[..end].to_owned());
            word = &word[end..];
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Items beside each other in columns of one width, read from the left to the right.
pub(crate) fn in_columns(
    items: &[Vec<Span<'static>>],
    each: usize,
    columns: usize,
) -> Vec<Line<'static>> {
    let beside = (columns / each.max(1)).max(1);
    let row = |row: &[Vec<Span<'static>>]| {
        let mut spans = Vec::new();
        for item in row {
            let taken: usize = item.iter().map(Span::width).sum();
            spans.extend(item.iter().cloned());
            spans.push(Span::raw(" ".repeat(each.saturating_sub(taken))));
        }
        Line::from(spans)
    };
    items.chunks(beside).map(row).collect()
}

/// Writes lines from the top of an area, as far as they fit, from the one with this number on.
pub(crate) fn put(buffer: &mut Buffer, area: Rect, lines: &[Line<'_>], from: usize) {
    for (row, line) in area.rows().zip(lines.iter().skip(from)) {
        buffer.set_line(row.x, row.y, line, row.width);
    }
}

/// A line that fills an area's row with a style, behind its text too.
pub(crate) fn bar(buffer: &mut Buffer, row: Rect, line: &Line<'_>, style: Style) {
    buffer.set_style(row, style);
    put(buffer, row, std::slice::from_ref(line), 0);
}

/// The first of the lines that are seen, so that the chosen one is among them and as few as possible move.
pub(crate) fn scrolled(top: usize, chosen: usize, count: usize, height: usize) -> usize {
    let last = count.saturating_sub(height);
    let lowest = (chosen + 1).saturating_sub(height);
    top.clamp(lowest, chosen.max(lowest)).min(last)
}

/// The first row, and the others.
pub(crate) fn split(area: Rect) -> [Rect; 2] {
    let first = Rect {
        height: area.height.min(1),
        ..area
    };
    let rest = Rect {
        y: area.y + first.height,
        height: area.height - first.height,
        ..area
    };
    [first, rest]
}

/// The others, and the last row.
pub(crate) fn split_last(area: Rect) -> [Rect; 2] {
    let height = area.height.min(1);
    let rest = Rect {
        height: area.height - height,
        ..area
    };
    let y = rest.bottom();
    [rest, Rect { y, height, ..area }]
}

/// Writes a text at the start of a row, if there is one.
pub(crate) fn say(buffer: &mut Buffer, row: Rect, text: &str, style: Style) {
    if row.height > 0 {
        buffer.set_stringn(row.x, row.y, text, row.width.into(), style);
    }
}

/// A line across a row, behind a text.
pub(crate) fn rule(buffer: &mut Buffer, row: Rect, text: &str, style: Style) {
    let line = "─".repeat(usize::from(row.width).saturating_sub(width(text)));
    say(buffer, row, &format!("{text}{line}"), style);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_the_width_that_it_is_given_wide_characters_too() {
        assert_eq!(fit("pack", 6), "pack  ");
        assert_eq!(fit("packs of cells", 6), "packs…");
        assert_eq!(fit("電池電池", 6), "電池… ");
        assert_eq!(fit("電池", 0), "");
        for columns in 0..12 {
            assert_eq!(width(&fit("電池 and more of it", columns)), columns);
        }
    }

    #[test]
    fn a_long_text_is_broken_at_blanks_and_a_long_word_where_it_must() {
        assert_eq!(wrap("what acts on it", 7), ["what", "acts on", "it"]);
        assert_eq!(wrap("abcdefgh i", 3), ["abc", "def", "gh", "i"]);
        assert_eq!(wrap("", 3), Vec::<String>::new());
    }

    #[test]
    fn the_chosen_line_is_seen_and_as_few_lines_as_possible_move() {
        assert_eq!(scrolled(0, 3, 100, 10), 0);
        assert_eq!(scrolled(0, 12, 100, 10), 3);
        assert_eq!(scrolled(50, 45, 100, 10), 45);
        assert_eq!(scrolled(50, 55, 100, 10), 50);
        assert_eq!(scrolled(95, 99, 100, 10), 90);
        assert_eq!(scrolled(5, 0, 0, 10), 0);
    }
}
