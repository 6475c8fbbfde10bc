//! GET_VALUES as firmware up to 3.00 lays it out.
//!
//! ```text
//! ←  04 | 6 × f16×1e1 board °C | f16×1e1 PCB °C | f32×1e2 motor, input A | f16×1e3 duty | f32×1 ERPM
//!       | f16×1e1 input V | 4 × f32×1e4 Ah, Ah, Wh, Wh | 2 × i32 tachometer, absolute | u8 fault
//! ```
//!
//! All of it is always there, 56 bytes with the id (`bldc` tag 2.18 `commands.c:162-185`; 1.14 to 3.00 are the same). No
//! later firmware sends so many: 3.07 has 54, 3.34 has 58. So the length tells the layouts apart where nobody knows the
//! firmware; where it is known, [`Reply::decode_from`](super::Reply::decode_from) goes by it.

use super::{body::Commands, prelude::*, values::FAULT};
use crate::number::{F16, F32};

/// How long the reply is, with its command id.
const LENGTH: usize = 56;

body! {
    /// The body of the reply to GET_VALUES of firmware up to 3.00.
    #[derive(Copy)]
    pub struct OldValues {
        always {
            /// Temperatures at six places of the board, beside the power transistors, °C.
            board_temperatures_c: [F16<10>; 6],
            /// Temperature of the circuit board, °C.
            pcb_temperature_c: F16<10>,
            /// Current of the motor, A, averaged since the last read.
            motor_current_a: F32<100>,
            /// Current of the supply, A, averaged since the last read.
            input_current_a: F32<100>,
            /// Duty cycle, -1 to 1.
            duty: F16<1000>,
            /// Electrical speed, revolutions per minute.
            erpm: F32<1>,
            /// Voltage of the supply, V.
            input_voltage_v: F16<10>,
            /// Charge drawn, Ah.
            drawn_ah: F32<10_000>,
            /// Charge given back, Ah.
            charged_ah: F32<10_000>,
            /// Energy drawn, Wh.
            drawn_wh: F32<10_000>,
            /// Energy given back, Wh.
            charged_wh: F32<10_000>,
            /// Position counter, steps; backwards counts down.
            tachometer: i32,
            /// Distance counter, steps; backwards counts up as well.
            tachometer_absolute: i32,
            /// Fault code: see [`fault_name`](super::fault_name).
            fault: u8 = FAULT,
        }
    }
}

impl OldValues {
    /// How long the reply is, with its command id: no other layout of GET_VALUES has this length.
    pub const LENGTH: usize = LENGTH;
}

impl Commands for OldValues {
    fn id(&self) -> CommandId {
        CommandId::GET_VALUES
    }

    fn read(id: CommandId, reader: &mut Reader<'_>) -> Result<Option<Self>, DecodeError> {
        if id == CommandId::GET_VALUES && reader.left() + 1 == LENGTH {
            return <Self as Body>::read(reader).map(Some);
        }
        Ok(None)
    }

    fn write(&self, out: &mut Vec<u8>) {
        Body::write(self, out);
    }

    fn show(&self, fields: &mut Fields) {
        Body::show(self, fields);
    }

    /// None: the table of the command is that of the newer layout.
    fn parts(_: CommandId) -> Option<Vec<Part>> {
        None
    }
}
