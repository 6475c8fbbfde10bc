//! The file around the packets: what it says besides them, and how it is written again.
//!
//! A pcap stays a pcap with its byte order and resolution. A pcapng stays one with its byte order; it gets one
//! section, one interface for each kind of link, and times in nanoseconds. All else is left out.

use std::collections::BTreeMap;

use crate::report::{Counted, counted};
use veschub_transcript::read::link::LinkType;
use veschub_transcript::read::pcap::Record;

const SECTION: u32 = 0x0A0D_0D0A;
const BYTE_ORDER: u32 = 0x1A2B_3C4D;

/// What is kept of the file's form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Pcap {
        big: bool,
        nanoseconds: bool,
        snap_len: u32,
    },
    PcapNg {
        big: bool,
    },
}

impl Form {
    pub(crate) fn of(file: &[u8]) -> Option<Self> {
        let big = match read(file, 0, false)? {
            SECTION => {
                let big = read(file, 8, false)? != BYTE_ORDER;
                return Some(Self::PcapNg { big });
            }
            0xA1B2_C3D4 | 0xA1B2_3C4D | 0xA1B2_CD34 => false,
            0xD4C3_B2A1 | 0x4D3C_B2A1 => true,
            _ => return None,
        };
        Some(Self::Pcap {
            big,
            nanoseconds: read(file, 0, big)? == 0xA1B2_3C4D,
            snap_len: read(file, 16, big)?,
        })
    }

    /// The file with these packets; `None` if a time cannot be written in this form.
    pub(crate) fn write(self, records: &[Record]) -> Option<Vec<u8>> {
        match self {
            Self::Pcap {
                big,
                nanoseconds,
                snap_len,
            } => {
                let magic = if nanoseconds {
                    0xA1B2_3C4D
                } else {
                    0xA1B2_C3D4
                };
                let link = records.first().map_or(1, |record| record.link.0);
                let mut out = Out {
                    big,
                    bytes: Vec::new(),
                };
                out.u32(magic).u16(2).u16(4).u32(0).u32(0);
                out.u32(snap_len).u32(u32::from(link));
                for record in records {
                    let unit = if nanoseconds { 1 } else { 1_000 };
                    let seconds = u32::try_from(record.at_ns / 1_000_000_000).ok()?;
                    out.u32(seconds);
                    out.u32((record.at_ns % 1_000_000_000 / unit) as u32);
                    out.u32(record.data.len() as u32).u32(record.original_len);
                    out.bytes.extend_from_slice(&record.data);
                }
                Some(out.bytes)
            }
            Self::PcapNg { big } => Some(write_ng(big, records)),
        }
    }
}

fn write_ng(big: bool, records: &[Record]) -> Vec<u8> {
    let mut file = Out {
        big,
        bytes: Vec::new(),
    };
    let body = || Out {
        big,
        bytes: Vec::new(),
    };
    let mut section = body();
    // The length of the section is not given.
    section
        .u32(BYTE_ORDER)
        .u16(1)
        .u16(0)
        .u32(u32::MAX)
        .u32(u32::MAX);
    file.block(SECTION, &section.bytes);
    let mut links: Vec<LinkType> = Vec::new();
    for record in records {
        if !links.contains(&record.link) {
            links.push(record.link);
            let mut interface = body();
            interface.u16(record.link.0).u16(0).u32(0);
            // The clock counts nanoseconds.
            interface
                .u16(9)
                .u16(1)
                .bytes
                .extend_from_slice(&[9, 0, 0, 0]);
            interface.u32(0);
            file.block(1, &interface.bytes);
        }
    }
    for record in records {
        let link = links.iter().position(|link| *link == record.link);
        let mut packet = body();
        packet.u32(link.unwrap_or(0) as u32);
        packet
            .u32((record.at_ns >> 32) as u32)
            .u32(record.at_ns as u32);
        packet
            .u32(record.data.len() as u32)
            .u32(record.original_len);
        packet.bytes.extend_from_slice(&record.data);
        file.block(6, &packet.bytes);
    }
    file.bytes
}

struct Out {
    big: bool,
    bytes: Vec<u8>,
}

impl Out {
    fn u16(&mut self, value: u16) -> &mut Self {
        self.bytes.extend_from_slice(&match self.big {
            true => value.to_be_bytes(),
            false => value.to_le_bytes(),
        });
        self
    }

    fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes.extend_from_slice(&match self.big {
            true => value.to_be_bytes(),
            false => value.to_le_bytes(),
        });
        self
    }

    fn block(&mut self, kind: u32, body: &[u8]) {
        let padded = body.len().next_multiple_of(4);
        let total = padded as u32 + 12;
        self.u32(kind).u32(total);
        self.bytes.extend_from_slice(body);
        self.bytes.resize(self.bytes.len() + padded - body.len(), 0);
        self.u32(total);
    }
}

/// Counts what a pcapng file says besides its packets.
pub(crate) fn besides_packets(file: &[u8]) -> Vec<Counted<&'static str>> {
    let mut counts = BTreeMap::new();
    let mut big = false;
    let mut at = 0;
    if read(file, 0, false) != Some(SECTION) {
        return Vec::new();
    }
    while let Some(mut kind) = read(file, at, big) {
        if kind == SECTION {
            big = read(file, at + 8, false) != Some(BYTE_ORDER);
        } else if kind.swap_bytes() == SECTION {
            kind = SECTION;
        }
        let total = read(file, at + 4, big).unwrap_or(0) as usize;
        let Some(block) = file.get(at..at.saturating_add(total)) else {
            break;
        };
        if total < 12 {
            break;
        }
        let body = &block[8..total - 4];
        let options = match kind {
            SECTION => 16,
            1 => 8,
            6 => 20 + (read(body, 12, big).unwrap_or(0) as usize).next_multiple_of(4),
            3 => body.len(),
            other => {
                let what = match other {
                    4 => "name resolution block",
                    5 => "interface statistics block",
                    10 => "decryption secrets block",
                    _ => "block of another kind",
                };
                *counts.entry(what).or_default() += 1;
                body.len()
            }
        };
        count_options(
            kind,
            body.get(options..).unwrap_or_default(),
            big,
            &mut counts,
        );
        at += total;
    }
    counted(counts)
}

fn count_options(
    kind: u32,
    mut options: &[u8],
    big: bool,
    counts: &mut BTreeMap<&'static str, u64>,
) {
    while let Some(head) = read(options, 0, big) {
        let (code, len) = match big {
            true => (head >> 16, head & 0xFFFF),
            false => (head & 0xFFFF, head >> 16),
        };
        let what = match (kind, code) {
            (_, 0) => return,
            (_, 1) => Some("comment"),
            (SECTION, 2) | (1, 15) => Some("name of the hardware"),
            (SECTION, 3) | (1, 12) => Some("name of the operating system"),
            (SECTION, 4) => Some("name of the application"),
            (1, 2 | 3) => Some("name of an interface"),
            (1, 4..=7) => Some("address of an interface"),
            (1, 11) => Some("capture filter"),
            (_, 2988 | 2989 | 19372 | 19373) => Some("option of somebody's own"),
            // How the clock counts and what flags a packet has: they name no person.
            _ => None,
        };
        if let Some(what) = what {
            *counts.entry(what).or_default() += 1;
        }
        let next = 4 + (len as usize).next_multiple_of(4);
        options = options.get(next..).unwrap_or_default();
    }
}

fn read(bytes: &[u8], at: usize, big: bool) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk().copied()?;
    Some(match big {
        true => u32::from_be_bytes(bytes),
        false => u32::from_le_bytes(bytes),
    })
}
