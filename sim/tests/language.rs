//! The language as it is published: `scenarios/schema.json`, the tables in `docs/scenarios.md`, and the line that
//! tells editors about the schema. `VESCHUB_UPDATE=1 cargo test -p veschub-sim --test language` writes all three.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use boon::{Compiler, Schemas};
use serde_json::Value;
use veschub_scenario::{Code, Loaded, json_schema};

const REFRESH: &str = "VESCHUB_UPDATE=1 cargo test -p veschub-sim --test language";
const MODELINE: &str = "# yaml-language-server: $schema=schema.json";
const BEGIN: &str = "<!-- generated from here -->\n";
const END: &str = "<!-- to here -->\n";

fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios")
}

fn is_update() -> bool {
    std::env::var_os("VESCHUB_UPDATE").is_some()
}

/// A committed file is what it should be, or becomes it.
#[track_caller]
fn assert_file(path: &Path, expected: &str) {
    if is_update() {
        fs::write(path, expected).unwrap();
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == expected,
        "{} is not up to date: run `{REFRESH}` and commit it",
        path.display()
    );
}

fn scenario_files() -> Vec<PathBuf> {
    let paths = yaml_files(&scenarios());
    assert!(paths.len() > 20);
    paths
}

fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
        .collect();
    paths.sort();
    paths
}

/// What is wrong with a YAML text by the schema, if anything is.
struct Validator {
    schemas: Schemas,
    schema: boon::SchemaIndex,
}

impl Validator {
    fn new() -> Self {
        let mut compiler = Compiler::new();
        compiler.add_resource("schema.json", json_schema()).unwrap();
        let mut schemas = Schemas::new();
        let schema = compiler.compile("schema.json", &mut schemas).unwrap();
        Self { schemas, schema }
    }

    fn refuses(&self, yaml: &str) -> Option<String> {
        let instance: Value = serde_yaml::from_str(yaml).unwrap();
        let result = self.schemas.validate(&instance, self.schema);
        result.err().map(|error| error.to_string())
    }
}

#[test]
fn the_published_schema_is_what_the_command_prints() {
    let output = snapbox::cmd::Command::new(snapbox::cmd::cargo_bin!("veschub-sim"))
        .arg("schema")
        .assert()
        .success()
        .stderr_eq("");
    let printed = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    assert_file(&scenarios().join("schema.json"), &printed);
}

#[test]
fn every_scenario_names_the_schema_in_its_first_line() {
    for path in scenario_files() {
        let text = fs::read_to_string(&path).unwrap();
        if text.lines().next() == Some(MODELINE) {
            continue;
        }
        if is_update() {
            fs::write(&path, format!("{MODELINE}\n{text}")).unwrap();
            continue;
        }
        unreachable!(
            "{}: the first line has to be `{MODELINE}`, so that editors check it; `{REFRESH}` adds it",
            path.display()
        );
    }
}

#[test]
fn every_scenario_and_every_part_is_valid_by_the_schema() {
    let validator = Validator::new();
    let parts = yaml_files(&scenarios().join("common"));
    for path in scenario_files().into_iter().chain(parts) {
        let text = fs::read_to_string(&path).unwrap();
        if let Some(why) = validator.refuses(&text) {
            unreachable!("{}: {why}", path.display());
        }
    }
}

#[test]
fn no_scenario_has_a_warning() {
    for path in scenario_files() {
        let warnings = veschub_disk::open(&path, &[]).unwrap().warnings().unwrap();
        let drawn: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        assert!(drawn.is_empty(), "{}", drawn.join("\n"));
    }
}

#[test]
fn what_is_wrong_is_wrong_by_the_schema_too() {
    let validator = Validator::new();
    let good = "version: 1\n\
        devices: [express: { id: demo-0001, password: x, firmware: \"6.05\", bms: { cells: 3 } }]\n\
        quirks: [session-reset: { max_gap: 250ms }]\n\
        client: { read-bms: { ask: rapid-fire } }\n\
        expect: [reply-to: BMS_GET_VALUES, login-refused]\n";
    assert_eq!(validator.refuses(good), None);
    for (from, to) in [
        ("version: 1", "versoin: 1"),
        ("version: 1", "version: one"),
        ("express:", "expres:"),
        ("id: demo-0001,", ""),
        ("\"6.05\"", "\"6.07\""),
        ("cells: 3", "cells: many"),
        ("cells: 3", "cels: 3"),
        ("250ms", "250"),
        ("250ms", "250 ms"),
        ("250ms", "soon"),
        ("rapid-fire", "rapid_fire"),
        ("read-bms:", "poll-bms:"),
        ("BMS_GET_VALUES", "BMS_GET_VALUE"),
        ("BMS_GET_VALUES", "256"),
        ("login-refused", "login-refused: true"),
    ] {
        assert!(good.contains(from), "{from}");
        let bad = good.replacen(from, to, 1);
        assert!(validator.refuses(&bad).is_some(), "accepted:\n{bad}");
        let read = Loaded::parse("bad.yaml", &bad);
        assert!(read.is_err(), "read:\n{bad}");
    }
}

