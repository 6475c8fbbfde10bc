//! What a controller sends of what its motor does: the state with noise, in the fields of the replies.

use std::time::Duration;

use rand::RngExt;
use veschub_wire::{
    command::{Values, ValuesSetup},
    number::{F16, F32},
};

use crate::{device::motor_state::MotorState, rng::Seed, time::Time};

/// New measurements come this often.
const SAMPLE_TIME: Duration = Duration::from_millis(20);

/// Measures a motor; the seed decides its noise.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meter {
    pub(super) seed: Seed,
    /// How much noise there is; 1 is the usual.
    pub(super) noise: f64,
    pub(super) can_id: u8,
}

impl Meter {
    /// The fields of GET_VALUES.
    pub(super) fn values(&self, at: Time, state: &MotorState) -> Values {
        let mut noise = self.noise_at(at);
        let fet = F16::truncated(state.fet_temperature_c + noise(0.2));
        Values {
            fet_temperature_c: Some(fet),
            motor_temperature_c: Some(F16::truncated(state.motor_temperature_c + noise(0.2))),
            motor_current_a: Some(F32::truncated(state.motor_current_a + noise(0.05))),
            input_current_a: Some(F32::truncated(state.input_current_a + noise(0.05))),
            id_current_a: Some(F32::truncated(state.id_current_a + noise(0.05))),
            iq_current_a: Some(F32::truncated(state.iq_current_a + noise(0.05))),
            duty: Some(F16::truncated(state.duty)),
            erpm: Some(F32::truncated(state.erpm + noise(state.erpm.abs() * 0.002))),
            input_voltage_v: Some(F16::truncated(state.input_voltage_v)),
            drawn_ah: Some(F32::truncated(state.drawn_ah)),
            charged_ah: Some(F32::truncated(state.charged_ah)),
            drawn_wh: Some(F32::truncated(state.drawn_wh)),
            charged_wh: Some(F32::truncated(state.charged_wh)),
            tachometer: Some(state.tachometer as i32),
            tachometer_absolute: Some(state.tachometer_absolute as i32),
            fault: Some(state.fault),
            pid_position_deg: Some(F32::truncated(state.pid_position_deg)),
            can_id: Some(self.can_id),
            fet_temperatures_c: Some([fet; 3]),
            vd_v: Some(F32::truncated(state.vd_v + noise(0.02))),
            vq_v: Some(F32::truncated(state.vq_v + noise(0.02))),
            flags: Some(u8::from(state.timed_out) | u8::from(state.killed) << 1),
        }
    }

    /// The fields of GET_VALUES_SETUP, of a vehicle with one controller.
    pub(super) fn setup(&self, at: Time, state: &MotorState, uptime: Duration) -> ValuesSetup {
        let values = self.values(at, state);
        ValuesSetup {
            fet_temperature_c: values.fet_temperature_c,
            motor_temperature_c: values.motor_temperature_c,
            total_motor_current_a: values.motor_current_a,
            total_input_current_a: values.input_current_a,
            duty: values.duty,
            erpm: values.erpm,
            speed_m_s: Some(F32::truncated(state.speed_m_s)),
            input_voltage_v: values.input_voltage_v,
            battery_level: Some(F16::truncated(state.battery_level)),
            total_ah: values.drawn_ah,
            total_charged_ah: values.charged_ah,
            total_wh: values.drawn_wh,
            total_charged_wh: values.charged_wh,
            distance_m: Some(F32::truncated(state.distance_m)),
            distance_absolute_m: Some(F32::truncated(state.distance_absolute_m)),
            pid_position_deg: values.pid_position_deg,
            fault: values.fault,
            can_id: values.can_id,
            vesc_count: Some(1),
            battery_left_wh: Some(F32::truncated(state.battery_left_wh)),
            odometer_m: Some(state.odometer_m as u32),
            uptime_ms: Some(uptime.as_millis() as u32),
        }
    }

    /// A source of noise that depends on the moment alone.
    fn noise_at(&self, at: Time) -> impl FnMut(f64) -> f64 {
        let sample = at.since_start().as_nanos() / SAMPLE_TIME.as_nanos();
        let mut rng = self.seed.stream(sample as u64);
        let scale = self.noise;
        move |amplitude| scale * amplitude * (rng.random::<f64>() * 2.0 - 1.0)
    }
}
