//! A motor controller, reached directly or over the CAN bus.
//!
//! ```text
//! request -> services? -> told (values, limits) ---------> meter (noise) -> reply
//!                     \-> obeyed (control) ---> model --/
//! ```
//!
//! The model turns: from currents to torque, speed and voltages, with a load, a battery, heat and limits. What the scenario
//! sets wins over it.

mod averages;
mod battery;
mod configured;
mod control;
mod detect;
mod fault;
mod field;
mod heat;
mod limits;
mod load;
mod machine;
mod measure;
mod model;
mod plant;
mod settings;
mod statistics;
mod status;
mod terminal;
#[cfg(test)]
mod tests;
mod timeout;

use std::time::Duration;

use veschub_transcript::can::Frame;
use veschub_wire::{
    CommandId, Reply, Request,
    command::{BmsValues, FwVersion, Values, ValuesSetup},
    number::F32,
};

pub use self::{
    battery::Battery,
    fault::{FaultAt, FaultCode},
    field::Field,
    heat::Heat,
    limits::MotorLimits,
    load::Load,
    machine::Machine,
    settings::MotorSettings,
    status::StatusSettings,
};
use self::{detect::Detection, measure::Meter, model::Model};
use super::{
    Silence,
    answer::{Answer, Answers, fw_info},
    bms::Series,
    course::{Named as _, SetValue},
    identity::{firmware, random_bytes},
    imu::standing_still,
    node::{Node, Telling},
    profile::Profile,
    script::{latin1, print},
    service::{
        Lisp, LispOn, Qml, Service as _, Services, Upload, UploadTo,
        config::{self, Configs},
    },
    steer::{Release, SetCommand, SetError, Told},
};
use crate::{rng::Seed, time::Time};

/// How long commands are ignored after a write to flash (`bldc motor/mc_interface.c:1819-1860`).
const FLASH_TIME: Duration = Duration::from_millis(100);
/// How long a controller waits for its motor to stand before it stores a configuration or erases firmware
/// (`bldc conf_general.c:475-512`).
const MOST_WAIT: Duration = Duration::from_secs(3);
/// How long `stop` in the terminal ignores commands (`bldc terminal.c:167-171`).
const STOP_TIME: Duration = Duration::from_millis(1000);
/// Above this electrical speed a motor is not switched off unless it must (`bldc comm/commands.c:1621`).
const SHUTDOWN_ERPM: f64 = 100.0;

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
    CommandId::SET_DUTY,
    CommandId::SET_CURRENT,
    CommandId::SET_CURRENT_BRAKE,
    CommandId::SET_RPM,
    CommandId::SET_POS,
    CommandId::SET_HANDBRAKE,
    CommandId::SET_DETECT,
    CommandId::SET_SERVO_POS,
    CommandId::ALIVE,
    CommandId::SET_CHUCK_DATA,
    CommandId::SET_MCCONF_TEMP,
    CommandId::SET_MCCONF_TEMP_SETUP,
    CommandId::APP_DISABLE_OUTPUT,
    CommandId::SET_CURRENT_REL,
    CommandId::SET_BATTERY_CUT,
    CommandId::GET_MCCONF_TEMP,
    CommandId::SET_ODOMETER,
    CommandId::GET_BATTERY_CUT,
    CommandId::SHUTDOWN,
    CommandId::MOTOR_ESTOP,
];

impl MotorSettings {
    /// Makes it; the seed decides its identity and its noise.
    pub(in crate::device) fn make(&self, seed: Seed, series: &Series) -> Motor {
        let config = random_bytes(seed.derive("config"));
        let profile = self.firmware.profile();
        let configs = Configs::new(
            self.mcconf.as_ref(),
            self.appconf.as_ref(),
            self.can_id,
            &profile,
        );
        let mut given = self.parameters(series);
        given.configure(&configs);
        Motor {
            profile,
            firmware: FwVersion {
                config_crc: Some(u32::from_be_bytes(config)),
                ..firmware(&self.hardware, random_bytes(seed.derive("uuid")), 0)
            },
            meter: Meter {
                seed,
                noise: self.noise,
                can_id: self.can_id,
            },
            status: self.status.clone(),
            model: Model::new(given),
            detection: Detection::default(),
            configs,
            services: self.services(&profile),
        }
    }
}

impl MotorSettings {
    fn services(&self, profile: &Profile) -> Services {
        let qml = Qml::new(&self.qml);
        let qml = match profile.tells_that_nothing_is_stored {
            true => qml,
            false => qml.silent_about_none(),
        };
        let upload = Upload::new(UploadTo::Motor, &self.hardware);
        let upload = match (profile.major, profile.minor) < (3, 67) {
            true => upload.without_offsets(),
            false => upload,
        };
        self.live_services()
            .with(Lisp::new(LispOn::Motor, self.lisp.clone()))
            .with(qml)
            .with(upload)
    }
}

