//! `--tui` of the live commands: the hub in the terminal that started it.

use std::{
    env,
    io::{self, IsTerminal as _},
    path::Path,
};

use veschub_control::Running;
use veschub_tui::{About, Notices, Tui};

use super::{Failure, ListenArgs, process::say};

/// What `--tui` needs before there is a hub.
pub(super) struct Screen {
    notices: Notices,
    /// What a newcomer may try.
    hints: Vec<String>,
}

/// The page while it is shown.
pub(super) struct Shown {
    tui: Tui,
    notices: Notices,
}

impl ListenArgs {
    /// Refuses `--tui` where there is no terminal to show it in, or something else needs it.
    pub(super) fn check_tui(&self) -> Result<(), Failure> {
        if !self.tui {
            return Ok(());
        }
        if self.save.journal.as_deref() == Some(Path::new("-")) {
            return Err(Failure::text(
                "--tui and --journal - both need stdout: write the journal to a file",
            ));
        }
        for (name, is_terminal) in [
            ("stdout", io::stdout().is_terminal()),
            ("stdin", io::stdin().is_terminal()),
        ] {
            if !is_terminal {
                return Err(Failure::Text(format!(
                    "--tui shows the hub in a terminal, and {name} is none: start it at a prompt without `|`, `<` and \
                     `>`, over ssh with `ssh -t`, or use --control for a page in a browser"
                )));
            }
        }
        Ok(())
    }

    /// Refuses `--tui` for what is not served on a TCP port.
    pub(super) fn tui_needs_tcp(&self, what: &str) -> Result<(), Failure> {
        match self.tui {
            true => Err(Failure::Text(format!(
                "--tui shows what listens on a TCP port, and this is {what}"
            ))),
            false => Ok(()),
        }
    }

    /// The page, if one is wanted.
    pub(super) fn screen(&self, hints: Vec<String>) -> Option<Screen> {
        self.tui.then(|| Screen {
            notices: Notices::default(),
            hints,
        })
    }
}

impl Screen {
    /// Where messages go instead of stderr, which would be drawn over the page.
    pub(super) fn notices(&self) -> Option<Notices> {
        io::stderr().is_terminal().then(|| self.notices.clone())
    }

    /// Takes the terminal, and shows the hub in it.
    pub(super) fn show(self, running: &Running, control: Option<&str>) -> Result<Shown, Failure> {
        let failed = |error| Failure::Text(format!("--tui: {error}"));
        let about = About {
            control: control.map(str::to_owned),
            hints: self.hints,
            has_colours: env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        };
        let tui = Tui::start(running.desk(), about, self.notices.clone()).map_err(failed)?;
        Ok(Shown {
            tui,
            notices: self.notices,
        })
    }
}

impl Shown {
    /// Ready when somebody at the terminal ends the hub, as Ctrl-C would.
    pub(super) fn quit(&mut self) -> impl Future<Output = ()> + use<> {
        self.tui.quit()
    }

    /// Gives the terminal back, and prints there what was said meanwhile.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let ended = self.tui.finish();
        for text in self.notices.take() {
            say(text);
        }
        ended.map_err(|error| Failure::Text(format!("--tui: {error}")))
    }
}
