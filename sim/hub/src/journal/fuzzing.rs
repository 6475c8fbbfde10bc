//! Body of a fuzz target: whatever came before a login, and however it is cut, no output has its password.
//!
//! ```text
//!  bytes before the login | waits u8 | 7 × piece u8
//! ```
//!
//! A piece of `n` is `n + 1` bytes long, and the seven repeat to the end of the stream. Behind a piece whose bit is set in
//! `waits` nothing comes for so long that what is held back is given up.

use veschub_transcript::{
    Direction, Entry, Kind, Listener, Options, Side,
    live::{Event, LiveCapture},
    masking::Masking,
    read::read_capture,
    render::{TextOptions, TextWriter, text_line},
};
use veschub_wire::{
    DEVICE_MAX_PAYLOAD, Decoder, Ear, Heard, Item, LoginLine, TOOL_MAX_PAYLOAD, view::hex,
};

use super::{JournalEntry, JournalEvent, Masked, json};
use crate::{conn::ConnId, time::Time};

const PLAN_LEN: usize = 8;
/// A longer beginning says nothing new.
const MOST: usize = 8 << 10;
const WAIT_NS: u64 = 6_000_000_000;
const START: &[u8] = b"VESCTOOL:demo-0001:";
const PASSWORD: &[u8] = b"HunTer2+Elm-Street";
/// So many letters of it in a row are told.
const TOLD: usize = 5;

/// Sends a login behind any bytes and checks everything that is shown and saved of it.
///
/// # Panics
/// If the password is found there.
pub fn masking(data: &[u8]) {
    let (before, plan) = data.split_at(data.len().saturating_sub(PLAN_LEN));
    let before = &before[..before.len().min(MOST)];
    let (&waits, sizes) = plan.split_first().unwrap_or((&0, &[]));
    let request = veschub_wire::encode(&[0]).unwrap_or_default();
    let stream = [before, START, PASSWORD, b"\n", &request].concat();
    let secret = before.len() + START.len()..before.len() + START.len() + PASSWORD.len();
    if has_password(before) || is_in_a_frame(&stream, &secret) {
        return;
    }
    let mut pieces = Vec::new();
    let (mut rest, mut index) = (&stream[..], 0);
    while !rest.is_empty() {
        let size = sizes
            .get(index % 7)
            .map_or(usize::MAX, |&size| usize::from(size) + 1);
        let (piece, behind) = rest.split_at(size.min(rest.len()));
        pieces.push((piece, waits >> (index % 8) & 1 == 1));
        (rest, index) = (behind, index + 1);
    }
    check("the saved session", &saved(&pieces, false));
    check("the journal", &journal(&pieces));
    check("the lines", &lines(&pieces));
    check("the text", &text(&saved(&pieces, true)));
    if let Some(line) = stream.split(|&byte| byte == b'\n').next() {
        check("the login", &login(line));
    }
}

/// Whether something in these bytes tells of the password, in clear or in hex.
fn has_password(bytes: &[u8]) -> bool {
    let lower = bytes.to_ascii_lowercase();
    PASSWORD.windows(TOLD).any(|part| {
        let pairs: Vec<String> = part.iter().map(|byte| hex(&[*byte])).collect();
        let forms = [
            part.to_ascii_lowercase(),
            pairs.concat().into_bytes(),
            pairs.join(" ").into_bytes(),
        ];
        forms.iter().any(|form| {
            let mut windows = lower.windows(form.len());
            windows.any(|window| window == form)
        })
    })
}

fn check(what: &str, output: &[u8]) {
    assert!(
        !has_password(output),
        "{what} tells the password: {}",
        output.escape_ascii()
    );
}

/// Whether the password is in the payload of a frame: then it is an argument of some command.
fn is_in_a_frame(stream: &[u8], secret: &std::ops::Range<usize>) -> bool {
    let overlaps = |offset: u64, len: usize| {
        let start = offset as usize;
        start < secret.end && secret.start < start + len
    };
    let mut listener = Listener::with_login(TOOL_MAX_PAYLOAD);
    let mut heard = Vec::new();
    listener.bytes((), stream, &mut heard);
    listener.finish(&mut heard);
    let mut found = heard.iter().any(|one| {
        matches!(one.kind, Kind::Frame(_)) && overlaps(one.offset, one.kind.stream_len() as usize)
    });
    for limit in [DEVICE_MAX_PAYLOAD, TOOL_MAX_PAYLOAD] {
        let mut decoder = Decoder::new(limit);
        let mut rest = stream;
        while let Some(item) = decoder.next(&mut rest) {
            if let Item::Frame(frame) = item {
                found |= overlaps(frame.offset, frame.payload.len() + 7);
            }
        }
    }
    found
}

