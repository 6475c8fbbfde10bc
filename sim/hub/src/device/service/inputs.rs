//! What the input apps of a motor controller read: GET_DECODED_PPM, GET_DECODED_ADC, GET_DECODED_CHUK, and
//! GET_DECODED_BALANCE of firmware before 6.05.

use serde::Deserialize;
use veschub_wire::{
    CommandId, Reply, Request,
    command::{DecodedAdc, DecodedBalance, DecodedPpm},
    number::F32,
};

use super::Service;
use crate::{
    device::{Silence, answer::Answers, motor_state::MotorState, profile::Profile},
    mistake::Mistakes,
    time::Time,
};

/// What the inputs do here.
pub(in crate::device) const COMMANDS: &[CommandId] = &[
    CommandId::GET_DECODED_PPM,
    CommandId::GET_DECODED_ADC,
    CommandId::GET_DECODED_CHUK,
    CommandId::GET_DECODED_BALANCE,
];

/// What the inputs of a motor controller read.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct InputSettings {
    /// How far the stick of the receiver is pushed, -1 to 1.
    pub ppm: f64,
    /// The length of the receiver's last pulse, ms.
    pub pulse_ms: f64,
    /// How far the first analog input is pushed, -1 to 1.
    pub adc1: f64,
    /// The voltage of the first analog input, V.
    pub adc1_v: f64,
    /// How far the second analog input is pushed, 0 to 1.
    pub adc2: f64,
    /// The voltage of the second analog input, V.
    pub adc2_v: f64,
    /// How far the Nunchuk's stick is pushed, -1 to 1.
    pub chuk: f64,
    /// What the balance app does, in firmware that has it.
    pub balance: BalanceSettings,
}

impl Default for InputSettings {
    fn default() -> Self {
        Self {
            ppm: 0.0,
            pulse_ms: 1.5,
            adc1: 0.0,
            adc1_v: 0.0,
            adc2: 0.0,
            adc2_v: 0.0,
            chuk: 0.0,
            balance: BalanceSettings::default(),
        }
    }
}

/// What the balance app of older firmware does.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct BalanceSettings {
    /// What it asks of the motor, A.
    pub output_a: f64,
    /// Pitch, degrees.
    pub pitch_deg: f64,
    /// Roll, degrees.
    pub roll_deg: f64,
    /// The time of one turn of its loop, µs.
    pub loop_us: u32,
    /// Its state.
    pub state: u16,
    /// The state of its foot switch.
    pub switch: u16,
}

impl Default for BalanceSettings {
    fn default() -> Self {
        Self {
            output_a: 0.0,
            pitch_deg: 0.0,
            roll_deg: 0.0,
            loop_us: 1000,
            state: 0,
            switch: 0,
        }
    }
}

impl InputSettings {
    /// Looks for mistakes.
    pub(in crate::device) fn check(&self, mistakes: &mut Mistakes) {
        for (key, value, least, most) in [
            ("ppm", self.ppm, -1.0, 1.0),
            ("pulse_ms", self.pulse_ms, 0.0, 100.0),
            ("adc1", self.adc1, -1.0, 1.0),
            ("adc1_v", self.adc1_v, 0.0, 100.0),
            ("adc2", self.adc2, -1.0, 1.0),
            ("adc2_v", self.adc2_v, 0.0, 100.0),
            ("chuk", self.chuk, -1.0, 1.0),
        ] {
            mistakes.range(key, value, least..=most);
        }
        mistakes.inside("balance", |mistakes| {
            let balance = &self.balance;
            mistakes.range("output_a", balance.output_a, -1000.0..=1000.0);
            mistakes.range("pitch_deg", balance.pitch_deg, -360.0..=360.0);
            mistakes.range("roll_deg", balance.roll_deg, -360.0..=360.0);
        });
    }
}

/// The inputs of a motor controller.
#[derive(Debug)]
pub(in crate::device) struct Inputs {
    settings: InputSettings,
    profile: Profile,
}

