//! A capture without what names people: secrets replaced by placeholders of the same length.
//!
//! ```text
//!  file -> records -> streams (flow) -> spans (secret) -> placeholders (words)
//!                         |                                   |
//!                         +--- packets, edited in place <-----+--> report
//! ```
//!
//! The same secret gets the same placeholder throughout, in both directions and wherever its text stands, so that a
//! replay finds the same requests. Lengths, the order of packets and the distances of their times stay. CRCs and
//! checksums are made right. A placeholder stays as it is, so scrubbing a scrubbed file changes nothing.
//!
//! In doubt, bytes are removed. Packets of anything but VESC sessions and discovery are left out, and so is everything
//! that a pcapng says around its packets. Bytes outside of frames and payloads of unknown commands become zeros. If a
//! connection has no login and its opening was not recorded, these zeros may change the guess which end is the tool. If
//! two packets disagree about the same bytes of a stream, both get the bytes that the reader took.
//!
//! Some secrets are not found: one that stands only in free text (TERMINAL_CMD, PRINT) and in no field of the same
//! capture, and one of fewer than [`MIN_SEARCHED`] bytes outside of its own field. Ports, device and firmware names, CAN
//! ids and measured values are kept, because a capture is of no use without them.

mod error;
mod file;
mod flow;
mod packet;
mod pattern;
mod report;
mod words;
mod work;

use std::io::Read;

pub use self::error::{MAX_FILE, ScrubError};
pub use self::report::{Counted, Dropped, Replaced, ScrubReport};
pub use self::words::{MIN_SEARCHED, is_placeholder};
use self::work::Work;
pub use self::work::{Keep, START_NS, Scrubbed};
pub use veschub_transcript::secret::{Location, Secret, Unparsed};

/// Scrubs a pcap or pcapng file.
///
/// A file that is readable only up to some place is scrubbed up to there; [`ScrubReport::truncated`] says where.
///
/// # Errors
/// When it cannot be read, holds nothing of ours, or cannot be scrubbed without a doubt.
pub fn scrub(input: impl Read, keep: Keep) -> Result<Scrubbed, ScrubError> {
    let mut work = Work::read(input, keep)?;
    let packets = work.records.len();
    let scrubbed = work.run()?;
    if scrubbed.report.packets == 0 {
        return Err(ScrubError::NothingOfOurs { packets });
    }
    Ok(scrubbed)
}

/// Says what [`scrub`] would do; a scrubbed file gives a report that [is clean](ScrubReport::is_clean).
///
/// # Errors
/// When the file cannot be read or scrubbed.
pub fn audit(input: impl Read) -> Result<ScrubReport, ScrubError> {
    Ok(Work::read(input, Keep::default())?.run()?.report)
}
