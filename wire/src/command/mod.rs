//! What payloads say: requests to a device and replies from it.
//!
//! Which of the two a payload is, only its direction tells. There are no sequence numbers and no addresses: a
//! reply is matched to its request by the command id alone, and a reply to a command inside FORWARD_CAN comes
//! back without that envelope (`vesc_express main/commands.c:375-378`).
//!
//! Decoding keeps everything: a command without a known body is [`Request::Other`] or [`Reply::Other`], bytes
//! behind the last known field stand in [`Decoded::trailing`], and encoding gives the same payload again.
//!
//! This file lists the commands: their ids, then the requests and the replies with their field tables, or with the
//! type that one of the files beside this one makes of a table. Everything else reads the tables: decoding, encoding,
//! views, the arguments of [`Request::from_args`], [`usage`] and [`table`].

mod args;
mod bms;
mod body;
mod config;
mod form;
mod forward_can;
mod fw_version;
mod id;
mod imu;
mod payload;
mod stats;
pub mod table;
mod values;
mod values_setup;

pub use args::{ArgsError, Wanted, usage};
pub use bms::{BmsCommand, BmsTotals, BmsValues, MAX_ELEMENTS, MAX_STATUS};
pub use config::{ConfigXml, ConfigXmlRequest, CustomConfig, ExpressConfig};
pub use fw_version::{FwVersion, hardware_type_name};
pub use id::{CommandId, UnknownCommand};
pub use imu::ImuData;
pub use payload::{Decoded, Opaque};
pub use stats::Stats;
pub use values::{Values, fault_name};
pub use values_setup::ValuesSetup;

use body::prelude::{self, *};
use form::{Since, by};
use id::ids;

