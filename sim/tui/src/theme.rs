//! How things look, with colours and without.

use ratatui::style::{Color, Modifier, Style};

/// How things look. Whatever a colour says, a word, a mark or another form of letters says too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Theme {
    has_colours: bool,
}

impl Theme {
    pub(crate) fn new(has_colours: bool) -> Self {
        Self { has_colours }
    }

    fn coloured(self, colour: Color) -> Style {
        match self.has_colours {
            true => Style::new().fg(colour),
            false => Style::new(),
        }
    }

    pub(crate) fn plain(self) -> Style {
        Style::new()
    }

    /// Headings, and the keys in the footer.
    pub(crate) fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub(crate) fn quiet(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub(crate) fn chosen(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    pub(crate) fn good(self) -> Style {
        self.coloured(Color::Green)
    }

    /// What got no answer, or is no frame.
    pub(crate) fn trouble(self) -> Style {
        self.coloured(Color::Yellow)
    }

    /// Faults and quirks that act, and what was refused.
    pub(crate) fn harm(self) -> Style {
        self.coloured(Color::Red).add_modifier(Modifier::BOLD)
    }

    /// What somebody did to the hub.
    pub(crate) fn steered(self) -> Style {
        self.coloured(Color::Cyan)
    }

    pub(crate) fn to_device(self) -> Style {
        self.coloured(Color::Blue)
    }
}
