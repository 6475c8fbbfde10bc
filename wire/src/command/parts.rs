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

/// The parts of the config of an Express: see [`Rest::Config`](super::table::Rest::Config).
#[must_use]
pub fn express_config_parts() -> Vec<Part> {
    ExpressConfig::parts()
}
