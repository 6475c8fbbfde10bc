//! The BMS that is heard on a bus.

use std::time::Duration;

use veschub_wire::command::BmsValues;

use super::{CanBus, Station};
use crate::{device::Silence, time::Time};

/// BMS data older than this are no data (`EX bms.c:366-395`).
const FRESH: Duration = Duration::from_secs(2);

impl CanBus {
    /// The BMS whose data count, and when it told them: the first that is fresh, or the one that was heard last
    /// (`EX bms.c:59-287`).
    fn bms_heard(&self, at: Time) -> Option<(u8, Time)> {
        if self.off {
            return None;
        }
        let told = |one: &Station| Some((one.place, one.node.told_at(at)?));
        let mut all = self.stations.values().filter_map(told);
        let mut best = all.next()?;
        for other in all {
            if at - best.1 > FRESH && other.1 > best.1 {
                best = other;
            }
        }
        Some(best)
    }

    /// What everybody on the bus knows of a BMS.
    pub(in crate::device) fn bms_values(&mut self, at: Time) -> Option<BmsValues> {
        let (can_id, told_at) = self.bms_heard(at)?;
        self.stations.get_mut(&can_id)?.node.broadcast(told_at)
    }

    /// The BMS that a command may be sent to, or why there is none: its data must be younger than 2 s.
    pub(in crate::device) fn bms_to_command(&self, at: Time) -> Result<u8, Silence> {
        let (can_id, told_at) = self.bms_heard(at).ok_or(Silence::NoBms)?;
        let age = at - told_at;
        if age >= FRESH {
            return Err(Silence::StaleBms { can_id, age });
        }
        Ok(can_id)
    }
}
