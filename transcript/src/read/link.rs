//! From a captured packet to the IP packet in it: the headers of the link.
//!
//! Ethernet with any number of VLAN tags, Linux cooked captures (`tcpdump -i any`) of both
//! versions, raw IP and the loopback headers of the BSDs. A CAN bus has no IP and is told apart. Nothing here looks into
//! the IP packet; that is [`super::segment`].

use std::fmt;

/// What the first bytes of a captured packet are, as numbered by the `LINKTYPE_` registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD loopback, the address family in the byte order of the capturing machine.
    pub const NULL: Self = Self(0);
    /// Ethernet.
    pub const ETHERNET: Self = Self(1);
    /// Raw IP as one family of systems numbers it.
    pub const DLT_RAW_12: Self = Self(12);
    /// Raw IP as `OpenBSD` numbers it.
    pub const DLT_RAW_14: Self = Self(14);
    /// Raw IP, version 4 or 6.
    pub const RAW: Self = Self(101);
    /// `OpenBSD` loopback, the address family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux cooked capture, version 1.
    pub const LINUX_SLL: Self = Self(113);
    /// A frame of a CAN bus as `SocketCAN` has it, the id in network byte order.
    pub const CAN_SOCKETCAN: Self = Self(227);
    /// Raw IPv4.
    pub const IPV4: Self = Self(228);
    /// Raw IPv6.
    pub const IPV6: Self = Self(229);
    /// Linux cooked capture, version 2.
    pub const LINUX_SLL2: Self = Self(276);
}

impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            Self::NULL => "BSD loopback",
            Self::ETHERNET => "Ethernet",
            Self::DLT_RAW_12 | Self::DLT_RAW_14 | Self::RAW => "raw IP",
            Self::LOOP => "OpenBSD loopback",
            Self::LINUX_SLL => "Linux cooked v1",
            Self::CAN_SOCKETCAN => "SocketCAN",
            Self::IPV4 => "raw IPv4",
            Self::IPV6 => "raw IPv6",
            Self::LINUX_SLL2 => "Linux cooked v2",
            _ => return write!(f, "link type {}", self.0),
        };
        write!(f, "link type {} ({name})", self.0)
    }
}

/// What a captured packet holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inner<'a> {
    /// An IP packet, perhaps cut short or with padding behind it.
    Ip(&'a [u8]),
    /// A frame of a CAN bus, with `SocketCAN`'s header.
    Can(&'a [u8]),
    /// Something that is not IP, such as ARP.
    Other,
    /// Too few bytes for the headers of the link.
    Short,
    /// A link type that is not supported.
    Unsupported,
}

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86DD;

/// Takes the headers of the link off a captured packet.
#[must_use]
pub fn strip(link: LinkType, data: &[u8]) -> Inner<'_> {
    match link {
        LinkType::ETHERNET => typed(data, 12, 14),
        LinkType::LINUX_SLL => typed(data, 14, 16),
        LinkType::LINUX_SLL2 => typed(data, 0, 20),
        LinkType::NULL | LinkType::LOOP => loopback(data),
        LinkType::DLT_RAW_12
        | LinkType::DLT_RAW_14
        | LinkType::RAW
        | LinkType::IPV4
        | LinkType::IPV6 => Inner::Ip(data),
        LinkType::CAN_SOCKETCAN => Inner::Can(data),
        _ => Inner::Unsupported,
    }
}

/// A header that holds an Ethernet type, VLAN tags between it and the packet.
fn typed(data: &[u8], type_at: usize, header: usize) -> Inner<'_> {
    let Some(mut ether_type) = u16_at(data, type_at) else {
        return Inner::Short;
    };
    let mut packet_at = header;
    while matches!(ether_type, 0x8100 | 0x88A8 | 0x9100) {
        let Some(next) = u16_at(data, packet_at + 2) else {
            return Inner::Short;
        };
        ether_type = next;
        packet_at += 4;
    }
    match (ether_type, data.get(packet_at..)) {
        (_, None) => Inner::Short,
        (ETHERTYPE_IPV4 | ETHERTYPE_IPV6, Some(packet)) => Inner::Ip(packet),
        _ => Inner::Other,
    }
}

