//! I/O boards.

use serde::Deserialize;
use veschub_wire::{
    Reply,
    command::{IoBoardAdc1To4, IoBoardAdc5To8, IoBoardDigital},
    number::{F16, Float},
};

use crate::mistake::Mistakes;

/// An I/O board on the CAN bus, as far as it was heard.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct IoBoardSettings {
    /// Its id.
    pub id: i16,
    /// What its analog inputs read, V: up to eight. The first four and the others are heard apart from each other.
    #[serde(default)]
    pub adc_v: Vec<f64>,
    /// Which of its digital inputs are on, 1 to 64; without the key, none were heard.
    #[serde(default)]
    pub inputs_on: Option<Vec<u8>>,
    /// How long ago it was heard, s.
    #[serde(default = "age_s")]
    pub age_s: f64,
}

fn age_s() -> f64 {
    0.05
}

impl IoBoardSettings {
    /// Looks for mistakes.
    pub(in crate::device) fn check(&self, mistakes: &mut Mistakes) {
        if self.adc_v.len() > 8 {
            mistakes.add("adc_v", "a board has eight analog inputs");
        }
        mistakes.inside("adc_v", |mistakes| {
            for (index, &value) in self.adc_v.iter().enumerate() {
                mistakes.range(index, value, -327.0..=327.0);
            }
        });
        mistakes.inside("inputs_on", |mistakes| {
            for (index, &input) in self.inputs_on.iter().flatten().enumerate() {
                mistakes.range(index, input.into(), 1.0..=64.0);
            }
        });
        mistakes.range("age_s", self.age_s, 0.0..=1e6);
    }

    /// What a device tells of it; none if it heard nothing.
    pub(super) fn values(&self) -> Option<Reply> {
        let age = Float::packed(self.age_s);
        let four = |from: usize| {
            let read = |at| self.adc_v.get(from + at).copied().unwrap_or_default();
            let was_heard = self.adc_v.len() > from;
            was_heard.then(|| [0, 1, 2, 3].map(|at| F16::truncated(read(at))))
        };
        let adc_1_to_4 = four(0).map(|adc_1_to_4_v| IoBoardAdc1To4 {
            adc_1_to_4_age_s: age,
            adc_1_to_4_v,
        });
        let adc_5_to_8 = four(4).map(|adc_5_to_8_v| IoBoardAdc5To8 {
            adc_5_to_8_age_s: age,
            adc_5_to_8_v,
        });
        let digital = self.inputs_on.as_ref().map(|on| {
            let bit = |&input: &u8| 1_u64.checked_shl(u32::from(input).wrapping_sub(1));
            let inputs = on.iter().filter_map(bit).fold(0, |all, bit| all | bit);
            IoBoardDigital {
                digital_age_s: age,
                inputs_33_to_64: (inputs >> 32) as u32,
                inputs_1_to_32: inputs as u32,
            }
        });
        if adc_1_to_4.is_none() && adc_5_to_8.is_none() && digital.is_none() {
            return None;
        }
        Some(Reply::IoBoard {
            id: self.id,
            adc_1_to_4,
            adc_5_to_8,
            digital,
        })
    }
}
