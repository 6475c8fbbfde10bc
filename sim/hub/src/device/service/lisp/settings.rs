//! What scripts are like, as a scenario describes them under `lisp`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{EXPRESS_CAPACITY, LispOn, MOTOR_CAPACITY};
use crate::{duration::Duration, mistake::Mistakes};

/// The most variables, answers and texts that a scenario can give.
const MAX_ITEMS: usize = 1000;
/// What stands before and behind the text in the memory.
const AROUND: usize = 11;

/// The scripts of a device.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct LispSettings {
    /// The text of the script that it stores; without it, none.
    pub code: Option<String>,
    /// Whether the stored script runs when the device starts.
    pub running: bool,
    /// The script's part of the processor's time, %.
    pub cpu_percent: f64,
    /// How full its heap is, %.
    pub heap_percent: f64,
    /// How full its memory is, %.
    pub memory_percent: f64,
    /// How full its stack is, %; an Express says 0.
    pub stack_percent: f64,
    /// What it last evaluated, in LISP_GET_STATS; an Express says nothing.
    pub result: String,
    /// The numbers that its variables hold.
    pub variables: BTreeMap<String, f64>,
    /// What it prints, each time that it starts.
    pub prints: Vec<LispPrint>,
    /// What expressions give.
    pub repl: Vec<ReplAnswer>,
}

impl Default for LispSettings {
    fn default() -> Self {
        Self {
            code: None,
            running: true,
            cpu_percent: 1.5,
            heap_percent: 12.0,
            memory_percent: 9.0,
            stack_percent: 4.0,
            result: String::new(),
            variables: BTreeMap::new(),
            prints: Vec::new(),
            repl: Vec::new(),
        }
    }
}

/// A text that a script prints.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LispPrint {
    /// How long after its start.
    #[serde(default)]
    pub after: Duration,
    /// The text.
    pub text: String,
}

/// An expression and what it gives.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ReplAnswer {
    /// The whole text.
    pub command: String,
    /// What is printed, a LISP_PRINT for each; may be none.
    pub prints: Vec<String>,
    /// How long it takes. Until then, further texts are ignored.
    #[serde(default)]
    pub after: Duration,
}

impl LispSettings {
    /// Looks for mistakes, for a motor controller or an Express.
    pub fn check(&self, on: LispOn, mistakes: &mut Mistakes) {
        let capacity = match on {
            LispOn::Motor => MOTOR_CAPACITY,
            LispOn::Express => EXPRESS_CAPACITY,
        };
        if let Some(code) = &self.code {
            let room = capacity - AROUND;
            if code.len() > room || code.is_empty() || code.contains('\0') {
                let message = format!("the script has {} bytes", code.len());
                mistakes
                    .add("code", message)
                    .help(format!("the device stores 1 to {room} bytes, and no NUL"));
            }
        }
        for (key, percent) in [
            ("cpu_percent", self.cpu_percent),
            ("heap_percent", self.heap_percent),
            ("memory_percent", self.memory_percent),
            ("stack_percent", self.stack_percent),
        ] {
            mistakes.range(key, percent, 0.0..=100.0);
        }
        for (key, count) in [
            ("variables", self.variables.len()),
            ("prints", self.prints.len()),
            ("repl", self.repl.len()),
        ] {
            if count > MAX_ITEMS {
                mistakes.add(
                    key,
                    format!("{count} are too many: up to {MAX_ITEMS} are wanted"),
                );
            }
        }
        let names = self.variables.keys();
        if names
            .clone()
            .any(|name| name.contains('\0') || name.len() > 200)
        {
            mistakes.add("variables", "a name has a NUL or more than 200 bytes");
        }
        if self.result.contains('\0') || self.result.len() > 200 {
            mistakes.add("result", "it has a NUL or more than 200 bytes");
        }
    }
}
