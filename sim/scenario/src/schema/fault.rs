//! Faults: how a link is harmed, and what sets the harm off.

use schemars::JsonSchema;
use serde::Deserialize;

use super::CommandName;
use crate::duration::Duration;

/// Harm to a link.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Bytes trickle out at a limited rate.
    Bandwidth(Bandwidth),
    /// One bit of a frame is flipped, so that no parser accepts it.
    Corrupt(Corrupt),
    /// Everything comes later by the same time.
    Delay(Delay),
    /// A frame never arrives.
    Drop(DropFrame),
    /// A frame arrives more than once.
    Duplicate(Duplicate),
    /// Bytes that belong to no frame come before or behind a frame.
    Garbage(Garbage),
    /// Nothing more is sent and the other side is told so, while it may go on sending.
    HalfClose(HalfClose),
    /// Everything comes later, each by a time of its own that is drawn.
    Jitter(Jitter),
    /// What were several writes arrives as one.
    Merge(Merge),
    /// A frame comes behind frames that were sent after it.
    Reorder(Reorder),
    /// The connection is broken off.
    Reset(Reset),
    /// The end of the stream comes late.
    SlowClose(SlowClose),
    /// What was one write arrives in pieces.
    Split(Split),
    /// Nothing comes for a time, then everything at once; or nothing ever again.
    Stall(Stall),
    /// Only the first bytes of a frame arrive.
    Truncate(Truncate),
}

impl Fault {
    /// Its name, the direction that it harms, and what sets it off.
    #[must_use]
    pub fn parts(&self) -> (&'static str, FaultDirection, &When) {
        match self {
            Self::Bandwidth(fault) => ("bandwidth", fault.direction, &fault.when),
            Self::Corrupt(fault) => ("corrupt", fault.direction, &fault.when),
            Self::Delay(fault) => ("delay", fault.direction, &fault.when),
            Self::Drop(fault) => ("drop", fault.direction, &fault.when),
            Self::Duplicate(fault) => ("duplicate", fault.direction, &fault.when),
            Self::Garbage(fault) => ("garbage", fault.direction, &fault.when),
            Self::HalfClose(fault) => ("half-close", fault.direction, &fault.when),
            Self::Jitter(fault) => ("jitter", fault.direction, &fault.when),
            Self::Merge(fault) => ("merge", fault.direction, &fault.when),
            Self::Reorder(fault) => ("reorder", fault.direction, &fault.when),
            Self::Reset(fault) => ("reset", fault.direction, &fault.when),
            Self::SlowClose(fault) => ("slow-close", fault.direction, &fault.when),
            Self::Split(fault) => ("split", fault.direction, &fault.when),
            Self::Stall(fault) => ("stall", fault.direction, &fault.when),
            Self::Truncate(fault) => ("truncate", fault.direction, &fault.when),
        }
    }
}

/// The direction that a fault harms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FaultDirection {
    /// From the device to the tool: replies.
    #[default]
    ToTool,
    /// From the tool to the device: requests.
    ToDevice,
}

/// What sets a fault off: all that is given must hold, and without anything it is always done.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// Only frames of this command.
    pub command: Option<CommandName>,
    /// Only this one of the frames that meet the other conditions, counted from 1; with `every`, the first one.
    pub nth: Option<u64>,
    /// Only each one of so many frames.
    pub every: Option<u64>,
    /// Only from this time after the session began.
    pub after: Option<Duration>,
    /// Only for this time, from `after` or from when the session began.
    #[serde(rename = "for")]
    pub lasts: Option<Duration>,
    /// Only with this probability, 0 to 1, drawn each time.
    pub probability: Option<f64>,
    /// Only if the client did this.
    pub client: Option<ClientDid>,
}

/// What a client did. Gaps and counts are those of its last request.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClientDid {
    /// More than this time passed between its last two requests.
    pub too_slow: Option<Duration>,
    /// It sent more requests than it should.
    pub too_chatty: Option<TooChatty>,
    /// It wrote more in one go with its login line, or did not.
    pub wrote_with_login: Option<bool>,
    /// It asked for anything else before it was told the firmware version, or did not.
    pub polled_before_firmware: Option<bool>,
    /// The device had a session before, ended by this one or earlier, or had not.
    pub attached_twice: Option<bool>,
    /// It is this session with the device, counted from 1.
    pub session: Option<u32>,
}

/// Too many requests.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TooChatty {
    /// More than this many.
    pub more_than: usize,
    /// Within this time, counted back from the last one.
    pub within: Duration,
}

/// The fault `bandwidth`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bandwidth {
    /// The direction that it harms.
    #[serde(default)]
    pub direction: FaultDirection,
    /// What sets it off.
    #[serde(default)]
    pub when: When,
    /// How many bytes the link carries in a second.
    pub bytes_per_second: u64,
}

/// The fault `corrupt`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Corrupt {
    /// The direction that it harms.
    #[serde(default)]
    pub direction: FaultDirection,
    /// What sets it off.
    #[serde(default)]
    pub when: When,
    /// In which part of the frame a bit is flipped; which one is drawn.
    pub part: Part,
}

/// A part of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The payload, command id included.
    Payload,
    /// The CRC.
    Crc,
    /// The length field.
    Length,
    /// The stop byte.
    Stop,
}

