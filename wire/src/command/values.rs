//! GET_VALUES and GET_VALUES_SELECTIVE: what a motor controller measures.
//!
//! ```text
//! →  04                ←  04 | all fields up to the age of the firmware
//! →  32 | mask u32     ←  32 | mask u32 | the fields of the mask's bits, lowest bit first
//!
//!  bit           field                          bit           field
//!  0, 1          f16×1e1 FET, motor °C          15            u8 fault
//!  2, 3, 4, 5    f32×1e2 motor, input, id, iq A 16            f32×1e6 PID position °     since 3.34
//!  6             f16×1e3 duty                   17            u8 CAN id                  since 3.40
//!  7             f32×1 ERPM                     18            3 × f16×1e1 FET °C         since 3.48
//!  8             f16×1e1 input V                19, 20        f32×1e3 vd, vq V           since 3.60
//!  9 to 12       f32×1e4 Ah, Ah, Wh, Wh         21            u8 flags                   since 5.03
//!  13, 14        i32 tachometer, absolute
//! ```
//!
//! Firmware up to 3.00 has a layout of its own: see [`OldValues`](super::OldValues).
//!
//! Only motor firmware answers (`bldc comm/commands.c:384-483`; read by `vesc_tool commands.cpp:249-288`). Currents and
//! voltages of the field-oriented control are averages since the last read, whoever read last.

use super::prelude::*;
use crate::number::{F16, F32};

masked! {
    /// The body of the replies to GET_VALUES and GET_VALUES_SELECTIVE; what was not sent is `None`.
    pub struct Values {
        chosen {
            /// Temperature of the power transistors, °C.
            fet_temperature_c: F16<10>,
            /// Temperature of the motor, °C.
            motor_temperature_c: F16<10>,
            /// Current of the motor, A, averaged since the last read.
            motor_current_a: F32<100>,
            /// Current of the supply, A, averaged since the last read.
            input_current_a: F32<100>,
            /// Current along the rotor's field, A, averaged since the last read.
            id_current_a: F32<100>,
            /// Current across the rotor's field, A, averaged since the last read.
            iq_current_a: F32<100>,
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
            /// Fault code: see [`fault_name`].
            fault: u8 = FAULT,
        }
        since "3.34" {
            /// Position that the position controller sees, degrees; since 3.34.
            pid_position_deg: F32<1_000_000>,
        }
        since "3.40" {
            /// CAN id of the controller; since 3.40.
            can_id: u8,
        }
        since "3.48" {
            /// Temperatures of the transistors of each phase, °C; since 3.48.
            fet_temperatures_c: [F16<10>; 3],
        }
        since "3.60" {
            /// Voltage along the rotor's field, V, averaged since the last read; since 3.60.
            vd_v: F32<1000>,
            /// Voltage across the rotor's field, V, averaged since the last read; since 3.60.
            vq_v: F32<1000>,
        }
        since "5.03" {
            /// Bit 0: the time-out stopped the motor, bit 1: the kill switch did; since 5.03.
            flags: u8 = Shown::Bits(&["timeout_active", "kill_switch_active"]),
        }
    }
}

/// How a fault code is shown.
pub(super) const FAULT: Shown = Shown::Coded {
    name: "fault_name",
    names: FAULTS,
};

/// The name of a fault code (`bldc datatypes.h:145-178`).
#[must_use]
pub fn fault_name(fault: u8) -> Option<&'static str> {
    FAULTS.get(usize::from(fault)).copied()
}

const FAULTS: &[&str] = &[
    "NONE",
    "OVER_VOLTAGE",
    "UNDER_VOLTAGE",
    "DRV",
    "ABS_OVER_CURRENT",
    "OVER_TEMP_FET",
    "OVER_TEMP_MOTOR",
    "GATE_DRIVER_OVER_VOLTAGE",
    "GATE_DRIVER_UNDER_VOLTAGE",
    "MCU_UNDER_VOLTAGE",
    "BOOTING_FROM_WATCHDOG_RESET",
    "ENCODER_SPI",
    "ENCODER_SINCOS_BELOW_MIN_AMPLITUDE",
    "ENCODER_SINCOS_ABOVE_MAX_AMPLITUDE",
    "FLASH_CORRUPTION",
    "HIGH_OFFSET_CURRENT_SENSOR_1",
    "HIGH_OFFSET_CURRENT_SENSOR_2",
    "HIGH_OFFSET_CURRENT_SENSOR_3",
    "UNBALANCED_CURRENTS",
    "BRK",
    "RESOLVER_LOT",
    "RESOLVER_DOS",
    "RESOLVER_LOS",
    "FLASH_CORRUPTION_APP_CFG",
    "FLASH_CORRUPTION_MC_CFG",
    "ENCODER_NO_MAGNET",
    "ENCODER_MAGNET_TOO_STRONG",
    "PHASE_FILTER",
    "ENCODER_FAULT",
    "LV_OUTPUT_FAULT",
    "ENCODER_SLIP",
    "OVERSPEED",
    "UNDERSPEED",
    "ABS_OVERSPEED",
];

#[cfg(test)]
mod tests {
    use super::fault_name;

    #[test]
    fn fault_codes_stand_at_the_index_of_their_name() {
        for (fault, name) in [
            (0, Some("NONE")),
            (10, Some("BOOTING_FROM_WATCHDOG_RESET")),
            (19, Some("BRK")),
            (28, Some("ENCODER_FAULT")),
            (33, Some("ABS_OVERSPEED")),
            (34, None),
        ] {
            assert_eq!(fault_name(fault), name);
        }
    }
}