// `vesc_tool datatypes.h:852-1041`, the same values in vesc_express and bldc; 153 to 155 are reserved there.
ids! {
    0 FW_VERSION
    1 JUMP_TO_BOOTLOADER
    2 ERASE_NEW_APP
    3 WRITE_NEW_APP_DATA
    4 GET_VALUES
    5 SET_DUTY
    6 SET_CURRENT
    7 SET_CURRENT_BRAKE
    8 SET_RPM
    9 SET_POS
    10 SET_HANDBRAKE
    11 SET_DETECT
    12 SET_SERVO_POS
    13 SET_MCCONF
    14 GET_MCCONF
    15 GET_MCCONF_DEFAULT
    16 SET_APPCONF
    17 GET_APPCONF
    18 GET_APPCONF_DEFAULT
    19 SAMPLE_PRINT
    20 TERMINAL_CMD
    21 PRINT
    22 ROTOR_POSITION
    23 EXPERIMENT_SAMPLE
    24 DETECT_MOTOR_PARAM
    25 DETECT_MOTOR_R_L
    26 DETECT_MOTOR_FLUX_LINKAGE
    27 DETECT_ENCODER
    28 DETECT_HALL_FOC
    29 REBOOT
    30 ALIVE
    31 GET_DECODED_PPM
    32 GET_DECODED_ADC
    33 GET_DECODED_CHUK
    34 FORWARD_CAN
    35 SET_CHUCK_DATA
    36 CUSTOM_APP_DATA
    37 NRF_START_PAIRING
    38 GPD_SET_FSW
    39 GPD_BUFFER_NOTIFY
    40 GPD_BUFFER_SIZE_LEFT
    41 GPD_FILL_BUFFER
    42 GPD_OUTPUT_SAMPLE
    43 GPD_SET_MODE
    44 GPD_FILL_BUFFER_INT8
    45 GPD_FILL_BUFFER_INT16
    46 GPD_SET_BUFFER_INT_SCALE
    47 GET_VALUES_SETUP
    48 SET_MCCONF_TEMP
    49 SET_MCCONF_TEMP_SETUP
    50 GET_VALUES_SELECTIVE
    51 GET_VALUES_SETUP_SELECTIVE
    52 EXT_NRF_PRESENT
    53 EXT_NRF_ESB_SET_CH_ADDR
    54 EXT_NRF_ESB_SEND_DATA
    55 EXT_NRF_ESB_RX_DATA
    56 EXT_NRF_SET_ENABLED
    57 DETECT_MOTOR_FLUX_LINKAGE_OPENLOOP
    58 DETECT_APPLY_ALL_FOC
    59 JUMP_TO_BOOTLOADER_ALL_CAN
    60 ERASE_NEW_APP_ALL_CAN
    61 WRITE_NEW_APP_DATA_ALL_CAN
    62 PING_CAN
    63 APP_DISABLE_OUTPUT
    64 TERMINAL_CMD_SYNC
    65 GET_IMU_DATA
    66 BM_CONNECT
    67 BM_ERASE_FLASH_ALL
    68 BM_WRITE_FLASH
    69 BM_REBOOT
    70 BM_DISCONNECT
    71 BM_MAP_PINS_DEFAULT
    72 BM_MAP_PINS_NRF5X
    73 ERASE_BOOTLOADER
    74 ERASE_BOOTLOADER_ALL_CAN
    75 PLOT_INIT
    76 PLOT_DATA
    77 PLOT_ADD_GRAPH
    78 PLOT_SET_GRAPH
    79 GET_DECODED_BALANCE
    80 BM_MEM_READ
    81 WRITE_NEW_APP_DATA_LZO
    82 WRITE_NEW_APP_DATA_ALL_CAN_LZO
    83 BM_WRITE_FLASH_LZO
    84 SET_CURRENT_REL
    85 CAN_FWD_FRAME
    86 SET_BATTERY_CUT
    87 SET_BLE_NAME
    88 SET_BLE_PIN
    89 SET_CAN_MODE
    90 GET_IMU_CALIBRATION
    91 GET_MCCONF_TEMP
    92 GET_CUSTOM_CONFIG_XML
    93 GET_CUSTOM_CONFIG
    94 GET_CUSTOM_CONFIG_DEFAULT
    95 SET_CUSTOM_CONFIG
    96 BMS_GET_VALUES
    97 BMS_SET_CHARGE_ALLOWED
    98 BMS_SET_BALANCE_OVERRIDE
    99 BMS_RESET_COUNTERS
    100 BMS_FORCE_BALANCE
    101 BMS_ZERO_CURRENT_OFFSET
    102 JUMP_TO_BOOTLOADER_HW
    103 ERASE_NEW_APP_HW
    104 WRITE_NEW_APP_DATA_HW
    105 ERASE_BOOTLOADER_HW
    106 JUMP_TO_BOOTLOADER_ALL_CAN_HW
    107 ERASE_NEW_APP_ALL_CAN_HW
    108 WRITE_NEW_APP_DATA_ALL_CAN_HW
    109 ERASE_BOOTLOADER_ALL_CAN_HW
    110 SET_ODOMETER
    111 PSW_GET_STATUS
    112 PSW_SWITCH
    113 BMS_FWD_CAN_RX
    114 BMS_HW_DATA
    115 GET_BATTERY_CUT
    116 BM_HALT_REQ
    117 GET_QML_UI_HW
    118 GET_QML_UI_APP
    119 CUSTOM_HW_DATA
    120 QMLUI_ERASE
    121 QMLUI_WRITE
    122 IO_BOARD_GET_ALL
    123 IO_BOARD_SET_PWM
    124 IO_BOARD_SET_DIGITAL
    125 BM_MEM_WRITE
    126 BMS_BLNC_SELFTEST
    127 GET_EXT_HUM_TMP
    128 GET_STATS
    129 RESET_STATS
    130 LISP_READ_CODE
    131 LISP_WRITE_CODE
    132 LISP_ERASE_CODE
    133 LISP_SET_RUNNING
    134 LISP_GET_STATS
    135 LISP_PRINT
    136 BMS_SET_BATT_TYPE
    137 BMS_GET_BATT_TYPE
    138 LISP_REPL_CMD
    139 LISP_STREAM_CODE
    140 FILE_LIST
    141 FILE_READ
    142 FILE_WRITE
    143 FILE_MKDIR
    144 FILE_REMOVE
    145 LOG_START
    146 LOG_STOP
    147 LOG_CONFIG_FIELD
    148 LOG_DATA_F32
    149 SET_APPCONF_NO_STORE
    150 GET_GNSS
    151 LOG_DATA_F64
    152 LISP_RMSG
    153 PINLOCK1
    154 PINLOCK2
    155 PINLOCK3
    156 SHUTDOWN
    157 FW_INFO
    158 CAN_UPDATE_BAUD_ALL
    159 MOTOR_ESTOP
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
            /// The fields; one that the mask names and that is not there is written as 0.
            values: Values = by(mask),
        },
        /// 51: some of the fields of GET_VALUES_SETUP.
        GET_VALUES_SETUP_SELECTIVE => ValuesSetupSelective {
            /// The request's mask; its bits decide which fields are written.
            mask: u32,
            /// The fields; one that the mask names and that is not there is written as 0.
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
