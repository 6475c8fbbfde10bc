//! What becomes of each command on each kind of device, as the lists tell that the devices go by.

use veschub_wire::{CommandId, Firmware, command::comes_unasked};

use super::{
    fate::{Fate, fate},
    profile::{Kind, Profile, handled_since},
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

/// A command on a kind of device of which some firmware handles it or sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// The kind of device.
    pub kind: Kind,
    /// What is done here, with the newest firmware that has it.
    pub play: Play,
    /// Since which firmware it is handled, where a dispatcher handles it; 0.00 stands for the oldest that was read.
    pub since: Option<Firmware>,
    /// Which firmware no longer handles it, if one dropped it.
    pub dropped: Option<Firmware>,
}

/// Firmware of each kind, the newest first: after it the newest that still has what later firmware dropped.
const NEWEST: [&[Profile]; 3] = [
    &[Profile::MOTOR_7_01, Profile::MOTOR_6_02],
    &[Profile::EXPRESS_7_00],
    &[Profile::BMS_6_00_MAIN],
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
    let play = |profile: &Profile| match fate(profile, id) {
        Fate::Handled => Some(Play::Played),
        Fate::ActedOn => Some(Play::Taken),
        Fate::NotPlayed => Some(Play::NotPlayed),
        Fate::Unknown => is_sent(profile.kind, id).then_some(Play::Sent),
    };
    let covered = NEWEST.iter().filter_map(|profiles| {
        let kind = profiles.first()?.kind;
        let handled = handled_since(kind, id);
        Some(Coverage {
            kind,
            play: profiles.iter().find_map(play)?,
            since: handled.map(|(since, _)| since),
            dropped: handled.and_then(|(_, dropped)| dropped),
        })
    });
    covered.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the newest firmware does not have, the next one in the list has.
    #[test]
    fn every_command_that_a_dispatcher_ever_handled_is_covered() {
        for id in (0..=u8::MAX).map(CommandId) {
            for kind in [Kind::Motor, Kind::Express, Kind::Bms] {
                let covered = coverage(id).into_iter().find(|one| one.kind == kind);
                let since = covered.and_then(|one| one.since);
                assert_eq!(
                    since,
                    handled_since(kind, id).map(|(since, _)| since),
                    "{id:?}"
                );
            }
        }
    }
}
