-- VESC over TCP for Wireshark: login lines, frames and what they say.
--
-- To install, copy this file into the folder that Help > About > Folders calls "Personal Lua Plugins".
-- Field names are those of the project's decoder: `vesc.`, the command in lower case without GET_ and
-- SET_, then the name in the decoder's JSON, as in `vesc.bms.cell_voltages_v`.
-- Passwords and keys are never shown, nor do the bytes of a field cover them. The pane of raw bytes is
-- Wireshark's own: it shows everything.
--
-- How bytes become lines in the packet tree:
--
--   segment(s) -> login line | look: frame, noise, "more" -> decode: items -> render: tree, info column
--
-- What a payload holds is told by tables that are made from our own decoder's; `read_parts` reads them.
-- The rules of framing are those of the firmware's parser: a frame that fails a check costs one byte, and
-- the search goes on behind it. Lua 5.2 to 5.4.

local vesc = Proto("vesc", "VESC")

-- BEGIN of the tables made from wire/src/command; to make them anew:
-- VESCHUB_UPDATE=1 cargo test -p veschub-wire --test dissector_tables
-- The lengths that a reply can have, where another one is laid out otherwise.
local LENGTHS = { GET_VALUES = { 54, 56, 58, 59, 65, 73, 74 } }
-- The length of a reply that old firmware lays out in its own way, and the first firmware that does not: major * 256 +
-- minor.
local OLD_LENGTHS = { GET_VALUES = 56 }
local NEW_VALUES = 775
-- The commands of the replies to those that are answered as others; an empty one is not answered.
local ANSWERED_AS = {
    ERASE_NEW_APP_ALL_CAN = "ERASE_NEW_APP", WRITE_NEW_APP_DATA_ALL_CAN = "WRITE_NEW_APP_DATA",
    ERASE_BOOTLOADER_ALL_CAN = "ERASE_BOOTLOADER", WRITE_NEW_APP_DATA_LZO = "WRITE_NEW_APP_DATA",
    WRITE_NEW_APP_DATA_ALL_CAN_LZO = "WRITE_NEW_APP_DATA", ERASE_NEW_APP_HW = "ERASE_NEW_APP",
    WRITE_NEW_APP_DATA_HW = "WRITE_NEW_APP_DATA", ERASE_BOOTLOADER_HW = "ERASE_BOOTLOADER",
    ERASE_NEW_APP_ALL_CAN_HW = "ERASE_NEW_APP", WRITE_NEW_APP_DATA_ALL_CAN_HW = "WRITE_NEW_APP_DATA",
    ERASE_BOOTLOADER_ALL_CAN_HW = "ERASE_BOOTLOADER", LOG_START = "", LOG_STOP = "", LOG_CONFIG_FIELD = "",
    LOG_DATA_F32 = "", LOG_DATA_F64 = "",
}
-- Commands by their id, which counts from 0.
local COMMANDS = {
    "FW_VERSION", "JUMP_TO_BOOTLOADER", "ERASE_NEW_APP", "WRITE_NEW_APP_DATA", "GET_VALUES", "SET_DUTY",
    "SET_CURRENT", "SET_CURRENT_BRAKE", "SET_RPM", "SET_POS", "SET_HANDBRAKE", "SET_DETECT",
    "SET_SERVO_POS", "SET_MCCONF", "GET_MCCONF", "GET_MCCONF_DEFAULT", "SET_APPCONF", "GET_APPCONF",
    "GET_APPCONF_DEFAULT", "SAMPLE_PRINT", "TERMINAL_CMD", "PRINT", "ROTOR_POSITION", "EXPERIMENT_SAMPLE",
    "DETECT_MOTOR_PARAM", "DETECT_MOTOR_R_L", "DETECT_MOTOR_FLUX_LINKAGE", "DETECT_ENCODER",
    "DETECT_HALL_FOC", "REBOOT", "ALIVE", "GET_DECODED_PPM", "GET_DECODED_ADC", "GET_DECODED_CHUK",
    "FORWARD_CAN", "SET_CHUCK_DATA", "CUSTOM_APP_DATA", "NRF_START_PAIRING", "GPD_SET_FSW",
    "GPD_BUFFER_NOTIFY", "GPD_BUFFER_SIZE_LEFT", "GPD_FILL_BUFFER", "GPD_OUTPUT_SAMPLE", "GPD_SET_MODE",
    "GPD_FILL_BUFFER_INT8", "GPD_FILL_BUFFER_INT16", "GPD_SET_BUFFER_INT_SCALE", "GET_VALUES_SETUP",
    "SET_MCCONF_TEMP", "SET_MCCONF_TEMP_SETUP", "GET_VALUES_SELECTIVE", "GET_VALUES_SETUP_SELECTIVE",
    "EXT_NRF_PRESENT", "EXT_NRF_ESB_SET_CH_ADDR", "EXT_NRF_ESB_SEND_DATA", "EXT_NRF_ESB_RX_DATA",
    "EXT_NRF_SET_ENABLED", "DETECT_MOTOR_FLUX_LINKAGE_OPENLOOP", "DETECT_APPLY_ALL_FOC",
    "JUMP_TO_BOOTLOADER_ALL_CAN", "ERASE_NEW_APP_ALL_CAN", "WRITE_NEW_APP_DATA_ALL_CAN", "PING_CAN",
    "APP_DISABLE_OUTPUT", "TERMINAL_CMD_SYNC", "GET_IMU_DATA", "BM_CONNECT", "BM_ERASE_FLASH_ALL",
    "BM_WRITE_FLASH", "BM_REBOOT", "BM_DISCONNECT", "BM_MAP_PINS_DEFAULT", "BM_MAP_PINS_NRF5X",
    "ERASE_BOOTLOADER", "ERASE_BOOTLOADER_ALL_CAN", "PLOT_INIT", "PLOT_DATA", "PLOT_ADD_GRAPH",
    "PLOT_SET_GRAPH", "GET_DECODED_BALANCE", "BM_MEM_READ", "WRITE_NEW_APP_DATA_LZO",
    "WRITE_NEW_APP_DATA_ALL_CAN_LZO", "BM_WRITE_FLASH_LZO", "SET_CURRENT_REL", "CAN_FWD_FRAME",
    "SET_BATTERY_CUT", "SET_BLE_NAME", "SET_BLE_PIN", "SET_CAN_MODE", "GET_IMU_CALIBRATION",
    "GET_MCCONF_TEMP", "GET_CUSTOM_CONFIG_XML", "GET_CUSTOM_CONFIG", "GET_CUSTOM_CONFIG_DEFAULT",
    "SET_CUSTOM_CONFIG", "BMS_GET_VALUES", "BMS_SET_CHARGE_ALLOWED", "BMS_SET_BALANCE_OVERRIDE",
    "BMS_RESET_COUNTERS", "BMS_FORCE_BALANCE", "BMS_ZERO_CURRENT_OFFSET", "JUMP_TO_BOOTLOADER_HW",
    "ERASE_NEW_APP_HW", "WRITE_NEW_APP_DATA_HW", "ERASE_BOOTLOADER_HW", "JUMP_TO_BOOTLOADER_ALL_CAN_HW",
    "ERASE_NEW_APP_ALL_CAN_HW", "WRITE_NEW_APP_DATA_ALL_CAN_HW", "ERASE_BOOTLOADER_ALL_CAN_HW",
    "SET_ODOMETER", "PSW_GET_STATUS", "PSW_SWITCH", "BMS_FWD_CAN_RX", "BMS_HW_DATA", "GET_BATTERY_CUT",
    "BM_HALT_REQ", "GET_QML_UI_HW", "GET_QML_UI_APP", "CUSTOM_HW_DATA", "QMLUI_ERASE", "QMLUI_WRITE",
    "IO_BOARD_GET_ALL", "IO_BOARD_SET_PWM", "IO_BOARD_SET_DIGITAL", "BM_MEM_WRITE", "BMS_BLNC_SELFTEST",
    "GET_EXT_HUM_TMP", "GET_STATS", "RESET_STATS", "LISP_READ_CODE", "LISP_WRITE_CODE", "LISP_ERASE_CODE",
    "LISP_SET_RUNNING", "LISP_GET_STATS", "LISP_PRINT", "BMS_SET_BATT_TYPE", "BMS_GET_BATT_TYPE",
    "LISP_REPL_CMD", "LISP_STREAM_CODE", "FILE_LIST", "FILE_READ", "FILE_WRITE", "FILE_MKDIR",
    "FILE_REMOVE", "LOG_START", "LOG_STOP", "LOG_CONFIG_FIELD", "LOG_DATA_F32", "SET_APPCONF_NO_STORE",
    "GET_GNSS", "LOG_DATA_F64", "LISP_RMSG", "PINLOCK1", "PINLOCK2", "PINLOCK3", "SHUTDOWN", "FW_INFO",
    "CAN_UPDATE_BAUD_ALL", "MOTOR_ESTOP",
}
-- Names by a field's value, which counts from 0.
local FAULT_NAMES = {
    "NONE", "OVER_VOLTAGE", "UNDER_VOLTAGE", "DRV", "ABS_OVER_CURRENT", "OVER_TEMP_FET", "OVER_TEMP_MOTOR",
    "GATE_DRIVER_OVER_VOLTAGE", "GATE_DRIVER_UNDER_VOLTAGE", "MCU_UNDER_VOLTAGE",
    "BOOTING_FROM_WATCHDOG_RESET", "ENCODER_SPI", "ENCODER_SINCOS_BELOW_MIN_AMPLITUDE",
    "ENCODER_SINCOS_ABOVE_MAX_AMPLITUDE", "FLASH_CORRUPTION", "HIGH_OFFSET_CURRENT_SENSOR_1",
    "HIGH_OFFSET_CURRENT_SENSOR_2", "HIGH_OFFSET_CURRENT_SENSOR_3", "UNBALANCED_CURRENTS", "BRK",
    "RESOLVER_LOT", "RESOLVER_DOS", "RESOLVER_LOS", "FLASH_CORRUPTION_APP_CFG", "FLASH_CORRUPTION_MC_CFG",
    "ENCODER_NO_MAGNET", "ENCODER_MAGNET_TOO_STRONG", "PHASE_FILTER", "ENCODER_FAULT", "LV_OUTPUT_FAULT",
    "ENCODER_SLIP", "OVERSPEED", "UNDERSPEED", "ABS_OVERSPEED",
}
local LAYOUT_OFS = {
    [503309878] = "MCCONF of 3.60", [657785302] = "MCCONF of 4.00", [3632471335] = "MCCONF of 4.02",
    [3698540221] = "MCCONF of 5.00 and 5.01", [2211848314] = "MCCONF of 5.02",
    [2525666056] = "MCCONF of 5.03", [776184161] = "MCCONF of 6.00 and 6.02",
    [1065524471] = "MCCONF of 6.05", [788332866] = "MCCONF of 6.06", [1470992211] = "MCCONF of 7.00",
    [2466726157] = "MCCONF of 7.01", [543202478] = "APPCONF of 3.60", [511269002] = "APPCONF of 4.00",
    [1232755601] = "APPCONF of 4.02", [2460147246] = "APPCONF of 5.00 and 5.01",
    [3264926020] = "APPCONF of 5.02", [3733512279] = "APPCONF of 5.03",
    [486554156] = "APPCONF of 6.00 and 6.02", [2099347128] = "APPCONF of 6.05 and 6.06",
    [2384027283] = "APPCONF of 7.00", [982638166] = "APPCONF of 7.01",
}
local MODE_NAMES = {
    "none", "inductance", "observer", "encoder", "pid_position", "pid_error", "encoder_less_observer",
    "hall_less_observer",
}
-- The config of an Express, where it has one.
local CONFIG = {
    { "config.can_id", "i16" }, { "config.can_baud_index", "u8" }, { "config.status_rate_hz", "i16" },
    { "config.wifi_mode", "u8" }, { "config.station_ssid", "text" },
    { "config.station_key", "text", secret = true }, { "config.access_point_ssid", "text" },
    { "config.access_point_key", "text", secret = true }, { "config.local_tcp", "flag" },
    { "config.hub", "flag" }, { "config.hub_url", "text" }, { "config.hub_port", "u16" },
    { "config.hub_id", "text" }, { "config.hub_password", "text", secret = true },
    { "config.ble_mode", "u8" }, { "config.ble_name", "text" }, { "config.ble_pin", "u32", secret = true },
    { "config.ble_service_capacity", "u32" }, { "config.ble_attribute_capacity", "u32" },
}
-- A field is its name, its type, and what its counts and units are; the other forms are told in `read_parts`.
local REQUESTS = {
    FW_VERSION = {},
    JUMP_TO_BOOTLOADER = {},
    ERASE_NEW_APP = { { "size", "u32" } },
    WRITE_NEW_APP_DATA = { { "offset", "u32" }, { "data", rest = "bytes" } },
    GET_VALUES = {},
    SET_DUTY = { { "duty", "f32", 100000 } },
    SET_CURRENT = { { "current_a", "f32", 1000 } },
    SET_CURRENT_BRAKE = { { "current_a", "f32", 1000 } },
    SET_RPM = { { "erpm", "i32" } },
    SET_POS = { { "position_deg", "f32", 1000000 } },
    SET_HANDBRAKE = { { "current_a", "f32", 1000 } },
    SET_DETECT = { { "mode", "u8", coded = "mode_name", names = MODE_NAMES } },
    SET_SERVO_POS = { { "position", "f16", 1000 } },
    SET_MCCONF = {
        { "signature", "u32", listed = "layout_of", names = LAYOUT_OFS }, { "data", rest = "bytes" },
    },
    GET_MCCONF = {},
    GET_MCCONF_DEFAULT = {},
    SET_APPCONF = {
        { "signature", "u32", listed = "layout_of", names = LAYOUT_OFS }, { "data", rest = "bytes" },
    },
    GET_APPCONF = {},
    GET_APPCONF_DEFAULT = {},
    SAMPLE_PRINT = {
        {
            "mode", "u8",
            named = { "off", "now", "start", "trigger_start", "trigger_fault", "trigger_start_nosend", "trigger_fault_nosend", "send_last" },
        },
        { "samples", "u16" }, { "decimation", "u8" }, { since = "5.03", { "raw", "u8" } },
    },
    TERMINAL_CMD = { { "text", rest = "text" } },
    REBOOT = {},
    ALIVE = {},
    GET_DECODED_PPM = {},
    GET_DECODED_ADC = {},
    GET_DECODED_CHUK = {},
    FORWARD_CAN = { { "can_id", "u8" }, { "payload", rest = "request" } },
    SET_CHUCK_DATA = {
        { "stick_x", "u8" }, { "stick_y", "u8" }, { "button_c", "flag" }, { "button_z", "flag" },
        { "acceleration_x", "i16" }, { "acceleration_y", "i16" }, { "acceleration_z", "i16" },
        { since = "3.48", { "has_reverse", "flag" } }, { since = "3.48", { "is_reverse", "flag" } },
    },
    CUSTOM_APP_DATA = { { "data", rest = "bytes" } },
    GET_VALUES_SETUP = {},
    SET_MCCONF_TEMP = {
        { "store", "flag" }, { "forward_can", "flag" }, { "acknowledge", "flag" },
        { "divide_by_controllers", "flag" }, { "current_scale_min", "float" },
        { "current_scale_max", "float" }, { "erpm_min", "float" }, { "erpm_max", "float" },
        { "duty_min", "float" }, { "duty_max", "float" }, { "power_min_w", "float" },
        { "power_max_w", "float" },
        { since = "5.02", { "input_current_min_a", "float" }, { "input_current_max_a", "float" } },
    },
    SET_MCCONF_TEMP_SETUP = {
        { "store", "flag" }, { "forward_can", "flag" }, { "acknowledge", "flag" },
        { "divide_by_controllers", "flag" }, { "current_scale_min", "float" },
        { "current_scale_max", "float" }, { "speed_min_m_s", "float" }, { "speed_max_m_s", "float" },
        { "duty_min", "float" }, { "duty_max", "float" }, { "power_min_w", "float" },
        { "power_max_w", "float" },
        { since = "5.02", { "input_current_min_a", "float" }, { "input_current_max_a", "float" } },
    },
    GET_VALUES_SELECTIVE = { { "mask", "u32" } },
    GET_VALUES_SETUP_SELECTIVE = { { "mask", "u32" } },
    JUMP_TO_BOOTLOADER_ALL_CAN = {},
    ERASE_NEW_APP_ALL_CAN = { { "size", "u32" } },
    WRITE_NEW_APP_DATA_ALL_CAN = { { "offset", "u32" }, { "data", rest = "bytes" } },
    PING_CAN = {},
    APP_DISABLE_OUTPUT = { { "forward_can", "flag" }, { "time_ms", "i32" } },
    GET_IMU_DATA = { { "mask", "u16" } },
    ERASE_BOOTLOADER = {},
    ERASE_BOOTLOADER_ALL_CAN = {},
    GET_DECODED_BALANCE = {},
    WRITE_NEW_APP_DATA_LZO = { { "offset", "u32" }, { "length", "u16" }, { "data", rest = "bytes" } },
    WRITE_NEW_APP_DATA_ALL_CAN_LZO = {
        { "offset", "u32" }, { "length", "u16" }, { "data", rest = "bytes" },
    },
    SET_CURRENT_REL = { { "share", "f32", 100000 } },
    CAN_FWD_FRAME = { { "id", "u32" }, { "extended", "flag" }, { "data", rest = "bytes" } },
    SET_BATTERY_CUT = {
        { "start_v", "f32", 1000 }, { "end_v", "f32", 1000 }, { "store", "flag" },
        { "forward_can", "flag" },
    },
    SET_BLE_NAME = { { "name", rest = "text" } },
    SET_BLE_PIN = { { "pin", rest = "secret" } },
    GET_IMU_CALIBRATION = { { "yaw_deg", "f32", 1000 } },
    GET_MCCONF_TEMP = {},
    GET_CUSTOM_CONFIG_XML = { { "index", "i8" }, { "length", "i32" }, { "offset", "i32" } },
    GET_CUSTOM_CONFIG = { { "index", "i8" } },
    GET_CUSTOM_CONFIG_DEFAULT = { { "index", "i8" } },
    SET_CUSTOM_CONFIG = { { "index", "u8" }, { "signature", "u32" }, { "data", rest = "config" } },
    BMS_GET_VALUES = {},
    BMS_SET_CHARGE_ALLOWED = { { "allowed", "flag" } },
    BMS_SET_BALANCE_OVERRIDE = { { "cell", "u8" }, { "mode", "u8", named = { "automatic", "off", "on" } } },
    BMS_RESET_COUNTERS = { { "ah", "flag" }, { "wh", "flag" } },
    BMS_FORCE_BALANCE = { { "enabled", "flag" } },
    BMS_ZERO_CURRENT_OFFSET = {},
    JUMP_TO_BOOTLOADER_HW = { { "hardware_type", "u8" }, { "hardware", "text" } },
    ERASE_NEW_APP_HW = { { "hardware_type", "u8" }, { "hardware", "text" }, { "size", "u32" } },
    WRITE_NEW_APP_DATA_HW = {
        { "hardware_type", "u8" }, { "hardware", "text" }, { "offset", "u32" }, { "data", rest = "bytes" },
    },
    ERASE_BOOTLOADER_HW = { { "hardware_type", "u8" }, { "hardware", "text" } },
    JUMP_TO_BOOTLOADER_ALL_CAN_HW = { { "hardware_type", "u8" }, { "hardware", "text" } },
    ERASE_NEW_APP_ALL_CAN_HW = { { "hardware_type", "u8" }, { "hardware", "text" }, { "size", "u32" } },
    WRITE_NEW_APP_DATA_ALL_CAN_HW = {
        { "hardware_type", "u8" }, { "hardware", "text" }, { "offset", "u32" }, { "data", rest = "bytes" },
    },
    ERASE_BOOTLOADER_ALL_CAN_HW = { { "hardware_type", "u8" }, { "hardware", "text" } },
    SET_ODOMETER = { { "odometer_m", "u32" } },
    PSW_GET_STATUS = { { "by_id", "flag" }, { "id", "i16" } },
    PSW_SWITCH = { { "id", "i16" }, { "on", "flag" }, { "plot", "flag" } },
    GET_BATTERY_CUT = {},
    GET_QML_UI_HW = { { "length", "i32" }, { "offset", "i32" } },
    GET_QML_UI_APP = { { "length", "i32" }, { "offset", "i32" } },
    QMLUI_ERASE = { { since = "5.03", { "size", "i32" } } },
    QMLUI_WRITE = { { "offset", "u32" }, { "data", rest = "bytes" } },
    IO_BOARD_GET_ALL = { { "id", "i16" } },
    IO_BOARD_SET_PWM = { { "id", "i16" }, { "channel", "i16" }, { "duty", "float" } },
    IO_BOARD_SET_DIGITAL = { { "id", "i16" }, { "channel", "i16" }, { "on", "flag" } },
    GET_STATS = { { "mask", "u16" } },
    RESET_STATS = { { since = "5.03", { "acknowledge", "u8" } } },
    LISP_READ_CODE = { { "length", "i32" }, { "offset", "i32" } },
    LISP_WRITE_CODE = { { "offset", "u32" }, { "data", rest = "bytes" } },
    LISP_ERASE_CODE = { { since = "5.03", { "size", "i32" } } },
    LISP_SET_RUNNING = { { "running", "flag" } },
    LISP_GET_STATS = { { since = "6.00", { "all", "flag" } } },
    LISP_REPL_CMD = { { "text", rest = "line" } },
    LISP_STREAM_CODE = {
        { "offset", "i32" }, { "total", "i32" }, { "mode", "i8" }, { "data", rest = "bytes" },
    },
    FILE_LIST = { { "path", "text" }, { "from", "text" } },
    FILE_READ = { { "path", "text" }, { "offset", "i32" } },
    FILE_WRITE = { { "path", "text" }, { "offset", "i32" }, { "size", "i32" }, { "data", rest = "bytes" } },
    FILE_MKDIR = { { "path", "text" } },
    FILE_REMOVE = { { "path", "text" } },
    LOG_START = {
        { "fields", "i16" }, { "rate_hz", "float" }, { "time", "flag" }, { "gnss", "flag" },
        { "gnss_time", "flag" },
    },
    LOG_STOP = {},
    LOG_CONFIG_FIELD = {
        { "index", "i16" }, { "key", "text" }, { "name", "text" }, { "unit", "text" },
        { "precision", "u8" }, { "relative", "flag" }, { "timestamp", "flag" },
    },
    LOG_DATA_F32 = { { "first", "i16" }, { repeated = true, { "values", "float" } } },
    SET_APPCONF_NO_STORE = {
        { "signature", "u32", listed = "layout_of", names = LAYOUT_OFS }, { "data", rest = "bytes" },
    },
    GET_GNSS = { { "mask", "u16" } },
    LOG_DATA_F64 = { { "first", "i16" }, { repeated = true, { "values", "double" } } },
    SHUTDOWN = { { "force", "u8" }, { "restart", "u8" } },
    MOTOR_ESTOP = { { "time_ms", "u16" } },
}
local REPLIES = {
    FW_VERSION = {
        { "major", "i8", hidden = true }, { "minor", "i8", version = "firmware" },
        { since = "3.07", { "hardware", "text" } }, { since = "3.09", { "uuid", "bytes", count = 12 } },
        { since = "3.48", { "paired", "flag" } }, { since = "5.00", { "test_version", "u8" } },
        { since = "5.02", { "hardware_type", "u8" } }, { since = "5.02", { "custom_configs", "u8" } },
        { since = "5.03", { "phase_filters", "flag" } },
        { since = "5.03", { "qml_hardware", "u8" }, { "qml_app", "u8" } },
        { since = "6.00", { "nrf_flags", "u8" } }, { since = "6.00", { "firmware_name", "text" } },
        { since = "6.05", { "config_crc", "u32" } },
    },
    ERASE_NEW_APP = { { "ok", "flag" } },
    WRITE_NEW_APP_DATA = { { "ok", "flag" }, { since = "3.67", { "offset", "u32" } } },
    GET_VALUES = {
        { "fet_temperature_c", "f16", 10 }, { "motor_temperature_c", "f16", 10 },
        { "motor_current_a", "f32", 100 }, { "input_current_a", "f32", 100 },
        { "id_current_a", "f32", 100 }, { "iq_current_a", "f32", 100 }, { "duty", "f16", 1000 },
        { "erpm", "f32", 1 }, { "input_voltage_v", "f16", 10 }, { "drawn_ah", "f32", 10000 },
        { "charged_ah", "f32", 10000 }, { "drawn_wh", "f32", 10000 }, { "charged_wh", "f32", 10000 },
        { "tachometer", "i32" }, { "tachometer_absolute", "i32" },
        { "fault", "u8", coded = "fault_name", names = FAULT_NAMES },
        { since = "3.34", { "pid_position_deg", "f32", 1000000 } }, { since = "3.40", { "can_id", "u8" } },
        { since = "3.48", { "fet_temperatures_c", "f16", 10, count = 3 } },
        { since = "3.60", { "vd_v", "f32", 1000 }, { "vq_v", "f32", 1000 } },
        { since = "5.03", { "flags", "u8", bits = { "timeout_active", "kill_switch_active" } } },
    },
    SET_MCCONF = {},
    GET_MCCONF = {
        { "signature", "u32", listed = "layout_of", names = LAYOUT_OFS }, { "data", rest = "bytes" },
    },
    GET_MCCONF_DEFAULT = {
        { "signature", "u32", listed = "layout_of", names = LAYOUT_OFS }, { "data", rest = "bytes" },
    },
    SET_APPCONF = {},
    GET_APPCONF = {
        { "signature", "u32", listed = "layout_of", names = LAYOUT_OFS }, { "data", rest = "bytes" },
    },
    GET_APPCONF_DEFAULT = {
        { "signature", "u32", listed = "layout_of", names = LAYOUT_OFS }, { "data", rest = "bytes" },
    },
    SAMPLE_PRINT = {
        { "phase_1_a", "float" }, { "phase_2_a", "float" }, { if_left = 30, { "phase_3_a", "float" } },
        { "phase_1_v", "float" }, { "phase_2_v", "float" }, { "phase_3_v", "float" },
        { "zero_v", "float" }, { "total_current_a", "float" }, { "switching_frequency_hz", "float" },
        { "status", "u8" }, { "phase", "u8" },
    },
    PRINT = { { "text", rest = "text" } },
    ROTOR_POSITION = { { "position_deg", "f32", 100000 } },
    GET_DECODED_PPM = { { "level", "f32", 1000000 }, { "pulse_ms", "f32", 1000000 } },
    GET_DECODED_ADC = {
        { "level", "f32", 1000000 }, { "voltage_v", "f32", 1000000 }, { "level_2", "f32", 1000000 },
        { "voltage_2_v", "f32", 1000000 },
    },
    GET_DECODED_CHUK = { { "level", "f32", 1000000 } },
    CUSTOM_APP_DATA = { { "data", rest = "bytes" } },
    GET_VALUES_SETUP = {
        { "fet_temperature_c", "f16", 10 }, { "motor_temperature_c", "f16", 10 },
        { "total_motor_current_a", "f32", 100 }, { "total_input_current_a", "f32", 100 },
        { "duty", "f16", 1000 }, { "erpm", "f32", 1 }, { "speed_m_s", "f32", 1000 },
        { "input_voltage_v", "f16", 10 }, { "battery_level", "f16", 1000 }, { "total_ah", "f32", 10000 },
        { "total_charged_ah", "f32", 10000 }, { "total_wh", "f32", 10000 },
        { "total_charged_wh", "f32", 10000 }, { "distance_m", "f32", 1000 },
        { "distance_absolute_m", "f32", 1000 }, { "pid_position_deg", "f32", 1000000 },
        { "fault", "u8", coded = "fault_name", names = FAULT_NAMES }, { "can_id", "u8" },
        { "vesc_count", "u8" }, { "battery_left_wh", "f32", 1000 },
        { since = "5.02", { "odometer_m", "u32" } }, { since = "5.03", { "uptime_ms", "u32" } },
    },
    SET_MCCONF_TEMP = {},
    SET_MCCONF_TEMP_SETUP = {},
    GET_VALUES_SELECTIVE = {
        { "mask", "u32" },
        {
            chosen = 19, { "fet_temperature_c", "f16", 10 }, { "motor_temperature_c", "f16", 10 },
            { "motor_current_a", "f32", 100 }, { "input_current_a", "f32", 100 },
            { "id_current_a", "f32", 100 }, { "iq_current_a", "f32", 100 }, { "duty", "f16", 1000 },
            { "erpm", "f32", 1 }, { "input_voltage_v", "f16", 10 }, { "drawn_ah", "f32", 10000 },
            { "charged_ah", "f32", 10000 }, { "drawn_wh", "f32", 10000 }, { "charged_wh", "f32", 10000 },
            { "tachometer", "i32" }, { "tachometer_absolute", "i32" },
            { "fault", "u8", coded = "fault_name", names = FAULT_NAMES },
            { "pid_position_deg", "f32", 1000000 }, { "can_id", "u8" },
            { "fet_temperatures_c", "f16", 10, count = 3 }, { "vd_v", "f32", 1000 },
            { "vq_v", "f32", 1000 }, { "flags", "u8", bits = { "timeout_active", "kill_switch_active" } },
        },
    },
    GET_VALUES_SETUP_SELECTIVE = {
        { "mask", "u32" },
        {
            chosen = 20, { "fet_temperature_c", "f16", 10 }, { "motor_temperature_c", "f16", 10 },
            { "total_motor_current_a", "f32", 100 }, { "total_input_current_a", "f32", 100 },
            { "duty", "f16", 1000 }, { "erpm", "f32", 1 }, { "speed_m_s", "f32", 1000 },
            { "input_voltage_v", "f16", 10 }, { "battery_level", "f16", 1000 },
            { "total_ah", "f32", 10000 }, { "total_charged_ah", "f32", 10000 },
            { "total_wh", "f32", 10000 }, { "total_charged_wh", "f32", 10000 },
            { "distance_m", "f32", 1000 }, { "distance_absolute_m", "f32", 1000 },
            { "pid_position_deg", "f32", 1000000 },
            { "fault", "u8", coded = "fault_name", names = FAULT_NAMES }, { "can_id", "u8" },
            { "vesc_count", "u8" }, { "battery_left_wh", "f32", 1000 }, { "odometer_m", "u32" },
            { "uptime_ms", "u32" },
        },
    },
    PING_CAN = { { "can_ids", rest = "numbers" } },
    GET_IMU_DATA = {
        { "mask", "u16" },
        {
            chosen = 16, { "roll_rad", "float" }, { "pitch_rad", "float" }, { "yaw_rad", "float" },
            { "acceleration_x_g", "float" }, { "acceleration_y_g", "float" },
            { "acceleration_z_g", "float" }, { "rotation_x_deg_s", "float" },
            { "rotation_y_deg_s", "float" }, { "rotation_z_deg_s", "float" }, { "magnetic_x", "float" },
            { "magnetic_y", "float" }, { "magnetic_z", "float" }, { "q0", "float" }, { "q1", "float" },
            { "q2", "float" }, { "q3", "float" },
        },
        { since = "2023-10-15", { "can_id", "u8" } },
    },
    ERASE_BOOTLOADER = { { "ok", "flag" } },
    PLOT_INIT = { { "x_name", "text" }, { "y_name", "text" } },
    PLOT_DATA = { { "x", "float" }, { "y", "float" } },
    PLOT_ADD_GRAPH = { { "name", "text" } },
    PLOT_SET_GRAPH = { { "graph", "u8" } },
    GET_DECODED_BALANCE = {
        { "output_a", "f32", 1000000 }, { "pitch_deg", "f32", 1000000 }, { "roll_deg", "f32", 1000000 },
        { "loop_us", "u32" }, { "motor_current_a", "f32", 1000000 }, { "motor_position", "f32", 1000000 },
        { "state", "u16" }, { "switch", "u16" },
        { since = "5.02", { "adc_1_v", "f32", 1000000 }, { "adc_2_v", "f32", 1000000 } },
        { since = "5.03", { "debug_2", "f32", 1000000 } },
    },
    CAN_FWD_FRAME = { { "id", "u32" }, { "extended", "flag" }, { "data", rest = "bytes" } },
    SET_BATTERY_CUT = {},
    GET_IMU_CALIBRATION = {
        { "rotation_deg", "f32", 1000000, count = 3 },
        { "acceleration_offsets_g", "f32", 1000000, count = 3 },
        { "rotation_offsets_deg_s", "f32", 1000000, count = 3 },
    },
    GET_MCCONF_TEMP = {
        { "current_scale_min", "float" }, { "current_scale_max", "float" }, { "erpm_min", "float" },
        { "erpm_max", "float" }, { "duty_min", "float" }, { "duty_max", "float" },
        { "power_min_w", "float" }, { "power_max_w", "float" }, { "input_current_min_a", "float" },
        { "input_current_max_a", "float" }, { "poles", "u8" }, { "gear_ratio", "float" },
        { "wheel_diameter_m", "float" },
    },
    GET_CUSTOM_CONFIG_XML = {
        { "index", "u8" }, { "total", "i32" }, { "offset", "i32" }, { "data", rest = "bytes" },
    },
    GET_CUSTOM_CONFIG = { { "index", "u8" }, { "signature", "u32" }, { "data", rest = "config" } },
    GET_CUSTOM_CONFIG_DEFAULT = { { "index", "u8" }, { "signature", "u32" }, { "data", rest = "config" } },
    SET_CUSTOM_CONFIG = {},
    BMS_GET_VALUES = {
        { "total_voltage_v", "f32", 1000000 }, { "charge_voltage_v", "f32", 1000000 },
        { "current_a", "f32", 1000000 }, { "chip_current_a", "f32", 1000000 },
        { "counter_ah", "f32", 1000 }, { "counter_wh", "f32", 1000 },
        {
            counted = "cell_count", negative = "negative_cell_count", { "cell_voltages_v", "f16", 1000 },
            { "balancing", "flag" },
        },
        {
            counted = "temperature_count", negative = "negative_temperature_count",
            { "temperatures_c", "f16", 100 },
        },
        { "chip_temperature_c", "f16", 100 }, { "humidity_temperature_c", "f16", 100 },
        { "humidity_percent", "f16", 100 }, { "highest_cell_temperature_c", "f16", 100 },
        { since = "5.02", { "state_of_charge", "f16", 1000 }, { "state_of_health", "f16", 1000 } },
        { since = "5.03", { "can_id", "u8" } },
        {
            since = "5.03", { "total_charged_ah", "float" }, { "total_charged_wh", "float" },
            { "total_discharged_ah", "float" }, { "total_discharged_wh", "float" },
        },
        { since = "6.05", { "pressure_pa", "f16", 1, 10 } }, { since = "6.06", { "data_version", "u8" } },
        { since = "6.06", { "status", "text" } },
    },
    PSW_GET_STATUS = {
        { "id", "i16" }, { "known", "i16" }, { "age_s", "float" }, { "input_voltage_v", "float" },
        { "output_voltage_v", "float" }, { "temperature_c", "float" }, { "output", "flag" },
        { "precharge", "flag" }, { "discharge", "flag" },
    },
    GET_BATTERY_CUT = { { "start_v", "f32", 1000 }, { "end_v", "f32", 1000 } },
    GET_QML_UI_HW = { { "total", "i32" }, { "offset", "i32" }, { "data", rest = "bytes" } },
    GET_QML_UI_APP = { { "total", "i32" }, { "offset", "i32" }, { "data", rest = "bytes" } },
    QMLUI_ERASE = { { "ok", "flag" } },
    QMLUI_WRITE = { { "ok", "flag" }, { "offset", "u32" } },
    IO_BOARD_GET_ALL = {
        { "id", "i16" },
        { tag = 1, { "adc_1_to_4_age_s", "float" }, { "adc_1_to_4_v", "f16", 100, count = 4 } },
        { tag = 2, { "adc_5_to_8_age_s", "float" }, { "adc_5_to_8_v", "f16", 100, count = 4 } },
        {
            tag = 3, { "digital_age_s", "float" }, { "inputs_33_to_64", "u32" },
            { "inputs_1_to_32", "u32" },
        },
    },
    GET_STATS = {
        { "mask", "u32" },
        {
            chosen = 11, { "speed_average_m_s", "float" }, { "speed_max_m_s", "float" },
            { "power_average_w", "float" }, { "power_max_w", "float" }, { "current_average_a", "float" },
            { "current_max_a", "float" }, { "fet_temperature_average_c", "float" },
            { "fet_temperature_max_c", "float" }, { "motor_temperature_average_c", "float" },
            { "motor_temperature_max_c", "float" }, { "time_s", "float" },
        },
    },
    RESET_STATS = {},
    LISP_READ_CODE = { { "total", "i32" }, { "offset", "i32" }, { "data", rest = "bytes" } },
    LISP_WRITE_CODE = { { "ok", "flag" }, { "offset", "u32" } },
    LISP_ERASE_CODE = { { "ok", "flag" } },
    LISP_SET_RUNNING = { { "ok", "flag" } },
    LISP_GET_STATS = {
        { "cpu_percent", "f16", 100 }, { "heap_percent", "f16", 100 }, { "memory_percent", "f16", 100 },
        { "stack_percent", "f16", 100 }, { "result", "text" },
        { repeated = true, { "names", "text" }, { "values", "float" } },
    },
    LISP_PRINT = { { "text", rest = "line" } },
    LISP_STREAM_CODE = { { "offset", "i32" }, { "result", "i16" } },
    FILE_LIST = {
        { "more", "flag" },
        { repeated = true, { "directory", "flag" }, { "sizes", "i32" }, { "names", "text" } },
    },
    FILE_READ = { { "offset", "i32" }, { "size", "i32" }, { "data", rest = "bytes" } },
    FILE_WRITE = { { "offset", "i32" }, { "ok", "flag" } },
    FILE_MKDIR = { { "ok", "flag" } },
    FILE_REMOVE = { { "ok", "flag" } },
    LOG_START = {
        { "fields", "i16" }, { "rate_hz", "float" }, { "time", "flag" }, { "gnss", "flag" },
        { "gnss_time", "flag" },
    },
    LOG_STOP = {},
    LOG_CONFIG_FIELD = {
        { "index", "i16" }, { "key", "text" }, { "name", "text" }, { "unit", "text" },
        { "precision", "u8" }, { "relative", "flag" }, { "timestamp", "flag" },
    },
    LOG_DATA_F32 = { { "first", "i16" }, { repeated = true, { "values", "float" } } },
    SET_APPCONF_NO_STORE = {},
    GET_GNSS = {
        { "mask", "u32" },
        {
            chosen = 10, { "latitude_deg", "f64", 10000000000000000 },
            { "longitude_deg", "f64", 10000000000000000 }, { "height_m", "float" },
            { "speed_m_s", "float" }, { "hdop", "float" }, { "time_of_day_ms", "i32" }, { "year", "i16" },
            { "month", "u8" }, { "day", "u8" }, { "age_s", "float" },
        },
    },
    LOG_DATA_F64 = { { "first", "i16" }, { repeated = true, { "values", "double" } } },
}
-- Replies as old firmware lays them out.
local OLD_REPLIES = {
    GET_VALUES = {
        { "board_temperatures_c", "f16", 10, count = 6 }, { "pcb_temperature_c", "f16", 10 },
        { "motor_current_a", "f32", 100 }, { "input_current_a", "f32", 100 }, { "duty", "f16", 1000 },
        { "erpm", "f32", 1 }, { "input_voltage_v", "f16", 10 }, { "drawn_ah", "f32", 10000 },
        { "charged_ah", "f32", 10000 }, { "drawn_wh", "f32", 10000 }, { "charged_wh", "f32", 10000 },
        { "tachometer", "i32" }, { "tachometer_absolute", "i32" },
        { "fault", "u8", coded = "fault_name", names = FAULT_NAMES },
    },
}
-- END of the tables made from wire/src/command

