//! JSON Lines: one object an entry, always the same keys in the same order.
//!
//! Written by hand, because the order of the fields is that of the wire and the order of the keys is
//! promised; strings and numbers are `serde_json`'s.

use std::io::{self, Write};

use veschub_wire::view::{Fields, Value, hex};

use crate::entry::{Entry, Kind};
use crate::transcript::Transcript;

/// Writes every entry as one line.
///
/// # Errors
/// When the output refuses bytes.
pub fn json_lines(out: &mut impl Write, transcript: &Transcript) -> io::Result<()> {
    let several = transcript.has_several_connections();
    for entry in &transcript.entries {
        writeln!(out, "{}", json_line(entry, several))?;
    }
    Ok(())
}

/// One entry as a JSON object; `several` says whether the connection is told.
#[must_use]
pub fn json_line(entry: &Entry, several: bool) -> String {
    let mut object = Object::default();
    object.raw(
        "at",
        &entry.at_ns.map_or_else(|| "null".to_owned(), seconds),
    );
    if let Some(direction) = entry.direction {
        object.text("direction", direction.as_str());
        object.raw("offset", &entry.offset.to_string());
    }
    object.text("kind", entry.kind_name());
    match &entry.kind {
        Kind::Frame(frame) => {
            object.text("command", &frame.command().to_string());
            object.text("payload", &hex(&frame.payload));
        }
        Kind::Noise(noise) => object.text("payload", &hex(&noise.bytes)),
        _ => {}
    }
    let fields = entry.fields();
    if !fields.is_empty() || matches!(entry.kind, Kind::Frame(_)) {
        object.raw("fields", &object_of(&fields));
    }
    if several && entry.connection > 0 {
        object.raw("connection", &entry.connection.to_string());
    }
    match &entry.kind {
        Kind::Gap { len } => object.raw("length", &len.to_string()),
        Kind::Notice(text) => object.text("text", text),
        _ => {}
    }
    object.close()
}

#[derive(Default)]
struct Object(String);

impl Object {
    fn raw(&mut self, key: &str, json: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push_str(&string(key));
        self.0.push(':');
        self.0.push_str(json);
    }

    fn text(&mut self, key: &str, text: &str) {
        self.raw(key, &string(text));
    }

    fn close(mut self) -> String {
        if self.0.is_empty() {
            self.0.push('{');
        }
        self.0.push('}');
        self.0
    }
}

fn object_of(fields: &Fields) -> String {
    let mut object = Object::default();
    for (name, value) in fields.iter() {
        object.raw(name, &json_of(value));
    }
    object.close()
}

fn json_of(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Number(value) => number(*value),
        Value::Text(text) => string(text),
        Value::Bytes(bytes) => string(&hex(bytes)),
        Value::List(values) => {
            let values: Vec<String> = values.iter().map(json_of).collect();
            format!("[{}]", values.join(","))
        }
        Value::Fields(fields) => object_of(fields),
        masked => string(&masked.to_string()),
    }
}

fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// JSON has no infinities and no NaN: they are null.
fn number(value: f64) -> String {
    serde_json::Value::from(value).to_string()
}

/// Nanoseconds as seconds, without the detour over a float that would lose the last digits.
fn seconds(ns: u64) -> String {
    let text = format!("{}.{:09}", ns / 1_000_000_000, ns % 1_000_000_000);
    let text = text.trim_end_matches('0');
    match text.strip_suffix('.') {
        Some(whole) => format!("{whole}.0"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_keep_every_digit() {
        assert_eq!(seconds(0), "0.0");
        assert_eq!(seconds(27_854_321_000), "27.854321");
        assert_eq!(seconds(1_000_000_001), "1.000000001");
        assert_eq!(seconds(u64::MAX), "18446744073.709551615");
    }

    #[test]
    fn values_are_json_whatever_they_hold() {
        let mut inner = Fields::new();
        inner.push("text", Value::Text("a \"quote\"\n".into()));
        let mut fields = Fields::new();
        fields.push("z", Value::Number(f64::NAN));
        fields.push(
            "a",
            Value::List(vec![Value::Number(0.5), Value::Int(-1), Value::Masked]),
        );
        fields.push("inner", inner);
        fields.push("none", Fields::new());
        assert_eq!(
            object_of(&fields),
            r#"{"z":null,"a":[0.5,-1,"***"],"inner":{"text":"a \"quote\"\n"},"none":{}}"#
        );
    }
}
