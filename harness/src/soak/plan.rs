//! What a soak is made of: the hubs, what each of their devices holds, and which tools come to them. All of it follows
//! from the seed and the numbers of devices and tools.

use std::fmt::Write as _;

use rand::{RngExt as _, seq::SliceRandom as _};
use veschub_hub::{fault::Harm, rng::Seed};
use veschub_scenario::{Loaded, Scenario, ScenarioError};
use veschub_wire::{
    Reply,
    view::{Value, View as _},
};

/// The password of every device.
pub(super) const PASSWORD: &str = "not-a-secret";
/// The fewest devices: each hub has one for tools that disturb, and one for tools that are judged.
pub const LEAST_DEVICES: usize = 8;
/// The most devices: their values must differ.
pub const MOST_DEVICES: usize = 10_000;
/// The most tools.
pub const MOST_TOOLS: usize = 10_000;

/// Like the reference hub, but a request is not lost with the login on a busy machine, and nobody has to wait for a
/// silent connection: both would look as if the hub lost replies.
const FAIR: &str =
    "hub: { login_swallows: false, silent_connection_stalls: false, login_timeout: 2s }
";

/// The hubs, and what is wrong with each of them.
const HUBS: [(&str, &str, &str); 4] = [
    ("plain", FAIR, ""),
    (
        "late",
        FAIR,
        "faults:
  - delay: { by: 40ms, when: { probability: 0.2 } }
  - jitter: { up_to: 15ms }
  - split: { every_byte: true, gap: 100us, when: { every: 7 } }
  - merge: { frames: 3, within: 20ms, when: { every: 5 } }
  - bandwidth: { bytes_per_second: 200000 }
",
    ),
    (
        "harmed",
        FAIR,
        "faults:
  - drop: { when: { probability: 0.02 } }
  - drop: { direction: to-device, when: { probability: 0.02 } }
  - corrupt: { part: payload, when: { probability: 0.05 } }
  - truncate: { keep: 4, when: { probability: 0.01 } }
  - duplicate: { when: { probability: 0.05 } }
  - garbage: { kind: random, when: { probability: 0.05 } }
  - reorder: { when: { probability: 0.05 } }
  - half-close: { when: { probability: 0.002 } }
  - reset: { when: { probability: 0.005 } }
",
    ),
    (
        "odd",
        "hub: { profile: reference, login_timeout: 1s }
",
        "quirks:
  - session-reset: { max_gap: 250ms }
  - stale-reply: { }
",
    ),
];

/// The numbers of a soak.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Devices, over all hubs.
    pub devices: usize,
    /// Tools, over all hubs.
    pub tools: usize,
    /// The seed of every choice.
    pub seed: Seed,
}

/// How a tool behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Temper {
    /// Asks, reads every reply, and stays.
    Good,
    /// The same, but byte by byte in both directions.
    Slow,
    /// The same, but it logs in anew for every round, and sometimes breaks the connection off.
    Reconnecting,
    /// The same as good, at a device to which another tool comes as well: they take it from each other.
    Sharing,
    /// Connects or logs in, and says nothing more.
    Silent,
    /// Asks, ends its side of the connection, and never reads.
    HalfOpen,
    /// Sends what is no protocol.
    Garbage,
}

impl Temper {
    /// In the order in which tools get them.
    const TURNS: [Self; 9] = [
        Self::Good,
        Self::Silent,
        Self::Slow,
        Self::Sharing,
        Self::Sharing,
        Self::Garbage,
        Self::Reconnecting,
        Self::Good,
        Self::HalfOpen,
    ];

    /// Its name in a report.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Slow => "slow",
            Self::Reconnecting => "reconnecting",
            Self::Sharing => "sharing",
            Self::Silent => "silent",
            Self::HalfOpen => "half-open",
            Self::Garbage => "garbage",
        }
    }

    /// Whether what it reads is compared with what the device holds.
    pub(super) fn is_judged(self) -> bool {
        !matches!(self, Self::Silent | Self::HalfOpen | Self::Garbage)
    }
}

