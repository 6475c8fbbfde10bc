//! An IMU that nothing moves.

use veschub_wire::{command::ImuData, number::Float};

/// An IMU at rest: gravity and no rotation.
pub(in crate::device) fn standing_still() -> ImuData {
    let zero = Some(Float::default());
    let one = Some(Float::packed(1.0));
    ImuData {
        roll_rad: zero,
        pitch_rad: zero,
        yaw_rad: zero,
        acceleration_x_g: zero,
        acceleration_y_g: zero,
        acceleration_z_g: one,
        rotation_x_deg_s: zero,
        rotation_y_deg_s: zero,
        rotation_z_deg_s: zero,
        magnetic_x: zero,
        magnetic_y: zero,
        magnetic_z: zero,
        q0: one,
        q1: zero,
        q2: zero,
        q3: zero,
    }
}
