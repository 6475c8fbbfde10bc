//! A motor controller on the CAN bus, reached through FORWARD_CAN.
//!
//! It runs at a constant speed: distances, charges and energies grow with the time since the start of the run, the
//! other values stay where the scenario put them, give or take a little noise.

use std::time::Duration as Span;

use rand::RngExt;
use serde::Deserialize;
use veschub_wire::{
    CommandId, Reply, Request,
    command::{BmsValues, FwVersion, ImuData, Opaque, Stats, Values, ValuesSetup},
    number::{F16, F32, Float},
};

use super::node::{Node, NodeSettings};
use crate::{
    device::{
        Silence,
        answer::{Answer, fw_info},
        bms::Series,
        identity::{MAX_HARDWARE, check_can_id, check_hardware, firmware, random_bytes},
        profile::Profile,
    },
    duration::Duration,
    mistake::Mistakes,
    rng::Seed,
    time::Time,
};

/// New measurements come this often.
const SAMPLE_TIME: Span = Span::from_millis(20);

/// Energy of a full battery, Wh.
const BATTERY_WH: f64 = 500.0;

/// A motor controller.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MotorSettings {
    /// Its CAN id: 0 to 254.
    pub can_id: u8,
    /// Firmware version.
    #[serde(default)]
    pub firmware: MotorFirmware,
    /// Hardware name.
    #[serde(default = "hardware")]
    pub hardware: String,
    /// How long it takes to answer a PING; beyond 10 ms the answer is too late.
    #[serde(default)]
    pub pong_after: Option<Duration>,
    /// Temperature of the power transistors, °C.
    #[serde(default = "fet_temperature_c")]
    pub fet_temperature_c: f64,
    /// Temperature of the motor, °C.
    #[serde(default = "motor_temperature_c")]
    pub motor_temperature_c: f64,
    /// Current of the motor, A.
    #[serde(default)]
    pub motor_current_a: f64,
    /// Current of the supply, A.
    #[serde(default)]
    pub input_current_a: f64,
    /// Duty cycle, -1 to 1.
    #[serde(default)]
    pub duty: f64,
    /// Electrical speed, revolutions per minute.
    #[serde(default)]
    pub erpm: f64,
    /// Speed of the vehicle, m/s.
    #[serde(default)]
    pub speed_m_s: f64,
    /// Voltage of the supply, V.
    #[serde(default = "input_voltage_v")]
    pub input_voltage_v: f64,
    /// Charge left in the battery, 0 to 1.
    #[serde(default = "battery_level")]
    pub battery_level: f64,
    /// Fault code.
    #[serde(default)]
    pub fault: u8,
}

/// Firmware of a motor controller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum MotorFirmware {
    /// 5.02: no time-out flags, no uptime, no CAN id of the BMS.
    #[serde(rename = "5.02")]
    V5_02,
    /// 5.03: with these, and with the lifetime totals of the BMS.
    #[serde(rename = "5.03")]
    V5_03,
    /// 6.00: with the firmware's name.
    #[serde(rename = "6.00")]
    V6_00,
    /// 6.05: with a CRC of the config, and with the pressure at the BMS.
    #[default]
    #[serde(rename = "6.05")]
    V6_05,
    /// 7.01: with data version and status of the BMS.
    #[serde(rename = "7.01")]
    V7_01,
}

impl MotorFirmware {
    fn profile(self) -> Profile {
        match self {
            Self::V5_02 => Profile::MOTOR_5_02,
            Self::V5_03 => Profile::MOTOR_5_03,
            Self::V6_00 => Profile::MOTOR_6_00,
            Self::V6_05 => Profile::MOTOR_6_05,
            Self::V7_01 => Profile::MOTOR_7_01,
        }
    }
}

fn hardware() -> String {
    "MOTOR".to_owned()
}

fn fet_temperature_c() -> f64 {
    30.0
}

fn motor_temperature_c() -> f64 {
    35.0
}

fn input_voltage_v() -> f64 {
    80.0
}

fn battery_level() -> f64 {
    0.8
}

impl NodeSettings for MotorSettings {
    fn can_id(&self) -> u8 {
        self.can_id
    }

    fn pong_after(&self) -> Option<Duration> {
        self.pong_after
    }

    fn hardware(&self) -> &str {
        &self.hardware
    }

    fn check(&self, mistakes: &mut Mistakes) {
        check_hardware(&self.hardware, MAX_HARDWARE, mistakes);
        check_can_id(self.can_id, mistakes);
        for (value, key, limit) in [
            (self.fet_temperature_c, "fet_temperature_c", 3276.0),
            (self.motor_temperature_c, "motor_temperature_c", 3276.0),
            (self.motor_current_a, "motor_current_a", 10_000.0),
            (self.input_current_a, "input_current_a", 10_000.0),
            (self.duty, "duty", 1.0),
            (self.erpm, "erpm", 1_000_000.0),
            (self.speed_m_s, "speed_m_s", 1000.0),
            (self.input_voltage_v, "input_voltage_v", 3276.0),
            (self.battery_level, "battery_level", 1.0),
        ] {
            mistakes.range(key, value, -limit..=limit);
        }
    }
}

impl MotorSettings {
    pub(super) fn make(&self, seed: Seed, _: &Series) -> Motor {
        let config = random_bytes(seed.derive("config"));
        Motor {
            profile: self.firmware.profile(),
            firmware: FwVersion {
                config_crc: Some(u32::from_be_bytes(config)),
                ..firmware(&self.hardware, random_bytes(seed.derive("uuid")), 0)
            },
            settings: self.clone(),
            seed,
        }
    }
}

/// A simulated motor controller; the seed decides its noise.
#[derive(Clone, Debug)]
pub(super) struct Motor {
    settings: MotorSettings,
    profile: Profile,
    /// The reply to FW_VERSION, as far as the firmware sends it.
    firmware: FwVersion,
    seed: Seed,
}

impl Node for Motor {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn answer(
        &mut self,
        at: Time,
        request: &Request,
        heard: Option<BmsValues>,
    ) -> Result<Answer, Silence> {
        let profile = self.profile;
        let reply = match *request {
            Request::FwVersion => Reply::FwVersion(profile.cut_fw_version(self.firmware.clone())),
            Request::GetValues => Reply::Values(profile.cut_values(self.values(at))),
            Request::GetValuesSelective { mask } => {
                let values = self.values(at).select(mask & profile.values);
                let known = mask & profile.values;
                return Ok(masked(
                    mask,
                    Reply::ValuesSelective {
                        mask: known,
                        values,
                    },
                ));
            }
            Request::GetValuesSetup => Reply::ValuesSetup(profile.cut_setup(self.setup(at))),
            Request::GetValuesSetupSelective { mask } => {
                let values = self.setup(at).select(mask & profile.values_setup);
                let known = mask & profile.values_setup;
                return Ok(masked(
                    mask,
                    Reply::ValuesSetupSelective {
                        mask: known,
                        values,
                    },
                ));
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
