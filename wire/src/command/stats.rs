//! GET_STATS: averages and peaks since a motor controller's statistics were reset.
//!
//! ```text
//! →  80 | mask u16     ←  80 | mask u32 | f32a for each of the mask's bits, lowest bit first
//!
//!  bit     field                  bit     field
//!  0, 1    speed m/s              6, 7    FET °C
//!  2, 3    power W                8, 9    motor °C
//!  4, 5    current A              10      time s
//! ```
//!
//! Of each pair the average comes first, then the peak. The reply's mask is the request's, widened
//! (`bldc comm/commands.c:1536-1558`). Right after a reset an average is 0 / 0, which is written as 0.

use super::prelude::*;
use crate::number::Float;

masked! {
    /// The body of the reply to GET_STATS; what was not sent is `None`.
    pub struct Stats {
        chosen {
            /// Average speed, m/s.
            speed_average_m_s: Float,
            /// Highest speed, m/s.
            speed_max_m_s: Float,
            /// Average power, W.
            power_average_w: Float,
            /// Highest power, W.
            power_max_w: Float,
            /// Average current of the motor, A.
            current_average_a: Float,
            /// Highest current of the motor, A.
            current_max_a: Float,
            /// Average temperature of the power transistors, °C.
            fet_temperature_average_c: Float,
            /// Highest temperature of the power transistors, °C.
            fet_temperature_max_c: Float,
            /// Average temperature of the motor, °C.
            motor_temperature_average_c: Float,
            /// Highest temperature of the motor, °C.
            motor_temperature_max_c: Float,
            /// How long the statistics have been running, s.
            time_s: Float,
        }
    }
}
