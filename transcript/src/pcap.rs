//! Packet records of a pcap or pcapng file, one at a time.
//!
//! The blocks are taken apart by the `pcap-parser` crate; this file feeds it: it reads from any
//! `Read`, keeps one block in memory at a time, knows where in the file it stands and turns every
//! clock resolution into nanoseconds. It does not look into a packet; that is [`crate::link`].
//!
//! A file that ends within a block, or goes bad in the middle, still gives all records before that
//! place; [`Records::truncated`] then says where it ends.

use std::io::Read;

use pcap_parser::{
    Block, InterfaceDescriptionBlock, OptionCode, PcapHeader, parse_block_be, parse_block_le,
    parse_pcap_frame, parse_pcap_frame_be, parse_pcap_frame_modified, parse_pcap_header,
};

use crate::error::{CaptureError, FirstBytes, Truncated};
use crate::input::Input;
use crate::link::LinkType;

/// The largest block or packet that is read, in bytes.
pub const MAX_BLOCK: usize = 16 << 20;
/// Interfaces of one pcapng section beyond this number are not believed.
const MAX_INTERFACES: usize = 65_536;

const LEGACY_HEADER: usize = 24;
const SECTION: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
const BYTE_ORDER: u32 = 0x1A2B_3C4D;

/// One captured packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number in the file, counted from 1 as other tools do.
    pub number: u64,
    /// When it was seen, in nanoseconds since the epoch; 0 where the file does not tell.
    pub at_ns: u64,
    /// What its first bytes are.
    pub link: LinkType,
    /// The bytes that were kept.
    pub data: Vec<u8>,
    /// How many bytes the packet had before a snap length cut it.
    pub original_len: u32,
}

/// Reads the records of a capture file in order.
#[derive(Debug)]
pub struct Records<R> {
    input: Input<R>,
    format: Format,
    /// Records read so far.
    count: u64,
    truncated: Option<Truncated>,
    done: bool,
}

#[derive(Debug)]
enum Format {
    Legacy(Legacy),
    Ng(Section),
}

#[derive(Debug)]
struct Legacy {
    header: PcapHeader,
}

/// What holds until the next section header.
#[derive(Debug, Default)]
struct Section {
    big_endian: bool,
    interfaces: Vec<Interface>,
}

#[derive(Clone, Copy, Debug)]
struct Interface {
    link: LinkType,
    snap_len: u32,
    clock: Clock,
}

/// How a pcapng interface counts time.
#[derive(Clone, Copy, Debug)]
struct Clock {
    /// The raw option: a power of ten, or of two when the top bit is set.
    resolution: u8,
    offset_s: i64,
}

/// What one block came to.
enum Step {
    Record(Record),
    Nothing,
    End,
}

impl<R: Read> Records<R> {
    /// Looks at the first bytes and gets ready to read records.
    ///
    /// # Errors
    /// When the input is empty, cannot be read, or is neither pcap nor pcapng.
    pub fn new(input: R) -> Result<Self, CaptureError> {
        let mut input = Input::new(input);
        let have = input.fill(4)?;
        if have == 0 {
            return Err(CaptureError::Empty);
        }
        let magic = input.u32_at(0, false);
        let format = match magic {
            Some(SECTION) => Format::Ng(Section::default()),
            Some(0xa1b2_c3d4 | 0xa1b2_3c4d | 0xa1b2_cd34 | 0xd4c3_b2a1 | 0x4d3c_b2a1) => {
                Format::Legacy(Legacy {
                    header: PcapHeader::new(),
                })
            }
            _ => {
                input.fill(FirstBytes::SHOWN)?;
                return Err(CaptureError::NotACapture {
                    first: FirstBytes::of(input.bytes()),
                });
            }
        };
        let mut records = Self {
            input,
            format,
            count: 0,
            truncated: None,
            done: false,
        };
        if let Format::Legacy(_) = records.format {
            records.legacy_header()?;
        }
        Ok(records)
    }

    /// Where the file ended too early, known once the last record was given.
    #[must_use]
    pub fn truncated(&self) -> Option<&Truncated> {
        self.truncated.as_ref()
    }

