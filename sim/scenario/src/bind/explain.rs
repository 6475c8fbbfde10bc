//! Says in a scenario writer's words why a value could not be bound.

use super::{
    failure::{Failure, Needs, Problem, Wanted},
    scalar::Scalar,
    units::bare_number,
};
use crate::{
    code::Code,
    error::ScenarioError,
    source::{Entry, Found, Kind, Node, Place, Source, Step},
    suggest::closest,
};

/// A longer list of allowed names helps nobody.
const MAX_LISTED: usize = 30;

/// A longer text is cut when a message quotes it.
const MAX_QUOTED: usize = 60;

/// Turns a failure to bind into a mistake at its place.
pub(super) fn explain(source: &Source, failure: &Failure) -> ScenarioError {
    let at = At {
        source,
        steps: failure.steps(),
        at_key: failure.at_key,
    };
    let (code, error) = match &failure.problem {
        Problem::UnknownKey { name, allowed } => (Code::UnknownKey, at.unknown_key(name, allowed)),
        Problem::UnknownName { name, allowed } => {
            (Code::UnknownName, at.unknown_name(name, allowed))
        }
        Problem::MissingKey(name) => (Code::MissingKey, at.missing_key(name)),
        Problem::TwoNames(name) => (Code::NotYaml, at.key_under_two_names(name)),
        Problem::WrongValue(wanted) => (Code::WrongValue, at.wrong_value(wanted)),
        Problem::WrongLength { wanted, found } => {
            (Code::WrongValue, at.wrong_length(wanted, *found))
        }
        Problem::NotOneName => (Code::WrongValue, at.not_one_name()),
        Problem::ValueTooMuch => (Code::WrongValue, at.value_too_much()),
        Problem::ValueMissing(needs) => (Code::WrongValue, at.value_missing(needs)),
        Problem::NeedsQuotes => (Code::WrongValue, at.needs_quotes()),
        Problem::Said(text) => at.said(text),
    };
    error.coded(code)
}

/// Where a value could not be bound.
struct At<'a> {
    source: &'a Source,
    steps: Vec<Step>,
    at_key: bool,
}

