//! GET_IMU_DATA: attitude and motion.
//!
//! ```text
//! →  41 | mask u16     ←  41 | mask u16 | f32a for each of the mask's bits, lowest bit first | CAN id u8
//!
//!  bit           field                         bit           field
//!  0, 1, 2       roll, pitch, yaw rad          9, 10, 11     magnetic field x, y, z
//!  3, 4, 5       acceleration x, y, z g        12 to 15      quaternion q0 to q3
//!  6, 7, 8       rotation x, y, z °/s
//! ```
//!
//! `vesc_express main/commands.c:975-1048`, `bldc comm/commands.c:1106-1185`; the CAN id is sent since 2023-10-15.

use super::prelude::*;
use crate::number::Float;

masked! {
    /// The body of the reply to GET_IMU_DATA; what was not sent is `None`.
    pub struct ImuData {
        chosen {
            /// Roll, rad.
            roll_rad: Float,
            /// Pitch, rad.
            pitch_rad: Float,
            /// Yaw, rad.
            yaw_rad: Float,
            /// Acceleration along x, g.
            acceleration_x_g: Float,
            /// Acceleration along y, g.
            acceleration_y_g: Float,
            /// Acceleration along z, g.
            acceleration_z_g: Float,
            /// Rotation about x, degrees per second.
            rotation_x_deg_s: Float,
            /// Rotation about y, degrees per second.
            rotation_y_deg_s: Float,
            /// Rotation about z, degrees per second.
            rotation_z_deg_s: Float,
            /// Magnetic field along x, in the sensor's own unit.
            magnetic_x: Float,
            /// Magnetic field along y, in the sensor's own unit.
            magnetic_y: Float,
            /// Magnetic field along z, in the sensor's own unit.
            magnetic_z: Float,
            /// Quaternion of the attitude, real part, no unit.
            q0: Float,
            /// Quaternion of the attitude, first imaginary part, no unit.
            q1: Float,
            /// Quaternion of the attitude, second imaginary part, no unit.
            q2: Float,
            /// Quaternion of the attitude, third imaginary part, no unit.
            q3: Float,
        }
    }
}
