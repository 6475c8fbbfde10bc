//! Texts that a tool has evaluated, and commands to what evaluates them, which begin with a colon.

use std::time::Duration as Span;

use super::{Answers, Lisp, Silence, State, Time, said};
use crate::device::script::latin1;

/// For so long after an evaluation, further texts are ignored (`MC lispBM/lispif.c`).
const PAUSE: Span = Span::from_millis(500);

/// What `:help` lists: our own words for what the commands do.
const HELP: [&str; 11] = [
    ":help  what there is",
    ":info  how much memory is used",
    ":env  the variables",
    ":ctxs  what runs",
    ":symbols  all names",
    ":reset  starts the stored script anew",
    ":pause  lets the script wait",
    ":continue  lets it go on",
    ":undef NAME  forgets a variable",
    ":verb  longer or shorter errors",
    "Anything else is an expression.",
];

impl Lisp {
    /// Evaluates a text, with or without its NUL.
    pub(super) fn repl(&mut self, at: Time, text: &[u8]) -> Result<Answers, Silence> {
        if self.evaluated.is_some_and(|before| at < before + PAUSE) {
            return Err(Silence::EvaluatesStill);
        }
        if self.state == State::Stopped {
            self.start(at, false);
        }
        let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
        if text.is_empty() {
            return Ok(said(">").into());
        }
        if let Some(lines) = self.colon(at, text) {
            return match lines.is_empty() {
                true => Err(Silence::NothingToPrint),
                false => Ok(printed(Span::ZERO, &lines)),
            };
        }
        self.evaluate(at, text)
    }

    /// What a command prints; none for an expression.
    fn colon(&mut self, at: Time, text: &[u8]) -> Option<Vec<String>> {
        let text = String::from_utf8_lossy(text);
        let (command, argument) = text.split_once(' ').unwrap_or((&text, ""));
        let variables = || {
            let variables = self.settings.variables.iter();
            variables.map(|(name, value)| format!("  {name} = {value}"))
        };
        Some(match command {
            ":help" => HELP.map(str::to_owned).to_vec(),
            ":info" => vec![
                format!("heap: {} %", self.settings.heap_percent),
                format!("memory: {} %", self.settings.memory_percent),
            ],
            ":env" => ["variables:".to_owned()]
                .into_iter()
                .chain(variables())
                .collect(),
            ":symbols" => self.settings.variables.keys().cloned().collect(),
            ":ctxs" => vec![match self.state {
                State::Running => "the script runs".to_owned(),
                _ => "nothing runs".to_owned(),
            }],
            ":reset" => vec![match self.start(at, true) {
                true => "the script starts anew".to_owned(),
                false => "there is no script".to_owned(),
            }],
            ":pause" => {
                self.state = State::Paused;
                vec!["paused".to_owned()]
            }
            ":continue" => {
                self.state = State::Running;
                Vec::new()
            }
            ":undef" => vec![match self.settings.variables.remove(argument.trim()) {
                Some(_) => format!("{argument} is forgotten"),
                None => format!("there is no {argument}"),
            }],
            ":verb" => {
                self.verbose = !self.verbose;
                let on = if self.verbose { "on" } else { "off" };
                vec![format!("longer errors: {on}")]
            }
            _ => return None,
        })
    }

    fn evaluate(&mut self, at: Time, text: &[u8]) -> Result<Answers, Silence> {
        let answers = self.settings.repl.iter();
        let answer = answers
            .into_iter()
            .find(|answer| latin1(&answer.command) == text);
        let (after, prints) = match answer {
            Some(answer) => (answer.after.get(), answer.prints.clone()),
            None => (
                Span::ZERO,
                vec![self.value_of(&String::from_utf8_lossy(text))],
            ),
        };
        self.evaluated = Some(at + after);
        match prints.is_empty() {
            true => Err(Silence::NothingToPrint),
            false => Ok(printed(after, &prints)),
        }
    }

    /// A number is itself, and a variable is what it holds.
    fn value_of(&self, text: &str) -> String {
        let value = text.trim().parse().ok();
        let value = value.or_else(|| self.settings.variables.get(text.trim()).copied());
        match value {
            Some(value) if f64::is_finite(value) => format!("> {value}"),
            _ => "nothing is evaluated here: a scenario gives answers under `repl`".to_owned(),
        }
    }
}

fn printed(after: Span, lines: &[String]) -> Answers {
    let none = Answers::none();
    lines
        .iter()
        .fold(none, |answers, line| answers.later(after, said(line)))
}
