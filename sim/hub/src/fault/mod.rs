//! Faults: harm that is done to a link, only when asked for, and always drawn from a seed.
//!
//! ```text
//!  bytes -> Link: [Decoder, to frame edges] -> fault -> fault -> ... -> in order of time -> bytes, FIN, RST
//!                                               ^ trigger: frames, time, chance, what the client did
//! ```
//!
//! A [`Link`] is one direction of one session. What goes in comes out as chunks that pass the faults in the written
//! order, each fault armed with a [`Trigger`]. A fault takes a chunk and gives back chunks with their times; it never
//! waits and never touches a connection. Without faults a link passes everything on unchanged at once.

mod bandwidth;
mod behaviour;
mod corrupt;
mod definition;
mod delay;
mod drop;
mod duplicate;
pub mod fuzzing;
mod garbage;
mod half_close;
mod jitter;
mod link;
mod merge;
mod plan;
mod reorder;
mod reset;
mod slow_close;
mod split;
mod stall;
#[cfg(test)]
mod tests;
mod trigger;
mod truncate;

pub use behaviour::{Behaviour, MAX_RECENT, Watch};
pub use definition::{Definition, FaultDirection, FaultInfo, Harm, Leaves};
pub use link::{CUT_OFF, Link, LinkOutput, MAX_HELD_BYTES, MAX_HELD_CHUNKS, OVERFULL};
pub use plan::{FaultPlan, MAX_FAULTS};
pub use trigger::{ClientDid, Moment, TooChatty, Trigger};

use std::fmt;

use serde::{Deserialize, Serialize};
use veschub_wire::CommandId;

use crate::{mistake::Mistakes, rng::Rng, time::Time};
use definition::faults;

// Every fault, in alphabetical order.
faults! {
    Bandwidth(bandwidth::Bandwidth),
    Corrupt(corrupt::Corrupt),
    Delay(delay::Delay),
    Drop(drop::DropFrame),
    Duplicate(duplicate::Duplicate),
    Garbage(garbage::Garbage),
    HalfClose(half_close::HalfClose),
    Jitter(jitter::Jitter),
    Merge(merge::Merge),
    Reorder(reorder::Reorder),
    Reset(reset::Reset),
    SlowClose(slow_close::SlowClose),
    Split(split::Split),
    Stall(stall::Stall),
    Truncate(truncate::Truncate),
}

/// All faults, in alphabetical order.
#[must_use]
pub fn catalogue() -> &'static [FaultInfo] {
    CATALOGUE
}

impl FaultEntry {
    /// Looks for mistakes.
    pub fn check(&self, mistakes: &mut Mistakes) {
        mistakes.inside("when", |mistakes| self.when().check(mistakes));
        self.check_parameters(mistakes);
    }

    /// Whether it can only be done to whole frames, or counts them.
    #[must_use]
    pub fn needs_frames(&self) -> bool {
        self.fault().needs_frames() || self.when().needs_frames()
    }

    /// What it leaves for the faults behind it, done to everything or only sometimes.
    #[must_use]
    pub fn leaves(&self) -> Leaves {
        if self.when().is_always() {
            self.fault().leaves()
        } else {
            Leaves::Frames
        }
    }
}

/// A piece of a stream on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// When it is to be delivered.
    pub at: Time,
    /// The bytes; may be none where the stream ends.
    pub bytes: Vec<u8>,
    /// The command of the frame, if the bytes are one whole frame, harmed or not, and nothing else.
    pub frame: Option<CommandId>,
    /// What comes behind the bytes, if the stream ends here.
    pub end: Option<End>,
}

/// How a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Nothing more will be sent, but the other direction stays open: FIN.
    Fin,
    /// The connection is broken off: RST.
    Reset,
}

impl Chunk {
    /// Bytes that are no frame, or only a part of one.
    #[must_use]
    pub fn bytes(at: Time, bytes: Vec<u8>) -> Self {
        Self {
            at,
            bytes,
            frame: None,
            end: None,
        }
    }

    /// The end of a stream.
    #[must_use]
    pub fn end(at: Time, end: End) -> Self {
        Self {
            end: Some(end),
            ..Self::bytes(at, Vec::new())
        }
    }

    /// One whole frame of a command.
    #[must_use]
    pub fn frame(at: Time, command: CommandId, bytes: Vec<u8>) -> Self {
        Self {
            frame: Some(command),
            ..Self::bytes(at, bytes)
        }
    }
}

/// One way to harm a link, in the state it has in one direction of one session.
pub trait Fault: Send {
    /// Whether it can only be done to whole frames; other bytes then pass it untouched.
    fn needs_frames(&self) -> bool;

    /// What is left for the faults behind it where it is done to everything.
    fn leaves(&self) -> Leaves {
        Leaves::Frames
    }

    /// Whether it would do anything to this chunk; asked only when its trigger fires.
    fn suits(&self, _chunk: &Chunk) -> bool {
        true
    }

    /// Whether it can be done to the end of a stream as well.
    fn takes_ends(&self) -> bool {
        false
    }

    /// Whether it needs nothing on the link to be done, so that a time alone can trigger it: it is then given an
    /// empty chunk, once.
    fn acts_alone(&self) -> bool {
        false
    }

    /// Does the harm: what comes out, in this order and at these times, none of them before `now`.
    fn apply(&mut self, now: Time, chunk: Chunk, rng: &mut Rng) -> Vec<Chunk>;

    /// Lets a chunk by that is not to be harmed; what is held from earlier harm may come out with it.
    fn pass(&mut self, _now: Time, chunk: Chunk) -> Vec<Chunk> {
        vec![chunk]
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next.
    fn poll_timeout(&self) -> Option<Time> {
        None
    }

    /// Does what was due by `now`; what is due then lies later.
    fn handle_timeout(&mut self, _now: Time) -> Vec<Chunk> {
        Vec::new()
    }

    /// Gives out what is held: the stream ends here.
    fn finish(&mut self) -> Vec<Chunk> {
        Vec::new()
    }

    /// How many bytes it holds.
    fn held(&self) -> usize {
        0
    }
}

/// A fault's number at a hub, from 1, in the order in which they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FaultId(pub u32);

impl fmt::Display for FaultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A fault and what sets it off.
pub struct Armed {
    /// Its number at the hub, if it has one.
    pub id: Option<FaultId>,
    /// What is known of the harm.
    pub info: FaultInfo,
    /// The harm.
    pub fault: Box<dyn Fault>,
    /// When it is done.
    pub trigger: Trigger,
}

impl Armed {
    /// A fault with its trigger.
    #[must_use]
    pub fn new<F: Definition>(fault: F, trigger: Trigger) -> Self {
        Self {
            id: None,
            info: FaultInfo::of::<F>(),
            fault: Box::new(fault),
            trigger,
        }
    }
}

/// A fault that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultFired {
    /// When it was decided; what it does may lie later.
    pub at: Time,
    /// Its number at the hub, if it has one.
    pub id: Option<FaultId>,
    /// Which fault.
    pub fault: &'static str,
    /// What becomes of the bytes.
    pub harm: Harm,
    /// The command of the frame that it was done to, if to a whole frame.
    pub command: Option<CommandId>,
    /// What set it off, in words.
    pub why: String,
}
