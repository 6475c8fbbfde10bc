//! A motor controller, reached directly or over the CAN bus.
//!
//! It runs at a constant speed: distances, charges and energies grow with the time since the start of the run, the
//! other values stay where the scenario put them, give or take a little noise.

mod settings;

use std::time::Duration as Span;

use rand::RngExt;
use veschub_wire::{
    CommandId, Reply, Request,
    command::{BmsValues, FwVersion, Opaque, Stats, Values, ValuesSetup},
    number::{F16, F32, Float},
};

pub use self::settings::{MotorFirmware, MotorSettings};
use super::{
    Silence,
    answer::{Answer, Answers, fw_info},
    bms::Series,
    identity::{firmware, random_bytes},
    imu::standing_still,
    motor_state::MotorState,
    node::Node,
    profile::Profile,
    service::Services,
};
use crate::{rng::Seed, time::Time};

/// New measurements come this often.
const SAMPLE_TIME: Span = Span::from_millis(20);

/// Energy of a full battery, Wh.
const BATTERY_WH: f64 = 500.0;

/// What a motor controller plays, beside what every board does.
pub(in crate::device) const COMMANDS: &[CommandId] = &[
    CommandId::FW_VERSION,
    CommandId::GET_VALUES,
    CommandId::GET_VALUES_SETUP,
    CommandId::GET_VALUES_SELECTIVE,
    CommandId::GET_VALUES_SETUP_SELECTIVE,
    CommandId::GET_IMU_DATA,
    CommandId::BMS_GET_VALUES,
    CommandId::BMS_SET_CHARGE_ALLOWED,
    CommandId::BMS_SET_BALANCE_OVERRIDE,
    CommandId::BMS_RESET_COUNTERS,
    CommandId::BMS_FORCE_BALANCE,
    CommandId::BMS_ZERO_CURRENT_OFFSET,
    CommandId::GET_STATS,
    CommandId::RESET_STATS,
    CommandId::FW_INFO,
];

impl MotorSettings {
    /// Makes it; the seed decides its identity and its noise.
    pub(in crate::device) fn make(&self, seed: Seed, _: &Series) -> Motor {
        let config = random_bytes(seed.derive("config"));
        Motor {
            profile: self.firmware.profile(),
            firmware: FwVersion {
                config_crc: Some(u32::from_be_bytes(config)),
                ..firmware(&self.hardware, random_bytes(seed.derive("uuid")), 0)
            },
            settings: self.clone(),
            services: Services::default(),
            seed,
        }
    }
}

/// A simulated motor controller; the seed decides its noise.
#[derive(Debug)]
pub(in crate::device) struct Motor {
    settings: MotorSettings,
    profile: Profile,
    /// The reply to FW_VERSION, as far as the firmware sends it.
    firmware: FwVersion,
    /// What does commands of its own.
    services: Services,
    seed: Seed,
}

impl Node for Motor {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn can_id(&self) -> u8 {
        self.settings.can_id
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.services.poll_timeout()
    }

    fn handle_timeout(&mut self, now: Time) -> Vec<(Time, Answer)> {
        let state = self.state(now);
        self.services.handle_timeout(now, &state)
    }

    fn restart(&mut self, at: Time) {
        self.services.restart(at);
    }

