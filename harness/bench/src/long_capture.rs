//! Captures of any length: the recorded session over and over, each time later and on another port.

use std::{
    error::Error,
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use veschub_transcript::read::pcap::Records;

const SESSION: &[u8] = include_bytes!("../../../captures/vesctool-session-rebuilt.pcapng");
const SESSION_NS: u64 = 60_000_000_000;

/// Writes a pcap file of about this many bytes.
///
/// # Errors
/// If it cannot be written.
pub fn make(path: &Path, bytes: u64) -> Result<(), Box<dyn Error>> {
    let records: Vec<_> = Records::new(SESSION)?.collect::<Result<_, _>>()?;
    let mut out = BufWriter::new(File::create(path)?);
    // The head of a file whose times have nanoseconds.
    for number in [0xA1B2_3C4D_u32, 0x0004_0002, 0, 0, 0x4_0000, 1] {
        out.write_all(&number.to_le_bytes())?;
    }
    let mut written = 24;
    let mut round = 0;
    while written < bytes {
        for record in &records {
            let at = record.at_ns + round * SESSION_NS;
            let len = record.data.len() as u32;
            let (s, ns) = (at / 1_000_000_000, at % 1_000_000_000);
            for number in [s as u32, ns as u32, len, record.original_len] {
                out.write_all(&number.to_le_bytes())?;
            }
            let mut data = record.data.clone();
            // The tool's port, behind 14 bytes of Ethernet and 20 of IP; checksums are not looked at.
            let port = (30_000 + round % 30_000) as u16;
            let to_tool = data.get(34..36) == Some(&65_101u16.to_be_bytes());
            let place = if to_tool { 36 } else { 34 };
            data[place..place + 2].copy_from_slice(&port.to_be_bytes());
            out.write_all(&data)?;
            written += 16 + data.len() as u64;
        }
        round += 1;
    }
    Ok(out.flush()?)
}
