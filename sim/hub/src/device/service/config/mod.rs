//! MCCONF and APPCONF of a motor controller: reading them, their defaults, and writing them.
//!
//! As `MC comm/commands.c:540-660` has it: a configuration with another signature is not taken, and only a PRINT says so.
//! Nothing else is checked. Bytes that are missing stay as they are, and the hardware's limits hold values back, so that
//! what is read again may differ from what was written. SET_APPCONF_NO_STORE is gone after a restart.

mod settings;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use veschub_wire::{
    CommandId, Reply, Request,
    command::{ConfigKind, MotorConfig, signature_of},
    description::{ConfigDescription, ConfigValues, Rounding},
    view::Value,
};

use self::settings::CONTROLLER_ID;
pub use self::settings::{ConfigSettings, Configured, GivenValue, Limits, LoadError};
use super::Service;
use crate::{
    device::{
        Silence,
        answer::{Answer, Answers},
        motor_state::MotorState,
        profile::Profile,
        script::print,
    },
    time::Time,
};

/// What is played here.
pub(in crate::device) const COMMANDS: &[CommandId] = &[
    CommandId::SET_MCCONF,
    CommandId::GET_MCCONF,
    CommandId::GET_MCCONF_DEFAULT,
    CommandId::SET_APPCONF,
    CommandId::GET_APPCONF,
    CommandId::GET_APPCONF_DEFAULT,
    CommandId::SET_APPCONF_NO_STORE,
];

/// How long it takes to store a configuration (`MC comm/commands.c:580, 648`).
const STORE_TIME: Duration = Duration::from_millis(200);

/// The two configurations of a motor controller.
#[derive(Debug)]
pub(in crate::device) struct Configs {
    motor: Option<Config>,
    application: Option<Config>,
    max_print: usize,
    name: &'static str,
}

/// One of them.
#[derive(Debug)]
struct Config {
    kind: ConfigKind,
    /// The same for what it has and for its defaults.
    signature: u32,
    default: Vec<u8>,
    /// What a restart brings back.
    stored: Vec<u8>,
    now: Vec<u8>,
    description: Option<Arc<ConfigDescription>>,
    limits: BTreeMap<String, Limits>,
    read_only: bool,
}

impl Configs {
    /// What a scenario describes, or else zeros with the signature and the length of the firmware. The CAN id stands in
    /// APPCONF, unless the scenario sets another there.
    pub(in crate::device) fn new(
        motor: Option<&ConfigSettings>,
        application: Option<&ConfigSettings>,
        can_id: u8,
        profile: &Profile,
    ) -> Self {
        let mut configs = Self {
            motor: Config::new(ConfigKind::Motor, motor, profile),
            application: Config::new(ConfigKind::Application, application, profile),
            max_print: profile.max_print,
            name: profile.name,
        };
        let is_set = application.is_some_and(|one| one.values.contains_key(CONTROLLER_ID));
        if let Some(config) = configs.application.as_mut().filter(|_| !is_set) {
            config.set_can_id(can_id);
        }
        configs
    }

    /// The number that a field holds now, where the scenario describes the fields.
    pub(in crate::device) fn number(&self, kind: ConfigKind, name: &str) -> Option<f64> {
        let config = match kind {
            ConfigKind::Motor => self.motor.as_ref()?,
            ConfigKind::Application => self.application.as_ref()?,
        };
        config.values(&config.now)?.number(name)
    }

    /// The CAN id in APPCONF, where the scenario describes the fields.
    pub(in crate::device) fn can_id(&self) -> Option<u8> {
        // A byte on the wire.
        self.number(ConfigKind::Application, CONTROLLER_ID)
            .map(|id| id as u8)
    }

    /// Whether a request is about a configuration of a motor controller.
    fn kind(request: &Request) -> Option<ConfigKind> {
        ConfigKind::of_command(request.id())
    }

    fn answer(&mut self, kind: ConfigKind, request: &Request) -> Result<Answers, Silence> {
        let config = match kind {
            ConfigKind::Motor => self.motor.as_mut(),
            ConfigKind::Application => self.application.as_mut(),
        };
        let Some(config) = config else {
            return Err(Silence::NoMotorConfig(self.name));
        };
        if config.read_only && changes(request) {
            return Err(Silence::ReadOnlyConfig);
        }
        match request {
            Request::GetMcconf => Ok(Reply::Mcconf(config.packed(&config.now)).into()),
            Request::GetMcconfDefault => Ok(Reply::McconfDefault(config.defaults()).into()),
            Request::GetAppconf => Ok(Reply::Appconf(config.packed(&config.now)).into()),
            Request::GetAppconfDefault => Ok(Reply::AppconfDefault(config.defaults()).into()),
            Request::SetMcconf(new) => Ok(match config.take(new, true, self.max_print) {
                Ok(()) => stored(Reply::McconfSet),
                Err(warning) => warning.into(),
            }),
            Request::SetAppconf(new) => Ok(match config.take(new, true, self.max_print) {
                Ok(()) => stored(Reply::AppconfSet),
                Err(warning) => warning.into(),
            }),
            Request::SetAppconfNoStore(new) => Ok(match config.take(new, false, self.max_print) {
                Ok(()) => Reply::AppconfSetNoStore.into(),
                Err(warning) => warning.into(),
            }),
            _ => Err(Silence::NothingToSay(self.name)),
        }
    }
}