/// A simulated motor controller.
#[derive(Debug)]
pub(in crate::device) struct Motor {
    profile: Profile,
    /// The reply to FW_VERSION, as far as the firmware sends it.
    firmware: FwVersion,
    /// How it is configured.
    configs: Configs,
    /// What does commands of its own.
    services: Services,
    /// What it tells the bus by itself.
    status: StatusSettings,
    model: Model,
    meter: Meter,
    detection: Detection,
}

impl Node for Motor {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn can_id(&self) -> u8 {
        self.meter.can_id
    }

    fn hardware(&self) -> String {
        let hardware = self.firmware.hardware.as_ref();
        hardware.map(ToString::to_string).unwrap_or_default()
    }

    fn told(&self, at: Time, heard: Option<BmsValues>) -> Told {
        let values = self.meter.values(at, &self.model.peek(at));
        let mut motor = vec![self.profile.values_reply(values)];
        if self.profile.values_setup != 0 {
            let setup = self.profile.cut_setup(self.setup(at));
            motor.push(Reply::ValuesSetup(setup));
        }
        Told {
            bms: heard.map(|heard| Reply::BmsValues(self.profile.bms_end.cut(heard))),
            motor,
            pinned: self.model.pinned_now(at),
        }
    }

    fn set(&mut self, at: Time, command: &SetCommand) -> Result<(), SetError> {
        let value: SetValue<Field> = SetValue::steered(command, at)?;
        command.check(|mistakes| {
            if let Some(item) = value.item {
                value.check_item(item, value.field.name(), None, mistakes);
            }
            value.check(mistakes);
        })?;
        self.model.steer(at, &value);
        Ok(())
    }

    fn release(&mut self, at: Time, release: &Release) -> Result<(), SetError> {
        self.model.release(at, release)
    }

    fn terminal(&mut self, at: Time, command: &[u8]) -> Option<Vec<Answer>> {
        if terminal::name(command) == "stop" {
            self.model.lock(at, STOP_TIME);
        }
        let state = self.model.state(at);
        let faults: Vec<(Time, u8)> = self
            .model
            .faults()
            .iter()
            .map(|&(at, fault)| (at, fault.0))
            .collect();
        let screen = terminal::Screen {
            profile: &self.profile,
            firmware: &self.firmware,
            state: &state,
            faults: &faults,
            uptime: self.model.uptime(at),
        };
        let texts = terminal::prints(command, &screen).into_iter();
        let print = |text: String| print(&latin1(&text), self.profile.max_print);
        Some(texts.map(print).collect())
    }

    fn poll_timeout(&self) -> Option<Time> {
        let due = [self.services.poll_timeout(), self.detection.next()];
        due.into_iter().flatten().min()
    }

    fn handle_timeout(&mut self, now: Time) -> Vec<(Time, Answer)> {
        let mut said = self.services.handle_timeout(now, &self.model.state(now));
        let Self {
            model, detection, ..
        } = self;
        let pole_pairs = model.machine().pole_pairs();
        let angle_deg = |at| model.state(at).pid_position_deg;
        while let Some((at, reply)) = detection.pop(now, pole_pairs, angle_deg) {
            said.push((at, reply.into()));
        }
        said
    }

    fn tells(&self) -> Vec<Telling> {
        self.status.tells()
    }

    fn tell(&mut self, at: Time, mask: u8) -> Vec<Frame> {
        status::frames(mask, self.meter.can_id, &self.model.state(at))
    }

    fn restart(&mut self, at: Time) {
        self.configure(at, |configs| configs.restart(at));
        self.services.restart(at);
        self.model.restart(at);
        self.detection = Detection::default();
    }

    fn answer(
        &mut self,
        at: Time,
        request: &Request,
        heard: Option<BmsValues>,
    ) -> Result<Answers, Silence> {
        let state = self.model.state(at);
        let mut result = match config::changes(request) {
            true => self.configure(at, |configs| configs.request(at, request, &state)),
            false => self.configs.request(at, request, &state),
        };
        if result.is_none() {
            result = self.services.request(at, request, &state);
        }
        if let Some(result) = result {
            return result.map(|answers| self.write_flash(at, answers));
        }
        if let Some(result) = self.set(at, request) {
            return result.map(Into::into);
        }
        let profile = self.profile;
        let reply = match *request {
            Request::FwVersion => {
                let mut version = self.firmware.clone();
                self.services.tell_version(&mut version);
                Reply::FwVersion(profile.cut_fw_version(version))
            }
            Request::GetValues => profile.values_reply(self.values(at, u32::MAX)),
            Request::GetValuesSelective { mask } => {
                let known = mask & profile.values;
                let values = self.values(at, known);
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
                values: self.model.statistics(at).select(mask.into()),
            },
            Request::GetImuData { mask } => Reply::ImuData {
                mask,
                values: standing_still().select(mask.into()),
                can_id: profile.imu_tells_can_id.then_some(self.meter.can_id),
            },
            // One that has heard of no BMS says so in its own way: everything is 0.
            Request::BmsGetValues => {
                Reply::BmsValues(profile.bms_end.cut(heard.unwrap_or_else(no_bms)))
            }
            Request::Other(ref other) if other.id == CommandId::FW_INFO => fw_info(&profile),
            Request::Other(_) => return Err(Silence::NothingToSay(profile.name)),
            _ => return Err(self.obey(at, request)),
        };
        Ok(reply.into())
    }
}

