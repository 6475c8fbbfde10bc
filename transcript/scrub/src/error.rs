//! Why a capture cannot be scrubbed.

use thiserror::Error;
use veschub_transcript::CaptureError;

/// The largest file that is scrubbed, in bytes; it is held in memory.
pub const MAX_FILE: u64 = 1 << 30;

/// Why a capture was not scrubbed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ScrubError {
    /// It could not be read.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// It is neither a plain pcap nor a plain pcapng.
    #[error("only a plain pcap or pcapng can be scrubbed: unpack it first")]
    Packed,
    /// It is more than is held in memory.
    #[error("more than {MAX_FILE} bytes: cut it into pieces first, for example with `editcap -c`")]
    TooLarge,
    /// Nothing would be left.
    #[error("none of its {packets} packets belongs to a VESC session: nothing would be left")]
    NothingOfOurs {
        /// How many packets there are.
        packets: usize,
    },
    /// There are more addresses than placeholders.
    #[error("it has more addresses than there are placeholders of their lengths")]
    TooManyAddresses,
    /// A packet is so much later than the first that its time cannot be written.
    #[error("its packets are more than 80 years apart: correct the times first, with `editcap -t`")]
    Times,
    /// What was written does not read as what was there.
    #[error("{0}: nothing was written; this is a mistake of the program, please report it")]
    Lost(&'static str),
}
