//! Readings as JSON: one object a line, the fields in the order and under the names of the wire's view.

use std::{sync::Arc, time::Duration};

use serde::{Serialize, Serializer, ser::SerializeMap as _};
use veschub_transcript::render::FieldsJson;
use veschub_wire::{
    Reply, Request,
    description::ConfigDescription,
    view::{Value, View as _},
};

use super::{Reading, Received};

impl Serialize for Reading {
    /// `{"at": seconds, "command": name, "can_id": of a forwarded one, "fields": {...}}`
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("at", &seconds(self.at))?;
        map.serialize_entry("command", &self.reply.body.id().to_string())?;
        if let Request::ForwardCan { can_id, .. } = &self.request {
            map.serialize_entry("can_id", can_id)?;
        }
        map.serialize_entry("fields", &FieldsJson(&self.reply.fields()))?;
        map.end()
    }
}

/// A reading as one line of JSON, without its line feed.
#[must_use]
pub fn line(reading: &Reading) -> String {
    // Every key is text and no value can fail, so there is nothing to report.
    serde_json::to_string(reading).unwrap_or_default()
}

/// The same, with the values of a configuration by their names, if one of these descriptions is that of its fields.
#[must_use]
pub fn line_with(reading: &Reading, configs: &[Arc<ConfigDescription>]) -> String {
    named(line(reading), &reading.payload, configs)
}

/// Adds the values of a configuration by their names to a line.
fn named(line: String, payload: &[u8], configs: &[Arc<ConfigDescription>]) -> String {
    let add = || {
        let decoded = Reply::decode(payload).ok()?;
        let (Reply::Mcconf(config)
        | Reply::McconfDefault(config)
        | Reply::Appconf(config)
        | Reply::AppconfDefault(config)) = decoded.body
        else {
            return None;
        };
        let described = |one: &&Arc<ConfigDescription>| one.signature() == config.signature;
        let values = configs.iter().find(described)?.read(&config.data).ok()?;
        let mut line: serde_json::Value = serde_json::from_str(&line).ok()?;
        let fields = line.get_mut("fields")?.as_object_mut()?;
        for (name, value) in values.named() {
            let value = match value {
                Value::Bool(flag) => flag.into(),
                Value::Int(int) => int.into(),
                Value::Number(number) => number.into(),
                Value::Text(text) => text.into(),
                _ => continue,
            };
            fields.insert(name, value);
        }
        Some(line.to_string())
    };
    // What the descriptions do not know stays as it is.
    add().unwrap_or(line)
}

/// A frame as one line of JSON, whatever it answers, with names as [`line_with`] has them; `None` if it cannot be
/// decoded, or has no fields.
#[must_use]
pub fn frame_line(received: &Received, configs: &[Arc<ConfigDescription>]) -> Option<String> {
    let reply = received.reply.as_ref().ok()?;
    let fields = reply.fields();
    if fields.is_empty() {
        return None;
    }
    let line = Frame {
        at: seconds(received.at),
        command: received.command().to_string(),
        fields: FieldsJson(&fields),
    };
    let line = serde_json::to_string(&line).ok()?;
    Some(named(line, &received.payload, configs))
}

#[derive(Serialize)]
struct Frame<'a> {
    at: f64,
    command: String,
    fields: FieldsJson<'a>,
}

/// Seconds, to the microsecond.
fn seconds(time: Duration) -> f64 {
    time.as_micros() as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use veschub_wire::{command::BmsValues, number::F16};

    use super::*;

    #[test]
    fn a_reading_is_one_line_with_the_fields_in_the_order_of_the_wire() {
        let values = BmsValues {
            cell_voltages_v: vec![F16::from_raw(4182), F16::from_raw(-1)],
            balancing: vec![1, 0],
            can_id: Some(255),
            ..BmsValues::default()
        };
        let payload = Reply::BmsValues(values).encode();
        let reading = Reading {
            asked_at: Duration::ZERO,
            at: Duration::from_millis(6849),
            request: Request::BmsGetValues,
            reply: Reply::decode(&payload).unwrap(),
            payload,
        };
        insta::assert_snapshot!(line(&reading), @r#"{"at":6.849,"command":"BMS_GET_VALUES","fields":{"total_voltage_v":0.0,"charge_voltage_v":0.0,"current_a":0.0,"chip_current_a":0.0,"counter_ah":0.0,"counter_wh":0.0,"cell_voltages_v":[4.182,-0.001],"balancing":[true,false],"temperatures_c":[],"chip_temperature_c":0.0,"humidity_temperature_c":0.0,"humidity_percent":0.0,"highest_cell_temperature_c":0.0,"state_of_charge":0.0,"state_of_health":0.0,"can_id":255}}"#);
    }

    #[test]
    fn a_forwarded_reading_names_its_device() {
        let reading = Reading {
            asked_at: Duration::ZERO,
            at: Duration::ZERO,
            request: Request::forward(84, &Request::PingCan),
            reply: Reply::decode(&[62, 1]).unwrap(),
            payload: vec![62, 1],
        };
        insta::assert_snapshot!(line(&reading), @r#"{"at":0.0,"command":"PING_CAN","can_id":84,"fields":{"can_ids":[1]}}"#);
    }
}