impl Motor {
    /// Takes what the configurations say after a change.
    fn configure<R>(&mut self, at: Time, change: impl FnOnce(&mut Configs) -> R) -> R {
        let before = self.configs.can_id();
        let result = change(&mut self.configs);
        let now = self.configs.can_id();
        // A scenario may show another id there than the one that counts, until somebody changes it.
        if let Some(can_id) = now.filter(|_| now != before) {
            self.meter.can_id = can_id;
        }
        self.model.configure(at, &self.configs);
        result
    }

    /// Releases the motor for what goes to the flash, and ignores commands until it is there and a little longer.
    fn write_flash(&mut self, at: Time, answers: Answers) -> Answers {
        if !answers.releases() {
            return answers;
        }
        let answers = match answers.waits() {
            true => answers.delayed(self.model.rolls_on(at, MOST_WAIT)),
            false => answers,
        };
        self.model.lock(at, answers.last() + FLASH_TIME);
        answers
    }

    /// Limits and the like, which are set and told.
    fn set(&mut self, at: Time, request: &Request) -> Option<Result<Reply, Silence>> {
        Some(match *request {
            Request::SetMcconfTemp(ref wanted) => {
                let mut limits = *self.model.limits();
                limits.set(wanted);
                self.model.set_limits(at, limits, wanted.store != 0);
                acknowledged(wanted.acknowledge, Reply::McconfTempSet)
            }
            Request::SetMcconfTempSetup(ref wanted) => {
                let mut limits = *self.model.limits();
                limits.set_speeds(wanted, self.model.machine());
                self.model.set_limits(at, limits, wanted.store != 0);
                acknowledged(wanted.acknowledge, Reply::McconfTempSetupSet)
            }
            Request::GetMcconfTemp => {
                let limits = self.model.limits();
                Ok(Reply::McconfTemp(limits.in_force(self.model.machine())))
            }
            Request::SetBatteryCut {
                start_v,
                end_v,
                store,
                ..
            } => {
                let mut limits = *self.model.limits();
                limits.battery_cut_start_v = start_v.value();
                limits.battery_cut_end_v = end_v.value();
                self.model.set_limits(at, limits, store != 0);
                Ok(Reply::BatteryCutSet)
            }
            Request::GetBatteryCut => {
                let limits = self.model.limits();
                Ok(Reply::BatteryCut {
                    start_v: F32::truncated(limits.battery_cut_start_v),
                    end_v: F32::truncated(limits.battery_cut_end_v),
                })
            }
            Request::ResetStats { acknowledge } => {
                self.model.reset_statistics(at);
                acknowledged(acknowledge.unwrap_or_default(), Reply::StatsReset)
            }
            _ => return None,
        })
    }

    /// Commands that are never answered.
    fn obey(&mut self, at: Time, request: &Request) -> Silence {
        let name = self.profile.name;
        match *request {
            Request::SetDetect { mode } => self.detection.set(at, mode),
            // A servo that nobody sees: the firmware moves one only if its output is enabled.
            Request::SetServoPos { .. } => {}
            Request::Shutdown { force, restart } => {
                let turns = self.model.state(at).erpm.abs() > SHUTDOWN_ERPM;
                if turns && force != 1 {
                    return Silence::Turning;
                }
                return match restart {
                    1 => Silence::Restarts,
                    _ => Silence::SwitchesOff,
                };
            }
            Request::Bms(_) => return Silence::NothingToSay(name),
            _ => {
                if let Err(why) = self.model.command(at, request) {
                    return Silence::MotorIgnores(why);
                }
            }
        }
        Silence::NeverAnswered(name)
    }

    /// GET_VALUES and its selection: reads and resets the averages among them.
    fn values(&mut self, at: Time, mask: u32) -> Values {
        let state = self.model.read(at, mask);
        self.meter.values(at, &state).select(mask)
    }

    fn setup(&self, at: Time) -> ValuesSetup {
        let uptime = self.model.uptime(at);
        self.meter.setup(at, &self.model.state(at), uptime)
    }
}

/// An answer that comes only if it was asked for.
fn acknowledged(asked: u8, reply: Reply) -> Result<Reply, Silence> {
    match asked {
        0 => Err(Silence::NoAcknowledgement),
        _ => Ok(reply),
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
