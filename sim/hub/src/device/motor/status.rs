//! What a motor controller tells the CAN bus without being asked: its values, in two groups with a rate each.
//!
//! Firmware has no group switched on unless its configuration says so (`bldc applications/appconf_default.h`).

use std::time::Duration;

use serde::Deserialize;
use veschub_transcript::can::{Frame, Packet, measured};

use crate::{
    device::{motor_state::MotorState, node::Telling},
    mistake::Mistakes,
};

/// The messages by their numbers, from 1.
const MESSAGES: [Packet; 6] = [
    Packet::STATUS,
    Packet::STATUS_2,
    Packet::STATUS_3,
    Packet::STATUS_4,
    Packet::STATUS_5,
    Packet::STATUS_6,
];
/// The highest rate that is played.
const MAX_RATE_HZ: f64 = 1000.0;

/// Which values a motor controller tells the CAN bus by itself: none unless it is said here.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct StatusSettings {
    /// The messages of the first group, 1 to 6: STATUS, STATUS_2 and so on.
    pub group_1: Vec<u8>,
    /// How often they come, a second.
    pub rate_1_hz: f64,
    /// The messages of the second group.
    pub group_2: Vec<u8>,
    /// How often they come, a second.
    pub rate_2_hz: f64,
}

impl Default for StatusSettings {
    fn default() -> Self {
        Self {
            group_1: Vec::new(),
            rate_1_hz: 50.0,
            group_2: Vec::new(),
            rate_2_hz: 5.0,
        }
    }
}

impl StatusSettings {
    /// Looks for mistakes.
    pub(super) fn check(&self, mistakes: &mut Mistakes) {
        mistakes.range("rate_1_hz", self.rate_1_hz, 0.1..=MAX_RATE_HZ);
        mistakes.range("rate_2_hz", self.rate_2_hz, 0.1..=MAX_RATE_HZ);
        for (key, group) in [("group_1", &self.group_1), ("group_2", &self.group_2)] {
            mistakes.inside(key, |mistakes| {
                for (index, &number) in group.iter().enumerate() {
                    if !(1..=MESSAGES.len()).contains(&usize::from(number)) {
                        let message = format!("there is no STATUS {number}: they are 1 to 6");
                        mistakes.add(index, message);
                    }
                }
            });
        }
    }

    pub(super) fn tells(&self) -> Vec<Telling> {
        let group = |numbers: &[u8], rate_hz: f64| Telling {
            every: Duration::from_nanos((1e9 / rate_hz.max(0.1)) as u64),
            mask: numbers
                .iter()
                .filter(|number| (1..=6).contains(*number))
                .fold(0, |mask, number| mask | 1 << (number - 1)),
        };
        vec![
            group(&self.group_1, self.rate_1_hz),
            group(&self.group_2, self.rate_2_hz),
        ]
    }
}

/// The messages of a mask, as they are at a moment (`bldc comm/comm_can.c:1216-1275`).
pub(super) fn frames(mask: u8, can_id: u8, state: &MotorState) -> Vec<Frame> {
    let told = MESSAGES.iter().enumerate();
    let told = told.filter(|(index, _)| mask >> index & 1 == 1);
    told.map(|(index, &packet)| {
        let values = match index {
            0 => vec![state.erpm, state.motor_current_a, state.duty],
            1 => vec![state.drawn_ah, state.charged_ah],
            2 => vec![state.drawn_wh, state.charged_wh],
            3 => vec![
                state.fet_temperature_c,
                state.motor_temperature_c,
                state.input_current_a,
                state.pid_position_deg,
            ],
            4 => vec![state.tachometer, state.input_voltage_v, 0.0],
            // Nothing is connected to its inputs.
            _ => vec![0.0; 4],
        };
        measured(packet, can_id, &values)
    })
    .collect()
}
