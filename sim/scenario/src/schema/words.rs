//! Requests as people type them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error};
use veschub_hub::command_named;
use veschub_wire::{CommandId, Request};

/// A request in words: a command by name or number, then its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words(pub Request);

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        request(&text).map(Self).map_err(D::Error::custom)
    }
}

fn request(text: &str) -> Result<Request, String> {
    let mut words = text.split_whitespace();
    let name = words
        .next()
        .ok_or("a request begins with the name of a command")?;
    let command: CommandId = command_named(name)?;
    let arguments: Vec<&str> = words.collect();
    Request::from_args(command, &arguments).map_err(|error| error.to_string())
}

impl JsonSchema for Words {
    fn schema_name() -> Cow<'static, str> {
        "Words".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A request: a command by name or number, then its arguments.",
            "type": "string",
            "pattern": r"^\s*\S+",
            "examples": ["BMS_GET_VALUES", "FORWARD_CAN 84 GET_VALUES", "BMS_SET_BALANCE_OVERRIDE 3 1"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_make_the_request_that_they_name() {
        let forwarded = Request::forward(84, &Request::GetValues);
        assert_eq!(request(" FORWARD_CAN 84  get-values "), Ok(forwarded));
    }

    #[test]
    fn a_mistake_in_the_words_is_told() {
        let told = |text| request(text).unwrap_err();
        assert!(told("BMS_GET_VALUE").contains("did you mean `BMS_GET_VALUES`"));
        assert!(told("BMS_FORCE_BALANCE").contains("`enabled` is missing"));
        assert!(told("").contains("begins with the name"));
    }
}
