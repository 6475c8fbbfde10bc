//! TCP connections put together again: segments in, two streams of bytes each out.
//!
//! ```text
//!  segment -> which connection? -> which half? -> in order: Data
//!                (ports, SYN)                     early:    kept until the hole before it fills
//!                                                 late:     its new bytes, if any (first bytes win)
//! ```
//!
//! A recording may start in the middle, lose packets, repeat them or have them out of order. What
//! cannot be put together becomes a [`What::Gap`], never a guess. There is no clock: a hole is
//! given up when the other side acknowledges what lies behind it, when too much waits for it, or
//! when the connection ends.

mod half;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use half::{Half, Output};
pub use half::{MAX_WAITING_BYTES, MAX_WAITING_PIECES};

use crate::segment::Segment;

/// When something was captured: the number orders, the time informs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// The number of the packet record.
    pub record: u64,
    /// Its time in nanoseconds since the epoch.
    pub at_ns: u64,
}

/// One of the two ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Who opened the connection; where that was not recorded, who was seen sending first.
    Initiator,
    /// The other one.
    Responder,
}

impl Side {
    /// The other end.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Initiator => Self::Responder,
            Self::Responder => Self::Initiator,
        }
    }
}

/// How one end of a connection ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// It had no more to send.
    Fin,
    /// It broke the connection off.
    Reset,
}

impl Close {
    /// The name in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fin => "fin",
            Self::Reset => "reset",
        }
    }
}

/// What happened on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The connection, counted from 1 in the order in which they were first seen.
    pub connection: u32,
    /// The record that made it happen.
    pub stamp: Stamp,
    /// What it was.
    pub what: What,
}

/// The kinds of [`Event`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The first packet of a connection.
    Opened {
        /// Who opened it.
        initiator: SocketAddr,
        /// Who was called.
        responder: SocketAddr,
        /// Whether the opening itself was recorded, or only what came later.
        from_start: bool,
    },
    /// The next bytes of one direction.
    Data {
        /// Who sent them.
        side: Side,
        /// Their place in the stream of that side.
        offset: u64,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// Bytes that were sent but not recorded.
    Gap {
        /// Who sent them.
        side: Side,
        /// Their place in the stream of that side.
        offset: u64,
        /// How many they are.
        len: u64,
    },
    /// The end of one direction, or with a reset of both.
    Closed {
        /// Who ended it.
        side: Side,
        /// How many bytes that side sent.
        offset: u64,
        /// In which way.
        how: Close,
    },
}

/// Puts all connections of a capture together.
#[derive(Debug, Default)]
pub struct Reassembler {
    connections: Vec<Connection>,
    /// The latest connection between two ends, whichever of them is named first.
    latest: BTreeMap<(SocketAddr, SocketAddr), usize>,
}

#[derive(Debug)]
struct Connection {
    initiator: SocketAddr,
    halves: [Half; 2],
    reset: bool,
    from_start: bool,
}

impl Reassembler {
    /// Ready for the first segment.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next segment in capture order and appends what it brought about.
    pub fn push(&mut self, stamp: Stamp, segment: &Segment<'_>, events: &mut Vec<Event>) {
        let key = match segment.source <= segment.destination {
            true => (segment.source, segment.destination),
            false => (segment.destination, segment.source),
        };
        let known = self.latest.get(&key).copied();
        let index = match known {
            Some(index) if !self.connections[index].is_over_before(segment) => index,
            _ => {
                // Nothing to put together, and no sign of who is who.
                if segment.rst && known.is_none() {
                    return;
                }
                if let Some(old) = known {
                    self.connections[old].finish(old, events);
                }
                let index = self.connections.len();
                self.connections.push(Connection::opened_by(segment));
                self.latest.insert(key, index);
                events.push(self.connections[index].opened(index, stamp, segment));
                index
            }
        };
        self.connections[index].push(index, stamp, segment, events);
    }

