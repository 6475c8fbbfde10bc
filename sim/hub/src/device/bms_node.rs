//! A VESC BMS as a node, alone on a link or on a CAN bus. There it tells everybody its values, and answers what
//! FORWARD_CAN brings it.
//!
//! ```text
//!  BMS -- frames 38 to 45, 53, 54 every 100 ms --> Express, motor controllers: what BMS_GET_VALUES tells there
//!  BMS <-- FORWARD_CAN, commands 97 to 101 ------- Express
//! ```

use std::time::Duration as Span;

use serde::Deserialize;
use veschub_transcript::can::Frame;
use veschub_wire::{
    CommandId, Reply, Request,
    command::{BmsValues, FwVersion},
};

use crate::{
    device::{
        Silence,
        answer::{Answers, fw_info},
        bms::{Bms, BmsSettings, Series, broadcast, over_can},
        identity::{check_can_id, check_hardware, firmware, random_bytes},
        motor_state::MotorState,
        node::{Node, NodeSettings, Telling},
        profile::{BmsFirmware, Profile},
        service::{Services, Upload, UploadTo},
        steer::{Release, SetCommand, SetError, Told},
    },
    duration::Duration,
    mistake::Mistakes,
    rng::Seed,
    time::Time,
};

/// How often a BMS tells its values (`BM config/conf_default.h:12-13`: 10 Hz).
const BROADCAST_EVERY: Span = Span::from_millis(100);
/// The longest hardware name (`BM commands.c:94-124`).
const MAX_HARDWARE: usize = 16;

/// What a BMS plays, beside what every board does.
pub(in crate::device) const COMMANDS: &[CommandId] = &[
    CommandId::FW_VERSION,
    CommandId::BMS_GET_VALUES,
    CommandId::BMS_SET_CHARGE_ALLOWED,
    CommandId::BMS_SET_BALANCE_OVERRIDE,
    CommandId::BMS_RESET_COUNTERS,
    CommandId::BMS_FORCE_BALANCE,
    CommandId::BMS_ZERO_CURRENT_OFFSET,
    CommandId::FW_INFO,
];

/// A VESC BMS on the CAN bus.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BmsNodeSettings {
    /// Its CAN id: 0 to 254.
    pub can_id: u8,
    /// Firmware version.
    #[serde(default)]
    pub firmware: BmsFirmware,
    /// Hardware name, up to 16 bytes.
    #[serde(default = "hardware")]
    pub hardware: String,
    /// How long it takes to answer a PING; beyond 10 ms the answer is too late.
    #[serde(default)]
    pub pong_after: Option<Duration>,
    /// When it stops telling its values to the bus, since the start of the run; it still answers.
    #[serde(default)]
    pub silent_after: Option<Duration>,
    /// What it measures.
    #[serde(default)]
    pub pack: BmsSettings,
}

fn hardware() -> String {
    "BMS".to_owned()
}

impl NodeSettings for BmsNodeSettings {
    fn can_id(&self) -> u8 {
        self.can_id
    }

    fn pong_after(&self) -> Option<Duration> {
        self.pong_after
    }

    fn pack(&self) -> Option<&BmsSettings> {
        Some(&self.pack)
    }

    fn hardware(&self) -> &str {
        &self.hardware
    }

    fn check(&self, mistakes: &mut Mistakes) {
        check_can_id(self.can_id, mistakes);
        check_hardware(&self.hardware, MAX_HARDWARE, mistakes);
        let own_id = mistakes.way_to("can_id");
        mistakes.inside("pack", |mistakes| {
            self.pack.check(self.firmware.profile().bms_end, mistakes);
            if self.pack.can_id.is_some() {
                mistakes
                    .add("can_id", "a pack has no CAN id but that of its BMS")
                    .at_key()
                    .help("leave it out")
                    .also = Some((own_id, false, "this one"));
            }
        });
    }
}

impl BmsNodeSettings {
    /// A BMS has no second motor.
    pub(in crate::device) fn second(&self) -> Option<Self> {
        None
    }

