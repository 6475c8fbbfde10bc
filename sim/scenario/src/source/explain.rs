//! Says in a scenario writer's words what serde says in a Rust programmer's. Knows serde's wording, not the scenario's.

use super::tree::{self, Entry, Kind};
use super::{Found, Place, Source, Step};
use crate::code::Code;
use crate::error::ScenarioError;
use crate::suggest::closest;

/// A longer list of allowed names helps nobody.
const MAX_LISTED: usize = 30;

/// A longer text is cut when a message quotes it.
const MAX_QUOTED: usize = 60;

/// Turns a failure to bind into a mistake at its place.
pub(super) fn explain(
    source: &Source,
    path: &serde_path_to_error::Path,
    error: &serde_yaml::Error,
) -> ScenarioError {
    if let Some(syntax) = syntax(source, error) {
        return syntax;
    }
    let failure = Failure {
        source,
        steps: steps(path),
    };
    let text = failure.bare(error);
    let mut lines = text.split("\nhelp: ");
    let message = lines.next().unwrap_or_default();
    let explained = failure.explain(message);
    lines.fold(explained, |error, help| error.help(help))
}

/// The two parsers differ in odd corners, so serde's own may still refuse what the other one took.
fn syntax(source: &Source, error: &serde_yaml::Error) -> Option<ScenarioError> {
    if !format!("{error:?}").starts_with("Error { ") {
        return None;
    }
    let text = error.to_string();
    let problem = text.split(" at line ").next().unwrap_or(&text);
    let at = error
        .location()
        .map_or(0, |place| source.byte_at(place.line(), place.column()));
    Some(tree::not_yaml(source, at, problem))
}

fn steps(path: &serde_path_to_error::Path) -> Vec<Step> {
    use serde_path_to_error::Segment;
    path.iter()
        .map_while(|segment| match segment {
            Segment::Seq { index } => Some(Step::Index(*index)),
            Segment::Map { key } | Segment::Enum { variant: key } => Some(Step::Name(key.clone())),
            Segment::Unknown => None,
        })
        .collect()
}

struct Failure<'a> {
    source: &'a Source,
    steps: Vec<Step>,
}