type Pieces<'a> = [(&'a [u8], bool)];

fn saved(pieces: &Pieces<'_>, keep: bool) -> Vec<u8> {
    let save = || {
        let mut capture = LiveCapture::new(Vec::new(), 65_101, 0)?;
        if keep {
            capture = capture.keeping_credentials();
        }
        capture.event(0, 1, Event::Opened)?;
        let mut at = 0;
        for (piece, waits) in pieces {
            at += if *waits { WAIT_NS } else { 1_000_000 };
            capture.event(at, 1, Event::Data(Side::Initiator, piece))?;
            // What is late is noticed when something else happens.
            if *waits {
                capture.event(at + WAIT_NS, 1, Event::Data(Side::Responder, b"x"))?;
            }
        }
        capture.event(at + 1, 1, Event::Closed(Side::Initiator))?;
        capture.finish()
    };
    let saved: std::io::Result<Vec<u8>> = save();
    saved.unwrap_or_default()
}

/// What a device with the parser of the firmware, and a reader of the journal, hear of it.
fn journal(pieces: &Pieces<'_>) -> Vec<u8> {
    let mut events = Vec::new();
    for limit in [DEVICE_MAX_PAYLOAD, TOOL_MAX_PAYLOAD] {
        let mut ear = Ear::eager(limit);
        let mut hear = |heard: Heard<'_>| {
            events.push(match heard {
                Heard::Frame { frame, .. } => JournalEvent::Request(frame.payload.to_vec()),
                Heard::Noise { bytes, nearly, .. } => JournalEvent::Noise {
                    bytes: bytes.to_vec(),
                    nearly,
                },
            });
        };
        for (piece, waits) in pieces {
            ear.bytes(piece, &mut hear);
            if *waits {
                ear.pause(&mut hear);
            }
        }
        ear.finish(&mut hear);
        events.push(JournalEvent::Closed(super::Closed::Peer));
    }
    told(events)
}

fn told(events: Vec<JournalEvent>) -> Vec<u8> {
    let mut masked = Masked::default();
    let mut out = Vec::new();
    for event in events {
        let entry = JournalEntry {
            at: Time::ZERO,
            conn: Some(ConnId(1)),
            device: None,
            event,
        };
        let entry = masked.entry(&entry);
        // Writing to memory cannot fail.
        let _ = json::write(&mut out, &entry);
        out.extend(format!("{entry}\n").bytes());
    }
    out
}

fn login(line: &[u8]) -> Vec<u8> {
    told(vec![match LoginLine::parse(line) {
        Ok(line) => JournalEvent::Login(line),
        Err(refusal) => JournalEvent::LoginRefused {
            reason: refusal.to_string(),
        },
    }])
}

/// What a person sees while a session is recorded.
fn lines(pieces: &Pieces<'_>) -> Vec<u8> {
    let mut out = String::new();
    for mut listener in [
        Listener::with_login(DEVICE_MAX_PAYLOAD).eagerly(),
        Listener::new(DEVICE_MAX_PAYLOAD),
    ] {
        let mut heard = Vec::new();
        for (piece, _) in pieces {
            listener.bytes((), piece, &mut heard);
        }
        listener.finish(&mut heard);
        let mut masking = Masking::default();
        let options = TextOptions {
            preview: None,
            ..TextOptions::default()
        };
        for one in heard {
            let entry = masking.entry(Entry {
                at_ns: Some(0),
                connection: 1,
                direction: Some(Direction::ToDevice),
                offset: one.offset,
                kind: one.kind,
            });
            out += &text_line(&entry, &options);
            out.push('\n');
        }
    }
    out.into_bytes()
}

fn text(capture: &[u8]) -> Vec<u8> {
    let options = TextOptions {
        preview: None,
        hex: true,
        ..TextOptions::default()
    };
    let mut out = Vec::new();
    let mut writer = TextWriter::new(&mut out, options);
    let _ = read_capture(capture, &Options::default(), &mut writer);
    let _ = writer.finish();
    out
}
