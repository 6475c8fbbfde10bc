//! The JSON Schema of a reading, which says what a client may print.
//!
//! The names are those of the decoder, which `veschub-harness read --json` prints as well; tests check that they agree.

use std::{collections::BTreeSet, sync::LazyLock};

use serde_json::{Map, Value, json};
use veschub_wire::CommandId;

use super::layout::{Form, TABLES, Table, Type, Written};

/// The schema of a command's fields, each of which may be null.
fn fields(table: &Table) -> Value {
    let mut properties = Map::new();
    let mut add = |name: &str, about: &str, mut schema: Value| {
        schema["type"] = json!([schema["type"], "null"]);
        schema["description"] = about.into();
        properties.insert(name.to_owned(), schema);
    };
    for item in table.items() {
        add(item.name, item.about, value(item.written));
    }
    add(
        "trailing",
        "Bytes behind the last known field, in hex.",
        value(Written::Text),
    );
    json!({
        "type": "object",
        "description": table.about,
        "properties": properties,
        "additionalProperties": false,
    })
}

fn value(written: Written) -> Value {
    match written {
        Written::Number(form) => number(form),
        Written::Count => number(Form::I8),
        Written::Whole => json!({ "type": "integer" }),
        Written::Fixed(_, form) | Written::List(form) | Written::Rest(form) => {
            json!({ "type": "array", "items": number(form) })
        }
        Written::Text | Written::Skip(_) | Written::Also(Type::Text) => json!({ "type": "string" }),
        Written::Flags | Written::Also(Type::Flag) => number(Form::Flag),
        Written::Also(Type::Names) => json!({ "type": "array", "items": { "type": "string" } }),
        Written::Also(Type::Object) => json!({ "type": "object", "additionalProperties": true }),
    }
}

fn number(form: Form) -> Value {
    match form {
        Form::U8 => json!({ "type": "integer", "minimum": 0, "maximum": 255 }),
        Form::I8 => json!({ "type": "integer", "minimum": -128, "maximum": 127 }),
        Form::U16 | Form::U32 => json!({ "type": "integer", "minimum": 0 }),
        Form::Flag => json!({ "type": "boolean" }),
        Form::I16(_) | Form::I32(_) | Form::Float => json!({ "type": "number" }),
    }
}

static SCHEMA: LazyLock<Value> = LazyLock::new(make);

/// The schema of a line, JSON Schema draft 2020-12.
#[must_use]
pub fn json_schema() -> &'static Value {
    &SCHEMA
}

/// The names that the fields of a command can have; `None` for a command that the schema does not tell of.
#[must_use]
pub fn names(command: CommandId) -> Option<BTreeSet<&'static str>> {
    Some(properties(command)?.keys().map(String::as_str).collect())
}

/// Whether a field of a command can have this name.
#[must_use]
pub fn has_name(command: CommandId, name: &str) -> bool {
    properties(command).is_some_and(|properties| properties.contains_key(name))
}

fn properties(command: CommandId) -> Option<&'static Map<String, Value>> {
    let table = TABLES.iter().find(|table| table.command == command)?;
    SCHEMA["$defs"][table.name]["properties"].as_object()
}

/// The commands whose fields the schema tells.
pub fn commands() -> impl Iterator<Item = CommandId> {
    TABLES.iter().map(|table| table.command)
}

/// Checks that some reply has a field of this name; of a command that is not in the tables, nobody knows the names.
/// Otherwise the error is the name that is probably meant, if one is near: first a name of this command.
///
/// # Errors
/// If no such reply has a field of this name.
pub fn check_name(command: Option<CommandId>, name: &str) -> Result<(), Option<&'static str>> {
    let is_known = |command: CommandId| commands().any(|known| known == command);
    // The name of another command's field is no slip of the pen.
    if command.is_some_and(|command| !is_known(command))
        || commands().any(|command| has_name(command, name))
    {
        return Ok(());
    }
    let of = |command: CommandId| names(command).into_iter().flatten();
    let own = command.and_then(|command| nearest(name, of(command)));
    Err(own.or_else(|| nearest(name, commands().flat_map(of))))
}

/// The name that is nearest to this one, if one is near.
fn nearest(name: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let near = |known: &'static str| {
        let distance = strsim::damerau_levenshtein(known, name);
        // A name without its unit, or with more words, is near too.
        let is_part = name.len() > 2 && (known.contains(name) || name.contains(known));
        (is_part || distance * 3 <= known.len().max(name.len())).then_some((distance, known))
    };
    known.filter_map(near).min().map(|(_, known)| known)
}

