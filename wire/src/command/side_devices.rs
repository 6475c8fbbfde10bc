//! Devices beside the motor controller that it hears on CAN or over a wire: I/O boards, power switches, GNSS.
//!
//! ```text
//! 7A → 122 | id i16                       ← 122 | id i16 | blocks, each behind its number, of which those come that were heard
//!      block 1, 2: age f32a, 4 × f16 V × 100        block 3: age f32a, u32 inputs 33 to 64, u32 inputs 1 to 32
//! 6F → 111 | by id u8 | id or index i16   ← 111 | id i16 | how many are known i16 | age, V in, V out, °C f32a | on, precharge, discharge u8
//! 96 → 150 | mask u16                     ← 150 | mask u32 | fields by the mask's bits, lowest first
//! ```
//!
//! (`bldc comm/commands.c:1475-1518`, `bldc comm/commands.c:1577`, `vesc_express main/commands.c:762-785`)

use super::prelude::*;
use crate::number::{F16, F64, Float};

body! {
    /// The first four analog inputs of an I/O board.
    #[derive(Copy)]
    pub struct IoBoardAdc1To4 {
        always {
            /// How long ago they were heard, s.
            adc_1_to_4_age_s: Float,
            /// The inputs, V.
            adc_1_to_4_v: [F16<100>; 4],
        }
    }
}

body! {
    /// The other four analog inputs of an I/O board.
    #[derive(Copy)]
    pub struct IoBoardAdc5To8 {
        always {
            /// The age of the first four, s: a mistake of the firmware.
            adc_5_to_8_age_s: Float,
            /// The inputs, V.
            adc_5_to_8_v: [F16<100>; 4],
        }
    }
}

body! {
    /// The digital inputs of an I/O board.
    #[derive(Copy)]
    pub struct IoBoardDigital {
        always {
            /// The age of the first four analog inputs, s: a mistake of the firmware.
            digital_age_s: Float,
            /// Inputs 33 to 64, lowest bit first.
            inputs_33_to_64: u32,
            /// Inputs 1 to 32, lowest bit first.
            inputs_1_to_32: u32,
        }
    }
}

body! {
    /// The reply to PSW_GET_STATUS.
    #[derive(Copy)]
    pub struct PowerSwitch {
        always {
            /// Its id.
            id: i16,
            /// How many power switches the device knows.
            known: i16,
            /// How long ago it was heard, s.
            age_s: Float,
            /// Voltage before the switch, V.
            input_voltage_v: Float,
            /// Voltage behind the switch, V.
            output_voltage_v: Float,
            /// Its temperature, °C.
            temperature_c: Float,
            /// Whether the output is on.
            output: u8 = Shown::Flag,
            /// Whether it charges what is behind it slowly before it switches on.
            precharge: u8 = Shown::Flag,
            /// Whether it discharges what is behind it.
            discharge: u8 = Shown::Flag,
        }
    }
}

masked! {
    /// The body of the reply to GET_GNSS; what was not sent is `None`.
    pub struct Gnss {
        chosen {
            /// Latitude, degrees; south is negative.
            latitude_deg: F64<10_000_000_000_000_000>,
            /// Longitude, degrees; west is negative.
            longitude_deg: F64<10_000_000_000_000_000>,
            /// Height, m.
            height_m: Float,
            /// Speed, m/s.
            speed_m_s: Float,
            /// How the satellites stand: the lower, the better.
            hdop: Float,
            /// Time of the day, ms.
            time_of_day_ms: i32,
            /// Year.
            year: i16,
            /// Month, from 1.
            month: u8,
            /// Day, from 1.
            day: u8,
            /// How long ago this was heard, s.
            age_s: Float,
        }
    }
}
