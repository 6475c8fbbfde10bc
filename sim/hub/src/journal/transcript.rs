//! A journal in the common form of recorded and live sessions.

use std::collections::BTreeMap;

use veschub_transcript::{
    Direction, Entry, FrameEntry, Kind, Login, NoiseEntry, RawLine, Transcript,
    firmwares::Firmwares,
};
use veschub_wire::Nearly;

use super::event::{JournalEntry, JournalEvent};

/// A journal as a transcript, the common form of recorded and live sessions.
///
/// Offsets count the bytes of the entries: bytes that the hub discarded unseen are not among them.
#[must_use]
pub fn transcript<'a>(journal: impl IntoIterator<Item = &'a JournalEntry>) -> Transcript {
    let mut transcript = Transcript::new();
    let mut offsets: BTreeMap<(u32, Direction), u64> = BTreeMap::new();
    let mut firmwares: BTreeMap<u32, Firmwares> = BTreeMap::new();
    for entry in journal {
        let (direction, kind) = match &entry.event {
            JournalEvent::Login(line) => {
                let raw = RawLine::new(line.encode());
                let line = Ok(line.clone());
                (Some(Direction::ToDevice), Kind::Login(Login { line, raw }))
            }
            JournalEvent::Request(payload) => (Some(Direction::ToDevice), frame(payload)),
            JournalEvent::Reply { payload, .. } => (Some(Direction::ToTool), frame(payload)),
            JournalEvent::Noise { bytes, nearly } => {
                (Some(Direction::ToDevice), noise(bytes, nearly))
            }
            JournalEvent::DeviceNoise { bytes, nearly } => {
                (Some(Direction::ToTool), noise(bytes, nearly))
            }
            other => (None, Kind::Notice(other.to_string())),
        };
        let connection = entry.conn.map_or(0, |conn| conn.0);
        let offset = direction.map_or(0, |direction| {
            let offset = offsets.entry((connection, direction)).or_default();
            *offset += kind.stream_len();
            *offset - kind.stream_len()
        });
        let mut entry = Entry {
            at_ns: Some(entry.at.as_nanos()),
            connection,
            direction,
            offset,
            kind,
        };
        firmwares.entry(connection).or_default().hear(&mut entry);
        transcript.entries.push(entry);
    }
    transcript
}

fn noise(bytes: &[u8], nearly: &Option<Nearly>) -> Kind {
    Kind::Noise(NoiseEntry {
        bytes: bytes.to_vec(),
        nearly: nearly.clone(),
        unfinished: 0,
    })
}

fn frame(payload: &[u8]) -> Kind {
    Kind::Frame(FrameEntry {
        payload: payload.to_vec(),
        start: veschub_wire::frame::shortest_form(payload),
        waits_for: 0,
        firmware: None,
    })
}