    pub(in crate::device) fn make(&self, seed: Seed, series: &Series) -> BmsNode {
        let profile = self.firmware.profile();
        BmsNode {
            can_id: self.can_id,
            profile,
            firmware: firmware(&self.hardware, random_bytes(seed.derive("uuid")), 1),
            silent_after: self.silent_after.map(Into::into),
            bms: Bms::new(self.pack.clone(), seed.derive("bms"))
                .ending_at(profile.bms_end)
                .with_series(series),
            services: Services::default().with(Upload::new(UploadTo::Bms, &self.hardware)),
        }
    }
}

/// A simulated VESC BMS.
#[derive(Debug)]
pub(in crate::device) struct BmsNode {
    can_id: u8,
    profile: Profile,
    /// The reply to FW_VERSION, as far as the firmware sends it.
    firmware: FwVersion,
    silent_after: Option<Span>,
    bms: Bms,
    /// What does commands of its own.
    services: Services,
}

impl BmsNode {
    fn with_id(&self, mut values: BmsValues) -> BmsValues {
        values.can_id = Some(self.can_id);
        values
    }

    fn bms_reply(&self, at: Time) -> Reply {
        let values = self.with_id(self.bms.values(at));
        Reply::BmsValues(self.profile.bms_end.cut(values))
    }
}

impl Node for BmsNode {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn can_id(&self) -> u8 {
        self.can_id
    }

    fn hardware(&self) -> String {
        let hardware = self.firmware.hardware.as_ref();
        hardware.map(ToString::to_string).unwrap_or_default()
    }

    fn told(&self, at: Time, _: Option<BmsValues>) -> Told {
        Told {
            bms: Some(self.bms_reply(at)),
            pinned: self.bms.pinned(at),
            ..Told::default()
        }
    }

    fn set(&mut self, at: Time, command: &SetCommand) -> Result<(), SetError> {
        self.bms.steer(at, command)
    }

    fn release(&mut self, _at: Time, release: &Release) -> Result<(), SetError> {
        self.bms.release(release)
    }

    fn obeys_bms(&self) -> bool {
        true
    }

    fn tells(&self) -> Vec<Telling> {
        vec![Telling {
            every: BROADCAST_EVERY,
            mask: 1,
        }]
    }

    fn tell(&mut self, at: Time, _mask: u8) -> Vec<Frame> {
        match self
            .silent_after
            .is_some_and(|limit| at.since_start() >= limit)
        {
            true => Vec::new(),
            false => broadcast(self.can_id, &self.bms.values(at)),
        }
    }

    fn restart(&mut self, at: Time) {
        self.services.restart(at);
    }

    fn told_at(&self, at: Time) -> Option<Time> {
        let until = match self.silent_after {
            // It was silent at that very moment.
            Some(limit) => at
                .since_start()
                .min(limit.saturating_sub(Span::from_nanos(1))),
            None => at.since_start(),
        };
        let ticks = until.as_nanos() / BROADCAST_EVERY.as_nanos();
        let ticks = u32::try_from(ticks).unwrap_or(u32::MAX);
        Some(Time::from(BROADCAST_EVERY * ticks))
    }

    fn broadcast(&mut self, at: Time) -> Option<BmsValues> {
        Some(self.with_id(over_can(&self.bms.values(at))))
    }

    fn answer(
        &mut self,
        at: Time,
        request: &Request,
        _: Option<BmsValues>,
    ) -> Result<Answers, Silence> {
        let no_motor = MotorState::default();
        if let Some(result) = self.services.request(at, request, &no_motor) {
            return result;
        }
        let profile = self.profile;
        let reply = match request {
            Request::FwVersion => Reply::FwVersion(profile.cut_fw_version(self.firmware.clone())),
            Request::BmsGetValues => self.bms_reply(at),
            Request::Bms(command) => {
                self.bms.command(at, *command);
                return Err(Silence::Obeyed);
            }
            Request::Other(other) if other.id == CommandId::FW_INFO => fw_info(&profile),
            _ => return Err(Silence::NothingToSay(profile.name)),
        };
        Ok(reply.into())
    }
}
