//! Puts commands together from the fragments in which they travel.
//!
//! ```text
//!  FILL 0, FILL 7, ... 252, FILL_LONG 259, 265, ..., PROCESS [sender] [send type] [length] [CRC]
//!  SHORT [sender] [send type] [up to 6 bytes]
//! ```
//!
//! The fragments name only who is meant; who sends shows in the frame that closes them. So what two senders send to one
//! node at a time may be mixed, for the node as well. The rules are the receiver's (`vesc_express
//! main/comm_can.c:124-249`): three buffers a node, a fragment goes on where its offset fits, a close takes the buffer
//! that has its length, and a close that finds none empties all three. What does not fit is noise, with the reason.

use std::{collections::BTreeMap, fmt};

use veschub_wire::{DEVICE_MAX_PAYLOAD, crc16};

use super::{frame::Frame, packet::Packet};

/// How many commands a node can receive at a time.
const BUFFERS: usize = 3;

/// What is to be done with a command, and with its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SendType(pub u8);

impl SendType {
    /// Do it, and send the reply to the sender.
    pub const REQUEST: Self = Self(0);
    /// It is a reply; pass it on to the interface that asked.
    pub const REPLY: Self = Self(1);
    /// Do it, without a reply.
    pub const NO_REPLY: Self = Self(2);
    /// Do it; the sender reads the reply itself.
    pub const LOCAL: Self = Self(3);

    /// Whether it is a reply and not a request.
    #[must_use]
    pub fn is_reply(self) -> bool {
        self == Self::REPLY
    }
}

impl fmt::Display for SendType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::REQUEST => f.write_str("request"),
            Self::REPLY => f.write_str("reply"),
            Self::NO_REPLY => f.write_str("request without a reply"),
            Self::LOCAL => f.write_str("request of the sender itself"),
            Self(other) => write!(f, "send type {other}"),
        }
    }
}

/// A command that was put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Who sent it, by its own account; any id that is not taken will do.
    pub from: u8,
    /// Who is meant; 255 are all.
    pub to: u8,
    /// What is to be done with it.
    pub send_type: SendType,
    /// How many frames it took.
    pub frames: usize,
    /// The payload: the command id, then its arguments.
    pub payload: Vec<u8>,
}

/// What a frame of the bus comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A frame that stands for itself.
    Frame(Frame),
    /// A command that is complete with this frame.
    Command(Command),
    /// Frames that no receiver makes anything of.
    Noise {
        /// Who is meant.
        to: u8,
        /// How many bytes of payload they carried.
        bytes: usize,
        /// What is wrong with them.
        misfit: Misfit,
    },
}

/// Why fragments are noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The frame ends before what it must have.
    TooShort(Packet),
    /// No buffer goes on at this offset: the fragment before it is missing, or it came twice.
    NothingBefore {
        /// The offset.
        offset: usize,
    },
    /// More than a receiver holds.
    TooLong,
    /// Others took the buffer before a close came.
    Displaced,
    /// The capture ends before the close.
    Unfinished,
    /// A close for a length that no buffer has.
    WrongLength {
        /// What it says.
        length: usize,
    },
    /// The checksum of the close is another.
    WrongChecksum {
        /// What the close says.
        told: u16,
        /// That of the bytes.
        found: u16,
    },
    /// A command without a single byte.
    Empty,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort(packet) => write!(f, "{packet} is too short"),
            Self::NothingBefore { offset } => {
                write!(f, "a fragment at offset {offset} with nothing before it")
            }
            Self::TooLong => write!(
                f,
                "fragments behind the {DEVICE_MAX_PAYLOAD} bytes that a receiver holds"
            ),
            Self::Displaced => f.write_str("fragments without a close, displaced by later ones"),
            Self::Unfinished => f.write_str("fragments without a close at the end of the capture"),
            Self::WrongLength { length } => write!(
                f,
                "a close for {length} bytes, and no buffer has as many: a fragment is missing"
            ),
            Self::WrongChecksum { told, found } => write!(
                f,
                "the checksum is {found:04x}, and the close says {told:04x}"
            ),
            Self::Empty => f.write_str("a command of no bytes"),
        }
    }
}

#[derive(Debug, Default)]
struct Buffer {
    bytes: Vec<u8>,
    frames: usize,
}

/// Listens to a bus. Holds three buffers of 512 bytes a node at the most.
#[derive(Debug, Default)]
pub struct Assembler {
    /// By who is meant, the oldest buffer first; none is empty.
    nodes: BTreeMap<u8, Vec<Buffer>>,
}

