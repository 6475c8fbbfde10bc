//! A scenario as it can be changed and written again: its values as they were written, without what they mean.

use std::fmt;

use serde_json::Value;

use crate::source::{Kind, Node, Source, Tree};

/// A value of a scenario as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// A text without quotes: a number, a flag, a duration, a name, or nothing.
    Plain(String),
    /// A text with quotes.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// Keys with their values, in their order.
    Map(Vec<(String, Self)>),
}

impl Written {
    /// What a scenario says: what it includes and what was set is in place.
    pub(crate) fn of(source: &Source) -> Self {
        let tree = source.tree();
        let map = tree.root().map(|root| Self::read(tree, root));
        match map {
            Some(Self::Map(mut keys)) => {
                keys.retain(|(key, _)| key != "include");
                Self::Map(keys)
            }
            _ => Self::Map(Vec::new()),
        }
    }

    fn read(tree: &Tree, node: &Node) -> Self {
        let inner = |id| {
            tree.resolved(id).map_or_else(
                || Self::Plain("null".to_owned()),
                |node| Self::read(tree, node),
            )
        };
        match &node.kind {
            Kind::Scalar(text) if node.plain && is_plain(text) => Self::Plain(text.clone()),
            Kind::Scalar(text) => Self::Text(text.clone()),
            Kind::Sequence(items) => Self::List(items.iter().map(|item| inner(*item)).collect()),
            Kind::Mapping(entries) => Self::Map(
                entries
                    .iter()
                    .map(|entry| (entry.key.clone(), inner(entry.value)))
                    .collect(),
            ),
            Kind::Alias(target) => inner(*target),
        }
    }

    /// The value of a key, which is added with nothing in it if it is not there; a value that has no keys loses what it
    /// says.
    pub fn at(&mut self, key: &str) -> &mut Self {
        if !matches!(self, Self::Map(_)) {
            *self = Self::Map(Vec::new());
        }
        let Self::Map(keys) = self else {
            return self;
        };
        let index = keys.iter().position(|(known, _)| known == key);
        let index = index.unwrap_or_else(|| {
            keys.push((key.to_owned(), Self::List(Vec::new())));
            keys.len() - 1
        });
        &mut keys[index].1
    }

    /// The value of a key, if it is there.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(keys) => {
                let found = keys.iter().find(|(known, _)| known == key);
                found.map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// The items of a list; what is none becomes one without items.
    pub fn items(&mut self) -> &mut Vec<Self> {
        if !matches!(self, Self::List(_)) {
            *self = Self::List(Vec::new());
        }
        match self {
            Self::List(items) => items,
            // It was made one.
            _ => unreachable!("a list"),
        }
    }

    /// Its text, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Plain(text) | Self::Text(text) => Some(text),
            Self::List(_) | Self::Map(_) => None,
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::List(items) => items.is_empty(),
            Self::Map(keys) => keys.is_empty(),
            Self::Plain(_) | Self::Text(_) => false,
        }
    }

    /// Writes the value behind a key or a dash that stands at this depth.
    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let indent = |f: &mut fmt::Formatter<'_>| write!(f, "{:1$}", "", 2 * depth);
        match self {
            Self::Plain(text) => writeln!(f, " {text}"),
            Self::Text(text) => writeln!(f, " {}", quoted(text)),
            Self::List(items) if items.is_empty() => f.write_str(" []\n"),
            Self::Map(keys) if keys.is_empty() => f.write_str(" {}\n"),
            Self::List(items) => {
                f.write_str("\n")?;
                items.iter().try_for_each(|item| {
                    indent(f)?;
                    f.write_str("-")?;
                    item.write_item(f, depth + 1)
                })
            }
            Self::Map(keys) => {
                f.write_str("\n")?;
                keys.iter().try_for_each(|(key, value)| {
                    indent(f)?;
                    write!(f, "{}:", name(key))?;
                    value.write(f, depth + 1)
                })
            }
        }
    }

    /// As [`write`](Self::write), behind a dash: the first key stands beside it.
    fn write_item(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        match self {
            Self::Map(keys) if !self.is_empty() => {
                for (index, (key, value)) in keys.iter().enumerate() {
                    match index {
                        0 => f.write_str(" ")?,
                        _ => write!(f, "{:1$}", "", 2 * depth)?,
                    }
                    write!(f, "{}:", name(key))?;
                    value.write(f, depth + 1)?;
                }
                Ok(())
            }
            _ => self.write(f, depth),
        }
    }
}

impl From<&Value> for Written {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Plain("null".to_owned()),
            Value::Bool(flag) => Self::Plain(flag.to_string()),
            Value::Number(number) => Self::Plain(number.to_string()),
            Value::String(text) => Self::Text(text.clone()),
            Value::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Value::Object(keys) => {
                let keys = keys.iter();
                Self::Map(
                    keys.map(|(key, value)| (key.clone(), value.into()))
                        .collect(),
                )
            }
        }
    }
}

/// As YAML, one line a value.
impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Map(keys) if !keys.is_empty() => keys.iter().try_for_each(|(key, value)| {
                write!(f, "{}:", name(key))?;
                value.write(f, 1)
            }),
            _ => self.write(f, 0),
        }
    }
}

/// Whether a text that was written without quotes is read as the same text again.
fn is_plain(text: &str) -> bool {
    let starts = |c: char| c.is_ascii_alphanumeric() || "._~+/$".contains(c);
    let is_number = text
        .strip_prefix('-')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit() || c == '.'));
    let first = text.is_empty() || text.starts_with(starts) || is_number;
    let odd = |c: char| c.is_control() || "{}[],".contains(c);
    first
        && !text.contains(odd)
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with([':', ' '])
}

fn name(key: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if key.starts_with(|c: char| c.is_ascii_alphabetic()) && key.chars().all(plain) {
        key.to_owned()
    } else {
        quoted(key)
    }
}

/// In double quotes, where JSON's escapes are YAML's too.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::Loaded;

    use super::*;

    const ODD: &str = r#"
version: 1
about: "a: b # c"
devices:
- express:
    id: 0001
    password: "12"
    firmware: "6.06"
    bms: &pack { cells: 3, cell_voltage_v: 4.020, status: "" }
- express: { id: other, password: "x\ty", bms: *pack, can: [], firmware: "6.06" }
quirks: [session-reset: {}]
"#;

    #[test]
    fn what_is_written_reads_as_the_same_scenario() {
        for loaded in [
            Loaded::parse("odd.yaml", ODD),
            Loaded::demo(),
            Loaded::demo_motor_with(&[]),
        ] {
            let loaded = loaded.unwrap();
            let text = loaded.written().to_string();
            let again = Loaded::parse("again.yaml", &text)
                .unwrap_or_else(|error| panic!("{error}\n{text}"));
            let (one, other) = (
                format!("{:?}", loaded.scenario),
                format!("{:?}", again.scenario),
            );
            assert_eq!(one, other, "{text}");
            assert_eq!(again.written(), loaded.written());
        }
    }

    #[test]
    fn what_was_set_is_in_place_and_values_can_be_added() {
        let loaded = Loaded::demo_with(&["devices.0.express.bms.cells=4".to_owned()]).unwrap();
        let mut written = loaded.written();
        let fault = serde_json::json!({ "delay": { "by": "250ms", "when": { "nth": 2 } } });
        written.at("faults").items().push(Written::from(&fault));
        let text = written.to_string();
        assert!(text.contains("cells: 4\n"), "{text}");
        let again =
            Loaded::parse("again.yaml", &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(again.scenario.faults.len(), 1);
    }
}
