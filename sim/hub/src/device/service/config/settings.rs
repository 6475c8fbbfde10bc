//! What a scenario says of a configuration, and the files that it names.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, OnceLock},
};

use serde::{Deserialize, Deserializer, de};
use veschub_wire::{
    CommandId, Reply,
    command::{ConfigKind, MotorConfig},
    description::{ConfigDescription, DescriptionError, Rounding, ValueError},
    from_hex_text,
    view::Value,
};

use crate::suggest::closest;

/// A value of a configuration that other keys of a node give as well.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Configured {
    /// The field of the configuration.
    pub name: &'static str,
    /// The keys that lead to the value from the node's own.
    pub keys: &'static [&'static str],
    /// The value, in the unit of the field.
    pub number: f64,
}

/// Where APPCONF has the CAN id.
pub(super) const CONTROLLER_ID: &str = "controller_id";

/// A configuration of a motor controller. Without a description and bytes, it has the firmware's signature and length, and
/// all its bytes are 0.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ConfigSettings {
    /// VESC Tool's parameter file of the firmware, `parameters_mcconf.xml` or `parameters_appconf.xml`; a relative path
    /// starts at the scenario's folder.
    #[serde(default)]
    pub description: Option<String>,
    /// Values by the names in the description. What is not named is as in the bytes, or else as in the description.
    #[serde(default)]
    pub values: BTreeMap<String, GivenValue>,
    /// A recorded reply in hex, as `decode --json` shows it under `payload`; it starts with 0e, 0f, 11 or 12.
    #[serde(default)]
    pub bytes: Option<String>,
    /// A file with a recorded reply in hex, in which comments stand behind `#`; a relative path starts at the scenario's
    /// folder.
    #[serde(default)]
    pub bytes_file: Option<String>,
    /// How far the hardware lets a tool set values, by the names in the description.
    #[serde(default)]
    pub limits: BTreeMap<String, Limits>,
    /// Whether the hardware keeps it as it is: the controller answers nothing to who writes a new one.
    #[serde(default)]
    pub read_only: bool,
    /// What the files say, once somebody has read them.
    #[serde(skip)]
    pub(super) loaded: OnceLock<Loaded>,
}

/// How far a value can be set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Smaller values become this one.
    #[serde(default)]
    pub least: Option<f64>,
    /// Larger values become this one.
    #[serde(default)]
    pub most: Option<f64>,
}

/// A value of a field: a number, true or false, or the text of a choice.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(untagged))]
pub enum GivenValue {
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Whole(i64),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
}

impl From<&GivenValue> for Value {
    fn from(given: &GivenValue) -> Self {
        match given {
            GivenValue::Flag(flag) => Self::Bool(*flag),
            GivenValue::Whole(whole) => Self::Int(*whole),
            GivenValue::Number(number) => Self::Number(*number),
            GivenValue::Text(text) => Self::Text(text.clone()),
        }
    }
}

