//! A transcript for people (one aligned line an entry) and for programs (one JSON object a line).
//!
//! Both are made from the same named fields and write to anything that writes. Only the JSON holds
//! payloads; nothing else that comes out of here holds a secret.

mod fold;
mod hexdump;
mod json;
mod stats;
mod tally;
mod text;
mod timing;

pub use json::{FieldsJson, JsonWriter, ValueJson, json_line, json_lines};
pub use stats::{Row, Spread, Stats};
pub use tally::summary;
pub use text::{Preview, TextOptions, TextWriter, text, text_line};
pub use timing::{Asked, Clock, Timing};

/// Nanoseconds as milliseconds with one digit behind the point, rounded.
fn tenths_of_ms(ns: u64) -> String {
    let tenths = ns / 100_000 + u64::from(ns % 100_000 >= 50_000);
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// Nanoseconds as seconds; exact to the nanosecond for the first hundred days.
fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}