local ID = {}
local COMMAND_NAMES = {}
for index, name in ipairs(COMMANDS) do
    ID[name] = index - 1
    COMMAND_NAMES[index - 1] = name
end

local function command_name(id)
    return COMMAND_NAMES[id] or string.format("0x%02x", id)
end

---------------------------------------------------------------------------------------------------------
-- Fields as Wireshark knows them

-- The family of a command's fields: its name without the verb and without what asks for less of it.
local function family_of(command)
    local name = command:lower()
    if name:find("^bms_") then
        return "bms"
    end
    return (name:gsub("^[gs]et_", ""):gsub("_selective$", ""):gsub("_default$", ""))
end

local TYPES = {
    u8 = { size = 1, field = ProtoField.int32 }, i8 = { size = 1, signed = true, field = ProtoField.int32 },
    u16 = { size = 2, field = ProtoField.int32 }, i16 = { size = 2, signed = true, field = ProtoField.int32 },
    u32 = { size = 4, field = ProtoField.uint32 }, i32 = { size = 4, signed = true, field = ProtoField.int32 },
    f16 = { size = 2, signed = true, field = ProtoField.double },
    f32 = { size = 4, signed = true, field = ProtoField.double },
    f64 = { size = 8, signed = true, field = ProtoField.double },
    float = { size = 4, field = ProtoField.double },
    double = { size = 8, field = ProtoField.double },
    flag = { size = 1, field = ProtoField.bool },
    text = { field = ProtoField.string },
    string = { field = ProtoField.string },
    bytes = { field = ProtoField.bytes },
}