impl At<'_> {
    fn unknown_key(&self, name: &str, allowed: &[&str]) -> ScenarioError {
        let steps = self.steps.as_slice();
        let place = place(steps).key(name).at_key();
        let message = format!("unknown key `{name}` {}", within(steps));
        let (label, list) = match steps.last() {
            Some(Step::Name(owner)) => (
                format!("not a key of `{owner}`"),
                format!("keys of `{owner}`"),
            ),
            Some(_) => (
                "not a key of this item".to_owned(),
                "keys of an item".to_owned(),
            ),
            None => (
                "not a key at the top level".to_owned(),
                "keys at the top level".to_owned(),
            ),
        };
        let error = ScenarioError::at(self.source, &place, message).label(label);
        if name == "<<" {
            return error.help("merge keys are not read; mark a whole value with `&name` and repeat it with `*name`");
        }
        let taken: Vec<&str> = self
            .entries()
            .iter()
            .map(|entry| entry.key.as_str())
            .collect();
        // A key that is there already is not what was meant, unless this one was set from outside.
        let (free, taken): (Vec<&str>, Vec<&str>) =
            allowed.iter().partition(|key| !taken.contains(*key));
        let error = if closest(name, free.iter().copied()).is_some() {
            suggest(error, name, free.into_iter())
        } else if self.source.is_set(&place) {
            suggest(error, name, taken.into_iter())
        } else {
            error
        };
        if allowed.is_empty() {
            return error.help("it takes no keys");
        }
        error.help(format!("{list}: {}", listed(allowed)))
    }

    fn unknown_name(&self, name: &str, allowed: &[&str]) -> ScenarioError {
        let around = match self.steps.split_last() {
            Some((_, around)) if self.at_key => around,
            _ => &self.steps,
        };
        let message = match nearest_name(around) {
            Some(owner) => format!("unknown name `{name}` in `{owner}`"),
            None => format!("unknown name `{name}` at the top level"),
        };
        let error = self.here(&message).label("not a name that is known here");
        let error = suggest(error, name, allowed.iter().copied());
        if allowed.is_empty() {
            return error;
        }
        error.help(format!("known here: {}", listed(allowed)))
    }

    fn missing_key(&self, name: &str) -> ScenarioError {
        let message = format!("missing key `{name}` {}", within(&self.steps));
        let error = self
            .here(&message)
            .label(format!("`{name}` is missing here"));
        match self.steps.last() {
            Some(Step::Name(owner)) => {
                if let Some(neighbour) = self.beside(name) {
                    return error
                        .also_at(neighbour, format!("stands beside `{owner}`, not in it"))
                        .help(format!(
                            "indent `{name}` further, so that it belongs to `{owner}`"
                        ));
                }
                error.help(format!("add `{name}: ...` to `{owner}`"))
            }
            _ => error.help(format!("add `{name}: ...`")),
        }
    }

    /// The key of that name next to the empty value that should have held it: the usual slip of indentation.
    fn beside(&self, name: &str) -> Option<std::ops::Range<usize>> {
        let (_, parent) = self.steps.split_last()?;
        let is_empty = matches!(self.node()?.kind, Kind::Scalar(_));
        let neighbour = entries(self.source.find(parent))
            .iter()
            .find(|entry| entry.key == name)?;
        is_empty.then(|| neighbour.key_span.clone())
    }

    /// Two spellings of one key, which only serde knows to be one.
    fn key_under_two_names(&self, name: &str) -> ScenarioError {
        self.here(&format!(
            "key `{name}` is given twice {}, under two names",
            within(&self.steps)
        ))
        .help("remove one of the two")
    }

    fn wrong_value(&self, wanted: &Wanted) -> ScenarioError {
        let node = self.node();
        let scalar = node.and_then(scalar_of);
        // A whole number that does not fit is of the right type.
        let is_range = matches!(
            (wanted, scalar),
            (Wanted::Whole(..), Some(Scalar::Whole(_)))
        ) || matches!((wanted, node.map(|node| &node.kind)), (Wanted::Whole(..), Some(Kind::Scalar(text))) if is_huge(text));
        let (thing, named) = match wanted {
            Wanted::Whole(least, most) if is_range => ("value", range(*least, *most)),
            _ => ("type", name_of(wanted)),
        };
        let found = node.map_or_else(|| "nothing".to_owned(), found_name);
        let message = format!(
            "wrong {thing} for {}: wanted {named}, found {found}",
            subject(&self.steps)
        );
        let error = self.here(&message).label(format!("wanted {named}"));
        match node.and_then(|node| self.shape_help(node, wanted)) {
            Some(help) => error.help(help),
            None => error,
        }
    }

    fn wrong_length(&self, wanted: &Wanted, found: usize) -> ScenarioError {
        let wanted = name_of(wanted);
        let message = format!(
            "wrong number of items for {}: wanted {wanted}, found {found}",
            subject(&self.steps)
        );
        self.here(&message).label(format!("wanted {wanted}"))
    }

    /// An enum's mapping has exactly one key, its name.
    fn not_one_name(&self) -> ScenarioError {
        let [first, second, ..] = self.entries() else {
            return self
                .here("a name is missing here")
                .label("empty")
                .help("write `name: value`");
        };
        let (first_name, second_name) = (&first.key, &second.key);
        let message =
            format!("one name is wanted here, found two: `{first_name}` and `{second_name}`");
        let error = ScenarioError::new(self.source, Some(second.key_span.clone()), message)
            .label(format!("stands beside `{first_name}`"))
            .also_at(first.key_span.clone(), "the first name")
            .help(format!(
                "indent `{second_name}` further if it belongs to `{first_name}`"
            ));
        match self.steps.last() {
            Some(Step::Name(owner)) => error.help(format!(
                "keep one of them if it does not: there is one `{owner}`"
            )),
            _ => error.help("start a new item with `- ` if it does not"),
        }
    }

    fn value_too_much(&self) -> ScenarioError {
        let Some(entry) = self.entries().first() else {
            return self.here("a plain name is wanted here, found a mapping");
        };
        let name = &entry.key;
        let message = format!("`{name}` takes no value");
        ScenarioError::new(self.source, Some(entry.key_span.clone()), message)
            .label("a plain name is enough")
            .help(format!("write `{name}` without the colon and what follows"))
    }

    fn value_missing(&self, needs: &Needs) -> ScenarioError {
        let name = self.node().and_then(text_of).unwrap_or("name");
        let item = match self.steps.last() {
            Some(Step::Index(_)) => "- ",
            _ => "",
        };
        let value = match needs {
            Needs::Nothing => "{}".to_owned(),
            Needs::Key(key) => format!("{{ {key}: ... }}"),
            Needs::Value => "...".to_owned(),
        };
        self.here(&format!("`{name}` needs a value"))
            .label("a name without a value")
            .help(format!("write `{item}{name}: {value}`"))
    }

    fn needs_quotes(&self) -> ScenarioError {
        let text = self.node().and_then(text_of).unwrap_or_default();
        let message = format!(
            "wrong type for {}: wanted a name, found {text} without quotes",
            subject(&self.steps)
        );
        self.here(&message)
            .label("YAML reads this as a number or a flag")
            .help(format!("write it in quotes: `\"{text}\"`"))
    }

    /// What a type of the language says itself.
    fn said(&self, text: &str) -> (Code, ScenarioError) {
        let mut lines = text.split("\nhelp: ");
        let message = lines.next().unwrap_or_default();
        let is_name = message.starts_with("no ") && message.contains(" is called `");
        let code = match is_name {
            true => Code::UnknownName,
            false => Code::WrongValue,
        };
        let error = lines.fold(self.here(message), ScenarioError::help);
        (code, error)
    }

    /// What to do about a value of the wrong shape, where that is not plain from the message.
    fn shape_help(&self, node: &Node, wanted: &Wanted) -> Option<String> {
        let scalar = scalar_of(node);
        let is_nothing = scalar == Some(Scalar::Nothing);
        match (wanted, &node.kind) {
            (Wanted::List | Wanted::Items(_), Kind::Mapping(_)) => {
                Some("start each item with `- `".to_owned())
            }
            (Wanted::List | Wanted::Items(_), _) if is_nothing => {
                Some("write `[]` for none".to_owned())
            }
            (Wanted::List | Wanted::Items(_), _) => {
                Some("write `[...]`, also around a single item".to_owned())
            }
            (Wanted::Mapping, Kind::Sequence(_)) => {
                Some("leave out the `- ` and write `key: value`".to_owned())
            }
            (Wanted::Mapping, _) => Some(
                "write `key: value` in the lines below it, indented, or `{ key: value }`"
                    .to_owned(),
            ),
            (Wanted::Text, _) if is_nothing => Some("write `''` for an empty text".to_owned()),
            (Wanted::Whole(..) | Wanted::Number, Kind::Scalar(text)) => {
                let number = text.trim_start_matches('0');
                let is_whole =
                    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
                if is_whole && number.len() < text.len() {
                    Some(format!("write it without the 0 in front: `{number}`"))
                } else if text.ends_with(|c: char| c.is_ascii_digit())
                    && text.parse::<f64>().is_ok()
                {
                    (!node.plain).then(|| format!("write it without quotes: `{text}`"))
                } else {
                    let key = nearest_name(&self.steps).unwrap_or_default();
                    bare_number(text, key)
                        .map(|number| format!("write the number alone: `{number}`"))
                }
            }
            _ => None,
        }
    }

    fn here(&self, message: &str) -> ScenarioError {
        let place = place(&self.steps);
        let place = if self.at_key { place.at_key() } else { place };
        ScenarioError::at(self.source, place, message)
    }

    fn node(&self) -> Option<&Node> {
        Some(self.source.find(&self.steps)?.node)
    }

    fn entries(&self) -> &[Entry] {
        entries(self.source.find(&self.steps))
    }
}