    fn answer(
        &mut self,
        at: Time,
        request: &Request,
        heard: Option<BmsValues>,
    ) -> Result<Answers, Silence> {
        let state = self.state(at);
        if let Some(result) = self.services.request(at, request, &state) {
            return result;
        }
        let profile = self.profile;
        let reply = match *request {
            Request::FwVersion => Reply::FwVersion(profile.cut_fw_version(self.firmware.clone())),
            Request::GetValues => Reply::Values(profile.cut_values(self.values(at))),
            Request::GetValuesSelective { mask } => {
                let values = self.values(at).select(mask & profile.values);
                let known = mask & profile.values;
                let mask_and_values = Reply::ValuesSelective {
                    mask: known,
                    values,
                };
                return Ok(masked(mask, mask_and_values).into());
            }
            Request::GetValuesSetup => Reply::ValuesSetup(profile.cut_setup(self.setup(at))),
            Request::GetValuesSetupSelective { mask } => {
                let values = self.setup(at).select(mask & profile.values_setup);
                let known = mask & profile.values_setup;
                let mask_and_values = Reply::ValuesSetupSelective {
                    mask: known,
                    values,
                };
                return Ok(masked(mask, mask_and_values).into());
            }
            Request::GetStats { mask } => Reply::Stats {
                mask: mask.into(),
                values: self.stats(at).select(mask.into()),
            },
            Request::GetImuData { mask } => Reply::ImuData {
                mask,
                values: standing_still().select(mask.into()),
                can_id: profile.imu_tells_can_id.then_some(self.settings.can_id),
            },
            // One that has heard of no BMS says so in its own way: everything is 0.
            Request::BmsGetValues => {
                Reply::BmsValues(profile.bms_end.cut(heard.unwrap_or_else(no_bms)))
            }
            Request::Other(ref other) => match (other.id, other.arguments.first()) {
                (CommandId::FW_INFO, _) => fw_info(&profile),
                (CommandId::RESET_STATS, None | Some(0)) => {
                    return Err(Silence::NoAcknowledgement);
                }
                (CommandId::RESET_STATS, Some(_)) => Reply::Other(Opaque {
                    id: CommandId::RESET_STATS,
                    arguments: Vec::new(),
                }),
                _ => return Err(Silence::NothingToSay(profile.name)),
            },
            _ => return Err(Silence::NothingToSay(profile.name)),
        };
        Ok(reply.into())
    }
}

impl Motor {
    /// Its state, without noise.
    fn state(&self, at: Time) -> MotorState {
        let settings = &self.settings;
        let seconds = at.as_secs_f64();
        let drawn_ah = settings.input_current_a * seconds / 3600.0;
        let drawn_wh = drawn_ah * settings.input_voltage_v;
        let tachometer = settings.erpm / 60.0 * 6.0 * seconds;
        let distance_m = settings.speed_m_s * seconds;
        MotorState {
            erpm: settings.erpm,
            duty: settings.duty,
            motor_current_a: settings.motor_current_a,
            input_current_a: settings.input_current_a,
            iq_current_a: settings.motor_current_a,
            vq_v: settings.duty * settings.input_voltage_v,
            input_voltage_v: settings.input_voltage_v,
            fet_temperature_c: settings.fet_temperature_c,
            motor_temperature_c: settings.motor_temperature_c,
            battery_level: settings.battery_level,
            speed_m_s: settings.speed_m_s,
            distance_m,
            odometer_m: distance_m.abs(),
            drawn_ah: drawn_ah.max(0.0),
            charged_ah: (-drawn_ah).max(0.0),
            drawn_wh: drawn_wh.max(0.0),
            charged_wh: (-drawn_wh).max(0.0),
            tachometer,
            tachometer_absolute: tachometer.abs(),
            fault: settings.fault,
            ..MotorState::default()
        }
    }

    fn values(&self, at: Time) -> Values {
        let settings = &self.settings;
        let mut noise = self.noise_at(at);
        let hours = at.as_secs_f64() / 3600.0;
        let drawn_ah = settings.input_current_a * hours;
        let drawn_wh = drawn_ah * settings.input_voltage_v;
        let steps = (settings.erpm / 60.0 * 6.0 * at.as_secs_f64()) as i32;
        let fet = F16::truncated(settings.fet_temperature_c + noise(0.2));
        Values {
            fet_temperature_c: Some(fet),
            motor_temperature_c: Some(F16::truncated(settings.motor_temperature_c + noise(0.2))),
            motor_current_a: Some(F32::truncated(settings.motor_current_a + noise(0.05))),
            input_current_a: Some(F32::truncated(settings.input_current_a + noise(0.05))),
            id_current_a: Some(F32::truncated(noise(0.05))),
            iq_current_a: Some(F32::truncated(settings.motor_current_a + noise(0.05))),
            duty: Some(F16::truncated(settings.duty)),
            erpm: Some(F32::truncated(
                settings.erpm + noise(settings.erpm.abs() * 0.002),
            )),
            input_voltage_v: Some(F16::truncated(settings.input_voltage_v)),
            drawn_ah: Some(F32::truncated(drawn_ah.max(0.0))),
            charged_ah: Some(F32::truncated((-drawn_ah).max(0.0))),
            drawn_wh: Some(F32::truncated(drawn_wh.max(0.0))),
            charged_wh: Some(F32::truncated((-drawn_wh).max(0.0))),
            tachometer: Some(steps),
            tachometer_absolute: Some(steps.saturating_abs()),
            fault: Some(settings.fault),
            pid_position_deg: Some(F32::default()),
            can_id: Some(settings.can_id),
            fet_temperatures_c: Some([fet; 3]),
            vd_v: Some(F32::truncated(noise(0.02))),
            vq_v: Some(F32::truncated(
                settings.duty * settings.input_voltage_v + noise(0.02),
            )),
            flags: Some(0),
        }
    }

