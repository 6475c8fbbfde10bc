//! The hub of the target `session`: which behaviours it has, its two devices, and the harm that is done to its links.

use std::{sync::OnceLock, time::Duration as Span};

use arbitrary::{Arbitrary, Result, Unstructured};
use veschub_wire::{CommandId, command::ExpressConfig};

use crate::{
    CommandName,
    device::{
        Board, Configs, Express, ExpressIdentity, Pack, Stored, Wiring,
        bms::{Bms, BmsSettings, Series},
        can::{CanBus, CanNode},
        identity::firmware,
        profile::Profile,
        script::{Script, UnaskedPrint},
    },
    duration::Duration,
    fault::{FaultDirection, FaultEntry, Harm, fuzzing::trigger},
    hub::{Access, Hub, HubConfig, Resident},
    quirk::{ConfigGoesElsewhere, NeedsSetup, Quirk, ReconnectReset, SessionReset, StaleReply},
    rng::Seed,
    time::Time,
};

/// The device ids: one of each device of our own, and one for devices from outside.
pub(super) const IDS: [&str; 3] = ["FUZZ-0000", "FUZZ-0001", "FUZZ-0002"];
/// The password of every device.
pub(super) const PASSWORD: &str = "not-a-secret";
/// What the quirk `stale-reply` asks.
pub(super) const STALE: CommandId = CommandId::BMS_GET_VALUES;

const MAX_FAULTS: u8 = 4;
const SEED: Seed = Seed(1);

/// What the first bytes of an input choose.
///
/// ```text
///  switches u8 | quirks u8 | count u8 | count × (kind u8, parameter u8, trigger u8)
/// ```
///
/// The lowest six bits of `switches` are the hub's, bit 6 makes the limits small, and bit 7 lets the first device serve
/// directly. `count` is taken modulo 4; the highest bit of `kind` turns a fault to requests.
pub(super) struct Plan {
    pub(super) config: HubConfig,
    pub(super) is_direct: bool,
    quirks: u8,
    faults: Vec<FaultEntry>,
}

impl<'a> Arbitrary<'a> for Plan {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let [switches, quirks, count] = <[u8; 3]>::arbitrary(u)?;
        let faults = (0..count % MAX_FAULTS).map(|_| {
            let [kind, parameter, when] = <[u8; 3]>::arbitrary(u)?;
            let direction = match kind >> 7 {
                0 => FaultDirection::ToTool,
                _ => FaultDirection::ToDevice,
            };
            let kind = kind & 0x7F;
            Ok(FaultEntry::draw(kind, parameter, direction, trigger(when)))
        });
        let faults = faults.collect::<Result<Vec<_>>>()?;
        Ok(Self {
            config: config(switches),
            is_direct: switches >> 7 == 1,
            quirks,
            faults,
        })
    }
}

fn config(switches: u8) -> HubConfig {
    let is_on = |bit: u8| switches >> bit & 1 == 1;
    let mut config = HubConfig {
        login_swallows: is_on(0),
        silent_connection_stalls: is_on(1),
        replacement_deletes: is_on(2),
        keeps_early_bytes: is_on(3),
        late_replies: is_on(4),
        half_frames_stay: is_on(5),
        ..HubConfig::reference()
    };
    if is_on(6) {
        config = HubConfig {
            login_timeout: Span::from_millis(700),
            max_login_line: 64,
            max_login_bytes: 160,
            max_unsent: 1200,
            max_kept: 48,
            ..config
        };
    }
    config
}

impl Plan {
    pub(super) fn hub(&self) -> Hub {
        let resident = |id: usize| Resident {
            id: IDS[id].to_owned(),
            access: Access::Password(PASSWORD.to_owned()),
            device: Box::new(express(id)),
            link: None,
            quirks: self.quirks(),
        };
        let hub = match self.is_direct {
            true => Hub::direct(self.config.clone(), resident(0)),
            false => Hub::new(self.config.clone(), vec![resident(0), resident(1)]),
        };
        hub.with_faults(self.faults.clone().into(), SEED)
    }

    fn quirks(&self) -> Vec<Box<dyn Quirk>> {
        let mut quirks: Vec<Box<dyn Quirk>> = Vec::new();
        let is_on = |bit: u8| self.quirks >> bit & 1 == 1;
        if is_on(0) {
            let max_gap = Duration::from_millis(u64::from(self.quirks));
            quirks.push(Box::new(SessionReset::with(max_gap)));
        }
        if is_on(1) {
            quirks.push(Box::new(NeedsSetup::with()));
        }
        if is_on(2) {
            quirks.push(Box::new(StaleReply::with(CommandName(STALE))));
        }
        if is_on(5) {
            let pause = Duration::from_millis(u64::from(self.quirks));
            quirks.push(Box::new(ReconnectReset::with(pause)));
        }
        if is_on(3) {
            let every = u32::from(self.quirks >> 4);
            quirks.push(Box::new(ConfigGoesElsewhere::with(every)));
        }
        quirks
    }

    /// Whether every byte that goes to a tool arrives, unchanged and in order.
    pub(super) fn is_sound(&self) -> bool {
        let mut harms = self.faults.iter().map(|fault| fault.info().harm);
        harms.all(|harm| harm == Harm::Late)
    }
}

/// What takes time to make, made once.
struct Parts {
    bms: Bms,
    node: [Vec<CanNode>; 2],
}

/// A device of our own. The first has a pack and says something unasked, the second has a BMS on its bus.
fn express(index: usize) -> Board {
    static PARTS: OnceLock<Parts> = OnceLock::new();
    let parts = PARTS.get_or_init(|| {
        let settings = BmsSettings {
            cells: Some(3),
            ..BmsSettings::default()
        };
        let node = |text: &str| serde_json::from_str(text).into_iter().collect();
        Parts {
            bms: Bms::new(settings, SEED),
            node: [
                node(r#"{ "motor": { "can_id": 84 } }"#),
                node(r#"{ "bms": { "can_id": 10, "pack": { "cells": 3 } } }"#),
            ],
        }
    });
    let profile = Profile::EXPRESS_6_05;
    let identity = ExpressIdentity {
        profile,
        firmware: firmware(IDS[index], [index as u8; 12], 2),
        configs: Configs::new(ExpressConfig::default(), index == 0),
    };
    let (pack, prints) = match index {
        0 => {
            let bms = parts.bms.clone().ending_at(profile.bms_end);
            let print = UnaskedPrint {
                at: Time::ZERO + Span::from_millis(900),
                text: "unasked".to_owned(),
            };
            (Pack::Own(Box::new(bms)), vec![print])
        }
        _ => (Pack::OverCan, Vec::new()),
    };
    let script = Script {
        prints,
        ..Script::default()
    };
    let wiring = Wiring {
        reply_after: Span::from_millis(60),
        can: CanBus::new(&parts.node[index], SEED, &Series::new()),
        script,
    };
    let stored = Stored {
        files: Some(Vec::new()),
        ..Stored::default()
    };
    Board::express(Express::new(identity, pack, stored), wiring)
}