    fn legacy_header(&mut self) -> Result<(), CaptureError> {
        if self.input.fill(LEGACY_HEADER)? < LEGACY_HEADER {
            self.cut("it ends within the file header");
            return Ok(());
        }
        let Ok((_, header)) = parse_pcap_header(self.input.bytes()) else {
            return Err(self.unreadable("it is a file header that makes no sense"));
        };
        self.format = Format::Legacy(Legacy { header });
        self.input.consume(LEGACY_HEADER);
        Ok(())
    }

    fn step(&mut self) -> Result<Step, CaptureError> {
        if self.input.fill(1)? == 0 {
            return Ok(Step::End);
        }
        match self.format {
            Format::Legacy(_) => self.legacy_step(),
            Format::Ng(_) => self.ng_step(),
        }
    }

    fn legacy_step(&mut self) -> Result<Step, CaptureError> {
        let Format::Legacy(Legacy { header }) = &self.format else {
            return Ok(Step::End);
        };
        let header = header.clone();
        let head = if header.is_modified_format() { 24 } else { 16 };
        if self.input.fill(head)? < head {
            return Ok(self.cut("it ends within a packet header"));
        }
        let big = header.is_bigendian();
        let kept = self.input.u32_at(8, big).unwrap_or(0) as usize;
        let total = self.within_limit(head.saturating_add(kept), "a packet")?;
        if self.input.fill(total)? < total {
            return Ok(self.cut("it ends within a packet"));
        }
        let parse = match (header.is_modified_format(), big) {
            (true, _) => parse_pcap_frame_modified,
            (false, true) => parse_pcap_frame_be,
            (false, false) => parse_pcap_frame,
        };
        let record = match parse(&self.input.bytes()[..total]) {
            Ok((_, packet)) => {
                let unit = if header.is_nanosecond_precision() {
                    1
                } else {
                    1_000
                };
                Record {
                    number: self.count + 1,
                    at_ns: u64::from(packet.ts_sec) * 1_000_000_000
                        + u64::from(packet.ts_usec) * unit,
                    // The upper half of the field tells about checksums, not about the link.
                    link: LinkType((header.network.0 & 0xFFFF) as u16),
                    data: packet.data.to_vec(),
                    original_len: packet.origlen,
                }
            }
            Err(_) => return Err(self.unreadable("it makes no sense")),
        };
        self.input.consume(total);
        Ok(Step::Record(record))
    }

    fn ng_step(&mut self) -> Result<Step, CaptureError> {
        if self.input.fill(12)? < 12 {
            return Ok(self.cut("it ends within a block header"));
        }
        let kind_le = self.input.u32_at(0, false);
        let is_section = kind_le == Some(SECTION);
        if is_section {
            match self.input.u32_at(8, false) {
                Some(BYTE_ORDER) => self.format = Format::Ng(Section::default()),
                Some(mark) if mark.swap_bytes() == BYTE_ORDER => {
                    self.format = Format::Ng(Section {
                        big_endian: true,
                        ..Section::default()
                    });
                }
                _ => return Err(self.unreadable("a section header without a byte-order mark")),
            }
        }
        let Format::Ng(section) = &self.format else {
            return Ok(Step::End);
        };
        let big = section.big_endian;
        let kind = self.input.u32_at(0, big).unwrap_or(0);
        let len = self.input.u32_at(4, big).unwrap_or(0) as usize;
        if len < 12 || !len.is_multiple_of(4) {
            return Err(self.unreadable("its length must be a multiple of 4, 12 or more"));
        }
        let total = self.within_limit(len, "a block")?;
        if self.input.fill(total)? < total {
            return Ok(self.cut("it ends within a block"));
        }
        let step = match kind {
            SECTION | INTERFACE | SIMPLE_PACKET | ENHANCED_PACKET => {
                self.known_block(total, big)?
            }
            _ => Step::Nothing,
        };
        self.input.consume(total);
        Ok(step)
    }

