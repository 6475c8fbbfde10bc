//! The replies whose layout is known here.

use veschub_wire::{CommandId, Firmware};

use super::{
    form::{
        Form, Group, Item, Table, Type,
        Written::{Also, Count, List, Number, Rest, Skip, Text},
    },
    groups::{groups, items},
    motor::{BEHIND_IMU, IMU, NOT_THERE, OLD_VALUES, SETUP, STATS, VALUES},
};

const MILLI: Form = Form::I32(1e3);
const MICRO: Form = Form::I32(1e6);

/// A table without anything but groups.
const fn table(
    command: CommandId,
    name: &'static str,
    about: &'static str,
    groups: &'static [Group],
) -> Table {
    Table {
        command,
        name,
        about,
        mask: None,
        groups,
        behind: &[],
        old: None,
    }
}

/// The mask of a selective reply.
const fn mask(form: Form) -> Option<Item> {
    Some(Item {
        name: "mask",
        written: Number(form),
        about: "The request's mask, which chooses the fields.",
    })
}

/// The replies whose layout is known here.
pub const TABLES: &[Table] = &[
    table(
        CommandId::BMS_GET_VALUES,
        "BmsFields",
        "The fields of the reply to BMS_GET_VALUES.",
        BMS,
    ),
    table(
        CommandId::FW_VERSION,
        "FirmwareFields",
        "The fields of the reply to FW_VERSION.",
        FIRMWARE,
    ),
    table(
        CommandId::PING_CAN,
        "CanFields",
        "The fields of the reply to PING_CAN.",
        SCAN,
    ),
    Table {
        old: Some(OLD_VALUES),
        ..table(
            CommandId::GET_VALUES,
            "MotorFields",
            "The fields of the reply to GET_VALUES.",
            VALUES,
        )
    },
    table(
        CommandId::GET_VALUES_SETUP,
        "SetupFields",
        "The fields of the reply to GET_VALUES_SETUP.",
        SETUP,
    ),
    Table {
        mask: mask(Form::U32),
        behind: NOT_THERE,
        ..table(
            CommandId::GET_VALUES_SELECTIVE,
            "SelectedMotorFields",
            "The fields of the reply to GET_VALUES_SELECTIVE.",
            VALUES,
        )
    },
    Table {
        mask: mask(Form::U32),
        behind: NOT_THERE,
        ..table(
            CommandId::GET_VALUES_SETUP_SELECTIVE,
            "SelectedSetupFields",
            "The fields of the reply to GET_VALUES_SETUP_SELECTIVE.",
            SETUP,
        )
    },
    Table {
        mask: mask(Form::U16),
        behind: BEHIND_IMU,
        ..table(
            CommandId::GET_IMU_DATA,
            "ImuFields",
            "The fields of the reply to GET_IMU_DATA.",
            IMU,
        )
    },
    Table {
        mask: mask(Form::U32),
        ..table(
            CommandId::GET_STATS,
            "StatsFields",
            "The fields of the reply to GET_STATS.",
            STATS,
        )
    },
    table(
        CommandId::GET_CUSTOM_CONFIG,
        "ConfigFields",
        "The fields of the reply to GET_CUSTOM_CONFIG; what is in the config is not judged.",
        CONFIG,
    ),
];

/// The table of a command.
pub(super) fn table_of(command: CommandId) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.command == command)
}

