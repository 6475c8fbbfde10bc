//! The field table of a command, by its id.

use alloc::vec::Vec;

use super::{
    CommandId, ExpressConfig, OldValues, Reply, Request,
    body::{Body, Commands as _},
    table::Part,
};

/// The parts of a request; `None` for a command whose request is not known.
#[must_use]
pub fn request_parts(command: CommandId) -> Option<Vec<Part>> {
    Request::parts(command)
}

/// The parts of a reply; `None` for a command whose reply is not known.
#[must_use]
pub fn reply_parts(command: CommandId) -> Option<Vec<Part>> {
    Reply::parts(command)
}

/// The command of the replies to a command. Firmware acknowledges several commands about new firmware with the id of the
/// plain one (`bldc comm/commands.c`, `vesc_bms_fw commands.c:126-263`). `None` for a command that is sent in both
/// directions and answered in none.
///
/// ```
/// use veschub_wire::{CommandId, command::answered_as};
///
/// let lzo = answered_as(CommandId::WRITE_NEW_APP_DATA_LZO);
/// assert_eq!(lzo, Some(CommandId::WRITE_NEW_APP_DATA));
/// ```
#[must_use]
pub fn answered_as(command: CommandId) -> Option<CommandId> {
    Some(match command {
        CommandId::ERASE_NEW_APP_ALL_CAN
        | CommandId::ERASE_NEW_APP_HW
        | CommandId::ERASE_NEW_APP_ALL_CAN_HW => CommandId::ERASE_NEW_APP,
        CommandId::WRITE_NEW_APP_DATA_ALL_CAN
        | CommandId::WRITE_NEW_APP_DATA_LZO
        | CommandId::WRITE_NEW_APP_DATA_ALL_CAN_LZO
        | CommandId::WRITE_NEW_APP_DATA_HW
        | CommandId::WRITE_NEW_APP_DATA_ALL_CAN_HW => CommandId::WRITE_NEW_APP_DATA,
        CommandId::ERASE_BOOTLOADER_ALL_CAN
        | CommandId::ERASE_BOOTLOADER_HW
        | CommandId::ERASE_BOOTLOADER_ALL_CAN_HW => CommandId::ERASE_BOOTLOADER,
        CommandId::LOG_START
        | CommandId::LOG_STOP
        | CommandId::LOG_CONFIG_FIELD
        | CommandId::LOG_DATA_F32
        | CommandId::LOG_DATA_F64 => return None,
        other => other,
    })
}

/// The parts of a reply as old firmware lays it out, and the length that it has then: no other layout of the command has
/// that length. `None` for a command that all firmware lays out the same.
#[must_use]
pub fn old_reply_parts(command: CommandId) -> Option<(usize, Vec<Part>)> {
    (command == CommandId::GET_VALUES).then(|| (OldValues::LENGTH, <OldValues as Body>::parts()))
}

/// The lengths that a reply can have, in rising order, where one of another length must not be guessed at: what other
/// firmware sends under the same id is laid out otherwise. `None` for all other commands.
#[must_use]
pub fn known_lengths(command: CommandId) -> Option<Vec<usize>> {
    if command != CommandId::GET_VALUES {
        return None;
    }
    let mut len = 1;
    let mut lengths: Vec<usize> = old_reply_parts(command)
        .map(|(len, _)| len)
        .into_iter()
        .collect();
    for part in reply_parts(command)? {
        if let Part::Since { .. } = part {
            lengths.push(len);
        }
        len += size(&part);
    }
    lengths.push(len);
    lengths.sort_unstable();
    Some(lengths)
}

/// How many bytes a part of fixed size takes.
fn size(part: &Part) -> usize {
    match part {
        Part::Field(field) => field.kind.size().unwrap_or_default() * field.count,
        Part::Since { parts, .. } => parts.iter().map(size).sum(),
        _ => 0,
    }
}

/// The parts of the config of an Express: see [`Rest::Config`](super::table::Rest::Config).
#[must_use]
pub fn express_config_parts() -> Vec<Part> {
    ExpressConfig::parts()
}

/// Whether devices send it by themselves: it has a reply, and no request asks for it. [`PRINT`](CommandId::PRINT) is one.
#[must_use]
pub fn comes_unasked(command: CommandId) -> bool {
    Request::parts(command).is_none() && Reply::parts(command).is_some()
}