impl Assembler {
    /// A listener that has heard nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What the next frame of the bus comes to; nothing while a command is under way.
    pub fn push(&mut self, frame: &Frame) -> Option<Heard> {
        let Some((packet, to)) = frame.vesc() else {
            return Some(Heard::Frame(frame.clone()));
        };
        let data = frame.data();
        let told = match (packet, data) {
            (Packet::FILL_RX_BUFFER, &[offset, ref bytes @ ..]) => {
                return self.fill(to, usize::from(offset), bytes);
            }
            (Packet::FILL_RX_BUFFER_LONG, &[high, low, ref bytes @ ..]) => {
                return self.fill(to, usize::from(u16::from_be_bytes([high, low])), bytes);
            }
            (Packet::PROCESS_RX_BUFFER, &[from, send_type, a, b, c, d, ..]) => {
                let length = usize::from(u16::from_be_bytes([a, b]));
                let crc = u16::from_be_bytes([c, d]);
                self.process(from, to, SendType(send_type), length, crc)
            }
            (Packet::PROCESS_SHORT_BUFFER, &[from, send_type, ref payload @ ..]) => {
                let send_type = SendType(send_type);
                complete(from, to, send_type, 1, payload.to_vec())
            }
            (
                Packet::FILL_RX_BUFFER
                | Packet::FILL_RX_BUFFER_LONG
                | Packet::PROCESS_RX_BUFFER
                | Packet::PROCESS_SHORT_BUFFER,
                _,
            ) => noise(to, data.len(), Misfit::TooShort(packet)),
            _ => Heard::Frame(frame.clone()),
        };
        Some(told)
    }

    /// What was under way when the capture ended.
    pub fn finish(&mut self) -> Vec<Heard> {
        let nodes = std::mem::take(&mut self.nodes);
        let left = nodes.into_iter().flat_map(|(to, buffers)| {
            let bytes = move |buffer: Buffer| noise(to, buffer.bytes.len(), Misfit::Unfinished);
            buffers.into_iter().map(bytes)
        });
        left.collect()
    }

    fn fill(&mut self, to: u8, offset: usize, bytes: &[u8]) -> Option<Heard> {
        let buffers = self.nodes.entry(to).or_default();
        let goes_on = |buffer: &&mut Buffer| buffer.bytes.len() == offset;
        if let Some(buffer) = buffers.iter_mut().find(goes_on) {
            if offset + bytes.len() > DEVICE_MAX_PAYLOAD {
                return Some(noise(to, bytes.len(), Misfit::TooLong));
            }
            buffer.bytes.extend_from_slice(bytes);
            buffer.frames += 1;
            return None;
        }
        if offset != 0 {
            return Some(noise(to, bytes.len(), Misfit::NothingBefore { offset }));
        }
        if bytes.is_empty() {
            return Some(noise(to, 0, Misfit::TooShort(Packet::FILL_RX_BUFFER)));
        }
        let displaced = (buffers.len() >= BUFFERS).then(|| buffers.remove(0));
        let (bytes, frames) = (bytes.to_vec(), 1);
        buffers.push(Buffer { bytes, frames });
        displaced.map(|old| noise(to, old.bytes.len(), Misfit::Displaced))
    }

    fn process(&mut self, from: u8, to: u8, send_type: SendType, length: usize, crc: u16) -> Heard {
        let buffers = self.nodes.entry(to).or_default();
        let found = buffers
            .iter()
            .position(|buffer| buffer.bytes.len() == length);
        let Some(index) = found else {
            let lost = buffers.drain(..).map(|buffer| buffer.bytes.len()).sum();
            return noise(to, lost, Misfit::WrongLength { length });
        };
        let Buffer { bytes, frames } = buffers.remove(index);
        let found = crc16(&bytes);
        if found != crc {
            let misfit = Misfit::WrongChecksum { told: crc, found };
            return noise(to, bytes.len(), misfit);
        }
        complete(from, to, send_type, frames + 1, bytes)
    }
}

fn complete(from: u8, to: u8, send_type: SendType, frames: usize, payload: Vec<u8>) -> Heard {
    if payload.is_empty() {
        return noise(to, 0, Misfit::Empty);
    }
    Heard::Command(Command {
        from,
        to,
        send_type,
        frames,
        payload,
    })
}

fn noise(to: u8, bytes: usize, misfit: Misfit) -> Heard {
    Heard::Noise { to, bytes, misfit }
}

#[cfg(test)]
mod tests {
    use super::{super::fragments, *};

    fn payload(len: usize) -> Vec<u8> {
        (0..len).map(|index| index as u8 ^ 0x5A).collect()
    }

