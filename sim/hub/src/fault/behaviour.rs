//! What a client has done so far in its session, so that a fault can answer to it.

use std::{collections::VecDeque, time::Duration};

use veschub_wire::{CommandId, Decoder, Item};

use crate::time::Time;

/// How many requests are remembered with their times.
pub const MAX_RECENT: usize = 4096;

/// What a client has done so far in its session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Behaviour {
    /// Which session with this device it is, counted from 1.
    pub session: u32,
    /// Whether another tool was attached and had to leave.
    pub took_over: bool,
    /// Whether bytes came in one read with the login line.
    pub wrote_with_login: bool,
    /// Whether it asked for anything else before it was told the firmware version.
    pub polled_before_firmware: bool,
    /// Whether it was told the firmware version.
    pub firmware_told: bool,
    /// The time between its last two requests.
    pub last_gap: Option<Duration>,
    /// When its last requests came, at most [`MAX_RECENT`] of them.
    pub recent: VecDeque<Time>,
}

impl Behaviour {
    /// A session that begins: which one with this device it is, from 1, and whether it replaces another one.
    #[must_use]
    pub fn attached(session: u32, took_over: bool) -> Self {
        Self {
            session,
            took_over,
            ..Self::default()
        }
    }

    /// Bytes came in one read with the login line.
    pub fn note_wrote_with_login(&mut self) {
        self.wrote_with_login = true;
    }

    /// The client sent a request.
    pub fn note_request(&mut self, now: Time, payload: &[u8]) {
        let Some(&id) = payload.first() else {
            return;
        };
        if CommandId(id) != CommandId::FW_VERSION && !self.firmware_told {
            self.polled_before_firmware = true;
        }
        self.last_gap = self.recent.back().map(|&last| now - last);
        if self.recent.len() == MAX_RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(now);
    }

    /// The client was sent a reply.
    pub fn note_reply(&mut self, payload: &[u8]) {
        if payload.first() == Some(&CommandId::FW_VERSION.0) {
            self.firmware_told = true;
        }
    }

    /// How many requests came within a time that ended with the last one.
    #[must_use]
    pub fn requests_within(&self, per: Duration) -> usize {
        let Some(&last) = self.recent.back() else {
            return 0;
        };
        let before = self.recent.partition_point(|&then| last - then >= per);
        // Even a time of no length holds the request that it ends with.
        (self.recent.len() - before).max(1)
    }
}

/// Reads along with what a client sends, before any fault has touched it.
#[derive(Debug)]
pub struct Watch {
    /// What it has done.
    pub did: Behaviour,
    decoder: Decoder,
}

impl Watch {
    /// Watches a session from its beginning; requests longer than `max_payload` bytes are not seen.
    #[must_use]
    pub fn new(did: Behaviour, max_payload: usize) -> Self {
        Self {
            did,
            decoder: Decoder::new(max_payload),
        }
    }

    /// Reads on to the end of the next request; says how many of the bytes belong to it and to what is before it.
    ///
    /// So a fault can answer to each request of those that come together, before it has seen the next.
    pub fn next(&mut self, now: Time, bytes: &[u8]) -> usize {
        let mut input = bytes;
        loop {
            match self.decoder.next(&mut input) {
                Some(Item::Frame(frame)) => self.did.note_request(now, frame.payload),
                Some(Item::Noise(_)) => continue,
                None => return bytes.len(),
            }
            if !input.is_empty() {
                return bytes.len() - input.len();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Time {
        Time::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn the_gap_is_the_one_before_the_last_request() {
        let mut did = Behaviour::attached(1, false);
        did.note_request(ms(10), &[0]);
        assert_eq!(did.last_gap, None);
        did.note_request(ms(700), &[96]);
        assert_eq!(did.last_gap, Some(Duration::from_millis(690)));
        did.note_request(ms(701), &[96]);
        assert_eq!(did.last_gap, Some(Duration::from_millis(1)));
    }

    #[test]
    fn requests_are_counted_back_from_the_last_one() {
        let mut did = Behaviour::default();
        assert_eq!(did.requests_within(Duration::from_secs(1)), 0);
        for at in [0, 100, 900, 1000, 1100] {
            did.note_request(ms(at), &[96]);
        }
        assert_eq!(did.requests_within(Duration::from_millis(200)), 2);
        assert_eq!(did.requests_within(Duration::from_millis(201)), 3);
        assert_eq!(did.requests_within(Duration::from_secs(9)), 5);
        assert_eq!(did.requests_within(Duration::ZERO), 1);
    }

    #[test]
    fn only_the_firmware_version_may_be_asked_for_before_it_is_told() {
        let mut did = Behaviour::default();
        did.note_request(ms(0), &[0]);
        assert!(!did.polled_before_firmware);
        let mut hasty = did.clone();
        hasty.note_request(ms(1), &[96]);
        assert!(hasty.polled_before_firmware);
        did.note_reply(&[96]);
        did.note_reply(&[0, 6, 5]);
        did.note_request(ms(1), &[96]);
        assert!(!did.polled_before_firmware);
    }

    #[test]
    fn what_is_remembered_has_a_limit() {
        let mut did = Behaviour::default();
        for at in 0..2 * MAX_RECENT as u64 {
            did.note_request(ms(at), &[96]);
        }
        assert_eq!(did.recent.len(), MAX_RECENT);
        assert_eq!(did.requests_within(Duration::from_millis(10)), 10);
    }

    #[test]
    fn a_watch_sees_requests_however_they_are_cut() {
        let mut watch = Watch::new(Behaviour::default(), 512);
        let stream = [
            veschub_wire::encode(&[0]).unwrap(),
            b"noise".to_vec(),
            veschub_wire::encode(&[96]).unwrap(),
        ]
        .concat();
        for (at, byte) in stream.iter().enumerate() {
            watch.next(ms(at as u64), &[*byte]);
        }
        assert_eq!(watch.did.recent, [ms(5), ms(16)]);
    }
}
