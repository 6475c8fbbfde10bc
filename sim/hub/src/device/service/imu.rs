//! GET_IMU_CALIBRATION: how the IMU is built in. The measurement takes 4.5 s (`MC imu/imu.c:336-380`).

use std::time::Duration;

use serde::Deserialize;
use veschub_wire::{CommandId, Reply, Request, number::F32};

use super::Service;
use crate::{
    device::{Silence, answer::Answers, motor_state::MotorState},
    mistake::Mistakes,
    time::Time,
};

/// What is done here.
pub(in crate::device) const COMMANDS: &[CommandId] = &[CommandId::GET_IMU_CALIBRATION];

/// 1000, 1500, 250, 1500 and 250 samples of 1 ms.
const MEASURING: Duration = Duration::from_millis(4500);

/// How the IMU is built in, as GET_IMU_CALIBRATION finds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ImuCalibrationSettings {
    /// Its roll, degrees.
    pub roll_deg: f64,
    /// Its pitch, degrees.
    pub pitch_deg: f64,
    /// Offsets of its acceleration along x, y and z, g.
    pub acceleration_offsets_g: [f64; 3],
    /// Offsets of its rotation about x, y and z, degrees per second.
    pub rotation_offsets_deg_s: [f64; 3],
}

impl ImuCalibrationSettings {
    /// Looks for mistakes.
    pub(in crate::device) fn check(&self, mistakes: &mut Mistakes) {
        mistakes.range("roll_deg", self.roll_deg, -360.0..=360.0);
        mistakes.range("pitch_deg", self.pitch_deg, -360.0..=360.0);
        for (key, values) in [
            ("acceleration_offsets_g", self.acceleration_offsets_g),
            ("rotation_offsets_deg_s", self.rotation_offsets_deg_s),
        ] {
            mistakes.inside(key, |mistakes| {
                for (index, value) in values.into_iter().enumerate() {
                    mistakes.range(index, value, -1000.0..=1000.0);
                }
            });
        }
    }
}

/// The calibration of an IMU.
#[derive(Debug)]
pub(in crate::device) struct ImuCalibration(ImuCalibrationSettings);

impl ImuCalibration {
    pub(in crate::device) fn new(settings: ImuCalibrationSettings) -> Self {
        Self(settings)
    }
}

impl Service for ImuCalibration {
    fn request(
        &mut self,
        _: Time,
        request: &Request,
        _: &MotorState,
    ) -> Option<Result<Answers, Silence>> {
        let Request::GetImuCalibration { yaw_deg } = request else {
            return None;
        };
        // The yaw cannot be measured: it is the one that was asked for.
        let rotation = [self.0.roll_deg, self.0.pitch_deg, yaw_deg.value()];
        let reply = Reply::ImuCalibration {
            rotation_deg: rotation.map(F32::truncated),
            acceleration_offsets_g: self.0.acceleration_offsets_g.map(F32::truncated),
            rotation_offsets_deg_s: self.0.rotation_offsets_deg_s.map(F32::truncated),
        };
        Some(Ok(Answers::none().later(MEASURING, reply)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_measurement_takes_seconds_and_keeps_the_yaw_that_was_asked_for() {
        let mut imu = ImuCalibration::new(ImuCalibrationSettings {
            pitch_deg: -1.25,
            ..ImuCalibrationSettings::default()
        });
        let request = Request::GetImuCalibration {
            yaw_deg: F32::truncated(90.0),
        };
        let said = imu.request(Time::ZERO, &request, &MotorState::default());
        let answers = said.unwrap().unwrap();
        assert_eq!(answers.last(), Duration::from_millis(4500));
        let (_, answer) = answers.into_iter().next().unwrap();
        assert_eq!(answer.payload.len(), 37);
        assert_eq!(
            answer.payload[5..13],
            [0xFF, 0xEC, 0xED, 0x30, 0x05, 0x5D, 0x4A, 0x80]
        );
    }
}
