//! Values that are set on the command line: `--set path=value`.

use std::ops::Range;

use super::Composer;
use crate::{
    code::Code,
    error::ScenarioError,
    source::{Entry, Kind, NodeId, Source, Tree},
    yaml::{self, MAX_BYTES},
};

impl Composer<'_> {
    /// The root with one value set: `path=value`.
    pub(super) fn set(&mut self, root: NodeId, setting: &str) -> Result<NodeId, ScenarioError> {
        let (path, steps, value) = Setting::read(setting)?;
        if self.text.as_str().len() + setting.len() > MAX_BYTES {
            let source = Source::new(&path, setting);
            return Err(
                ScenarioError::new(&source, None, "all settings are too large")
                    .coded(Code::TooMuch),
            );
        }
        let option = Source::new(&path, setting);
        let start = self.text.push(&path, setting);
        let value = self
            .tree
            .append(&value, start)
            .unwrap_or_else(|| self.tree.add(start..start, Kind::Scalar(String::new())));
        let mut setting = Setting {
            composer: self,
            option,
            start,
        };
        setting.replace(root, &steps, value, None)
    }
}

/// One key or item number of a setting's path, and where in the option it stands.
struct Step {
    name: String,
    span: Range<usize>,
}

/// A setting that is being applied.
struct Setting<'a, 'f> {
    composer: &'a mut Composer<'f>,
    /// The option's text alone, for messages.
    option: Source,
    /// Where the option stands in the whole text.
    start: usize,
}

impl Setting<'_, '_> {
    /// Splits `path=value`: what to call the option, the steps of the path, and the value.
    fn read(setting: &str) -> Result<(String, Vec<Step>, Tree), ScenarioError> {
        let refuse = |message: &str| {
            let option = Source::new("--set", setting);
            Err(ScenarioError::new(&option, Some(0..setting.len()), message)
                .coded(Code::BadOverride)
                .help("write `--set path=value`, e.g. `--set devices.0.express.bms.cells=12`"))
        };
        let Some((path, value)) = setting.split_once('=') else {
            return refuse("a `=` is missing");
        };
        let mut steps = Vec::new();
        let mut at = 0;
        for name in path.split('.') {
            if name.trim() != name || name.is_empty() {
                return refuse("the path has an empty step or a blank in it");
            }
            steps.push(Step {
                name: name.to_owned(),
                span: at..at + name.len(),
            });
            at += name.len() + 1;
        }
        let name = format!("--set {path}");
        // Blanks instead of the path keep the places right.
        let blanked = " ".repeat(at) + value;
        let option = Source::new(&name, setting);
        if value.trim().is_empty() {
            return refuse("a value is missing; write `null` for none, `''` for an empty text");
        }
        let value = yaml::read(&name, &blanked).map_err(|error| error.shown_in(&option))?;
        Ok((name, steps, value.tree().clone()))
    }

    /// A node with the value at the end of the steps replaced.
    fn replace(
        &mut self,
        id: NodeId,
        steps: &[Step],
        value: NodeId,
        owner: Option<&Step>,
    ) -> Result<NodeId, ScenarioError> {
        let Some((step, rest)) = steps.split_first() else {
            return Ok(value);
        };
        let node = self.composer.tree.resolved(id);
        let Some(node) = node.map(|node| (node.span.clone(), node.kind.clone())) else {
            return Ok(id);
        };
        let (span, kind) = node;
        match kind {
            Kind::Mapping(mut entries) => {
                let value = self.inside(&entries, step, rest, value)?;
                let key_span = self.start + step.span.start..self.start + step.span.end;
                match entries.iter_mut().find(|entry| entry.key == step.name) {
                    Some(entry) if rest.is_empty() => {
                        (entry.key_span, entry.value) = (key_span, value);
                    }
                    Some(entry) => entry.value = value,
                    None => entries.push(Entry {
                        key: step.name.clone(),
                        key_span,
                        value,
                    }),
                }
                Ok(self.composer.tree.add(span, Kind::Mapping(entries)))
            }
            Kind::Sequence(mut items) => {
                let index = self.item(step, items.len(), owner)?;
                let value = match items.get(index) {
                    Some(&item) => self.replace(item, rest, value, Some(step))?,
                    None => self.fresh(rest, value),
                };
                match items.get_mut(index) {
                    Some(item) => *item = value,
                    None => items.push(value),
                }
                Ok(self.composer.tree.add(span, Kind::Sequence(items)))
            }
            // A kind without a value, such as `session-reset`, is the same as one with an empty mapping.
            Kind::Scalar(text) if text == step.name || is_nothing(&text) => {
                Ok(self.fresh(steps, value))
            }
            _ => Err(self.refuse(
                step,
                format!(
                    "there is nothing inside of {}: it is a plain value",
                    named(owner)
                ),
            )),
        }
    }

    /// The value of a key with what lies further in it replaced.
    fn inside(
        &mut self,
        entries: &[Entry],
        step: &Step,
        rest: &[Step],
        value: NodeId,
    ) -> Result<NodeId, ScenarioError> {
        match entries.iter().find(|entry| entry.key == step.name) {
            Some(entry) => self.replace(entry.value, rest, value, Some(step)),
            None => Ok(self.fresh(rest, value)),
        }
    }

    /// The value inside of mappings that were not there before; what is unknown in them is found out when they are
    /// bound.
    fn fresh(&mut self, steps: &[Step], value: NodeId) -> NodeId {
        let start = self.start;
        steps.iter().rev().fold(value, |value, step| {
            let span = start + step.span.start..start + step.span.end;
            let kind = if step.name == "0" {
                Kind::Sequence(vec![value])
            } else {
                Kind::Mapping(vec![Entry {
                    key: step.name.clone(),
                    key_span: span.clone(),
                    value,
                }])
            };
            self.composer.tree.add(span, kind)
        })
    }

    /// The number of an item that exists, or of the one behind the last.
    fn item(
        &self,
        step: &Step,
        count: usize,
        owner: Option<&Step>,
    ) -> Result<usize, ScenarioError> {
        match step.name.parse::<usize>() {
            Ok(index) if index <= count => Ok(index),
            Ok(index) => {
                let message = format!("there is no item {index} in {}", named(owner));
                Err(self.refuse(step, message).help(match count {
                    0 => "the list is empty: 0 adds the first item".to_owned(),
                    1 => "its only item is 0, and 1 adds one".to_owned(),
                    _ => format!("its items are 0 to {}, and {count} adds one", count - 1),
                }))
            }
            Err(_) => {
                let message = format!("{} is a list, and `{}` no number", named(owner), step.name);
                Err(self
                    .refuse(step, message)
                    .help("write the number of an item, the first is 0"))
            }
        }
    }

    fn refuse(&self, step: &Step, message: impl Into<String>) -> ScenarioError {
        ScenarioError::new(&self.option, Some(step.span.clone()), message).coded(Code::BadOverride)
    }
}

fn named(owner: Option<&Step>) -> String {
    owner.map_or_else(|| "the file".to_owned(), |step| format!("`{}`", step.name))
}

fn is_nothing(text: &str) -> bool {
    matches!(text, "" | "~" | "null")
}