impl Failure<'_> {
    /// serde_yaml's text without the path before it and the position behind it: both are shown better.
    fn bare(&self, error: &serde_yaml::Error) -> String {
        let full = error.to_string();
        let position = error
            .location()
            .map(|at| format!(" at line {} column {}", at.line(), at.column()));
        let text = position
            .and_then(|position| full.strip_suffix(&position))
            .unwrap_or(&full);
        let mut prefixes = vec![String::new()];
        for step in &self.steps {
            let parent = prefixes.last().map_or("", String::as_str);
            prefixes.push(match step {
                Step::Index(index) if parent.is_empty() => format!(".[{index}]"),
                Step::Index(index) => format!("{parent}[{index}]"),
                Step::Name(name) if parent.is_empty() => name.clone(),
                Step::Name(name) => format!("{parent}.{name}"),
                Step::Only => parent.to_owned(),
            });
        }
        let stripped = prefixes
            .iter()
            .skip(1)
            .rev()
            .find_map(|prefix| text.strip_prefix(prefix.as_str())?.strip_prefix(": "));
        stripped.unwrap_or(text).to_owned()
    }

    fn explain(&self, message: &str) -> ScenarioError {
        let (code, error) = if let Some((name, allowed)) = unknown(message, "unknown field `") {
            (Code::UnknownKey, self.unknown_key(name, &allowed))
        } else if let Some((name, allowed)) = unknown(message, "unknown variant `") {
            (Code::UnknownName, self.unknown_name(name, &allowed))
        } else if let Some(name) = quoted(message, "missing field `") {
            (Code::MissingKey, self.missing_key(name))
        } else if let Some(name) = quoted(message, "duplicate field `") {
            (Code::NotYaml, self.key_under_two_names(name))
        } else if let Some((found, wanted)) = mismatch(message) {
            (Code::WrongValue, self.mismatch(message, found, wanted))
        } else if message.starts_with("no ") && message.contains(" is called `") {
            (Code::UnknownName, self.at_value(message))
        } else {
            (Code::WrongValue, self.at_value(message))
        };
        error.coded(code)
    }

    fn unknown_key(&self, name: &str, allowed: &[&str]) -> ScenarioError {
        let steps = self.steps_around(name);
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
        let error = self.source.error_at(&place, message).label(label);
        if name == "<<" {
            return error.help("merge keys are not read; mark a whole value with `&name` and repeat it with `*name`");
        }
        let taken = self.keys(steps);
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
        let is_value = matches!(self.found(&self.steps), Some(Found { node, .. })
            if matches!(&node.kind, Kind::Scalar(text) if text == name));
        let as_key =
            !is_value && matches!(self.steps.last(), Some(Step::Name(last)) if last == name);
        let (around, at) = if as_key {
            (self.steps_around(name), place(&self.steps).at_key())
        } else {
            (self.steps.as_slice(), place(&self.steps))
        };
        let message = match nearest_name(around) {
            Some(owner) => format!("unknown name `{name}` in `{owner}`"),
            None => format!("unknown name `{name}` at the top level"),
        };
        let error = self
            .source
            .error_at(at, message)
            .label("not a name that is known here");
        let error = suggest(error, name, allowed.iter().copied());
        if allowed.is_empty() {
            return error;
        }
        error.help(format!("known here: {}", listed(allowed)))
    }

    fn missing_key(&self, name: &str) -> ScenarioError {
        let message = format!("missing key `{name}` {}", within(&self.steps));
        let error = self
            .source
            .error_at(place(&self.steps), message)
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
        let is_empty = matches!(self.found(&self.steps)?.node.kind, Kind::Scalar(_));
        let neighbour = self
            .entries(parent)
            .iter()
            .find(|entry| entry.key == name)?;
        is_empty.then(|| neighbour.key_span.clone())
    }

    /// Two spellings of one key, which only serde knows to be one.
    fn key_under_two_names(&self, name: &str) -> ScenarioError {
        self.at_value(&format!(
            "key `{name}` is given twice {}, under two names",
            within(&self.steps)
        ))
        .help("remove one of the two")
    }

    fn mismatch(&self, message: &str, found: &str, wanted: &str) -> ScenarioError {
        match (found, wanted) {
            ("map", "map with a single key") => self.not_one_name(),
            ("map", "unit variant") => self.value_too_much(),
            ("unit variant", _) => self.value_missing(),
            _ if message.starts_with("invalid length") => self.wrong_length(found, wanted),
            _ => self.wrong_value(message, found, wanted),
        }
    }

    fn wrong_value(&self, message: &str, found: &str, wanted: &str) -> ScenarioError {
        // A number that does not fit is called a wrong type if it is negative or enormous.
        let is_type = message.starts_with("invalid type")
            && !(found.starts_with("integer ") && is_integer(wanted));
        let thing = if is_type { "type" } else { "value" };
        let wanted = if is_type {
            kind_name(wanted)
        } else {
            range_name(wanted)
        };
        let subject = subject(&self.steps);
        let shown = found_name(found);
        let error = self
            .source
            .error_at(
                place(&self.steps),
                format!("wrong {thing} for {subject}: wanted {wanted}, found {shown}"),
            )
            .label(format!("wanted {wanted}"));
        match shape_help(found, &wanted) {
            Some(help) => error.help(help),
            None => error,
        }
    }

    fn wrong_length(&self, found: &str, wanted: &str) -> ScenarioError {
        let wanted = length_name(wanted);
        let message = format!(
            "wrong number of items for {}: wanted {wanted}, found {found}",
            subject(&self.steps)
        );
        self.source
            .error_at(place(&self.steps), message)
            .label(format!("wanted {wanted}"))
    }

    /// An enum's mapping has exactly one key, its name.
    fn not_one_name(&self) -> ScenarioError {
        let [first, second, ..] = self.entries(&self.steps) else {
            return self
                .at_value("a name is missing here")
                .label("empty")
                .help("write `name: value`");
        };
        let (first_name, second_name) = (&first.key, &second.key);
        let message =
            format!("one name is wanted here, found two: `{first_name}` and `{second_name}`");
        ScenarioError::new(self.source, Some(second.key_span.clone()), message)
            .label(format!("stands beside `{first_name}`"))
            .also_at(first.key_span.clone(), "the first name")
            .help(format!(
                "indent `{second_name}` further if it belongs to `{first_name}`"
            ))
            .help("start a new item with `- ` if it does not")
    }

    fn value_too_much(&self) -> ScenarioError {
        let Some(entry) = self.entries(&self.steps).first() else {
            return self.at_value("a plain name is wanted here, found a mapping");
        };
        let name = &entry.key;
        ScenarioError::new(
            self.source,
            Some(entry.key_span.clone()),
            format!("`{name}` takes no value"),
        )
        .label("a plain name is enough")
        .help(format!("write `{name}` without the colon and what follows"))
    }

    fn value_missing(&self) -> ScenarioError {
        let name = match self.found(&self.steps).map(|found| &found.node.kind) {
            Some(Kind::Scalar(text)) => text.as_str(),
            _ => "name",
        };
        self.at_value(&format!("`{name}` needs a value"))
            .label("a name without a value")
            .help(format!("write `{name}: ...`"))
    }

    fn at_value(&self, message: &str) -> ScenarioError {
        self.source.error_at(place(&self.steps), message)
    }

    /// The steps to what a key stands in; the tracker counts the offending key itself in, but not always.
    fn steps_around(&self, name: &str) -> &[Step] {
        match self.steps.split_last() {
            Some((Step::Name(last), around)) if last == name && !self.has_key(name) => around,
            _ => &self.steps,
        }
    }

    fn has_key(&self, name: &str) -> bool {
        self.keys(&self.steps).contains(&name)
    }

    fn keys(&self, steps: &[Step]) -> Vec<&str> {
        self.entries(steps)
            .iter()
            .map(|entry| entry.key.as_str())
            .collect()
    }

    fn entries(&self, steps: &[Step]) -> &[Entry] {
        match self.found(steps) {
            Some(Found {
                node, exact: true, ..
            }) => match &node.kind {
                Kind::Mapping(entries) => entries,
                _ => &[],
            },
            _ => &[],
        }
    }

    fn found(&self, steps: &[Step]) -> Option<Found<'_>> {
        self.source.find(steps)
    }
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

