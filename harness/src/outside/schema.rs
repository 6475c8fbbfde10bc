//! What a client may print: the published form of a reading, from which its JSON Schema is made.
//!
//! The names are those of the wire's view, which `veschub-harness read --json` prints as well; tests hold them
//! together.

use std::{collections::BTreeSet, sync::LazyLock};

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};
use veschub_wire::CommandId;

/// One line that a client prints on stdout: what it read, or that it cannot do the task.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "only its schema is used; lines are read leniently, to say what is wrong with them"
)]
struct Line {
    /// The command whose reply was read, by name or number. Without it, the reply that fits best is taken.
    command: Option<Command>,
    /// What was understood of the reply. Leave out what the client does not read; print null for nothing.
    fields: Option<AnyFields>,
    /// The CAN id of the device that answered, if it was asked through FORWARD_CAN.
    can_id: Option<u8>,
    /// When the reply came, in seconds since the client's own start. Not judged.
    at: Option<f64>,
    /// The task that the client cannot do, from VESC_TASK; the exit code 77 says the same.
    unsupported: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum Command {
    Name(String),
    Number(u8),
}

#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum AnyFields {
    BmsGetValues(BmsFields),
    FwVersion(FirmwareFields),
    PingCan(CanFields),
    GetValues(MotorFields),
    GetValuesSetup(SetupFields),
    GetCustomConfig(ConfigFields),
}

macro_rules! fields {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(JsonSchema)]
        #[schemars(deny_unknown_fields)]
        #[expect(dead_code, reason = "only its schema is used")]
        struct $name {
            $($(#[$field_doc])* $field: Option<$type>,)*
            /// Bytes behind the last known field, in hex.
            trailing: Option<String>,
        }
    };
}

fields! {
    /// The fields of the reply to BMS_GET_VALUES.
    BmsFields {
        /// Voltage of the whole pack, V.
        total_voltage_v: f64,
        /// Voltage at the charge input, V.
        charge_voltage_v: f64,
        /// Current of the pack, A; signed.
        current_a: f64,
        /// Current as the BMS chip measures it, A; signed.
        chip_current_a: f64,
        /// Charge counter, Ah.
        counter_ah: f64,
        /// Energy counter, Wh.
        counter_wh: f64,
        /// Voltage of each cell, V, all of them in the order of the reply.
        cell_voltages_v: Vec<f64>,
        /// Whether each cell is being balanced.
        balancing: Vec<bool>,
        /// The temperature sensors, °C; -281 and below is a broken one.
        temperatures_c: Vec<f64>,
        /// Temperature of the BMS chip, °C.
        chip_temperature_c: f64,
        /// Temperature of the humidity sensor, °C.
        humidity_temperature_c: f64,
        /// Humidity, %.
        humidity_percent: f64,
        /// Highest cell temperature, °C.
        highest_cell_temperature_c: f64,
        /// State of charge, 0 to 1, as it was sent, even if 0 may mean that nobody computes it.
        state_of_charge: f64,
        /// State of health, 0 to 1.
        state_of_health: f64,
        /// CAN id of the BMS, 255 for none.
        can_id: u8,
        /// Charge taken in ever, Ah.
        total_charged_ah: f64,
        /// Energy taken in ever, Wh.
        total_charged_wh: f64,
        /// Charge given ever, Ah.
        total_discharged_ah: f64,
        /// Energy given ever, Wh.
        total_discharged_wh: f64,
        /// Air pressure, Pa.
        pressure_pa: f64,
        /// Version of the data's meaning.
        data_version: u8,
        /// What the BMS says of itself.
        status: String,
        /// A cell count below 0, as it was sent.
        negative_cell_count: i8,
        /// A sensor count below 0, as it was sent.
        negative_temperature_count: i8,
    }
}

fields! {
    /// The fields of the reply to FW_VERSION.
    FirmwareFields {
        /// The version with two digits behind the point: "6.05".
        firmware: String,
        /// Hardware name.
        hardware: String,
        /// Unique id of the chip, 12 bytes in hex.
        uuid: String,
        /// Whether the device talks to paired apps only.
        paired: bool,
        /// Number of the test firmware, 0 for a release.
        test_version: u8,
        /// What the device is: 0 VESC, 1 VESC BMS, 2 custom module.
        hardware_type: u8,
        /// How many custom configs it has.
        custom_configs: u8,
        /// Whether it has phase filters.
        phase_filters: bool,
        /// QML user interface of the hardware: 0 none, 1 yes, 2 full screen.
        qml_hardware: u8,
        /// QML user interface of the app, the same way.
        qml_app: u8,
        /// Bit 0: the radio's name, bit 1: its pin can be set.
        nrf_flags: u8,
        /// Firmware name, usually empty.
        firmware_name: String,
        /// CRC of the hardware config.
        config_crc: u32,
    }
}

