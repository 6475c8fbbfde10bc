//! The JSON Schema of a reading, which says what a client may print.
//!
//! The names are those of the decoder, which `veschub-harness read --json` prints as well; tests check that they agree.

use std::{borrow::Cow, collections::BTreeSet, sync::LazyLock};

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::{Map, Value, json};
use veschub_wire::CommandId;

use super::layout::{Form, TABLES, Table, Type, Written};

/// One line that a client prints on stdout: what it read, or that it cannot do the task.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "only its schema is used; lines are read leniently, to say what is wrong with them"
)]
struct Line {
    /// The command whose reply was read, by name or number. Without it, the reply that fits best is taken.
    command: Option<Command>,
    /// What was understood of the reply. Leave out what the client does not read; print null for nothing.
    fields: Option<AnyFields>,
    /// The CAN id of the device that answered, if it was asked through FORWARD_CAN.
    can_id: Option<u8>,
    /// When the reply came, in seconds since the client's own start. Not judged.
    at: Option<f64>,
    /// The task that the client cannot do, from VESC_TASK; the exit code 77 says the same.
    unsupported: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum Command {
    Name(String),
    Number(u8),
}

/// The fields of one of the commands in [`TABLES`].
struct AnyFields;

impl JsonSchema for AnyFields {
    fn schema_name() -> Cow<'static, str> {
        "AnyFields".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let definitions = generator.definitions_mut();
        for table in TABLES {
            definitions.insert(table.name.to_owned(), fields(table));
        }
        let of = |table: &Table| json!({ "$ref": format!("#/$defs/{}", table.name) });
        let fields: Vec<Value> = TABLES.iter().map(of).collect();
        json_schema!({ "anyOf": fields })
    }
}

/// The schema of a command's fields, each of which may be null.
fn fields(table: &Table) -> Value {
    let mut properties = Map::new();
    let mut add = |name: &str, about: &str, mut schema: Value| {
        schema["type"] = json!([schema["type"], "null"]);
        schema["description"] = about.into();
        properties.insert(name.to_owned(), schema);
    };
    for item in table.groups.iter().copied().flatten() {
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
        Written::Also(Type::Object) => json!({ "type": "object", "additionalProperties": true }),
    }
}

fn number(form: Form) -> Value {
    match form {
        Form::U8 => json!({ "type": "integer", "minimum": 0, "maximum": 255 }),
        Form::I8 => json!({ "type": "integer", "minimum": -128, "maximum": 127 }),
        Form::U32 => json!({ "type": "integer", "minimum": 0 }),
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

fn make() -> Value {
    let settings = SchemaSettings::draft2020_12();
    let schema = settings.into_generator().into_root_schema_for::<Line>();
    let mut schema = schema.to_value();
    if let Value::Object(root) = &mut schema {
        root.insert("title".to_owned(), "A reading for veschub-harness".into());
    }
    tidy(&mut schema);
    let names: Vec<&str> = commands().filter_map(CommandId::name).collect();
    schema["$defs"]["Command"]["anyOf"][0]["examples"] = json!(names);
    schema
}

/// Removes formats, which say less than the ranges beside them.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(keys) => {
            keys.retain(|key, value| !(key == "format" && value.is_string()));
            keys.values_mut().for_each(tidy);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
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
