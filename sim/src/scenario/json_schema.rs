//! The language as a JSON Schema, for editors that complete and check. Knows how words are spelt, not what they mean:
//! what [`schema`](super::schema) derives, and the few values that are read by hand.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::Value;
use veschub_wire::CommandId;

use super::{
    duration::Duration,
    schema::{CommandName, Expected, Scenario},
};

/// The schema of scenario files, JSON Schema draft 2020-12.
#[must_use]
pub fn json_schema() -> Value {
    let settings = SchemaSettings::draft2020_12();
    let schema = settings.into_generator().into_root_schema_for::<Scenario>();
    schema.to_value()
}

impl JsonSchema for Duration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A span of time: a number and a unit, ns, us, ms, s, m or h.",
            "type": "string",
            "pattern": r"^[0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h)$",
            "examples": ["250ms", "2.6s", "5m"],
        })
    }
}

impl JsonSchema for CommandName {
    fn schema_name() -> Cow<'static, str> {
        "CommandName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = CommandId::named().filter_map(CommandId::name).collect();
        json_schema!({
            "description": "A command by its name, or by its number.",
            "anyOf": [
                { "type": "string", "enum": names },
                { "type": "integer", "minimum": 0, "maximum": 255 },
            ],
        })
    }
}

impl JsonSchema for Expected {
    fn schema_name() -> Cow<'static, str> {
        "Expected".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A value that is compared with a field: a flag, a number or a text.",
            "type": ["boolean", "number", "string"],
        })
    }
}