fields! {
    /// The fields of the reply to PING_CAN.
    CanFields {
        /// The ids that answered on the CAN bus, ascending.
        can_ids: Vec<u8>,
    }
}

fields! {
    /// The fields of the reply to GET_VALUES.
    MotorFields {
        /// Temperature of the power transistors, °C.
        fet_temperature_c: f64,
        /// Temperature of the motor, °C.
        motor_temperature_c: f64,
        /// Current of the motor, A.
        motor_current_a: f64,
        /// Current of the supply, A.
        input_current_a: f64,
        /// Current along the rotor's field, A.
        id_current_a: f64,
        /// Current across the rotor's field, A.
        iq_current_a: f64,
        /// Duty cycle, -1 to 1.
        duty: f64,
        /// Electrical speed, revolutions per minute.
        erpm: f64,
        /// Voltage of the supply, V.
        input_voltage_v: f64,
        /// Charge drawn, Ah.
        drawn_ah: f64,
        /// Charge given back, Ah.
        charged_ah: f64,
        /// Energy drawn, Wh.
        drawn_wh: f64,
        /// Energy given back, Wh.
        charged_wh: f64,
        /// Position counter, steps; backwards counts down.
        tachometer: i32,
        /// Distance counter, steps; backwards counts up as well.
        tachometer_absolute: i32,
        /// Fault code.
        fault: u8,
        /// The fault code's name, without a prefix: "OVER_VOLTAGE".
        fault_name: String,
        /// Position that the position controller sees, degrees.
        pid_position_deg: f64,
        /// CAN id of the controller.
        can_id: u8,
        /// Temperatures of the transistors of each phase, °C.
        fet_temperatures_c: Vec<f64>,
        /// Voltage along the rotor's field, V.
        vd_v: f64,
        /// Voltage across the rotor's field, V.
        vq_v: f64,
        /// Whether the time-out stopped the motor.
        timeout_active: bool,
        /// Whether the kill switch stopped the motor.
        kill_switch_active: bool,
    }
}

fields! {
    /// The fields of the reply to GET_VALUES_SETUP.
    SetupFields {
        /// Temperature of the power transistors, °C.
        fet_temperature_c: f64,
        /// Temperature of the motor, °C.
        motor_temperature_c: f64,
        /// Currents of all motors together, A.
        total_motor_current_a: f64,
        /// Currents of all supplies together, A.
        total_input_current_a: f64,
        /// Duty cycle, -1 to 1.
        duty: f64,
        /// Electrical speed, revolutions per minute.
        erpm: f64,
        /// Speed of the vehicle, m/s.
        speed_m_s: f64,
        /// Voltage of the supply, V.
        input_voltage_v: f64,
        /// Charge left in the battery, 0 to 1.
        battery_level: f64,
        /// Charge drawn by all controllers, Ah.
        total_ah: f64,
        /// Charge given back by all controllers, Ah.
        total_charged_ah: f64,
        /// Energy drawn by all controllers, Wh.
        total_wh: f64,
        /// Energy given back by all controllers, Wh.
        total_charged_wh: f64,
        /// Distance since the start, m; backwards counts down.
        distance_m: f64,
        /// Distance since the start, m; backwards counts up as well.
        distance_absolute_m: f64,
        /// Position that the position controller sees, degrees.
        pid_position_deg: f64,
        /// Fault code.
        fault: u8,
        /// The fault code's name, without a prefix: "OVER_VOLTAGE".
        fault_name: String,
        /// CAN id of the controller.
        can_id: u8,
        /// How many controllers the sums include.
        vesc_count: u8,
        /// Energy left in the battery, Wh.
        battery_left_wh: f64,
        /// Distance ever, m.
        odometer_m: u32,
        /// Time since the start, ms.
        uptime_ms: u32,
    }
}