fn make() -> Value {
    let mut definitions = Map::new();
    for table in TABLES {
        definitions.insert(table.name.to_owned(), fields(table));
    }
    definitions.insert("ConfigurationFields".to_owned(), configuration());
    let configurations: Vec<Value> = CONFIGURATIONS
        .into_iter()
        .flat_map(|command| [json!(command.name()), json!(command.0)])
        .collect();
    let of = |table: &Table| json!({ "$ref": format!("#/$defs/{}", table.name) });
    let any: Vec<Value> = TABLES.iter().map(of).collect();
    let all = commands().chain(CONFIGURATIONS);
    let names: Vec<&str> = all.filter_map(CommandId::name).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A reading for veschub-harness",
        "description": "One line that a client prints on stdout: what it read, or that it cannot do the task.",
        "type": "object",
        "properties": {
            "command": {
                "description": "The command whose reply was read, by name or number. Without it, the reply that fits \
                    best is taken.",
                "anyOf": [
                    { "type": "string", "examples": names },
                    { "type": "integer", "minimum": 0, "maximum": 255 },
                    { "type": "null" },
                ],
            },
            "fields": {
                "description": "What was understood of the reply. Leave out what the client does not show, or print null \
                    for it: both mean that nobody knows whether the client reads it. At least one field needs a value.",
                "type": ["object", "null"],
            },
            "can_id": {
                "description": "The CAN id of the device that answered, if it was asked through FORWARD_CAN.",
                "type": ["integer", "null"],
                "minimum": 0,
                "maximum": 255,
            },
            "at": {
                "description": "When the reply came, in seconds since the client's own start. Not judged.",
                "type": ["number", "null"],
            },
            "unsupported": {
                "description": "The task that the client cannot do, from VESC_TASK; the exit code 77 says the same.",
                "type": ["string", "null"],
            },
        },
        "additionalProperties": false,
        "if": {
            "properties": { "command": { "enum": configurations } },
            "required": ["command"],
        },
        "then": { "properties": { "fields": { "$ref": "#/$defs/ConfigurationFields" } } },
        "else": {
            "properties": {
                "fields": {
                    "anyOf": any.into_iter().chain([json!({ "type": "null" })]).collect::<Vec<_>>(),
                },
            },
        },
        "$defs": definitions,
    })
}

/// The commands whose replies are a configuration of a motor controller.
const CONFIGURATIONS: [CommandId; 4] = [
    CommandId::GET_MCCONF,
    CommandId::GET_MCCONF_DEFAULT,
    CommandId::GET_APPCONF,
    CommandId::GET_APPCONF_DEFAULT,
];

/// The schema of a configuration's fields, whose names are those of a description that only the client knows.
fn configuration() -> Value {
    json!({
        "type": ["object", "null"],
        "description": "A configuration of a motor controller, MCCONF or APPCONF: its signature, and values by the names \
            that VESC Tool's parameter file of the firmware has, as few as the client likes.",
        "properties": {
            "signature": {
                "description": "Stands for names, types and order of the fields.",
                "type": ["integer", "null"],
                "minimum": 0,
            },
        },
        "additionalProperties": {
            "description": "A value: a number, yes or no, or the text or the number of a choice.",
            "type": ["number", "boolean", "string", "null"],
        },
    })
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use veschub_wire::{Reply, view::View as _};

    use super::*;

    /// The sample replies of a command: whatever firmware has sent.
    fn samples(folder: &str) -> Vec<Vec<u8>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../wire/testdata")
            .join(folder);
        let read = |path: &Path| {
            let text = fs::read_to_string(path).unwrap();
            let bytes = text.lines().flat_map(|line| {
                line.split('#')
                    .next()
                    .unwrap_or_default()
                    .split_whitespace()
            });
            let bytes: Vec<u8> = bytes
                .map(|byte| u8::from_str_radix(byte, 16).unwrap())
                .collect();
            text.contains("# direction: to-tool").then_some(bytes)
        };
        let files = fs::read_dir(folder).unwrap();
        files
            .filter_map(|file| read(&file.unwrap().path()))
            .collect()
    }

    #[test]
    fn the_schema_names_the_very_fields_that_replies_have() {
        for command in commands() {
            let folder = command.name().unwrap().to_lowercase();
            let mut seen = BTreeSet::from(["trailing"]);
            for sample in samples(&folder) {
                seen.extend(
                    Reply::decode(&sample)
                        .unwrap()
                        .fields()
                        .iter()
                        .map(|(name, _)| name),
                );
            }
            if command == CommandId::GET_CUSTOM_CONFIG {
                seen.extend(["config", "data"]);
            }
            assert_eq!(names(command).unwrap(), seen, "{command}");
        }
    }

    #[test]
    fn only_a_configuration_may_have_names_that_no_table_has() {
        let mut schemas = boon::Schemas::new();
        let mut compiler = boon::Compiler::new();
        compiler
            .add_resource("mem:///reading", json_schema().clone())
            .unwrap();
        let schema = compiler.compile("mem:///reading", &mut schemas).unwrap();
        for (reading, fits) in [
            (
                r#"{"command": "GET_MCCONF", "fields": {"signature": 4076786715, "l_current_max": 82}}"#,
                true,
            ),
            (
                r#"{"command": 18, "fields": {"kill_sw_mode": "Off", "uavcan_raw": null}}"#,
                true,
            ),
            (
                r#"{"command": "GET_MCCONF", "fields": {"signature": "x"}}"#,
                false,
            ),
            (
                r#"{"command": "GET_MCCONF", "fields": {"l_current_max": [82]}}"#,
                false,
            ),
            (
                r#"{"command": "GET_VALUES", "fields": {"l_current_max": 82}}"#,
                false,
            ),
            (
                r#"{"command": "GET_VALUES", "fields": {"duty": 0.5}}"#,
                true,
            ),
            (r#"{"fields": {"l_current_max": 82}}"#, false),
            (r#"{"command": null, "fields": {"duty": 0.5}}"#, true),
            (r#"{"fields": null}"#, true),
        ] {
            let reading: Value = serde_json::from_str(reading).unwrap();
            assert_eq!(
                schemas.validate(&reading, schema).is_ok(),
                fits,
                "{reading}"
            );
        }
    }

    #[test]
    fn the_schema_is_the_published_one() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("reading.schema.json");
        let made = format!("{:#}\n", json_schema());
        if std::env::var_os("VESCHUB_UPDATE").is_some() {
            fs::write(&path, &made).unwrap();
        }
        let published = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            published == made,
            "{} is out of date: run with VESCHUB_UPDATE=1",
            path.display()
        );
    }
}
