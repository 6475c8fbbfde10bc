//! Who is the tool and who is the device in a recorded connection.
//!
//! A login says it. Without one, the side that opened the connection is the tool; if the opening
//! was not recorded, what the frames look like decides, and at last the port numbers. The contents
//! also decide whether a connection is a VESC session at all: its port never does.

use veschub_wire::login::LoginKind;
use veschub_wire::{Reply, Request};

use crate::capture::Said;
use crate::entry::Kind;
use crate::listen::{Heard, Listener};
use crate::tcp::{Side, Stamp};

/// What the contents of a connection tell about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Roles {
    pub(crate) tool: Side,
    /// Which side began with a login line.
    pub(crate) login: Option<Side>,
}

/// Finds out who is who; `None` if the contents are not those of a VESC session.
pub(crate) fn find(
    said: &[(Stamp, Said)],
    from_start: bool,
    higher_port: Side,
    limit: usize,
) -> Option<Roles> {
    let sides = [Side::Initiator, Side::Responder];
    // Who is called never logs in.
    let callers = if from_start { &sides[..1] } else { &sides[..] };
    let heard = sides.map(|side| hear(said, side, callers.contains(&side), limit));
    for &side in callers {
        let first = heard[side as usize].first();
        if let Some(Kind::Login(login)) = first.map(|heard| &heard.kind) {
            let is_device = matches!(&login.line, Ok(line) if line.kind == LoginKind::Device);
            return Some(Roles {
                tool: if is_device { side.other() } else { side },
                login: Some(side),
            });
        }
    }
    let has_frames = heard
        .iter()
        .flatten()
        .any(|heard| matches!(heard.kind, Kind::Frame(_)));
    if !has_frames {
        return None;
    }
    let score = requests_minus_replies(&heard[0]) - requests_minus_replies(&heard[1]);
    let tool = match score {
        _ if from_start => Side::Initiator,
        1.. => Side::Initiator,
        ..0 => Side::Responder,
        0 => higher_port,
    };
    Some(Roles { tool, login: None })
}

fn hear(said: &[(Stamp, Said)], side: Side, login: bool, limit: usize) -> Vec<Heard<Stamp>> {
    let mut listener = if login {
        Listener::with_login(limit)
    } else {
        Listener::new(limit)
    };
    let mut heard = Vec::new();
    for (stamp, said) in said {
        match said {
            Said::Data { side: by, bytes } if *by == side => {
                listener.bytes(*stamp, bytes, &mut heard);
            }
            Said::Gap { side: by, len } if *by == side => listener.gap(*stamp, *len, &mut heard),
            _ => {}
        }
    }
    listener.finish(&mut heard);
    heard
}

/// How many frames can only be requests, less those that can only be replies.
fn requests_minus_replies(heard: &[Heard<Stamp>]) -> i64 {
    heard
        .iter()
        .map(|heard| match &heard.kind {
            Kind::Frame(frame) => {
                i64::from(is_request(&frame.payload)) - i64::from(is_reply(&frame.payload))
            }
            _ => 0,
        })
        .sum()
}

fn is_request(payload: &[u8]) -> bool {
    match Request::decode(payload) {
        // Most requests are a bare id, and hardly any reply is.
        Ok(told) => {
            told.trailing.is_empty() && !matches!(told.body, Request::Other(_))
                || payload.len() == 1
        }
        Err(_) => false,
    }
}

fn is_reply(payload: &[u8]) -> bool {
    match Reply::decode(payload) {
        Ok(told) => told.trailing.is_empty() && !matches!(told.body, Reply::Other(_)),
        Err(_) => false,
    }
}
