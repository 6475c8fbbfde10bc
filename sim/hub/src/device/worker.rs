//! Blocking commands: one worker does them one at a time, and a second one is dropped without a word
//! (`EX main/commands.c:132-203, 1088-1099`, `MC comm/commands.c:1684-1716`).

use std::time::Duration;

use veschub_wire::{CommandId, Reply, command::Opaque};

use super::{
    answer::{Answer, Answers},
    profile::{Kind, Profile},
    script::print,
};

/// What all devices on a bus need before they take a new bit rate (`EX main/commands.c:170-193`).
const BAUD_CHANGE: Duration = Duration::from_millis(500);
/// The bit rates of a CAN bus, kbit/s (`EX main/datatypes.h:79-90`).
const BAUD_RATES: [i16; 9] = [125, 250, 500, 1000, 10, 20, 50, 75, 100];

/// What the worker of every board does itself. What a node does in the worker is in the node's own list.
pub(super) const COMMANDS: &[CommandId] = &[
    CommandId::TERMINAL_CMD,
    CommandId::PING_CAN,
    CommandId::CAN_UPDATE_BAUD_ALL,
];

/// Whether a command is handed to the worker. What blocks beside the commands of every board is about a motor, but for
/// one command of a BMS.
pub(super) fn is_blocking(id: CommandId, profile: &Profile) -> bool {
    let is_about_bms = id == CommandId::BMS_ZERO_CURRENT_OFFSET;
    COMMANDS.contains(&id)
        || match profile.kind {
            Kind::Express => false,
            Kind::Motor => id.is_blocking() && !is_about_bms,
            Kind::Bms => is_about_bms,
        }
}

/// CAN_UPDATE_BAUD_ALL: how long it takes, and its answer.
pub(super) fn update_baud(arguments: &[u8]) -> Option<(Duration, Answer)> {
    let &[rate_high, rate_low, delay_high, delay_low, ..] = arguments else {
        return None;
    };
    let rate = i16::from_be_bytes([rate_high, rate_low]);
    let delay = i16::from_be_bytes([delay_high, delay_low]);
    let is_valid = BAUD_RATES.contains(&rate);
    let delay = Duration::from_millis(u64::try_from(delay).unwrap_or(0));
    let took = if is_valid {
        BAUD_CHANGE + delay
    } else {
        Duration::ZERO
    };
    let reply = Reply::Other(Opaque {
        id: CommandId::CAN_UPDATE_BAUD_ALL,
        arguments: vec![is_valid.into()],
    });
    Some((took, reply.into()))
}

/// TERMINAL_CMD: the echo that comes first (`EX main/terminal.c:79-80`); none from a motor controller before 6.00
/// (`MC` f7a2e4c6).
pub(super) fn echo(command: &[u8], profile: &Profile) -> Option<Answer> {
    if profile.kind == Kind::Motor && version(profile) < (6, 0) {
        return None;
    }
    let (before, after): (&[u8], &[u8]) = match profile.kind {
        Kind::Motor => (b"-> ", b" \n"),
        _ => (b"-> ", b""),
    };
    let text = [before, command, after].concat();
    Some(print(&text, profile.max_print))
}

fn version(profile: &Profile) -> (i8, i8) {
    (profile.major, profile.minor)
}

/// Whether a motor controller drops what it says: it prints only where a blocking command came from, `chosen` since the
/// last start (`MC comm/commands.c:81, 163-167`; before 3.51 the last command of any kind decided).
pub(super) fn drops(profile: &Profile, chosen: bool, answer: &Answer) -> bool {
    profile.kind == Kind::Motor
        && version(profile) >= (3, 51)
        && !chosen
        && answer.payload.first() == Some(&CommandId::PRINT.0)
}

/// The answers without those that are dropped.
pub(super) fn printable(profile: &Profile, chosen: bool, answers: Answers) -> Answers {
    answers.without(|answer| drops(profile, chosen, answer))
}