/// Splits ``unknown field `x`, expected one of `a`, `b` `` into the name and the allowed ones.
fn unknown<'a>(message: &'a str, start: &str) -> Option<(&'a str, Vec<&'a str>)> {
    let rest = message.strip_prefix(start)?;
    let (name, allowed) = rest
        .split_once("`, expected ")
        .or_else(|| rest.split_once("`, there are no "))?;
    Some((name, allowed.split('`').skip(1).step_by(2).collect()))
}

fn quoted<'a>(message: &'a str, start: &str) -> Option<&'a str> {
    message.strip_prefix(start)?.strip_suffix('`')
}

/// Splits `invalid type: string "soon", expected u64` into what was found and what was wanted.
fn mismatch(message: &str) -> Option<(&str, &str)> {
    let starts = ["invalid type: ", "invalid value: ", "invalid length "];
    let rest = starts
        .iter()
        .find_map(|start| message.strip_prefix(start))?;
    let quoted = rest
        .strip_prefix("string \"")
        .map_or(0, |text| rest.len() - text.len() + closing_quote(text));
    let split = quoted + rest.get(quoted..)?.find(", expected ")?;
    Some((rest.get(..split)?, rest.get(split + ", expected ".len()..)?))
}

/// Where a text in Rust's quoted notation ends, since it may hold any words, also serde's own.
fn closing_quote(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return at,
            _ => escaped = false,
        }
    }
    text.len()
}

