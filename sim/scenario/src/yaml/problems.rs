//! What a YAML parser says about a text that is no YAML, in words that help.

use crate::{code::Code, error::ScenarioError, source::Source};

/// What a YAML parser says, what is meant by it, and what usually helps.
const PROBLEMS: [(&str, &str, &str); 18] = [
    (
        "expected node content",
        "a value is missing, or a bracket is closed by one of the other kind",
        "close every `[` with `]` and every `{` with `}`",
    ),
    (
        "mapping values are not allowed",
        "a `:` stands where no key can be",
        "put quotes around text with `: ` in it, and indent the line like its neighbours",
    ),
    (
        "simple key expect",
        "a key without a colon",
        "write `key: value`, with a space after the colon",
    ),
    (
        "valid YAML whitespace",
        "a colon without a space after it",
        "write `key: value`, with a space and no tab",
    ),
    (
        "unknown anchor",
        "no earlier value is marked with this name",
        "mark the value with `&name` before it is repeated",
    ),
    (
        "incompatible YAML",
        "a version of YAML that is not known",
        "remove the `%YAML` line",
    ),
    (
        "unexpected character",
        "text cannot start with this character",
        "put quotes around the text",
    ),
    (
        "unexpected end of stream",
        "the quote is never closed",
        "add the closing quote",
    ),
    (
        "indentation in quoted scalar",
        "the quote is not closed, or its next line is not indented",
        "add the closing quote, or indent the lines that belong to the text",
    ),
    (
        "unknown escape",
        "a `\\` in double quotes starts an escape",
        "use single quotes, or write `\\\\`",
    ),
    (
        "after double-quoted",
        "more text after the closing quote",
        "put the whole text into one pair of quotes",
    ),
    (
        "<document start>",
        "the line belongs to nothing above it",
        "start every top-level key in the first column",
    ),
    (
        "expected key",
        "the line belongs to nothing above it",
        "indent it like the keys or items beside it",
    ),
    (
        "'-' indicator",
        "the line belongs to nothing above it",
        "indent it like the items above, and start it with `- `",
    ),
    (
        "block sequence entries",
        "a list cannot start in the middle of a line",
        "start the list in the next line",
    ),
    (
        "misplaced bracket",
        "a bracket closes what was never opened",
        "remove it, or put quotes around the text",
    ),
    (
        "',' or",
        "a bracket is not closed, or a comma is missing",
        "close every `[` and `{`, separate by commas",
    ),
    (
        "':' indicator",
        "a bracket is not closed, or a comma is missing",
        "close every `[` and `{`, separate by commas",
    ),
];

/// Says that the text is no YAML, in better words than the parser's where there are some.
pub(super) fn not_yaml(source: &Source, at: usize, problem: &str) -> ScenarioError {
    let at = last_visible(source.text(), at);
    let width = source
        .text()
        .get(at..)
        .and_then(|rest| rest.chars().next())
        .map_or(0, char::len_utf8);
    let line = source.whole().line_around(at);
    let refuse = |spot, problem: &str| {
        ScenarioError::new(source, Some(spot), format!("not valid YAML: {problem}"))
            .coded(Code::NotYaml)
    };
    let indent = line.start
        ..line.end
            - source
                .text()
                .get(line.clone())
                .map_or(0, |text| text.trim_start().len());
    if let Some(tab) = source
        .text()
        .get(indent.clone())
        .and_then(|indent| indent.find('\t'))
    {
        let tab = indent.start + tab;
        return refuse(tab..tab + 1, "a tab as indentation")
            .label("a tab")
            .help("indent with spaces");
    }
    let Some((_, meaning, help)) = PROBLEMS.iter().find(|(words, ..)| problem.contains(words))
    else {
        return refuse(at..at + width, problem).label("here");
    };
    let spot = if problem.contains("simple key") {
        indent.end..line.end
    } else {
        at..at + width
    };
    refuse(spot, meaning).label("here").help(*help)
}

/// Steps back from the end of the text or from an empty line to what was last written.
fn last_visible(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or(text);
    let rest = text.get(before.len()..).unwrap_or_default();
    let starts_line = before.is_empty() || before.ends_with('\n');
    if rest.trim_start_matches([' ', '\r']).starts_with('\n') && starts_line || rest.is_empty() {
        let seen = before.trim_end();
        return seen.char_indices().next_back().map_or(0, |(at, _)| at);
    }
    before.len()
}
