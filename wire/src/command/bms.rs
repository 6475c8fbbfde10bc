//! BMS_GET_VALUES and the five commands that change a pack.
//!
//! ```text
//! →  60
//! ←  60 | 4 × f32×1e6: total V, charge V, current A, chip current A | 2 × f32×1e3: Ah, Wh
//!       | c u8 | c × f16×1e3 cell V | c × u8 balancing | t u8 | t × f16×1e2 sensor °C
//!       | f16×1e2: chip °C, humidity sensor °C, humidity %, highest cell °C
//!       | f16×1e3 SoC, SoH | CAN id u8 | 4 × f32a totals | pressure f16×1e-1 | data version u8 | status str
//! ```
//!
//! From the last line on, a reply may end after each part, by the age of the firmware
//! (`vesc_express main/bms.c:298-360`, `bldc bms.c`, `vesc_bms_fw commands.c:257-317`; read by `vesc_tool commands.cpp:709-772`).

use super::{form::Inside, prelude::*};
use crate::number::{F16, F32, Float, Scaled, Text};

/// The most cells or temperature sensors that firmware can hold (`vesc_express main/datatypes.h:27-29`).
pub const MAX_ELEMENTS: usize = 50;
/// The longest status text that firmware can hold, in bytes (`vesc_express main/datatypes.h:27-29`).
pub const MAX_STATUS: usize = 40;

body! {
    /// Lifetime totals of a pack.
    #[derive(Copy)]
    pub struct BmsTotals {
        always {
            /// Charge taken in, Ah.
            charged_ah: Float = Shown::Called("total_charged_ah"),
            /// Energy taken in, Wh.
            charged_wh: Float = Shown::Called("total_charged_wh"),
            /// Charge given, Ah.
            discharged_ah: Float = Shown::Called("total_discharged_ah"),
            /// Energy given, Wh.
            discharged_wh: Float = Shown::Called("total_discharged_wh"),
        }
    }
}

body! {
    /// The reply to BMS_GET_VALUES; what the device did not send is `None`.
    pub struct BmsValues {
        always {
            /// Voltage of the whole pack, V.
            total_voltage_v: F32<1_000_000>,
            /// Voltage at the charge input, V.
            charge_voltage_v: F32<1_000_000>,
            /// Current of the pack, A.
            current_a: F32<1_000_000>,
            /// Current as the BMS chip measures it, A.
            chip_current_a: F32<1_000_000>,
            /// Charge counter, Ah.
            counter_ah: F32<1000>,
            /// Energy counter, Wh.
            counter_wh: F32<1000>,
        }
        counted "cell_count" or
        /// A cell count below 0, which a script on the device can set: then no cells follow.
        negative_cell_count {
            /// Voltage of each cell, V; no more than 127 are written.
            cell_voltages_v: F16<1000>,
            /// Whether each cell is being balanced: not 0. One byte a cell, not a bit mask; a missing one is
            /// written as 0.
            balancing: u8 = Shown::Flag,
        }
        counted "temperature_count" or
        /// A sensor count below 0, the same way.
        negative_temperature_count {
            /// The temperature sensors, °C; -281 and below means a broken one; no more than 127 are written.
            temperatures_c: F16<100>,
        }
        always {
            /// Temperature of the BMS chip, °C.
            chip_temperature_c: F16<100>,
            /// Temperature of the humidity sensor, °C.
            humidity_temperature_c: F16<100>,
            /// Humidity, %.
            humidity_percent: F16<100>,
            /// Highest cell temperature, °C.
            highest_cell_temperature_c: F16<100>,
        }
        since "5.02" {
            /// State of charge, 0 to 1; 0 often means that nobody computes it; since 5.02.
            state_of_charge: F16<1000>,
            /// State of health, 0 to 1; since 5.02.
            state_of_health: F16<1000>,
        }
        since "5.03" {
            /// CAN id of the BMS, 255 for none; since 5.03.
            can_id: u8,
        }
        since "5.03" {
            /// Lifetime totals; since 5.03.
            totals: BmsTotals = Inside,
        }
        since "6.05" {
            /// Air pressure, Pa, in steps of 10; since 6.05.
            pressure_pa: Scaled<i16, 1, 10>,
        }
        since "6.06" {
            /// Version of the data's meaning; since 6.06.
            data_version: u8,
        }
        since "6.06" {
            /// What the BMS says of itself; since 6.06.
            status: Text,
        }
    }
}

commands! {
    /// A command that changes a pack. Firmware answers none of them (`vesc_express main/bms.c:366-395`).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum BmsCommand {
        /// 97: allows or forbids charging.
        BMS_SET_CHARGE_ALLOWED => SetChargeAllowed {
            /// Not 0 to allow it.
            allowed: u8 = Shown::Flag,
        },
        /// 98: takes the balancing of one cell out of the BMS' hands.
        BMS_SET_BALANCE_OVERRIDE => SetBalanceOverride {
            /// The channel of the hardware.
            cell: u8,
            /// 0 automatic, 1 forced off, 2 forced on.
            mode: u8 = Shown::Named(&["automatic", "off", "on"]),
        },
        /// 99: sets counters to 0.
        BMS_RESET_COUNTERS => ResetCounters {
            /// Not 0 for the charge counter.
            ah: u8 = Shown::Flag,
            /// Not 0 for the energy counter.
            wh: u8 = Shown::Flag,
        },
        /// 100: starts or stops balancing now.
        BMS_FORCE_BALANCE => ForceBalance {
            /// Not 0 to start.
            enabled: u8 = Shown::Flag,
        },
        /// 101: takes the present current as zero.
        BMS_ZERO_CURRENT_OFFSET => ZeroCurrentOffset,
    } or {}
}
