//! Writes a TCP session into a pcapng file.
//!
//! The caller says what was said and when; the link, IP and TCP headers around it are made up
//! here, with right sequence numbers and checksums, so that any tool reads the file like a real
//! recording. One section, one Ethernet interface, times in nanoseconds.

use std::io::{self, Write};
use std::net::SocketAddrV4;

use etherparse::{PacketBuilder, TcpHeader, TcpOptionElement};

use crate::side::Side;

/// Bytes of a segment on an ordinary Ethernet.
const DEFAULT_MSS: u16 = 1460;
const WINDOW: u16 = 64_240;
const HOPS: u8 = 64;
/// What the packets of a file are, as numbered by the `LINKTYPE_` registry.
const ETHERNET: u16 = 1;
/// The same for a CAN bus.
pub(crate) const CAN_SOCKETCAN: u16 = 227;

/// The two ends of a written session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// Who opens the connection.
    pub initiator: SocketAddrV4,
    /// Who is called.
    pub responder: SocketAddrV4,
    /// The initiator's first sequence number.
    pub initiator_seq: u32,
    /// The responder's first sequence number.
    pub responder_seq: u32,
    /// The most bytes that one segment carries, at least 1.
    pub mss: u16,
}

impl Endpoints {
    /// Two addresses, with fixed first sequence numbers and the usual segment size.
    #[must_use]
    pub fn new(initiator: SocketAddrV4, responder: SocketAddrV4) -> Self {
        Self {
            initiator,
            responder,
            initiator_seq: 1_000,
            responder_seq: 5_000,
            mss: DEFAULT_MSS,
        }
    }
}

/// Writes one TCP session, packet by packet.
///
/// Times are nanoseconds since the start that the writer was made with. The order of the calls is
/// the order of the packets.
///
/// ```
/// use veschub_transcript::Side;
/// use veschub_transcript::write::{Endpoints, SessionWriter};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let ends = Endpoints::new("192.0.2.1:40000".parse()?, "192.0.2.2:65101".parse()?);
/// let mut session = SessionWriter::new(Vec::new(), ends, 0)?;
/// session.open(0)?;
/// session.data(1_000_000, Side::Initiator, b"\x02\x01\x00\x00\x00\x03")?;
/// session.close(2_000_000, Side::Initiator)?;
/// session.close(2_000_000, Side::Responder)?;
/// let file = session.finish()?;
/// assert!(file.starts_with(&[0x0A, 0x0D, 0x0D, 0x0A]));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SessionWriter<W> {
    out: W,
    ends: Endpoints,
    start_ns: u64,
    /// The next sequence number of each side.
    seq: [u32; 2],
}

impl<W: Write> SessionWriter<W> {
    /// Writes the file's headers; `start_ns` is when the session starts, since the epoch.
    ///
    /// # Errors
    /// When the output refuses bytes; the same holds for every other function here.
    pub fn new(mut out: W, ends: Endpoints, start_ns: u64) -> io::Result<Self> {
        begin(&mut out)?;
        Ok(Self::within(out, ends, start_ns))
    }

    /// One more session in a file whose headers [`begin`] has written.
    pub fn within(out: W, ends: Endpoints, start_ns: u64) -> Self {
        Self {
            out,
            ends,
            start_ns,
            seq: [ends.initiator_seq, ends.responder_seq],
        }
    }

    /// The whole handshake at one time.
    ///
    /// # Errors
    /// When the output refuses bytes.
    pub fn open(&mut self, at_ns: u64) -> io::Result<()> {
        self.syn(at_ns)?;
        self.syn_ack(at_ns)?;
        self.ack(at_ns, Side::Initiator)
    }

    /// The first packet of the handshake.
    ///
    /// # Errors
    /// When the output refuses bytes.
    pub fn syn(&mut self, at_ns: u64) -> io::Result<()> {
        let mut header = self.header(Side::Initiator);
        header.syn = true;
        header.ack = false;
        header.acknowledgment_number = 0;
        self.with_mss(&mut header)?;
        self.packet(at_ns, Side::Initiator, header, &[])?;
        self.advance(Side::Initiator, 1);
        Ok(())
    }

    /// The second packet of the handshake; [`Self::ack`] by the initiator is the third.
    ///
    /// # Errors
    /// When the output refuses bytes.
    pub fn syn_ack(&mut self, at_ns: u64) -> io::Result<()> {
        let mut header = self.header(Side::Responder);
        header.syn = true;
        self.with_mss(&mut header)?;
        self.packet(at_ns, Side::Responder, header, &[])?;
        self.advance(Side::Responder, 1);
        Ok(())
    }

    /// Bytes from one side, in as many segments as they need; the last one pushes.
    ///
    /// # Errors
    /// When the output refuses bytes.
    pub fn data(&mut self, at_ns: u64, side: Side, bytes: &[u8]) -> io::Result<()> {
        let mut pieces = bytes.chunks(usize::from(self.ends.mss.max(1))).peekable();
        while let Some(piece) = pieces.next() {
            let mut header = self.header(side);
            header.psh = pieces.peek().is_none();
            self.packet(at_ns, side, header, piece)?;
            self.advance(side, piece.len() as u32);
        }
        Ok(())
    }

