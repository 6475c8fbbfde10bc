//! The values that a client read, or that the replies have, as expectations ask for them.

use std::time::Duration;

use serde_json::Value as Json;
use veschub_scenario::schema::{self, Expected};
use veschub_wire::{
    CommandId,
    view::{Fields, Value},
};

use super::{
    compare::{Judgement, Understood},
    facts::Facts,
};

/// A value that a reading or a reply has.
pub(super) enum Found {
    /// This.
    Value(Value),
    /// The reply does not have it; these are the fields that it has.
    NotThere(Vec<String>),
}

/// What the client read of a field, reading by reading, each with its time; without readings, what the replies have.
pub(super) fn values<'a>(
    facts: &'a Facts<'_>,
    readings: Option<&'a [Understood]>,
    of: CommandId,
    field: &'a str,
) -> Box<dyn Iterator<Item = (Duration, Found)> + 'a> {
    match readings {
        None => Box::new(
            facts
                .replies(of)
                .map(move |reply| (reply.at, found_in(&reply.fields(), field))),
        ),
        Some(readings) => {
            let about = move |one: &&Understood| {
                one.command == Some(of) && one.reply.is_some_and(|reply| !reply.elsewhere)
            };
            // A client may spread a reply over several lines. What one of them leaves out, another one may show.
            let leaves_out = move |reading: &Understood| {
                let named = reading.fields.iter().find(|one| one.field == field);
                named.is_some_and(|one| one.is_unread() && !one.is_null())
            };
            let is_shown = readings.iter().filter(about).any(|one| !leaves_out(one));
            Box::new(
                readings
                    .iter()
                    .filter(about)
                    .filter(move |one| !(is_shown && leaves_out(one)))
                    .map(move |reading| (reading.at, read_in(reading, field))),
            )
        }
    }
}

fn found_in(fields: &Fields, field: &str) -> Found {
    match fields.get(field) {
        Some(value) => Found::Value(value.clone()),
        None => Found::NotThere(fields.iter().map(|(name, _)| name.to_owned()).collect()),
    }
}

/// A field of a reading. What is right counts as what the device sent, so that rounding to single precision is no
/// difference.
pub(super) fn read_in(reading: &Understood, field: &str) -> Found {
    let named = reading.fields.iter().find(|one| one.field == field);
    let found = named.and_then(|one| match one.judgement {
        Judgement::Right => one.truth.clone(),
        _ => one.decoded.as_ref().map(read),
    });
    found.map_or_else(
        || {
            let sent = reading.fields.iter().filter(|one| one.truth.is_some());
            Found::NotThere(sent.map(|one| one.field.to_string()).collect())
        },
        Found::Value,
    )
}

/// A value that a client printed.
fn read(json: &Json) -> Value {
    match json {
        Json::Null => Value::Text("null".to_owned()),
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => Value::Number(number.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(items) => Value::List(items.iter().map(read).collect()),
        Json::Object(_) => Value::Text(json.to_string()),
    }
}

/// What a `value` wants, in words.
pub(super) fn wanted(value: &schema::Value) -> String {
    match (&value.is, value.length) {
        (Some(Expected::Number(number)), _) if value.within > 0.0 => {
            format!("{number} ± {}", value.within)
        }
        (Some(Expected::Number(number)), _) => number.to_string(),
        (Some(Expected::Bool(flag)), _) => flag.to_string(),
        (Some(Expected::Text(text)), _) => format!("{text:?}"),
        (None, length) => format!("{} elements", length.unwrap_or_default()),
    }
}

pub(super) fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(value) => Some(*value as f64),
        Value::Number(value) => Some(*value),
        _ => None,
    }
}