fn entries(found: Option<Found<'_>>) -> &[Entry] {
    match found {
        Some(Found {
            node, exact: true, ..
        }) => match &node.kind {
            Kind::Mapping(entries) => entries,
            _ => &[],
        },
        _ => &[],
    }
}

fn scalar_of(node: &Node) -> Option<Scalar<'_>> {
    Some(Scalar::of(text_of(node)?, node.plain))
}

fn text_of(node: &Node) -> Option<&str> {
    match &node.kind {
        Kind::Scalar(text) => Some(text),
        _ => None,
    }
}

/// Whether it is a whole number that is too large even to be counted with.
fn is_huge(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.len() > 38 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn place(steps: &[Step]) -> Place {
    Place {
        steps: steps.to_vec(),
        at_key: false,
    }
}

fn suggest<'a>(
    error: ScenarioError,
    name: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> ScenarioError {
    match closest(name, candidates) {
        Some(meant) => error.help(format!("did you mean `{meant}`?")),
        None => error,
    }
}

fn within(steps: &[Step]) -> String {
    if steps.is_empty() {
        "at the top level".to_owned()
    } else {
        format!("in {}", subject(steps))
    }
}

/// What to call the value at the end of a path.
fn subject(steps: &[Step]) -> String {
    match steps.split_last() {
        None => "the file".to_owned(),
        Some((Step::Name(name), _)) => format!("`{name}`"),
        Some((Step::Index(index), [])) => format!("item {}", index + 1),
        Some((Step::Index(index), list)) => format!("item {} of {}", index + 1, subject(list)),
        Some((Step::Only, around)) => subject(around),
    }
}

fn nearest_name(steps: &[Step]) -> Option<&str> {
    steps.iter().rev().find_map(|step| match step {
        Step::Name(name) => Some(name.as_str()),
        _ => None,
    })
}

fn listed(names: &[&str]) -> String {
    let mut list: Vec<_> = names
        .iter()
        .take(MAX_LISTED)
        .map(|name| format!("`{name}`"))
        .collect();
    if names.len() > MAX_LISTED {
        list.push(format!("and {} more", names.len() - MAX_LISTED));
    }
    list.join(", ")
}

fn name_of(wanted: &Wanted) -> String {
    let name = match wanted {
        Wanted::Flag => "`true` or `false`",
        Wanted::Whole(..) => "a whole number",
        Wanted::Number => "a number",
        Wanted::Text => "text",
        Wanted::Nothing => "nothing",
        Wanted::List => "a list",
        Wanted::Items(1) => "a list of 1 item",
        Wanted::Items(count) => return format!("a list of {count} items"),
        Wanted::Mapping => "a mapping",
        Wanted::Name => "a name",
        Wanted::Words(words) => words,
    };
    name.to_owned()
}

fn range(least: i128, most: i128) -> String {
    if most > i128::from(u32::MAX) {
        return "a whole number, 0 or more".to_owned();
    }
    format!("a whole number from {least} to {most}")
}

fn found_name(node: &Node) -> String {
    match (scalar_of(node), &node.kind) {
        (Some(Scalar::Nothing), _) => "nothing".to_owned(),
        (Some(Scalar::Flag(flag)), _) => format!("`{flag}`"),
        (Some(Scalar::Whole(_) | Scalar::Number(_)), Kind::Scalar(text)) => shortened(text, ""),
        (Some(Scalar::Text(text)), _) => {
            format!("the text {}", shortened(&format!("{text:?}"), "\""))
        }
        (_, Kind::Sequence(_)) => "a list".to_owned(),
        _ => "a mapping".to_owned(),
    }
}

fn shortened(text: &str, end: &str) -> String {
    if text.chars().count() <= MAX_QUOTED {
        return text.to_owned();
    }
    let start: String = text.chars().take(MAX_QUOTED).collect();
    format!("{start}...{end}")
}
