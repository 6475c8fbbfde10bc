//! What the macros of [`body`](super::body) need where they are used.

pub(super) use alloc::{vec, vec::Vec};

pub(super) use super::body::{
    Body, Commands, Masked, bits, body, commands, form, masked, named, newer, section,
    up_to_the_last, wrapped, write_count,
};
pub(super) use crate::{
    command::{
        CommandId,
        form::Form,
        table::{Field, Part, Rest, Shown},
    },
    error::DecodeError,
    reader::Reader,
    view::{Fields, View},
};