impl Inputs {
    pub(in crate::device) fn new(settings: InputSettings, profile: Profile) -> Self {
        Self { settings, profile }
    }

    fn balance(&self, motor: &MotorState) -> DecodedBalance {
        let (inputs, balance) = (&self.settings, &self.settings.balance);
        let version = (self.profile.major, self.profile.minor);
        let since = |first, value| (version >= first).then(|| F32::truncated(value));
        DecodedBalance {
            output_a: F32::truncated(balance.output_a),
            pitch_deg: F32::truncated(balance.pitch_deg),
            roll_deg: F32::truncated(balance.roll_deg),
            loop_us: balance.loop_us,
            motor_current_a: F32::truncated(motor.motor_current_a),
            motor_position: F32::truncated(motor.pid_position_deg),
            state: balance.state,
            switch: balance.switch,
            adc_1_v: since((5, 2), inputs.adc1_v),
            adc_2_v: since((5, 2), inputs.adc2_v),
            debug_2: since((5, 3), 0.0),
        }
    }
}

impl Service for Inputs {
    fn request(
        &mut self,
        _: Time,
        request: &Request,
        motor: &MotorState,
    ) -> Option<Result<Answers, Silence>> {
        let inputs = &self.settings;
        let reply = match request {
            Request::GetDecodedPpm => Reply::DecodedPpm(DecodedPpm {
                level: F32::truncated(inputs.ppm),
                pulse_ms: F32::truncated(inputs.pulse_ms),
            }),
            Request::GetDecodedAdc => Reply::DecodedAdc(DecodedAdc {
                level: F32::truncated(inputs.adc1),
                voltage_v: F32::truncated(inputs.adc1_v),
                level_2: F32::truncated(inputs.adc2),
                voltage_2_v: F32::truncated(inputs.adc2_v),
            }),
            Request::GetDecodedChuk => Reply::DecodedChuk {
                level: F32::truncated(inputs.chuk),
            },
            Request::GetDecodedBalance => Reply::DecodedBalance(self.balance(motor)),
            _ => return None,
        };
        Some(Ok(reply.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_input_reads_what_the_scenario_gives_it() {
        let settings =
            serde_json::json!({ "ppm": -0.25, "adc1_v": 1.3, "adc2": 0.5, "chuk": 0.75 });
        let settings = serde_json::from_value(settings).unwrap();
        let mut inputs = Inputs::new(settings, Profile::MOTOR_7_01);
        let mut ask = |request| {
            let said = inputs.request(Time::ZERO, &request, &MotorState::default());
            let (_, answer) = said.unwrap().unwrap().into_iter().next().unwrap();
            answer.payload
        };
        let millionths = |value: i32| value.to_be_bytes();
        let ppm = [&[31][..], &millionths(-250_000), &millionths(1_500_000)].concat();
        assert_eq!(ask(Request::GetDecodedPpm), ppm);
        let adc = [
            &[32][..],
            &millionths(0),
            &millionths(1_300_000),
            &millionths(500_000),
            &millionths(0),
        ];
        assert_eq!(ask(Request::GetDecodedAdc), adc.concat());
        let chuk = [&[33][..], &millionths(750_000)].concat();
        assert_eq!(ask(Request::GetDecodedChuk), chuk);
    }

    #[test]
    fn the_balance_app_grew_with_the_firmware() {
        for (major, minor, length) in [(3, 66, 29), (5, 1, 29), (5, 2, 37), (5, 3, 41), (6, 2, 41)]
        {
            let profile = Profile {
                major,
                minor,
                ..Profile::MOTOR_5_02
            };
            let inputs = Inputs::new(InputSettings::default(), profile);
            let reply = Reply::DecodedBalance(inputs.balance(&MotorState::default()));
            assert_eq!(reply.encode().len(), length, "{major}.{minor}");
        }
    }
}
