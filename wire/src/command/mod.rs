//! What payloads say: requests to a device and replies from it.
//!
//! Which of the two a payload is, only its direction tells. There are no sequence numbers and no addresses: a
//! reply is matched to its request by the command id alone, and a reply to a command inside FORWARD_CAN comes
//! back without that envelope (`vesc_express main/commands.c:375-378`).
//!
//! Decoding keeps everything: a command without a known body is [`Request::Other`] or [`Reply::Other`], bytes
//! behind the last known field stand in [`Decoded::trailing`], and encoding gives the same payload again.
//!
//! This file lists the requests and the replies with their field tables, or with the
//! type that one of the files beside this one makes of a table. Everything else reads the tables: decoding, encoding,
//! views, the arguments of [`Request::from_args`], [`usage`] and [`table`].

mod args;
mod bms;
mod body;
mod config;
mod files;
mod form;
mod forward_can;
mod fw_version;
mod imu;
mod inputs;
mod lisp;
mod log;
mod motor_config;
mod old_values;
mod parts;
mod payload;
mod prelude;
mod samples;
mod setting;
mod side_devices;
mod stats;
pub mod table;
mod upload;
mod values;
mod values_setup;
mod vesc_tool;

pub use args::{ArgsError, Wanted, usage};
pub use bms::{BmsCommand, BmsTotals, BmsValues, MAX_ELEMENTS, MAX_STATUS};
pub use config::{ConfigXml, ConfigXmlRequest, CustomConfig, ExpressConfig};
pub use files::{FileCommand, FileList, FileReply};
pub use fw_version::{FwVersion, hardware_type_name};
pub use imu::ImuData;
pub use inputs::{DecodedAdc, DecodedBalance, DecodedPpm};
pub use lisp::{
    CodeAck, CodeErase, CodePart, CodeRequest, CodeWrite, LispCommand, LispReply, LispStats,
    LispStatsRequest, LispStream, StoredCode,
};
pub use log::{LogCommand, LogDoubles, LogField, LogStart, LogValues};
pub use motor_config::{
    ConfigKind, ConfigSignature, MotorConfig, SIGNATURES, config_of_signature, signature_of,
};
pub use old_values::OldValues;
pub use parts::{
    answered_as, comes_unasked, express_config_parts, known_lengths, old_reply_parts, reply_parts,
    request_parts,
};
pub use payload::{Decoded, Opaque};
pub use samples::{Sample, SampleRequest};
pub use setting::{LimitsInForce, Nunchuk, TemporaryLimits, TemporarySpeedLimits};
pub use side_devices::{Gnss, IoBoardAdc1To4, IoBoardAdc5To8, IoBoardDigital, PowerSwitch};
pub use stats::Stats;
pub use upload::{BOOTLOADER_OFFSET, ImageHead, UploadCommand, UploadReply, WriteAck};
pub use values::{Values, fault_name};
pub use values_setup::ValuesSetup;
pub use vesc_tool::vesc_tool_reads;

pub use crate::id::{CommandId, UnknownCommand};

use form::{Since, Tagged, by};
use prelude::*;

use crate::number::{F16, F32, Float, Text};

/// A custom config, as far as it is known.
fn show_config(name: &'static str, data: &[u8], fields: &mut Fields) {
    config::show(name, data, fields);
}

/// The request inside a FORWARD_CAN.
fn show_request(name: &'static str, payload: &[u8], fields: &mut Fields) {
    forward_can::show(name, payload, fields);
}

