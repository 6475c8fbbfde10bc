//! Reading: from a capture file to entries, each handed on as soon as it is certain.
//!
//! ```text
//!  file -> unpack -> pcap -> link -> segment -> tcp -> roles -> Listener -> queue -> EntrySink
//!          gzip      records  IP     TCP, UDP  streams  who     login, frames, noise
//!                    candump  CAN -> Assembler --------------------------/
//! ```
//!
//! The first login or frame of a connection shows who is the tool and who is the device. Until then the bytes of the
//! connection are kept. A connection with many bytes and none of our protocol is left out. Memory does not grow with
//! the file: everything that waits, waits within a limit.

mod candump;
mod capture;
mod conversation;
mod input;
pub mod link;
pub mod pcap;
mod queue;
pub mod roles;
pub mod segment;
mod stamp;
mod summary;
pub mod tcp;
mod unpack;

use std::io::{self, Read};

use thiserror::Error;

use self::capture::{Capture, notice};
use self::pcap::Records;
pub use self::stamp::Stamp;
pub use self::summary::Summary;
use crate::entry::{Direction, Entry};
use crate::error::CaptureError;
use crate::listen::Listener;
use crate::transcript::{EntrySink, Options, Transcript};

/// How much of a bare stream is read at a time.
const PIECE: usize = 64 << 10;

/// Why reading ended before the end of the input.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The capture could not be read.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// The sink could not take another entry.
    #[error("cannot write on: {0}")]
    Sink(#[from] io::Error),
}

/// Reads a pcap or pcapng file or a candump log, compressed with gzip or not, and hands its entries on.
///
/// A file that is readable only up to some place is read up to there; the last entry is then a notice, and
/// [`Summary::truncated`] is set.
///
/// # Errors
/// When nothing at all can be read, when the system cannot read on, or when the sink refuses an entry.
pub fn read_capture(
    input: impl Read,
    options: &Options,
    sink: &mut impl EntrySink,
) -> Result<Summary, ReadError> {
    let mut capture = Capture::new(*options, sink);
    let mut records = Records::new(input)?;
    let mut truncated = None;
    loop {
        match records.next_record() {
            Ok(Some(record)) => capture.record(&record)?,
            Ok(None) => break,
            Err(error) => {
                truncated = error.truncated();
                if truncated.is_none() {
                    return Err(error.into());
                }
            }
        }
    }
    let summary = Summary {
        truncated: truncated.or_else(|| records.truncated().cloned()),
        records: records.given(),
        ..capture.finish()?
    };
    if let Some((count, first)) = records.odd_lines() {
        let lines = if count == 1 { "line" } else { "lines" };
        sink.entry(notice(format!(
            "{count} {lines} left out that candump does not write (first: line {first})"
        )))?;
    }
    if let Some(truncated) = &summary.truncated {
        sink.entry(notice(truncated.to_string()))?;
    }
    Ok(summary)
}

/// Reads a bare stream of bytes that went one way, payloads of up to `max_payload` bytes.
///
/// A login line is looked for only in what goes to a device. Returns how many bytes there were.
///
/// # Errors
/// When the system cannot read on, or the sink refuses an entry.
pub fn read_raw(
    mut input: impl Read,
    direction: Direction,
    max_payload: usize,
    sink: &mut impl EntrySink,
) -> Result<u64, ReadError> {
    let mut listener = match direction {
        Direction::ToDevice => Listener::with_login(max_payload),
        Direction::ToTool => Listener::new(max_payload),
    };
    let mut heard = Vec::new();
    let mut piece = vec![0; PIECE];
    loop {
        let len = match input.read(&mut piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read.map_err(|source| CaptureError::Io {
                offset: listener.len(),
                source,
            })?,
        };
        match len {
            0 => listener.finish(&mut heard),
            _ => listener.bytes((), &piece[..len], &mut heard),
        }
        for heard in heard.drain(..) {
            sink.entry(Entry {
                at_ns: None,
                connection: 1,
                direction: Some(direction),
                offset: heard.offset,
                kind: heard.kind,
            })?;
        }
        if len == 0 {
            return Ok(listener.len());
        }
    }
}

impl Transcript {
    /// Reads a bare stream of bytes that went one way, payloads of up to `max_payload` bytes.
    ///
    /// A login line is looked for only in what goes to a device.
    #[must_use]
    pub fn from_raw(bytes: &[u8], direction: Direction, max_payload: usize) -> Self {
        let mut transcript = Self::new();
        // Neither memory that is read nor memory that is written to can fail.
        let _ = read_raw(bytes, direction, max_payload, &mut transcript);
        transcript
    }

    /// Reads a pcap or pcapng file, compressed with gzip or not, and keeps all of what was said.
    ///
    /// A file that is readable only up to some place gives what was readable, a notice at the end
    /// and [`Transcript::truncated`].
    ///
    /// # Errors
    /// When nothing at all can be read.
    pub fn from_capture(input: impl Read, options: &Options) -> Result<Self, CaptureError> {
        let mut transcript = Self::new();
        match read_capture(input, options, &mut transcript) {
            Ok(summary) => {
                transcript.start_ns = summary.start_ns;
                transcript.truncated = summary.truncated;
                transcript.connections.sort_by_key(|found| found.number);
                Ok(transcript)
            }
            Err(ReadError::Capture(error)) => Err(error),
            // Memory takes all.
            Err(ReadError::Sink(source)) => Err(CaptureError::Io { offset: 0, source }),
        }
    }
}