/// The fault `delay`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delay {
    /// The direction that it harms.
    #[serde(default)]
    pub direction: FaultDirection,
    /// What sets it off.
    #[serde(default)]
    pub when: When,
    /// How much later everything comes.
    pub by: Duration,
}

/// The fault `drop`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DropFrame {
    /// The direction that it harms.
    #[serde(default)]
    pub direction: FaultDirection,
    /// What sets it off.
    #[serde(default)]
    pub when: When,
}

/// The fault `duplicate`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Duplicate {
    /// The direction that it harms.
    #[serde(default)]
    pub direction: FaultDirection,
    /// What sets it off.
    #[serde(default)]
    pub when: When,
    /// How many copies come behind the frame.
    #[serde(default = "one")]
    pub times: usize,
}

/// The fault `garbage`: one of `kind` and `hex`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Garbage {
    /// The direction that it harms.
    #[serde(default)]
    pub direction: FaultDirection,
    /// What sets it off.
    #[serde(default)]
    pub when: When,
    /// What the garbage is.
    #[serde(default)]
    pub kind: Option<GarbageKind>,
    /// The bytes themselves, in hex, with or without blanks.
    #[serde(default)]
    pub hex: Option<String>,
    /// How many bytes, for `random` and `nuls`: 8 unless given.
    #[serde(default)]
    pub bytes: Option<usize>,
    /// Where it is put.
    #[serde(default)]
    pub position: Position,
}

/// What garbage is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GarbageKind {
    /// Bytes that are drawn.
    Random,
    /// NULs.
    Nuls,
    /// `02 ff`: the start of a frame that never comes.
    FalseStart,
}

/// Where garbage is put.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Position {
    /// Before the frame.
    #[default]
    Before,
    /// Behind the frame.
    After,
}

/// The fault `half-close`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HalfClose {
    /// The direction that it harms.
    #[serde(default)]
    pub direction: FaultDirection,
    /// What sets it off.
    #[serde(default)]
    pub when: When,
    /// How many bytes of what set it off still come: all unless given.
    #[serde(default)]
    pub keep: Option<usize>,
}

/// The fault `jitter`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Jitter {
    /// The direction that it harms.
    #[serde(default)]
    pub direction: FaultDirection,
    /// What sets it off.
    #[serde(default)]
    pub when: When,
    /// The longest delay.
    pub up_to: Duration,
}

/// The fault `merge`: `frames`, `within` or both.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Merge {
    /// The direction that it harms.
    #[serde(default)]
    pub direction: FaultDirection,
    /// What sets it off.
    #[serde(default)]
    pub when: When,
    /// How many frames are held until they come together.
    #[serde(default)]
    pub frames: Option<usize>,
    /// How long the first of them waits at most.
    #[serde(default)]
    pub within: Option<Duration>,
}

/// The fault `reorder`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reorder {
    /// The direction that it harms.
    #[serde(default)]
    pub direction: FaultDirection,
    /// What sets it off.
    #[serde(default)]
    pub when: When,
    /// Behind how many frames it comes.
    #[serde(default = "one")]
    pub behind: usize,
    /// How long it waits at most: for ever unless given.
    #[serde(default)]
    pub within: Option<Duration>,
}

/// The fault `reset`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reset {
    /// The direction that it harms.
    #[serde(default)]
    pub direction: FaultDirection,
    /// What sets it off.
    #[serde(default)]
    pub when: When,
    /// How many bytes of what set it off still come; a real network may lose those too.
    #[serde(default)]
    pub keep: usize,
}

/// The fault `slow-close`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlowClose {
    /// The direction that it harms.
    #[serde(default)]
    pub direction: FaultDirection,
    /// What sets it off.
    #[serde(default)]
    pub when: When,
    /// How much later the end comes.
    pub by: Duration,
}

/// The fault `split`: one of `at`, `every_byte` and `pieces`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// The direction that it harms.
    #[serde(default)]
    pub direction: FaultDirection,
    /// What sets it off.
    #[serde(default)]
    pub when: When,
    /// Offsets in the frame before which it is cut, from 1.
    #[serde(default)]
    pub at: Option<Vec<usize>>,
    /// Whether each byte comes alone.
    #[serde(default)]
    pub every_byte: bool,
    /// Into how many pieces, cut at places that are drawn.
    #[serde(default)]
    pub pieces: Option<usize>,
    /// The time from one piece to the next.
    #[serde(default = "gap")]
    pub gap: Duration,
}

/// The fault `stall`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stall {
    /// The direction that it harms.
    #[serde(default)]
    pub direction: FaultDirection,
    /// What sets it off.
    #[serde(default)]
    pub when: When,
    /// For how long nothing comes: for ever unless given.
    #[serde(default, rename = "for")]
    pub lasts: Option<Duration>,
}

/// The fault `truncate`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Truncate {
    /// The direction that it harms.
    #[serde(default)]
    pub direction: FaultDirection,
    /// What sets it off.
    #[serde(default)]
    pub when: When,
    /// How many bytes arrive, the frame's header counted.
    pub keep: usize,
}

fn one() -> usize {
    1
}

/// Pieces without a gap would be one read again.
fn gap() -> Duration {
    Duration(1_000_000)
}