commands! {
    /// A payload on its way to a device.
    #[derive(Clone, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum Request {
        /// 0: who are you?
        FW_VERSION => FwVersion,
        /// 4: what does the motor do?
        GET_VALUES => GetValues,
        /// 5: turn at a duty cycle; not answered.
        SET_DUTY => SetDuty {
            /// Duty cycle, -1 to 1; at 0 the phases are shorted, which brakes.
            duty: F32<100_000>,
        },
        /// 6: drive with a current; not answered.
        SET_CURRENT => SetCurrent {
            /// Current of the motor, A; backwards below 0.
            current_a: F32<1000>,
        },
        /// 7: brake with a current; not answered.
        SET_CURRENT_BRAKE => SetCurrentBrake {
            /// Current of the motor, A; its sign means nothing.
            current_a: F32<1000>,
        },
        /// 8: hold a speed; not answered.
        SET_RPM => SetRpm {
            /// Electrical speed, revolutions per minute.
            erpm: i32,
        },
        /// 9: go to a position; not answered.
        SET_POS => SetPos {
            /// Position, degrees.
            position_deg: F32<1_000_000>,
        },
        /// 10: hold the rotor where it is; not answered.
        SET_HANDBRAKE => SetHandbrake {
            /// Current of the motor, A.
            current_a: F32<1000>,
        },
        /// 11: which rotor position is to be sent every 10 ms; not answered.
        SET_DETECT => SetDetect {
            /// Which; 0 is none.
            mode: u8 = setting::DETECT,
        },
        /// 12: move a servo; not answered.
        SET_SERVO_POS => SetServoPos {
            /// Position, 0 to 1.
            position: F16<1000>,
        },
        /// 13: a new configuration of the motor.
        SET_MCCONF => SetMcconf(MotorConfig),
        /// 14: how is the motor configured?
        GET_MCCONF => GetMcconf,
        /// 15: what are the defaults of that?
        GET_MCCONF_DEFAULT => GetMcconfDefault,
        /// 16: a new configuration of the applications.
        SET_APPCONF => SetAppconf(MotorConfig),
        /// 17: how are the applications configured?
        GET_APPCONF => GetAppconf,
        /// 18: what are the defaults of that?
        GET_APPCONF_DEFAULT => GetAppconfDefault,
        /// 19: samples of single control cycles, a reply for each.
        SAMPLE_PRINT => SamplePrint(SampleRequest),
        /// 20: a line for the device's terminal, answered by any number of PRINT.
        TERMINAL_CMD => TerminalCmd(Vec<u8>),
        /// 29: restart; not answered.
        REBOOT => Reboot,
        /// 30: keeps a motor running; not answered.
        ALIVE => Alive,
        /// 31: what does the PPM app read?
        GET_DECODED_PPM => GetDecodedPpm,
        /// 32: what does the ADC app read?
        GET_DECODED_ADC => GetDecodedAdc,
        /// 33: what does the Nunchuk app read?
        GET_DECODED_CHUK => GetDecodedChuk,
        /// 34: a payload for another device on the CAN bus, whose reply comes back bare.
        FORWARD_CAN => ForwardCan {
            /// The other device, 255 for all.
            can_id: u8,
            /// The payload for it; see [`Request::forwarded`].
            payload: Vec<u8> = Rest::Request,
        },
        /// 35: the state of a nunchuk; not answered.
        SET_CHUCK_DATA => SetChuckData(Nunchuk),
        /// 36: bytes for the device's own app, which may answer with the same command.
        CUSTOM_APP_DATA => CustomAppData {
            /// The bytes; their meaning is the app's.
            data: Vec<u8> = Rest::Bytes,
        },
        /// 47: what does the vehicle do?
        GET_VALUES_SETUP => GetValuesSetup,
        /// 48: limits until the next start, or for good.
        SET_MCCONF_TEMP => SetMcconfTemp(TemporaryLimits),
        /// 49: the same with speeds of the vehicle.
        SET_MCCONF_TEMP_SETUP => SetMcconfTempSetup(TemporarySpeedLimits),
        /// 50: some of the fields of GET_VALUES.
        GET_VALUES_SELECTIVE => GetValuesSelective {
            /// One bit per field: see [`Values`].
            mask: u32,
        },
        /// 51: some of the fields of GET_VALUES_SETUP.
        GET_VALUES_SETUP_SELECTIVE => GetValuesSetupSelective {
            /// One bit per field: see [`ValuesSetup`].
            mask: u32,
        },
        /// 62: who is on the CAN bus?
        PING_CAN => PingCan,
        /// 63: applications must not drive for a time; not answered.
        APP_DISABLE_OUTPUT => AppDisableOutput {
            /// Whether the other controllers on the CAN bus are told too.
            forward_can: u8 = Shown::Flag,
            /// For how long, ms; 0 ends it, -1 is for ever.
            time_ms: i32,
        },
        /// 65: some fields of the attitude.
        GET_IMU_DATA => GetImuData {
            /// One bit per field: see [`ImuData`].
            mask: u16,
        },
        /// 79: what does the balance app do? Firmware 3.67 to 6.02.
        GET_DECODED_BALANCE => GetDecodedBalance,
        /// 84: drive with a share of the highest current; not answered.
        SET_CURRENT_REL => SetCurrentRel {
            /// Share, -1 to 1.
            share: F32<100_000>,
        },
        /// 85: a frame for the CAN bus as it is; not answered.
        CAN_FWD_FRAME => CanFwdFrame {
            /// Its id.
            id: u32,
            /// Whether the id has 29 bits.
            extended: u8 = Shown::Flag,
            /// Its data.
            data: Vec<u8> = Rest::Bytes,
        },
        /// 86: below which voltages the battery gives less and nothing.
        SET_BATTERY_CUT => SetBatteryCut {
            /// Below this voltage the current is limited, V.
            start_v: F32<1000>,
            /// Below this voltage there is none, V.
            end_v: F32<1000>,
            /// Whether it lasts beyond the next start.
            store: u8 = Shown::Flag,
            /// Whether the other controllers on the CAN bus are told too.
            forward_can: u8 = Shown::Flag,
        },
        /// 87: the name that the BLE module is to have; not answered.
        SET_BLE_NAME => SetBleName {
            /// The name.
            name: Vec<u8> = Rest::Text,
        },
        /// 88: the pin that the BLE module is to ask for; not answered.
        SET_BLE_PIN => SetBlePin {
            /// The pin; secret.
            pin: Vec<u8> = Rest::Secret,
        },
        /// 90: measure how the IMU is built in, which takes seconds.
        GET_IMU_CALIBRATION => GetImuCalibration {
            /// The yaw to correct for, degrees.
            yaw_deg: F32<1000>,
        },
        /// 91: which limits hold?
        GET_MCCONF_TEMP => GetMcconfTemp,
        /// 92: a part of the XML that describes a custom config.
        GET_CUSTOM_CONFIG_XML => GetCustomConfigXml(ConfigXmlRequest),
        /// 93: a custom config.
        GET_CUSTOM_CONFIG => GetCustomConfig {
            /// Which; 0 is the only one there is.
            index: i8 = Shown::Index,
        },
        /// 94: the defaults of a custom config.
        GET_CUSTOM_CONFIG_DEFAULT => GetCustomConfigDefault {
            /// Which; 0 is the only one there is.
            index: i8 = Shown::Index,
        },
        /// 95: a new custom config.
        SET_CUSTOM_CONFIG => SetCustomConfig(CustomConfig),
        /// 96: what does the BMS measure?
        BMS_GET_VALUES => BmsGetValues,
        /// 110: a new distance ever; not answered.
        SET_ODOMETER => SetOdometer {
            /// Distance, m.
            odometer_m: u32,
        },
        /// 111: what does a power switch do?
        PSW_GET_STATUS => PswGetStatus {
            /// Whether it is named by its id, and not by its index.
            by_id: u8 = Shown::Flag,
            /// Its id or its index.
            id: i16,
        },
        /// 112: switch a power switch; not answered.
        PSW_SWITCH => PswSwitch {
            /// Its id.
            id: i16,
            /// Whether it is to be on.
            on: u8 = Shown::Flag,
            /// Whether it is to plot what happens.
            plot: u8 = Shown::Flag,
        },
        /// 115: where is the battery cut off?
        GET_BATTERY_CUT => GetBatteryCut,
        /// 122: what does an I/O board read?
        IO_BOARD_GET_ALL => IoBoardGetAll {
            /// Its id.
            id: i16,
        },
        /// 123: an output of an I/O board; not answered.
        IO_BOARD_SET_PWM => IoBoardSetPwm {
            /// Its id.
            id: i16,
            /// Which output.
            channel: i16,
            /// Duty cycle, 0 to 1.
            duty: Float,
        },
        /// 124: an output of an I/O board; not answered.
        IO_BOARD_SET_DIGITAL => IoBoardSetDigital {
            /// Its id.
            id: i16,
            /// Which output.
            channel: i16,
            /// Whether it is to be on.
            on: u8 = Shown::Flag,
        },
        /// 128: some of the statistics.
        GET_STATS => GetStats {
            /// One bit per field: see [`Stats`].
            mask: u16,
        },
        /// 129: statistics begin anew.
        RESET_STATS => ResetStats {
            /// Whether it is answered: not 0.
            acknowledge: Option<u8> = Since("5.03"),
        },
        /// 149: a new configuration of the applications, which is gone after a restart; since 6.00.
        SET_APPCONF_NO_STORE => SetAppconfNoStore(MotorConfig),
        /// 150: where is the vehicle?
        GET_GNSS => GetGnss {
            /// One bit per field: see [`Gnss`].
            mask: u16,
        },
        /// 156: switch off; not answered.
        SHUTDOWN => Shutdown {
            /// Whether even a turning motor is switched off: 1.
            force: u8,
            /// Whether it starts again: 1.
            restart: u8,
        },
        /// 159: release the motor and listen to nobody for a time; not answered.
        MOTOR_ESTOP => MotorEstop {
            /// For how long, ms.
            time_ms: u16,
        },
    } or {
        /// 97 to 101: changes to a pack.
        Bms(BmsCommand),
        /// 1 to 3, 59 to 61, 73, 74, 81, 82 and 102 to 109: new firmware.
        Upload(UploadCommand),
        /// 117, 118, 120, 121, 130 to 134, 138 and 139: scripts and pages.
        Lisp(LispCommand),
        /// 140 to 144: files.
        File(FileCommand),
        /// 145 to 148 and 151: a log.
        Log(LogCommand),
        /// Any other command.
        Other(Opaque),
    }
}

