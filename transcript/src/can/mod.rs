//! A VESC's CAN bus: its frames, what each says, and the commands that travel on it in fragments.
//!
//! ```text
//!  candump text, pcap link type 227 <-> Frame -> Assembler -> Heard: a frame by itself, a command put together, noise
//! ```
//!
//! An id has 29 bits: `node | packet << 8` (`vesc_express main/comm_can.c:119-120`). The node is who sends where a frame
//! reports something, and who is meant where it demands something. Commands of up to 6 bytes are one frame, longer ones
//! are fragments with an offset and a frame that closes them (`vesc_express main/comm_can.c:1036-1119`). A command is put
//! together here by the rules that the receiver has: see [`Assembler`].

mod assemble;
mod frame;
mod heard;
mod log;
mod packet;
mod send;

pub use assemble::{Assembler, Command, Heard, Misfit, SendType};
pub use frame::{Frame, MAX_DATA};
pub(crate) use heard::payload_fields;
pub(crate) use log::read_line;
pub use log::{LogFormat, LogWriter, candump_line};
pub use packet::{Packet, Way};
pub use send::{fragments, measured};
