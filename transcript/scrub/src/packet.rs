//! One packet: where its parts lie, its addresses and its checksums.
//!
//! Everything happens in place: no part changes its length.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use etherparse::checksum::Sum16BitWords;

use veschub_transcript::secret::{Location, Secret, Unparsed};

use crate::report::{Dropped, Tally};
use crate::words::{Words, is_ip_placeholder, is_mac_placeholder};
use veschub_transcript::read::link::{self, Inner, LinkType};
use veschub_transcript::read::pcap::Record;
use veschub_transcript::read::segment::{self, Packet};

const TCP: u8 = 6;
const UDP: u8 = 17;
const NO_OPERATION: u8 = 1;
/// Two numbers that a clock of the host counts: they say how long it has run, and which packets are of one host.
const TIMESTAMPS: u8 = 8;

/// Where the parts of a packet lie in its record.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    link: LinkType,
    ip: usize,
    transport: usize,
    pub(crate) protocol: Protocol,
    pub(crate) payload: Range<usize>,
    /// Bytes are missing at the end.
    cut: bool,
}

/// An address in a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Address {
    Mac([u8; 6]),
    Ip(IpAddr),
}

impl Address {
    /// If it is a placeholder, keeps it from being given to something else.
    pub(crate) fn keep_placeholder(self, words: &mut Words) {
        match self {
            Self::Mac(mac) if is_mac_placeholder(mac) => words.keep(Secret::Mac, &mac),
            Self::Ip(ip) if is_ip_placeholder(ip) => {
                words.keep(Secret::Ip, ip.to_string().as_bytes());
            }
            _ => {}
        }
    }

    /// Gives it a placeholder, so that its text is known too.
    pub(crate) fn learn(self, words: &mut Words) {
        match self {
            Self::Mac(mac) => drop(words.mac(mac)),
            Self::Ip(ip) => drop(words.ip(ip)),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Tcp,
    Udp,
}

/// What a card's address may be in a link header: where it starts.
fn mac_places(link: LinkType, data: &[u8]) -> &'static [usize] {
    match link {
        LinkType::ETHERNET => &[0, 6],
        LinkType::LINUX_SLL if data.get(4..6) == Some(&[0, 6]) => &[6],
        LinkType::LINUX_SLL2 if data.get(11) == Some(&6) => &[12],
        _ => &[],
    }
}

/// The bytes of a link header that hold an address, and what stands behind it.
fn address_field(link: LinkType) -> Option<Range<usize>> {
    match link {
        LinkType::LINUX_SLL => Some(6..14),
        LinkType::LINUX_SLL2 => Some(12..20),
        _ => None,
    }
}

impl Layout {
    pub(crate) fn of(record: &Record) -> Result<Self, Dropped> {
        let data = &record.data;
        let packet = match link::strip(record.link, data) {
            Inner::Ip(packet) => packet,
            Inner::Short => return Err(Dropped::Cut),
            Inner::Other | Inner::Can(_) => return Err(Dropped::OtherProtocols),
            Inner::Unsupported => return Err(Dropped::Unsupported),
        };
        let ip = data.len() - packet.len();
        let is_known = matches!(
            record.link,
            LinkType::ETHERNET
                | LinkType::LINUX_SLL
                | LinkType::LINUX_SLL2
                | LinkType::NULL
                | LinkType::LOOP
        );
        // Nobody knows what the header of another link says.
        if ip > 0 && !is_known {
            return Err(Dropped::Unsupported);
        }
        let version = packet.first().map_or(0, |byte| byte >> 4);
        let (header, next, total) = match version {
            4 if packet.len() >= 20 => {
                let header = usize::from(packet[0] & 0xF) * 4;
                (header, packet[9], usize::from(u16_at(packet, 2)))
            }
            6 if packet.len() >= 40 => (40, packet[6], usize::from(u16_at(packet, 4)) + 40),
            _ => return Err(Dropped::Cut),
        };
        let end = if total > header {
            total.min(packet.len())
        } else {
            packet.len()
        };
        let (protocol, transport_header) = match next {
            TCP => match segment::parse(packet) {
                Packet::Tcp(segment) => {
                    let at = end.saturating_sub(segment.payload.len());
                    (Protocol::Tcp, at.saturating_sub(header))
                }
                Packet::Fragment { .. } => return Err(Dropped::Unsupported),
                Packet::Short => return Err(Dropped::Cut),
                Packet::Udp(_) | Packet::Other => return Err(Dropped::OtherProtocols),
            },
            UDP if is_fragment(packet) => return Err(Dropped::Unsupported),
            UDP if packet.len() >= header + 8 => (Protocol::Udp, 8),
            UDP => return Err(Dropped::Cut),
            0 | 43 | 44 | 51 | 60 | 135 if version == 6 => return Err(Dropped::Unsupported),
            _ => return Err(Dropped::OtherProtocols),
        };
        if end < header + transport_header {
            return Err(Dropped::Cut);
        }
        Ok(Self {
            link: record.link,
            ip,
            transport: ip + header,
            protocol,
            payload: ip + header + transport_header..ip + end,
            cut: total > packet.len(),
        })
    }

