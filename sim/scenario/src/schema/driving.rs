//! What a client for motor controllers does: it drives a motor, keeps it running, and reads configurations.

use schemars::JsonSchema;
use serde::Deserialize;
use veschub_hub::hex::Hex;
use veschub_wire::{CommandId, Request};

use super::Login;
use crate::duration::Duration;

/// The task `drive`: one of `current_a`, `duty` and `erpm`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Drive {
    /// The CAN id of the motor controller; without it, the device itself is driven.
    #[serde(default)]
    pub can_id: Option<u8>,
    /// The motor current that the client sets, A.
    #[serde(default)]
    pub current_a: Option<f64>,
    /// The duty cycle that the client sets, from -1 to 1.
    #[serde(default)]
    pub duty: Option<f64>,
    /// The electrical speed that the client sets, electrical revolutions per minute: those of the motor times its pole
    /// pairs.
    #[serde(default)]
    pub erpm: Option<i32>,
    /// The time from one set command to the next: `100ms` unless given.
    #[serde(default = "tenth")]
    pub every: Duration,
    /// How long the client drives before it stops the motor, e.g. `2s`.
    #[serde(rename = "for")]
    pub lasts: Duration,
    /// How the client logs in.
    #[serde(default)]
    pub login: Login,
    /// How long the client waits for a reply before it gives up, e.g. `5s`.
    #[serde(default)]
    pub give_up_after: Option<Duration>,
}

/// The task `keep-alive`: one of `current_a`, `duty` and `erpm`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeepAlive {
    /// The CAN id of the motor controller; without it, the device itself is driven.
    #[serde(default)]
    pub can_id: Option<u8>,
    /// The motor current that the client sets, A.
    #[serde(default)]
    pub current_a: Option<f64>,
    /// The duty cycle that the client sets, from -1 to 1.
    #[serde(default)]
    pub duty: Option<f64>,
    /// The electrical speed that the client sets, electrical revolutions per minute: those of the motor times its pole
    /// pairs.
    #[serde(default)]
    pub erpm: Option<i32>,
    /// What the client repeats.
    #[serde(default)]
    pub by: KeepBy,
    /// The time from one of these to the next: `200ms` unless given, as VESC Tool does.
    #[serde(default = "fifth")]
    pub every: Duration,
    /// How long the client keeps the motor running before it stops it, if nobody ends the client earlier, e.g. `3s`.
    #[serde(rename = "for")]
    pub lasts: Duration,
    /// How the client logs in.
    #[serde(default)]
    pub login: Login,
    /// How long the client waits for a reply before it gives up, e.g. `5s`.
    #[serde(default)]
    pub give_up_after: Option<Duration>,
}

/// What keeps a motor running.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KeepBy {
    /// The set command is sent once, and then ALIVE again and again.
    #[default]
    Alive,
    /// The set command is sent again and again.
    Set,
}

/// What a client sets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Setting {
    /// SET_CURRENT: a motor current, A.
    CurrentA(f64),
    /// SET_DUTY: a duty cycle, from -1 to 1.
    Duty(f64),
    /// SET_RPM: an electrical speed, electrical revolutions per minute.
    Erpm(i32),
}

impl Setting {
    /// The one that is given; `None` if none is, or more than one.
    fn one(current_a: Option<f64>, duty: Option<f64>, erpm: Option<i32>) -> Option<Self> {
        match (current_a, duty, erpm) {
            (Some(current), None, None) => Some(Self::CurrentA(current)),
            (None, Some(duty), None) => Some(Self::Duty(duty)),
            (None, None, Some(erpm)) => Some(Self::Erpm(erpm)),
            _ => None,
        }
    }

    /// The payload that sets it (`docs/protocol-motor.md`, section 3.1).
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a number that is too large becomes the largest there is; a scenario is checked before"
    )]
    pub fn payload(self) -> Vec<u8> {
        let (id, raw) = match self {
            Self::CurrentA(current) => (CommandId::SET_CURRENT, (current * 1e3).round() as i32),
            Self::Duty(duty) => (CommandId::SET_DUTY, (duty * 1e5).round() as i32),
            Self::Erpm(erpm) => (CommandId::SET_RPM, erpm),
        };
        let mut payload = vec![id.0];
        payload.extend(raw.to_be_bytes());
        payload
    }
}

impl Drive {
    /// What the client sets; a check makes sure that it is one thing.
    #[must_use]
    pub fn setting(&self) -> Option<Setting> {
        Setting::one(self.current_a, self.duty, self.erpm)
    }
}

impl KeepAlive {
    /// What the client sets; a check makes sure that it is one thing.
    #[must_use]
    pub fn setting(&self) -> Option<Setting> {
        Setting::one(self.current_a, self.duty, self.erpm)
    }
}

/// The task `read-config`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadConfig {
    /// Which configuration the client reads.
    pub of: WhichConfig,
    /// The CAN id of the motor controller; without it, the device itself is asked.
    #[serde(default)]
    pub can_id: Option<u8>,
    /// How the client logs in.
    #[serde(default)]
    pub login: Login,
    /// How long the client waits for a reply before it gives up, e.g. `5s`.
    #[serde(default)]
    pub give_up_after: Option<Duration>,
}

/// A configuration of a motor controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WhichConfig {
    /// That of the motor: GET_MCCONF.
    Motor,
    /// That of its inputs: GET_APPCONF.
    App,
}

impl ReadConfig {
    /// The command that asks for it.
    #[must_use]
    pub fn command(&self) -> CommandId {
        match self.of {
            WhichConfig::Motor => CommandId::GET_MCCONF,
            WhichConfig::App => CommandId::GET_APPCONF,
        }
    }

    /// The request to the device that has it.
    #[must_use]
    pub fn request(&self) -> Option<Request> {
        plain(&[self.command().0])
    }
}

/// The task `read-app`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadApp {
    /// What the client sends to the application, in hex, without the id of CUSTOM_APP_DATA: `"65 00"`.
    pub data: Hex,
    /// The CAN id of the motor controller; without it, the device itself is asked.
    #[serde(default)]
    pub can_id: Option<u8>,
    /// The time from one request to the next, e.g. `100ms`; without it, the client asks once.
    #[serde(default)]
    pub every: Option<Duration>,
    /// How long the client goes on asking, e.g. `10s`; without it, the client asks once.
    #[serde(default, rename = "for")]
    pub lasts: Option<Duration>,
    /// How the client logs in.
    #[serde(default)]
    pub login: Login,
    /// How long the client waits for a reply before it gives up, e.g. `5s`.
    #[serde(default)]
    pub give_up_after: Option<Duration>,
}

impl ReadApp {
    /// The request to the device on which the application runs.
    #[must_use]
    pub fn request(&self) -> Option<Request> {
        let mut payload = vec![CommandId::CUSTOM_APP_DATA.0];
        payload.extend(&self.data.0);
        plain(&payload)
    }
}

/// A payload as a request; `None` if it is none.
fn plain(payload: &[u8]) -> Option<Request> {
    Request::decode(payload).ok().map(|decoded| decoded.body)
}

fn tenth() -> Duration {
    Duration(100_000_000)
}

fn fifth() -> Duration {
    Duration(200_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_has_the_scale_of_the_firmware() {
        assert_eq!(
            Setting::CurrentA(-12.5).payload(),
            [6, 0xFF, 0xFF, 0xCF, 0x2C]
        );
        assert_eq!(Setting::Duty(0.2).payload(), [5, 0, 0, 0x4E, 0x20]);
        assert_eq!(Setting::Erpm(5400).payload(), [8, 0, 0, 0x15, 0x18]);
    }
}
