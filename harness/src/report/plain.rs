//! Makes texts of a client harmless before they are shown.

use std::fmt::Write as _;

use veschub_transcript::foreign::is_treacherous;

/// How much of one text is shown, in characters.
const LENGTH: usize = 4000;

/// Removes everything that could act on a terminal or a page: ANSI sequences, and control characters except line feeds
/// and tabs. Characters that change the direction of writing, have no width or are not allowed in XML are replaced by
/// their number (`⟨U+202E⟩`). A very long text is cut.
#[must_use]
pub fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len().min(LENGTH));
    // Sequences are removed first: without its escape character, the rest of a sequence would be shown as text.
    let stripped = anstream::adapter::strip_str(text).to_string();
    for (index, c) in stripped.chars().enumerate() {
        if index == LENGTH {
            shown.push('…');
            break;
        }
        match c {
            '\n' | '\t' => shown.push(c),
            '\r' => shown.push('␍'),
            c if is_treacherous(c) => {
                let _ = write!(shown, "⟨U+{:04X}⟩", u32::from(c));
            }
            c => shown.push(c),
        }
    }
    shown
}

/// The same on one line: line feeds and tabs become blanks.
#[must_use]
pub fn plain_line(text: &str) -> String {
    plain(text).replace(['\n', '\t'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_reader_is_shown_instead() {
        assert_eq!(plain("a\u{1b}[31mred\u{1b}[0m\u{7}\tb\nc"), "ared\tb\nc");
        assert_eq!(plain("a\u{0}\u{8}\u{1b}]0;title\u{7}b\u{1b}c"), "ab");
        assert_eq!(plain("\u{202e}gpj.exe\u{feff}"), "⟨U+202E⟩gpj.exe⟨U+FEFF⟩");
        assert_eq!(plain("\u{ffff}\u{1fffe}"), "⟨U+FFFF⟩⟨U+1FFFE⟩");
        assert_eq!(plain("Ärger über 83.6 °C ▼"), "Ärger über 83.6 °C ▼");
        assert_eq!(plain_line("a\r\nb"), "a␍ b");
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(plain(&"x".repeat(LENGTH)).len(), LENGTH);
        assert!(plain(&"x".repeat(LENGTH + 1)).ends_with('…'));
    }
}
