//! From an IP packet to the TCP segment or the datagram in it.
//!
//! `etherparse` takes the headers apart; this file says what is kept of them, how many bytes a
//! snap length cut off, and which packets are refused: fragments are not put together again,
//! because a hub's small packets never need it.

use std::net::{IpAddr, SocketAddr};

use etherparse::{IpNumber, LaxNetSlice, LaxSlicedPacket, TransportSlice};

/// What the transcript needs of one TCP segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Who sent it.
    pub source: SocketAddr,
    /// Whom it was sent to.
    pub destination: SocketAddr,
    /// The sequence number of its first byte, or of its SYN.
    pub seq: u32,
    /// The next sequence number that the sender expects from the other side.
    pub ack: Option<u32>,
    /// Whether it opens the sender's direction.
    pub syn: bool,
    /// Whether it closes the sender's direction.
    pub fin: bool,
    /// Whether it ends the connection at once.
    pub rst: bool,
    /// The bytes it carries, as far as they were captured.
    pub payload: &'a [u8],
    /// How many more bytes it carried.
    pub cut: u32,
}

/// A UDP datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// Who sent it.
    pub source: SocketAddr,
    /// Whom it was sent to.
    pub destination: SocketAddr,
    /// The bytes it carries, as far as they were captured.
    pub payload: &'a [u8],
}

/// What an IP packet holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// A TCP segment.
    Tcp(Segment<'a>),
    /// A UDP datagram.
    Udp(Datagram<'a>),
    /// Anything but TCP and UDP, or nothing that makes sense.
    Other,
    /// A part of a TCP or UDP packet that was sent in fragments.
    Fragment {
        /// Who sent it.
        source: IpAddr,
        /// Whom it was sent to.
        destination: IpAddr,
    },
    /// A packet so short that its headers are not all there.
    Short,
}

/// Finds the TCP segment or the datagram in an IP packet.
#[must_use]
pub fn parse(ip: &[u8]) -> Packet<'_> {
    let Ok(packet) = LaxSlicedPacket::from_ip(ip) else {
        return Packet::Short;
    };
    let (source, destination, payload, wanted) = match &packet.net {
        Some(LaxNetSlice::Ipv4(v4)) => (
            IpAddr::V4(v4.header().source_addr()),
            IpAddr::V4(v4.header().destination_addr()),
            v4.payload(),
            usize::from(v4.header().total_len()),
        ),
        Some(LaxNetSlice::Ipv6(v6)) => (
            IpAddr::V6(v6.header().source_addr()),
            IpAddr::V6(v6.header().destination_addr()),
            v6.payload(),
            usize::from(v6.header().payload_length()) + 40,
        ),
        _ => return Packet::Other,
    };
    if !matches!(payload.ip_number, IpNumber::TCP | IpNumber::UDP) {
        return Packet::Other;
    }
    if payload.fragmented {
        return Packet::Fragment {
            source,
            destination,
        };
    }
    let cut = if payload.incomplete {
        wanted.saturating_sub(ip.len())
    } else {
        0
    };
    match &packet.transport {
        Some(TransportSlice::Tcp(tcp)) => Packet::Tcp(Segment {
            source: SocketAddr::new(source, tcp.source_port()),
            destination: SocketAddr::new(destination, tcp.destination_port()),
            seq: tcp.sequence_number(),
            ack: tcp.ack().then(|| tcp.acknowledgment_number()),
            syn: tcp.syn(),
            fin: tcp.fin(),
            rst: tcp.rst(),
            payload: tcp.payload(),
            cut: cut as u32,
        }),
        Some(TransportSlice::Udp(udp)) => Packet::Udp(Datagram {
            source: SocketAddr::new(source, udp.source_port()),
            destination: SocketAddr::new(destination, udp.destination_port()),
            payload: udp.payload(),
        }),
        _ if cut > 0 => Packet::Short,
        _ => Packet::Other,
    }
}

#[cfg(test)]
mod tests {
    use etherparse::PacketBuilder;

    use super::*;

    fn packet(payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
            .tcp(40_000, 65_101, 7, 1_000)
            .ack(9)
            .fin()
            .write(&mut out, payload)
            .unwrap();
        out
    }

