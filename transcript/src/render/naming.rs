//! Configurations by the names of their fields, where a description of them is at hand.

use std::sync::Arc;

use veschub_wire::command::{ConfigKind, MotorConfig};
use veschub_wire::description::ConfigDescription;
use veschub_wire::view::{Fields, Value};
use veschub_wire::{Reply, Request};

use crate::entry::{Direction, Entry};

/// Descriptions of configurations; a configuration is read with the one whose signature it has.
#[derive(Clone, Debug, Default)]
pub struct Naming(Arc<[ConfigDescription]>);

impl Naming {
    /// Names what these describe.
    #[must_use]
    pub fn new(descriptions: Vec<ConfigDescription>) -> Self {
        Self(descriptions.into())
    }

    /// The content of an entry as named fields. A configuration that is described has its values under `config` instead of
    /// the bytes, and under `beyond_limits` the names of those that VESC Tool would not let its user set.
    #[must_use]
    pub fn fields(&self, entry: &Entry) -> Fields {
        let fields = entry.fields();
        match self.0.is_empty() {
            true => fields,
            false => match config(entry) {
                Some(config) => self.replace(&fields, &config),
                None => fields,
            },
        }
    }

    fn replace(&self, fields: &Fields, config: &MotorConfig) -> Fields {
        let mut named = Fields::new();
        for (name, value) in fields.iter() {
            match (name, value) {
                // The request in a FORWARD_CAN.
                ("fields", Value::Fields(inner)) => named.push(name, self.replace(inner, config)),
                ("data", Value::Bytes(_)) => self.name(config, &mut named),
                _ => named.push(name, value.clone()),
            }
        }
        named
    }

    fn name(&self, config: &MotorConfig, fields: &mut Fields) {
        let data = || Value::Bytes(config.data.clone());
        let described = self
            .0
            .iter()
            .find(|one| one.signature() == config.signature);
        let Some(described) = described else {
            let known: Vec<String> = self
                .0
                .iter()
                .map(|one| one.signature().to_string())
                .collect();
            fields.push("data", data());
            let known = known.join(", ");
            let note = format!("it has another signature than what was described ({known})");
            return fields.push("undescribed", Value::Text(note));
        };
        match described.read(&config.data) {
            Ok(values) => {
                fields.push("config", Value::Named(values.named()));
                if !values.trailing.is_empty() {
                    fields.push("behind_config", Value::Bytes(values.trailing.clone()));
                }
                let beyond = values.beyond_limits();
                let beyond: Vec<Value> = beyond
                    .map(|field| Value::Text(field.name.clone()))
                    .collect();
                if !beyond.is_empty() {
                    fields.push("beyond_limits", Value::List(beyond));
                }
            }
            Err(error) => {
                fields.push("data", data());
                fields.push("undescribed", Value::Text(error.to_string()));
            }
        }
    }
}

/// The configuration that an entry holds, or the request inside a FORWARD_CAN.
fn config(entry: &Entry) -> Option<MotorConfig> {
    let frame = entry.frame()?;
    let payload = match entry.direction? {
        Direction::ToTool => Reply::decode(&frame.payload).ok()?.body.encode(),
        Direction::ToDevice => {
            let request = Request::decode(&frame.payload).ok()?.body;
            match request.forwarded() {
                Some(inner) => inner.ok()?.body.encode(),
                None => request.encode(),
            }
        }
    };
    let (&id, rest) = payload.split_first()?;
    ConfigKind::of_command(veschub_wire::CommandId(id))?;
    MotorConfig::from_bytes(rest)
}
