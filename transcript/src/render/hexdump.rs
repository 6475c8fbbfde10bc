//! The bytes of an entry as they went over the wire, sixteen a line, under their offset in the stream.

use std::io::{self, Write};

use veschub_wire::view::{Fields, Value};
use veschub_wire::{CommandId, Nearly, frame::encode_as};

use crate::entry::{Entry, FrameEntry, Kind};

const A_LINE: usize = 16;

/// Writes the bytes, or why they are not shown; nothing for an entry without any.
pub(super) fn write(out: &mut impl Write, entry: &Entry) -> io::Result<()> {
    let frame;
    let bytes = match &entry.kind {
        Kind::Frame(told) if has_secrets(entry, told) => {
            let len = told.wire_len();
            return writeln!(
                out,
                "          {len} bytes with a secret in them, not shown"
            );
        }
        Kind::Login(login) => {
            let len = login.raw.reveal().len();
            return writeln!(
                out,
                "          {len} bytes with a password in them, not shown"
            );
        }
        Kind::Noise(noise) if noise.nearly == Some(Nearly::Login) => {
            let len = noise.bytes.len();
            return writeln!(
                out,
                "          {len} bytes with a password in them, not shown"
            );
        }
        Kind::Frame(told) => {
            frame = on_the_wire(told);
            &frame
        }
        Kind::Noise(noise) => &noise.bytes,
        _ => return Ok(()),
    };
    for (index, line) in bytes.chunks(A_LINE).enumerate() {
        let offset = entry.offset + (index * A_LINE) as u64;
        let hex: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        let text: String = line.iter().map(|&byte| printable(byte)).collect();
        writeln!(
            out,
            "          {offset:08x}  {:width$}  {text}",
            hex.join(" "),
            width = 3 * A_LINE - 1
        )?;
    }
    Ok(())
}

fn printable(byte: u8) -> char {
    match byte {
        b' '..=b'~' => char::from(byte),
        _ => '.',
    }
}

/// The frame with its head and tail; of the forms that some lengths have, the one that was sent.
fn on_the_wire(frame: &FrameEntry) -> Vec<u8> {
    encode_as(frame.start, &frame.payload).unwrap_or_default()
}

/// Whether fields are masked; a custom configuration that does not decode may hold keys anywhere.
fn has_secrets(entry: &Entry, frame: &FrameEntry) -> bool {
    let fields = entry.fields();
    let command = frame.command();
    let config = command == CommandId::GET_CUSTOM_CONFIG
        || command == CommandId::GET_CUSTOM_CONFIG_DEFAULT
        || command == CommandId::SET_CUSTOM_CONFIG;
    is_masked(&fields) || config && frame.payload.len() > 2
}

fn is_masked(fields: &Fields) -> bool {
    fields.iter().any(|(_, value)| is_secret(value))
}

fn is_secret(value: &Value) -> bool {
    match value {
        Value::Masked => true,
        Value::List(values) => values.iter().any(is_secret),
        Value::Fields(fields) => is_masked(fields),
        _ => false,
    }
}
