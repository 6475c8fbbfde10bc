//! Packet records of a pcap or pcapng file, or of a candump log, one at a time.
//!
//! Only the headers of packets are read here, of fixed sizes, and the blocks that describe interfaces, with the
//! `pcap-parser` crate; every other block is gone past without being kept, however long it is. A packet is lent
//! where it lies, so that a long file costs no copies. What is in it is for [`super::link`].
//!
//! A file that ends within a block, or goes bad in the middle, still gives all records before that
//! place; [`Records::truncated`] then says where it ends. A file compressed with gzip is unpacked on the way.

use std::io::Read;

use pcap_parser::{
    InterfaceDescriptionBlock, OptionCode,
    pcapng::{parse_interfacedescriptionblock_be, parse_interfacedescriptionblock_le},
};

use super::candump::Lines;
use super::input::{Input, u32_at};
use super::link::LinkType;
use crate::error::{CaptureError, FirstBytes, Truncated};

/// The largest block or packet that is read, in bytes; blocks that are not needed may be larger.
pub(crate) const MAX_BLOCK: usize = 4 << 20;
/// Interfaces of one pcapng section beyond this number are not believed.
const MAX_INTERFACES: usize = 65_536;

const LEGACY_HEADER: usize = 24;
const SECTION: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
/// What came before the enhanced packet block.
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
const BYTE_ORDER: u32 = 0x1A2B_3C4D;
/// Type and length before a block's body, the length again behind it.
const BLOCK_HEAD: usize = 8;
const BLOCK_FRAME: usize = 12;

/// One captured packet, kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number in the file, counted from 1 as other tools do.
    pub number: u64,
    /// When it was seen, in nanoseconds since the epoch.
    pub at_ns: u64,
    /// What its first bytes are.
    pub link: LinkType,
    /// The bytes that were kept.
    pub data: Vec<u8>,
    /// How many bytes the packet had before a snap length cut it.
    pub original_len: u32,
}

/// One captured packet, lent until the next one is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordRef<'a> {
    /// Its number in the file, counted from 1 as other tools do.
    pub number: u64,
    /// When it was seen, in nanoseconds since the epoch; where the file does not tell, the time of the packet before.
    pub at_ns: u64,
    /// Whether the file tells the time; simple packet blocks do not.
    pub timed: bool,
    /// What its first bytes are.
    pub link: LinkType,
    /// The bytes that were kept.
    pub data: &'a [u8],
    /// How many bytes the packet had before a snap length cut it.
    pub original_len: u32,
}

impl RecordRef<'_> {
    /// A copy to keep.
    #[must_use]
    pub fn to_record(&self) -> Record {
        Record {
            number: self.number,
            at_ns: self.at_ns,
            link: self.link,
            data: self.data.to_vec(),
            original_len: self.original_len,
        }
    }
}

/// Reads the records of a capture file in order.
#[derive(Debug)]
pub struct Records<R> {
    input: Input<R>,
    format: Format,
    /// Records read so far.
    count: u64,
    /// The time of the last record that had one.
    last_ns: u64,
    /// Bytes at the front of the input that the last record still lends.
    lent: usize,
    truncated: Option<Truncated>,
    done: bool,
}

#[derive(Debug)]
enum Format {
    Legacy(Legacy),
    Ng(Section),
    /// Lines of text.
    Candump(Lines),
}

#[derive(Clone, Copy, Debug)]
struct Legacy {
    big_endian: bool,
    /// How many nanoseconds the smaller part of a time counts.
    unit_ns: u64,
    /// Sixteen bytes, or more in a variant that some old systems wrote.
    packet_header: usize,
    link: LinkType,
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

/// A packet at the front of the input.
#[derive(Clone, Copy, Debug)]
struct Found {
    /// `None` where the file does not tell.
    at_ns: Option<u64>,
    link: LinkType,
    /// Where its bytes begin.
    at: usize,
    kept: usize,
    original_len: u32,
    /// How many bytes to go on by.
    total: usize,
}

/// What one block came to.
enum Step {
    Found(Found),
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
        let have = input.fill(FirstBytes::SHOWN)?;
        if have == 0 {
            return Err(match input.damage() {
                Some(cause) => CaptureError::Gzip { cause },
                None => CaptureError::Empty,
            });
        }
        let format = match Legacy::by_magic(input.u32_at(0, false)) {
            Some(legacy) => Format::Legacy(legacy),
            None if input.u32_at(0, false) == Some(SECTION) => Format::Ng(Section::default()),
            None if Lines::are_here(&mut input)? => Format::Candump(Lines::default()),
            None => {
                return Err(CaptureError::NotACapture {
                    first: FirstBytes::of(input.bytes()),
                });
            }
        };
        let mut records = Self {
            input,
            format,
            count: 0,
            last_ns: 0,
            lent: 0,
            truncated: None,
            done: false,
        };
        records.legacy_header()?;
        Ok(records)
    }

    /// Where the file ended too early, known once the last record was given.
    #[must_use]
    pub fn truncated(&self) -> Option<&Truncated> {
        self.truncated.as_ref()
    }

