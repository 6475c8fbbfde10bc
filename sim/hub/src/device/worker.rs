//! Blocking commands: one worker does them one at a time, and a second one is dropped without a word
//! (`EX main/commands.c:132-203, 1088-1099`, `MC comm/commands.c:1684-1716`).

use std::time::Duration;

use veschub_wire::{
    CommandId, Reply, Request,
    command::{BmsCommand, Opaque},
};

use super::{
    answer::Answer,
    profile::{Kind, Profile},
    script::{Script, latin1, print},
};

/// What all devices on a bus need before they take a new bit rate (`EX main/commands.c:170-193`).
const BAUD_CHANGE: Duration = Duration::from_millis(500);
/// The bit rates of a CAN bus, kbit/s (`EX main/datatypes.h:79-90`).
const BAUD_RATES: [i16; 9] = [125, 250, 500, 1000, 10, 20, 50, 75, 100];

/// Whether a command is handed to the worker.
pub(super) fn is_blocking(request: &Request, profile: &Profile) -> bool {
    match request {
        Request::PingCan | Request::TerminalCmd(_) => true,
        Request::Bms(BmsCommand::ZeroCurrentOffset) => profile.kind == Kind::Bms,
        Request::Other(other) => other.id == CommandId::CAN_UPDATE_BAUD_ALL,
        _ => false,
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

/// TERMINAL_CMD: the echo that comes first (`EX main/terminal.c:79-80`), and what is printed when it is done.
pub(super) fn terminal(
    command: &[u8],
    script: &Script,
    profile: &Profile,
) -> (Answer, Duration, Vec<Answer>) {
    let echo = [b"-> ", command].concat();
    let answer = script.terminal_answer(command);
    let prints = answer.map_or(&[][..], |answer| &answer.prints);
    let prints = prints
        .iter()
        .map(|text| print(&latin1(text), profile.max_print));
    (
        print(&echo, profile.max_print),
        answer.map_or(Duration::ZERO, |answer| answer.after),
        prints.collect(),
    )
}
