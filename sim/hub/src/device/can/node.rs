//! What every kind of node on a CAN bus has: settings that a scenario writes, and answers to what reaches it.

use std::fmt;

use veschub_wire::{Request, command::BmsValues};

use crate::{
    device::{Silence, answer::Answer, bms::BmsSettings, profile::Profile},
    duration::Duration,
    mistake::Mistakes,
    time::Time,
};

/// What a node is like, as a scenario describes it.
pub trait NodeSettings {
    /// Its CAN id.
    fn can_id(&self) -> u8;

    /// How long it takes to answer a PING. Without a time it takes a fraction of a millisecond, which is nothing
    /// beside the 10 ms that a scan waits.
    fn pong_after(&self) -> Option<Duration>;

    /// The pack that it measures, under `pack`.
    fn pack(&self) -> Option<&BmsSettings> {
        None
    }

    /// The name of its hardware, under `hardware`.
    fn hardware(&self) -> &str;

    /// Looks for mistakes.
    fn check(&self, mistakes: &mut Mistakes);
}

/// A node on a CAN bus.
pub(in crate::device) trait Node: Send + fmt::Debug {
    /// Its firmware.
    fn profile(&self) -> &Profile;

    /// Its reply to a request that its firmware handles, or why there is none. `heard` is what it knows of a BMS on
    /// the bus.
    fn answer(
        &mut self,
        at: Time,
        request: &Request,
        heard: Option<BmsValues>,
    ) -> Result<Answer, Silence>;

    /// When it last told the bus the values of its pack; none for a node that is no BMS.
    fn told_at(&self, _at: Time) -> Option<Time> {
        None
    }

    /// The values that it tells the bus at that moment.
    fn broadcast(&mut self, _at: Time) -> Option<BmsValues> {
        None
    }
}
