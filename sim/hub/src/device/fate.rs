//! Which commands a firmware handles, and which of them are played here.
//!
//! An id that a firmware does not handle is ignored without a word (`EX main/commands.c:1101-1103`): there is no
//! error reply in this protocol. The journal tells the cases of [`Fate`] apart.

use veschub_wire::CommandId;

use super::{
    Silence, bms_node, express, motor,
    profile::{Kind, Profile},
    worker,
};

/// What becomes of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::device) enum Fate {
    /// It is handled here.
    Handled,
    /// The firmware acts on it and never answers; there is nothing here that it could change.
    ActedOn,
    /// The firmware may answer it; this simulator does not play it.
    NotPlayed,
    /// The firmware does not know it.
    Unknown,
}

/// The ids that each kind's dispatcher handles, as ranges of both ends
/// (`EX main/commands.c`, `MC comm/commands.c`, `BM commands.c`).
#[rustfmt::skip]
const DISPATCHED: [(Kind, &[(u8, u8)]); 3] = [
    (Kind::Express, &[
        (0, 3), (20, 20), (29, 29), (34, 34), (36, 36), (62, 62), (65, 65), (85, 85), (92, 101),
        (117, 118), (120, 124), (130, 134), (138, 148), (150, 152), (157, 158),
    ]),
    (Kind::Motor, &[
        (0, 20), (24, 37), (47, 52), (55, 55), (57, 74), (80, 101), (110, 112), (115, 115),
        (117, 125), (128, 134), (138, 139), (149, 150), (152, 152), (156, 159),
    ]),
    (Kind::Bms, &[
        (0, 3), (20, 20), (29, 29), (34, 34), (36, 36), (62, 62), (64, 64), (66, 73), (80, 80),
        (83, 83), (92, 109), (111, 112), (114, 114), (123, 127), (136, 137), (157, 158),
    ]),
];

/// What every board does, and every node on its bus.
const EVERYWHERE: &[CommandId] = &[CommandId::REBOOT, CommandId::FORWARD_CAN];

/// What is played here, wherever a firmware handles it: each module that plays commands has a list of them.
const PLAYED: &[(Kind, &[&[CommandId]])] = &[
    (
        Kind::Express,
        &[EVERYWHERE, worker::COMMANDS, express::COMMANDS],
    ),
    (
        Kind::Motor,
        &[EVERYWHERE, worker::COMMANDS, motor::COMMANDS],
    ),
    (
        Kind::Bms,
        &[EVERYWHERE, worker::COMMANDS, bms_node::COMMANDS],
    ),
];

/// What an application of the user registers on a motor controller.
const NEEDS_APPLICATION: &[CommandId] = &[
    CommandId::GET_CUSTOM_CONFIG_XML,
    CommandId::GET_CUSTOM_CONFIG,
    CommandId::GET_CUSTOM_CONFIG_DEFAULT,
    CommandId::SET_CUSTOM_CONFIG,
    CommandId::GET_QML_UI_APP,
];

/// What is never answered, whatever it does.
const NEVER_ANSWERED: &[CommandId] = &[
    CommandId::SET_DUTY,
    CommandId::SET_CURRENT,
    CommandId::SET_CURRENT_BRAKE,
    CommandId::SET_RPM,
    CommandId::SET_POS,
    CommandId::SET_HANDBRAKE,
    CommandId::SET_SERVO_POS,
    CommandId::ALIVE,
    CommandId::SET_CHUCK_DATA,
    CommandId::CUSTOM_APP_DATA,
    CommandId::SET_CURRENT_REL,
];

/// What becomes of a command.
pub(in crate::device) fn fate(profile: &Profile, id: CommandId) -> Fate {
    let handles = |&(kind, ranges): &(Kind, &[(u8, u8)])| {
        let in_range = |&(first, last): &(u8, u8)| (first..=last).contains(&id.0);
        kind == profile.kind && ranges.iter().any(in_range)
    };
    let plays = |&(kind, lists): &(Kind, &[&[CommandId]])| {
        kind == profile.kind && lists.iter().any(|list| list.contains(&id))
    };
    if profile.lacks.contains(&id) || !DISPATCHED.iter().any(handles) {
        Fate::Unknown
    } else if PLAYED.iter().any(plays) {
        Fate::Handled
    } else if NEVER_ANSWERED.contains(&id) {
        Fate::ActedOn
    } else {
        Fate::NotPlayed
    }
}

/// Why a command is not answered; none where it is handled.
pub(in crate::device) fn why_silent(profile: &Profile, id: CommandId) -> Option<Silence> {
    let name = profile.name;
    match fate(profile, id) {
        Fate::Handled => None,
        Fate::ActedOn if id == CommandId::CUSTOM_APP_DATA => Some(Silence::NoApplication),
        Fate::ActedOn => Some(Silence::NeverAnswered(name)),
        Fate::NotPlayed if profile.kind == Kind::Motor && NEEDS_APPLICATION.contains(&id) => {
            Some(Silence::NoConfigRegistered)
        }
        Fate::NotPlayed => Some(Silence::NotPlayed(name)),
        Fate::Unknown => Some(Silence::Unknown(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_meets_the_fate_that_its_firmware_has_for_it() {
        for (profile, id, fate) in [
            (Profile::EXPRESS_6_05, CommandId::GET_VALUES, Fate::Unknown),
            (Profile::MOTOR_6_05, CommandId::GET_VALUES, Fate::Handled),
            (Profile::MOTOR_5_02, CommandId::GET_STATS, Fate::Unknown),
            (Profile::MOTOR_5_03, CommandId::GET_STATS, Fate::Handled),
            (Profile::MOTOR_6_05, CommandId::SET_DUTY, Fate::ActedOn),
            (Profile::EXPRESS_6_05, CommandId::ALIVE, Fate::Unknown),
            (Profile::EXPRESS_7_00, CommandId::FILE_LIST, Fate::NotPlayed),
            (
                Profile::EXPRESS_7_00,
                CommandId::GET_CUSTOM_CONFIG,
                Fate::Handled,
            ),
            (
                Profile::BMS_6_00,
                CommandId::GET_CUSTOM_CONFIG,
                Fate::NotPlayed,
            ),
            (Profile::EXPRESS_7_00, CommandId(200), Fate::Unknown),
        ] {
            assert_eq!(super::fate(&profile, id), fate, "{} {id}", profile.name);
        }
    }
}
