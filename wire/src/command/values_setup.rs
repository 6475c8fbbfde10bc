//! GET_VALUES_SETUP and GET_VALUES_SETUP_SELECTIVE: what a whole vehicle does.
//!
//! ```text
//! →  2F                ←  2F | all fields up to the age of the firmware
//! →  33 | mask u32     ←  33 | mask u32 | the fields of the mask's bits, lowest bit first
//!
//!  bit           field                            bit           field
//!  0, 1          f16×1e1 FET, motor °C            13, 14        f32×1e3 distance, absolute m
//!  2, 3          f32×1e2 sum of motor, input A    15            f32×1e6 PID position °
//!  4             f16×1e3 duty                     16, 17, 18    u8 fault, CAN id, controllers
//!  5             f32×1 ERPM                       19            f32×1e3 battery Wh left
//!  6             f32×1e3 speed m/s                20            u32 odometer m             since 5.02
//!  7             f16×1e1 input V                  21            u32 uptime ms              since 5.03
//!  8             f16×1e3 battery level
//!  9 to 12       f32×1e4 Ah, Ah, Wh, Wh
//! ```
//!
//! Only motor firmware answers (`bldc comm/commands.c:797-890`; read by `vesc_tool commands.cpp:457-536`). Sums include
//! the controllers that were heard on CAN within 0.1 s (`bldc motor/mc_interface.c:1665-1702`).

use super::{prelude::*, values::FAULT};
use crate::number::{F16, F32};

masked! {
    /// The body of the replies to GET_VALUES_SETUP and its selective form; what was not sent is `None`.
    pub struct ValuesSetup {
        chosen {
            /// Temperature of the power transistors, °C.
            fet_temperature_c: F16<10>,
            /// Temperature of the motor, °C.
            motor_temperature_c: F16<10>,
            /// Currents of all motors together, A.
            total_motor_current_a: F32<100>,
            /// Currents of all supplies together, A.
            total_input_current_a: F32<100>,
            /// Duty cycle, -1 to 1.
            duty: F16<1000>,
            /// Electrical speed, revolutions per minute.
            erpm: F32<1>,
            /// Speed of the vehicle, m/s.
            speed_m_s: F32<1000>,
            /// Voltage of the supply, V.
            input_voltage_v: F16<10>,
            /// Charge left in the battery, 0 to 1.
            battery_level: F16<1000>,
            /// Charge drawn by all controllers, Ah.
            total_ah: F32<10_000>,
            /// Charge given back by all controllers, Ah.
            total_charged_ah: F32<10_000>,
            /// Energy drawn by all controllers, Wh.
            total_wh: F32<10_000>,
            /// Energy given back by all controllers, Wh.
            total_charged_wh: F32<10_000>,
            /// Distance since the start, m; backwards counts down.
            distance_m: F32<1000>,
            /// Distance since the start, m; backwards counts up as well.
            distance_absolute_m: F32<1000>,
            /// Position that the position controller sees, degrees.
            pid_position_deg: F32<1_000_000>,
            /// Fault code: see [`fault_name`](super::fault_name).
            fault: u8 = FAULT,
            /// CAN id of the controller.
            can_id: u8,
            /// How many controllers the sums include.
            vesc_count: u8,
            /// Energy left in the battery, Wh.
            battery_left_wh: F32<1000>,
        }
        since "5.02" {
            /// Distance ever, m; since 5.02.
            odometer_m: u32,
        }
        since "5.03" {
            /// Time since the start, ms; since 5.03.
            uptime_ms: u32,
        }
    }
}
