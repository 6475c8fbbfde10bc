//! JSON Lines: one object an entry, always the same keys in the same order.
//!
//! The order of the fields is that of the wire, the order of the keys is promised.

use std::io::{self, Write};

use serde::{Serialize, Serializer};
use veschub_wire::view::{Fields, Value, hex};

use super::naming::Naming;
use super::timing::{Clock, Timing};
use super::unit::seconds;
use crate::can::Heard;
use crate::entry::{Direction, Entry, Kind};
use crate::transcript::{Connection, EntrySink, Transcript};

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

/// One entry as a JSON object; `several` says whether the number of the connection is in it.
#[must_use]
pub fn json_line(entry: &Entry, several: bool) -> String {
    let mut line = Vec::new();
    write_line(
        &mut line,
        entry,
        several,
        Timing::default(),
        &Naming::default(),
    );
    line.pop();
    // JSON is text.
    String::from_utf8(line).unwrap_or_default()
}

/// Writes an object a line as the entries come, with the connection, the gap before it in seconds, and for a
/// reply the latency in seconds.
#[derive(Debug)]
pub struct JsonWriter<W> {
    out: W,
    clock: Clock,
    /// Whether there are connections at all; a bare stream has none.
    connections: bool,
    naming: Naming,
    /// Memory for a line.
    line: Vec<u8>,
}

impl<W: Write> JsonWriter<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self {
            out,
            clock: Clock::default(),
            connections: false,
            naming: Naming::default(),
            line: Vec::new(),
        }
    }

    /// With configurations by the names of their fields.
    #[must_use]
    pub fn with_naming(mut self, naming: Naming) -> Self {
        self.naming = naming;
        self
    }

    /// Writes what was held back.
    ///
    /// # Errors
    /// When the output refuses bytes.
    pub fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl<W: Write> EntrySink for JsonWriter<W> {
    fn connection(&mut self, _: &Connection) -> io::Result<()> {
        self.connections = true;
        Ok(())
    }

    fn entry(&mut self, entry: Entry) -> io::Result<()> {
        let timing = self.clock.time(&entry);
        self.line.clear();
        write_line(
            &mut self.line,
            &entry,
            self.connections,
            timing,
            &self.naming,
        );
        self.out.write_all(&self.line)
    }
}

/// Adds an entry as a line.
fn write_line(out: &mut Vec<u8>, entry: &Entry, several: bool, timing: Timing, naming: &Naming) {
    let fields = naming.fields(entry);
    let payload = match &entry.kind {
        Kind::Frame(frame) => Some(&*frame.payload),
        Kind::Noise(noise) => Some(&*noise.bytes),
        Kind::Can(heard) => heard.bytes(),
        _ => None,
    };
    let can = match &entry.kind {
        Kind::Can(heard) => Some(heard),
        _ => None,
    };
    let told = !fields.is_empty() || matches!(entry.kind, Kind::Frame(_));
    let line = Line {
        at: entry.at_ns.map(seconds),
        direction: entry.direction.map(Direction::as_str),
        offset: entry.direction.map(|_| entry.offset),
        kind: entry.kind_name(),
        command: match can {
            Some(heard) => heard.bytes().map(|_| heard.name()),
            None => entry.frame().map(|frame| frame.command().to_string()),
        },
        from: can.and_then(|heard| heard.from()),
        to: can.and_then(|heard| heard.to()),
        send_type: match can.map(|heard| &**heard) {
            Some(Heard::Command(command)) => Some(command.send_type.0),
            _ => None,
        },
        payload: payload.map(hex),
        fields: told.then_some(FieldsJson(&fields)),
        connection: Some(entry.connection).filter(|&number| several && number > 0),
        length: match entry.kind {
            Kind::Gap { len } | Kind::Repeated { len, .. } => Some(len),
            _ => None,
        },
        text: match &entry.kind {
            Kind::Notice(text) => Some(text.clone()),
            Kind::Can(heard) => heard.misfit().map(|misfit| misfit.to_string()),
            _ => None,
        },
        gap: timing.gap_ns.map(seconds),
        latency: timing.answers.map(|(_, ns)| seconds(ns)),
        waits_for: entry
            .frame()
            .map(|frame| frame.waits_for)
            .filter(|&more| more > 0),
    };
    // Every key is text and no value can fail, so there is nothing to report.
    let _ = serde_json::to_writer(&mut *out, &line);
    out.push(b'\n');
}

/// The promised keys in the promised order.
#[derive(Serialize)]
struct Line<'a> {
    at: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    direction: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u64>,
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    send_type: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<FieldsJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gap: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_for: Option<usize>,
}

/// Named fields as a JSON object in the order of the wire; masked ones stay masked.
#[derive(Clone, Copy, Debug)]
pub struct FieldsJson<'a>(pub &'a Fields);

/// A field's value as JSON; infinities and NaN, which JSON does not have, are null.
#[derive(Clone, Copy, Debug)]
pub struct ValueJson<'a>(pub &'a Value);

impl Serialize for FieldsJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, ValueJson(value))))
    }
}

impl Serialize for ValueJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Int(value) => serializer.serialize_i64(*value),
            Value::Number(value) => serializer.serialize_f64(*value),
            Value::Text(text) => serializer.serialize_str(text),
            Value::Bytes(bytes) => serializer.serialize_str(&hex(bytes)),
            Value::List(values) => serializer.collect_seq(values.iter().map(ValueJson)),
            Value::Fields(fields) => FieldsJson(fields).serialize(serializer),
            Value::Named(named) => {
                serializer.collect_map(named.iter().map(|(name, value)| (name, ValueJson(value))))
            }
            masked => serializer.collect_str(masked),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_keep_every_digit() {
        let shown = |ns| serde_json::to_string(&seconds(ns)).unwrap();
        assert_eq!(shown(0), "0.0");
        assert_eq!(shown(27_854_321_000), "27.854321");
        assert_eq!(shown(1_000_000_001), "1.000000001");
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
            serde_json::to_string(&FieldsJson(&fields)).unwrap(),
            r#"{"z":null,"a":[0.5,-1,"***"],"inner":{"text":"a \"quote\"\n"},"none":{}}"#
        );
    }
}
