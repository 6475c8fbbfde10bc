//! A capture without what names people: secrets replaced by placeholders of the same length.
//!
//! ```text
//!  file -> records -> streams (flow) -> spans (secret) -> placeholders (words)
//!                         |                                   |
//!                         +--- packets, edited in place <-----+--> report
//! ```
//!
//! The same secret gets the same placeholder throughout, in both directions and wherever its text stands, so that a
//! replay finds the same requests. Lengths, the order of packets and the distances of their times stay: packets are
//! edited in place, because their sequence numbers, sizes and offsets speak of each other. So a placeholder tells how
//! long a secret was, but for one in the compressed XML of a config. CRCs and checksums are made right. Scrubbing a
//! scrubbed file changes nothing.
//!
//! A text is found in any case, split over several frames, and as hex, as base64 or as a list of numbers; an IPv6
//! address in any notation. What stands in the compressed XML of a config is found there.
//!
//! In doubt, bytes are removed. Packets of anything but VESC sessions and discovery are left out, and so is everything
//! that a pcapng says around its packets. Bytes outside of frames, payloads of unknown commands, and XML that was not
//! recorded as a whole become zeros. Packet numbers, flow labels and the TCP clock of the hosts are removed. If a
//! connection has no login and its opening was not recorded, these zeros may change the guess which end is the tool. If
//! two packets disagree about the same bytes of a stream, both get the bytes that the reader took.
//!
//! Some secrets are not found: one that stands only in free text (TERMINAL_CMD, PRINT) and in no field of the same
//! capture, and one of fewer than [`MIN_SEARCHED`] bytes outside of its own field. Ports, TCP sequence numbers, device
//! and firmware names, CAN ids and measured values are kept, because a capture is of no use without them.

mod address;
mod base64;
mod error;
mod file;
mod flow;
mod forms;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod numbers;
mod packet;
mod pattern;
mod report;
mod settle;
mod texts;
mod words;
mod work;
mod xml;
mod zlib;

pub use self::error::{MAX_FILE, ScrubError};
pub use self::report::{Counted, Dropped, Replaced, ScrubReport};
pub use self::settle::{audit, scrub};
pub use self::words::{MIN_SEARCHED, is_placeholder};
pub use self::work::{Keep, START_NS, Scrubbed};
pub use veschub_transcript::secret::{Location, Secret, Unparsed};