    fn told(frames: &[Frame]) -> Vec<Heard> {
        let mut assembler = Assembler::new();
        let mut told: Vec<Heard> = frames
            .iter()
            .filter_map(|frame| assembler.push(frame))
            .collect();
        told.extend(assembler.finish());
        told
    }

    fn whole(len: usize, frames: usize) -> Heard {
        Heard::Command(Command {
            from: 2,
            to: 84,
            send_type: SendType::REQUEST,
            frames,
            payload: payload(len),
        })
    }

    #[test]
    fn a_command_of_any_length_is_put_together_again() {
        for (len, frames) in [
            (1, 1),
            (6, 1),
            (7, 2),
            (8, 3),
            (259, 38),
            (260, 39),
            (265, 39),
            (266, 40),
            (512, 81),
        ] {
            let sent = fragments(2, 84, SendType::REQUEST, &payload(len));
            assert_eq!(sent.len(), frames, "{len}");
            assert_eq!(told(&sent), [whole(len, frames)], "{len}");
        }
    }

    #[test]
    fn whichever_fragment_is_lost_the_command_is_noise_and_the_next_one_is_not() {
        let sent = fragments(2, 84, SendType::REQUEST, &payload(35));
        for lost in 0..sent.len() {
            let mut frames = sent.clone();
            frames.remove(lost);
            frames.extend(sent.clone());
            let told = told(&frames);
            let commands = told.iter().filter(|heard| **heard == whole(35, 6));
            assert_eq!(commands.count(), 1, "{lost}: {told:?}");
            assert!(told.len() > 1, "{lost}: {told:?}");
        }
    }

    #[test]
    fn two_senders_at_a_time_are_told_apart_while_their_offsets_differ() {
        let one = fragments(2, 84, SendType::REQUEST, &payload(35));
        let other = fragments(254, 84, SendType::REPLY, &payload(20));
        // The second begins when the first is two fragments ahead, and so they go on.
        let mut frames = one[..2].to_vec();
        for index in 0..one.len() - 2 {
            frames.extend(other.get(index).cloned());
            frames.push(one[index + 2].clone());
        }
        let told = told(&frames);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told.iter().all(|heard| matches!(heard, Heard::Command(_))));
    }

    #[test]
    fn a_flipped_bit_is_a_wrong_checksum() {
        let mut frames = fragments(2, 84, SendType::REQUEST, &payload(35));
        let mut data = frames[2].data().to_vec();
        data[3] ^= 1;
        frames[2] = Frame::new(Packet::FILL_RX_BUFFER, 84, &data);
        let told = told(&frames);
        assert!(
            matches!(
                told[..],
                [Heard::Noise {
                    to: 84,
                    bytes: 35,
                    misfit: Misfit::WrongChecksum { .. }
                }]
            ),
            "{told:?}"
        );
    }

    #[test]
    fn commands_that_are_never_closed_take_no_more_than_three_buffers() {
        let mut assembler = Assembler::new();
        let mut displaced = 0;
        for _ in 0..1000 {
            for to in 0..=u8::MAX {
                let first = Frame::new(Packet::FILL_RX_BUFFER, to, &[0, 1, 2, 3, 4, 5, 6, 7]);
                displaced += usize::from(assembler.push(&first).is_some());
            }
        }
        assert_eq!(displaced, 256 * (1000 - BUFFERS));
        assert_eq!(assembler.finish().len(), 256 * BUFFERS);
    }

    #[test]
    fn a_command_does_not_grow_beyond_what_a_receiver_holds() {
        let mut assembler = Assembler::new();
        let mut bytes = 0;
        for offset in (0..2000_u16).step_by(6) {
            let mut data = offset.to_be_bytes().to_vec();
            data.extend_from_slice(&[7; 6]);
            assembler.push(&Frame::new(Packet::FILL_RX_BUFFER_LONG, 1, &data));
        }
        for left in assembler.finish() {
            if let Heard::Noise { bytes: lost, .. } = left {
                bytes += lost;
            }
        }
        assert_eq!(bytes, 510);
    }

    #[test]
    fn frames_that_are_cut_short_are_noise() {
        for packet in 5..=8 {
            let frame = Frame::new(Packet(packet), 1, &[]);
            let misfit = Misfit::TooShort(Packet(packet));
            assert_eq!(told(&[frame]), [noise(1, 0, misfit)]);
        }
        let empty = Frame::new(Packet::PROCESS_SHORT_BUFFER, 1, &[2, 0]);
        assert_eq!(told(&[empty]), [noise(1, 0, Misfit::Empty)]);
    }
}