/// A hub and its devices.
#[derive(Debug)]
pub(super) struct House {
    /// Its name in a report.
    pub(super) name: &'static str,
    /// What it is made of.
    pub(super) loaded: Loaded,
    /// Its devices, by their numbers.
    pub(super) devices: Vec<usize>,
    /// Whether every reply to a tool must arrive: nothing is done to its links but that bytes are late or in other
    /// pieces, and no quirk withholds a reply.
    pub(super) keeps_all: bool,
}

/// A tool and where it goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visitor {
    pub(super) temper: Temper,
    /// The index of its hub.
    pub(super) house: usize,
    pub(super) device: usize,
    pub(super) seed: Seed,
}

/// All of it.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) houses: Vec<House>,
    pub(super) visitors: Vec<Visitor>,
}

impl Plan {
    /// Lays out a soak.
    ///
    /// # Errors
    /// Never: a test makes one.
    pub(super) fn new(size: Size) -> Result<Self, ScenarioError> {
        let mut houses = Vec::new();
        for (index, (name, hub, harm)) in HUBS.into_iter().enumerate() {
            let devices: Vec<usize> = (index..size.devices).step_by(HUBS.len()).collect();
            let loaded = Loaded::parse(name, &yaml(hub, harm, &devices))?;
            houses.push(House {
                name,
                keeps_all: keeps_all(&loaded.scenario),
                loaded,
                devices,
            });
        }
        let visitors = visitors(&houses, size);
        Ok(Self { houses, visitors })
    }
}

/// Whether every reply of these devices reaches its tool, which the faults and quirks themselves say.
fn keeps_all(scenario: &Scenario) -> bool {
    let is_harmless =
        |fault: &veschub_scenario::schema::FaultEntry| fault.info().harm == Harm::Late;
    scenario.quirks.is_empty() && scenario.faults.iter().all(is_harmless)
}

fn visitors(houses: &[House], size: Size) -> Vec<Visitor> {
    // The last device of each hub is for those who disturb, so that none of them stands in the way of a tool that is
    // judged. Of the others, the first of each hub that keeps all is for those who share.
    let mut rng = size.seed.derive("visitors").stream(0);
    let mut judged = Vec::new();
    let mut disturbed = Vec::new();
    let mut shared = Vec::new();
    for (house, one) in houses.iter().enumerate() {
        let Some((last, others)) = one.devices.split_last() else {
            continue;
        };
        disturbed.push((house, *last));
        match others.split_first() {
            Some((first, rest)) if one.name == "plain" && !rest.is_empty() => {
                shared.push((house, *first));
                judged.extend(rest.iter().map(|device| (house, *device)));
            }
            _ => judged.extend(others.iter().map(|device| (house, *device))),
        }
    }
    judged.shuffle(&mut rng);
    let mut alone = judged.iter();
    let mut visitors = Vec::new();
    for number in 0..size.tools {
        let mut temper = Temper::TURNS[number % Temper::TURNS.len()];
        let place = match temper {
            Temper::Good | Temper::Slow | Temper::Reconnecting => alone.next(),
            _ => None,
        };
        if temper.is_judged() && place.is_none() {
            // All others have a tool already.
            temper = Temper::Sharing;
        }
        let among = if temper == Temper::Sharing && !shared.is_empty() {
            &shared
        } else {
            &disturbed
        };
        if temper == Temper::Sharing && shared.is_empty() {
            temper = Temper::Silent;
        }
        let (house, device) = place
            .copied()
            .unwrap_or_else(|| among[rng.random_range(0..among.len())]);
        visitors.push(Visitor {
            temper,
            house,
            device,
            seed: size.seed.derive(&format!("tool {number}")),
        });
    }
    visitors
}

/// The id of a device.
pub(super) fn id(device: usize) -> String {
    format!("SOAK-{device:05}")
}