const BMS: &[Group] = groups! {
    [0, 0; total_voltage_v: Number(MICRO), "Voltage of the whole pack, V.";]
    [0, 0; charge_voltage_v: Number(MICRO), "Voltage at the charge input, V.";]
    [0, 0; current_a: Number(MICRO), "Current of the pack, A; signed.";]
    [0, 0; chip_current_a: Number(MICRO), "Current as the BMS chip measures it, A; signed.";]
    [0, 0; counter_ah: Number(MILLI), "Charge counter, Ah.";]
    [0, 0; counter_wh: Number(MILLI), "Energy counter, Wh.";]
    [0, 0; negative_cell_count: Count, "A cell count below 0, as it was sent.";]
    [0, 0; cell_voltages_v: List(Form::I16(1e3)), "Voltage of each cell, V, all of them in the order of the reply.";]
    [0, 0; balancing: List(Form::Flag), "Whether each cell is being balanced.";]
    [0, 0; negative_temperature_count: Count, "A sensor count below 0, as it was sent.";]
    [0, 0; temperatures_c: List(Form::I16(100.0)), "The temperature sensors, °C; -281 and below is a broken one.";]
    [0, 0;
        chip_temperature_c: Number(Form::I16(100.0)), "Temperature of the BMS chip, °C.";
        humidity_temperature_c: Number(Form::I16(100.0)), "Temperature of the humidity sensor, °C.";
        humidity_percent: Number(Form::I16(100.0)), "Humidity, %.";
        highest_cell_temperature_c: Number(Form::I16(100.0)), "Highest cell temperature, °C.";

    ]
    [5, 2;
        state_of_charge: Number(Form::I16(1e3)),
            "State of charge, 0 to 1, as it was sent, even if 0 may mean that nobody computes it.";
        state_of_health: Number(Form::I16(1e3)), "State of health, 0 to 1.";

    ]
    [5, 3; can_id: Number(Form::U8), "CAN id of the BMS, 255 for none.";]
    [5, 3;
        total_charged_ah: Number(Form::Float), "Charge taken in ever, Ah.";
        total_charged_wh: Number(Form::Float), "Energy taken in ever, Wh.";
        total_discharged_ah: Number(Form::Float), "Charge given ever, Ah.";
        total_discharged_wh: Number(Form::Float), "Energy given ever, Wh.";

    ]
    [6, 5; pressure_pa: Number(Form::I16(0.1)), "Air pressure, Pa.";]
    [6, 6; data_version: Number(Form::U8), "Version of the data's meaning.";]
    [6, 6; status: Text, "What the BMS says of itself.";]
};

const FIRMWARE: &[Group] = groups! {
    [0, 0; firmware: Skip(2), "The version with two digits behind the point: \"6.05\".";]
    [3, 7; hardware: Text, "Hardware name.";]
    [3, 9; uuid: Skip(12), "Unique id of the chip, 12 bytes in hex.";]
    [3, 48; paired: Number(Form::Flag), "Whether the device talks to paired apps only.";]
    [5, 0; test_version: Number(Form::U8), "Number of the test firmware, 0 for a release.";]
    [5, 2; hardware_type: Number(Form::U8), "What the device is: 0 VESC, 1 VESC BMS, 2 custom module.";]
    [5, 2; custom_configs: Number(Form::U8), "How many custom configs it has.";]
    [5, 3; phase_filters: Number(Form::Flag), "Whether it has phase filters.";]
    [5, 3;
        qml_hardware: Number(Form::U8), "QML user interface of the hardware: 0 none, 1 yes, 2 full screen.";
        qml_app: Number(Form::U8), "QML user interface of the app, the same way.";

    ]
    [6, 0; nrf_flags: Number(Form::U8), "Bit 0: the radio's name, bit 1: its pin can be set.";]
    [6, 0; firmware_name: Text, "Firmware name, usually empty.";]
    [6, 5; config_crc: Number(Form::U32), "CRC of the hardware config.";]
};

const SCAN: &[Group] = groups! {
    [0, 0; can_ids: Rest(Form::U8), "The ids that answered on the CAN bus, ascending.";]
};

const CONFIG: &[Group] = groups! {
    [0, 0;
        index: Number(Form::U8), "Which config; 0 is the only one there is.";
        signature: Number(Form::U32), "Stands for names, types and order of the config's fields.";
        config: Also(Type::Object), "The config's fields; not judged.";
        data: Also(Type::Text), "The config's bytes; not judged.";

    ]
};