-- What every login line, frame or piece of noise can have, next to the fields of its family.
local f = {
    kind = ProtoField.string("vesc.kind", "kind"),
    direction = ProtoField.string("vesc.direction", "direction"),
    start = ProtoField.uint8("vesc.start", "start byte"),
    length = ProtoField.uint32("vesc.length", "payload length"),
    command = ProtoField.uint8("vesc.command", "command", base.DEC, COMMAND_NAMES),
    crc = ProtoField.uint16("vesc.crc", "CRC", base.HEX),
    stop = ProtoField.uint8("vesc.stop", "stop byte"),
    noise = ProtoField.bytes("vesc.noise", "noise"),
    noise_length = ProtoField.uint32("vesc.noise.length", "length"),
    unfinished = ProtoField.uint32("vesc.unfinished", "unfinished"),
    arguments = ProtoField.bytes("vesc.arguments", "arguments"),
    trailing = ProtoField.bytes("vesc.trailing", "trailing"),
    not_there = ProtoField.string("vesc.not_there", "not there"),
    undecoded = ProtoField.string("vesc.undecoded", "undecoded"),
    masked = ProtoField.string("vesc.masked", "masked"),
    request_in = ProtoField.framenum("vesc.request_in", "request in frame", base.NONE, frametype.REQUEST),
    reply_in = ProtoField.framenum("vesc.reply_in", "reply in frame", base.NONE, frametype.RESPONSE),
    latency = ProtoField.relative_time("vesc.latency", "time since the request"),
}
local COMMON = { arguments = { "arguments", "bytes" }, trailing = { "trailing", "bytes" },
                 undecoded = { "undecoded", "string" }, not_there = { "not_there", "string" } }