impl<'de> Deserialize<'de> for GivenValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl de::Visitor<'_> for Any {
            type Value = GivenValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, true, false or a text")
            }

            fn visit_bool<E: de::Error>(self, flag: bool) -> Result<GivenValue, E> {
                Ok(GivenValue::Flag(flag))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<GivenValue, E> {
                Ok(GivenValue::Whole(number))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<GivenValue, E> {
                Ok(i64::try_from(number)
                    .map_or(GivenValue::Number(number as f64), GivenValue::Whole))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<GivenValue, E> {
                Ok(GivenValue::Number(number))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<GivenValue, E> {
                Ok(GivenValue::Text(text.to_owned()))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

/// What the files of a configuration say.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Loaded {
    pub(super) description: Option<Arc<ConfigDescription>>,
    pub(super) signature: u32,
    pub(super) default: Vec<u8>,
    pub(super) stored: Vec<u8>,
}

/// Why a configuration cannot be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The description cannot be used.
    #[error(transparent)]
    Description(#[from] DescriptionError),
    /// Values or limits without a description of the fields.
    #[error(
        "values have names only with a `description`, VESC Tool's parameter file of the firmware"
    )]
    NoDescription(&'static str),
    /// The bytes are not those of such a reply.
    #[error("{0}")]
    Bytes(String),
    /// A value that its field cannot have.
    #[error("{error}")]
    Value {
        /// Whether it stands in `values` or in `limits`.
        within: &'static str,
        /// The name as it stands there.
        name: String,
        /// Why.
        error: ValueError,
    },
    /// What another key of the device says, and the field of the configuration cannot have.
    #[error("{error}")]
    Beside {
        /// The keys that lead there, from the device's own.
        keys: &'static [&'static str],
        /// Why.
        error: ValueError,
    },
}

impl LoadError {
    /// The keys that lead to what is wrong, from the configuration's own; `in_file` says whether its bytes stand in a file.
    #[must_use]
    pub fn place(&self, in_file: bool) -> Vec<&str> {
        match self {
            Self::Description(_) => vec!["description"],
            Self::NoDescription(key) => vec![key],
            Self::Bytes(_) if in_file => vec!["bytes_file"],
            Self::Bytes(_) => vec!["bytes"],
            Self::Value { within, name, .. } => vec![within, name],
            Self::Beside { .. } => Vec::new(),
        }
    }

    /// The name that was probably meant where no field has the name; `description` is the text that names the fields.
    #[must_use]
    pub fn meant(&self, description: Option<&str>) -> Option<String> {
        let Self::Value {
            error: ValueError::Unknown(name),
            ..
        } = self
        else {
            return None;
        };
        let description = ConfigDescription::from_xml(description?).ok()?;
        let names = description.fields().iter().map(|field| field.name.as_str());
        closest(name, names).map(str::to_owned)
    }
}

impl ConfigSettings {
    /// What was loaded; none where a configuration names no file and no bytes.
    pub(super) fn loaded(&self) -> Option<&Loaded> {
        self.loaded.get()
    }

    /// What names its fields, once somebody has loaded that.
    #[must_use]
    pub fn described(&self) -> Option<&Arc<ConfigDescription>> {
        self.loaded.get()?.description.as_ref()
    }

    /// The APPCONF of the second motor of a controller: it shows its own id, and does not take another
    /// (`MC comm/commands.c:617-660`).
    #[must_use]
    pub(in crate::device) fn of_second_motor(mut self, can_id: u8) -> Self {
        let own = Some(can_id.into());
        let held = Limits {
            least: own,
            most: own,
        };
        self.values.remove(CONTROLLER_ID);
        self.limits.insert(CONTROLLER_ID.to_owned(), held);
        self
    }

    /// Whether somebody has loaded it.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.loaded.get().is_some()
    }

    /// Makes the configuration of the texts of the files that it names. `beside` is what the device's other keys say of it;
    /// `values` go before it, and it goes before the files.
    ///
    /// # Errors
    /// What in it, or in one of the files, is wrong.
    pub fn load(
        &self,
        kind: ConfigKind,
        description: Option<&str>,
        bytes_file: Option<&str>,
        beside: &[Configured],
    ) -> Result<(), LoadError> {
        if let Some(loaded) = self.read(kind, description, bytes_file, beside)? {
            // A second time it is the same.
            let _ = self.loaded.set(loaded);
        }
        Ok(())
    }

    fn read(
        &self,
        kind: ConfigKind,
        description: Option<&str>,
        bytes_file: Option<&str>,
        beside: &[Configured],
    ) -> Result<Option<Loaded>, LoadError> {
        let recorded = bytes_file.or(self.bytes.as_deref());
        let recorded = recorded
            .map(|text| recorded_reply(kind, text))
            .transpose()?;
        let Some(description) = description else {
            if !self.values.is_empty() {
                return Err(LoadError::NoDescription("values"));
            }
            if !self.limits.is_empty() {
                return Err(LoadError::NoDescription("limits"));
            }
            return Ok(recorded.map(|config| Loaded {
                description: None,
                signature: config.signature,
                default: config.data.clone(),
                stored: config.data,
            }));
        };
        let description = ConfigDescription::from_xml(description)?;
        let mut values = description.defaults();
        if let Some(config) = recorded {
            let signature = description.signature();
            if config.signature != signature {
                return Err(LoadError::Bytes(format!(
                    "the signature of the bytes is {}, and that of the description is {signature}",
                    config.signature
                )));
            }
            let read = description.read(&config.data);
            values = read.map_err(|error| LoadError::Bytes(error.to_string()))?;
        }
        let default = values.to_bytes();
        // What a device holds is cut off as its firmware does.
        for Configured { name, keys, number } in beside {
            if description.field(name).is_some() && !self.values.contains_key(*name) {
                let set = values.set(name, &Value::Number(*number), Rounding::CutOff);
                set.map_err(|error| LoadError::Beside { keys, error })?;
            }
        }
        for (name, value) in &self.values {
            let set = values.set(name, &value.into(), Rounding::CutOff);
            set.map_err(|error| LoadError::Value {
                within: "values",
                name: name.clone(),
                error,
            })?;
        }
        for (name, limits) in &self.limits {
            for limit in [limits.least, limits.most].into_iter().flatten() {
                let mut tried = description.defaults();
                let set = tried.set(name, &Value::Number(limit), Rounding::CutOff);
                set.map_err(|error| LoadError::Value {
                    within: "limits",
                    name: name.clone(),
                    error,
                })?;
            }
        }
        let stored = values.to_bytes();
        Ok(Some(Loaded {
            signature: description.signature(),
            default,
            stored,
            description: Some(Arc::new(description)),
        }))
    }
}

/// The configuration in a recorded reply.
fn recorded_reply(kind: ConfigKind, text: &str) -> Result<MotorConfig, LoadError> {
    let payload = from_hex_text(text).map_err(|error| LoadError::Bytes(error.to_string()))?;
    let wanted = match kind {
        ConfigKind::Motor => "0e or 0f, a reply to GET_MCCONF",
        ConfigKind::Application => "11 or 12, a reply to GET_APPCONF",
    };
    let command = CommandId(payload.first().copied().unwrap_or_default());
    let decoded = Reply::decode(&payload).map_err(|error| LoadError::Bytes(error.to_string()))?;
    match (kind, decoded.body) {
        (ConfigKind::Motor, Reply::Mcconf(config) | Reply::McconfDefault(config))
        | (ConfigKind::Application, Reply::Appconf(config) | Reply::AppconfDefault(config)) => {
            Ok(config)
        }
        _ => Err(LoadError::Bytes(format!(
            "the bytes start with {:02x} ({command}), wanted {wanted}",
            command.0
        ))),
    }
}
