//! Commands as scenarios write them: by name or by number.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use veschub_wire::CommandId;

use crate::suggest;

/// A command, by name or number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandName(pub CommandId);

impl<'de> Deserialize<'de> for CommandName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        command_named(&name).map(Self).map_err(D::Error::custom)
    }
}

impl Serialize for CommandName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.name() {
            Some(name) => name.serialize(serializer),
            None => self.0.0.to_string().serialize(serializer),
        }
    }
}

/// The command of a name or number.
///
/// # Errors
/// If there is none: why, with help, in words.
pub fn command_named(name: &str) -> Result<CommandId, String> {
    name.parse().map_err(|error| {
        let names = CommandId::named().filter_map(CommandId::name);
        match suggest::closest(name, names) {
            Some(close) => format!("no command is called `{name}`\nhelp: did you mean `{close}`?"),
            None => format!("{error}"),
        }
    })
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for CommandName {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "CommandName".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<&str> = CommandId::named().filter_map(CommandId::name).collect();
        schemars::json_schema!({
            "description": "A command by its name, or by its number.",
            "anyOf": [
                { "type": "string", "enum": names },
                { "type": "integer", "minimum": 0, "maximum": 255 },
            ],
        })
    }
}
