//! What becomes of each command on each kind of device, as the lists tell that the devices go by.

use veschub_wire::{CommandId, command::comes_unasked};

use super::{
    fate::{Fate, fate},
    profile::{Kind, Profile},
};

/// What a simulated device does with a command that its firmware handles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Play {
    /// It acts like the firmware.
    Played,
    /// It takes it like the firmware, which never answers; there is nothing here that it could change.
    Taken,
    /// Nobody asks for it: a device sends it by itself.
    Sent,
    /// It is silent, where the firmware may answer. A scenario can write the answer byte by byte.
    NotPlayed,
}

/// A command on a kind of device whose newest firmware handles it, or sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// The kind of device.
    pub kind: Kind,
    /// What is done here.
    pub play: Play,
}

/// The newest firmware of each kind.
const NEWEST: [Profile; 3] = [
    Profile::MOTOR_7_01,
    Profile::EXPRESS_7_00,
    Profile::BMS_6_00_MAIN,
];

/// Whether devices of a kind send it by themselves: every one its texts, those with a script what that prints, and a
/// motor controller all that there is.
fn is_sent(kind: Kind, id: CommandId) -> bool {
    let is_of_all = id == CommandId::PRINT || id == CommandId::LISP_PRINT && kind == Kind::Express;
    is_of_all || kind == Kind::Motor && comes_unasked(id)
}

/// What becomes of a command, on each kind of device that handles it.
#[must_use]
pub fn coverage(id: CommandId) -> Vec<Coverage> {
    NEWEST
        .iter()
        .filter_map(|profile| {
            let play = match fate(profile, id) {
                Fate::Handled => Play::Played,
                Fate::ActedOn => Play::Taken,
                Fate::NotPlayed => Play::NotPlayed,
                Fate::Unknown if is_sent(profile.kind, id) => Play::Sent,
                Fate::Unknown => return None,
            };
            let kind = profile.kind;
            Some(Coverage { kind, play })
        })
        .collect()
}
