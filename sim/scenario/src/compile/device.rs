//! Devices made from their descriptions.

use rand::RngExt;
use veschub_wire::{
    command::{ExpressConfig, FwVersion},
    number::Text,
};

use super::{
    bms::{Files, bms_settings},
    duration,
    id_pattern::IdPattern,
};
use crate::{error::ScenarioError, schema, source::Place};
use veschub_hub::{
    device::{
        BmsNode, BmsNodeSettings, CanBus, Configs, Express, ExpressIdentity, Motor, MotorSettings,
        Node, NodeKind, Pack,
        bms::Bms,
        config_xml,
        profile::Profile,
        replay,
        script::{Pattern, Script, ScriptedReply, TerminalAnswer, UnaskedPrint},
    },
    rng::Seed,
    time::Time,
};

/// How a recording is to be played.
pub(super) fn replay_rules(replay: &schema::Replay) -> replay::Rules {
    replay::Rules {
        pace: match (replay.pace, replay.speed) {
            (schema::Pace::Immediate, _) => replay::Pace::Immediate,
            (schema::Pace::Recorded, None) => replay::Pace::Recorded,
            (schema::Pace::Recorded, Some(speed)) => replay::Pace::Scaled(speed),
        },
        order: match replay.order {
            schema::ReplayOrder::ByRequest => replay::Order::ByRequest,
            schema::ReplayOrder::Strict => replay::Order::Strict,
        },
        at_end: match replay.at_end {
            schema::AtEnd::Hold => replay::AtEnd::Hold,
            schema::AtEnd::Wrap => replay::AtEnd::Wrap,
            schema::AtEnd::Silent => replay::AtEnd::Silent,
        },
    }
}

/// The ids of all devices that a description stands for, as they are written.
pub(super) fn ids(express: &schema::Express) -> Vec<String> {
    match (express.count, IdPattern::parse(&express.id)) {
        (Some(count), Ok(pattern)) => (1..=count).map(|n| pattern.number(n)).collect(),
        _ => vec![express.id.clone()],
    }
}

/// An Express with one of its ids; `place` is where its keys stand.
pub(super) fn express(
    express: &schema::Express,
    id: &str,
    seed: Seed,
    place: &Place,
    files: &Files<'_>,
) -> Result<Express, ScenarioError> {
    let profile = express_profile(express.firmware);
    let identity = ExpressIdentity {
        profile,
        firmware: express_firmware(express, seed),
        configs: Configs::new(express_config(express, id), express.custom_configs > 0),
        reply_after: duration(express.reply_after),
    };
    let pack = match &express.bms {
        Some(bms) => {
            let place = place.clone().key("bms");
            let settings = bms_settings(bms, profile.bms_end, &place, files)?;
            Pack::Own(Box::new(Bms::new(settings, seed.derive("bms"))))
        }
        None => Pack::OverCan,
    };
    let mut nodes = Vec::new();
    for (index, described) in express.can.iter().enumerate() {
        let place = place.clone().key("can").index(index).only();
        nodes.push(node(described, seed, &place, files)?);
    }
    let bus = CanBus::new(nodes);
    let bus = match express.bus {
        schema::Bus::On => bus,
        schema::Bus::Off => bus.switched_off(),
    };
    Ok(Express::new(identity, pack, bus, script(express)))
}

fn node(
    node: &schema::CanNode,
    seed: Seed,
    place: &Place,
    files: &Files<'_>,
) -> Result<Node, ScenarioError> {
    // A node answers a PING within a fraction of a millisecond: nothing, beside the 10 ms of those who do not.
    Ok(match node {
        schema::CanNode::Motor(motor) => {
            let seed = seed.derive(&format!("can {}", motor.can_id));
            let what = NodeKind::Motor(Box::new(Motor::new(motor_settings(motor, seed), seed)));
            Node::new(what, motor.pong_after.map(duration).unwrap_or_default())
        }
        schema::CanNode::Bms(bms) => {
            let seed = seed.derive(&format!("can {}", bms.can_id));
            let schema::BmsFirmware::V6_00 = bms.firmware;
            let profile = Profile::BMS_6_00;
            let settings = BmsNodeSettings {
                can_id: bms.can_id,
                profile,
                firmware: firmware(&bms.hardware, random_bytes(seed.derive("uuid")), 1),
                silent_after: bms.silent_after.map(duration),
            };
            let place = place.clone().key("pack");
            let pack = bms_settings(&bms.pack, profile.bms_end, &place, files)?;
            let what = BmsNode::new(settings, Bms::new(pack, seed.derive("bms")));
            let what = NodeKind::Bms(Box::new(what));
            Node::new(what, bms.pong_after.map(duration).unwrap_or_default())
        }
    })
}

