//! The frames that came from the device, and which request each of them answers.
//!
//! A state machine without I/O: bytes and their time go in, frames come out. [`veschub_transcript::exchange`]
//! decides which request a frame answers; a frame that answers none (a PRINT, a reply that came after its time-out, a
//! reply to an earlier session) is kept as unasked.
//!
//! Memory is limited: beyond a limit, the oldest frames are forgotten. Noise is counted, but not kept.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use veschub_transcript::{
    exchange::{Exchanges, Policy},
    firmwares::Firmwares,
};
use veschub_wire::{CommandId, DecodeError, Decoded, Decoder, Item, Reply, Request};

/// A frame that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// When, since the start of the session.
    pub at: Duration,
    /// When the request was sent that it answers; `None` if it answers no pending request.
    pub asked_at: Option<Duration>,
    /// Its payload: the command id, then the body.
    pub payload: Vec<u8>,
    /// Its decoded payload, or why it cannot be decoded.
    pub reply: Result<Decoded<Reply>, DecodeError>,
}

impl Received {
    /// The command that it replies to.
    #[must_use]
    pub fn command(&self) -> CommandId {
        // A frame has at least one byte.
        CommandId(self.payload.first().copied().unwrap_or_default())
    }
}

/// A request whose reply is pending.
#[derive(Debug, PartialEq, Eq)]
pub struct Ticket {
    number: u64,
    request: Request,
    asked_at: Duration,
    /// How much had come when it was sent, to find out what came since.
    before: Tally,
}

impl Ticket {
    /// The request.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// When it was sent, since the start of the session.
    #[must_use]
    pub fn asked_at(&self) -> Duration {
        self.asked_at
    }
}

/// How much has come so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    frames: u64,
    junk: u64,
}

#[derive(Debug)]
pub(super) struct Inbox {
    decoder: Decoder,
    kept: VecDeque<Received>,
    max_kept: usize,
    frames: u64,
    noise_bytes: u64,
    /// How many frames [`next_unasked`](Self::next_unasked) has gone through.
    handed: u64,
    /// The requests that wait for a reply, by the numbers of their tickets.
    open: Exchanges<u64>,
    /// By which replies of motor controllers are read.
    firmwares: Firmwares,
    /// The replies that were not fetched yet.
    answers: BTreeMap<u64, Received>,
    tickets: u64,
}

impl Inbox {
    pub(super) fn new(max_payload: usize, max_kept: usize) -> Self {
        Self {
            decoder: Decoder::new(max_payload),
            kept: VecDeque::new(),
            max_kept,
            frames: 0,
            noise_bytes: 0,
            handed: 0,
            open: Exchanges::new(Policy::patient()),
            firmwares: Firmwares::default(),
            answers: BTreeMap::new(),
            tickets: 0,
        }
    }

    /// Takes in bytes that came at this time.
    pub(super) fn take_in(&mut self, at: Duration, mut bytes: &[u8]) {
        while let Some(item) = self.decoder.next(&mut bytes) {
            match item {
                Item::Noise(noise) => self.noise_bytes += noise.bytes.len() as u64,
                Item::Frame(frame) => {
                    let firmware = self.firmwares.answer(at, frame.payload);
                    let mut received = Received {
                        at,
                        asked_at: None,
                        payload: frame.payload.to_vec(),
                        reply: Reply::decode_from(frame.payload, firmware),
                    };
                    self.frames += 1;
                    if let Some(open) = self.open.answer(at, frame.payload) {
                        received.asked_at = Some(open.at);
                        self.answers.insert(open.attached, received.clone());
                    }
                    if self.kept.len() == self.max_kept {
                        self.kept.pop_front();
                    }
                    self.kept.push_back(received);
                }
            }
        }
    }

    /// The stream has ended, so half a frame will not become whole.
    pub(super) fn end(&mut self) {
        if let Some(tail) = self.decoder.finish() {
            self.noise_bytes += tail.bytes.len() as u64;
        }
    }

    /// Notes a request: the next frame with its reply id that answers no older request is its reply.
    pub(super) fn ask(&mut self, at: Duration, request: &Request) -> Ticket {
        let number = self.tickets;
        self.tickets += 1;
        let payload = request.encode();
        self.open.ask(at, &payload, number);
        self.firmwares.ask(at, &payload);
        Ticket {
            number,
            request: request.clone(),
            asked_at: at,
            before: self.tally(),
        }
    }

    /// Whether a request has its reply; true for a request that is not pending here.
    pub(super) fn is_answered(&self, ticket: &Ticket) -> bool {
        let is_open = |number: u64| self.open.open().any(|open| open.attached == number);
        !is_open(ticket.number)
    }

    /// Ends the wait for a reply and returns the reply, if it came; a reply that comes later counts as unasked.
    pub(super) fn close(&mut self, ticket: &Ticket) -> Option<Received> {
        self.open.withdraw(|number| *number == ticket.number);
        self.answers.remove(&ticket.number)
    }

    /// The next frame that answers no request; each frame is returned once.
    pub(super) fn next_unasked(&mut self) -> Option<Received> {
        loop {
            let skip = self.handed.saturating_sub(self.forgotten());
            let received = self.kept.get(usize::try_from(skip).ok()?)?;
            self.handed = self.handed.max(self.forgotten()) + 1;
            if received.asked_at.is_none() {
                return Some(received.clone());
            }
        }
    }

    /// The commands of the frames that came since a request was sent, and the bytes outside of frames.
    pub(super) fn since(&self, ticket: &Ticket) -> (Vec<CommandId>, u64) {
        let fresh = self.frames - ticket.before.frames;
        let skip = self
            .kept
            .len()
            .saturating_sub(usize::try_from(fresh).unwrap_or(usize::MAX));
        let seen = self.kept.iter().skip(skip).map(Received::command).collect();
        (seen, self.tally().junk.saturating_sub(ticket.before.junk))
    }

    pub(super) fn kept(&self) -> &VecDeque<Received> {
        &self.kept
    }

    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    pub(super) fn forgotten(&self) -> u64 {
        self.frames - self.kept.len() as u64
    }

    pub(super) fn noise_bytes(&self) -> u64 {
        self.noise_bytes
    }

    fn tally(&self) -> Tally {
        Tally {
            frames: self.frames,
            junk: self.noise_bytes + self.decoder.waiting() as u64,
        }
    }
}
