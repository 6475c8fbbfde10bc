//! The CAN bus of a draft: who a scan found, and what was asked of them through FORWARD_CAN.

use std::collections::{BTreeMap, BTreeSet};

use veschub_wire::{
    CommandId, Reply, Request,
    command::{ExpressConfig, FwVersion, OldValues, Values, ValuesSetup},
    number::Text,
};

use super::{
    bms::{self, Reading},
    session::{Exchange, Recorded},
    text::{moment, scalar, span},
};
use veschub_hub::device::profile::{MotorFirmware, Profile};

/// The CAN id of an Express, if it is free (`EX config/settings.xml`).
const USUAL_ID: u8 = 2;
/// A scan that ends sooner has asked nobody (`EX main/comm_can.c:1133-1151`).
const NO_SCAN_MS: u128 = 1000;

/// The bus as lines of a scenario.
#[derive(Debug, Default)]
pub(super) struct Bus {
    /// The Express' own id, if it must be written.
    pub(super) own_id: Option<String>,
    /// Keys of the Express, without their indentation.
    pub(super) lines: Vec<String>,
}

#[derive(Default)]
struct Node<'a> {
    found: Option<&'a Exchange>,
    firmware: Option<(FwVersion, &'a Exchange)>,
    values: Option<(Values, &'a Exchange)>,
    setup: Option<ValuesSetup>,
    bms: Option<Reading>,
    asked: bool,
}

/// What was said in reply to an exchange, decoded.
pub(super) fn decoded(exchange: &Exchange) -> Option<Reply> {
    let reply = Reply::decode(exchange.payload()?).ok()?;
    Some(reply.body)
}

pub(super) fn bus(device: &Recorded, config: Option<&ExpressConfig>) -> Bus {
    let mut nodes: BTreeMap<u8, Node<'_>> = BTreeMap::new();
    let mut bus = Bus::default();
    let scans = device
        .exchanges()
        .filter(|one| one.command() == CommandId::PING_CAN);
    let scan = scans.filter_map(|one| Some((one, decoded(one)?))).last();
    if let Some((scan, Reply::PingCan { can_ids })) = &scan {
        let took = scan.latency().unwrap_or_default();
        if can_ids.is_empty() && took.as_millis() < NO_SCAN_MS {
            bus.lines.push(format!(
                "bus: off # a scan at {} found nobody within {}",
                moment(scan.at),
                span(took)
            ));
        }
        for &can_id in can_ids {
            nodes.entry(can_id).or_default().found = Some(scan);
        }
    }
    for one in device.exchanges() {
        note(one, &mut nodes);
    }
    let silent =
        |can_id: u8, node: &Node<'_>| node.found.is_none() && !node.answered() || can_id == 255;
    nodes.retain(|can_id, node| !silent(*can_id, node));
    let taken: BTreeSet<u8> = nodes.keys().copied().collect();
    bus.own_id = own_id(config, &taken);
    if !nodes.is_empty() {
        bus.lines.push("can:".to_owned());
    }
    for (can_id, node) in nodes {
        bus.lines.extend(
            node.lines(can_id)
                .into_iter()
                .map(|line| format!("  {line}")),
        );
    }
    bus
}

/// The id that a config told, or one that no node has.
fn own_id(config: Option<&ExpressConfig>, taken: &BTreeSet<u8>) -> Option<String> {
    let told = config.and_then(|config| u8::try_from(config.can_id).ok());
    match told.filter(|id| *id != 255 && !taken.contains(id)) {
        Some(USUAL_ID) => None,
        Some(id) => Some(format!("can_id: {id} # as its config says")),
        None if !taken.contains(&USUAL_ID) => None,
        None => {
            let free = (0..=254).find(|id| !taken.contains(id))?;
            Some(format!(
                "can_id: {free} # not recorded; {USUAL_ID} is taken"
            ))
        }
    }
}

fn note<'a>(one: &'a Exchange, nodes: &mut BTreeMap<u8, Node<'a>>) {
    let Ok(Request::ForwardCan { can_id, .. }) =
        Request::decode(&one.request).map(|request| request.body)
    else {
        return;
    };
    let node = nodes.entry(can_id).or_default();
    node.asked = true;
    match decoded(one) {
        Some(Reply::FwVersion(version)) => node.firmware = Some((version, one)),
        Some(Reply::Values(values)) => node.values = Some((values, one)),
        Some(Reply::OldValues(values)) => node.values = Some((from_old(&values), one)),
        Some(Reply::ValuesSetup(values)) => node.setup = Some(values),
        Some(Reply::BmsValues(values)) => {
            node.bms = one.reply.as_ref().map(|(at, payload)| Reading {
                at: *at,
                values,
                len: payload.len(),
            });
        }
        _ => {}
    }
}