-- What is shown of each family, by name: name, type, and `count` for lists.
local spec = {
    login = { type = { "type", "string" }, id = { "id", "string" }, refused = { "refused", "string" } },
    discovery = { name = { "name", "string" }, address = { "address", "string" }, port = { "port", "u16" } },
}

-- Of a field that commands of a family write in different sizes, the largest counts.
local function declare(family, name, kind, count)
    spec[family] = spec[family] or {}
    local known = spec[family][name]
    if not known or (TYPES[known[2]].size or 0) < (TYPES[kind].size or 0) then
        spec[family][name] = { name, kind, count = count }
    end
end

local function declare_field(family, entry, count)
    if entry.version then
        declare(family, entry.version, "string")
    elseif entry.named then
        declare(family, entry[1], "string")
    elseif entry.bits then
        for _, name in ipairs(entry.bits) do
            declare(family, name, "flag")
        end
    elseif not entry.hidden and not entry.secret then
        declare(family, entry[1], entry[2], entry[2] ~= "bytes" and entry.count or count)
        if entry.coded then
            declare(family, entry.coded, "string")
        elseif entry.listed then
            declare(family, entry.listed, "string")
        end
    end
end

local function declare_parts(family, parts, count)
    for _, part in ipairs(parts) do
        if part.since or part.chosen or part.counted or part.repeated or part.tag or part.if_left then
            if part.counted then
                declare(family, part.negative, "i8")
            end
            declare_parts(family, part, part.counted or part.repeated)
        elseif part.rest == "config" then
            declare_parts(family, CONFIG)
        elseif part.rest == "request" then
            declare(family, "command", "string")
            declare(family, part[1], "bytes")
        elseif part.rest == "secret" then
            -- Nothing of it is ever shown.
        elseif part.rest then
            local kind = ({ numbers = "u8", text = "string", line = "string" })[part.rest] or "bytes"
            declare(family, part[1], kind, part.rest == "numbers")
        else
            declare_field(family, part, count)
        end
    end
