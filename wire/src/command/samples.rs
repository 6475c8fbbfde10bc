//! SAMPLE_PRINT: currents and voltages of single control cycles, one reply for each.
//!
//! ```text
//! →  13 | mode u8 | samples u16 | decimation u8 | raw u8
//! ←  13 | f32a: phase currents 1, 2, 3 A | phase voltages 1, 2, 3, zero V | total A | switching Hz | status u8 | phase u8
//! ```
//!
//! Older firmware has no third current, and a reply of 35 bytes instead of 39; VESC Tool tells them apart by what is left
//! behind the second one. (`bldc comm/commands.c`, `bldc motor/mc_interface.c`, `vesc_tool pages/pagesampleddata.cpp`)

use super::{
    form::{IfLeft, Since},
    prelude::*,
};
use crate::number::Float;

/// When the samples are taken (`bldc datatypes.h`, debug_sampling_mode).
const MODES: &[&str] = &[
    "off",
    "now",
    "start",
    "trigger_start",
    "trigger_fault",
    "trigger_start_nosend",
    "trigger_fault_nosend",
    "send_last",
];

body! {
    /// The request of SAMPLE_PRINT.
    #[derive(Copy)]
    pub struct SampleRequest {
        always {
            /// When they are taken.
            mode: u8 = Shown::Named(MODES),
            /// How many.
            samples: u16,
            /// Every how many control cycles one is taken.
            decimation: u8,
            /// Whether they are numbers of the ADC, without units; newer firmware only.
            raw: Option<u8> = Since("5.03"),
        }
    }
}

body! {
    /// One sample.
    #[derive(Copy)]
    pub struct Sample {
        always {
            /// Current of phase 1, A.
            phase_1_a: Float,
            /// Current of phase 2, A.
            phase_2_a: Float,
            /// Current of phase 3, A; newer firmware only.
            phase_3_a: Option<Float> = IfLeft(30),
            /// Voltage of phase 1, V.
            phase_1_v: Float,
            /// Voltage of phase 2, V.
            phase_2_v: Float,
            /// Voltage of phase 3, V.
            phase_3_v: Float,
            /// Voltage of the zero point, V.
            zero_v: Float,
            /// Total current, filtered, A.
            total_current_a: Float,
            /// Switching frequency, Hz.
            switching_frequency_hz: Float,
            /// State of the motor.
            status: u8,
            /// Phase of the rotor, in steps of 1/250 of a turn.
            phase: u8,
        }
    }
}