    #[test]
    fn a_segment_keeps_what_matters() {
        let bytes = packet(b"abc");
        let Packet::Tcp(segment) = parse(&bytes) else {
            panic!("not a segment");
        };
        assert_eq!(segment.source.to_string(), "10.0.0.1:40000");
        assert_eq!(segment.destination.to_string(), "10.0.0.2:65101");
        assert_eq!((segment.seq, segment.ack), (7, Some(9)));
        assert_eq!(
            (segment.syn, segment.fin, segment.rst),
            (false, true, false)
        );
        assert_eq!((segment.payload, segment.cut), (&b"abc"[..], 0));
    }

    #[test]
    fn padding_behind_the_packet_is_not_payload() {
        let mut bytes = packet(b"a");
        bytes.extend_from_slice(&[0; 6]);
        assert!(matches!(parse(&bytes), Packet::Tcp(segment) if segment.payload == b"a"));
    }

    #[test]
    fn a_snap_length_shows_as_cut_bytes_or_a_short_packet() {
        let bytes = packet(b"abcdef");
        assert!(matches!(
            parse(&bytes[..bytes.len() - 2]),
            Packet::Tcp(segment) if segment.payload == b"abcd" && segment.cut == 2
        ));
        assert_eq!(parse(&bytes[..30]), Packet::Short);
        assert_eq!(parse(&bytes[..10]), Packet::Short);
        assert_eq!(parse(&[]), Packet::Short);
    }

    #[test]
    fn a_fragment_is_told_apart() {
        let mut bytes = packet(b"abc");
        bytes[6] = 0x20;
        assert!(matches!(
            parse(&bytes),
            Packet::Fragment { source, .. } if source.to_string() == "10.0.0.1"
        ));
    }

    #[test]
    fn a_datagram_is_told_apart() {
        let mut bytes = Vec::new();
        PacketBuilder::ipv6([1; 16], [2; 16], 64)
            .udp(1, 2)
            .write(&mut bytes, b"x")
            .unwrap();
        assert!(matches!(parse(&bytes), Packet::Udp(datagram) if datagram.payload == b"x"));
    }

    #[test]
    fn options_of_ipv4_are_gone_past() {
        let plain = packet(b"abc");
        // Four bytes of "no operation" between the header and the segment.
        let mut bytes = plain[..20].to_vec();
        bytes.extend_from_slice(&[1; 4]);
        bytes.extend_from_slice(&plain[20..]);
        bytes[0] = 0x46;
        bytes[3] += 4;
        assert!(matches!(parse(&bytes), Packet::Tcp(segment) if segment.payload == b"abc"));
    }

    #[test]
    fn a_length_of_zero_means_up_to_the_end() {
        // What a network card was left to fill in: larger packets than the wire would take.
        let mut bytes = packet(b"abc");
        bytes[2..4].fill(0);
        assert!(
            matches!(parse(&bytes), Packet::Tcp(segment) if segment.payload == b"abc" && segment.cut == 0)
        );
    }

    /// An IPv6 packet with these extension headers, each with the number of the one before it.
    fn extended(extensions: &[(u8, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        PacketBuilder::ipv6([1; 16], [2; 16], 64)
            .tcp(40_000, 65_101, 7, 1_000)
            .write(&mut bytes, b"abc")
            .unwrap();
        let segment = bytes.split_off(40);
        let mut next_at = 6;
        for (number, extension) in extensions {
            bytes[next_at] = *number;
            next_at = bytes.len();
            bytes.extend_from_slice(extension);
        }
        bytes[next_at] = 6;
        bytes.extend_from_slice(&segment);
        let len = (bytes.len() - 40) as u16;
        bytes[4..6].copy_from_slice(&len.to_be_bytes());
        bytes
    }

    #[test]
    fn extension_headers_of_ipv6_are_gone_past() {
        let options = [0, 0, 1, 4, 0, 0, 0, 0];
        let routing = [0, 0, 0, 0, 0, 0, 0, 0];
        for extensions in [
            &[(0, &options[..])][..],
            &[(60, &options)],
            &[(0, &options), (43, &routing), (60, &options)],
        ] {
            assert!(matches!(
                parse(&extended(extensions)),
                Packet::Tcp(segment) if segment.payload == b"abc"
            ));
        }
        // A fragment header that says "all of it" is none; one that says "more follow" is.
        let whole = [0, 0, 0, 0, 0, 0, 0, 9];
        let first = [0, 0, 0, 1, 0, 0, 0, 9];
        assert!(matches!(parse(&extended(&[(44, &whole)])), Packet::Tcp(_)));
        assert!(matches!(
            parse(&extended(&[(44, &first)])),
            Packet::Fragment { .. }
        ));
    }
}