fields! {
    /// The fields of the reply to GET_CUSTOM_CONFIG; what is in the config is not judged.
    ConfigFields {
        /// Which config; 0 is the only one there is.
        index: u8,
        /// Stands for names, types and order of the config's fields.
        signature: u32,
        /// The config's fields; not judged.
        config: Map<String, Value>,
        /// The config's bytes; not judged.
        data: String,
    }
}

/// The commands whose fields the schema tells, and what their fields are called in it.
const DESCRIBED: [(CommandId, &str); 6] = [
    (CommandId::BMS_GET_VALUES, "BmsFields"),
    (CommandId::FW_VERSION, "FirmwareFields"),
    (CommandId::PING_CAN, "CanFields"),
    (CommandId::GET_VALUES, "MotorFields"),
    (CommandId::GET_VALUES_SETUP, "SetupFields"),
    (CommandId::GET_CUSTOM_CONFIG, "ConfigFields"),
];

static SCHEMA: LazyLock<Value> = LazyLock::new(make);

/// The schema of a line, JSON Schema draft 2020-12.
#[must_use]
pub fn json_schema() -> &'static Value {
    &SCHEMA
}

/// The names that the fields of a command can have; `None` for a command that the schema does not tell of.
#[must_use]
pub fn names(command: CommandId) -> Option<BTreeSet<&'static str>> {
    Some(properties(command)?.keys().map(String::as_str).collect())
}

/// Whether a field of a command can have this name.
#[must_use]
pub fn has_name(command: CommandId, name: &str) -> bool {
    properties(command).is_some_and(|properties| properties.contains_key(name))
}

fn properties(command: CommandId) -> Option<&'static Map<String, Value>> {
    let (_, name) = DESCRIBED
        .iter()
        .find(|(described, _)| *described == command)?;
    SCHEMA["$defs"][name]["properties"].as_object()
}

/// The commands whose fields the schema tells.
pub fn commands() -> impl Iterator<Item = CommandId> {
    DESCRIBED.iter().map(|(command, _)| *command)
}

fn make() -> Value {
    let settings = SchemaSettings::draft2020_12();
    let schema = settings.into_generator().into_root_schema_for::<Line>();
    let mut schema = schema.to_value();
    if let Value::Object(root) = &mut schema {
        root.insert("title".to_owned(), "A reading for veschub-harness".into());
    }
    tidy(&mut schema);
    let names: Vec<&str> = commands().filter_map(CommandId::name).collect();
    schema["$defs"]["Command"]["anyOf"][0]["examples"] = json!(names);
    schema
}

/// Takes out formats, which say less than the ranges beside them.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(keys) => {
            keys.retain(|key, value| !(key == "format" && value.is_string()));
            keys.values_mut().for_each(tidy);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use veschub_wire::{Reply, view::View as _};

    use super::*;

    /// The sample replies of a command: whatever firmware has sent.
    fn samples(folder: &str) -> Vec<Vec<u8>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../wire/testdata")
            .join(folder);
        let read = |path: &Path| {
            let text = fs::read_to_string(path).unwrap();
            let bytes = text.lines().flat_map(|line| {
                line.split('#')
                    .next()
                    .unwrap_or_default()
                    .split_whitespace()
            });
            let bytes: Vec<u8> = bytes
                .map(|byte| u8::from_str_radix(byte, 16).unwrap())
                .collect();
            text.contains("# direction: to-tool").then_some(bytes)
        };
        let files = fs::read_dir(folder).unwrap();
        files
            .filter_map(|file| read(&file.unwrap().path()))
            .collect()
    }

    #[test]
    fn the_schema_names_the_very_fields_that_replies_have() {
        for command in commands() {
            let folder = command.name().unwrap().to_lowercase();
            let mut seen = BTreeSet::from(["trailing"]);
            for sample in samples(&folder) {
                seen.extend(
                    Reply::decode(&sample)
                        .unwrap()
                        .fields()
                        .iter()
                        .map(|(name, _)| name),
                );
            }
            if command == CommandId::GET_CUSTOM_CONFIG {
                seen.extend(["config", "data"]);
            }
            assert_eq!(names(command).unwrap(), seen, "{command}");
        }
    }

    #[test]
    fn the_schema_is_the_published_one() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("reading.schema.json");
        let made = format!("{:#}\n", json_schema());
        if std::env::var_os("VESCHUB_UPDATE").is_some() {
            fs::write(&path, &made).unwrap();
        }
        let published = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            published == made,
            "{} is out of date: run with VESCHUB_UPDATE=1",
            path.display()
        );
    }
}
