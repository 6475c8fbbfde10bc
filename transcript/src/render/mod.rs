//! A transcript for people (one aligned line an entry) and for programs (one JSON object a line).
//!
//! Both are made from the same named fields and write to anything that writes. Only the JSON holds
//! payloads; nothing else that comes out of here holds a secret.

mod fold;
mod json;
mod text;

pub use json::{FieldsJson, ValueJson, json_line, json_lines};
pub use text::{Preview, TextOptions, summary, text, text_line};
