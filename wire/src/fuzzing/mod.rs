//! Bodies of the fuzz targets, and of the test that replays what they once found.
//!
//! Each file says how its input is laid out. Structured inputs are read with `arbitrary` from the front to the back, one
//! number or piece after the other, so that a test can write a seed byte by byte.

mod bms;
mod command;
mod login;
mod model;
mod stream;

pub use self::{
    bms::bms_reply, command::command_round_trip, login::login_line, model::decoder_model,
    stream::stream_decoder,
};

/// The name of a target, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// The targets of this crate, and what each does with an input.
pub const TARGETS: &[Target] = &[
    ("bms_reply", bms_reply),
    ("command_round_trip", command_round_trip),
    ("decoder_model", decoder_model),
    ("login_line", login_line),
    ("stream_decoder", stream_decoder),
];
