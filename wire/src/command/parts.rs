//! The field table of a command, by its id.

use alloc::vec::Vec;

use super::{
    CommandId, ExpressConfig, Reply, Request,
    body::{Body as _, Commands as _},
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

/// The lengths that a reply can have, where one of another length must not be guessed at: what older firmware sends under
/// the same id is laid out otherwise. `None` for all other commands.
#[must_use]
pub fn known_lengths(command: CommandId) -> Option<Vec<usize>> {
    if command != CommandId::GET_VALUES {
        return None;
    }
    let mut len = 1;
    let mut lengths = Vec::new();
    for part in reply_parts(command)? {
        if let Part::Since { .. } = part {
            lengths.push(len);
        }
        len += size(&part);
    }
    lengths.push(len);
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
