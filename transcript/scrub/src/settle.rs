//! A file is scrubbed until nothing changes any more.

use std::io::Read;

use crate::error::ScrubError;
use crate::report::ScrubReport;
use crate::work::{Keep, Scrubbed, Work};

/// So often a file is scrubbed again until nothing changes; it never takes more than a few times.
const MAX_PASSES: usize = 8;

/// Scrubs a pcap or pcapng file.
///
/// A file that is readable only up to some place is scrubbed up to there; [`ScrubReport::truncated`] says where.
///
/// What was written is scrubbed again until that changes nothing: without its noise, a stream may read differently.
///
/// # Errors
/// When it cannot be read, holds nothing of ours, or cannot be scrubbed without a doubt.
pub fn scrub(input: impl Read, keep: Keep) -> Result<Scrubbed, ScrubError> {
    let mut work = Work::read(input, keep)?;
    let packets = work.records.len();
    let mut scrubbed = work.run()?;
    drop(work);
    for _ in 0..MAX_PASSES {
        if scrubbed.report.packets == 0 {
            return Err(ScrubError::NothingOfOurs { packets });
        }
        let again = Work::read(scrubbed.file.as_slice(), keep)?.run()?;
        if again.file == scrubbed.file {
            return Ok(scrubbed);
        }
        scrubbed.file = again.file;
        scrubbed.report.add(again.report);
    }
    Err(ScrubError::Lost("scrubbing does not come to an end"))
}

/// Says what [`scrub`] would do; a scrubbed file gives a report that [is clean](ScrubReport::is_clean).
///
/// # Errors
/// When the file cannot be read or scrubbed.
pub fn audit(input: impl Read) -> Result<ScrubReport, ScrubError> {
    Ok(Work::read(input, Keep::default())?.run()?.report)
}
