//! A VESC BMS as a node on the CAN bus: it tells everybody its values and answers what FORWARD_CAN brings it.
//!
//! ```text
//!  BMS -- frames 38 to 45, 53, 54 every 100 ms --> Express, motor controllers: what BMS_GET_VALUES tells there
//!  BMS <-- FORWARD_CAN, commands 97 to 101 ------- Express
//! ```

use std::time::Duration;

use veschub_wire::{
    CommandId, Reply, Request,
    command::{BmsCommand, BmsTotals, BmsValues, FwVersion},
    number::{F16, Scaled, Text},
};

use super::{
    Answer,
    bms::{Bms, ReplyEnd, over_can},
    fw_info,
    profile::Profile,
};
use crate::time::Time;

/// How often a BMS tells its values (`BM config/conf_default.h:12-13`: 10 Hz).
const BROADCAST_EVERY: Duration = Duration::from_millis(100);

/// What a BMS on the bus is like.
#[derive(Clone, Debug)]
pub struct BmsNodeSettings {
    /// Its CAN id.
    pub can_id: u8,
    /// Its firmware.
    pub profile: Profile,
    /// The reply to FW_VERSION, as far as the firmware sends it.
    pub firmware: FwVersion,
    /// When it stops telling its values to the bus, since the start of the run; it still answers.
    pub silent_after: Option<Duration>,
}

/// A simulated VESC BMS on a CAN bus.
#[derive(Clone, Debug)]
pub struct BmsNode {
    settings: BmsNodeSettings,
    bms: Bms,
}

/// What others on the bus know of a BMS.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Heard {
    pub(super) can_id: u8,
    /// When the last values came.
    pub(super) at: Time,
}

impl BmsNode {
    /// A BMS with its pack.
    #[must_use]
    pub fn new(settings: BmsNodeSettings, bms: Bms) -> Self {
        Self { settings, bms }
    }

    pub(super) fn profile(&self) -> &Profile {
        &self.settings.profile
    }

    pub(super) fn can_id(&self) -> u8 {
        self.settings.can_id
    }

    /// When it last told its values.
    pub(super) fn heard(&self, at: Time) -> Heard {
        let until = match self.settings.silent_after {
            // It was silent at that very moment.
            Some(limit) => at
                .since_start()
                .min(limit.saturating_sub(Duration::from_nanos(1))),
            None => at.since_start(),
        };
        let ticks = until.as_nanos() / BROADCAST_EVERY.as_nanos();
        let ticks = u32::try_from(ticks).unwrap_or(u32::MAX);
        Heard {
            can_id: self.settings.can_id,
            at: Time::from(BROADCAST_EVERY * ticks),
        }
    }

    /// What others know of it from the frames at that moment.
    pub(super) fn broadcast(&mut self, at: Time) -> BmsValues {
        let mut values = over_can(&self.bms.values(at));
        values.can_id = Some(self.settings.can_id);
        values
    }

    /// Its reply to a request that its firmware handles, or why there is none.
    pub(super) fn answer(&mut self, at: Time, request: &Request) -> Result<Answer, String> {
        let profile = self.settings.profile;
        let reply = match request {
            Request::FwVersion => {
                Reply::FwVersion(profile.cut_fw_version(self.settings.firmware.clone()))
            }
            Request::BmsGetValues => {
                let mut values = self.bms.values(at);
                values.can_id = Some(self.settings.can_id);
                Reply::BmsValues(ending_at(values, profile.bms_end))
            }
            Request::Bms(command) => return Err(self.obey(at, *command)),
            Request::Other(other) if other.id == CommandId::FW_INFO => fw_info(&profile),
            _ => return Err(format!("{} has nothing to say to it", profile.name)),
        };
        Ok(reply.into())
    }

    /// Obeys a command, and says why no reply follows.
    pub(super) fn obey(&mut self, at: Time, command: BmsCommand) -> String {
        obey(&mut self.bms, at, command)
    }
}

/// Lets a pack obey a command, and says why no reply follows.
pub(super) fn obey(bms: &mut Bms, at: Time, command: BmsCommand) -> String {
    bms.command(at, command);
    "the pack took it; such commands are never acknowledged".to_owned()
}

/// The same values in a reply that ends there: what stands behind the end goes, what is missing before it is 0.
pub(super) fn ending_at(mut values: BmsValues, end: ReplyEnd) -> BmsValues {
    fn keep<T: Default>(field: &mut Option<T>, reached: bool) {
        *field = reached.then(|| field.take().unwrap_or_default());
    }
    let reaches = |part| end >= part;
    keep::<F16<1000>>(
        &mut values.state_of_charge,
        reaches(ReplyEnd::StateOfHealth),
    );
    keep::<F16<1000>>(
        &mut values.state_of_health,
        reaches(ReplyEnd::StateOfHealth),
    );
    keep::<u8>(&mut values.can_id, reaches(ReplyEnd::CanId));
    keep::<BmsTotals>(&mut values.totals, reaches(ReplyEnd::Totals));
    keep::<Scaled<i16, 1, 10>>(&mut values.pressure_pa, reaches(ReplyEnd::Pressure));
    keep::<u8>(&mut values.data_version, reaches(ReplyEnd::DataVersion));
    keep::<Text>(&mut values.status, reaches(ReplyEnd::Status));
    values
}
