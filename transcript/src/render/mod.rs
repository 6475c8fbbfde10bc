//! A transcript for people (one aligned line an entry) and for programs (one JSON object a line).
//!
//! Both are made from the same named fields and write to anything that writes. Only the JSON holds
//! payloads; nothing else that comes out of here holds a secret.

mod fold;
mod hexdump;
mod json;
mod naming;
mod stats;
mod tally;
mod text;
mod timing;
mod unit;

pub use json::{FieldsJson, JsonWriter, ValueJson, json_line, json_lines};
pub use naming::Naming;
pub use stats::{Row, Spread, Stats};
pub use tally::summary;
pub use text::{Preview, TextOptions, TextWriter, text, text_line};
