//! One frame of a CAN bus, and its two forms in files: SocketCAN's header, and a line of candump.

use super::packet::Packet;

/// The most bytes of a frame that are kept: those of CAN FD. A VESC sends 8 at the most.
pub const MAX_DATA: usize = 64;

/// Set in SocketCAN's id where it has 29 bits.
const EXTENDED: u32 = 0x8000_0000;
/// Set where a frame only asks for one.
const REMOTE: u32 = 0x4000_0000;
/// Set where the controller reports an error, which is not on the bus.
const ERROR: u32 = 0x2000_0000;
const ID_29: u32 = 0x1FFF_FFFF;
const ID_11: u32 = 0x7FF;
/// The bytes before the data: id, length, flags of CAN FD, two of no use.
const HEADER: usize = 8;
/// A frame of CAN FD in the byte of its flags.
const FD: u8 = 0x04;

/// A frame on a CAN bus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// SocketCAN's id with its three flags in the highest bits: 29 bits, remote, error.
    id: u32,
    data: Vec<u8>,
}

impl Frame {
    /// The frame of a VESC; `node` is who reports, or who is meant. Of more than 64 bytes only those are kept.
    #[must_use]
    pub fn new(packet: Packet, node: u8, data: &[u8]) -> Self {
        Self::with_id(
            EXTENDED | u32::from(packet.0) << 8 | u32::from(node),
            data.to_vec(),
        )
    }

    pub(super) fn with_id(id: u32, mut data: Vec<u8>) -> Self {
        data.truncate(MAX_DATA);
        Self { id, data }
    }

    /// The packet and the node, if it is a frame as a VESC sends it: an id of 29 bits, and the bits above the packet 0.
    #[must_use]
    pub fn vesc(&self) -> Option<(Packet, u8)> {
        let id = self.number();
        let is_vesc = self.is_extended() && self.id & (REMOTE | ERROR) == 0 && id >> 16 == 0;
        is_vesc.then_some((Packet((id >> 8) as u8), id as u8))
    }

    /// The id, without its flags.
    #[must_use]
    pub fn number(&self) -> u32 {
        match self.is_extended() {
            true => self.id & ID_29,
            false => self.id & ID_11,
        }
    }

    /// The id with SocketCAN's flags in its highest bits: 29 bits, remote, error.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Whether the id has 29 bits and not 11.
    #[must_use]
    pub fn is_extended(&self) -> bool {
        self.id & EXTENDED != 0
    }

    /// Whether it only asks for a frame.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        self.id & REMOTE != 0
    }

    /// Whether the controller reports an error with it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.id & ERROR != 0
    }

    /// The bytes that it carries.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The frame as SocketCAN has it in a capture with link type 227: id in network byte order, length, flags, data.
    #[must_use]
    pub fn to_socketcan(&self) -> Vec<u8> {
        let mut bytes = self.id.to_be_bytes().to_vec();
        let fd = if self.data.len() > 8 { FD } else { 0 };
        bytes.extend_from_slice(&[self.data.len() as u8, fd, 0, 0]);
        bytes.extend_from_slice(&self.data);
        bytes
    }

    /// Reads what [`to_socketcan`](Self::to_socketcan) writes, padded or not; nothing if it is cut short.
    #[must_use]
    pub fn from_socketcan(bytes: &[u8]) -> Option<Self> {
        let (&id, _) = bytes.split_first_chunk::<4>()?;
        let len = usize::from(*bytes.get(4)?);
        let data = bytes.get(HEADER..HEADER + len.min(MAX_DATA))?;
        Some(Self::with_id(u32::from_be_bytes(id), data.to_vec()))
    }

    /// The id and the data as candump writes them: `0000095A#00C8FF38`, `123#R`.
    #[must_use]
    pub fn to_candump(&self) -> String {
        let id = match self.is_extended() || self.is_error() {
            // An error has its flag in the number.
            true => format!("{:08X}", self.id & (ID_29 | ERROR)),
            false => format!("{:03X}", self.number()),
        };
        if self.is_remote() {
            return format!("{id}#R");
        }
        let fd = if self.data.len() > 8 { "#0" } else { "" };
        let data: String = self.data.iter().map(|byte| format!("{byte:02X}")).collect();
        format!("{id}#{fd}{data}")
    }

    /// Reads what [`to_candump`](Self::to_candump) writes.
    pub(crate) fn from_candump(text: &str) -> Option<Self> {
        let (id, data) = text.split_once('#')?;
        let id = candump_id(id)?;
        if let Some(rest) = data.strip_prefix('R') {
            return rest
                .bytes()
                .all(|digit| digit.is_ascii_digit())
                .then(|| Self::with_id(id | REMOTE, Vec::new()));
        }
        let data = match data.strip_prefix('#') {
            // The digit behind the second # has the flags.
            Some(fd) => fd.get(1..)?,
            // A classic frame that has more than 8 in its length says so behind an underscore.
            None => data.split_once('_').map_or(data, |(data, _)| data),
        };
        let data = bytes(data.split('.'))?;
        (data.len() <= MAX_DATA).then(|| Self::with_id(id, data))
    }

    /// Reads a frame as candump shows it on a screen: `123`, `[3]`, and the bytes.
    pub(crate) fn from_columns<'a>(
        id: &str,
        len: &str,
        data: impl Iterator<Item = &'a str>,
    ) -> Option<Self> {
        let id = candump_id(id)?;
        let len: usize = len
            .strip_prefix('[')?
            .strip_suffix(']')?
            .trim()
            .parse()
            .ok()?;
        let mut data = data.peekable();
        if data
            .next_if(|&word| word == "remote" || word == "R")
            .is_some()
        {
            return Some(Self::with_id(id | REMOTE, Vec::new()));
        }
        // What follows the bytes, such as text, is for people.
        let data = bytes(data.take(len))?;
        (data.len() == len && len <= MAX_DATA).then(|| Self::with_id(id, data))
    }
}

