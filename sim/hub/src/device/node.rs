//! What answers requests: the heart of a board, or a node on its CAN bus.
//!
//! A node holds no link and no worker. The [board](super::board), or the [bus](super::can), gives it what its firmware
//! handles, at the time at which it does it, and sends what it says.

use std::{fmt, time::Duration as Span};

use veschub_transcript::can::Frame;
use veschub_wire::{
    Request,
    command::{BmsValues, ConfigKind},
};

use super::{
    Silence,
    answer::{Answer, Answers},
    bms::BmsSettings,
    profile::Profile,
    service::config::{ConfigSettings, Configured},
    steer::{Release, SetCommand, SetError, Told},
};
use crate::{duration::Duration, mistake::Mistakes, time::Time};

/// What a node is like, as a scenario describes it.
pub trait NodeSettings {
    /// Its CAN id.
    fn can_id(&self) -> u8;

    /// The CAN id of its second motor, under `second_can_id`.
    fn second_can_id(&self) -> Option<u8> {
        None
    }

    /// How long it takes to answer a PING. Without a time it takes a fraction of a millisecond, which is nothing
    /// beside the 10 ms that a scan waits.
    fn pong_after(&self) -> Option<Duration>;

    /// The pack that it measures, under `pack`.
    fn pack(&self) -> Option<&BmsSettings> {
        None
    }

    /// The CSV files that it names under `set`, each with the place of its value in the list.
    fn files(&self) -> Vec<(usize, &str)> {
        Vec::new()
    }

    /// The configurations that name files or bytes, each with its key.
    fn configs(&self) -> Vec<(&'static str, ConfigKind, &ConfigSettings)> {
        Vec::new()
    }

    /// What other keys say of a configuration, whether they are written down or have their defaults.
    fn configured(&self, _kind: ConfigKind) -> Vec<Configured> {
        Vec::new()
    }

    /// The name of its hardware, under `hardware`.
    fn hardware(&self) -> &str;

    /// Looks for mistakes.
    fn check(&self, mistakes: &mut Mistakes);
}

/// What a node tells the bus without being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::device) struct Telling {
    /// The time from one to the next.
    pub(in crate::device) every: Span,
    /// Which messages, bit by bit, as the node numbers them.
    pub(in crate::device) mask: u8,
}

/// Firmware that answers requests: that of an Express, a motor controller or a BMS.
pub(in crate::device) trait Node: Send + fmt::Debug {
    /// Its firmware.
    fn profile(&self) -> &Profile;

    /// Its CAN id.
    fn can_id(&self) -> u8;

    /// The name of its hardware.
    fn hardware(&self) -> String;

    /// What it would tell now; `heard` is what it knows of a BMS on the bus. Nothing that is read later changes by it.
    fn told(&self, at: Time, heard: Option<BmsValues>) -> Told;

    /// Sets a value from this moment on.
    fn set(&mut self, _at: Time, _command: &SetCommand) -> Result<(), SetError> {
        Err(SetError::nothing(self.profile().name))
    }

    /// Releases what was set while it ran.
    fn release(&mut self, _at: Time, _release: &Release) -> Result<(), SetError> {
        Err(SetError::nothing(self.profile().name))
    }

    /// Its replies to a request that its firmware handles, or why there are none. `heard` is what it knows of a BMS on
    /// the bus.
    fn answer(
        &mut self,
        at: Time,
        request: &Request,
        heard: Option<BmsValues>,
    ) -> Result<Answers, Silence>;

    /// What a built-in command of its terminal prints behind the echo; none where it has no such command.
    fn terminal(&mut self, _at: Time, _command: &[u8]) -> Option<Vec<Answer>> {
        None
    }

    /// When it wants to do something without being asked.
    fn poll_timeout(&self) -> Option<Time> {
        None
    }

    /// Does what was due by `now`, and tells what it says without being asked; what is due then lies later.
    fn handle_timeout(&mut self, _now: Time) -> Vec<(Time, Answer)> {
        Vec::new()
    }

    /// It restarts: it forgets what it does not store.
    fn restart(&mut self, _at: Time) {}

    /// Whether it acts on the commands to a BMS itself. Other nodes send them on to the BMS that they have heard.
    fn obeys_bms(&self) -> bool {
        false
    }

    /// What it tells the bus again and again without being asked.
    fn tells(&self) -> Vec<Telling> {
        Vec::new()
    }

    /// The frames of these messages at that moment.
    fn tell(&mut self, _at: Time, _mask: u8) -> Vec<Frame> {
        Vec::new()
    }

    /// When it last told the bus the values of its pack; none for a node that is no BMS.
    fn told_at(&self, _at: Time) -> Option<Time> {
        None
    }

    /// The values that it tells the bus at that moment.
    fn broadcast(&mut self, _at: Time) -> Option<BmsValues> {
        None
    }
}
