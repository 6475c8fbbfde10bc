//! An application on a device: what answers CUSTOM_APP_DATA.
//!
//! A scenario gives it rules, byte by byte with values of the motor's state among them, or lets Refloat run. An
//! answer is a CUSTOM_APP_DATA itself (`MC comm/commands.c:771-778`); what an app does not understand, it ignores.

mod field;
mod number;
pub mod refloat;
mod rules;
mod template;

use serde::Deserialize;
use veschub_wire::{CommandId, Reply, Request};

pub use field::MotorField;
pub use number::{NoNumberForm, NumberForm};
pub use refloat::RefloatSettings;
pub use rules::AppRule;
pub use template::Template;

use self::{refloat::Refloat, rules::Rules};
use super::Service;
use crate::{
    device::{
        Silence,
        answer::{Answer, Answers},
        motor_state::MotorState,
    },
    mistake::Mistakes,
    time::Time,
};

/// What an application does here.
pub(in crate::device) const COMMANDS: &[CommandId] = &[CommandId::CUSTOM_APP_DATA];

/// An application. Rules go before Refloat.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AppSettings {
    /// Answers by the bytes that were sent.
    #[serde(default)]
    pub rules: Vec<AppRule>,
    /// Refloat, an app for self-balancing boards.
    #[serde(default)]
    pub refloat: Option<RefloatSettings>,
}

impl AppSettings {
    /// Looks for mistakes.
    pub(in crate::device) fn check(&self, mistakes: &mut Mistakes) {
        if let Some(refloat) = &self.refloat {
            mistakes.inside("refloat", |mistakes| refloat.check(mistakes));
        }
    }
}

/// A running application.
#[derive(Debug)]
pub(in crate::device) struct App {
    rules: Rules,
    refloat: Option<Refloat>,
}

impl App {
    /// Starts it.
    pub(in crate::device) fn new(settings: &AppSettings) -> Self {
        Self {
            rules: Rules::new(settings.rules.clone()),
            refloat: settings.refloat.clone().map(Refloat::new),
        }
    }

    /// Whether there is no application.
    fn is_none(&self) -> bool {
        self.rules.is_empty() && self.refloat.is_none()
    }
}

/// A CUSTOM_APP_DATA for the tool.
fn answer(data: Vec<u8>) -> Answer {
    Reply::CustomAppData { data }.into()
}

impl Service for App {
    fn request(
        &mut self,
        at: Time,
        request: &Request,
        motor: &MotorState,
    ) -> Option<Result<Answers, Silence>> {
        let Request::CustomAppData { data } = request else {
            return None;
        };
        if let Some(said) = self.rules.answer(data, motor) {
            return Some(said);
        }
        let said = match &mut self.refloat {
            Some(refloat) => refloat.answer(at, data, motor),
            None => None,
        };
        Some(match said {
            Some(data) => Ok(answer(data).into()),
            None if self.is_none() => Err(Silence::NoApplication),
            None => Err(Silence::AppIgnores),
        })
    }

    fn restart(&mut self, _: Time) {
        self.rules.restart();
        if let Some(refloat) = &mut self.refloat {
            refloat.restart();
        }
    }
}
