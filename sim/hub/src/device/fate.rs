//! What becomes of a command: which of those that a firmware handles are played here.
//!
//! An id that a firmware does not handle is ignored without a word (`EX main/commands.c:1101-1103`): there is no
//! error reply in this protocol. The journal tells the cases of [`Fate`] apart.

use veschub_wire::CommandId;

use super::{
    Silence, bms_node, express, motor,
    profile::{Kind, Profile},
    service::{self, config, files, lisp, qml, upload},
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

/// What every board does, and every node on its bus.
const EVERYWHERE: &[CommandId] = &[CommandId::REBOOT, CommandId::FORWARD_CAN];

/// What is played here, wherever a firmware handles it: each module that plays commands has a list of them.
const PLAYED: &[(Kind, &[&[CommandId]])] = &[
    (
        Kind::Express,
        &[
            EVERYWHERE,
            worker::COMMANDS,
            express::COMMANDS,
            files::COMMANDS,
            lisp::COMMANDS,
            qml::COMMANDS,
            upload::COMMANDS,
            service::app::COMMANDS,
            service::side_devices::COMMANDS,
        ],
    ),
    (
        Kind::Motor,
        &[
            EVERYWHERE,
            worker::COMMANDS,
            motor::COMMANDS,
            lisp::COMMANDS,
            qml::COMMANDS,
            upload::COMMANDS,
            config::COMMANDS,
            service::app::COMMANDS,
            service::inputs::COMMANDS,
            service::imu::COMMANDS,
            service::samples::COMMANDS,
            service::side_devices::COMMANDS,
            service::side_devices::OF_MOTORS,
        ],
    ),
    (
        Kind::Bms,
        &[
            EVERYWHERE,
            worker::COMMANDS,
            bms_node::COMMANDS,
            upload::COMMANDS,
        ],
    ),
];

/// What an application of the user registers on a motor controller.
const NEEDS_APPLICATION: &[CommandId] = &[
    CommandId::GET_CUSTOM_CONFIG_XML,
    CommandId::GET_CUSTOM_CONFIG,
    CommandId::GET_CUSTOM_CONFIG_DEFAULT,
    CommandId::SET_CUSTOM_CONFIG,
];

/// What is never answered, whatever it does.
const NEVER_ANSWERED: &[CommandId] = &[
    CommandId::CAN_FWD_FRAME,
    CommandId::SET_BLE_NAME,
    CommandId::SET_BLE_PIN,
];

/// What becomes of a command.
pub(in crate::device) fn fate(profile: &Profile, id: CommandId) -> Fate {
    let plays = |&(kind, lists): &(Kind, &[&[CommandId]])| {
        kind == profile.kind && lists.iter().any(|list| list.contains(&id))
    };
    if !profile.handles(id) {
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
            (Profile::MOTOR_6_05, CommandId::SET_DUTY, Fate::Handled),
            (Profile::EXPRESS_6_05, CommandId::ALIVE, Fate::Unknown),
            (Profile::EXPRESS_7_00, CommandId::FILE_LIST, Fate::Handled),
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
