//! Devices made from their descriptions.

use veschub_wire::{
    command::{ExpressConfig, FwVersion},
    number::Text,
};

use super::{duration, id_pattern::IdPattern};
use crate::{schema, source::Place};
use veschub_hub::{
    device::{
        Board, Configs, Express, ExpressIdentity, Pack, Wiring,
        bms::{Bms, BmsSettings, Series},
        can::CanBus,
        config_xml,
        identity::{firmware, random_bytes},
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

/// The packs of a device and of the nodes on its bus, and where their keys stand; `place` is where the device's stand.
pub(crate) fn packs<'a>(
    express: &'a schema::Express,
    place: &Place,
) -> impl Iterator<Item = (&'a BmsSettings, Place)> {
    let nodes = express.can.iter().enumerate().filter_map(|(index, node)| {
        let place = place.clone().key("can").index(index).only().key("pack");
        Some((node.settings().pack()?, place))
    });
    let own = express.bms.as_ref();
    own.map(|bms| (bms, place.clone().key("bms")))
        .into_iter()
        .chain(nodes)
}

/// An Express with one of its ids; the series hold the files that its packs name.
pub(super) fn express(express: &schema::Express, id: &str, seed: Seed, series: &Series) -> Board {
    let profile = express_profile(express.firmware);
    let identity = ExpressIdentity {
        profile,
        firmware: express_firmware(express, seed),
        configs: Configs::new(express_config(express, id), express.custom_configs > 0),
    };
    let pack = express.bms.as_ref().map_or(Pack::OverCan, |bms| {
        let bms = Bms::new(bms.clone(), seed.derive("bms"));
        Pack::Own(Box::new(bms.ending_at(profile.bms_end).with_series(series)))
    });
    let bus = CanBus::new(&express.can, seed, series);
    let bus = match express.bus {
        schema::Bus::On => bus,
        schema::Bus::Off => bus.switched_off(),
    };
    let wiring = Wiring {
        reply_after: duration(express.reply_after),
        can: bus,
        script: script(express),
    };
    Board::express(Express::new(identity, pack), wiring)
}

fn script(express: &schema::Express) -> Script {
    let reply = |scripted: &schema::ScriptedReply| ScriptedReply {
        request: Pattern {
            bytes: scripted.request.bytes.clone(),
            open_ended: scripted.request.open_ended,
        },
        replies: scripted.reply.iter().map(|hex| hex.0.clone()).collect(),
        after: scripted.after.map(duration),
        bytes: scripted.bytes.iter().map(|hex| hex.0.clone()).collect(),
        gap: scripted.gap.map(duration).unwrap_or_default(),
        restart: scripted.restart,
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