#[test]
fn every_key_has_a_description() {
    let schema = json_schema();
    for (name, block) in schema["$defs"].as_object().unwrap() {
        let keys = block["properties"].as_object();
        for (key, value) in keys.into_iter().flatten() {
            assert!(value["description"].is_string(), "{name}.{key}");
        }
    }
}

#[test]
fn the_tables_of_the_page_are_those_of_the_schema() {
    let path = scenarios().join("../docs/scenarios.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let tables = Tables::of(&json_schema());
    assert_file(&path, &format!("{before}{BEGIN}\n{tables}\n{END}{after}"));
}

/// The schema as Markdown: a table for each block, in the order in which they are first needed.
struct Tables<'a> {
    blocks: &'a serde_json::Map<String, Value>,
    /// What a block is called: the kind that it belongs to, or its own name.
    names: BTreeMap<String, String>,
    /// What the block is called that is being written.
    title: String,
    out: String,
}

impl Tables<'_> {
    fn of(schema: &Value) -> String {
        let blocks = schema["$defs"].as_object().unwrap();
        let mut tables = Tables {
            blocks,
            names: BTreeMap::new(),
            title: String::new(),
            out: String::new(),
        };
        let mut queue = vec![("the file".to_owned(), schema)];
        let mut seen = BTreeSet::new();
        while !queue.is_empty() {
            let (title, block) = queue.remove(0);
            for (name, title) in tables.block(&title, block) {
                if seen.insert(name.clone()) {
                    queue.push((title, &blocks[&name]));
                }
            }
        }
        tables.codes();
        tables.out.trim_end().to_owned() + "\n"
    }

    /// Writes a block, if it is worth a table, and says which blocks it leads to.
    fn block(&mut self, title: &str, block: &Value) -> Vec<(String, String)> {
        let mut next = Vec::new();
        self.title = title.to_owned();
        if let Some(keys) = block["properties"].as_object() {
            if keys.is_empty() {
                return next;
            }
            self.heading(title, block);
            self.out
                .push_str("| key | value | |\n| --- | --- | --- |\n");
            let required = block["required"].as_array().cloned().unwrap_or_default();
            for (key, value) in keys {
                let needed = if required.contains(&key.as_str().into()) {
                    ", needed"
                } else {
                    ""
                };
                let kind = self.kind(value, &format!("`{key}`"), &mut next);
                let about = text(value);
                let default = match &value["default"] {
                    Value::Null => String::new(),
                    Value::String(default) if default.is_empty() => String::new(),
                    Value::Array(items) if items.is_empty() => String::new(),
                    Value::Object(_) => String::new(),
                    default => format!(" Default: `{}`.", default.to_string().trim_matches('"')),
                };
                let _ = writeln!(self.out, "| `{key}` | {kind}{needed} | {about}{default} |");
            }
            self.out.push('\n');
        } else if let Some(kinds) = block["oneOf"].as_array() {
            if kinds.iter().all(|kind| kind["const"].is_string()) {
                return next;
            }
            self.heading(title, block);
            self.out
                .push_str("| kind | value | |\n| --- | --- | --- |\n");
            for kind in kinds {
                let about = text(kind);
                match kind["properties"]
                    .as_object()
                    .and_then(|keys| keys.iter().next())
                {
                    Some((name, value)) => {
                        let shape = self.kind(value, &format!("`{name}`"), &mut next);
                        let _ = writeln!(self.out, "| `{name}` | {shape} | {about} |");
                    }
                    None => {
                        for name in names(kind) {
                            let _ = writeln!(self.out, "| `{name}` | none | {about} |");
                        }
                    }
                }
            }
            self.out.push('\n');
        }
        next
    }

    fn heading(&mut self, title: &str, block: &Value) {
        let _ = writeln!(self.out, "### {title}\n\n{}\n", text(block));
    }

    /// What a value looks like, and the blocks that describe it.
    fn kind(&mut self, value: &Value, title: &str, next: &mut Vec<(String, String)>) -> String {
        if let Some(ways) = value["anyOf"].as_array() {
            let ways = ways.iter().map(|way| self.kind(way, title, next));
            return ways.collect::<Vec<_>>().join(" or ");
        }
        if let Some(reference) = value["$ref"].as_str() {
            let name = reference.rsplit('/').next().unwrap();
            return self.named(name, title, next);
        }
        if let Some(names) = value["enum"].as_array() {
            let few: Vec<String> = names.iter().take(3).map(|name| name.to_string()).collect();
            let few = few.join(", ").replace('"', "`");
            return match names.len() {
                0..=3 => few,
                _ => format!("a name such as {few}"),
            };
        }
        match value["type"].as_str() {
            Some("array") => match self.kind(&value["items"], title, next) {
                item if item.is_empty() => "list".to_owned(),
                item => format!("list of {item}"),
            },
            Some("integer") => "whole number".to_owned(),
            Some("number") => "number".to_owned(),
            Some("string") => "text".to_owned(),
            Some("boolean") => "`true` or `false`".to_owned(),
            Some("object") => match value["additionalProperties"].as_object() {
                Some(_) => {
                    let inner = self.kind(&value["additionalProperties"], title, next);
                    format!("mapping to {inner}")
                }
                None => "`{}`".to_owned(),
            },
            _ => String::new(),
        }
    }

    fn named(&mut self, name: &str, title: &str, next: &mut Vec<(String, String)>) -> String {
        match name {
            "Duration" => return "duration".to_owned(),
            "CommandName" => return "command".to_owned(),
            "Expected" => return "number, text, `true` or `false`".to_owned(),
            _ => {}
        }
        let block = &self.blocks[name];
        let choices: Vec<String> = names(block)
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        if !choices.is_empty() {
            return choices.join(", ");
        }
        if block["properties"].is_null() && block["oneOf"].is_null() {
            return self.kind(block, title, next);
        }
        if block["properties"]
            .as_object()
            .is_some_and(|keys| keys.is_empty())
        {
            return "`{}`".to_owned();
        }
        let title = match self.names.get(name) {
            Some(title) => title.clone(),
            None => {
                let taken = self.names.values().any(|other| other == title);
                let title = match taken {
                    true => format!("{title} in {}", self.title),
                    false => title.to_owned(),
                };
                self.names.insert(name.to_owned(), title.clone());
                title
            }
        };
        next.push((name.to_owned(), title.clone()));
        let anchor: String = title
            .chars()
            .filter(|c| c.is_alphanumeric() || "-_ ".contains(*c))
            .collect();
        let anchor = anchor.to_lowercase().replace(' ', "-");
        let plain = match title.matches('`').count() {
            2 => title.trim_matches('`'),
            _ => &title,
        };
        format!("[{plain}](#{anchor})")
    }

    fn codes(&mut self) {
        self.out.push_str(
            "### Codes of `veschub-sim check`\n\n| code | what | |\n| --- | --- | --- |\n",
        );
        for code in Code::all() {
            let (title, explanation) = (code.title(), code.explanation());
            let _ = writeln!(self.out, "| {code} | {title} | {explanation} |");
        }
    }
}

fn text(block: &Value) -> String {
    let text = block["description"].as_str().unwrap_or_default();
    text.replace('\n', " ").replace('|', "\\|")
}

/// The plain names that a value can be.
fn names(block: &Value) -> Vec<String> {
    let name = |value: &Value| value.as_str().map(str::to_owned);
    if let Some(only) = name(&block["const"]) {
        return vec![only];
    }
    if let Some(list) = block["enum"].as_array() {
        return list.iter().filter_map(name).collect();
    }
    let kinds = block["oneOf"].as_array();
    let all: Option<Vec<String>> = kinds.map(|kinds| {
        let names = kinds.iter().filter_map(|kind| name(&kind["const"]));
        names.collect()
    });
    match (all, kinds) {
        (Some(all), Some(kinds)) if all.len() == kinds.len() => all,
        _ => Vec::new(),
    }
}
