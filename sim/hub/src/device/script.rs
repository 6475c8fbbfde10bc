//! What a scenario puts into a device's mouth: replies by the bytes of their request, texts on the terminal, and
//! texts that nobody asked for.

use std::{collections::BTreeMap, time::Duration};

use veschub_wire::Reply;

use super::answer::Answer;
use crate::time::Time;

/// Requests to which a scripted reply belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// The payload, or its start.
    pub bytes: Vec<u8>,
    /// Whether more bytes may follow.
    pub open_ended: bool,
}

impl Pattern {
    /// Whether a payload is meant.
    #[must_use]
    pub fn fits(&self, payload: &[u8]) -> bool {
        if self.open_ended {
            payload.starts_with(&self.bytes)
        } else {
            payload == self.bytes
        }
    }
}

/// Replies to a request, as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptedReply {
    /// The requests that it is for.
    pub request: Pattern,
    /// The payloads that come back, in this order; none keeps the device silent.
    pub replies: Vec<Vec<u8>>,
    /// From the request's arrival to the replies' departure; as for other replies, if not given.
    pub after: Option<Duration>,
    /// What goes onto the link behind the replies as it is, whether it is a frame or not, piece by piece.
    pub bytes: Vec<Vec<u8>>,
    /// The time from one piece to the next.
    pub gap: Duration,
    /// Whether the device then restarts, so that the hub closes the tool's connection.
    pub restart: bool,
}

impl ScriptedReply {
    /// Whether nothing at all comes back.
    pub(super) fn is_silent(&self) -> bool {
        self.replies.is_empty() && self.bytes.is_empty() && !self.restart
    }
}

/// A command of the terminal and what is printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TerminalAnswer {
    /// The whole line.
    pub command: String,
    /// What is printed behind the echo, a PRINT for each; may be none.
    pub prints: Vec<String>,
    /// How long the command runs and keeps the worker busy.
    pub after: Duration,
}

/// A text that nobody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnaskedPrint {
    /// When, since the start of the run.
    pub at: Time,
    /// The text.
    pub text: String,
}

/// All that a scenario makes a device say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// Replies that go before the built-in ones. The first that fits is taken; of several for the same requests, the
    /// first one the first time, then the next, and the last one from then on.
    pub replies: Vec<ScriptedReply>,
    /// Commands of the terminal.
    pub terminal: Vec<TerminalAnswer>,
    /// Texts that nobody asked for.
    pub prints: Vec<UnaskedPrint>,
}

impl Script {
    /// The reply to a request, and where that of its pattern stands first.
    fn reply_to(
        &self,
        payload: &[u8],
        given: &BTreeMap<usize, usize>,
    ) -> Option<(usize, &ScriptedReply)> {
        let fits = |scripted: &ScriptedReply| scripted.request.fits(payload);
        let first = self.replies.iter().position(fits)?;
        let pattern = &self.replies.get(first)?.request;
        let mut turns = self
            .replies
            .iter()
            .filter(|other| other.request == *pattern);
        let turn = given.get(&first).copied().unwrap_or_default();
        let reply = turns.clone().nth(turn).or_else(|| turns.next_back())?;
        Some((first, reply))
    }

    fn terminal_answer(&self, command: &[u8]) -> Option<&TerminalAnswer> {
        self.terminal
            .iter()
            .find(|answer| latin1(&answer.command) == command)
    }
}

/// A script, and how much of it has been said.
#[derive(Clone, Debug, Default)]
pub(super) struct Recital {
    script: Script,
    /// How often a reply of each pattern was given, by where the pattern stands first.
    given: BTreeMap<usize, usize>,
}

impl Recital {
    pub(super) fn new(script: Script) -> Self {
        Self {
            script,
            given: BTreeMap::new(),
        }
    }

    /// The reply to a request, whose turn is over then.
    pub(super) fn reply_to(&mut self, payload: &[u8]) -> Option<&ScriptedReply> {
        let (first, reply) = self.script.reply_to(payload, &self.given)?;
        *self.given.entry(first).or_default() += 1;
        Some(reply)
    }

    pub(super) fn terminal_answer(&self, command: &[u8]) -> Option<&TerminalAnswer> {
        self.script.terminal_answer(command)
    }
}

/// A PRINT as firmware sends it: the text without a NUL, but for one that does not fit, which is cut and closed
/// with a NUL, so that the packet is exactly as long as can be (`EX main/commands.c:1148-1156`).
pub(super) fn print(text: &[u8], max_print: usize) -> Answer {
    let room = max_print.saturating_sub(1);
    let mut text = text.to_vec();
    if text.len() >= room {
        text.truncate(room.saturating_sub(1));
        text.push(0);
    }
    Reply::Print(text).into()
}

/// Text as devices send it; a character that Latin-1 does not have becomes a question mark.
pub(super) fn latin1(text: &str) -> Vec<u8> {
    text.chars()
        .map(|c| u8::try_from(c).unwrap_or(b'?'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_fits_the_whole_payload_or_its_start() {
        let mut pattern = Pattern {
            bytes: vec![0x24, 1],
            open_ended: false,
        };
        assert!(pattern.fits(&[0x24, 1]) && !pattern.fits(&[0x24, 1, 2]));
        pattern.open_ended = true;
        assert!(pattern.fits(&[0x24, 1, 2]) && !pattern.fits(&[0x24, 2]));
    }

    #[test]
    fn replies_to_one_request_are_given_in_turn_and_the_last_again_and_again() {
        let reply = |request: &[u8], open_ended, says: u8| ScriptedReply {
            request: Pattern {
                bytes: request.to_vec(),
                open_ended,
            },
            replies: vec![vec![says]],
            after: None,
            bytes: Vec::new(),
            gap: Duration::ZERO,
            restart: false,
        };
        let replies = vec![
            reply(&[4], false, 1),
            reply(&[5], false, 9),
            reply(&[4], false, 2),
            // Never given: the first pattern takes the same request.
            reply(&[4], true, 3),
        ];
        let mut recital = Recital::new(Script {
            replies,
            ..Script::default()
        });
        let mut said = |payload: &[u8]| recital.reply_to(payload).unwrap().replies[0][0];
        assert_eq!(
            [said(&[4]), said(&[5]), said(&[4]), said(&[4])],
            [1, 9, 2, 2]
        );
        assert_eq!(said(&[4, 0]), 3);
    }

    #[test]
    fn a_text_that_does_not_fit_a_print_is_cut_and_ends_with_a_nul() {
        for (length, packet, last) in [(398, 399, b'x'), (399, 400, 0), (1000, 400, 0)] {
            let payload = print(&vec![b'x'; length], 400).payload;
            assert_eq!((payload.len(), payload.last()), (packet, Some(&last)));
        }
        assert_eq!(print(&latin1("20 °C €"), 400).payload, b"\x1520 \xB0C ?");
    }
}
