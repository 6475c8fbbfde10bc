//! What a motor controller's input apps read: PPM, ADC, the Nunchuk, and the balance app of older firmware.
//!
//! ```text
//! 1F ← 31 | level, pulse ms                        (9 bytes)     all i32, millionths
//! 20 ← 32 | level 1, V, level 2, V                 (17 bytes)
//! 21 ← 33 | y                                      (5 bytes)
//! 4F ← 79 | output, pitch, roll | loop µs u32 | motor A, motor position | state u16, switch u16 | adc1, adc2 | debug 2
//! ```
//!
//! GET_DECODED_BALANCE has 29 bytes in 3.67, 37 with the ADC inputs in 5.02, and 41 in 5.03 to 6.02 (`bldc@5.02
//! comm/commands.c:603`, `bldc@5.03 comm/commands.c:677`, `bldc@6.00 comm/commands.c:709`); 6.05 dropped it.

use super::prelude::*;
use crate::number::F32;

body! {
    /// The reply to GET_DECODED_PPM.
    #[derive(Copy)]
    pub struct DecodedPpm {
        always {
            /// How far the stick is pushed, -1 to 1.
            level: F32<1_000_000>,
            /// The length of the last pulse, ms.
            pulse_ms: F32<1_000_000>,
        }
    }
}

body! {
    /// The reply to GET_DECODED_ADC.
    #[derive(Copy)]
    pub struct DecodedAdc {
        always {
            /// How far the first input is pushed, -1 to 1.
            level: F32<1_000_000>,
            /// The voltage of the first input, V.
            voltage_v: F32<1_000_000>,
            /// How far the second input is pushed, 0 to 1.
            level_2: F32<1_000_000>,
            /// The voltage of the second input, V.
            voltage_2_v: F32<1_000_000>,
        }
    }
}

body! {
    /// The reply to GET_DECODED_BALANCE.
    #[derive(Copy)]
    pub struct DecodedBalance {
        always {
            /// What the controller asks of the motor, A.
            output_a: F32<1_000_000>,
            /// Pitch, degrees.
            pitch_deg: F32<1_000_000>,
            /// Roll, degrees.
            roll_deg: F32<1_000_000>,
            /// The time of one turn of the loop, µs.
            loop_us: u32,
            /// Current of the motor, A.
            motor_current_a: F32<1_000_000>,
            /// Position of the motor; a value for debugging in later firmware.
            motor_position: F32<1_000_000>,
            /// State of the app.
            state: u16,
            /// State of the foot switch.
            switch: u16,
        }
        since "5.02" {
            /// The first foot pad, V.
            adc_1_v: F32<1_000_000>,
            /// The second foot pad, V.
            adc_2_v: F32<1_000_000>,
        }
        since "5.03" {
            /// A value for debugging.
            debug_2: F32<1_000_000>,
        }
    }
}
