//! The bytes of an entry as they went over the wire, sixteen a line, under their offset in the stream.

use std::io::{self, Write};

use veschub_wire::{Nearly, frame::encode_as};

use crate::can::Heard;
use crate::entry::{Direction, Entry, FrameEntry, Kind};
use crate::masking::has_credentials;

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
        Kind::Login(_) => {
            return writeln!(out, "          bytes with a password in them, not shown");
        }
        Kind::Noise(noise) if noise.nearly == Some(Nearly::Login) => {
            return writeln!(out, "          bytes with a password in them, not shown");
        }
        Kind::Frame(told) => {
            frame = on_the_wire(told);
            &frame
        }
        Kind::Noise(noise) => &noise.bytes,
        Kind::Can(heard) if heard.bytes().is_some_and(|bytes| are_secret(bytes, heard)) => {
            return writeln!(out, "          bytes with a secret in them, not shown");
        }
        Kind::Can(heard) => heard.bytes().unwrap_or_default(),
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

/// Whether something in it is masked.
fn has_secrets(entry: &Entry, frame: &FrameEntry) -> bool {
    let direction = entry.direction.unwrap_or(Direction::ToDevice);
    has_credentials(&frame.payload, direction)
}

/// The same for a command that was put together from frames of a CAN bus.
fn are_secret(payload: &[u8], heard: &Heard) -> bool {
    matches!(heard, Heard::Command(_)) && has_credentials(payload, Direction::ToTool)
}
