//! What happens on a TCP connection, as its recorded segments tell it.

use std::borrow::Cow;
use std::net::SocketAddr;

use crate::read::stamp::Stamp;
use crate::side::{Close, Side};

/// Something that happened on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// The connection, counted from 1 in the order in which they were first seen.
    pub connection: u32,
    /// Where the reassembler remembers it; free for another connection after [`EventKind::Forgotten`].
    pub slot: usize,
    /// The record that made it happen.
    pub stamp: Stamp,
    /// What it was.
    pub kind: EventKind<'a>,
}

/// The kinds of [`Event`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind<'a> {
    /// The first packet of a connection.
    Opened {
        /// Who opened it.
        initiator: SocketAddr,
        /// Who was called.
        responder: SocketAddr,
        /// Whether the opening itself was recorded, or only what came later.
        from_start: bool,
    },
    /// A segment with bytes came, before anything that these bytes bring about.
    ///
    /// Positions count like the sequence numbers of this side, but without an end. The stream may begin behind this
    /// one, so that some or all of the bytes are not part of it.
    Segment {
        /// Who sent it.
        side: Side,
        /// The position of its first byte.
        position: u64,
    },
    /// The next bytes of one direction.
    Data {
        /// Who sent them.
        side: Side,
        /// Their place in the stream of that side.
        offset: u64,
        /// The position that they came with.
        position: u64,
        /// The bytes; lent if they came in order.
        bytes: Cow<'a, [u8]>,
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
    /// Bytes that were sent again; those of the first time count.
    Repeated {
        /// Who sent them.
        side: Side,
        /// Their place in the stream of that side.
        offset: u64,
        /// How many they are.
        len: u64,
        /// How many of them were others than the first time, as far as that is still known.
        differing: u64,
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
    /// The reassembler remembers nothing of it any longer.
    Forgotten,
}

impl EventKind<'_> {
    /// The same without anything lent.
    #[must_use]
    pub fn into_owned(self) -> EventKind<'static> {
        match self {
            Self::Opened {
                initiator,
                responder,
                from_start,
            } => EventKind::Opened {
                initiator,
                responder,
                from_start,
            },
            Self::Segment { side, position } => EventKind::Segment { side, position },
            Self::Data {
                side,
                offset,
                position,
                bytes,
            } => EventKind::Data {
                side,
                offset,
                position,
                bytes: Cow::Owned(bytes.into_owned()),
            },
            Self::Gap { side, offset, len } => EventKind::Gap { side, offset, len },
            Self::Repeated {
                side,
                offset,
                len,
                differing,
            } => EventKind::Repeated {
                side,
                offset,
                len,
                differing,
            },
            Self::Closed { side, offset, how } => EventKind::Closed { side, offset, how },
            Self::Forgotten => EventKind::Forgotten,
        }
    }
}
