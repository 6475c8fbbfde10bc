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
mod form;
mod forward_can;
mod fw_version;
mod imu;
mod parts;
mod payload;
mod prelude;
mod stats;
pub mod table;
mod values;
mod values_setup;
mod vesc_tool;

pub use args::{ArgsError, Wanted, usage};
pub use bms::{BmsCommand, BmsTotals, BmsValues, MAX_ELEMENTS, MAX_STATUS};
pub use config::{ConfigXml, ConfigXmlRequest, CustomConfig, ExpressConfig};
pub use fw_version::{FwVersion, hardware_type_name};
pub use imu::ImuData;
pub use parts::{express_config_parts, known_lengths, reply_parts, request_parts};
pub use payload::{Decoded, Opaque};
pub use stats::Stats;
pub use values::{Values, fault_name};
pub use values_setup::ValuesSetup;
pub use vesc_tool::vesc_tool_reads;

pub use crate::id::{CommandId, UnknownCommand};

use form::{Since, by};
use prelude::*;

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
        /// 20: a line for the device's terminal, answered by any number of PRINT.
        TERMINAL_CMD => TerminalCmd(Vec<u8>),
        /// 29: restart; not answered.
        REBOOT => Reboot,
        /// 30: keeps a motor running; not answered.
        ALIVE => Alive,
        /// 34: a payload for another device on the CAN bus, whose reply comes back bare.
        FORWARD_CAN => ForwardCan {
            /// The other device, 255 for all.
            can_id: u8,
            /// The payload for it; see [`Request::forwarded`].
            payload: Vec<u8> = Rest::Request,
        },
        /// 47: what does the vehicle do?
        GET_VALUES_SETUP => GetValuesSetup,
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
        /// 65: some fields of the attitude.
        GET_IMU_DATA => GetImuData {
            /// One bit per field: see [`ImuData`].
            mask: u16,
        },
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
        /// 128: some of the statistics.
        GET_STATS => GetStats {
            /// One bit per field: see [`Stats`].
            mask: u16,
        },
    } or {
        /// 97 to 101: changes to a pack.
        Bms(BmsCommand),
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
        /// 4: what the motor does.
        GET_VALUES => Values(Values),
        /// 21: a text of the device's, asked for or not; no NUL.
        PRINT => Print(Vec<u8>),
        /// 47: what the vehicle does.
        GET_VALUES_SETUP => ValuesSetup(ValuesSetup),
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
        /// 128: some of the statistics.
        GET_STATS => Stats {
            /// The request's mask, widened; its bits decide which fields are written.
            mask: u32,
            /// The fields; one that the mask names and that is not there is written as 0.
            values: Stats = by(mask),
        },
    } or {
        /// Any other command.
        Other(Opaque),
    }
}