    /// The ports: from, to.
    pub(crate) fn ports(&self, data: &[u8]) -> (u16, u16) {
        let at = self.transport;
        (u16_at(data, at), u16_at(data, at + 2))
    }

    fn is_v4(&self, data: &[u8]) -> bool {
        data[self.ip] >> 4 == 4
    }

    fn address_places(&self, data: &[u8]) -> [Range<usize>; 2] {
        let (first, len) = if self.is_v4(data) { (12, 4) } else { (8, 16) };
        let first = self.ip + first;
        [first..first + len, first + len..first + 2 * len]
    }

    /// The addresses in the headers.
    pub(crate) fn addresses(&self, data: &[u8]) -> Vec<Address> {
        let macs = mac_places(self.link, data).iter();
        let macs = macs.filter_map(|&at| mac_at(data, at)).map(Address::Mac);
        let ips = self.address_places(data).into_iter();
        let ips = ips.filter_map(|place| ip_at(data, place)).map(Address::Ip);
        macs.chain(ips).collect()
    }

    /// Replaces the addresses.
    ///
    /// False if there is no placeholder left for one.
    pub(crate) fn replace_addresses(
        &self,
        data: &mut [u8],
        words: &mut Words,
        tally: &mut Tally,
    ) -> bool {
        let places = mac_places(self.link, data);
        for &at in places {
            let Some(mac) = mac_at(data, at) else {
                continue;
            };
            if let Some(new) = words.mac(mac) {
                data[at..at + 6].copy_from_slice(&new);
                tally.replaced(Secret::Mac, Location::LinkHeader, &mac);
            }
        }
        if let Some(mut field) = address_field(self.link) {
            field.start += 6 * places.len();
            tally.blank(Unparsed::Unused, &mut data[field], 0);
        }
        for place in self.address_places(data) {
            let Some(ip) = ip_at(data, place.clone()).filter(|ip| !is_ip_placeholder(*ip)) else {
                continue;
            };
            let Some(new) = words.ip(ip) else {
                return false;
            };
            match new {
                IpAddr::V4(new) => data[place].copy_from_slice(&new.octets()),
                IpAddr::V6(new) => data[place].copy_from_slice(&new.octets()),
            }
            tally.replaced(Secret::Ip, Location::IpHeader, ip.to_string().as_bytes());
        }
        true
    }

