//! A mistake in a scenario, drawn at the place where it was made. Knows how to show one, not how to find one.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::source::{Place, Source};

/// A mistake in a scenario: what is wrong, where, and what to do about it.
#[derive(Clone, thiserror::Error)]
#[error("{}", self.render(false))]
pub struct ScenarioError(Box<Report>);

#[derive(Clone)]
struct Report {
    source: Source,
    spot: Option<Range<usize>>,
    message: String,
    label: Option<String>,
    also: Vec<(Range<usize>, String)>,
    helps: Vec<String>,
}

impl ScenarioError {
    /// A mistake at a byte range of the text, or in the file as a whole.
    pub(super) fn new(
        source: &Source,
        spot: Option<Range<usize>>,
        message: impl Into<String>,
    ) -> Self {
        Self(Box::new(Report {
            spot: spot.map(|spot| source.first_line_of(&spot)),
            source: source.clone(),
            message: visible(message),
            label: None,
            also: Vec::new(),
            helps: Vec::new(),
        }))
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

    /// The file's name, as it was given.
    pub fn file(&self) -> &str {
        self.0.source.name()
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

    /// The mistake as text for a terminal: message, source line, caret and help.
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
        let group = Group::with_title(Level::ERROR.primary_title(self.message()));
        let group = match &self.0.spot {
            Some(spot) if !self.0.source.text().trim().is_empty() => {
                group.element(self.snippet(spot))
            }
            _ => group.element(self.origin()),
        };
        group.elements(self.0.helps.iter().map(|help| Level::HELP.message(help)))
    }

    fn snippet(&self, spot: &Range<usize>) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
        let primary = AnnotationKind::Primary
            .span(spot.clone())
            .label(self.0.label.as_deref());
        let also = self
            .0
            .also
            .iter()
            .map(|(span, label)| AnnotationKind::Context.span(span.clone()).label(label));
        Snippet::source(self.0.source.text())
            .path(self.file())
            .annotation(primary)
            .annotations(also)
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
