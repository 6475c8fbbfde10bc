//! `command_round_trip`: what can be read as a command, in either direction and cut anywhere, is written again the same.
//!
//! An input is a payload: a command id and what follows it.

use alloc::{string::ToString, vec::Vec};

use crate::{
    DecodeError,
    command::{Decoded, Reply, Request, answered_as, vesc_tool_reads},
    view::View,
};

/// Longer payloads are cut only up to here: there are long ones whose every length takes time.
const CUT_UP_TO: usize = 300;

/// Reads a payload and each of its beginnings as a request and as a reply.
///
/// # Panics
/// If something does not hold.
pub fn command_round_trip(payload: &[u8]) {
    let cuts = (0..payload.len().min(CUT_UP_TO)).chain([payload.len()]);
    for cut in cuts {
        let cut = &payload[..cut];
        // For people it is shown once: that costs much more than reading it.
        let is_shown = cut.len() == payload.len() || cut.len() % 16 == 1;
        if let Some(request) = survives(cut, is_shown, Request::decode, Request::encode) {
            ask(&request, cut);
        }
        if let Some(reply) = survives(cut, is_shown, Reply::decode, Reply::encode) {
            assert_eq!(reply.id().0, cut[0]);
        }
        let _ = vesc_tool_reads(cut);
    }
}

fn survives<T: View>(
    payload: &[u8],
    is_shown: bool,
    decode: fn(&[u8]) -> Result<Decoded<T>, DecodeError>,
    encode: fn(&T) -> Vec<u8>,
) -> Option<T> {
    match decode(payload) {
        Ok(decoded) => {
            if is_shown {
                let _ = decoded.fields().to_string();
            }
            let mut again = encode(&decoded.body);
            assert!(again.len() + decoded.trailing.len() == payload.len());
            again.extend(decoded.trailing);
            assert_eq!(again, payload, "it is not written again as it was read");
            Some(decoded.body)
        }
        Err(error) => {
            explains(&error, payload.len());
            if is_shown {
                assert!(!error.to_string().is_empty());
            }
            None
        }
    }
}

/// The reason is about this payload.
fn explains(error: &DecodeError, len: usize) {
    match error {
        DecodeError::Empty => assert_eq!(len, 0),
        DecodeError::Short {
            offset,
            wanted,
            have,
            ..
        } => {
            assert_eq!(offset + have, len);
            assert!(wanted > have);
        }
        DecodeError::Unterminated { offset, .. } => assert!(*offset <= len),
        DecodeError::Length { have, known, .. } => {
            assert_eq!(*have, len);
            assert!(!known.contains(have));
        }
    }
}

/// What can be asked of a request does not fail either, however often it is wrapped.
fn ask(request: &Request, payload: &[u8]) {
    assert_eq!(request.id().0, payload[0]);
    let _ = request.is_never_answered();
    let answered = |id| answered_as(id).unwrap_or(id);
    let forwarded = request.forwarded();
    match (forwarded, request.reply_id()) {
        (None, id) => assert_eq!(id, Some(answered(request.id()))),
        (Some(Ok(inner)), id) => assert_eq!(id, Some(answered(inner.body.id()))),
        (Some(Err(_)), _) => {}
    }
}