    /// Blanks padding, what numbers packets and tells the time of the host, and options that may hold addresses or keys.
    pub(crate) fn blank_rest(&self, data: &mut [u8], tally: &mut Tally) {
        tally.blank(Unparsed::Unused, &mut data[self.payload.end..], 0);
        if self.is_v4(data) {
            let options = self.ip + 20..self.transport;
            tally.blank(Unparsed::Options, &mut data[options], NO_OPERATION);
        }
        self.clear_numbers(data, tally);
        if self.protocol == Protocol::Tcp {
            let mut at = self.transport + 20;
            let end = self.payload.start;
            while at < end {
                let len = match data[at] {
                    0 => {
                        tally.blank(Unparsed::Options, &mut data[at..end], 0);
                        break;
                    }
                    NO_OPERATION => 1,
                    _ => data.get(at + 1).map_or(end - at, |len| usize::from(*len)),
                };
                let len = len.clamp(1, end - at);
                match data[at] {
                    // Segment size, window scale, selective acknowledgements.
                    NO_OPERATION | 2..=5 => {}
                    TIMESTAMPS => {
                        let option = &mut data[at..at + len];
                        tally.replaced(Secret::HostClock, Location::TcpHeader, option);
                        option.fill(NO_OPERATION);
                    }
                    _ => tally.blank(Unparsed::Options, &mut data[at..at + len], NO_OPERATION),
                }
                at += len;
            }
        }
    }

    /// Clears the number of an IPv4 packet, which many hosts count up, and the label of an IPv6 flow.
    fn clear_numbers(&self, data: &mut [u8], tally: &mut Tally) {
        let label = [
            data[self.ip + 1] & 0xF,
            data[self.ip + 2],
            data[self.ip + 3],
        ];
        let number = match self.is_v4(data) {
            true => data[self.ip + 4..self.ip + 6].to_vec(),
            false => label.to_vec(),
        };
        if number.iter().all(|&byte| byte == 0) {
            return;
        }
        tally.replaced(Secret::PacketNumber, Location::IpHeader, &number);
        match self.is_v4(data) {
            true => data[self.ip + 4..self.ip + 6].fill(0),
            false => {
                data[self.ip + 1] &= 0xF0;
                data[self.ip + 2..self.ip + 4].fill(0);
            }
        }
    }

    /// Writes the checksums that the packet now must have; none if bytes of it are missing.
    pub(crate) fn write_checksums(&self, data: &mut [u8]) {
        let is_v4 = self.is_v4(data);
        if is_v4 {
            put(data, self.ip + 10, 0);
            let sum = Sum16BitWords::new().add_slice(&data[self.ip..self.transport]);
            put(data, self.ip + 10, sum.ones_complement().to_be());
        }
        let (number, field) = match self.protocol {
            Protocol::Tcp => (TCP, self.transport + 16),
            Protocol::Udp => (UDP, self.transport + 6),
        };
        put(data, field, 0);
        if self.cut {
            return;
        }
        let [source, destination] = self.address_places(data);
        let body = &data[self.transport..self.payload.end];
        let sum = Sum16BitWords::new()
            .add_slice(&data[source.start..destination.end])
            .add_slice(&[0, number])
            .add_slice(&(body.len() as u32).to_be_bytes())
            .add_slice(body);
        let sum = match self.protocol {
            Protocol::Tcp => sum.ones_complement(),
            // A 0 would mean that there is no checksum.
            Protocol::Udp => sum.to_ones_complement_with_no_zero(),
        };
        put(data, field, sum.to_be());
    }
}

fn is_fragment(packet: &[u8]) -> bool {
    packet[0] >> 4 == 4 && u16_at(packet, 6) & 0x3FFF != 0
}

fn put(data: &mut [u8], at: usize, value: u16) {
    data[at..at + 2].copy_from_slice(&value.to_be_bytes());
}

fn u16_at(data: &[u8], at: usize) -> u16 {
    match data.get(at..at + 2) {
        Some(&[high, low]) => u16::from_be_bytes([high, low]),
        _ => 0,
    }
}

fn mac_at(data: &[u8], at: usize) -> Option<[u8; 6]> {
    data.get(at..)?.first_chunk().copied()
}

fn ip_at(data: &[u8], place: Range<usize>) -> Option<IpAddr> {
    let bytes = data.get(place)?;
    match bytes.len() {
        4 => Some(Ipv4Addr::from(*bytes.first_chunk::<4>()?).into()),
        _ => Some(Ipv6Addr::from(*bytes.first_chunk::<16>()?).into()),
    }
}
