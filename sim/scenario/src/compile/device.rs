//! Devices made from their descriptions.

use std::time::Duration;

use veschub_wire::{
    command::{ExpressConfig, FwVersion},
    number::Text,
};

use super::{duration, id_pattern::IdPattern};
use crate::{
    schema::{self, CanNode, LinkKeys, Outfit},
    source::Place,
};
use veschub_hub::{
    device::{
        Board, Configs, Express, ExpressIdentity, NodeSettings as _, Pack, Stored, Wiring,
        bms::{Bms, BmsSettings, Series},
        can::CanBus,
        config_xml,
        identity::{firmware, random_bytes},
        replay,
        script::{Pattern, Script, ScriptedReply, TerminalAnswer, UnaskedPrint},
    },
    rng::Seed,
    time::Time,
};

/// From a request to its reply at a hub, as measured without the way from the hub to the tool: 50 to 60 ms.
const AT_HUB: Duration = Duration::from_millis(55);
/// The same on a cable or a bridge.
const WITHOUT_HUB: Duration = Duration::from_millis(5);

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

/// The ids of all devices that a description stands for, as they are written; none for one that has no id.
pub(super) fn ids(outfit: &Outfit<'_>) -> Vec<String> {
    let Some(id) = outfit.id else {
        return Vec::new();
    };
    match (outfit.count, IdPattern::parse(id)) {
        (Some(count), Ok(pattern)) => (1..=count).map(|n| pattern.number(n)).collect(),
        _ => vec![id.to_owned()],
    }
}

/// The packs of a device and of the nodes on its bus, and where their keys stand; `place` is where the device's stand.
pub(crate) fn packs<'a>(
    outfit: &Outfit<'a>,
    place: &Place,
) -> impl Iterator<Item = (&'a BmsSettings, Place)> {
    let nodes = outfit.can.iter().enumerate().filter_map(|(index, node)| {
        let place = place.clone().key("can").index(index).only().key("pack");
        Some((node.settings().pack()?, place))
    });
    let own = outfit.pack;
    own.map(|(bms, key)| (bms, place.clone().key(key)))
        .into_iter()
        .chain(nodes)
}

/// The files that a device and the nodes on its bus name under `set`, and where the keys of each `set` stand.
pub(super) fn files<'a>(
    outfit: &Outfit<'a>,
    device: &'a schema::Device,
    place: &Place,
) -> impl Iterator<Item = (Vec<(usize, &'a str)>, Place)> {
    let nodes = outfit.can.iter().enumerate().map(|(index, node)| {
        let place = place.clone().key("can").index(index).only();
        (node.settings().files(), place)
    });
    let own = match device {
        schema::Device::Motor(motor) => Some((motor.node.files(), place.clone())),
        _ => None,
    };
    packs(outfit, place)
        .map(|(bms, place)| (bms.files(), place))
        .chain(nodes)
        .chain(own)
}

/// A device of our own with one of its ids; none for a recording.
pub(super) fn board(
    device: &schema::Device,
    id: &str,
    seed: Seed,
    series: &Series,
) -> Option<Board> {
    match device {
        schema::Device::Express(one) => Some(express(one, id, seed, series)),
        schema::Device::Motor(one) => {
            let node = CanNode::Motor(Box::new(one.node.clone()));
            Some(alone(&node, &one.link, seed, series))
        }
        schema::Device::Bms(one) => {
            let node = CanNode::Bms(Box::new(one.node.clone()));
            Some(alone(&node, &one.link, seed, series))
        }
        schema::Device::Replay(_) => None,
    }
}

/// A motor controller or a BMS of its own; the series hold the files that its packs name.
fn alone(node: &CanNode, link: &LinkKeys, seed: Seed, series: &Series) -> Board {
    let at_hub = link.id.is_some();
    let reply_after = match link.reply_after {
        Some(after) => duration(after),
        None if at_hub => AT_HUB,
        None => WITHOUT_HUB,
    };
    let wiring = Wiring {
        reply_after,
        can: CanBus::new(&link.can, seed, series),
        script: script(&link.replies, &link.terminal, &link.prints),
    };
    Board::alone(node, wiring, seed, series)
}

/// An Express with one of its ids; the series hold the files that its packs name.
fn express(express: &schema::Express, id: &str, seed: Seed, series: &Series) -> Board {
    let profile = express.firmware.profile();
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
        script: script(&express.replies, &express.terminal, &express.prints),
    };
    let stored = Stored {
        files: express.files.clone(),
        lisp: express.lisp.clone(),
        qml: express.qml.clone(),
    };
    let node = Express::new(identity, pack, stored).with_services(
        &express.app,
        &express.io_boards,
        express.gnss,
    );
    Board::express(node, wiring)
}

fn script(
    replies: &[schema::ScriptedReply],
    terminal: &[schema::TerminalAnswer],
    prints: &[schema::PrintAt],
) -> Script {
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
    let answer = |answer: &schema::TerminalAnswer| TerminalAnswer {
        command: answer.command.clone(),
        prints: answer.prints.clone(),
        after: answer.after.map(duration).unwrap_or_default(),
    };
    let print = |print: &schema::PrintAt| UnaskedPrint {
        at: Time::from_nanos(print.at.0),
        text: print.text.clone(),
    };
    Script {
        replies: replies.iter().map(reply).collect(),
        terminal: terminal.iter().map(answer).collect(),
        prints: prints.iter().map(print).collect(),
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