    /// Ends the capture: appends what was still waiting for something.
    pub fn finish(&mut self, events: &mut Vec<Event>) {
        for (index, connection) in self.connections.iter_mut().enumerate() {
            connection.finish(index, events);
        }
    }
}

impl Connection {
    fn opened_by(segment: &Segment<'_>) -> Self {
        let answer = segment.syn && segment.ack.is_some();
        Self {
            initiator: match answer {
                true => segment.destination,
                false => segment.source,
            },
            halves: [Half::default(), Half::default()],
            reset: false,
            from_start: segment.syn,
        }
    }

    fn opened(&self, index: usize, stamp: Stamp, segment: &Segment<'_>) -> Event {
        let responder = match self.initiator == segment.source {
            true => segment.destination,
            false => segment.source,
        };
        Event {
            connection: index as u32 + 1,
            stamp,
            what: What::Opened {
                initiator: self.initiator,
                responder,
                from_start: self.from_start,
            },
        }
    }

    fn side_of(&self, source: SocketAddr) -> Side {
        match source == self.initiator {
            true => Side::Initiator,
            false => Side::Responder,
        }
    }

    /// Whether this segment opens a new connection between the same two ends.
    fn is_over_before(&self, segment: &Segment<'_>) -> bool {
        if !segment.syn || segment.ack.is_some() {
            return false;
        }
        let closed = self.reset || self.halves.iter().all(Half::is_closed);
        let half = &self.halves[self.side_of(segment.source) as usize];
        // The same SYN again, or one that was overtaken by its answer, opens nothing new.
        closed || !half.starts_at(segment.seq.wrapping_add(1))
    }

    fn push(&mut self, index: usize, stamp: Stamp, segment: &Segment<'_>, events: &mut Vec<Event>) {
        let side = self.side_of(segment.source);
        let mut first = segment.seq;
        if segment.syn {
            first = first.wrapping_add(1);
            self.halves[side as usize].anchor(first);
        }
        if let Some(ack) = segment.ack.filter(|_| !segment.rst) {
            let other = &mut self.halves[side.other() as usize];
            if segment.syn {
                other.anchor(ack);
            }
            other.acknowledge(ack, stamp);
            self.drain(index, side.other(), events);
        }
        if segment.rst {
            if !self.reset {
                self.finish_halves(index, events);
                self.reset = true;
                events.push(Event {
                    connection: index as u32 + 1,
                    stamp,
                    what: What::Closed {
                        side,
                        offset: self.halves[side as usize].len(),
                        how: Close::Reset,
                    },
                });
            }
            return;
        }
        let half = &mut self.halves[side as usize];
        half.insert(first, segment.payload, stamp);
        if segment.fin {
            let len = segment.payload.len() as u32;
            half.end(first.wrapping_add(len).wrapping_add(segment.cut), stamp);
        }
        self.drain(index, side, events);
    }

    fn drain(&mut self, index: usize, side: Side, events: &mut Vec<Event>) {
        while let Some((stamp, output)) = self.halves[side as usize].next(false) {
            events.push(event(index, side, stamp, output));
        }
    }

    fn finish_halves(&mut self, index: usize, events: &mut Vec<Event>) {
        for side in [Side::Initiator, Side::Responder] {
            while let Some((stamp, output)) = self.halves[side as usize].next(true) {
                events.push(event(index, side, stamp, output));
            }
        }
    }

    fn finish(&mut self, index: usize, events: &mut Vec<Event>) {
        self.finish_halves(index, events);
    }
}

fn event(index: usize, side: Side, stamp: Stamp, output: Output) -> Event {
    Event {
        connection: index as u32 + 1,
        stamp,
        what: match output {
            Output::Data { offset, bytes } => What::Data {
                side,
                offset,
                bytes,
            },
            Output::Gap { offset, len } => What::Gap { side, offset, len },
            Output::End { offset } => What::Closed {
                side,
                offset,
                how: Close::Fin,
            },
        },
    }
}

#[cfg(test)]
mod tests;
