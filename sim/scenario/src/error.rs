//! What is found in a scenario, drawn at its place. Knows how to show findings, not how to find them.

use std::fmt;
use std::iter;
use std::ops::Range;
use std::path::Path;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::Serialize;
use veschub_transcript::foreign::{in_place, visible};

use super::{
    code::Code,
    source::{Place, Source, Step},
};

/// The most mistakes that are told of one scenario.
pub(crate) const MOST: usize = 100;

/// What is wrong with a scenario, or odd about it: what it is, where, and what to do about it.
///
/// It holds at least one finding. [`code`](Self::code), [`line`](Self::line), [`message`](Self::message) and the like
/// are those of the first one in the file; [`each`](Self::each) has all of them.
#[derive(Clone, thiserror::Error)]
#[error("{}", self.render(false))]
pub struct ScenarioError(Box<Report>, Vec<Report>);

#[derive(Clone)]
struct Report {
    code: Code,
    source: Source,
    spot: Option<Range<usize>>,
    message: String,
    label: Option<String>,
    also: Vec<(Range<usize>, String)>,
    helps: Vec<String>,
}

/// A finding as programs read it.
#[derive(Serialize)]
struct Json<'a> {
    file: &'a str,
    line: Option<usize>,
    column: Option<usize>,
    code: &'a str,
    level: &'a str,
    message: &'a str,
    helps: &'a [String],
}

impl ScenarioError {
    /// A mistake at a byte range of the text, or in the file as a whole.
    pub(crate) fn new(
        source: &Source,
        spot: Option<Range<usize>>,
        message: impl Into<String>,
    ) -> Self {
        let report = Report {
            code: Code::Impossible,
            spot: spot.map(|spot| source.whole().first_line_of(&spot)),
            source: source.clone(),
            message: visible(&message.into()),
            label: None,
            also: Vec::new(),
            helps: Vec::new(),
        };
        Self(Box::new(report), Vec::new())
    }

    /// A finding about a file that is no scenario, as a whole.
    pub fn of_file(path: &Path, code: Code, message: impl Into<String>) -> Self {
        let source = Source::new(&path.to_string_lossy(), "");
        Self::new(&source, None, message).coded(code)
    }

    /// Says what kind of finding it is; without it, it is [`Code::Impossible`].
    #[must_use]
    pub(crate) fn coded(mut self, code: Code) -> Self {
        self.0.code = code;
        self
    }

    /// Says that it was found when the scenario was built, unless it is known better what it is.
    pub(crate) fn while_building(self) -> Self {
        match self.0.code {
            Code::Impossible => self.coded(Code::CannotBuild),
            _ => self,
        }
    }

    /// Moves the finding to a text of the same length, for one that was read with something left out.
    pub(crate) fn shown_in(mut self, source: &Source) -> Self {
        self.0.source = source.clone();
        self
    }

    /// Writes a few words under the place that is pointed at.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.0.label = Some(visible(&label.into()));
        self
    }

    /// Adds a line that says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.0.helps.push(visible(&help.into()));
        self
    }

    /// Points at a second place that has to do with the mistake.
    #[must_use]
    pub fn also(self, place: impl Into<Place>, label: impl Into<String>) -> Self {
        match self.0.source.span(&place.into()) {
            Some(span) => self.also_at(span, label),
            None => self,
        }
    }

    pub(crate) fn also_at(mut self, span: Range<usize>, label: impl Into<String>) -> Self {
        let span = self.0.source.whole().first_line_of(&span);
        self.0.also.push((span, visible(&label.into())));
        self
    }

    /// Each finding alone, in the order of the file.
    pub fn each(&self) -> impl Iterator<Item = Self> {
        iter::once(&*self.0)
            .chain(&self.1)
            .map(|report| Self(Box::new(report.clone()), Vec::new()))
    }

    /// What kind of finding it is.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The file's name, as it was given; for what was set on the command line, the option.
    pub fn file(&self) -> &str {
        self.0.file()
    }

    /// The line of the mistake, counted from 1, unless it concerns the file as a whole.
    pub fn line(&self) -> Option<usize> {
        self.0.position().map(|(line, _)| line)
    }

    /// The column of the mistake in characters, counted from 1, unless it concerns the file as a whole.
    pub fn column(&self) -> Option<usize> {
        self.0.position().map(|(_, column)| column)
    }

    /// What is wrong, in one line.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do about it, a line each; may be empty.
    pub fn helps(&self) -> &[String] {
        &self.0.helps
    }

    /// The finding as one line of JSON, without its line feed; of several findings, the first.
    pub fn json(&self) -> String {
        let finding = Json {
            file: self.file(),
            line: self.line(),
            column: self.column(),
            code: self.0.code.id(),
            level: if self.0.code.is_warning() {
                "warning"
            } else {
                "error"
            },
            message: self.message(),
            helps: self.helps(),
        };
        serde_json::to_string(&finding).unwrap_or_default()
    }

    /// All findings as text for a terminal, one below the other: message, source line, caret and help.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let drawn = iter::once(&*self.0)
            .chain(&self.1)
            .map(|report| renderer.render(&[report.group()]));
        drawn.collect::<Vec<_>>().join("\n\n")
    }
}