    fn known_block(&mut self, total: usize, big: bool) -> Result<Step, CaptureError> {
        let parse = if big { parse_block_be } else { parse_block_le };
        let Format::Ng(section) = &mut self.format else {
            return Ok(Step::End);
        };
        let cause = match parse(&self.input.bytes()[..total]) {
            Ok((_, Block::InterfaceDescription(block))) => {
                if section.interfaces.len() < MAX_INTERFACES {
                    section.interfaces.push(Interface::of(&block, big));
                    return Ok(Step::Nothing);
                }
                "the section describes more interfaces than there can be"
            }
            Ok((_, Block::EnhancedPacket(packet))) => {
                match section.interfaces.get(packet.if_id as usize) {
                    Some(interface) if packet.caplen as usize <= packet.data.len() => {
                        let ticks = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
                        return Ok(Step::Record(Record {
                            number: self.count + 1,
                            at_ns: interface.clock.nanoseconds(ticks),
                            link: interface.link,
                            data: packet.data[..packet.caplen as usize].to_vec(),
                            original_len: packet.origlen,
                        }));
                    }
                    Some(_) => "its packet is longer than the block",
                    None => "its interface was not described",
                }
            }
            Ok((_, Block::SimplePacket(packet))) => match section.interfaces.first() {
                Some(interface) => {
                    let mut kept = packet.origlen as usize;
                    if interface.snap_len > 0 {
                        kept = kept.min(interface.snap_len as usize);
                    }
                    return Ok(Step::Record(Record {
                        number: self.count + 1,
                        at_ns: 0,
                        link: interface.link,
                        data: packet.data[..kept.min(packet.data.len())].to_vec(),
                        original_len: packet.origlen,
                    }));
                }
                None => "its interface was not described",
            },
            Ok(_) => return Ok(Step::Nothing),
            Err(_) => "it makes no sense",
        };
        Err(self.unreadable(cause))
    }

    fn within_limit(&self, wanted: usize, what: &'static str) -> Result<usize, CaptureError> {
        if wanted <= MAX_BLOCK {
            return Ok(wanted);
        }
        Err(CaptureError::TooLarge {
            what,
            offset: self.input.offset(),
            after_record: self.count,
            wanted: wanted as u64,
            limit: MAX_BLOCK as u64,
        })
    }

    fn unreadable(&self, cause: &'static str) -> CaptureError {
        CaptureError::Unreadable {
            offset: self.input.offset(),
            after_record: self.count,
            cause,
        }
    }

    fn cut(&mut self, cause: &str) -> Step {
        self.truncated = Some(Truncated {
            offset: self.input.offset() + self.input.bytes().len() as u64,
            after_record: self.count,
            cause: cause.to_owned(),
        });
        self.done = true;
        Step::End
    }
}

impl<R: Read> Iterator for Records<R> {
    type Item = Result<Record, CaptureError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.done {
            match self.step() {
                Ok(Step::Record(record)) => {
                    self.count += 1;
                    return Some(Ok(record));
                }
                Ok(Step::Nothing) => {}
                Ok(Step::End) => self.done = true,
                Err(error) => {
                    self.done = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

impl Interface {
    fn of(block: &InterfaceDescriptionBlock<'_>, big_endian: bool) -> Self {
        let mut clock = Clock {
            resolution: 6,
            offset_s: 0,
        };
        for option in &block.options {
            match (option.code, option.as_bytes()) {
                (OptionCode::EndOfOpt, _) => break,
                (OptionCode::IfTsresol, Ok(&[resolution])) => clock.resolution = resolution,
                (OptionCode::IfTsoffset, Ok(bytes)) => {
                    if let Ok(bytes) = <[u8; 8]>::try_from(bytes) {
                        clock.offset_s = if big_endian {
                            i64::from_be_bytes(bytes)
                        } else {
                            i64::from_le_bytes(bytes)
                        };
                    }
                }
                _ => {}
            }
        }
        Self {
            link: LinkType(block.linktype.0 as u16),
            snap_len: block.snaplen,
            clock,
        }
    }
}

impl Clock {
    /// Ticks as nanoseconds since the epoch; what does not fit is cut off at the ends of the scale.
    fn nanoseconds(self, ticks: u64) -> u64 {
        const SECOND: u128 = 1_000_000_000;
        let exponent = u32::from(self.resolution & 0x7F);
        let ticks = u128::from(ticks);
        let ns = if self.resolution & 0x80 != 0 {
            // 2^64 ticks of 2^-64 s are one second: finer clocks give no more than that.
            (ticks * SECOND).checked_shr(exponent).unwrap_or(0)
        } else {
            10u128
                .checked_pow(exponent)
                .map_or(0, |per_second| ticks * SECOND / per_second)
        };
        let ns = i128::try_from(ns).unwrap_or(i128::MAX);
        let offset = i128::from(self.offset_s) * SECOND as i128;
        u64::try_from(ns.saturating_add(offset).max(0)).unwrap_or(u64::MAX)
    }
}