/// The CAN ids of a device's two nodes.
pub(super) fn can_ids(device: usize) -> [u8; 2] {
    let [low, high] =
        [device % 100, device / 100 % 100].map(|part| u8::try_from(part).unwrap_or(0));
    [10 + low, 130 + high]
}

/// The voltages of its two cells, mV.
fn cells_mv(device: usize) -> [i64; 2] {
    let [low, high] =
        [device % 100, device / 100 % 100].map(|part| i64::try_from(part).unwrap_or(0));
    [3000 + 10 * low, 3000 + 10 * high]
}

fn yaml(hub: &str, harm: &str, devices: &[usize]) -> String {
    let mut text = format!("version: 1\n{hub}{harm}devices:\n");
    for &device in devices {
        let (id, [one, other], [low, high]) = (id(device), can_ids(device), cells_mv(device));
        let volts = |mv: i64| format!("{}.{:03}2", mv / 1000, mv % 1000);
        // Nothing about the values moves. Writing to text cannot fail.
        let _ = writeln!(
            text,
            "  - express:
      id: {id}
      password: {PASSWORD}
      hardware: {id}
      reply_after: 3ms
      bms: {{ cell_voltages_v: [{}, {}], noise_mv: 0, balancing: 'off', temperatures_c: [20] }}
      can:
        - motor: {{ can_id: {one}, hardware: {id}-A }}
        - motor: {{ can_id: {other}, hardware: {id}-B }}",
            volts(low),
            volts(high),
        );
    }
    text
}

/// Whose reply it is, as far as its values say; `None` if they are those of no device.
pub(super) fn whose(reply: &Reply, most: usize) -> Option<Whose> {
    let fields = reply.fields();
    let device = match reply {
        Reply::FwVersion(_) => match fields.get("hardware")? {
            Value::Text(text) => of_hardware(text)?,
            _ => return None,
        },
        Reply::PingCan { can_ids: found } => {
            (0..most).find(|&device| can_ids(device)[..] == found[..])?
        }
        Reply::BmsValues(_) => match fields.get("cell_voltages_v")? {
            Value::List(cells) => {
                let mv = |value: &Value| match value {
                    Value::Number(volts) => Some((volts * 1000.0).round() as i64),
                    _ => None,
                };
                let [low, high] = &cells[..] else { return None };
                let seen = [mv(low)?, mv(high)?];
                (0..most).find(|&device| cells_mv(device) == seen)?
            }
            _ => return None,
        },
        Reply::CustomConfig(_) => match fields.get("config")? {
            Value::Fields(config) => match config.get("hub_id")? {
                Value::Text(text) => of_hardware(text)?,
                _ => return None,
            },
            _ => return None,
        },
        _ => return Some(Whose::Anybody),
    };
    (device < most).then_some(Whose::Device(device))
}

/// Whose values a reply has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// Those of this device.
    Device(usize),
    /// The reply does not tell.
    Anybody,
}

/// `SOAK-00012` or `SOAK-00012-B`.
fn of_hardware(text: &str) -> Option<usize> {
    let number = text.strip_prefix("SOAK-")?;
    let number = number
        .strip_suffix("-A")
        .or_else(|| number.strip_suffix("-B"))
        .unwrap_or(number);
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(payload: &[u8]) -> Option<Whose> {
        whose(&Reply::decode(payload).unwrap().body, 200)
    }

    fn firmware(hardware: &str) -> Vec<u8> {
        [&[0, 6, 5], hardware.as_bytes(), &[0]].concat()
    }

    #[test]
    fn the_values_of_a_reply_say_whose_it_is() {
        assert_eq!(reply(&[62, 27, 131]), Some(Whose::Device(117)));
        assert_eq!(reply(&[62, 27, 132]), None);
        assert_eq!(reply(&firmware("SOAK-00117-B")), Some(Whose::Device(117)));
        assert_eq!(reply(&firmware("SOAK-00200")), None);
        assert_eq!(reply(b"\x15hello"), Some(Whose::Anybody));
    }
}
