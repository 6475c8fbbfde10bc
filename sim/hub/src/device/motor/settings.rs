//! What a motor controller is like, as a scenario describes it.

use serde::Deserialize;
use veschub_wire::command::ConfigKind;

use super::{
    battery::Battery,
    fault::{FaultAt, FaultCode},
    field::Field,
    heat::Heat,
    limits::MotorLimits,
    load::Load,
    machine::Machine,
    model::Parameters,
    status::StatusSettings,
};
use crate::{
    device::{
        course::{Named as _, Series, SetValue, Setting, files},
        identity::{MAX_HARDWARE, check_can_id, check_hardware},
        node::NodeSettings,
        profile::MotorFirmware,
        service::{
            LispOn, LispSettings, QmlSettings, Services,
            app::{App, AppSettings},
            check_services,
            config::{ConfigSettings, Configured},
            imu::{ImuCalibration, ImuCalibrationSettings},
            inputs::{InputSettings, Inputs},
            plots::{PlotSettings, Plots},
            samples::Samples,
            side_devices::{GnssSettings, IoBoardSettings, PowerSwitchSettings, SideDevices},
        },
    },
    duration::Duration,
    mistake::Mistakes,
};

/// A motor controller.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MotorSettings {
    /// Its CAN id: 0 to 254.
    pub can_id: u8,
    /// The CAN id of its second motor, for a controller with two of them.
    #[serde(default)]
    pub second_can_id: Option<u8>,
    /// Firmware version.
    #[serde(default)]
    pub firmware: MotorFirmware,
    /// Hardware name.
    #[serde(default = "hardware")]
    pub hardware: String,
    /// How long it takes to answer a PING; beyond 10 ms the answer is too late.
    #[serde(default)]
    pub pong_after: Option<Duration>,
    /// The motor itself, gear and wheel.
    #[serde(default)]
    pub machine: Machine,
    /// What holds it back.
    #[serde(default)]
    pub load: Load,
    /// What feeds it.
    #[serde(default)]
    pub battery: Battery,
    /// How transistors and motor warm up.
    #[serde(default)]
    pub heat: Heat,
    /// What the controller lets through.
    #[serde(default)]
    pub limits: MotorLimits,
    /// Without a command for this long the motor stops; `0s` is never.
    #[serde(default = "timeout")]
    pub timeout: Duration,
    /// The current that brakes the motor then, A; 0 lets it roll.
    #[serde(default)]
    pub timeout_brake_current_a: f64,
    /// Faults and when they happen.
    #[serde(default)]
    pub faults: Vec<FaultAt>,
    /// Distance ever, at the start, m.
    #[serde(default)]
    pub odometer_m: f64,
    /// How much of the usual noise is in what it measures: 0 is none.
    #[serde(default = "noise")]
    pub noise: f64,
    /// Temperature of the power transistors, °C, whatever the motor does.
    #[serde(default)]
    pub fet_temperature_c: Option<f64>,
    /// Temperature of the motor, °C, whatever it does.
    #[serde(default)]
    pub motor_temperature_c: Option<f64>,
    /// Current of the motor, A, whatever it does.
    #[serde(default)]
    pub motor_current_a: Option<f64>,
    /// Current of the supply, A, whatever the motor does.
    #[serde(default)]
    pub input_current_a: Option<f64>,
    /// Duty cycle, -1 to 1, whatever the motor does.
    #[serde(default)]
    pub duty: Option<f64>,
    /// Electrical speed, revolutions per minute, whatever anybody asks for: the motor is turned.
    #[serde(default)]
    pub erpm: Option<f64>,
    /// Speed of the vehicle, m/s, whatever the motor does.
    #[serde(default)]
    pub speed_m_s: Option<f64>,
    /// Voltage of the supply, V, whatever the load.
    #[serde(default)]
    pub input_voltage_v: Option<f64>,
    /// Charge left in the battery, 0 to 1, whatever is drawn.
    #[serde(default)]
    pub battery_level: Option<f64>,
    /// A fault that stays: its name or its number.
    #[serde(default)]
    pub fault: Option<FaultCode>,
    /// Values that are reported whatever the motor does; the last one that began wins. Tachometer and distance follow a
    /// speed, Ah and Wh follow currents and voltage, and the limits follow temperatures and voltage.
    #[serde(default)]
    pub set: Vec<SetValue<Field>>,
    /// Which values it tells the CAN bus by itself, for the log of the bus.
    #[serde(default)]
    pub status: StatusSettings,
    /// Its script, and what that prints and holds.
    #[serde(default)]
    pub lisp: LispSettings,
    /// Its pages for VESC Tool.
    #[serde(default)]
    pub qml: QmlSettings,
    /// How the motor is configured, MCCONF.
    #[serde(default)]
    pub mcconf: Option<ConfigSettings>,
    /// How its applications are configured, APPCONF.
    #[serde(default)]
    pub appconf: Option<ConfigSettings>,
    /// What its input apps read.
    #[serde(default)]
    pub inputs: InputSettings,
    /// The application that answers CUSTOM_APP_DATA.
    #[serde(default)]
    pub app: AppSettings,
    /// How its IMU is built in, as a calibration finds it.
    #[serde(default)]
    pub imu_calibration: ImuCalibrationSettings,
    /// The I/O boards that it hears.
    #[serde(default)]
    pub io_boards: Vec<IoBoardSettings>,
    /// The power switches that it hears, by index.
    #[serde(default)]
    pub power_switches: Vec<PowerSwitchSettings>,
    /// Where a receiver says that it is; without it, it has heard of no place.
    #[serde(default)]
    pub gnss: Option<GnssSettings>,
    /// What a script plots without being asked.
    #[serde(default)]
    pub plots: Vec<PlotSettings>,
}

