//! The frames in which a command travels, and those in which a node tells its values.

use veschub_wire::crc16;

use super::{assemble::SendType, frame::Frame, packet::Packet};

/// The longest payload that goes in one frame.
const SHORT: usize = 6;
/// Bytes of a fragment with an offset of one byte, and of two.
const PIECE: usize = 7;
const LONG_PIECE: usize = 6;
/// Where the offsets of two bytes begin.
const LONG_FROM: usize = 259;

/// The frames of a command, in order (`vesc_express main/comm_can.c:1036-1119`). What firmware does with more than 512
/// bytes is not defined; no more than 65,535 are sent.
#[must_use]
pub fn fragments(from: u8, to: u8, send_type: SendType, payload: &[u8]) -> Vec<Frame> {
    let payload = &payload[..payload.len().min(usize::from(u16::MAX))];
    if payload.len() <= SHORT {
        let data = [&[from, send_type.0], payload].concat();
        return vec![Frame::new(Packet::PROCESS_SHORT_BUFFER, to, &data)];
    }
    let (first, rest) = payload.split_at(payload.len().min(LONG_FROM));
    let mut frames = Vec::new();
    for (index, piece) in first.chunks(PIECE).enumerate() {
        let data = [&[(index * PIECE) as u8], piece].concat();
        frames.push(Frame::new(Packet::FILL_RX_BUFFER, to, &data));
    }
    for (index, piece) in rest.chunks(LONG_PIECE).enumerate() {
        let offset = (LONG_FROM + index * LONG_PIECE) as u16;
        let data = [&offset.to_be_bytes(), piece].concat();
        frames.push(Frame::new(Packet::FILL_RX_BUFFER_LONG, to, &data));
    }
    let mut close = vec![from, send_type.0];
    close.extend_from_slice(&(payload.len() as u16).to_be_bytes());
    close.extend_from_slice(&crc16(payload).to_be_bytes());
    frames.push(Frame::new(Packet::PROCESS_RX_BUFFER, to, &close));
    frames
}

/// A frame in which a node tells values, in the order and the units of the packet's layout.
#[must_use]
pub fn measured(packet: Packet, node: u8, values: &[f64]) -> Frame {
    Frame::new(packet, node, &packet.data(values))
}