    /// Of a candump log: how many lines are none of candump's, and the number of the first of them.
    #[must_use]
    pub fn odd_lines(&self) -> Option<(u64, u64)> {
        match &self.format {
            Format::Candump(lines) => lines.odd(),
            _ => None,
        }
    }

    /// Records given so far.
    #[must_use]
    pub fn given(&self) -> u64 {
        self.count
    }

    /// The next record, `None` at the end of the file.
    ///
    /// # Errors
    /// When the file cannot be read on, or contradicts itself; there are no more records then.
    pub fn next_record(&mut self) -> Result<Option<RecordRef<'_>>, CaptureError> {
        self.input.consume(std::mem::take(&mut self.lent));
        while !self.done {
            match self.step() {
                Ok(Step::Found(found)) => {
                    self.count += 1;
                    self.lent = found.total;
                    self.last_ns = found.at_ns.unwrap_or(self.last_ns);
                    let data = match &self.format {
                        Format::Candump(lines) => lines.frame(),
                        _ => &self.input.bytes()[found.at..found.at + found.kept],
                    };
                    return Ok(Some(RecordRef {
                        number: self.count,
                        at_ns: self.last_ns,
                        timed: found.at_ns.is_some(),
                        link: found.link,
                        data,
                        original_len: found.original_len,
                    }));
                }
                Ok(Step::Nothing) => {}
                Ok(Step::End) => self.done = true,
                Err(error) => {
                    self.done = true;
                    return Err(error);
                }
            }
        }
        Ok(None)
    }

    fn legacy_header(&mut self) -> Result<(), CaptureError> {
        let Format::Legacy(legacy) = &mut self.format else {
            return Ok(());
        };
        if self.input.fill(LEGACY_HEADER)? < LEGACY_HEADER {
            self.cut("it ends within the file header");
            return Ok(());
        }
        // The upper half of the field tells about checksums, not about the link.
        let network = self.input.u32_at(20, legacy.big_endian).unwrap_or(0);
        legacy.link = LinkType((network & 0xFFFF) as u16);
        self.input.consume(LEGACY_HEADER);
        Ok(())
    }

    fn step(&mut self) -> Result<Step, CaptureError> {
        if self.input.fill(1)? == 0 {
            if self.input.damage().is_some() {
                self.cut("");
            }
            return Ok(Step::End);
        }
        match &mut self.format {
            Format::Legacy(legacy) => {
                let legacy = *legacy;
                self.legacy_step(legacy)
            }
            Format::Ng(_) => self.ng_step(),
            Format::Candump(lines) => Ok(match lines.next(&mut self.input)? {
                Some(at_ns) => Step::Found(Found {
                    at_ns,
                    link: LinkType::CAN_SOCKETCAN,
                    at: 0,
                    kept: 0,
                    original_len: lines.frame().len() as u32,
                    total: 0,
                }),
                None => Step::End,
            }),
        }
    }

    fn legacy_step(&mut self, legacy: Legacy) -> Result<Step, CaptureError> {
        let head = legacy.packet_header;
        if self.input.fill(head)? < head {
            return Ok(self.cut("it ends within a packet header"));
        }
        let number = |at| self.input.u32_at(at, legacy.big_endian).unwrap_or(0);
        let (seconds, rest, kept, original_len) = (number(0), number(4), number(8), number(12));
        let total = self.within_limit(head.saturating_add(kept as usize), "a packet")?;
        if self.input.fill(total)? < total {
            return Ok(self.cut("it ends within a packet"));
        }
        Ok(Step::Found(Found {
            at_ns: Some(u64::from(seconds) * SECOND_NS + u64::from(rest) * legacy.unit_ns),
            link: legacy.link,
            at: head,
            kept: kept as usize,
            original_len,
            total,
        }))
    }

    fn ng_step(&mut self) -> Result<Step, CaptureError> {
        if self.input.fill(BLOCK_FRAME)? < BLOCK_FRAME {
            return Ok(self.cut("it ends within a block header"));
        }
        // The same in both byte orders.
        if self.input.u32_at(0, false) == Some(SECTION) {
            let big_endian = match self.input.u32_at(8, false) {
                Some(BYTE_ORDER) => false,
                Some(mark) if mark.swap_bytes() == BYTE_ORDER => true,
                _ => return Err(self.unreadable("a section header without a byte-order mark")),
            };
            self.format = Format::Ng(Section {
                big_endian,
                interfaces: Vec::new(),
            });
        }
        let Format::Ng(section) = &self.format else {
            return Ok(Step::End);
        };
        let big = section.big_endian;
        let kind = self.input.u32_at(0, big).unwrap_or(0);
        let len = self.input.u32_at(4, big).unwrap_or(0) as usize;
        if len < BLOCK_FRAME || !len.is_multiple_of(4) {
            return Err(self.unreadable("its length must be a multiple of 4, 12 or more"));
        }
        if !matches!(
            kind,
            INTERFACE | OBSOLETE_PACKET | SIMPLE_PACKET | ENHANCED_PACKET
        ) {
            return Ok(match self.input.skip(len as u64)? {
                true => Step::Nothing,
                false => self.cut("it ends within a block"),
            });
        }
        let total = self.within_limit(len, "a block")?;
        if self.input.fill(total)? < total {
            return Ok(self.cut("it ends within a block"));
        }
        if self.input.u32_at(total - 4, big) != Some(total as u32) {
            return Err(self.unreadable("its two lengths differ"));
        }
        if kind == INTERFACE {
            self.interface(total, big)?;
            self.input.consume(total);
            return Ok(Step::Nothing);
        }
        let block = &self.input.bytes()[..total];
        match section.packet(kind, block) {
            Ok(found) => Ok(Step::Found(found)),
            Err(cause) => Err(self.unreadable(cause)),
        }
    }

    fn interface(&mut self, total: usize, big: bool) -> Result<(), CaptureError> {
        let parse = match big {
            true => parse_interfacedescriptionblock_be,
            false => parse_interfacedescriptionblock_le,
        };
        let Format::Ng(section) = &mut self.format else {
            return Ok(());
        };
        let cause = match parse(&self.input.bytes()[..total]) {
            Ok(_) if section.interfaces.len() >= MAX_INTERFACES => {
                "the section describes more interfaces than there can be"
            }
            Ok((_, block)) => {
                section.interfaces.push(Interface::of(&block, big));
                return Ok(());
            }
            Err(_) => "it describes an interface and makes no sense",
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

    fn cut(&mut self, cause: &'static str) -> Step {
        let cause = self.input.damage().unwrap_or(cause);
        self.truncated = Some(Truncated {
            offset: self.input.offset() + self.input.bytes().len() as u64,
            after_record: self.count,
            cause: cause.to_owned(),
            unpacked: self.input.is_compressed(),
        });
        self.done = true;
        Step::End
    }
}

impl<R: Read> Iterator for Records<R> {
    type Item = Result<Record, CaptureError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.next_record() {
            Ok(record) => record.map(|record| Ok(record.to_record())),
            Err(error) => Some(Err(error)),
        }
    }
}

