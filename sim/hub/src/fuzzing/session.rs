//! `session`: connections that open, log in, talk, stay silent, end and break off in any order and at any pace, at a hub
//! with devices of its own and from outside, quirks and faults.
//!
//! ```text
//!  plan (see `world.rs`) | steps
//!  step: kind u8 | which connection u8 | what the kind wants
//!   0 a peer connects
//!   1 logs in as a tool: who u8      2 as a device: who u8      3 asks for a PONG: who u8
//!   4 a request: size u8, payload    5 a frame that is known again wherever it comes out
//!   6 raw bytes: size u8, bytes      7 the first bytes of a frame: size u8, payload, cut u8
//!   8 time passes: n u8, which is 2^(n % 14) ms and n / 14 ms more
//!   9 until something is due        10 the peer ends its side        11 the connection breaks off
//!  12 so many bytes leave for the network: u16
//!  240 and more: somebody steers, see `steering.rs`
//! ```
//!
//! `who`, modulo 3, is the id; bit 6 brings a request in the same read, bit 7 a wrong password. Bytes of a device from
//! outside are made harmless, so that nothing but its own frames is taken for one.

use std::{collections::BTreeMap, time::Duration};

use arbitrary::{Arbitrary, Result, Unstructured};
use veschub_wire::{LoginKind, encode};

use super::{
    steering::steer,
    witness::Witness,
    world::{IDS, PASSWORD, Plan},
};
use crate::{
    conn::ConnId,
    hub::{Event, Hub, Output},
    time::Time,
};

const MAX_STEPS: usize = 200;
/// The most connections at a time.
const MAX_OPEN: usize = 8;
/// Nothing goes on for longer than this: a device that waits for nothing, and a session that is over.
const MAX_WAKES: usize = 10_000;
/// From this kind on somebody steers the hub.
const STEERS: u8 = 240;
/// How many kinds of steps of peers there are.
const KINDS: u8 = 13;

/// Plays what an input says, and checks everything that must hold whatever happens.
///
/// # Panics
/// If something does not hold.
pub fn session(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let Ok(plan) = Plan::arbitrary(&mut u) else {
        return;
    };
    let mut play = Play {
        hub: plan.hub(),
        witness: Witness::new(&plan),
        now: Time::ZERO,
        peers: Vec::new(),
        unsent: BTreeMap::new(),
        last: 0,
    };
    for _ in 0..MAX_STEPS {
        if u.is_empty() || play.step(&mut u).is_err() {
            break;
        }
    }
    play.end();
}

struct Play {
    hub: Hub,
    witness: Witness,
    now: Time,
    /// The connections whose peers are there, in the order of their arrival.
    peers: Vec<ConnId>,
    /// Bytes that the hub has written and that have not left for the network.
    unsent: BTreeMap<ConnId, usize>,
    last: u32,
}

impl Play {
    fn step(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let [kind, which] = <[u8; 2]>::arbitrary(u)?;
        if kind >= STEERS {
            return self.steer(kind - STEERS, which, u);
        }
        let kind = kind % KINDS;
        match kind {
            0 => {
                self.connect();
                return Ok(());
            }
            8 => {
                let n = u32::from(u8::arbitrary(u)?);
                let millis = (1 << (n % 14)) + n / 14;
                self.wait(self.now + Duration::from_millis(millis.into()));
                return Ok(());
            }
            9 => {
                let due = self.hub.poll_timeout().unwrap_or(self.now);
                self.wait(due);
                return Ok(());
            }
            _ => {}
        }
        let index = usize::from(which) % self.peers.len().max(1);
        let Some(&conn) = self.peers.get(index) else {
            return Ok(());
        };
        match kind {
            1 => self.log_in(conn, LoginKind::Tool, u8::arbitrary(u)?),
            2 => self.log_in(conn, LoginKind::Device, u8::arbitrary(u)?),
            3 => self.log_in(conn, LoginKind::Ping, u8::arbitrary(u)?),
            4 => {
                let payload = sized(u)?;
                let frame = match self.witness.may_forge(conn) {
                    true => encode(payload).unwrap_or_default(),
                    false => harmless(payload),
                };
                self.bytes(conn, &frame);
            }
            5 => {
                let frame = self.witness.tagged(conn);
                self.bytes(conn, &frame);
            }
            6 => {
                let bytes = sized(u)?;
                match self.witness.may_forge(conn) {
                    true => self.bytes(conn, bytes),
                    false => self.bytes(conn, &harmless(bytes)),
                }
            }
            7 => {
                let frame = encode(sized(u)?).unwrap_or_default();
                let cut = usize::from(u8::arbitrary(u)?).min(frame.len());
                self.bytes(conn, &frame[..cut]);
            }
            10 => self.leave(conn, Event::Eof),
            11 => self.leave(conn, Event::Reset),
            _ => {
                let count = usize::from(u16::arbitrary(u)?);
                self.flush(conn, count);
            }
        }
        Ok(())
    }

    fn connect(&mut self) {
        if self.peers.len() < MAX_OPEN {
            self.last += 1;
            let conn = ConnId(self.last);
            self.peers.push(conn);
            self.witness.opened(conn);
            self.handle(conn, Event::Opened);
        }
    }