commands! {
    /// A payload on its way to a tool.
    #[derive(Clone, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum Reply {
        /// 0: who the device is.
        FW_VERSION => FwVersion(FwVersion),
        /// 4: what the motor does; firmware up to 3.00 tells it as [`Reply::OldValues`].
        GET_VALUES => Values(Values),
        /// 13: the new configuration of the motor was taken.
        SET_MCCONF => McconfSet,
        /// 14: how the motor is configured.
        GET_MCCONF => Mcconf(MotorConfig),
        /// 15: the defaults of that.
        GET_MCCONF_DEFAULT => McconfDefault(MotorConfig),
        /// 16: the new configuration of the applications was taken.
        SET_APPCONF => AppconfSet,
        /// 17: how the applications are configured.
        GET_APPCONF => Appconf(MotorConfig),
        /// 18: the defaults of that.
        GET_APPCONF_DEFAULT => AppconfDefault(MotorConfig),
        /// 19: one sample of a control cycle.
        SAMPLE_PRINT => Sample(Sample),
        /// 21: a text of the device's, asked for or not; no NUL.
        PRINT => Print(Vec<u8>),
        /// 22: the rotor's position, as SET_DETECT asked for it.
        ROTOR_POSITION => RotorPosition {
            /// Position, degrees.
            position_deg: F32<100_000>,
        },
        /// 31: what the PPM app reads.
        GET_DECODED_PPM => DecodedPpm(DecodedPpm),
        /// 32: what the ADC app reads.
        GET_DECODED_ADC => DecodedAdc(DecodedAdc),
        /// 33: what the Nunchuk app reads.
        GET_DECODED_CHUK => DecodedChuk {
            /// How far the stick is pushed, -1 to 1.
            level: F32<1_000_000>,
        },
        /// 36: bytes of the device's own app, asked for or not.
        CUSTOM_APP_DATA => CustomAppData {
            /// The bytes; their meaning is the app's.
            data: Vec<u8> = Rest::Bytes,
        },
        /// 47: what the vehicle does.
        GET_VALUES_SETUP => ValuesSetup(ValuesSetup),
        /// 48: the limits were taken; nothing else is said.
        SET_MCCONF_TEMP => McconfTempSet,
        /// 49: the limits were taken; nothing else is said.
        SET_MCCONF_TEMP_SETUP => McconfTempSetupSet,
        /// 50: some of the fields of GET_VALUES.
        GET_VALUES_SELECTIVE => ValuesSelective {
            /// The request's mask; its bits decide which fields are written.
            mask: u32,
            /// The fields. Those at the end that the mask names and that are not there are ones that the firmware is too
            /// old for.
            values: Values = by(mask),
        },
        /// 51: some of the fields of GET_VALUES_SETUP.
        GET_VALUES_SETUP_SELECTIVE => ValuesSetupSelective {
            /// The request's mask; its bits decide which fields are written.
            mask: u32,
            /// The fields. Those at the end that the mask names and that are not there are ones that the firmware is too
            /// old for.
            values: ValuesSetup = by(mask),
        },
        /// 62: the ids that answered on the CAN bus, ascending.
        PING_CAN => PingCan {
            /// The ids; the scanning device is not among them.
            can_ids: Vec<u8> = Rest::Numbers,
        },
        /// 65: some fields of the attitude.
        GET_IMU_DATA => ImuData {
            /// The request's mask; its bits decide which fields are written.
            mask: u16,
            /// The fields; one that the mask names and that is not there is written as 0.
            values: ImuData = by(mask),
            /// CAN id of the device; since 2023-10-15.
            can_id: Option<u8> = Since("2023-10-15"),
        },
        /// 75: a plot begins; nobody asks for it.
        PLOT_INIT => PlotInit {
            /// What the x axis is called.
            x_name: Text,
            /// What the y axis is called.
            y_name: Text,
        },
        /// 76: a point of the graph that was chosen last.
        PLOT_DATA => PlotData {
            /// Where on the x axis.
            x: Float,
            /// Where on the y axis.
            y: Float,
        },
        /// 77: one more graph.
        PLOT_ADD_GRAPH => PlotAddGraph {
            /// What it is called.
            name: Text,
        },
        /// 78: the points that follow are of this graph.
        PLOT_SET_GRAPH => PlotSetGraph {
            /// Which, from 0.
            graph: u8,
        },
        /// 79: what the balance app does.
        GET_DECODED_BALANCE => DecodedBalance(DecodedBalance),
        /// 85: a frame of the CAN bus, in a mode that passes them on.
        CAN_FWD_FRAME => CanFwdFrame {
            /// Its id.
            id: u32,
            /// Whether the id has 29 bits.
            extended: u8 = Shown::Flag,
            /// Its data.
            data: Vec<u8> = Rest::Bytes,
        },
        /// 86: the voltages were taken; nothing else is said.
        SET_BATTERY_CUT => BatteryCutSet,
        /// 90: how the IMU is built in.
        GET_IMU_CALIBRATION => ImuCalibration {
            /// Roll, pitch and yaw, degrees.
            rotation_deg: [F32<1_000_000>; 3],
            /// Offsets of the acceleration, g.
            acceleration_offsets_g: [F32<1_000_000>; 3],
            /// Offsets of the rotation, degrees per second.
            rotation_offsets_deg_s: [F32<1_000_000>; 3],
        },
        /// 91: the limits that hold.
        GET_MCCONF_TEMP => McconfTemp(LimitsInForce),
        /// 92: a part of the XML that describes a custom config.
        GET_CUSTOM_CONFIG_XML => CustomConfigXml(ConfigXml),
        /// 93: a custom config.
        GET_CUSTOM_CONFIG => CustomConfig(CustomConfig),
        /// 94: the defaults of a custom config.
        GET_CUSTOM_CONFIG_DEFAULT => CustomConfigDefault(CustomConfig),
        /// 95: the new custom config was taken; nothing else is said.
        SET_CUSTOM_CONFIG => CustomConfigSet,
        /// 96: what the BMS measures.
        BMS_GET_VALUES => BmsValues(BmsValues),
        /// 111: what a power switch does.
        PSW_GET_STATUS => PowerSwitch(PowerSwitch),
        /// 115: where the battery is cut off.
        GET_BATTERY_CUT => BatteryCut {
            /// Below this voltage the current is limited, V.
            start_v: F32<1000>,
            /// Below this voltage there is none, V.
            end_v: F32<1000>,
        },
        /// 122: what an I/O board reads, as far as it was heard.
        IO_BOARD_GET_ALL => IoBoard {
            /// Its id.
            id: i16,
            /// Its first four analog inputs.
            adc_1_to_4: Option<IoBoardAdc1To4> = Tagged(1),
            /// The other four.
            adc_5_to_8: Option<IoBoardAdc5To8> = Tagged(2),
            /// Its digital inputs.
            digital: Option<IoBoardDigital> = Tagged(3),
        },
        /// 128: some of the statistics.
        GET_STATS => Stats {
            /// The request's mask, widened; its bits decide which fields are written.
            mask: u32,
            /// The fields; one that the mask names and that is not there is written as 0.
            values: Stats = by(mask),
        },
        /// 129: the statistics begin anew; nothing else is said.
        RESET_STATS => StatsReset,
        /// 149: the new configuration of the applications was taken, until the next restart.
        SET_APPCONF_NO_STORE => AppconfSetNoStore,
        /// 150: where the vehicle is.
        GET_GNSS => Gnss {
            /// The request's mask, widened; its bits decide which fields are written.
            mask: u32,
            /// The fields; one that the mask names and that is not there is written as 0.
            values: Gnss = by(mask),
        },
    } or {
        /// 4: what the motor does, as firmware up to 3.00 tells it.
        OldValues(OldValues),
        /// 2, 3 and 73: new firmware.
        Upload(UploadReply),
        /// 117, 118, 120, 121, 130 to 135 and 139: scripts and pages.
        Lisp(LispReply),
        /// 140 to 144: files.
        File(FileReply),
        /// 145 to 148 and 151: a log that the tool is to write.
        Log(LogCommand),
        /// Any other command.
        Other(Opaque),
    }
}
