//! Texts of others - of a device, a client, a file - as a person may see them.

/// Whether a character acts on a terminal or a page instead of being shown: control characters, and those that change
/// the direction of writing, have no width or are no characters at all.
#[must_use]
pub fn is_treacherous(c: char) -> bool {
    matches!(
        c,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    ) || u32::from(c) & 0xfffe == 0xfffe
}

/// The text on one line, with what acts on a terminal written as Rust does: `\u{1b}`, `\n`.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match is_treacherous(c) {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    shown
}

/// The same for a text of several lines: line feeds and tabs stay.
#[must_use]
pub fn visible_lines(text: &str) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| line.split('\t').map(visible).collect::<Vec<_>>().join("\t"))
        .collect();
    lines.join("\n")
}

/// A whole text with a program's own styles in it: what else acts on a terminal is shown.
#[must_use]
pub fn visible_styled(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut parts = text.split("\u{1b}[");
    shown.push_str(&visible_lines(parts.next().unwrap_or_default()));
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_digit() && c != ';');
        match end.filter(|&end| part[end..].starts_with('m')) {
            Some(end) => {
                shown.push_str("\u{1b}[");
                shown.push_str(&part[..=end]);
                shown.push_str(&visible_lines(&part[end + 1..]));
            }
            None => shown.push_str(&visible_lines(&format!("\u{1b}[{part}"))),
        }
    }
    shown
}

/// A text of several lines with each character at its place. What acts on a terminal becomes its picture, such as `␛`, or
/// `�` if it has none. Tabs and the ends of lines stay.
#[must_use]
pub fn in_place(text: &str) -> String {
    let mut rest = text.chars().peekable();
    let mut shown = String::with_capacity(text.len());
    while let Some(c) = rest.next() {
        let stays = match c {
            '\n' | '\t' => true,
            '\r' => rest.peek().is_none_or(|&next| next == '\n'),
            c => !is_treacherous(c),
        };
        shown.push(match c {
            _ if stays => c,
            '\0'..='\x1F' => char::from_u32(0x2400 + u32::from(c)).unwrap_or(c),
            '\x7F' => '\u{2421}',
            _ => char::REPLACEMENT_CHARACTER,
        });
    }
    shown
}

/// The start of the text, with `�` for what acts on a terminal, and `…` where it was cut.
#[must_use]
pub fn excerpt(text: &str, max: usize) -> String {
    let clean = |c: char| match is_treacherous(c) {
        true => char::REPLACEMENT_CHARACTER,
        false => c,
    };
    if text.chars().nth(max).is_none() {
        return text.chars().map(clean).collect();
    }
    let start = text.chars().take(max.saturating_sub(1)).map(clean);
    start.chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_shown_instead() {
        let hostile = "a\u{1b}[31m\u{7}\u{9b}\u{202e}b\r\nc\td";
        assert_eq!(visible(hostile), r"a\u{1b}[31m\u{7}\u{9b}\u{202e}b\r\nc\td");
        assert_eq!(
            visible_lines(hostile),
            "a\\u{1b}[31m\\u{7}\\u{9b}\\u{202e}b\\r\nc\td"
        );
        assert_eq!(in_place(hostile), "a␛[31m␇��b\r\nc\td");
        assert_eq!(in_place("a\rb"), "a␍b");
        assert_eq!(excerpt(hostile, 3), "a�…");
        assert_eq!(excerpt("Ärger °C", 8), "Ärger °C");
    }

    #[test]
    fn own_styles_stay_and_everything_else_is_shown() {
        let text = "\u{1b}[1;31mred\u{1b}[0m\n\u{1b}[2J\u{9b}\u{202e}\u{1b}]0;";
        let shown = "\u{1b}[1;31mred\u{1b}[0m\n\\u{1b}[2J\\u{9b}\\u{202e}\\u{1b}]0;";
        assert_eq!(visible_styled(text), shown);
    }
}