const SECOND_NS: u64 = 1_000_000_000;

impl Legacy {
    /// What the first four bytes, read as little endian, say about a classic pcap file.
    fn by_magic(magic: Option<u32>) -> Option<Self> {
        let magic = magic?;
        let known = |magic| match magic {
            0xA1B2_C3D4 => Some((1_000, 16)),
            0xA1B2_3C4D => Some((1, 16)),
            0xA1B2_CD34 => Some((1_000, 24)),
            _ => None,
        };
        let (big_endian, (unit_ns, packet_header)) = match known(magic) {
            Some(found) => (false, found),
            None => (true, known(magic.swap_bytes())?),
        };
        Some(Self {
            big_endian,
            unit_ns,
            packet_header,
            link: LinkType(0),
        })
    }
}

impl Section {
    /// The packet in a block of one of the three kinds that hold one.
    fn packet(&self, kind: u32, block: &[u8]) -> Result<Found, &'static str> {
        const SHORT: &str = "it is too short for a packet";
        const UNKNOWN: &str = "its interface was not described";
        let number = |at| u32_at(block, at, self.big_endian).ok_or(SHORT);
        let total = block.len();
        let room = |at: usize| (total - 4).checked_sub(at).ok_or(SHORT);
        if kind == SIMPLE_PACKET {
            let interface = self.interfaces.first().ok_or(UNKNOWN)?;
            let original_len = number(BLOCK_HEAD)?;
            let mut kept = (original_len as usize).min(room(12)?);
            if interface.snap_len > 0 {
                kept = kept.min(interface.snap_len as usize);
            }
            return Ok(Found {
                at_ns: None,
                link: interface.link,
                at: 12,
                kept,
                original_len,
                total,
            });
        }
        let mut index = number(BLOCK_HEAD)?;
        if kind == OBSOLETE_PACKET {
            // Two numbers of 16 bits: the interface, and how many packets were dropped before this one.
            index = match self.big_endian {
                true => index >> 16,
                false => index & 0xFFFF,
            };
        }
        let interface = self.interfaces.get(index as usize).ok_or(UNKNOWN)?;
        let ticks = u64::from(number(12)?) << 32 | u64::from(number(16)?);
        let (kept, original_len) = (number(20)? as usize, number(24)?);
        if kept > room(28)? {
            return Err("its packet is longer than the block");
        }
        Ok(Found {
            at_ns: Some(interface.clock.nanoseconds(ticks)),
            link: interface.link,
            at: 28,
            kept,
            original_len,
            total,
        })
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
        const SECOND: u128 = SECOND_NS as u128;
        // What nearly every file has, without a division.
        let unit = match self.resolution {
            6 => Some(1_000),
            9 => Some(1),
            _ => None,
        };
        if let Some(ns) = unit.and_then(|unit| ticks.checked_mul(unit))
            && self.offset_s == 0
        {
            return ns;
        }
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
