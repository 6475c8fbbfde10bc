//! Bodies of the fuzz targets, and of the test that replays what they once found.
//!
//! * `session`: connections that do anything at a hub; `world`: the hub and its devices; `witness`: what must hold of
//!   all that happens.
//! * [`faulty_link`]: a link with faults alone; [`masking`]: a login behind any bytes.

mod session;
mod steering;
mod witness;
mod world;

use veschub_wire::fuzzing::Target;

pub use self::session::session;
pub use crate::{fault::fuzzing::faulty_link, journal::fuzzing::masking};

/// The targets of this crate, and what each does with an input.
pub const TARGETS: &[Target] = &[
    ("faulty_link", faulty_link),
    ("masking", masking),
    ("session", session),
];
