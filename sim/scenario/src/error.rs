//! What is found in a scenario, drawn at its place. Knows how to show a finding, not how to find one.

use std::fmt;
use std::ops::Range;
use std::path::Path;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::Serialize;

use super::{
    code::Code,
    source::{Place, Source},
};

/// A mistake in a scenario, or something odd: what it is, where, and what to do about it.
#[derive(Clone, thiserror::Error)]
#[error("{}", self.render(false))]
pub struct ScenarioError(Box<Report>);

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
    pub(super) fn new(
        source: &Source,
        spot: Option<Range<usize>>,
        message: impl Into<String>,
    ) -> Self {
        Self(Box::new(Report {
            code: Code::Impossible,
            spot: spot.map(|spot| source.first_line_of(&spot)),
            source: source.clone(),
            message: visible(message),
            label: None,
            also: Vec::new(),
            helps: Vec::new(),
        }))
    }

    /// A finding about a file that is no scenario, as a whole.
    pub fn of_file(path: &Path, code: Code, message: impl Into<String>) -> Self {
        let source = Source::without_text(&path.to_string_lossy());
        Self::new(&source, None, message).coded(code)
    }

    /// Says what kind of finding it is; without it, that what is said cannot be.
    #[must_use]
    pub(super) fn coded(mut self, code: Code) -> Self {
        self.0.code = code;
        self
    }

    /// Says that it was found when the scenario was built, unless it is known better what it is.
    pub(super) fn while_building(self) -> Self {
        match self.0.code {
            Code::Impossible => self.coded(Code::CannotBuild),
            _ => self,
        }
    }

    /// Moves the finding to a text of the same length, for one that was read with something left out.
    pub(super) fn shown_in(mut self, source: &Source) -> Self {
        self.0.source = source.clone();
        self
    }

    /// Writes a few words under the place that is pointed at.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.0.label = Some(visible(label));
        self
    }

    /// Adds a line that says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.0.helps.push(visible(help));
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

    pub(super) fn also_at(mut self, span: Range<usize>, label: impl Into<String>) -> Self {
        let span = self.0.source.first_line_of(&span);
        self.0.also.push((span, visible(label)));
        self
    }

    /// What kind of finding it is.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The file's name, as it was given; for what was set on the command line, the option.
    pub fn file(&self) -> &str {
        let at = self.0.spot.as_ref().map_or(0, |spot| spot.start);
        self.0.source.part_at(at).0
    }

    /// The line of the mistake, counted from 1, unless it concerns the file as a whole.
    pub fn line(&self) -> Option<usize> {
        self.position().map(|(line, _)| line)
    }

    /// The column of the mistake in characters, counted from 1, unless it concerns the file as a whole.
    pub fn column(&self) -> Option<usize> {
        self.position().map(|(_, column)| column)
    }

    /// What is wrong, in one line.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do about it, a line each; may be empty.
    pub fn helps(&self) -> &[String] {
        &self.0.helps
    }

    /// The finding as one line of JSON, without its line feed.
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

    /// The finding as text for a terminal: message, source line, caret and help.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        renderer.render(&[self.group()])
    }

    fn position(&self) -> Option<(usize, usize)> {
        let spot = self.0.spot.as_ref()?;
        Some(self.0.source.line_and_column(spot.start))
    }

    fn group(&self) -> Group<'_> {
        let level = if self.0.code.is_warning() {
            Level::WARNING
        } else {
            Level::ERROR
        };
        let title = level.primary_title(self.message()).id(self.0.code.id());
        let mut group = Group::with_title(title);
        match &self.0.spot {
            Some(spot) if !self.0.source.part_at(spot.start).1.trim().is_empty() => {
                group = group.elements(self.snippets(spot));
            }
            _ => group = group.element(self.origin()),
        }
        group.elements(self.0.helps.iter().map(|help| Level::HELP.message(help)))
    }

    /// The file with the mistake, then the other files that have to do with it.
    fn snippets(&self, spot: &Range<usize>) -> Vec<Snippet<'_, annotate_snippets::Annotation<'_>>> {
        let source = &self.0.source;
        let (name, text, start) = source.part_at(spot.start);
        let primary = AnnotationKind::Primary
            .span(spot.start - start..spot.end - start)
            .label(self.0.label.as_deref());
        let mut parts = vec![(start, Snippet::source(text).path(name).annotation(primary))];
        for (span, label) in &self.0.also {
            let (name, text, start) = source.part_at(span.start);
            let also = AnnotationKind::Context
                .span(span.start - start..span.end - start)
                .label(label);
            match parts.iter().position(|(other, _)| *other == start) {
                Some(index) => {
                    let (start, snippet) = parts.remove(index);
                    parts.insert(index, (start, snippet.annotation(also)));
                }
                None => parts.push((start, Snippet::source(text).path(name).annotation(also))),
            }
        }
        parts.into_iter().map(|(_, snippet)| snippet).collect()
    }

    fn origin(&self) -> Origin<'_> {
        let origin = Origin::path(self.file());
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

/// Keeps control characters of a hostile file from reaching the terminal.
fn visible(text: impl Into<String>) -> String {
    let text = text.into();
    if !text.contains(char::is_control) {
        return text;
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            shown.extend(c.escape_debug());
        } else {
            shown.push(c);
        }
    }
    shown
}