fn script(express: &schema::Express) -> Script {
    let reply = |scripted: &schema::ScriptedReply| ScriptedReply {
        request: Pattern {
            bytes: scripted.request.bytes.clone(),
            open_ended: scripted.request.open_ended,
        },
        replies: scripted.reply.iter().map(|hex| hex.0.clone()).collect(),
        after: scripted.after.map(duration),
    };
    let terminal = |answer: &schema::TerminalAnswer| TerminalAnswer {
        command: answer.command.clone(),
        prints: answer.prints.clone(),
        after: answer.after.map(duration).unwrap_or_default(),
    };
    let print = |print: &schema::PrintAt| UnaskedPrint {
        at: Time::from_nanos(print.at.0),
        text: print.text.clone(),
    };
    Script {
        replies: express.replies.iter().map(reply).collect(),
        terminal: express.terminal.iter().map(terminal).collect(),
        prints: express.prints.iter().map(print).collect(),
    }
}

pub(super) fn express_profile(firmware: schema::ExpressFirmware) -> Profile {
    match firmware {
        schema::ExpressFirmware::V6_05 => Profile::EXPRESS_6_05,
        schema::ExpressFirmware::V6_06 => Profile::EXPRESS_6_06,
        schema::ExpressFirmware::V7_00 => Profile::EXPRESS_7_00,
    }
}

fn motor_profile(firmware: schema::MotorFirmware) -> Profile {
    match firmware {
        schema::MotorFirmware::V5_02 => Profile::MOTOR_5_02,
        schema::MotorFirmware::V5_03 => Profile::MOTOR_5_03,
        schema::MotorFirmware::V6_00 => Profile::MOTOR_6_00,
        schema::MotorFirmware::V6_05 => Profile::MOTOR_6_05,
        schema::MotorFirmware::V7_01 => Profile::MOTOR_7_01,
    }
}

/// A reply to FW_VERSION with everything in it; the profile says which version it is and how much of it is sent.
fn firmware(hardware: &str, uuid: [u8; 12], hardware_type: u8) -> FwVersion {
    FwVersion {
        hardware: Some(Text::from(hardware)),
        uuid: Some(uuid),
        paired: Some(0),
        test_version: Some(0),
        hardware_type: Some(hardware_type),
        custom_configs: Some(0),
        phase_filters: Some(0),
        qml_hardware: Some(0),
        qml_app: Some(0),
        nrf_flags: Some(0),
        firmware_name: Some(Text::default()),
        config_crc: Some(0),
        ..FwVersion::default()
    }
}

/// As `EX main/commands.c:238-290` fills it in.
fn express_firmware(express: &schema::Express, seed: Seed) -> FwVersion {
    let mut uuid = [0; 12];
    // The chip's factory address, then zeros.
    uuid[..6].copy_from_slice(&random_bytes::<6>(seed.derive("uuid")));
    // Marked as locally administered, so that it is nobody's.
    uuid[0] = uuid[0] & !1 | 2;
    let shown = express.custom_configs > 0;
    FwVersion {
        custom_configs: Some(u8::from(shown)),
        // 0 is the CRC of nothing, and tells VESC Tool to keep nothing.
        config_crc: Some(if shown { config_xml::cache_key() } else { 0 }),
        ..firmware(&express.hardware, uuid, 2)
    }
}

fn random_bytes<const N: usize>(seed: Seed) -> [u8; N] {
    let mut rng = seed.stream(0);
    std::array::from_fn(|_| rng.random())
}

fn express_config(express: &schema::Express, id: &str) -> ExpressConfig {
    ExpressConfig {
        can_id: express.can_id.into(),
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
        hub_id: Text::from(id),
        hub_password: Text::from(express.password.as_str()),
        ble_mode: 1,
        ble_name: Text::from("SIM"),
        ble_pin: 0,
        ble_service_capacity: 0,
        ble_attribute_capacity: 0,
    }
}

fn motor_settings(motor: &schema::Motor, seed: Seed) -> MotorSettings {
    MotorSettings {
        can_id: motor.can_id,
        profile: motor_profile(motor.firmware),
        firmware: FwVersion {
            config_crc: Some(u32::from_be_bytes(random_bytes(seed.derive("config")))),
            ..firmware(&motor.hardware, random_bytes(seed.derive("uuid")), 0)
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