fn hardware() -> String {
    "MOTOR".to_owned()
}

fn timeout() -> Duration {
    Duration::from_millis(1000)
}

fn noise() -> f64 {
    1.0
}

impl NodeSettings for MotorSettings {
    fn can_id(&self) -> u8 {
        self.can_id
    }

    fn second_can_id(&self) -> Option<u8> {
        self.second_can_id
    }

    fn pong_after(&self) -> Option<Duration> {
        self.pong_after
    }

    fn hardware(&self) -> &str {
        &self.hardware
    }

    fn files(&self) -> Vec<(usize, &str)> {
        files(&self.set)
    }

    fn configs(&self) -> Vec<(&'static str, ConfigKind, &ConfigSettings)> {
        let configs = [
            ("mcconf", ConfigKind::Motor, &self.mcconf),
            ("appconf", ConfigKind::Application, &self.appconf),
        ];
        let given = configs.into_iter();
        given
            .filter_map(|(key, kind, config)| Some((key, kind, config.as_ref()?)))
            .collect()
    }

    fn configured(&self, kind: ConfigKind) -> Vec<Configured> {
        self.parameters(&Series::default()).configured(kind)
    }

    fn check(&self, mistakes: &mut Mistakes) {
        check_hardware(&self.hardware, MAX_HARDWARE, mistakes);
        check_can_id(self.can_id, mistakes);
        mistakes.inside("status", |mistakes| self.status.check(mistakes));
        mistakes.inside("lisp", |mistakes| self.lisp.check(LispOn::Motor, mistakes));
        mistakes.inside("qml", |mistakes| self.qml.check(mistakes));
        check_second(self.can_id, self.second_can_id, mistakes);
        for (key, value, limit) in [
            ("fet_temperature_c", self.fet_temperature_c, 3276.0),
            ("motor_temperature_c", self.motor_temperature_c, 3276.0),
            ("motor_current_a", self.motor_current_a, 10_000.0),
            ("input_current_a", self.input_current_a, 10_000.0),
            ("duty", self.duty, 1.0),
            ("erpm", self.erpm, 1_000_000.0),
            ("speed_m_s", self.speed_m_s, 1000.0),
            ("input_voltage_v", self.input_voltage_v, 3276.0),
            ("battery_level", self.battery_level, 1.0),
        ] {
            if let Some(value) = value {
                mistakes.range(key, value, -limit..=limit);
            }
        }
        for (key, value, most) in [
            (
                "timeout_brake_current_a",
                self.timeout_brake_current_a,
                10_000.0,
            ),
            ("odometer_m", self.odometer_m, 4e9),
            ("noise", self.noise, 1000.0),
        ] {
            mistakes.range(key, value, 0.0..=most);
        }
        mistakes.inside("machine", |mistakes| self.machine.check(mistakes));
        mistakes.inside("load", |mistakes| self.load.check(mistakes));
        mistakes.inside("battery", |mistakes| self.battery.check(mistakes));
        mistakes.inside("heat", |mistakes| self.heat.check(mistakes));
        mistakes.inside("limits", |mistakes| self.limits.check(mistakes));
        mistakes.inside("set", |mistakes| {
            for (index, value) in self.set.iter().enumerate() {
                mistakes.inside(index, |mistakes| {
                    if let Some(item) = value.item {
                        value.check_item(item, value.field.name(), None, mistakes);
                    }
                    value.check(mistakes);
                });
            }
        });
        self.check_services(mistakes);
    }
}