/// A part of a scenario that could not be read as a whole, so that checks of it may find what is no mistake.
#[derive(Debug)]
pub(crate) struct Broken {
    /// The top-level key, such as `devices`.
    pub(crate) section: String,
    /// The item of the list below it, or all of its value.
    pub(crate) span: Range<usize>,
}

/// Collects the mistakes of a scenario.
#[derive(Default)]
pub(crate) struct Mistakes(Vec<Report>);

impl Mistakes {
    pub(crate) fn push(&mut self, error: ScenarioError) {
        self.0.push(*error.0);
        self.0.extend(error.1);
    }

    /// Takes the mistake of a check that found one.
    pub(crate) fn note(&mut self, checked: Result<(), ScenarioError>) {
        if let Err(error) = checked {
            self.push(error);
        }
    }

    /// Whether there are more than will be told.
    pub(crate) fn is_full(&self) -> bool {
        self.0.len() > MOST
    }

    /// Forgets mistakes inside of broken parts.
    pub(crate) fn forget_in(&mut self, broken: &[Broken]) {
        self.0.retain(|report| {
            let inside =
                |spot: &Range<usize>| broken.iter().any(|it| it.span.contains(&spot.start));
            !report.spot.as_ref().is_some_and(inside)
        });
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// All of them in the order of the file, at most [`MOST`].
    pub(crate) fn into_error(mut self) -> Option<ScenarioError> {
        self.0
            .sort_by_key(|report| report.spot.as_ref().map(|spot| spot.start));
        let more = self.0.len() > MOST;
        self.0.truncate(MOST);
        let mut reports = self.0.into_iter();
        let first = reports.next()?;
        let source = first.source.clone();
        let mut rest: Vec<Report> = reports.collect();
        if more {
            let message = format!("there are more than {MOST} mistakes, these are the first");
            rest.push(
                *ScenarioError::new(&source, None, message)
                    .coded(Code::TooMuch)
                    .0,
            );
        }
        Some(ScenarioError(Box::new(first), rest))
    }
}

impl ScenarioError {
    /// A mistake at a place; if the place was left out in the text, at the closest one around it.
    pub fn at(source: &Source, place: impl Into<Place>, message: impl Into<String>) -> Self {
        let place = place.into();
        let error = Self::new(source, source.span(&place), message);
        let around: &[Step] = match place.steps.split_last() {
            Some((_, around)) if place.at_key => around,
            _ => &place.steps,
        };
        match source.find(around).and_then(|found| found.alias) {
            Some(alias) => error.also_at(alias, "repeated here"),
            None => error,
        }
    }
}

impl Report {
    fn file(&self) -> &str {
        let at = self.spot.as_ref().map_or(0, |spot| spot.start);
        self.source.whole().part_at(at).0
    }

    fn position(&self) -> Option<(usize, usize)> {
        let spot = self.spot.as_ref()?;
        Some(self.source.whole().line_and_column(spot.start))
    }

    fn group(&self) -> Group<'_> {
        let level = if self.code.is_warning() {
            Level::WARNING
        } else {
            Level::ERROR
        };
        let title = level.primary_title(&self.message).id(self.code.id());
        let mut group = Group::with_title(title);
        match &self.spot {
            Some(spot) if !self.source.whole().part_at(spot.start).1.trim().is_empty() => {
                group = group.elements(self.snippets(spot));
            }
            _ => group = group.element(self.origin()),
        }
        group.elements(self.helps.iter().map(|help| Level::HELP.message(help)))
    }