end

for _, commands in ipairs({ REQUESTS, REPLIES, OLD_REPLIES }) do
    for command, parts in pairs(commands) do
        declare_parts(family_of(command), parts)
    end
end

local fields = {}
for _, field in pairs(f) do
    fields[#fields + 1] = field
end
for family, list in pairs(spec) do
    for name, entry in pairs(list) do
        entry.field = TYPES[entry[2]].field("vesc." .. family .. "." .. name, name:match("[^.]+$"))
        fields[#fields + 1] = entry.field
    end
end
for name, entry in pairs(COMMON) do
    entry.field = f[name]
end
vesc.fields = fields

local e = {
    crc = ProtoExpert.new("vesc.bad_crc", "CRC differs", expert.group.CHECKSUM, expert.severity.ERROR),
    noise = ProtoExpert.new("vesc.is_noise", "Bytes that belong to no frame", expert.group.MALFORMED,
                            expert.severity.WARN),
    undecoded = ProtoExpert.new("vesc.is_undecoded", "Payload too short", expert.group.MALFORMED,
                                expert.severity.WARN),
    trailing = ProtoExpert.new("vesc.has_trailing", "Bytes behind the last known field",
                               expert.group.UNDECODED, expert.severity.NOTE),
    refused = ProtoExpert.new("vesc.is_refused", "A hub refuses this login", expert.group.RESPONSE_CODE,
                              expert.severity.WARN),
}
vesc.experts = { e.crc, e.noise, e.undecoded, e.trailing, e.refused }

vesc.prefs.tcp_ports = Pref.range("TCP ports", "65101,65102",
    "Ports of hubs and of devices themselves; sessions at other ports are found by their contents.", 65535)
vesc.prefs.udp_ports = Pref.range("UDP ports", "65109",
    "Ports at which devices tell where they are; add 65102 for frames in datagrams.", 65535)
vesc.prefs.to_device = Pref.uint("Largest payload to a device", 512, "512 bytes in all known firmware.")
vesc.prefs.to_tool = Pref.uint("Largest payload to a tool", 10000, "10000 bytes in VESC Tool.")

---------------------------------------------------------------------------------------------------------
-- Numbers

-- Lua 5.2 has no operator for it, and newer ones no library that is always there.
local bxor = bit and bit.bxor or bit32 and bit32.bxor or load("return function(a, b) return a ~ b end")()

-- CRC-16/XMODEM.
local CRC = {}
for byte = 0, 255 do
    local crc = byte * 256
    for _ = 1, 8 do
        crc = crc * 2
        if crc >= 65536 then
            crc = bxor(crc - 65536, 0x1021)
        end
    end
    CRC[byte] = crc
end

local function crc16(bytes, from, to)
    local crc = 0
    for index = from, to do
        local high = math.floor(crc / 256)
        crc = bxor((crc - high * 256) * 256, CRC[bxor(high, bytes:byte(index))])
    end
    return crc
end

-- Big endian; `at` counts from 0.
local function integer(bytes, at, size, signed)
    local value = 0
    for index = at + 1, at + size do
        value = value * 256 + bytes:byte(index)
    end
    if signed and value >= 2 ^ (8 * size - 1) then
        value = value - 2 ^ (8 * size)
    end
    return value
end

-- The firmware's packed float: an IEEE single, but for the patterns at both ends. The shortest decimal
-- that names the single is shown: 83.774, not 83.77400207519531; `exact` asks for the latter.
local function packed_float(bits, exact)
    local sign = 1
    if bits >= 2 ^ 31 then
        sign, bits = -1, bits - 2 ^ 31
    end
    local exponent = math.floor(bits / 2 ^ 23)
    local fraction = bits - exponent * 2 ^ 23
    if exponent == 255 then
        return sign * math.huge
    elseif exponent == 0 then
        return fraction == 0 and sign * 0.0 or sign * (fraction / 2 ^ 24 + 0.5) * 2 ^ -126
    end
    local value = (1 + fraction / 2 ^ 23) * 2 ^ (exponent - 127)
    if exact then
        return sign * value
    end
    for digits = 1, 9 do
        -- The factor rounds halves up.
        local short = tonumber(string.format("%." .. digits .. "g", value * (1 + 1e-14)))
        -- Half the distance to the next single; below a power of 2 they stand closer.
        local half = 2 ^ (exponent - 127 - (fraction == 0 and short < value and 25 or 24))
        local off = math.abs(short - value)
        if off < half or off == half and fraction % 2 == 0 then
            return sign * short
        end
    end
    return sign * value
end

-- A packed float of a value, and one of what that leaves out.
local function packed_double(near, rest)
    near = packed_float(near, true)
    if near == math.huge or near == -math.huge then
        return near
    end
    return near + packed_float(rest, true)
end

local function has_bit(mask, number)
    return math.floor(mask / 2 ^ number) % 2 == 1
end

-- Which bytes may follow a first byte of UTF-8: how many, and the range of the first of them.
local function utf8_follow(byte)
    if byte >= 0xC2 and byte <= 0xDF then
        return 1, 0x80, 0xBF
    elseif byte >= 0xE0 and byte <= 0xEF then
        return 2, byte == 0xE0 and 0xA0 or 0x80, byte == 0xED and 0x9F or 0xBF
    elseif byte >= 0xF0 and byte <= 0xF4 then
        return 3, byte == 0xF0 and 0x90 or 0x80, byte == 0xF4 and 0x8F or 0xBF
    end
    return 0, 0, 0
end

-- What is not UTF-8 becomes a replacement character. Wireshark's own conversion cuts such texts short.
local function utf8_text(bytes)
    local out, at = {}, 1
    while at <= #bytes do
        local first = bytes:byte(at)
        local wanted, low, high = utf8_follow(first)
        local have = 0
        while have < wanted do
            local byte = bytes:byte(at + have + 1)
            if not byte or byte < low or byte > high then
                break
            end
            have, low, high = have + 1, 0x80, 0xBF
        end
        local good = first < 0x80 or wanted > 0 and have == wanted
        out[#out + 1] = good and bytes:sub(at, at + have) or "\239\191\189"
        at = at + have + 1
    end
    return table.concat(out)
end

---------------------------------------------------------------------------------------------------------
-- What a payload says: a list of items { entry, value, at, size, secret }, offsets from the command id.

local Reader = {}
Reader.__index = Reader

local function new_reader(id, bytes, at)
    return setmetatable({ id = id, bytes = bytes, at = at or 1, family = family_of(command_name(id)),
                          items = {} }, Reader)
end

-- Errors that are thrown as a table are ours: the payload is not what its command needs.
local function refuse(reader, text)
    error({ undecoded = command_name(reader.id) .. ": " .. text }, 0)
end

function Reader:left()
    return #self.bytes - self.at
end

function Reader:push(name, value, at, size)
    local entry = COMMON[name] or spec[self.family][name]
    self.items[#self.items + 1] = { entry = entry, value = value, at = at, size = size }
end

function Reader:mask_item(name)
    self.items[#self.items + 1] = { entry = { name }, secret = true }
end

-- The end of a name is what the decoder calls the field, also in errors.
local function last_part(name)
    return name:match("[^.]+$")
end

function Reader:need(name, size)
    if self:left() < size then
        refuse(self, string.format("`%s` at offset %d needs %d bytes, %d are there", last_part(name), self.at,
                                   size, self:left()))
    end
end

function Reader:raw(name, kind)
    local size = TYPES[kind].size
    self:need(name, size)
    local value = integer(self.bytes, self.at, size, TYPES[kind].signed)
    self.at = self.at + size
    return value
end

function Reader:text(name)
    local at = self.at
    local stop = self.bytes:find("\0", at + 1, true)
    if not stop then
        refuse(self, string.format("`%s` at offset %d is not closed by a NUL", last_part(name), at))
    end
    self.at = stop
    return utf8_text(self.bytes:sub(at + 1, stop - 1))
end

function Reader:value(entry)
    local name, kind = entry[1], entry[2]
    if kind == "text" then
        return self:text(name)
    elseif kind == "bytes" then
        self:need(name, entry.count)
        self.at = self.at + entry.count
        return self.bytes:sub(self.at - entry.count + 1, self.at)
    end
    if kind == "double" then
        self:need(name, 8)
        return packed_double(self:raw(name, "u32"), self:raw(name, "u32"))
    end
    if kind == "f64" then
        -- In halves: neither a double nor a signed integer holds all 64 bits.
        self:need(name, 8)
        local high, low = self:raw(name, "i32"), self:raw(name, "u32")
        return (high * 2.0 ^ 32 + low) / entry[3]
    end
    local value = self:raw(name, kind)
    if kind == "f16" or kind == "f32" then
        return value * (entry[4] or 1) / entry[3]
    elseif kind == "float" then
        return packed_float(value)
    elseif kind == "flag" then
        return value ~= 0
    end
    return value
end

-- One value of a field, and what is shown of it.
function Reader:get(entry)
    local name, at = entry[1], self.at
    local value = self:value(entry)
    local size = self.at - at
    if name == "mask" then
        self.mask = value
    end
    if entry.hidden then
        self.major = value
    elseif entry.secret then
        self:mask_item(name)
    elseif entry.version then
        self:push(entry.version, string.format("%d.%02d", self.major, value), at - 1, size + 1)
    elseif entry.named then
        self:push(name, entry.named[value + 1] or "unknown", at, size)
    elseif entry.bits then
        for bit, flag in ipairs(entry.bits) do
            self:push(flag, has_bit(value, bit - 1), at, size)
        end
    else
        self:push(name, value, at, size)
        if entry.coded and entry.names[value + 1] then
            self:push(entry.coded, entry.names[value + 1], at, size)
        elseif entry.listed and entry.names[value] then
            self:push(entry.listed, entry.names[value], at, size)
        end
    end
end

function Reader:get_all(entry)
    for _ = 1, entry[2] ~= "bytes" and entry.count or 1 do
        self:get(entry)
    end
end

function Reader:rest()
    local at = self.at
    self.at = #self.bytes
    return self.bytes:sub(at + 1), at, self.at - at
end

function Reader:rest_as(name)
    local bytes, at, size = self:rest()
    if size > 0 then
        self:push(name, bytes, at, size)
    end
end

-- Device texts are Latin-1. Wireshark ends a text at a NUL, so that one is shown as a picture.
function Reader:latin1(name, closed)
    local bytes, at, size = self:rest()
    if closed then
        bytes = bytes:gsub("\0$", "")
    end
    local text = bytes:gsub("[\0\128-\255]", function(char)
        local code = char:byte()
        if code == 0 then
            return "␀"
        end
        return string.char(0xC0 + math.floor(code / 64), 0x80 + code % 64)
    end)
    self:push(name, text, at, size)
end

-- Reads on, unless the payload ends too early: then nothing of it was read.
local function attempt(reader, read)
    local at, items = reader.at, #reader.items
    local done, problem = pcall(read)
    if not done and type(problem) ~= "table" then
        error(problem, 0)
    end
    if not done then
        reader.at = at
        while #reader.items > items do
            table.remove(reader.items)
        end
    end
    return done
end

local RESTS

-- Rows of one value of each field up to the end, shown field by field.
local function read_rows(reader, part)
    local items, columns = reader.items, {}
    for column in ipairs(part) do
        columns[column] = {}
    end
    local done, problem = pcall(function()
        while reader:left() > 0 do
            for column, entry in ipairs(part) do
                reader.items = columns[column]
                reader:get(entry)
            end
        end
    end)
    reader.items = items
    if not done then
        error(problem, 0)
    end
    for _, column in ipairs(columns) do
        for _, item in ipairs(column) do
            items[#items + 1] = item
        end
    end
end

local function read_parts(reader, parts)
    for _, part in ipairs(parts) do
        if part.since then
            -- Fields that newer firmware sends, all or none; where they are missing, the payload ends.
            if not attempt(reader, function() read_parts(reader, part) end) then
                return
            end
        elseif part.chosen then
            -- Fields by the bits of the mask, lowest first. Before those that newer firmware sends, the payload may end.
            local missing = {}
            for index, entry in ipairs(part) do
                local chosen = has_bit(reader.mask, index - 1)
                if chosen and index > part.chosen and reader:left() == 0 then
                    missing[#missing + 1] = entry[1]
                elseif chosen then
                    reader:get_all(entry)
                end
            end
            for _, name in ipairs(missing) do
                reader:push("not_there", name, reader.at, 0)
            end
        elseif part.counted then
            -- A count, and as many values of each field. It is signed on the device: below 0, nothing follows it.
            local count = reader:raw(part.counted, "i8")
            if count < 0 then
                reader:push(part.negative, count, reader.at - 1, 1)
            end
            for _, entry in ipairs(part) do
                -- Single bytes are missed as a whole.
                if TYPES[entry[2]].size == 1 then
                    reader:need(entry[1], count)
                end
                for _ = 1, count do
                    reader:get(entry)
                end
            end
        elseif part.repeated then
            read_rows(reader, part)
        elseif part.tag then
            -- Fields behind a byte that says that they are there.
            if reader.bytes:byte(reader.at + 1) == part.tag then
                reader.at = reader.at + 1
                read_parts(reader, part)
            end
        elseif part.if_left then
            -- A field that newer firmware has put in the middle.
            if reader:left() >= part.if_left then
                read_parts(reader, part)
            end
        elseif part.rest then
            RESTS[part.rest](reader, part[1])
        else
            reader:get_all(part)
        end
    end
end

-- Commands about custom configs carry passwords and keys.
local function is_about_config(id)
    return id >= ID.GET_CUSTOM_CONFIG and id <= ID.SET_CUSTOM_CONFIG
end

local function carries_config(payload)
    while payload:byte(1) == ID.FORWARD_CAN and #payload >= 2 do
        payload = payload:sub(3)
    end
    return #payload > 0 and is_about_config(payload:byte(1))
end

local decode

local function get_forwarded(reader, name)
    local payload, at, size = reader:rest()
    if size > 0 then
        reader:push("command", command_name(payload:byte(1)), at, 1)
    end
    -- One level is shown in full, deeper ones as bytes.
    local inner = payload:byte(1) ~= ID.FORWARD_CAN and decode(payload, true)
    if inner and not inner.undecoded then
        for _, item in ipairs(inner.items) do
            item.at = item.at and item.at + at
            reader.items[#reader.items + 1] = item
        end
    elseif carries_config(payload) then
        reader:mask_item(name)
    elseif size > 0 then
        reader:push(name, payload, at, size)
    end
end

-- The fields of an Express, if they fit exactly; unknown ones may be secrets.
local function get_config(reader, name)
    local fits = attempt(reader, function()
        read_parts(reader, CONFIG)
        if reader:left() > 0 then
            refuse(reader, "more than a config")
        end
    end)
    if not fits then
        reader:rest()
        reader:mask_item(name)
    end
end

-- What the bytes are that are left.
RESTS = {
    bytes = Reader.rest_as,
    text = Reader.latin1,
    line = function(reader, name)
        reader:latin1(name, true)
    end,
    config = get_config,
    request = get_forwarded,
    secret = function(reader, name)
        reader:rest()
        reader:mask_item(name)
    end,
    numbers = function(reader, name)
        while reader:left() > 0 do
            reader:get({ name, "u8" })
        end
    end,
}

-- Whether a reply ends between two of the lengths that are known: other firmware laid it out otherwise.
local function too_short_for_more(payload, to_device)
    local known = not to_device and LENGTHS[command_name(payload:byte(1))]
    return known and #payload < known[#known]
end

-- The parts of a payload. Where firmware has changed the layout of a reply, the device's firmware decides, and without
-- one the length. If they contradict each other there are none, and the second result are the lengths that could be.
local function parts_of(payload, to_device, firmware)
    local name = command_name(payload:byte(1))
    local old = not to_device and OLD_LENGTHS[name]
    if not old then
        return (to_device and REQUESTS or REPLIES)[name]
    end
    local has_old_length = #payload == old
    if firmware and (firmware < NEW_VALUES) ~= has_old_length then
        local lengths = {}
        for _, length in ipairs(LENGTHS[name]) do
            if (length == old) == (firmware < NEW_VALUES) then
                lengths[#lengths + 1] = length
            end
        end
        return nil, lengths
    end
    return (has_old_length and OLD_REPLIES or REPLIES)[name]
end

-- Takes a payload apart: `items`, and whether it is `known`, `undecoded` or has bytes `trailing`. `firmware` is that of
-- the device, if it is known.
function decode(payload, to_device, firmware)
    if #payload == 0 then
        return { items = {}, undecoded = true }
    end
    local id = payload:byte(1)
    local reader = new_reader(id, payload)
    local body, possible = parts_of(payload, to_device, firmware)
    local told = { id = id, known = body ~= nil, items = reader.items }
    local no_layout = function(lengths)
        told.items, told.undecoded = {}, true
        reader.items = told.items
        reader:push("undecoded", string.format("%s: %d bytes fit no layout that is known (known: %s)",
            command_name(id), #payload, table.concat(lengths, ", ")))
        return told
    end
    if possible then
        return no_layout(possible)
    end
    local done, problem = pcall(read_parts, reader, body or { { "arguments", rest = "bytes" } })
    if not done then
        if type(problem) ~= "table" then
            error(problem, 0)
        end
        told.items, told.undecoded = {}, true
        reader.items = told.items
        reader:push("undecoded", problem.undecoded)
    elseif reader:left() > 0 and too_short_for_more(payload, to_device) then
        return no_layout(LENGTHS[command_name(id)])
    elseif reader:left() > 0 then
        told.trailing = true
        if is_about_config(id) then
            reader:mask_item("trailing")
        else
            reader:rest_as("trailing")
        end
    end
    return told
end

local function is_request(payload)
    local told = decode(payload, true)
    return not told.undecoded and (told.known and not told.trailing or #payload == 1)
end

local function is_reply(payload)
    local told = decode(payload, false)
    return told.known and not told.undecoded and not told.trailing
end

-- Firmware never answers requests that have no reply here. FORWARD_CAN has that of the command inside.
local NEVER_ANSWERED = {}
for command in pairs(REQUESTS) do
    local reply = ANSWERED_AS[command] or command
    NEVER_ANSWERED[ID[command]] = not REPLIES[reply] and command ~= "FORWARD_CAN"
end

-- The id that the reply will have: a command inside FORWARD_CAN is answered bare.
local function reply_id(payload)
    local id = payload:byte(1)
    if id == ID.FORWARD_CAN then
        id = payload:byte(3)
    end
    local reply = id and ANSWERED_AS[command_name(id)]
    return id and not NEVER_ANSWERED[id] and (reply and ID[reply] or id) or nil
end

---------------------------------------------------------------------------------------------------------
-- Streams: frames, noise and the login line. Positions count from 0.

local LEAST = { [2] = 1, [3] = 0xFF, [4] = 0xFFFF }
local TRAILER = 3

-- What stands at a position: "frame" with header and length, "more", or "noise" of one byte with the
-- reason, if the byte looked like the start of a frame.
local function look(bytes, at, limit)
    local start = bytes:byte(at + 1)
    if not LEAST[start] or start == 4 and limit <= 0xFFFF then
        return "noise"
    end
    local have = #bytes - at
    if have < start then
        return "more"
    end
    local length = integer(bytes, at + 1, start - 1)
    if length < LEAST[start] or length > limit then
        return "noise"
    end
    local total = start + length + TRAILER
    if have < total then
        return "more"
    end
    if bytes:byte(at + total) ~= 3 then
        return "noise"
    end
    local sent = integer(bytes, at + start + length, 2)
    local wanted = crc16(bytes, at + start + 1, at + start + length)
    if sent ~= wanted then
        return "noise", nil, string.format("CRC is 0x%04x, 0x%04x would be right", sent, wanted)
    end
    return "frame", { at = at, start = start, length = length, total = total, crc = sent }
end

local LOGIN_TYPES = { VESC = true, VESCTOOL = true, PING = true }
local MAX_LOGIN_LINE = 256 * 1024

-- Whether a stream begins with a login line: its size, "more" while it may, or nothing.
local function login_size(bytes)
    local stop = bytes:find("\n", 1, true)
    local line = stop and bytes:sub(1, stop) or bytes
    local name, colon = line:match("^([^:]*)(:?)")
    name = name:gsub(" ", ""):upper()
    if colon == ":" then
        if not LOGIN_TYPES[name] then
            return nil
        end
        return stop or (#bytes > MAX_LOGIN_LINE and #bytes or "more")
    end
    for known in pairs(LOGIN_TYPES) do
        if not stop and known:sub(1, #name) == name then
            return "more"
        end
    end
    return nil
end

-- A line as a hub reads it: its type and id, or the reason for which the hub refuses it.
local function read_login(line)
    if line:sub(-1) ~= "\n" then
        return { refused = string.format("the login line has no line feed in %d bytes", MAX_LOGIN_LINE) }
    end
    line = line:sub(1, -2):match("^[^\0]*")
    local parts = {}
    for part in (line .. ":"):gmatch("([^:]*):") do
        parts[#parts + 1] = part
    end
    if #parts ~= 3 then
        return { refused = string.format("the login line needs 3 parts between colons (TYPE:ID:PASSWORD) "
            .. "and has %d; an id or password with a colon can never log in", #parts) }
    end
    local id = parts[2]:gsub(" ", ""):upper()
    local _, characters = id:gsub("[^\128-\191]", "")
    if characters < 3 then
        return { refused = string.format("the id `%s` has fewer than 3 characters", id) }
    end
    return { kind = parts[1]:gsub(" ", ""):upper(), id = id, id_at = #parts[1] + 1, id_size = #parts[2] }
end

-- Cuts bytes into parts { kind, at, size, ... }; the second result is where more bytes are needed.
local function cut(bytes, at, limit)
    local parts, noise = {}, nil
    while at < #bytes do
        local what, frame, reason = look(bytes, at, limit)
        if what == "more" then
            return parts, at
        elseif what == "frame" then
            frame.kind, frame.size, noise = "frame", frame.total, nil
            parts[#parts + 1] = frame
            at = at + frame.total
        else
            if not noise then
                noise = { kind = "noise", at = at, size = 0, reasons = {} }
                parts[#parts + 1] = noise
            end
            noise.size = noise.size + 1
            noise.reasons[#noise.reasons + 1] = reason
            at = at + 1
        end
    end
    return parts, nil
end

---------------------------------------------------------------------------------------------------------
-- Sessions: who is the tool, what was already shown, which reply belongs to which request.

-- Sessions by their ends. Wireshark dissects a file once in order and then any packet again: `calls` and
-- `seen` keep what the first pass found. Fields of TCP are of no use here, the first pass often lacks them.
local sessions, sessions_count, calls, seen = {}, 0, {}, {}

function vesc.init()
    sessions, sessions_count, calls, seen = {}, 0, {}, {}
end

local function session_of(pinfo)
    local from = tostring(pinfo.src) .. " " .. pinfo.src_port
    local to = tostring(pinfo.dst) .. " " .. pinfo.dst_port
    local key = from < to and from .. to or to .. from
    if not sessions[key] then
        sessions_count = sessions_count + 1
        sessions[key] = { number = sessions_count, sides = {}, pending = {}, firmwares = {} }
    end
    local session = sessions[key]
    session.sides[from] = session.sides[from] or { at = 0 }
    return session, from, to
end

local function in_ranges(ranges, port)
    for first, to in tostring(ranges):gmatch("(%d+)%-?(%d*)") do
        if port >= tonumber(first) and port <= tonumber(to ~= "" and to or first) then
            return true
        end
    end
    return false
end

local function tool_by_port(pinfo, from, to)
    if in_ranges(vesc.prefs.tcp_ports, pinfo.dst_port) then
        return from
    elseif in_ranges(vesc.prefs.tcp_ports, pinfo.src_port) then
        return to
    end
    return pinfo.src_port >= pinfo.dst_port and from or to
end

-- A login tells who is the tool, else what the first frame looks like, else the ports.
local function find_tool(session, pinfo, from, to, login, parts, bytes)
    if login then
        session.tool = login.kind == "VESC" and to or from
    end
    for _, part in ipairs(session.tool and {} or parts) do
        if part.kind == "frame" then
            local first = part.at + part.start
            local payload = bytes:sub(first + 1, first + part.length)
            local asks, answers = is_request(payload), is_reply(payload)
            if asks ~= answers then
                session.tool = asks and from or to
            else
                session.tool = tool_by_port(pinfo, from, to)
            end
            break
        end
    end
    return session.tool or tool_by_port(pinfo, from, to)
end

local function match_reply(session, pinfo, to_device, payload, key)
    if pinfo.visited then
        return
    end
    local pending = session.pending
    if to_device then
        local id = reply_id(payload)
        if id then
            pending[id] = pending[id] or {}
            table.insert(pending[id], { key = key, number = pinfo.number, at = pinfo.rel_ts })
        end
    else
        local request = table.remove(pending[payload:byte(1)] or {}, 1)
        if request then
            seen["reply " .. request.key] = pinfo.number
            seen["request " .. key] = { number = request.number, after = pinfo.rel_ts - request.at }
        end
    end
end

-- Which firmware each device of a session told. Requests are open until they are answered; one is given up when its
-- command is asked again after a second, and the oldest when there are too many. These are the rules of
-- transcript/src/firmwares.rs.
local PATIENCE, MOST_OPEN = 1, 64

local function give_up_oldest(asked)
    local versions, values = asked[ID.FW_VERSION], asked[ID.GET_VALUES]
    local is_version = #versions > 0 and (#values == 0 or versions[1].at <= values[1].at)
    table.remove(is_version and versions or values, 1)
end

local function track_firmware(session, pinfo, to_device, payload, key)
    if pinfo.visited then
        return
    end
    session.asked = session.asked or { [ID.FW_VERSION] = {}, [ID.GET_VALUES] = {} }
    local id = payload:byte(1)
    if to_device then
        id = reply_id(payload)
    end
    local open = id and session.asked[id]
    if not open then
        return
    elseif to_device then
        while open[1] and open[1].at + PATIENCE <= pinfo.rel_ts + 1e-9 do
            table.remove(open, 1)
        end
        -- The device that is asked: its CAN id, or the one that the connection leads to.
        local device = payload:byte(1) == ID.FORWARD_CAN and payload:byte(2) or "own"
        table.insert(open, { at = pinfo.rel_ts, device = device })
        if #session.asked[ID.FW_VERSION] + #session.asked[ID.GET_VALUES] > MOST_OPEN then
            give_up_oldest(session.asked)
        end
        return
    end
    local request = table.remove(open, 1)
    if request and payload:byte(1) == ID.GET_VALUES then
        seen["firmware " .. key] = session.firmwares[request.device]
    elseif request and #payload >= 3 then
        session.firmwares[request.device] = integer(payload, 1, 1, true) * 256 + integer(payload, 2, 1, true)
    end
end

---------------------------------------------------------------------------------------------------------
-- The packet tree

local function shown(item)
    local value = item.value
    if type(value) == "number" then
        return string.format("%.15g", value)
    end
    return tostring(value)
end

local function add_item(tree, tvb, item)
    local name = last_part(item.entry[1])
    if item.secret then
        -- No range: the bytes of a field can be seen in some outputs.
        tree:add(f.masked, name):set_text(name .. ": ***")
        return
    end
    local field, value = item.entry.field, item.value
    if item.entry[2] == "bytes" then
        return tree:add(field, tvb(item.at, item.size))
    end
    if item.at and item.size > 0 then
        return tree:add(field, tvb(item.at, item.size), value)
    end
    return tree:add(field, value)
end

-- `tvb` begins at the payload. Lists get a subtree of their own.
local function add_items(tree, tvb, items)
    local index = 1
    while index <= #items do
        local item, to = items[index], index
        if item.entry.count then
            while items[to + 1] and items[to + 1].entry == item.entry do
                to = to + 1
            end
            local values = {}
            for at = index, to do
                values[#values + 1] = shown(items[at])
            end
            local text = string.format("%s: %s", item.entry[1], table.concat(values, " "))
            local list = tree:add(tvb(item.at, items[to].at + items[to].size - item.at), text)
            for at = index, to do
                local line = add_item(list, tvb, items[at])
                line:set_text(string.format("%s[%d]: %s", item.entry[1], at - index, shown(items[at])))
            end
        else
            local line = add_item(tree, tvb, item)
            if item.entry == COMMON.undecoded then
                line:add_proto_expert_info(e.undecoded, item.value)
            elseif item.entry == COMMON.trailing then
                line:add_proto_expert_info(e.trailing)
            end
        end
        index = to + 1
    end
end

local function values_of(items, name)
    local values = {}
    for _, item in ipairs(items) do
        if item.entry[1] == name and not item.secret then
            values[#values + 1] = shown(item)
        end
    end
    return values
end

-- What the info column says behind the command.
local BRIEF = {
    { "firmware", "%s" }, { "hardware", "%s" }, { "can_ids", "%s" }, { "can_id", "CAN %s", "forward_can" },
    { "command", "%s" }, { "total_voltage_v", "%s V" }, { "cell_voltages_v", "#%d cells" },
    { "input_voltage_v", "%s V" }, { "erpm", "%s ERPM" }, { "undecoded", "%s" },
}

local function brief(items)
    local words = {}
    for _, rule in ipairs(BRIEF) do
        local values = values_of(items, rule[1])
        local right = #values > 0 and (not rule[3] or items[1].entry == spec[rule[3]][rule[1]])
        if right then
            local count = rule[2]:match("^#(.*)")
            words[#words + 1] = string.format(count or rule[2], count and #values or table.concat(values, " "))
        end
    end
    return table.concat(words, ", ")
end

local function generated(item)
    item:set_generated(true)
    return item
end

local function add_head(tree, kind, direction)
    generated(tree:add(f.kind, kind))
    generated(tree:add(f.direction, direction))
end

local function render_frame(tree, tvb, frame, context)
    local range = tvb(frame.at, frame.size)
    local payload_at = frame.at + frame.start
    local payload = context.bytes:sub(payload_at + 1, payload_at + frame.length)
    -- Its place in its stream.
    local key = string.format("%d %s %d", context.session.number, context.from, context.base + frame.at)
    match_reply(context.session, context.pinfo, context.to_device, payload, key)
    track_firmware(context.session, context.pinfo, context.to_device, payload, key)
    local told = decode(payload, context.to_device, seen["firmware " .. key])
    local name, what = command_name(told.id), context.to_device and "request" or "reply"
    local branch = tree:add(vesc, range)
    local words = brief(told.items)
    branch:set_text(string.format("VESC, %s %s, %d bytes%s", name, what, frame.length,
                                  words ~= "" and ": " .. words or ""))
    add_head(branch, "frame", context.direction)
    branch:add(f.start, tvb(frame.at, 1), frame.start)
    branch:add(f.length, tvb(frame.at + 1, frame.start - 1), frame.length)
    branch:add(f.command, tvb(payload_at, 1), told.id)
    add_items(branch, tvb(payload_at, frame.length):tvb(), told.items)
    branch:add(f.crc, tvb(payload_at + frame.length, 2), frame.crc):append_text(" [correct]")
    branch:add(f.stop, tvb(frame.at + frame.size - 1, 1), 3)

    local reply, request = seen["reply " .. key], seen["request " .. key]
    if context.to_device and reply then
        generated(branch:add(f.reply_in, reply))
    elseif not context.to_device and request then
        generated(branch:add(f.request_in, request.number))
        local seconds = math.floor(request.after)
        local nanoseconds = math.floor((request.after - seconds) * 1e9 + 0.5)
        generated(branch:add(f.latency, NSTime.new(seconds, nanoseconds)))
    end
    return name .. (context.to_device and "?" or "") .. (words ~= "" and " " .. words or "")
end

local function render_noise(tree, tvb, noise, context)
    local range = tvb(noise.at, noise.size)
    local branch = tree:add(vesc, range)
    branch:set_text(string.format("VESC, noise, %d bytes", noise.size))
    add_head(branch, "noise", context.direction)
    branch:add(f.noise, range)
    generated(branch:add(f.noise_length, noise.size))
    if noise.unfinished then
        generated(branch:add(f.unfinished, noise.unfinished))
    end
    branch:add_proto_expert_info(e.noise)
    for _, reason in ipairs(noise.reasons) do
        branch:add_proto_expert_info(e.crc, reason)
    end
    return string.format("noise (%d bytes)%s", noise.size, #noise.reasons > 0 and " with a bad CRC" or "")
end

local function render_login(tree, tvb, part, context)
    local login = part.login
    local branch = tree:add(vesc, tvb(part.at, part.size))
    add_head(branch, "login", context.direction)
    if login.refused then
        branch:set_text("VESC, login that a hub refuses")
        branch:add(spec.login.refused.field, login.refused):add_proto_expert_info(e.refused, login.refused)
        return "login refused: " .. login.refused
    end
    branch:set_text(string.format("VESC, login of a %s at %s", login.kind == "VESCTOOL" and "tool"
        or login.kind == "VESC" and "device" or "ping", login.id))
    branch:add(spec.login.type.field, tvb(part.at, login.id_at - 1), login.kind)
    branch:add(spec.login.id.field, tvb(part.at + login.id_at, login.id_size), login.id)
    branch:add(f.masked, "password"):set_text("password: ***")
    return string.format("login %s:%s:***", login.kind, login.id)
end

local RENDER = { frame = render_frame, noise = render_noise, login = render_login }

---------------------------------------------------------------------------------------------------------
-- The dissector

-- Where in their stream the bytes of a call begin, and how many of them were shown in an earlier packet:
-- when what is still wanted begins in an earlier segment than the last one, Wireshark comes again with all
-- of them. Later passes leave that earlier packet out, so that nothing is skipped in them.
local function new_call(side, bytes)
    local before = side.before
    if before and #bytes > #before.bytes and bytes:sub(1, #before.bytes) == before.bytes then
        return { base = before.base }, before.done
    end
    return { base = side.at }, 0
end

-- A login line stands at the beginning of a stream; one whose type is there is never taken for noise.
local function head_size(bytes, base)
    local name = bytes:match("^([%a ]+):")
    if base == 0 or name and LOGIN_TYPES[(name:gsub(" ", ""):upper())] then
        return login_size(bytes)
    end
    return nil
end

-- What a call holds, found in the first pass.
local function take_apart(call, bytes, pinfo, session, from, to, skip)
    local size = head_size(bytes, call.base)
    if size == "more" and pinfo.can_desegment > 0 then
        call.parts, call.more_at = {}, 0
        return
    end
    local head
    if type(size) == "number" then
        head = { kind = "login", at = 0, size = size, login = read_login(bytes:sub(1, size)) }
        if skip == 0 then
            session.tool, session.pending = nil, {}
        end
    end
    local at = head and head.size or 0
    local limits = { vesc.prefs.to_device, vesc.prefs.to_tool }
    local most = math.max(limits[1], limits[2])
    call.tool = session.tool
        or find_tool(session, pinfo, from, to, head and head.login, cut(bytes, at, most), bytes)
    call.parts, call.more_at = cut(bytes, at, session.tool and limits[call.tool == from and 1 or 2] or most)
    if head then
        table.insert(call.parts, 1, head)
    end
    if call.more_at and pinfo.can_desegment == 0 then
        local waiting = #bytes - call.more_at
        table.insert(call.parts, { kind = "noise", at = call.more_at, size = waiting, unfinished = waiting,
                                   reasons = {} })
        call.more_at = nil
    end
end

-- A segment, or several put together, whose last byte is the last one of this packet. Later passes may give
-- fewer bytes, up to where the next part began.
local function dissect_stream(tvb, pinfo, tree)
    local bytes = tvb:raw()
    local session, from, to = session_of(pinfo)
    local side = session.sides[from]
    local call_key = string.format("%d %s %d", pinfo.number, from, tvb:offset())
    local call, skip = calls[call_key], 0
    if not (call and pinfo.visited) then
        call, skip = new_call(side, bytes)
        calls[call_key] = call
        take_apart(call, bytes, pinfo, session, from, to, skip)
        local done = call.more_at or #bytes
        side.at = call.base + done
        side.before = done < #bytes and done > 0 and { bytes = bytes, base = call.base, done = done } or nil
    end

    local tool = call.tool or session.tool or tool_by_port(pinfo, from, to)
    pinfo.cols.protocol = "VESC"
    local context = {
        bytes = bytes, pinfo = pinfo, session = session, from = from, base = call.base, to_device = tool == from,
        direction = tool == from and "to-device" or "to-tool",
    }
    local words = {}
    for _, part in ipairs(call.parts) do
        if part.kind == "noise" and part.at < skip and part.at + part.size > skip then
            part = { kind = "noise", at = skip, size = part.at + part.size - skip, reasons = part.reasons,
                     unfinished = part.unfinished }
        end
        if part.at >= skip and part.at + part.size <= #bytes then
            words[#words + 1] = RENDER[part.kind](tree, tvb, part, context)
        end
    end
    if #words > 0 then
        pinfo.cols.info = (context.to_device and "→ " or "← ") .. table.concat(words, "; ")
    end
    if call.more_at and call.more_at < #bytes then
        pinfo.desegment_offset = call.more_at
        pinfo.desegment_len = DESEGMENT_ONE_MORE_SEGMENT
    end
    return #bytes
end

-- `NAME::ADDRESS::PORT`, from an Express with a NUL behind it.
local function dissect_discovery(tvb, pinfo, tree)
    local text = tvb:raw():match("^[^\0]*")
    local name, address, port = text:match("^(.-)::([%d.]+)::(%d+)$")
    if not port or tonumber(port) > 65535 then
        return false
    end
    pinfo.cols.protocol = "VESC"
    local shown_name = utf8_text(name)
    local words = string.format("%s listens at %s:%s", shown_name, address, port)
    pinfo.cols.info = words
    local branch = tree:add(vesc, tvb())
    branch:set_text("VESC, discovery: " .. words)
    local at = 0
    local function add(field, part, value)
        if #part > 0 then
            branch:add(spec.discovery[field].field, tvb(at, #part), value)
        end
        at = at + #part + 2
    end
    add("name", name, shown_name)
    add("address", address, address)
    add("port", port, tonumber(port))
    return true
end

local UDP = 3

function vesc.dissector(tvb, pinfo, tree)
    if tvb:len() == 0 then
        return 0
    end
    if pinfo.port_type == UDP and dissect_discovery(tvb, pinfo, tree) then
        return tvb:len()
    end
    return dissect_stream(tvb, pinfo, tree)
end

-- At any other port: a login line or a whole frame at the beginning of a segment.
local function is_ours(tvb)
    if tvb:len() < 6 then
        return false
    end
    local bytes = tvb:raw()
    local name = bytes:match("^([%a ]+):")
    if name and LOGIN_TYPES[(name:gsub(" ", ""):upper())] then
        return true
    end
    return look(bytes, 0, math.max(vesc.prefs.to_device, vesc.prefs.to_tool)) == "frame"
end

vesc:register_heuristic("tcp", function(tvb, pinfo, tree)
    if not is_ours(tvb) then
        return false
    end
    pinfo.conversation = vesc
    dissect_stream(tvb, pinfo, tree)
    return true
end)

local tables = { tcp_ports = DissectorTable.get("tcp.port"), udp_ports = DissectorTable.get("udp.port") }
local registered = {}

local function register_ports()
    for name, list in pairs(tables) do
        local ports = tostring(vesc.prefs[name])
        if ports ~= registered[name] then
            if registered[name] and registered[name] ~= "" then
                list:remove(registered[name], vesc)
            end
            if ports ~= "" then
                list:add(ports, vesc)
            end
            registered[name] = ports
        end
    end
end

vesc.prefs_changed = register_ports
register_ports()
