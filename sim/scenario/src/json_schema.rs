//! The language as a JSON Schema, for editors that complete and check. Knows how words are spelt, not what they mean:
//! what [`schema`](super::schema) derives, and the few values that are read by hand.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::{Value, json};

use super::schema::{Expected, Scenario};

/// The schema of scenario files, JSON Schema draft 2020-12.
#[must_use]
pub fn json_schema() -> Value {
    let settings = SchemaSettings::draft2020_12();
    let schema = settings.into_generator().into_root_schema_for::<Scenario>();
    let mut schema = schema.to_value();
    tidy(&mut schema);
    if let Value::Object(root) = &mut schema {
        root.insert("title".to_owned(), "A scenario of veschub-sim".into());
        // The devices may stand in an included file.
        root.insert("required".to_owned(), json!(["version"]));
    }
    schema
}

/// Takes out what says nothing to a writer: that a key may be left out shows in its not being required.
fn tidy(schema: &mut Value) {
    let Value::Object(keys) = schema else {
        return;
    };
    keys.retain(|key, value| key != "format" && !(key == "default" && value.is_null()));
    if let Some(Value::Array(types)) = keys.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = &types[..] {
            let only = only.clone();
            keys.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = keys.get_mut("anyOf") {
        choices.retain(|choice| *choice != json!({ "type": "null" }));
        if let [Value::Object(only)] = &choices[..] {
            let only = only.clone();
            keys.remove("anyOf");
            keys.extend(only.into_iter().filter(|(key, _)| key != "description"));
        }
    }
    for (key, value) in keys {
        match (key.as_str(), value) {
            // The names in these are the scenario's.
            ("properties" | "$defs", Value::Object(named)) => named.values_mut().for_each(tidy),
            ("oneOf" | "anyOf" | "prefixItems", Value::Array(choices)) => {
                choices.iter_mut().for_each(tidy);
            }
            ("items" | "additionalProperties", value) => tidy(value),
            _ => {}
        }
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