    /// The file with the mistake, then the other files that have to do with it.
    fn snippets(&self, spot: &Range<usize>) -> Vec<Snippet<'_, annotate_snippets::Annotation<'_>>> {
        let whole = self.source.whole();
        let label = self.label.as_deref();
        let also = self.also.iter().map(|(span, label)| {
            let annotation = |span| AnnotationKind::Context.span(span).label(label);
            (span, annotation(self.shown_span(span)))
        });
        let primary = AnnotationKind::Primary
            .span(self.shown_span(spot))
            .label(label);
        let mut parts: Vec<(usize, Snippet<'_, _>)> = Vec::new();
        for (span, annotation) in iter::once((spot, primary)).chain(also) {
            let (name, ..) = whole.part_at(span.start);
            let (text, line, start) = self.window(span);
            match parts.iter().position(|(other, _)| *other == start) {
                Some(index) => {
                    let (start, snippet) = parts.remove(index);
                    parts.insert(index, (start, snippet.annotation(annotation)));
                }
                None => {
                    let snippet = Snippet::source(in_place(text))
                        .path(visible(name))
                        .line_start(line);
                    parts.push((start, snippet.annotation(annotation)));
                }
            }
        }
        parts.into_iter().map(|(_, snippet)| snippet).collect()
    }

    /// The lines of a file from its first mark to its last, the number of the first one, and the byte it starts at:
    /// so drawing costs the same in a large file.
    fn window(&self, span: &Range<usize>) -> (&str, usize, usize) {
        let whole = self.source.whole();
        let (_, text, part) = whole.part_at(span.start);
        let marks = self
            .spot
            .iter()
            .chain(self.also.iter().map(|(span, _)| span));
        let inside = marks.filter(|mark| whole.part_at(mark.start).2 == part);
        let (first, last) = inside.fold((usize::MAX, 0), |(first, last), mark| {
            (first.min(mark.start - part), last.max(mark.end - part))
        });
        let before = text.get(..first).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let end = text
            .get(last..)
            .and_then(|rest| rest.find('\n'))
            .map_or(text.len(), |at| last + at);
        let line = before.matches('\n').count() + 1;
        (text.get(start..end).unwrap_or_default(), line, part + start)
    }

    /// Where a span is in the text of its window as it is shown.
    fn shown_span(&self, span: &Range<usize>) -> Range<usize> {
        let (text, _, start) = self.window(span);
        let as_shown = in_place(text);
        let characters = || text.char_indices().zip(as_shown.chars());
        let shown = |at: usize| {
            let before = characters().take_while(|((there, _), _)| there + start < at);
            before.map(|(_, c)| c.len_utf8()).sum()
        };
        shown(span.start)..shown(span.end)
    }

    fn origin(&self) -> Origin<'_> {
        let origin = Origin::path(visible(self.file()));
        match self.position() {
            Some((line, column)) => origin.line(line).char_column(column),
            None => origin,
        }
    }
}

/// Shows the drawn text, so that a failed `unwrap` in a test is readable.
impl fmt::Debug for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_the_file_nor_its_name_acts_on_a_terminal_and_the_mark_is_at_its_place() {
        let text = "a: \u{1b}\u{9b}\u{202e}x\nb: y\n";
        let source = Source::new("c\u{1b}[2J\u{9b}\u{202e}.yaml", text);
        let at = text.find('x').unwrap();
        let error = ScenarioError::new(&source, Some(at..at + 1), "wrong");
        let drawn = error.render(false);
        let lines: Vec<&str> = drawn.lines().map(str::trim_end).collect();
        let expected = [
            "error[E010]: wrong",
            r" --> c\u{1b}[2J\u{9b}\u{202e}.yaml:1:7",
            "  |",
            "1 | a: ␛��x",
            "  |       ^",
        ];
        assert_eq!(lines, expected);
        let whole = ScenarioError::new(&source, None, "wrong").render(false);
        assert!(whole.contains(r"c\u{1b}[2J\u{9b}\u{202e}.yaml"), "{whole}");
    }
}