impl Node<'_> {
    fn answered(&self) -> bool {
        self.firmware.is_some()
            || self.values.is_some()
            || self.setup.is_some()
            || self.bms.is_some()
    }

    fn lines(self, can_id: u8) -> Vec<String> {
        let is_bms =
            matches!(&self.firmware, Some((version, _)) if version.hardware_type == Some(1));
        let from = match (&self.firmware, self.found) {
            (Some((_, one)), _) => format!(
                "said who it is at {}",
                moment(one.reply.as_ref().map_or(one.at, |(at, _)| *at))
            ),
            (None, Some(scan)) if self.answered() => format!(
                "found by the scan at {}, never asked who it is",
                moment(scan.at)
            ),
            (None, Some(scan)) if self.asked => format!(
                "found by the scan at {}, answered nothing that it was asked",
                moment(scan.at)
            ),
            (None, Some(scan)) => format!(
                "found by the scan at {}, never asked anything",
                moment(scan.at)
            ),
            (None, None) => "answered, and no scan was recorded".to_owned(),
        };
        let kind = if is_bms { "bms" } else { "motor" };
        let mut lines = vec![
            format!("- {kind}: # {from}"),
            format!("    can_id: {can_id}"),
        ];
        if let Some((version, _)) = &self.firmware {
            lines.extend(self.identity(version, is_bms));
        }
        if is_bms {
            lines.extend(self.pack());
        } else {
            lines.extend(self.motor());
        }
        lines
    }

    fn identity(&self, version: &FwVersion, is_bms: bool) -> Vec<String> {
        let nearest = match is_bms {
            true if version.major < 6 => "5.03",
            true => "6.00",
            false => nearest_motor(version),
        };
        let mut lines = vec![format!("    firmware: \"{nearest}\"")];
        if let Some(name) = usable_name(version.hardware.as_ref(), if is_bms { 16 } else { 36 }) {
            lines.push(format!("    hardware: {}", scalar(&name)));
        }
        lines
    }

    fn pack(&self) -> Vec<String> {
        let Some(reading) = &self.bms else {
            return Vec::new();
        };
        let readings = [reading.clone()];
        // A node's reply tells its own CAN id, which is no key of its pack.
        let pack = bms::pack(
            &readings,
            Profile::BMS_6_00.bms_end,
            None,
            "",
            BTreeSet::new(),
        );
        let keys = pack.keys.iter().filter(|key| !key.starts_with("can_id:"));
        let mut lines = vec!["    pack:".to_owned()];
        lines.extend(keys.map(|key| format!("      {key}")));
        if !pack.set.is_empty() {
            lines.push("      set:".to_owned());
            lines.extend(pack.set.iter().map(|entry| format!("        {entry}")));
        }
        lines
    }

    /// The last values: a motor controller has no series here, and adds a little noise.
    fn motor(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut key = |name: &str, value: Option<f64>, limit: f64| {
            if let Some(value) = value {
                lines.push(format!("    {name}: {}", value.clamp(-limit, limit)));
            }
        };
        if let Some((values, _)) = &self.values {
            key(
                "fet_temperature_c",
                values.fet_temperature_c.map(|v| v.value()),
                3276.0,
            );
            key(
                "motor_temperature_c",
                values.motor_temperature_c.map(|v| v.value()),
                3276.0,
            );
            key(
                "motor_current_a",
                values.motor_current_a.map(|v| v.value()),
                10_000.0,
            );
            key(
                "input_current_a",
                values.input_current_a.map(|v| v.value()),
                10_000.0,
            );
            key("duty", values.duty.map(|v| v.value()), 1.0);
            key("erpm", values.erpm.map(|v| v.value()), 1_000_000.0);
            key(
                "input_voltage_v",
                values.input_voltage_v.map(|v| v.value()),
                3276.0,
            );
            key("fault", values.fault.map(f64::from), 255.0);
        }
        if let Some(setup) = &self.setup {
            key("speed_m_s", setup.speed_m_s.map(|v| v.value()), 1000.0);
            key("battery_level", setup.battery_level.map(|v| v.value()), 1.0);
        }
        if let Some((_, one)) = &self.values
            && let Some((at, _)) = &one.reply
        {
            lines.insert(
                0,
                format!("    # Values as they were last, at {}.", moment(*at)),
            );
        }
        lines
    }
}

/// The firmware that is played here and comes nearest, not newer than the recorded one unless that is older than all.
fn nearest_motor(version: &FwVersion) -> &'static str {
    let mut all = MotorFirmware::ALL.iter().rev();
    let is_no_newer = |one: &&MotorFirmware| one.profile().firmware() <= version.firmware();
    all.find(is_no_newer)
        .or(MotorFirmware::ALL.first())
        .map_or("6.05", |one| one.name())
}

/// What old firmware told, as far as a scenario has keys for it.
fn from_old(old: &OldValues) -> Values {
    Values {
        fet_temperature_c: old.board_temperatures_c.first().copied(),
        motor_current_a: Some(old.motor_current_a),
        input_current_a: Some(old.input_current_a),
        duty: Some(old.duty),
        erpm: Some(old.erpm),
        input_voltage_v: Some(old.input_voltage_v),
        fault: Some(old.fault),
        ..Values::default()
    }
}

/// A hardware name that a scenario can hold.
pub(super) fn usable_name(name: Option<&Text>, limit: usize) -> Option<String> {
    let bytes = name?.as_bytes();
    let text = std::str::from_utf8(bytes).ok()?;
    (bytes.len() <= limit && !text.contains('\0')).then(|| text.to_owned())
}
