//! Devices made from their descriptions.

use rand::RngExt;
use veschub_wire::{
    command::{ExpressConfig, FwVersion},
    number::Text,
};

use super::{bms::bms_settings, duration};
use crate::{
    device::{CanBus, Express, ExpressIdentity, Motor, MotorSettings, bms::Bms, replay},
    rng::Seed,
    scenario::schema,
};

pub(super) fn pace(pace: schema::Pace) -> replay::Pace {
    match pace {
        schema::Pace::Recorded => replay::Pace::Recorded,
        schema::Pace::Immediate => replay::Pace::Immediate,
    }
}

pub(super) fn express(express: &schema::Express, seed: Seed) -> Express {
    let identity = ExpressIdentity {
        firmware: express_firmware(express, seed),
        config: express_config(express),
        reply_after: duration(express.reply_after),
    };
    let bms = Bms::new(bms_settings(express), seed.derive("bms"));
    let nodes = express.can.iter().map(|node| {
        let schema::CanNode::Motor(motor) = node;
        let seed = seed.derive(&format!("can {}", motor.can_id));
        Motor::new(motor_settings(motor, seed), seed)
    });
    Express::new(identity, bms, CanBus::new(nodes))
}

/// Two numbers, as in 6.05.
fn version(firmware: schema::ExpressFirmware) -> (i8, i8) {
    match firmware {
        schema::ExpressFirmware::V6_05 => (6, 5),
        schema::ExpressFirmware::V6_06 => (6, 6),
        schema::ExpressFirmware::V7_00 => (7, 0),
    }
}

/// As `EX main/commands.c:238-290` fills it in.
fn express_firmware(express: &schema::Express, seed: Seed) -> FwVersion {
    let (major, minor) = version(express.firmware);
    let mut uuid = [0; 12];
    // The chip's factory address, then zeros.
    uuid[..6].copy_from_slice(&random_bytes::<6>(seed.derive("uuid")));
    // Marked as locally administered, so that it is nobody's.
    uuid[0] = uuid[0] & !1 | 2;
    FwVersion {
        major,
        minor,
        hardware: Some(Text::from(express.hardware.as_str())),
        uuid: Some(uuid),
        paired: Some(0),
        test_version: Some(0),
        hardware_type: Some(2),
        custom_configs: Some(1),
        phase_filters: Some(0),
        qml_hardware: Some(0),
        qml_app: Some(0),
        nrf_flags: Some(0),
        firmware_name: Some(Text::default()),
        config_crc: Some(u32::from_be_bytes(random_bytes(seed.derive("config")))),
    }
}

fn random_bytes<const N: usize>(seed: Seed) -> [u8; N] {
    let mut rng = seed.stream(0);
    std::array::from_fn(|_| rng.random())
}

fn express_config(express: &schema::Express) -> ExpressConfig {
    ExpressConfig {
        can_id: 2,
        can_baud_index: 2,
        status_rate_hz: 20,
        wifi_mode: 1,
        station_ssid: Text::from("simulated-network"),
        station_key: Text::from("simulated-key"),
        access_point_ssid: Text::from("simulated-express"),
        access_point_key: Text::from("simulated-key"),
        local_tcp: 1,
        hub: 1,
        hub_url: Text::from("hub.invalid"),
        hub_port: 65101,
        hub_id: Text::from(express.id.as_str()),
        hub_password: Text::from(express.password.as_str()),
        ble_mode: 1,
        ble_name: Text::from("SIM"),
        ble_pin: 0,
        ble_service_capacity: 0,
        ble_attribute_capacity: 0,
    }
}

fn motor_settings(motor: &schema::Motor, seed: Seed) -> MotorSettings {
    let schema::MotorFirmware::V6_05 = motor.firmware;
    MotorSettings {
        can_id: motor.can_id,
        firmware: FwVersion {
            major: 6,
            minor: 5,
            hardware: Some(Text::from(motor.hardware.as_str())),
            uuid: Some(random_bytes(seed.derive("uuid"))),
            paired: Some(0),
            test_version: Some(0),
            hardware_type: Some(0),
            custom_configs: Some(0),
            phase_filters: Some(0),
            qml_hardware: Some(0),
            qml_app: Some(0),
            nrf_flags: Some(0),
            firmware_name: Some(Text::default()),
            config_crc: Some(u32::from_be_bytes(random_bytes(seed.derive("config")))),
        },
        fet_temperature_c: motor.fet_temperature_c,
        motor_temperature_c: motor.motor_temperature_c,
        motor_current_a: motor.motor_current_a,
        input_current_a: motor.input_current_a,
        duty: motor.duty,
        erpm: motor.erpm,
        speed_m_s: motor.speed_m_s,
        input_voltage_v: motor.input_voltage_v,
        battery_level: motor.battery_level,
        fault: motor.fault,
    }
}
