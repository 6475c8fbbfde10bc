//! Expectations: what must be seen, besides that every decoded value is the true one.

use schemars::JsonSchema;
use serde::Deserialize;
use veschub_wire::CommandId;

use super::CommandName;
use crate::duration::Duration;

/// Something that must be seen.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Expectation {
    /// The last reading of a command has this value.
    Value(Value),
    /// A value falls or rises from the first reading to the last.
    Trend(Trend),
    /// The client sent exactly these requests in this order.
    Requests(Vec<CommandName>),
    /// A request was sent this often.
    RequestCount(RequestCount),
    /// A request stayed without a reply this often, for example because a fault dropped the reply.
    Unanswered(RequestCount),
    /// These replies came in this order; other replies may come between them.
    ReplyOrder(Vec<CommandName>),
    /// The replies to a request have this payload length.
    ReplyLength(ReplyLength),
    /// A request was answered.
    ReplyTo(CommandName),
    /// A request was sent and not answered.
    NoReplyTo(CommandName),
    /// The client finished within this time, e.g. `within: 2s`.
    Within(Duration),
    /// A quirk or a fault fired.
    Fired(Fired),
    /// The hub's journal has an entry that contains this text.
    Journal(String),
    /// The hub closed the connection instead of accepting the login.
    LoginRefused,
    /// Every recorded reply came again, byte for byte.
    SameAsRecording,
}

/// The expectation `value`: one of `is` and `length`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Value {
    /// The reply that it stands in.
    #[serde(default = "bms_get_values")]
    pub of: CommandName,
    /// The field.
    pub field: String,
    /// Which element, for a list; the first is 0.
    #[serde(default)]
    pub item: Option<usize>,
    /// What it is.
    #[serde(default)]
    pub is: Option<Expected>,
    /// How much the number may differ, in the unit of the field: `within: 0.005` allows 5 mV for a field in volts.
    #[serde(default)]
    pub within: f64,
    /// How many elements it has.
    #[serde(default)]
    pub length: Option<usize>,
}

/// The expectation `trend`: one of `falls_by` and `rises_by`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trend {
    /// The reply that it stands in.
    #[serde(default = "bms_get_values")]
    pub of: CommandName,
    /// The field.
    pub field: String,
    /// The least by which the value falls from the first reading to the last, in the unit of the field.
    #[serde(default)]
    pub falls_by: Option<f64>,
    /// The least by which the value rises from the first reading to the last, in the unit of the field.
    #[serde(default)]
    pub rises_by: Option<f64>,
}

/// The expectations `request-count` and `unanswered`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestCount {
    /// The request.
    pub of: CommandName,
    /// How often at least.
    #[serde(default)]
    pub at_least: Option<usize>,
    /// How often at most.
    #[serde(default)]
    pub at_most: Option<usize>,
}

/// The expectation `reply-length`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplyLength {
    /// The reply.
    pub of: CommandName,
    /// Its payload's length in bytes.
    pub is: usize,
}

/// The expectation `fired`: one of `quirk` and `fault`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fired {
    /// A quirk that fired.
    #[serde(default)]
    pub quirk: Option<String>,
    /// A fault that fired.
    #[serde(default)]
    pub fault: Option<String>,
    /// How often at least.
    #[serde(default)]
    pub at_least: Option<usize>,
    /// How often at most.
    #[serde(default)]
    pub at_most: Option<usize>,
}

/// A value that is compared with a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// A flag.
    Bool(bool),
    /// A number, whole or not.
    Number(f64),
    /// A text.
    Text(String),
}

impl<'de> Deserialize<'de> for Expected {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Expected;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number, a text, true or false")
            }

            fn visit_bool<E>(self, value: bool) -> Result<Expected, E> {
                Ok(Expected::Bool(value))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Expected, E> {
                Ok(Expected::Number(value as f64))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Expected, E> {
                Ok(Expected::Number(value as f64))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Expected, E> {
                Ok(Expected::Number(value))
            }

            fn visit_str<E>(self, value: &str) -> Result<Expected, E> {
                Ok(Expected::Text(value.to_owned()))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

fn bms_get_values() -> CommandName {
    CommandName(CommandId::BMS_GET_VALUES)
}