fn kind_name(wanted: &str) -> String {
    let name = match wanted {
        _ if is_integer(wanted) => "a whole number",
        "f32" | "f64" | "a float" => "a number",
        "a boolean" => "`true` or `false`",
        "a string" | "a borrowed string" | "str" => "text",
        "a character" | "char" => "one character",
        "a sequence" => "a list",
        "a map" => "a mapping",
        "unit" | "null" => "nothing",
        _ if wanted.starts_with("struct ") => "a mapping",
        _ if wanted.starts_with("enum ") => "a name",
        _ if is_list(wanted) => return length_name(wanted),
        _ => wanted,
    };
    name.to_owned()
}

fn range_name(wanted: &str) -> String {
    let (least, most) = match wanted {
        "u8" => (i64::from(u8::MIN), i64::from(u8::MAX)),
        "i8" => (i64::from(i8::MIN), i64::from(i8::MAX)),
        "u16" => (i64::from(u16::MIN), i64::from(u16::MAX)),
        "i16" => (i64::from(i16::MIN), i64::from(i16::MAX)),
        "u32" => (i64::from(u32::MIN), i64::from(u32::MAX)),
        "i32" => (i64::from(i32::MIN), i64::from(i32::MAX)),
        "u64" | "u128" | "usize" => return "a whole number, 0 or more".to_owned(),
        _ => return kind_name(wanted),
    };
    format!("a whole number from {least} to {most}")
}

fn is_integer(wanted: &str) -> bool {
    let width = wanted.strip_prefix(['u', 'i']).unwrap_or_default();
    ["8", "16", "32", "64", "128", "size"].contains(&width) || wanted == "an integer"
}

fn is_list(wanted: &str) -> bool {
    [
        "an array of length ",
        "a tuple of size ",
        "sequence of ",
        "tuple struct ",
        "tuple variant ",
    ]
    .iter()
    .any(|start| wanted.starts_with(start))
}

fn length_name(wanted: &str) -> String {
    match wanted
        .split(' ')
        .find_map(|word| word.parse::<usize>().ok())
    {
        Some(1) => "a list of 1 item".to_owned(),
        Some(count) => format!("a list of {count} items"),
        None => wanted.to_owned(),
    }
}

fn found_name(found: &str) -> String {
    let inner = |start: &str| Some(found.strip_prefix(start)?.split('`').next()?.to_owned());
    if let Some(number) = inner("integer `").or_else(|| inner("floating point `")) {
        return number;
    }
    if let Some(boolean) = inner("boolean `") {
        return format!("`{boolean}`");
    }
    if let Some(text) = found.strip_prefix("string ") {
        return format!("the text {}", shortened(text));
    }
    match found {
        "unit value" => "nothing",
        "sequence" => "a list",
        "map" => "a mapping",
        _ => found,
    }
    .to_owned()
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= MAX_QUOTED {
        return text.to_owned();
    }
    let start: String = text.chars().take(MAX_QUOTED).collect();
    format!("{start}...\"")
}

/// What to do about a value of the wrong shape, where that is not plain from the message.
fn shape_help(found: &str, wanted: &str) -> Option<String> {
    if wanted.starts_with("a list") {
        return Some(match found {
            "map" => "start each item with `- `".to_owned(),
            "unit value" => "write `[]` for none".to_owned(),
            _ => "write `[...]`, also around a single item".to_owned(),
        });
    }
    if wanted == "a mapping" {
        return Some(match found {
            "sequence" => "leave out the `- ` and write `key: value`".to_owned(),
            _ => {
                "write `key: value` in the lines below it, indented, or `{ key: value }`".to_owned()
            }
        });
    }
    let text = found.strip_prefix("string \"")?.strip_suffix('"')?;
    let is_number = wanted.starts_with("a whole number") || wanted == "a number";
    let number = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = text.get(number.len()..)?;
    let is_unit = !unit.is_empty()
        && unit
            .trim_start()
            .chars()
            .all(|c| c.is_alphabetic() || "%°".contains(c));
    let clean = number.parse::<f64>().is_ok();
    if is_number && number == text && clean {
        return Some(format!("write it without quotes: `{number}`"));
    }
    (is_number && is_unit && clean).then(|| format!("write the number alone: `{number}`"))
}
