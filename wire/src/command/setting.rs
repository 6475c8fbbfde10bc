//! What a motor controller is told to do: the parts that are too long for a line in the list of requests.
//!
//! ```text
//! →  23 | x, y, c, z u8 | 3 × i16 acceleration | u8 has a state of reverse | u8 is reverse
//! →  30 | u8: store, forward on CAN, acknowledge, divide | f32a: scale min, max, ERPM min, max, duty min, max, W min, max
//!       | f32a: input A min, max                                                   ←  30, if an answer was asked for
//! →  31 | the same with m/s instead of ERPM                                        ←  31, if an answer was asked for
//! →  5B    ←  5B | 10 × f32a in the order of 30 | u8 poles | f32a gear ratio | f32a wheel diameter m
//! ```
//!
//! (`bldc comm/commands.c:749-780, 898-1060`; VESC Tool leaves the two input currents out, `vesc_tool commands.cpp:1759-1777`.)

use super::prelude::*;
use crate::number::Float;

/// What ROTOR_POSITION tells after SET_DETECT (`bldc main.c:165-215`).
pub(super) const DETECT: Shown = Shown::Coded {
    name: "mode_name",
    names: &[
        "none",
        "inductance",
        "observer",
        "encoder",
        "pid_position",
        "pid_error",
        "encoder_less_observer",
        "hall_less_observer",
    ],
};

body! {
    /// The state of a nunchuk, as SET_CHUCK_DATA sends it.
    #[derive(Copy)]
    pub struct Nunchuk {
        always {
            /// The stick from left to right, 0 to 255; 128 is the middle.
            stick_x: u8,
            /// The stick from back to front, 0 to 255; 128 is the middle.
            stick_y: u8,
            /// Whether the button C is pressed.
            button_c: u8 = Shown::Flag,
            /// Whether the button Z is pressed.
            button_z: u8 = Shown::Flag,
            /// Acceleration, counts of the sensor.
            acceleration_x: i16,
            /// Acceleration, counts of the sensor.
            acceleration_y: i16,
            /// Acceleration, counts of the sensor.
            acceleration_z: i16,
        }
        since "3.48" {
            /// Whether the remote control knows of reverse.
            has_reverse: u8 = Shown::Flag,
        }
        since "3.48" {
            /// Whether reverse is chosen.
            is_reverse: u8 = Shown::Flag,
        }
    }
}

body! {
    /// Limits, as SET_MCCONF_TEMP sends them.
    #[derive(Copy)]
    pub struct TemporaryLimits {
        always {
            /// Whether they last beyond the next start.
            store: u8 = Shown::Flag,
            /// Whether the other controllers on the CAN bus are told too.
            forward_can: u8 = Shown::Flag,
            /// Whether it is answered: 1.
            acknowledge: u8 = Shown::Flag,
            /// Whether all controllers share the power.
            divide_by_controllers: u8 = Shown::Flag,
            /// Share of the highest braking current, 0 to 1.
            current_scale_min: Float,
            /// Share of the highest driving current, 0 to 1.
            current_scale_max: Float,
            /// Lowest electrical speed, revolutions per minute.
            erpm_min: Float,
            /// Highest electrical speed, revolutions per minute.
            erpm_max: Float,
            /// Lowest duty cycle.
            duty_min: Float,
            /// Highest duty cycle.
            duty_max: Float,
            /// Lowest power, W; below 0 the motor gives power back.
            power_min_w: Float,
            /// Highest power, W.
            power_max_w: Float,
        }
        since "5.02" {
            /// Lowest current of the supply, A; below 0 the motor gives current back.
            input_current_min_a: Float,
            /// Highest current of the supply, A.
            input_current_max_a: Float,
        }
    }
}

body! {
    /// Limits with speeds of the vehicle, as SET_MCCONF_TEMP_SETUP sends them.
    #[derive(Copy)]
    pub struct TemporarySpeedLimits {
        always {
            /// Whether they last beyond the next start.
            store: u8 = Shown::Flag,
            /// Whether the other controllers on the CAN bus are told too.
            forward_can: u8 = Shown::Flag,
            /// Whether it is answered: 1.
            acknowledge: u8 = Shown::Flag,
            /// Whether all controllers share the power.
            divide_by_controllers: u8 = Shown::Flag,
            /// Share of the highest braking current, 0 to 1.
            current_scale_min: Float,
            /// Share of the highest driving current, 0 to 1.
            current_scale_max: Float,
            /// Lowest speed, m/s.
            speed_min_m_s: Float,
            /// Highest speed, m/s.
            speed_max_m_s: Float,
            /// Lowest duty cycle.
            duty_min: Float,
            /// Highest duty cycle.
            duty_max: Float,
            /// Lowest power, W; below 0 the motor gives power back.
            power_min_w: Float,
            /// Highest power, W.
            power_max_w: Float,
        }
        since "5.02" {
            /// Lowest current of the supply, A; below 0 the motor gives current back.
            input_current_min_a: Float,
            /// Highest current of the supply, A.
            input_current_max_a: Float,
        }
    }
}

body! {
    /// The limits that hold, as GET_MCCONF_TEMP is answered.
    #[derive(Copy)]
    pub struct LimitsInForce {
        always {
            /// Share of the highest braking current, 0 to 1.
            current_scale_min: Float,
            /// Share of the highest driving current, 0 to 1.
            current_scale_max: Float,
            /// Lowest electrical speed, revolutions per minute.
            erpm_min: Float,
            /// Highest electrical speed, revolutions per minute.
            erpm_max: Float,
            /// Lowest duty cycle.
            duty_min: Float,
            /// Highest duty cycle.
            duty_max: Float,
            /// Lowest power, W; below 0 the motor gives power back.
            power_min_w: Float,
            /// Highest power, W.
            power_max_w: Float,
            /// Lowest current of the supply, A; below 0 the motor gives current back.
            input_current_min_a: Float,
            /// Highest current of the supply, A.
            input_current_max_a: Float,
            /// Magnets on the rotor, twice the pole pairs.
            poles: u8,
            /// Turns of the motor for one turn of the wheel.
            gear_ratio: Float,
            /// Diameter of the wheel, m.
            wheel_diameter_m: Float,
        }
    }
}
