//! Command ids: the first byte of every payload.

use alloc::{borrow::ToOwned, format, string::String};
use core::{fmt, str::FromStr};

/// The first byte of a payload, COMM_PACKET_ID upstream.
///
/// A number with names, not an enumeration: ids that nobody has named yet survive.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub u8);

/// Gives ids, which count from 0, their names, and marks some of them.
macro_rules! ids {
    ($($id:literal $name:ident $([$($mark:ident)*])?)*) => {
        #[expect(missing_docs, reason = "the names are upstream's; what they do is in the protocol's sources")]
        impl CommandId {
            $(pub const $name: Self = Self($id);)*
        }
        const NAMES: &[&str] = &[$(stringify!($name)),*];
        const MARKS: &[&[Mark]] = &[$(&[$($(Mark::$mark),*)?]),*];
    };
}

/// What is said of a command behind its name.
#[derive(Clone, Copy, PartialEq, Eq)]
#[expect(
    non_camel_case_types,
    reason = "they are written as in the list of ids"
)]
enum Mark {
    /// It takes long, so firmware has a worker do it, one at a time (`bldc comm/commands.c:1684-1717`,
    /// `vesc_express main/commands.c:1088-1099`).
    blocking,
    /// Its bytes can tell of a person: a place, or what nobody but an application knows.
    private,
}

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
    20 TERMINAL_CMD [blocking]
    21 PRINT
    22 ROTOR_POSITION
    23 EXPERIMENT_SAMPLE
    24 DETECT_MOTOR_PARAM [blocking]
    25 DETECT_MOTOR_R_L [blocking]
    26 DETECT_MOTOR_FLUX_LINKAGE [blocking]
    27 DETECT_ENCODER [blocking]
    28 DETECT_HALL_FOC [blocking]
    29 REBOOT
    30 ALIVE
    31 GET_DECODED_PPM
    32 GET_DECODED_ADC
    33 GET_DECODED_CHUK
    34 FORWARD_CAN
    35 SET_CHUCK_DATA
    36 CUSTOM_APP_DATA [private]
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
    57 DETECT_MOTOR_FLUX_LINKAGE_OPENLOOP [blocking]
    58 DETECT_APPLY_ALL_FOC [blocking]
    59 JUMP_TO_BOOTLOADER_ALL_CAN
    60 ERASE_NEW_APP_ALL_CAN
    61 WRITE_NEW_APP_DATA_ALL_CAN
    62 PING_CAN [blocking]
    63 APP_DISABLE_OUTPUT
    64 TERMINAL_CMD_SYNC
    65 GET_IMU_DATA
    66 BM_CONNECT [blocking]
    67 BM_ERASE_FLASH_ALL [blocking]
    68 BM_WRITE_FLASH [blocking]
    69 BM_REBOOT [blocking]
    70 BM_DISCONNECT [blocking]
    71 BM_MAP_PINS_DEFAULT [blocking]
    72 BM_MAP_PINS_NRF5X [blocking]
    73 ERASE_BOOTLOADER
    74 ERASE_BOOTLOADER_ALL_CAN
    75 PLOT_INIT
    76 PLOT_DATA
    77 PLOT_ADD_GRAPH
    78 PLOT_SET_GRAPH
    79 GET_DECODED_BALANCE
    80 BM_MEM_READ [blocking]
    81 WRITE_NEW_APP_DATA_LZO
    82 WRITE_NEW_APP_DATA_ALL_CAN_LZO
    83 BM_WRITE_FLASH_LZO [blocking]
    84 SET_CURRENT_REL
    85 CAN_FWD_FRAME [private]
    86 SET_BATTERY_CUT
    87 SET_BLE_NAME
    88 SET_BLE_PIN
    89 SET_CAN_MODE
    90 GET_IMU_CALIBRATION [blocking]
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
    101 BMS_ZERO_CURRENT_OFFSET [blocking]
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
    125 BM_MEM_WRITE [blocking]
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
    150 GET_GNSS [private]
    151 LOG_DATA_F64
    152 LISP_RMSG
    153 PINLOCK1
    154 PINLOCK2
    155 PINLOCK3
    156 SHUTDOWN
    157 FW_INFO
    158 CAN_UPDATE_BAUD_ALL [blocking]
    159 MOTOR_ESTOP
}

impl CommandId {
    /// The name, for the ids that have one.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        NAMES.get(usize::from(self.0)).copied()
    }

    fn has(self, mark: Mark) -> bool {
        let marks = MARKS.get(usize::from(self.0));
        marks.is_some_and(|marks| marks.contains(&mark))
    }

    /// Whether firmware that knows the command does it in the background, as it takes long. Until it is done, other such
    /// commands are dropped.
    #[must_use]
    pub fn is_blocking(self) -> bool {
        self.has(Mark::blocking)
    }

    /// Whether what stands behind the id can tell of a person, although the fields are known: where the device is, or what
    /// its applications say.
    #[must_use]
    pub fn is_private(self) -> bool {
        self.has(Mark::private)
    }

    /// Every id that has a name, in order.
    pub fn named() -> impl Iterator<Item = Self> {
        (0..NAMES.len() as u8).map(Self)
    }
}

/// The name, or the number in hex: `BMS_GET_VALUES`, `0xc8`.
impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => f.pad(&format!("{:#04x}", self.0)),
        }
    }
}

impl fmt::Debug for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// No command has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no command is called `{0}`; wanted a name such as BMS_GET_VALUES or a number from 0 to 255"
)]
pub struct UnknownCommand(pub String);

/// Reads a name in any case, with `-` for `_` if you like, or a number, decimal or after `0x`.
impl FromStr for CommandId {
    type Err = UnknownCommand;

    fn from_str(text: &str) -> Result<Self, UnknownCommand> {
        let name = text.to_ascii_uppercase().replace('-', "_");
        if let Some(id) = Self::named().find(|id| id.name() == Some(&name)) {
            return Ok(id);
        }
        let number = match name.strip_prefix("0X") {
            Some(digits) => u8::from_str_radix(digits, 16),
            None => name.parse(),
        };
        number
            .map(Self)
            .map_err(|_| UnknownCommand(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stand_at_the_index_of_their_name() {
        assert_eq!(CommandId::FW_VERSION.0, 0);
        assert_eq!(CommandId::BMS_GET_VALUES.name(), Some("BMS_GET_VALUES"));
        assert_eq!(CommandId::MOTOR_ESTOP, CommandId(159));
        assert_eq!(CommandId::named().count(), 160);
        for (index, id) in CommandId::named().enumerate() {
            assert_eq!(usize::from(id.0), index);
            assert_eq!(id.to_string().parse(), Ok(id));
        }
    }

    #[test]
    fn an_unknown_id_shows_its_number_and_reads_back() {
        assert_eq!(CommandId(200).to_string(), "0xc8");
        assert_eq!("0xc8".parse(), Ok(CommandId(200)));
        assert_eq!("ping-can".parse(), Ok(CommandId::PING_CAN));
        assert!("BMS_GET_VALUE".parse::<CommandId>().is_err());
    }
}