    fn log_in(&mut self, conn: ConnId, kind: LoginKind, who: u8) {
        let id = IDS[usize::from(who & 0x3F) % IDS.len()];
        let password = match who >> 7 {
            0 => PASSWORD,
            _ => "wrong",
        };
        let mut line = format!("{kind}:{id}:{password}\n").into_bytes();
        if who >> 6 & 1 == 1 {
            line.extend(encode(&[0]).unwrap_or_default());
        }
        self.bytes(conn, &line);
    }

    fn bytes(&mut self, conn: ConnId, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.handle(conn, Event::Bytes(bytes));
        }
    }

    fn leave(&mut self, conn: ConnId, how: Event<'_>) {
        self.peers.retain(|&peer| peer != conn);
        self.unsent.remove(&conn);
        self.handle(conn, how);
    }

    fn flush(&mut self, conn: ConnId, count: usize) {
        let unsent = self.unsent.entry(conn).or_default();
        let count = count.min(*unsent);
        *unsent -= count;
        if count > 0 {
            self.handle(conn, Event::Flushed(count));
        }
    }

    /// Lets the time pass until then, and wakes the hub whenever it wants to be.
    fn wait(&mut self, until: Time) {
        for _ in 0..MAX_WAKES {
            let Some(due) = self.hub.poll_timeout().filter(|&due| due <= until) else {
                self.now = self.now.max(until);
                return;
            };
            self.now = self.now.max(due);
            self.hub.handle_timeout(self.now);
            self.drain();
        }
        assert!(
            self.hub.poll_timeout().is_none(),
            "the hub never comes to rest"
        );
    }

    fn steer(&mut self, kind: u8, which: u8, u: &mut Unstructured<'_>) -> Result<()> {
        steer(&mut self.hub, self.now, kind, which, u)?;
        self.hub.handle_timeout(self.now);
        self.drain();
        Ok(())
    }

    fn handle(&mut self, conn: ConnId, event: Event<'_>) {
        self.hub.handle(self.now, conn, event);
        // What is due at this very moment.
        self.hub.handle_timeout(self.now);
        self.drain();
    }

    /// Takes what the hub has to say and to send.
    fn drain(&mut self) {
        let due = self.hub.poll_timeout();
        assert!(
            due.is_none_or(|due| due > self.now),
            "at {} the hub wants to be called at {due:?}, again and again",
            self.now
        );
        while let Some(entry) = self.hub.poll_journal() {
            self.witness.happened(&entry);
        }
        while let Some((conn, output)) = self.hub.poll_output() {
            match &output {
                Output::Write(bytes) => *self.unsent.entry(conn).or_default() += bytes.len(),
                Output::Shutdown => {}
                // The peer finds out that it is over; what was written may still leave.
                Output::Close => {}
                Output::Abort => {
                    self.unsent.remove(&conn);
                    self.peers.retain(|&peer| peer != conn);
                }
            }
            self.witness.goes(conn, &output);
        }
        self.witness.weigh(&self.hub.load());
    }

    /// All peers leave, and everything comes to its end.
    fn end(mut self) {
        for conn in self.peers.clone() {
            self.leave(conn, Event::Eof);
        }
        self.wait(Time::from_nanos(u64::MAX));
        let load = self.hub.load();
        let left = [load.connections, load.lobby, load.members, load.sessions];
        assert_eq!(left, [0; 4], "something stays for ever: {load:?}");
        let kept = [
            load.draining,
            load.waiting,
            load.unsent,
            load.held,
            load.early,
        ];
        assert_eq!(kept, [0; 5], "something stays for ever: {load:?}");
    }
}

/// A number and so many bytes, or as many as there are.
fn sized<'a>(u: &mut Unstructured<'a>) -> Result<&'a [u8]> {
    let size = usize::from(u8::arbitrary(u)?).min(u.len());
    u.bytes(size)
}

/// Bytes that begin no frame.
fn harmless(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| byte | 0x80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tool of each device asks for it, and for the same of the node on the CAN bus, and waits for what comes.
    fn asks(payload: &[u8]) -> Vec<u8> {
        // Log in, ask, and let 8 s and a bit pass; no quirks and no faults.
        let mut input = vec![0x3F, 0, 0];
        for (who, node) in [(0, 84), (1, 10)] {
            input.extend([0, 0, 1, who, who]);
            let forwarded = [&[34, node][..], payload].concat();
            for payload in [payload, &forwarded] {
                input.extend([4, who, payload.len() as u8]);
                input.extend(payload);
                input.extend([8, 0, 13]);
            }
        }
        input
    }

    /// The witness knows every reply that a device may give: it must not accuse the hub of one.
    #[test]
    fn every_command_passes_the_witness() {
        let arguments: [&[u8]; 9] = [
            &[],
            &[0],
            &[1],
            b":help\0",
            b"faults\0",
            &[0; 4],
            // Samples now, 100 of them, each one; a piece of a script that begins and ends.
            &[1, 0, 100, 1, 0],
            &[0, 0, 0, 0, 0, 0, 0, 1, 1, b'1'],
            &[0xFF; 24],
        ];
        for id in 0..=u8::MAX {
            for argument in arguments {
                session(&asks(&[&[id], argument].concat()));
            }
        }
    }
}