    /// Leaves out so many bytes of one side; says how many packets would have carried them.
    pub(crate) fn leave_out(&mut self, side: Side, count: usize) -> usize {
        self.advance(side, count as u32);
        count.div_ceil(usize::from(self.ends.mss.max(1)))
    }

    /// An acknowledgement by one side of all that the other has sent.
    ///
    /// # Errors
    /// When the output refuses bytes.
    pub fn ack(&mut self, at_ns: u64, side: Side) -> io::Result<()> {
        self.packet(at_ns, side, self.header(side), &[])
    }

    /// The end of one direction; a full close is one of each side and an [`Self::ack`].
    ///
    /// # Errors
    /// When the output refuses bytes.
    pub fn close(&mut self, at_ns: u64, side: Side) -> io::Result<()> {
        let mut header = self.header(side);
        header.fin = true;
        self.packet(at_ns, side, header, &[])?;
        self.advance(side, 1);
        Ok(())
    }

    /// One side breaks the connection off.
    ///
    /// # Errors
    /// When the output refuses bytes.
    pub fn reset(&mut self, at_ns: u64, side: Side) -> io::Result<()> {
        let mut header = self.header(side);
        header.rst = true;
        self.packet(at_ns, side, header, &[])
    }

    /// Flushes the output and gives it back.
    ///
    /// # Errors
    /// When the output refuses bytes.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }

    fn advance(&mut self, side: Side, count: u32) {
        let seq = &mut self.seq[side as usize];
        *seq = seq.wrapping_add(count);
    }

    fn header(&self, side: Side) -> TcpHeader {
        let (from, to) = self.addresses(side);
        let mut header = TcpHeader::new(from.port(), to.port(), self.seq[side as usize], WINDOW);
        header.ack = true;
        header.acknowledgment_number = self.seq[side.other() as usize];
        header
    }

    fn with_mss(&self, header: &mut TcpHeader) -> io::Result<()> {
        header
            .set_options(&[TcpOptionElement::MaximumSegmentSize(self.ends.mss)])
            .map_err(|_| io::Error::other("the handshake's options do not fit its header"))
    }

    fn addresses(&self, side: Side) -> (SocketAddrV4, SocketAddrV4) {
        match side {
            Side::Initiator => (self.ends.initiator, self.ends.responder),
            Side::Responder => (self.ends.responder, self.ends.initiator),
        }
    }

    fn packet(
        &mut self,
        at_ns: u64,
        side: Side,
        header: TcpHeader,
        payload: &[u8],
    ) -> io::Result<()> {
        let (from, to) = self.addresses(side);
        let builder = PacketBuilder::ethernet2(mac(side), mac(side.other()))
            .ipv4(from.ip().octets(), to.ip().octets(), HOPS)
            .tcp_header(header);
        let mut bytes = Vec::with_capacity(builder.size(payload.len()));
        builder
            .write(&mut bytes, payload)
            .map_err(io::Error::other)?;
        let at = self.start_ns.saturating_add(at_ns);
        self.out.write_all(&enhanced_packet(at, &bytes))
    }
}

/// Writes what every file begins with. Each packet behind it is one write, so that a file which stops anywhere holds
/// all that came before.
///
/// # Errors
/// When the output refuses bytes.
pub fn begin(out: &mut impl Write) -> io::Result<()> {
    begin_with(out, ETHERNET)
}

/// The same for a file whose packets are of another kind.
pub(crate) fn begin_with(out: &mut impl Write, link: u16) -> io::Result<()> {
    out.write_all(&[section_header(), interface(link)].concat())
}

/// Locally administered, so that they are nobody's.
fn mac(side: Side) -> [u8; 6] {
    [2, 0, 0, 0, 0, 1 + side as u8]
}

fn section_header() -> Vec<u8> {
    let magic = 0x1A2B_3C4D_u32.to_le_bytes();
    let length = u64::MAX.to_le_bytes();
    block(0x0A0D_0D0A, &[&magic, &[1, 0], &[0; 2], &length])
}

fn interface(link: u16) -> Vec<u8> {
    const TSRESOL: [u8; 8] = [9, 0, 1, 0, 9, 0, 0, 0];
    const NO_MORE: [u8; 4] = [0; 4];
    // Nothing is ever cut.
    const NO_SNAP_LENGTH: [u8; 4] = [0; 4];
    let link = link.to_le_bytes();
    block(1, &[&link, &[0; 2], &NO_SNAP_LENGTH, &TSRESOL, &NO_MORE])
}

pub(crate) fn enhanced_packet(at_ns: u64, packet: &[u8]) -> Vec<u8> {
    let len = (packet.len() as u32).to_le_bytes();
    let high = ((at_ns >> 32) as u32).to_le_bytes();
    let low = (at_ns as u32).to_le_bytes();
    block(6, &[&[0; 4], &high, &low, &len, &len, packet])
}

fn block(kind: u32, body: &[&[u8]]) -> Vec<u8> {
    let len: usize = body.iter().map(|part| part.len()).sum();
    let padded = len.next_multiple_of(4);
    let total = (padded as u32 + 12).to_le_bytes();
    // In one piece: a busy hub writes a hundred thousand a second.
    let mut out = Vec::with_capacity(padded + 12);
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&total);
    body.iter().for_each(|part| out.extend_from_slice(part));
    out.resize(8 + padded, 0);
    out.extend_from_slice(&total);
    out
}
