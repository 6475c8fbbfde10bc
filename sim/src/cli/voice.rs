//! What is said to a person while something is served: nobody waits for it to be read.

use std::{
    fmt::Display,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anstream::{AutoStream, ColorChoice};
use veschub_scenario::ScenarioError;
use veschub_transcript::foreign::visible_lines;
use veschub_tui::Notices;

use super::{Failure, outlet::Outlet};

/// Where a person hears of what is served. All clones speak at the same place.
#[derive(Clone)]
pub(super) enum Voice {
    Stderr(Arc<Mutex<Outlet>>),
    /// In the page of `--tui`, which shows what happens anyway.
    Page(Notices),
}

impl Voice {
    pub(super) fn stderr() -> Result<Self, Failure> {
        Outlet::stderr().map(Self::from)
    }

    /// Goes on in the page, if there is one, once everything is said that was said before.
    pub(super) fn or_page(self, page: Option<Notices>) -> Self {
        match page {
            Some(page) => {
                self.finish();
                Self::Page(page)
            }
            None => self,
        }
    }

    pub(super) fn is_page(&self) -> bool {
        matches!(self, Self::Page(_))
    }

    pub(super) fn say(&self, text: impl Display) {
        match self {
            Self::Stderr(outlet) => lock(outlet).say(text),
            Self::Page(notices) => notices.say(visible_lines(&text.to_string())),
        }
    }

    /// Shows what is wrong with a scenario, with its place.
    pub(super) fn show(&self, error: &ScenarioError) {
        match self {
            Self::Stderr(outlet) => {
                let has_colours = AutoStream::choice(&io::stderr()) != ColorChoice::Never;
                let text = error.render(has_colours) + "\n";
                lock(outlet).line(text.into_bytes());
            }
            Self::Page(notices) => notices.say(error.render(false)),
        }
    }

    /// Waits a moment until everything is said; nobody can be told that nobody reads.
    pub(super) fn finish(&self) {
        if let Self::Stderr(outlet) = self {
            let _ = lock(outlet).finish();
        }
    }
}

impl From<Outlet> for Voice {
    fn from(outlet: Outlet) -> Self {
        Self::Stderr(Arc::new(Mutex::new(outlet)))
    }
}

fn lock(outlet: &Mutex<Outlet>) -> MutexGuard<'_, Outlet> {
    outlet.lock().unwrap_or_else(PoisonError::into_inner)
}