/// The address family is a small number, so that its byte order shows by itself.
fn loopback(data: &[u8]) -> Inner<'_> {
    let Some((&[a, b, c, d], packet)) = data.split_first_chunk() else {
        return Inner::Short;
    };
    let family = match (a, d) {
        (0, _) => u32::from_be_bytes([a, b, c, d]),
        _ => u32::from_le_bytes([a, b, c, d]),
    };
    match family {
        // IPv6 has another number on Linux, NetBSD, FreeBSD and macOS.
        2 | 10 | 24 | 28 | 30 => Inner::Ip(packet),
        _ => Inner::Other,
    }
}

fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    let bytes = data.get(at..at + 2)?;
    Some(u16::from_be_bytes([bytes[0], bytes[1]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const IP: [u8; 4] = [0x45, 1, 2, 3];

    fn with_header(header: &[u8]) -> Vec<u8> {
        [header, &IP].concat()
    }

    #[test]
    fn every_supported_link_gives_the_ip_packet() {
        let mut ethernet = [0u8; 14];
        ethernet[12..].copy_from_slice(&[8, 0]);
        let mut tagged = [0u8; 22];
        tagged[12..14].copy_from_slice(&[0x88, 0xA8]);
        tagged[16..18].copy_from_slice(&[0x81, 0]);
        tagged[20..].copy_from_slice(&[0x86, 0xDD]);
        let mut cooked = [0u8; 16];
        cooked[14..].copy_from_slice(&[8, 0]);
        let mut cooked_2 = [0u8; 20];
        cooked_2[..2].copy_from_slice(&[8, 0]);
        for (link, header) in [
            (LinkType::ETHERNET, &ethernet[..]),
            (LinkType::ETHERNET, &tagged),
            (LinkType::LINUX_SLL, &cooked),
            (LinkType::LINUX_SLL2, &cooked_2),
            (LinkType::NULL, &[2, 0, 0, 0]),
            (LinkType::NULL, &[0, 0, 0, 2]),
            (LinkType::LOOP, &[0, 0, 0, 24]),
            (LinkType::RAW, &[]),
            (LinkType::DLT_RAW_12, &[]),
            (LinkType::DLT_RAW_14, &[]),
            (LinkType::IPV4, &[]),
            (LinkType::IPV6, &[]),
        ] {
            assert_eq!(strip(link, &with_header(header)), Inner::Ip(&IP), "{link}");
        }
        assert_eq!(strip(LinkType::CAN_SOCKETCAN, &IP), Inner::Can(&IP));
    }

    #[test]
    fn a_header_cut_anywhere_is_short() {
        let mut tagged = [0u8; 18];
        tagged[12..14].copy_from_slice(&[0x81, 0]);
        tagged[16..].copy_from_slice(&[8, 0]);
        for len in 0..tagged.len() {
            assert_eq!(strip(LinkType::ETHERNET, &tagged[..len]), Inner::Short);
        }
        assert_eq!(strip(LinkType::NULL, &[2, 0, 0]), Inner::Short);
        assert_eq!(strip(LinkType::LINUX_SLL2, &[8, 0]), Inner::Short);
    }

    #[test]
    fn arp_is_not_ip_and_wifi_is_not_supported() {
        let mut arp = [0u8; 40];
        arp[12..14].copy_from_slice(&[8, 6]);
        assert_eq!(strip(LinkType::ETHERNET, &arp), Inner::Other);
        assert_eq!(strip(LinkType(105), &arp), Inner::Unsupported);
        assert_eq!(LinkType(105).to_string(), "link type 105");
    }
}