/// Three digits are 11 bits, eight are 29 bits or an error.
fn candump_id(text: &str) -> Option<u32> {
    if !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let id = u32::from_str_radix(text, 16).ok()?;
    match text.len() {
        3 if id <= ID_11 => Some(id),
        8 if id & ERROR != 0 => Some(id),
        8 if id <= ID_29 => Some(id | EXTENDED),
        _ => None,
    }
}

fn bytes<'a>(pieces: impl Iterator<Item = &'a str>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for piece in pieces {
        let digits = piece.as_bytes();
        if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        for pair in piece.as_bytes().chunks(2) {
            let pair = std::str::from_utf8(pair).ok()?;
            bytes.push(u8::from_str_radix(pair, 16).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_has_one_form_in_a_capture_and_one_in_text_and_both_are_read_back() {
        for (frame, text) in [
            (
                Frame::new(Packet::STATUS, 0x54, &[0, 0, 3, 0xE8, 0, 10, 0, 100]),
                "00000954#000003E8000A0064",
            ),
            (Frame::new(Packet::SHUTDOWN, 255, &[]), "00001FFF#"),
            (Frame::with_id(0x123, vec![1]), "123#01"),
            (Frame::with_id(0x123 | REMOTE, Vec::new()), "123#R"),
            (
                Frame::with_id(ERROR | 4, vec![0; 8]),
                "20000004#0000000000000000",
            ),
            (
                Frame::with_id(EXTENDED | 5, vec![7; 12]),
                "00000005##0070707070707070707070707",
            ),
        ] {
            assert_eq!(frame.to_candump(), text);
            assert_eq!(Frame::from_candump(text), Some(frame.clone()), "{text}");
            let bytes = frame.to_socketcan();
            assert_eq!(Frame::from_socketcan(&bytes), Some(frame.clone()));
            // A capture has as many bytes as the kernel's struct.
            let padded = [&bytes[..], &[0; 8]].concat();
            assert_eq!(Frame::from_socketcan(&padded), Some(frame));
        }
    }

    #[test]
    fn a_frame_cut_anywhere_is_none() {
        let bytes = Frame::new(Packet::STATUS, 1, &[1; 8]).to_socketcan();
        assert_eq!(bytes[..8], [0x80, 0, 9, 1, 8, 0, 0, 0]);
        for len in 0..bytes.len() {
            assert_eq!(Frame::from_socketcan(&bytes[..len]), None, "{len}");
        }
    }

    #[test]
    fn what_is_no_frame_is_none() {
        for text in [
            "",
            "#",
            "12#00",
            "123",
            "123#0",
            "123#0g",
            "900#00",
            "1234567G#00",
            "123#é0",
        ] {
            assert_eq!(Frame::from_candump(text), None, "{text}");
        }
    }

    #[test]
    fn only_an_id_of_29_bits_with_nothing_above_the_packet_is_a_vesc() {
        assert_eq!(
            Frame::new(Packet::PING, 84, &[2]).vesc(),
            Some((Packet::PING, 84))
        );
        for other in ["123#00", "00010954#00", "00000954#R", "20000004#00"] {
            assert_eq!(Frame::from_candump(other).unwrap().vesc(), None, "{other}");
        }
    }
}