/// Whether a request may change how the controller is configured.
pub(in crate::device) fn changes(request: &Request) -> bool {
    matches!(
        request,
        Request::SetMcconf(_) | Request::SetAppconf(_) | Request::SetAppconfNoStore(_)
    )
}

/// The acknowledgement of what goes to the flash: it comes later, and the motor is released and stands before
/// (`MC conf_general.c:475-512`).
fn stored(reply: Reply) -> Answers {
    Answers::none().later(STORE_TIME, reply).once_it_stands()
}

/// What MCCONF's defaults keep of the running configuration: what was measured at the start (`MC comm/commands.c:600`).
const MEASURED: &str = "foc_offsets_";

impl Config {
    /// None where the scenario gives none and the firmware's signature is not known.
    fn new(kind: ConfigKind, settings: Option<&ConfigSettings>, profile: &Profile) -> Option<Self> {
        if let Some((settings, loaded)) = settings.and_then(|one| Some((one, one.loaded()?))) {
            return Some(Self {
                kind,
                signature: loaded.signature,
                default: loaded.default.clone(),
                stored: loaded.stored.clone(),
                now: loaded.stored.clone(),
                description: loaded.description.clone(),
                limits: settings.limits.clone(),
                read_only: settings.read_only,
            });
        }
        let firmware = format!("{}.{:02}", profile.major, profile.minor);
        let known = signature_of(kind, &firmware)?;
        let zeros = vec![0; known.data_len()];
        Some(Self {
            kind,
            signature: known.signature,
            default: zeros.clone(),
            stored: zeros.clone(),
            now: zeros,
            description: None,
            limits: BTreeMap::new(),
            read_only: settings.is_some_and(|one| one.read_only),
        })
    }

    fn values(&self, data: &[u8]) -> Option<ConfigValues<'_>> {
        self.description.as_ref()?.read(data).ok()
    }

    fn packed(&self, data: &[u8]) -> MotorConfig {
        MotorConfig {
            signature: self.signature,
            data: data.to_vec(),
        }
    }

    fn defaults(&self) -> MotorConfig {
        let mut config = self.packed(&self.default);
        if let (Some(mut default), Some(now)) = (self.values(&self.default), self.values(&self.now))
        {
            for (field, _) in now.iter() {
                let measured = Some(&field.name).filter(|name| name.starts_with(MEASURED));
                if let Some(number) = measured.and_then(|name| now.number(name)) {
                    // It held the same number before.
                    let _ = default.set(&field.name, &Value::Number(number), Rounding::Nearest);
                }
            }
            config.data = default.to_bytes();
        }
        config
    }

    fn set_can_id(&mut self, can_id: u8) {
        for data in [&self.default, &self.now].map(Clone::clone) {
            let is_default = data == self.default;
            let Some(mut values) = self.values(&data) else {
                return;
            };
            if values
                .set(CONTROLLER_ID, &Value::Int(can_id.into()), Rounding::CutOff)
                .is_err()
            {
                return;
            }
            let bytes = values.to_bytes();
            if is_default {
                self.default.clone_from(&bytes);
            }
            if data == self.now {
                self.stored.clone_from(&bytes);
                self.now = bytes;
            }
        }
    }

    /// Takes a new one, or prints why not.
    fn take(&mut self, new: &MotorConfig, is_stored: bool, max_print: usize) -> Result<(), Answer> {
        if new.signature != self.signature {
            let warning = format!(
                "the new {} is not taken: its signature is {}, wanted {}",
                self.kind.name(),
                new.signature,
                self.signature
            );
            return Err(print(warning.as_bytes(), max_print));
        }
        // Its length is not checked: what is missing is whatever was there, and what is too much is not looked at.
        let mut now = self.now.clone();
        for (old, new) in now.iter_mut().zip(&new.data) {
            *old = *new;
        }
        if let Some(limited) = self.values(&now).map(|values| self.limit(values)) {
            now = limited;
        }
        self.now = now;
        if is_stored {
            self.stored.clone_from(&self.now);
        }
        Ok(())
    }

    /// What the hardware makes of values, and what firmware gives back of them.
    fn limit(&self, mut values: ConfigValues<'_>) -> Vec<u8> {
        values.as_firmware_returns();
        for (name, limits) in &self.limits {
            let Some(number) = values.number(name) else {
                continue;
            };
            let held = number
                .max(limits.least.unwrap_or(f64::NEG_INFINITY))
                .min(limits.most.unwrap_or(f64::INFINITY));
            if held != number {
                // Loading has checked that the field can hold its limits.
                let _ = values.set(name, &Value::Number(held), Rounding::CutOff);
            }
        }
        values.to_bytes()
    }
}

impl Service for Configs {
    fn request(
        &mut self,
        _: Time,
        request: &Request,
        _: &MotorState,
    ) -> Option<Result<Answers, Silence>> {
        let kind = Self::kind(request)?;
        Some(self.answer(kind, request))
    }

    fn restart(&mut self, _: Time) {
        for config in [&mut self.motor, &mut self.application]
            .into_iter()
            .flatten()
        {
            config.now.clone_from(&config.stored);
        }
    }
}

#[cfg(test)]
mod tests;