    fn setup(&self, at: Time) -> ValuesSetup {
        let settings = &self.settings;
        let values = self.values(at);
        let distance_m = settings.speed_m_s * at.as_secs_f64();
        ValuesSetup {
            fet_temperature_c: values.fet_temperature_c,
            motor_temperature_c: values.motor_temperature_c,
            total_motor_current_a: values.motor_current_a,
            total_input_current_a: values.input_current_a,
            duty: values.duty,
            erpm: values.erpm,
            speed_m_s: Some(F32::truncated(settings.speed_m_s)),
            input_voltage_v: values.input_voltage_v,
            battery_level: Some(F16::truncated(settings.battery_level)),
            total_ah: values.drawn_ah,
            total_charged_ah: values.charged_ah,
            total_wh: values.drawn_wh,
            total_charged_wh: values.charged_wh,
            distance_m: Some(F32::truncated(distance_m)),
            distance_absolute_m: Some(F32::truncated(distance_m.abs())),
            pid_position_deg: values.pid_position_deg,
            fault: values.fault,
            can_id: values.can_id,
            vesc_count: Some(1),
            battery_left_wh: Some(F32::truncated(settings.battery_level * BATTERY_WH)),
            odometer_m: Some(distance_m.abs() as u32),
            uptime_ms: Some(at.since_start().as_millis() as u32),
        }
    }

    fn stats(&self, at: Time) -> Stats {
        let settings = &self.settings;
        let power = settings.input_current_a * settings.input_voltage_v;
        Stats {
            speed_average_m_s: Some(Float::packed(settings.speed_m_s)),
            speed_max_m_s: Some(Float::packed(settings.speed_m_s)),
            power_average_w: Some(Float::packed(power)),
            power_max_w: Some(Float::packed(power)),
            current_average_a: Some(Float::packed(settings.motor_current_a)),
            current_max_a: Some(Float::packed(settings.motor_current_a)),
            fet_temperature_average_c: Some(Float::packed(settings.fet_temperature_c)),
            fet_temperature_max_c: Some(Float::packed(settings.fet_temperature_c)),
            motor_temperature_average_c: Some(Float::packed(settings.motor_temperature_c)),
            motor_temperature_max_c: Some(Float::packed(settings.motor_temperature_c)),
            time_s: Some(Float::packed(at.as_secs_f64())),
        }
    }

    fn noise_at(&self, at: Time) -> impl FnMut(f64) -> f64 {
        let sample = at.since_start().as_nanos() / SAMPLE_TIME.as_nanos();
        let mut rng = self.seed.stream(sample as u64);
        move |amplitude| amplitude * (rng.random::<f64>() * 2.0 - 1.0)
    }
}

/// A reply to a selective request: the mask comes back as it was sent, fields beyond the known ones do not.
fn masked(mask: u32, reply: Reply) -> Answer {
    let mut payload = reply.encode();
    let sent = mask.to_be_bytes();
    if payload.get(1..5) == Some(&sent[..]) {
        return reply.into();
    }
    if let Some(echo) = payload.get_mut(1..5) {
        echo.copy_from_slice(&sent);
    }
    Answer {
        payload,
        truth: None,
    }
}

/// What a device says that has heard of no BMS.
fn no_bms() -> BmsValues {
    BmsValues {
        can_id: Some(255),
        ..BmsValues::default()
    }
}