impl MotorSettings {
    /// What it is like; the series hold the files that it names.
    pub(super) fn parameters(&self, series: &Series) -> Parameters {
        let fault = self.fault.map(|code| code.0.into());
        let pinned = [
            (Field::FetTemperature, self.fet_temperature_c),
            (Field::MotorTemperature, self.motor_temperature_c),
            (Field::MotorCurrent, self.motor_current_a),
            (Field::InputCurrent, self.input_current_a),
            (Field::Duty, self.duty),
            (Field::Erpm, self.erpm),
            (Field::Speed, self.speed_m_s),
            (Field::InputVoltage, self.input_voltage_v),
            (Field::BatteryLevel, self.battery_level),
            (Field::Fault, fault),
        ];
        let pinned = pinned
            .into_iter()
            .filter_map(|(field, value)| Some(Setting::pinned(field, value?)));
        let set = self.set.iter().map(|value| Setting::new(value, series));
        Parameters {
            machine: self.machine,
            load: self.load,
            battery: self.battery,
            heat: self.heat,
            limits: self.limits,
            timeout: self.timeout.get(),
            timeout_brake_a: self.timeout_brake_current_a,
            faults: self.faults.clone(),
            odometer_m: self.odometer_m,
            set: pinned.chain(set).collect::<Vec<_>>().into(),
        }
    }
}

impl MotorSettings {
    /// The services that store nothing.
    pub(super) fn live_services(&self) -> Services {
        let profile = self.firmware.profile();
        let (boards, switches) = (&self.io_boards, &self.power_switches);
        Services::default()
            .with(App::new(&self.app))
            .with(Inputs::new(self.inputs, profile))
            .with(ImuCalibration::new(self.imu_calibration))
            .with(Samples::new(profile))
            .with(SideDevices::new(profile.name, boards, switches, self.gnss))
            .with(Plots::new(&self.plots))
    }

    fn check_services(&self, mistakes: &mut Mistakes) {
        check_services(&self.app, &self.io_boards, self.gnss.as_ref(), mistakes);
        mistakes.inside("inputs", |mistakes| self.inputs.check(mistakes));
        mistakes.inside("imu_calibration", |mistakes| {
            self.imu_calibration.check(mistakes);
        });
        mistakes.each(
            "power_switches",
            &self.power_switches,
            PowerSwitchSettings::check,
        );
        mistakes.each("plots", &self.plots, PlotSettings::check);
    }
}

impl MotorSettings {
    /// Those of its second motor, if it has one.
    pub(in crate::device) fn second(&self) -> Option<Self> {
        let can_id = self.second_can_id?;
        Some(Self {
            can_id,
            second_can_id: None,
            appconf: self.appconf.clone().map(|one| one.of_second_motor(can_id)),
            ..self.clone()
        })
    }
}

/// Refuses a second id that is nobody's, or the first one.
fn check_second(can_id: u8, second: Option<u8>, mistakes: &mut Mistakes) {
    if second == Some(255) || second == Some(can_id) {
        mistakes
            .add("second_can_id", "the second motor needs an id of its own")
            .help("take another one, from 0 to 254");
    }
}
